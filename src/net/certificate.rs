//! What is read out of certificates: the hash that SCRAM binds to, and whether one is in date.

use sha2::{Digest, Sha256, Sha384, Sha512};
use tokio_rustls::rustls::pki_types::{CertificateDer, UnixTime};
use x509_cert::Certificate;
use x509_cert::der::Decode;

/// Signature algorithms by the hash that `tls-server-end-point` takes for them (RFC 5929): SHA-256 where the
/// certificate's own is MD5 or SHA-1.
const SHA256: [&str; 5] = [
    "1.2.840.113549.1.1.4",
    "1.2.840.113549.1.1.5",
    "1.2.840.10045.4.1",
    "1.2.840.113549.1.1.11",
    "1.2.840.10045.4.3.2",
];
const SHA384: [&str; 2] = ["1.2.840.113549.1.1.12", "1.2.840.10045.4.3.3"];
const SHA512: [&str; 2] = ["1.2.840.113549.1.1.13", "1.2.840.10045.4.3.4"];

/// The channel binding `tls-server-end-point`; `None` for signatures that have no hash of their own, such as Ed25519 (A4).
pub(crate) fn end_point(certificate: &CertificateDer<'_>) -> Option<Vec<u8>> {
    let algorithm = Certificate::from_der(certificate).ok()?.signature_algorithm().oid.to_string();
    let is_one_of = |list: &[&str]| list.contains(&algorithm.as_str());
    if is_one_of(&SHA256) {
        Some(Sha256::digest(certificate).to_vec())
    } else if is_one_of(&SHA384) {
        Some(Sha384::digest(certificate).to_vec())
    } else if is_one_of(&SHA512) {
        Some(Sha512::digest(certificate).to_vec())
    } else {
        None
    }
}

/// True where `now` is in the certificate's time.
pub(crate) fn is_in_date(certificate: &CertificateDer<'_>, now: UnixTime) -> bool {
    let Ok(certificate) = Certificate::from_der(certificate) else { return false };
    let validity = certificate.tbs_certificate().validity();
    let [from, to] = [&validity.not_before, &validity.not_after].map(|time| time.to_unix_duration().as_secs());
    (from..=to).contains(&now.as_secs())
}
