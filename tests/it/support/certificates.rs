//! Certificates made for one test, in files below a directory that is gone with it.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use rcgen::{BasicConstraints, CertificateParams, DistinguishedName, DnType, IsCa, Issuer, KeyPair, PKCS_ED25519};

/// An authority and what it has signed.
pub struct Authority {
    /// Where `ca.crt` and all others lie.
    pub directory: PathBuf,
    issuer: Issuer<'static, KeyPair>,
}

/// A certificate and its key, PEM.
#[derive(Debug, Clone)]
pub struct Pair {
    /// The certificate's file.
    pub cert: PathBuf,
    /// The key's file.
    pub key: PathBuf,
}

impl Authority {
    /// A new one, in a directory of its own.
    pub fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let directory = std::env::temp_dir().join(format!("sexton-it-ca-{}-{count}", std::process::id()));
        fs::create_dir_all(&directory).expect("a temporary directory");
        let mut params = CertificateParams::new(Vec::new()).expect("no names");
        params.distinguished_name = named(&format!("authority {count}"));
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().expect("a key");
        let certificate = params.self_signed(&key).expect("it signs itself");
        fs::write(directory.join("ca.crt"), certificate.pem()).expect("ca.crt");
        Self { directory, issuer: Issuer::new(params, key) }
    }

    /// The authority's own certificate.
    pub fn certificate(&self) -> PathBuf {
        self.directory.join("ca.crt")
    }

    /// A certificate for `name`, in `<file>.crt` and `<file>.key`.
    pub fn sign(&self, file: &str, name: &str) -> Pair {
        self.sign_until(file, name, 2100)
    }

    /// The same, which ends with 1 January of `year`.
    pub fn sign_until(&self, file: &str, name: &str, year: i32) -> Pair {
        let mut params = CertificateParams::new(vec![name.to_owned()]).expect("a name");
        params.distinguished_name = named(file);
        params.not_after = rcgen::date_time_ymd(year, 1, 1);
        let key = KeyPair::generate().expect("a key");
        let certificate = params.signed_by(&key, &self.issuer).expect("it is signed");
        write(&self.directory, file, &certificate.pem(), &key)
    }

    /// An Ed25519 certificate for localhost that signs itself.
    pub fn ed25519(&self, file: &str) -> Pair {
        let params = CertificateParams::new(vec!["localhost".to_owned()]).expect("a name");
        let key = KeyPair::generate_for(&PKCS_ED25519).expect("a key");
        let certificate = params.self_signed(&key).expect("it signs itself");
        write(&self.directory, file, &certificate.pem(), &key)
    }
}

fn named(name: &str) -> DistinguishedName {
    let mut names = DistinguishedName::new();
    names.push(DnType::CommonName, name);
    names
}

fn write(directory: &Path, file: &str, certificate: &str, key: &KeyPair) -> Pair {
    use std::os::unix::fs::PermissionsExt;
    let pair = Pair { cert: directory.join(format!("{file}.crt")), key: directory.join(format!("{file}.key")) };
    fs::write(&pair.cert, certificate).expect("the certificate");
    fs::write(&pair.key, key.serialize_pem()).expect("the key");
    fs::set_permissions(&pair.key, fs::Permissions::from_mode(0o600)).expect("libpq wants it private");
    pair
}

impl Drop for Authority {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.directory);
    }
}
