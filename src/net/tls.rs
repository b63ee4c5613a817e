//! TLS on both legs: what the configuration's files make of it, and the handshakes.

use std::io;
use std::sync::Arc;

use tokio::net::TcpStream;
use tokio_rustls::rustls::client::WebPkiServerVerifier;
use tokio_rustls::rustls::crypto::{CryptoProvider, ring};
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use tokio_rustls::rustls::server::{NoServerSessionStorage, WebPkiClientVerifier};
use tokio_rustls::rustls::{ClientConfig, RootCertStore, ServerConfig};
use tokio_rustls::{TlsAcceptor, TlsConnector};

use crate::config::{ClientTls, FileName, UpstreamSettings, UpstreamTls};
use crate::net::certificate;
use crate::net::stream::Stream;
use crate::net::verify::{Authority, Trust};
use crate::rewrite::Finding;

/// The protocol's name in ALPN (N3).
const ALPN: &[u8] = b"postgresql";
/// 8,192 bytes of plaintext a record, and rustls counts the record's header too. An older libpq waits for ever for the
/// rest of a longer one, which is in OpenSSL's hands already (N8).
const FRAGMENT_BYTES_MAX: usize = 8192 + 5;

/// TLS towards clients.
pub(crate) struct ClientLeg {
    acceptor: TlsAcceptor,
    /// Sessions over TCP must be encrypted.
    pub(crate) required: bool,
    /// The certificate that clients are shown.
    pub(crate) certificate: CertificateDer<'static>,
    /// What clients bind SCRAM to, if the certificate allows it.
    pub(crate) end_point: Option<Vec<u8>>,
}

impl std::fmt::Debug for ClientLeg {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ClientLeg").field("required", &self.required).finish_non_exhaustive()
    }
}

impl ClientLeg {
    /// Reads the files.
    ///
    /// # Errors
    /// The file that cannot be used, and why.
    pub(crate) fn read(settings: &ClientTls) -> Result<Self, Finding> {
        let chain = certificates(&settings.cert)?;
        let certificate = chain[0].clone();
        let key = PrivateKeyDer::from_pem_file(&settings.key.path).map_err(|error| {
            fault(
                &settings.key,
                format!("holds no readable private key: {error}"),
                "name a PEM file with the key, not encrypted",
            )
        })?;
        let builder = ServerConfig::builder_with_provider(provider());
        let builder = builder.with_safe_default_protocol_versions().map_err(|error| broken(&settings.cert, &error))?;
        let builder = match &settings.client_ca {
            None => builder.with_no_client_auth(),
            Some(file) => {
                let verifier = WebPkiClientVerifier::builder_with_provider(
                    Arc::new(authorities(file, certificates(file)?)?),
                    provider(),
                );
                builder.with_client_cert_verifier(verifier.build().map_err(|error| broken(file, &error))?)
            }
        };
        let mut config = builder.with_single_cert(chain, key).map_err(|error| {
            let mend = "name the private key that belongs to listen.tls.cert";
            fault(&settings.key, format!("cannot be used with the certificate: {error}"), mend)
        })?;
        config.alpn_protocols = vec![ALPN.to_vec()];
        config.max_fragment_size = Some(FRAGMENT_BYTES_MAX);
        // As in the server: no resumption, and with it no early data, of which a replay would be a second DELETE (N11).
        config.session_storage = Arc::new(NoServerSessionStorage {});
        config.send_tls13_tickets = 0;
        let end_point = certificate::end_point(&certificate);
        if end_point.is_none() {
            tracing::warn!(
                "the certificate's signature has no hash for SCRAM to bind to: channel_binding=require will fail"
            );
        }
        Ok(Self { acceptor: Arc::new(config).into(), required: settings.required, certificate, end_point })
    }

    /// Shakes hands with a client; `direct`: it began with TLS instead of asking for it, and must name the protocol,
    /// lest it was sent here by a trick with another in mind (N3).
    ///
    /// # Errors
    /// The handshake's.
    pub(crate) async fn accept(&self, socket: TcpStream, direct: bool) -> io::Result<Stream> {
        let stream = self.acceptor.accept(socket).await?;
        if direct && stream.get_ref().1.alpn_protocol() != Some(ALPN) {
            let message = "direct SSL connection request without ALPN protocol negotiation extension";
            return Err(io::Error::new(io::ErrorKind::InvalidData, message));
        }
        Ok(Stream::tls(tokio_rustls::TlsStream::from(stream)))
    }
}

