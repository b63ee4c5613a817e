//! The proxy as a whole: preflight, accepting clients, draining.

use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::BytesMut;
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::config::Config;
use crate::net::connection::{self, Asked, Drain};
use crate::net::databases::Directory;
use crate::net::listener::Listener;
use crate::net::relay::Relay;
use crate::net::startup::{self, Opening, fatal};
use crate::net::stream::Stream;
use crate::net::{cancel, upstream};
use crate::rewrite::Finding;
use crate::session::Session;
use crate::session::plan::Plan;
use crate::wire::sqlstate::SqlState;
use crate::wire::startup::{Replication, Startup};

/// How long transactions may go on once the proxy is asked to stop.
pub const DRAIN_GRACE: Duration = Duration::from_secs(5);
/// How long the rest may take to be told.
const FAREWELL: Duration = Duration::from_secs(2);
/// Cancel requests under way at once (C4).
const CANCELS_MAX: usize = 64;

/// Connections beyond `listen.max_connections` that may be open without being sessions: startups, refusals, cancels.
const UNDECIDED_MAX: usize = 1024;

/// Why the proxy cannot run.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The address cannot be listened on.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// As configured.
        address: String,
        /// Why.
        source: std::io::Error,
    },
    /// A named database cannot be read.
    #[error("database \"{database}\" cannot be read: {message}")]
    Unreachable {
        /// Its name.
        database: String,
        /// Why, with the address.
        message: String,
    },
    /// The configuration does not fit a database.
    #[error("the configuration does not fit database \"{database}\"")]
    Unfit {
        /// Its name.
        database: String,
        /// What does not fit, warnings included.
        findings: Vec<Finding>,
    },
}

#[derive(Debug)]
struct Shared {
    config: Arc<Config>,
    directory: Directory,
    places: Arc<Semaphore>,
    cancels: Arc<Semaphore>,
}

/// A proxy that listens and has looked at its databases.
#[derive(Debug)]
pub struct Server {
    listener: Listener,
    shared: Arc<Shared>,
    findings: Vec<Finding>,
}

impl Server {
    /// Looks at every named database and starts to listen.
    ///
    /// # Errors
    /// [`ServeError`]; nothing listens then.
    pub async fn start(config: Config) -> Result<Self, ServeError> {
        let config = Arc::new(config);
        let bound = Listener::bind(&config.listen).await;
        let listener = bound.map_err(|(address, source)| ServeError::Listen { address, source })?;
        let directory = Directory::new(Arc::clone(&config));
        let mut all = Vec::new();
        for name in config.databases.named.keys() {
            match directory.open(name).await {
                Some(Ok(served)) => {
                    let findings = served.findings.clone();
                    if findings.iter().any(|finding| finding.fatal) {
                        return Err(ServeError::Unfit { database: name.clone(), findings });
                    }
                    all.extend(findings);
                }
                Some(Err(error)) => {
                    return Err(ServeError::Unreachable { database: name.clone(), message: error.message });
                }
                None => {}
            }
        }
        let places = Semaphore::new(config.listen.max_connections as usize);
        let cancels = Arc::new(Semaphore::new(CANCELS_MAX));
        let shared = Shared { config, directory, places: Arc::new(places), cancels };
        Ok(Self { listener, shared: Arc::new(shared), findings: all })
    }

    /// What the databases lack that does not keep the proxy from running.
    #[must_use]
    pub fn warnings(&self) -> &[Finding] {
        &self.findings
    }

    /// Where it listens.
    ///
    /// # Errors
    /// The system's.
    pub fn address(&self) -> std::io::Result<SocketAddr> {
        self.listener.address()
    }

