//! Where clients come in: a TCP port and, if configured, a unix socket of the same number.

use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream, UnixListener, UnixStream};

use crate::config::ListenSettings;
use crate::net::server::ServeError;
use crate::net::stream::Stream;

/// Pause after accept() failed, so that a lack of file descriptors does not spin (F8).
const ACCEPT_PAUSE: Duration = Duration::from_millis(10);

/// The open sockets.
#[derive(Debug)]
pub(crate) struct Listener {
    tcp: TcpListener,
    unix: Option<(UnixListener, PathBuf)>,
}

impl Listener {
    /// Opens them.
    ///
    /// # Errors
    /// [`ServeError::Listen`]: what cannot be had, and why.
    pub(crate) async fn bind(settings: &ListenSettings) -> Result<Self, ServeError> {
        let address = &settings.address;
        let fault = |source| ServeError::Listen { key: "listen.address", address: address.clone(), source };
        let tcp = TcpListener::bind(address).await.map_err(fault)?;
        let unix = match &settings.unix_socket_dir {
            None => None,
            Some(directory) => {
                let port = tcp.local_addr().map_err(fault)?.port();
                let path = directory.join(format!(".s.PGSQL.{port}"));
                let bound = bind_socket(&path).await.map_err(|source| {
                    let address = path.display().to_string();
                    ServeError::Listen { key: "listen.unix_socket_dir", address, source }
                });
                Some((bound?, path))
            }
        };
        Ok(Self { tcp, unix })
    }

    /// The TCP address, with the port that a configured port 0 became.
    pub(crate) fn address(&self) -> io::Result<SocketAddr> {
        self.tcp.local_addr()
    }

    /// The unix socket's file.
    pub(crate) fn socket(&self) -> Option<&Path> {
        self.unix.as_ref().map(|(_, path)| path.as_path())
    }

    /// The next client, and where it comes from if not from a unix socket.
    pub(crate) async fn accept(&self) -> (Stream, Option<SocketAddr>) {
        loop {
            match self.accept_one().await {
                Ok(Ok(client)) => return client,
                Ok(Err(error)) => tracing::debug!(%error, "a client left before it was served"),
                Err(error) => {
                    tracing::warn!(%error, "a connection could not be accepted");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            }
        }
    }

    /// The listener's error, or the client's.
    async fn accept_one(&self) -> io::Result<io::Result<(Stream, Option<SocketAddr>)>> {
        let tcp = |(stream, peer): (TcpStream, SocketAddr)| Ok((Stream::tcp(stream)?, Some(peer)));
        let Some((unix, _)) = &self.unix else { return self.tcp.accept().await.map(tcp) };
        tokio::select! {
            accepted = self.tcp.accept() => accepted.map(tcp),
            accepted = unix.accept() => accepted.map(|(stream, _)| Ok((Stream::Unix(stream), None))),
        }
    }
}

async fn bind_socket(path: &Path) -> io::Result<UnixListener> {
    // A socket file that nobody listens on is left from a process that was killed.
    if path.exists() && UnixStream::connect(path).await.is_err() {
        std::fs::remove_file(path)?;
    }
    UnixListener::bind(path)
}

impl Drop for Listener {
    fn drop(&mut self) {
        if let Some((_, path)) = &self.unix
            && let Err(error) = std::fs::remove_file(path)
        {
            tracing::debug!(%error, "the socket file is gone already");
        }
    }
}
