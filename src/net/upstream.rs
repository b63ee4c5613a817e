//! The way to PostgreSQL: the configured addresses, tried in order.

use std::io;
use std::time::Duration;

use tokio::net::{TcpStream, UnixStream};
use tokio::time::timeout;

use crate::config::{UpstreamAddress, UpstreamSettings};
use crate::net::stream::Stream;

/// How long one address may take to answer.
pub(crate) const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// Connects to the first address that answers; names are resolved anew each time (X7).
///
/// # Errors
/// What went wrong with the last address.
pub(crate) async fn connect(settings: &UpstreamSettings) -> io::Result<Stream> {
    let mut last = io::Error::new(io::ErrorKind::NotFound, "no upstream address is configured");
    for address in &settings.addresses {
        match connect_to(address).await {
            Ok(stream) => return Ok(stream),
            Err(error) => last = io::Error::new(error.kind(), format!("{}: {error}", describe(address))),
        }
    }
    Err(last)
}

/// Connects to one address.
pub(crate) async fn connect_to(address: &UpstreamAddress) -> io::Result<Stream> {
    let connecting = async {
        match address {
            UpstreamAddress::Tcp { host, port } => {
                let stream = TcpStream::connect((host.as_str(), *port)).await?;
                stream.set_nodelay(true)?;
                Ok(Stream::Tcp(stream))
            }
            UpstreamAddress::Unix { directory, port } => {
                UnixStream::connect(directory.join(format!(".s.PGSQL.{port}"))).await.map(Stream::Unix)
            }
        }
    };
    timeout(CONNECT_TIMEOUT, connecting).await.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
}

/// The address as the configuration writes it.
pub(crate) fn describe(address: &UpstreamAddress) -> String {
    match address {
        UpstreamAddress::Tcp { host, port } => format!("{host}:{port}"),
        UpstreamAddress::Unix { directory, port } => format!("{}/.s.PGSQL.{port}", directory.display()),
    }
}