/// TLS towards PostgreSQL.
pub(crate) struct ServerLeg {
    connector: TlsConnector,
    /// A server without TLS will do.
    pub(crate) optional: bool,
    named: bool,
}

impl std::fmt::Debug for ServerLeg {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ServerLeg").field("optional", &self.optional).finish_non_exhaustive()
    }
}

impl ServerLeg {
    /// Reads the files; `None` where TLS is not wanted.
    ///
    /// # Errors
    /// The file that cannot be used, and why.
    pub(crate) fn read(settings: &UpstreamSettings) -> Result<Option<Self>, Finding> {
        let provider = provider();
        if settings.tls == UpstreamTls::Disable {
            return Ok(None);
        }
        let (any, algorithms) = (settings.tls < UpstreamTls::VerifyCa, provider.signature_verification_algorithms);
        let mut trust = Trust { any, authority: None, algorithms };
        let named = settings.tls == UpstreamTls::VerifyFull;
        if let Some(file) = &settings.ca {
            let pinned = certificates(file)?;
            let roots = Arc::new(authorities(file, pinned.clone())?);
            let chain = WebPkiServerVerifier::builder_with_provider(Arc::clone(&roots), Arc::clone(&provider));
            let chain = chain.build().map_err(|error| broken(file, &error))?;
            trust.authority = Some(Authority { chain, roots, pinned, named });
        }
        let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
        let builder = builder.map_err(|error| Finding {
            fatal: true,
            line: 1,
            key: "upstream.tls".to_owned(),
            message: error.to_string(),
            mend: "write tls = \"disable\"".to_owned(),
        })?;
        let mut config = builder.dangerous().with_custom_certificate_verifier(Arc::new(trust)).with_no_client_auth();
        config.alpn_protocols = vec![ALPN.to_vec()];
        config.resumption = tokio_rustls::rustls::client::Resumption::disabled();
        config.max_fragment_size = Some(FRAGMENT_BYTES_MAX);
        let optional = settings.tls == UpstreamTls::Prefer;
        Ok(Some(Self { connector: Arc::new(config).into(), optional, named }))
    }

    /// Shakes hands with the server that was reached as `host`.
    ///
    /// # Errors
    /// The handshake's, a certificate that is not trusted among them.
    pub(crate) async fn connect(&self, host: &str, socket: TcpStream) -> io::Result<Stream> {
        let name = match ServerName::try_from(host.to_owned()) {
            Ok(name) => name,
            Err(error) if self.named => return Err(io::Error::new(io::ErrorKind::InvalidInput, error)),
            // Only said to the server, not compared with anything.
            Err(_) => ServerName::IpAddress(socket.peer_addr()?.ip().into()),
        };
        Ok(Stream::tls(tokio_rustls::TlsStream::from(self.connector.connect(name, socket).await?)))
    }
}

/// Random bytes for nonces.
///
/// # Errors
/// The system has none.
pub(crate) fn random<const N: usize>() -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    provider().secure_random.fill(&mut bytes).map_err(|_| io::Error::other("no random bytes"))?;
    Ok(bytes)
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(ring::default_provider())
}

fn certificates(file: &FileName) -> Result<Vec<CertificateDer<'static>>, Finding> {
    let read = CertificateDer::pem_file_iter(&file.path).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    let mend = "name a PEM file that this user may read";
    let all = read.map_err(|error| fault(file, format!("cannot be read: {error}"), mend))?;
    if all.is_empty() { Err(fault(file, "holds no certificate".to_owned(), mend)) } else { Ok(all) }
}

fn authorities(file: &FileName, certificates: Vec<CertificateDer<'static>>) -> Result<RootCertStore, Finding> {
    let mut roots = RootCertStore::empty();
    for certificate in certificates {
        roots.add(certificate).map_err(|error| broken(file, &error))?;
    }
    Ok(roots)
}

fn broken(file: &FileName, error: &dyn std::fmt::Display) -> Finding {
    fault(file, format!("cannot be used: {error}"), "name another file")
}

fn fault(file: &FileName, message: String, mend: &str) -> Finding {
    let message = format!("{} {message}", file.path.display());
    Finding { fatal: true, line: file.line, key: file.key.clone(), message, mend: mend.to_owned() }
}
