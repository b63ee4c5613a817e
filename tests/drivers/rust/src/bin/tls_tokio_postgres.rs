//! tokio-postgres over rustls, by its default settings.

use std::env::var;

use rustls::pki_types::{CertificateDer, pem::PemObject};
use rustls::{ClientConfig, RootCertStore};
use tokio_postgres_rustls::MakeRustlsConnect;

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let variable = |name: &str| var(name).expect(name);
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(variable("SEXTON_CA")).expect("a certificate")).expect("an authority");
    let tls = MakeRustlsConnect::new(ClientConfig::builder().with_root_certificates(roots).with_no_client_auth());
    let (port, user, password) = (variable("SEXTON_PORT"), variable("SEXTON_USER"), variable("SEXTON_PASSWORD"));
    let settings = format!("host=localhost port={port} user={user} password={password} dbname=postgres");
    let (client, connection) = tokio_postgres::connect(&settings, tls).await.expect("connected");
    tokio::spawn(connection);
    let row = client.query_one(&variable("SQL"), &[]).await.expect("a row");
    println!("{} {}", row.get::<_, String>(0), row.get::<_, String>(1));
}
