//! Which certificates of PostgreSQL are believed: libpq's `require`, `verify-ca` and `verify-full`.

use std::sync::Arc;

use tokio_rustls::rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use tokio_rustls::rustls::client::{
    WebPkiServerVerifier, verify_server_cert_signed_by_trust_anchor, verify_server_name,
};
use tokio_rustls::rustls::crypto::{WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature};
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use tokio_rustls::rustls::server::ParsedCertificate;
use tokio_rustls::rustls::{CertificateError, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};

use crate::net::certificate;

/// What makes a server's certificate believed.
#[derive(Debug)]
pub(super) struct Trust {
    /// Every one is: `prefer` and `require` stop listeners, not impostors.
    pub(super) any: bool,
    pub(super) authority: Option<Authority>,
    pub(super) algorithms: WebPkiSupportedAlgorithms,
}

/// The file `upstream.ca`.
#[derive(Debug)]
pub(super) struct Authority {
    pub(super) chain: Arc<WebPkiServerVerifier>,
    pub(super) roots: Arc<RootCertStore>,
    /// The file's certificates: one that the server shows itself is believed, as servers often run on one that signs itself.
    pub(super) pinned: Vec<CertificateDer<'static>>,
    /// The host's name must be in the certificate.
    pub(super) named: bool,
}

impl Authority {
    fn verify(
        &self,
        shown: (&CertificateDer<'_>, &[CertificateDer<'_>]),
        name: &ServerName<'_>,
        now: UnixTime,
        algorithms: &WebPkiSupportedAlgorithms,
    ) -> Result<(), Error> {
        let (leaf, intermediates) = shown;
        let parsed = ParsedCertificate::try_from(leaf)?;
        if self.pinned.iter().any(|pinned| pinned == leaf) {
            if !certificate::is_in_date(leaf, now) {
                return Err(CertificateError::Expired.into());
            }
            return if self.named { verify_server_name(&parsed, name) } else { Ok(()) };
        }
        if self.named {
            return self.chain.verify_server_cert(leaf, intermediates, name, &[], now).map(|_| ());
        }
        verify_server_cert_signed_by_trust_anchor(&parsed, &self.roots, intermediates, now, algorithms.all)
    }
}

impl ServerCertVerifier for Trust {
    fn verify_server_cert(
        &self,
        leaf: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        _ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        match &self.authority {
            Some(authority) => authority.verify((leaf, intermediates), name, now, &self.algorithms)?,
            None if self.any => {}
            None => return Err(CertificateError::UnknownIssuer.into()),
        }
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, certificate, signed, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signed, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}
