//! One client from its first byte to its end.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

use bytes::BytesMut;
use tokio::runtime::Handle;
use tokio::sync::{Mutex, Semaphore, watch};
use tokio::time::{Instant, timeout_at};

use crate::config::Config;
use crate::net::cancel;
use crate::net::connection::{Asked, Connection};
use crate::net::databases::Directory;
use crate::net::login::{Legs, LoginFault, Unverifiable};
use crate::net::relay::Relay;
use crate::net::seldom::Seldom;
use crate::net::setup::Setup;
use crate::net::side::Side;
use crate::net::startup::{self, Opening, refuse};
use crate::net::stream::Stream;
use crate::net::workers::Seat;
use crate::session::Session;
use crate::session::plan::Plan;
use crate::wire::backend::FatalReport;
use crate::wire::scram::Verifier;
use crate::wire::sqlstate::SqlState;
use crate::wire::startup::{Replication, Startup};

/// What all clients share.
#[derive(Debug)]
pub(crate) struct Shared {
    /// What the listeners were opened by.
    pub(crate) started: Config,
    pub(crate) setup: watch::Sender<Arc<Setup>>,
    /// Held while a configuration is tried: one after the other.
    pub(crate) reloading: Mutex<()>,
    pub(crate) directory: Directory,
    pub(crate) sessions: Arc<AtomicU32>,
    /// Connections accepted so far.
    pub(crate) connections: AtomicU64,
    /// No new sessions are wanted.
    pub(crate) draining: AtomicBool,
    pub(crate) cancels: Semaphore,
    /// Clients that are refused because there are too many.
    pub(crate) crowded: Seldom,
    /// Sessions that the server ends.
    pub(crate) lost: Seldom,
}

/// One of `listen.max_connections`, given back when dropped.
#[derive(Debug)]
pub(crate) struct Place(Arc<AtomicU32>);