    /// Serves clients until `shutdown` is done, then drains: idle sessions end at once, the others after their
    /// transaction or [`DRAIN_GRACE`].
    pub async fn run(self, shutdown: impl Future<Output = ()>) {
        let (drain, draining) = watch::channel(Drain::No);
        let mut clients = JoinSet::new();
        let mut shutdown = std::pin::pin!(shutdown);
        loop {
            tokio::select! {
                client = self.listener.accept() => {
                    // Clients that have not said what they want count as well (F7): a flood of them is not answered.
                    if clients.len() >= self.shared.config.listen.max_connections as usize + UNDECIDED_MAX {
                        tracing::warn!("too many connections that are not sessions: one is closed");
                        continue;
                    }
                    clients.spawn(serve_client(client, Arc::clone(&self.shared), draining.clone()));
                }
                Some(ended) = clients.join_next(), if !clients.is_empty() => {
                    if let Err(error) = ended {
                        tracing::error!(%error, "a connection's task failed");
                    }
                }
                () = &mut shutdown => break,
            }
        }
        drop(self.listener);
        for (stage, patience) in [(Drain::Idle, DRAIN_GRACE), (Drain::All, FAREWELL)] {
            drain.send_replace(stage);
            let all_gone = async { while clients.join_next().await.is_some() {} };
            if timeout(patience, all_gone).await.is_ok() {
                return;
            }
        }
    }
}

/// Starts a proxy and runs it.
///
/// # Errors
/// [`ServeError`] where it cannot start.
pub async fn serve(config: Config, shutdown: impl Future<Output = ()>) -> Result<(), ServeError> {
    Server::start(config).await?.run(shutdown).await;
    Ok(())
}

async fn serve_client(mut client: Stream, shared: Arc<Shared>, draining: watch::Receiver<Drain>) {
    let limit = Duration::from_millis(shared.config.listen.startup_timeout_ms);
    let started = tokio::time::Instant::now();
    let opening = timeout(limit, startup::read(&mut client)).await.unwrap_or(Opening::Nothing);
    match opening {
        Opening::Nothing => {}
        Opening::Cancel(packet) => {
            if let Ok(_place) = Arc::clone(&shared.cancels).acquire_owned().await {
                cancel::relay(&packet, client, &shared.config.upstream).await;
            }
        }
        Opening::Session { packet, startup, rest } => {
            let Some(name) = admit(&mut client, &shared, &startup).await else { return };
            let Ok(_place) = Arc::clone(&shared.places).try_acquire_owned() else {
                let hint = Some("Raise listen.max_connections, or use fewer connections.");
                fatal(&mut client, SqlState::TOO_MANY_CONNECTIONS, "sexton: sorry, too many clients already", hint)
                    .await;
                return;
            };
            let server = match upstream::connect(&shared.config.upstream).await {
                Ok(server) => server,
                Err(error) => {
                    tracing::error!(%error, "upstream unreachable");
                    let message = "sexton: the PostgreSQL server cannot be reached";
                    fatal(&mut client, SqlState::CLIENT_UNABLE_TO_CONNECT, message, Some("Look into Sexton's log."))
                        .await;
                    return;
                }
            };
            let session = Session::new(&startup, Plan::new);
            let relay = Relay::new(client, server, session, rest, BytesMut::from(&packet[..]));
            let user = String::from_utf8_lossy(startup.user()).into_owned();
            let asked = Asked { directory: &shared.directory, database: &name, user: &user };
            connection::run(relay, &asked, draining, started + limit).await;
        }
    }
}

/// Refuses what Sexton does not serve; the database's name otherwise.
async fn admit(client: &mut Stream, shared: &Shared, startup: &Startup) -> Option<String> {
    let replication = startup.replication();
    if replication.is_some() && !shared.config.listen.replication {
        let message = "sexton: replication connections are not served";
        let hint = "Connect to the PostgreSQL server itself, or set listen.replication = true.";
        fatal(client, SqlState::FEATURE_NOT_SUPPORTED, message, Some(hint)).await;
        return None;
    }
    let name = String::from_utf8_lossy(startup.database()).into_owned();
    // Physical replication is of no database, whatever it names.
    if replication != Some(Replication::Physical) && shared.config.databases.find(&name).is_none() {
        let message = format!("sexton: database \"{name}\" is not configured");
        let hint = "Add a section [databases.NAME], or [databases.\"*\"] for all others.";
        fatal(client, SqlState::INVALID_CATALOG_NAME, &message, Some(hint)).await;
        return None;
    }
    Some(name)
}
