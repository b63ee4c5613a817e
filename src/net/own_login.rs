//! Sexton's own login, over a connection that is already as it should be.

use tokio::time::timeout;
use tokio_postgres::config::SslMode;
use tokio_postgres::tls::NoTlsStream;
use tokio_postgres::{Client, Config, Connection, NoTls};

use crate::config::UpstreamSettings;
use crate::net::catalog::CatalogError;
use crate::net::stream::Stream;
use crate::net::upstream::CONNECT_TIMEOUT;

/// Logs in to `database`.
///
/// # Errors
/// The server's, or that it takes too long.
pub(super) async fn log_in(
    stream: Stream,
    settings: &UpstreamSettings,
    database: &str,
) -> Result<(Client, Connection<Stream, NoTlsStream>), CatalogError> {
    let mut config = Config::new();
    // The stream comes with TLS or without, as configured: nothing is left to ask for.
    config.user(&settings.user).dbname(database).application_name("sexton").ssl_mode(SslMode::Disable);
    if let Some(password) = &settings.password {
        config.password(password);
    }
    let login = timeout(CONNECT_TIMEOUT, config.connect_raw(stream, NoTls)).await;
    let late = || CatalogError::new(format!("no login within {} s", CONNECT_TIMEOUT.as_secs()));
    Ok(login.map_err(|_| late())??)
}