impl Place {
    fn take(sessions: &Arc<AtomicU32>, max: u32) -> Option<Self> {
        let more = |open: u32| (open < max).then_some(open + 1);
        sessions.fetch_update(Ordering::AcqRel, Ordering::Acquire, more).ok().map(|_| Self(Arc::clone(sessions)))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

/// Serves it from `seat`; `peer`: the other end of a TCP connection.
pub(crate) async fn serve(client: Stream, peer: Option<SocketAddr>, shared: Arc<Shared>, seat: Seat) {
    if let Some((relay, asked, deadline, place)) = open(client, peer, shared).await {
        seat.serve(|seat| Connection::new(relay, asked, deadline, place, seat));
    }
}

/// Everything up to where both sides can be relayed; `None` for a client that has got all it will get.
async fn open(
    mut client: Stream,
    peer: Option<SocketAddr>,
    shared: Arc<Shared>,
) -> Option<(Box<Relay>, Asked, Instant, Place)> {
    let setup = Arc::clone(&shared.setup.borrow());
    let listen = &setup.config.listen;
    let deadline = Instant::now() + Duration::from_millis(listen.startup_timeout_ms);
    let opening = async {
        let origin = match peer {
            Some(peer) => Some(startup::origin(&mut client, peer, &listen.trusted_proxies).await?),
            None => None,
        };
        Some((startup::read(client, setup.client_tls.as_ref()).await, origin))
    };
    let (mut client, packet, startup, origin) = match timeout_at(deadline, opening).await {
        Err(_) | Ok(None | Some((Opening::Nothing, _))) => return None,
        Ok(Some((Opening::Cancel { client, packet }, _))) => {
            cancel::relay(&packet, client, &setup.upstream, &shared.cancels).await;
            return None;
        }
        Ok(Some((Opening::Session { client, packet, startup }, origin))) => (client, packet, startup, origin),
    };
    let database = admit(&mut client, &setup, &startup).await?;
    let Some(place) = Place::take(&shared.sessions, listen.max_connections) else {
        let message = "sexton: sorry, too many clients already";
        let hint = "Raise listen.max_connections, or use fewer connections.";
        let report = FatalReport::new(SqlState::TOO_MANY_CONNECTIONS, message).hint(hint);
        shared.crowded.happens(&Handle::current());
        refuse(&mut client, report, Some(&startup)).await;
        return None;
    };
    let user = String::from_utf8_lossy(startup.user()).into_owned();
    let asked = Asked { shared, upstream: Arc::clone(&setup.upstream), database, user };
    let relay = connect(client, &packet, &startup, &setup, &asked, deadline).await?;
    tracing::debug!(client = ?origin, asked.user, asked.database, tls = ?relay.is_encrypted(), "login");
    Some((Box::new(relay), asked, deadline, place))
}

/// Connects to the server and begins the login there, up to where both sides can be relayed.
async fn connect(
    mut client: Stream,
    packet: &[u8],
    startup: &Startup,
    setup: &Setup,
    asked: &Asked,
    deadline: Instant,
) -> Option<Relay> {
    let server = match setup.upstream.connect().await {
        Ok(server) => server,
        Err(error) => {
            tracing::error!(%error, "upstream unreachable: start PostgreSQL, or correct upstream.address");
            let message = "sexton: the PostgreSQL server cannot be reached";
            let report = FatalReport::new(SqlState::CLIENT_UNABLE_TO_CONNECT, message).hint("Look into Sexton's log.");
            refuse(&mut client, report, Some(startup)).await;
            return None;
        }
    };
    let session = Session::new(startup, Plan::new);
    if !server.is_tls() {
        let read = (BytesMut::new(), BytesMut::new());
        return relay((client, server), read, session, BytesMut::from(packet));
    }
    let mut legs = Legs { client, server, from_client: BytesMut::new(), from_server: BytesMut::new() };
    let login = legs.begin(packet, setup.client_tls.as_ref(), verifier(asked));
    let words = match timeout_at(deadline, login).await {
        Ok(Ok(())) => {
            let read = (legs.from_client, legs.from_server);
            return relay((legs.client, legs.server), read, session, BytesMut::new());
        }
        // Whoever is asked for a password and has none leaves, and comes back with one.
        Ok(Err(LoginFault::Client(error))) => {
            tracing::debug!(%error, "a client left during its login");
            return None;
        }
        Ok(Err(fault)) => {
            tracing::warn!(user = asked.user, database = asked.database, error = %fault, "a login failed");
            fault.words()?
        }
        Err(_) => (SqlState::PROTOCOL_VIOLATION, "sexton: startup took too long".to_owned(), None),
    };
    let (code, message, hint) = &words;
    refuse(&mut legs.client, FatalReport { hint: *hint, ..FatalReport::new(*code, message) }, None).await;
    None
}

/// The relay between client and server, of which something has been `read` already.
fn relay(
    streams: (Stream, Stream),
    read: (BytesMut, BytesMut),
    session: Session,
    to_upstream: BytesMut,
) -> Option<Relay> {
    match (Side::new(streams.0), Side::new(streams.1)) {
        (Ok(client), Ok(server)) => Some(Relay::new((client, read.0), (server, read.1), session, to_upstream)),
        (Err(error), _) | (_, Err(error)) => {
            tracing::error!(%error, "a connection cannot be relayed");
            None
        }
    }
}

async fn verifier(asked: &Asked) -> Result<Option<Verifier>, Unverifiable> {
    match asked.shared.directory.open(&asked.database).await {
        Some(served) => served?.verifier(asked.user.to_owned()).await,
        None => Ok(None),
    }
}

/// Refuses what Sexton does not serve; the database's name otherwise.
async fn admit(client: &mut Stream, setup: &Setup, startup: &Startup) -> Option<String> {
    let replication = startup.replication();
    if replication.is_some() && !setup.config.listen.replication {
        let message = "sexton: replication connections are not served";
        let hint = "Connect to the PostgreSQL server itself, or set listen.replication = true.";
        let report = FatalReport::new(SqlState::FEATURE_NOT_SUPPORTED, message).hint(hint);
        refuse(client, report, Some(startup)).await;
        return None;
    }
    let name = String::from_utf8_lossy(startup.database()).into_owned();
    // Physical replication is of no database, whatever it names.
    if replication != Some(Replication::Physical) && setup.config.databases.find(&name).is_none() {
        let message = format!("sexton: database \"{name}\" is not configured");
        let hint = "Add a section [databases.NAME], or [databases.\"*\"] for all others.";
        let report = FatalReport::new(SqlState::INVALID_CATALOG_NAME, &message).hint(hint);
        refuse(client, report, Some(startup)).await;
        return None;
    }
    Some(name)
}
