//! The way to PostgreSQL: the configured addresses, tried in order, encrypted as configured.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, UnixStream, lookup_host};
use tokio::sync::Mutex;
use tokio::time::{Instant, timeout};

use crate::config::{Target, UpstreamAddress, UpstreamSettings};
use crate::net::own_login::log_in;
use crate::net::stream::Stream;
use crate::net::tls::ServerLeg;
use crate::rewrite::Finding;
use crate::wire::startup::SSL_REQUEST;

/// How long one address may take to answer.
pub(crate) const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// How long a primary is believed to be one still.
const PRIMARY_BELIEVED: Duration = Duration::from_secs(1);

/// PostgreSQL as the configuration describes it.
#[derive(Debug)]
pub struct Upstream {
    pub(crate) settings: UpstreamSettings,
    tls: Option<ServerLeg>,
    /// Where Sexton's own login can be tried.
    database: String,
    /// The primary, and when it was one.
    primary: Mutex<Option<(Place, Instant)>>,
}

/// One place to connect to.
#[derive(Debug, Clone)]
pub(crate) enum Place {
    Tcp { host: String, address: SocketAddr },
    Unix(std::path::PathBuf),
}

impl Upstream {
    /// Reads the files that the settings name; `database`: one that Sexton's own login can use.
    ///
    /// # Errors
    /// The file that cannot be used, and why.
    pub fn new(settings: &UpstreamSettings, database: &str) -> Result<Self, Finding> {
        let (tls, primary) = (ServerLeg::read(settings)?, Mutex::default());
        Ok(Self { settings: settings.clone(), tls, database: database.to_owned(), primary })
    }

    /// Connects to the first address that answers, and under `target = "primary"` is one; names are resolved anew each
    /// time (X7).
    ///
    /// # Errors
    /// What went wrong with each address.
    pub(crate) async fn connect(&self) -> io::Result<Stream> {
        match self.settings.target {
            Target::Any => self.connect_to_any().await,
            Target::Primary => {
                let place = self.find_primary().await?;
                let connected = self.reach(&place).await;
                if connected.is_err() {
                    *self.primary.lock().await = None;
                }
                connected
            }
        }
    }

    /// The first address that is no standby, as the server itself says at login.
    async fn find_primary(&self) -> io::Result<Place> {
        // Held while asking: whoever comes meanwhile waits for the one answer.
        let mut primary = self.primary.lock().await;
        if let Some((place, _)) = primary.as_ref().filter(|(_, since)| since.elapsed() < PRIMARY_BELIEVED) {
            return Ok(place.clone());
        }
        let mut why = Vec::new();
        for address in &self.settings.addresses {
            let found = places(address).await;
            why.extend(found.as_ref().err().map(|error| format!("{}: {error}", describe(address))));
            for place in found.unwrap_or_default() {
                match self.is_standby(&place).await {
                    Ok(false) => {
                        *primary = Some((place.clone(), Instant::now()));
                        return Ok(place);
                    }
                    Ok(true) => why.push(format!("{}: is a standby", describe(address))),
                    Err(error) => why.push(format!("{}: {error}", describe(address))),
                }
            }
        }
        Err(io::Error::new(io::ErrorKind::NotFound, format!("no upstream address is a primary: {}", why.join("; "))))
    }

    async fn is_standby(&self, place: &Place) -> io::Result<bool> {
        let stream = self.reach(place).await?;
        let (_, connection) = log_in(stream, &self.settings, &self.database).await.map_err(io::Error::other)?;
        // Reported by every server from 14 on.
        Ok(connection.parameter("in_hot_standby") == Some("on"))
    }

    async fn connect_to_any(&self) -> io::Result<Stream> {
        let mut why = Vec::new();
        for address in &self.settings.addresses {
            match self.connect_to(address).await {
                Ok(stream) => return Ok(stream),
                Err(error) => why.push(format!("{}: {error}", describe(address))),
            }
        }
        Err(io::Error::new(io::ErrorKind::NotConnected, why.join("; ")))
    }

    async fn connect_to(&self, address: &UpstreamAddress) -> io::Result<Stream> {
        let mut last = io::Error::new(io::ErrorKind::NotFound, "the name has no address");
        for place in places(address).await? {
            match self.reach(&place).await {
                Ok(stream) => return Ok(stream),
                Err(error) => last = error,
            }
        }
        Err(last)
    }

    /// Connects to one place.
    ///
    /// # Errors
    /// The system's, and those of TLS.
    pub(crate) async fn reach(&self, place: &Place) -> io::Result<Stream> {
        let connecting = async {
            match place {
                Place::Unix(path) => UnixStream::connect(path).await.map(Stream::Unix),
                Place::Tcp { host, address } => {
                    let stream = Stream::tcp(TcpStream::connect(address).await?)?;
                    match &self.tls {
                        Some(tls) => encrypt(tls, host, stream).await,
                        None => Ok(stream),
                    }
                }
            }
        };
        timeout(CONNECT_TIMEOUT, connecting).await.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
    }
}

/// Every place that the address stands for.
pub(crate) async fn places(address: &UpstreamAddress) -> io::Result<Vec<Place>> {
    match address {
        UpstreamAddress::Unix { directory, port } => Ok(vec![Place::Unix(directory.join(format!(".s.PGSQL.{port}")))]),
        UpstreamAddress::Tcp { host, port } => {
            let resolving = timeout(CONNECT_TIMEOUT, lookup_host((host.as_str(), *port))).await;
            let found = resolving.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))?;
            Ok(found.map(|address| Place::Tcp { host: host.clone(), address }).collect())
        }
    }
}

/// Asks for TLS. An error message in answer is no more than a refusal: nobody has vouched for its text (N5).
async fn encrypt(tls: &ServerLeg, host: &str, mut stream: Stream) -> io::Result<Stream> {
    stream.write_all(&SSL_REQUEST).await?;
    let answer = stream.read_u8().await?;
    let refused = |message: &str| Err(io::Error::new(io::ErrorKind::ConnectionRefused, message.to_owned()));
    match (answer, stream) {
        (b'N', stream) if tls.optional => Ok(stream),
        (b'N', _) => refused("the server has no TLS, which upstream.tls asks for"),
        (b'S', stream) if stream.has_unread().await => {
            refused("the server sent unencrypted data after its answer to SSLRequest")
        }
        (b'S', Stream::Tcp(socket)) => tls.connect(host, socket).await,
        _ => refused("the server answered SSLRequest with neither S nor N"),
    }
}

/// The address as the configuration writes it.
pub(crate) fn describe(address: &UpstreamAddress) -> String {
    match address {
        UpstreamAddress::Tcp { host, port } => format!("{host}:{port}"),
        UpstreamAddress::Unix { directory, port } => format!("{}/.s.PGSQL.{port}", directory.display()),
    }
}
