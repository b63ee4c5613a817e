//! The proxy as a whole: preflight, accepting clients, reloading, draining.

use std::future::Future;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::{Mutex, Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::config::Config;
use crate::net::cancel::CANCELS_MAX;
use crate::net::catalog::CatalogError;
use crate::net::client::{self, Shared};
use crate::net::connection::Drain;
use crate::net::databases::Directory;
use crate::net::listener::Listener;
use crate::net::seldom::Seldom;
use crate::net::setup::Setup;
use crate::net::workers::Workers;
use crate::rewrite::Finding;
use crate::session::figures::Figures;

/// How long transactions may go on once the proxy is asked to stop.
pub const DRAIN_GRACE: Duration = Duration::from_secs(5);
/// How long the server may then take to cancel what it runs.
const CANCEL_PATIENCE: Duration = Duration::from_secs(2);
/// How long the rest may take to be told.
const FAREWELL: Duration = Duration::from_secs(2);

/// Connections beyond `listen.max_connections` that may be open without being sessions: startups, refusals, cancels.
const UNDECIDED_MAX: usize = 1024;

/// Why the proxy cannot run.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The address cannot be listened on.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// The key that asks for it.
        key: &'static str,
        /// As configured, or the socket's path.
        address: String,
        /// Why.
        source: std::io::Error,
    },
    /// The threads that serve clients cannot be started.
    #[error("no threads to serve clients: {0}")]
    Workers(std::io::Error),
    /// Files that the configuration names cannot be used.
    #[error("the configuration names files that cannot be used")]
    Files {
        /// Which, and why.
        findings: Vec<Finding>,
    },
    /// A named database cannot be read.
    #[error("database \"{database}\" cannot be read: {source}")]
    Unreachable {
        /// Its name.
        database: String,
        /// Why, with the address.
        source: CatalogError,
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

/// A proxy that listens and has looked at its databases.
#[derive(Debug)]
pub struct Server {
    listener: Listener,
    workers: Workers,
    shared: Arc<Shared>,
    findings: Vec<Finding>,
}

/// Gives a running proxy another configuration.
#[derive(Debug, Clone)]
pub struct Reloader {
    shared: Arc<Shared>,
}

/// Looks at a running proxy.
#[derive(Debug, Clone)]
pub struct Observer {
    shared: Arc<Shared>,
}

/// What came of a reload.
#[derive(Debug)]
pub struct Reloaded {
    /// What the databases lack that does not keep the configuration from being used.
    pub warnings: Vec<Finding>,
    /// Keys that have changed and are read only when the proxy starts.
    pub needs_restart: Vec<&'static str>,
}

impl Server {
    /// Looks at every named database and starts to listen.
    ///
    /// # Errors
    /// [`ServeError`]; nothing listens then.
    pub async fn start(config: Config) -> Result<Self, ServeError> {
        let setup = Arc::new(Setup::new(config, 1).map_err(|findings| ServeError::Files { findings })?);
        let listener = Listener::bind(&setup.config.listen).await?;
        let workers = Workers::start().map_err(ServeError::Workers)?;
        let directory = Directory::new(Arc::clone(&setup));
        let findings = directory.adopt(&setup).await?;
        let shared = Shared {
            started: setup.config.clone(),
            setup: watch::Sender::new(setup),
            reloading: Mutex::default(),
            directory,
            sessions: Arc::default(),
            connections: AtomicU64::default(),
            draining: AtomicBool::new(false),
            cancels: Semaphore::new(CANCELS_MAX),
            crowded: Seldom::new(|clients| tracing::warn!(clients, "refused: listen.max_connections is reached")),
            lost: Seldom::new(|sessions| tracing::warn!(sessions, "the server has ended sessions")),
        };
        Ok(Self { listener, workers, shared: Arc::new(shared), findings })
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

    /// The Unix socket it listens on as well.
    #[must_use]
    pub fn socket(&self) -> Option<&Path> {
        self.listener.socket()
    }

    /// The way to give it another configuration while it runs.
    #[must_use]
    pub fn reloader(&self) -> Reloader {
        Reloader { shared: Arc::clone(&self.shared) }
    }

    /// The way to look at it while it runs.
    #[must_use]
    pub fn observer(&self) -> Observer {
        Observer { shared: Arc::clone(&self.shared) }
    }

    /// Serves clients until `shutdown` is done, then drains: idle sessions end at once, the others after their
    /// transaction or [`DRAIN_GRACE`], and not before what the server runs for them is cancelled.
    pub async fn run(mut self, shutdown: impl Future<Output = ()>) {
        let mut opening = JoinSet::new();
        let mut shutdown = std::pin::pin!(shutdown);
        loop {
            tokio::select! {
                (stream, peer) = self.listener.accept() => {
                    self.shared.connections.fetch_add(1, Ordering::Relaxed);
                    // Clients that have not said what they want count as well (F7): a flood of them is not answered.
                    let sessions_max = self.shared.setup.borrow().config.listen.max_connections as usize;
                    if self.workers.seats_taken() >= sessions_max + UNDECIDED_MAX {
                        tracing::warn!("too many connections that are not sessions: one is closed");
                        continue;
                    }
                    opening.spawn(client::serve(stream, peer, Arc::clone(&self.shared), self.workers.seat()));
                }
                Some(ended) = opening.join_next(), if !opening.is_empty() => {
                    if let Err(error) = ended {
                        tracing::error!(%error, "a connection's task failed");
                    }
                }
                () = &mut shutdown => break,
            }
        }
        drop(self.listener);
        self.shared.draining.store(true, Ordering::Relaxed);
        for (stage, patience) in [(Drain::Idle, DRAIN_GRACE), (Drain::Running, CANCEL_PATIENCE), (Drain::All, FAREWELL)]
        {
            self.workers.drain(stage);
            if timeout(patience, self.workers.all_gone()).await.is_ok() {
                return;
            }
            let sessions = self.shared.sessions.load(Ordering::Relaxed);
            match stage {
                Drain::No | Drain::All => {}
                Drain::Idle => tracing::warn!(
                    sessions,
                    "the grace period is over: sessions are cut, their transactions rolled back"
                ),
                Drain::Running => tracing::warn!(
                    sessions,
                    "sessions end without an answer from the server: what becomes of their statements is unknown"
                ),
            }
        }
    }
}

impl Observer {
    /// How the proxy is at this moment.
    #[must_use]
    pub fn figures(&self) -> Figures {
        Figures {
            sessions: self.shared.sessions.load(Ordering::Relaxed),
            sessions_max: self.shared.setup.borrow().config.listen.max_connections,
            connections: self.shared.connections.load(Ordering::Relaxed),
            databases: self.shared.directory.figures(),
        }
    }

    /// Whether a new client would be served.
    ///
    /// # Errors
    /// Why not, in a line.
    pub async fn ready(&self) -> Result<(), String> {
        if self.shared.draining.load(Ordering::Relaxed) {
            return Err("draining".to_owned());
        }
        let setup = Arc::clone(&self.shared.setup.borrow());
        setup.upstream.connect().await.map(drop).map_err(|error| error.to_string())
    }
}

impl Reloader {
    /// Serves by `config` from now on, all of it or, after an error, nothing of it.
    ///
    /// # Errors
    /// [`ServeError`]; what was served by before stays.
    pub async fn reload(&self, config: Config) -> Result<Reloaded, ServeError> {
        let _turn = self.shared.reloading.lock().await;
        let running = Arc::clone(&self.shared.setup.borrow());
        let setup = Setup::new(config, running.number + 1).map_err(|findings| ServeError::Files { findings })?;
        let setup = Arc::new(setup);
        let needs_restart = setup.needs_restart(&self.shared.started);
        let warnings = self.shared.directory.adopt(&setup).await?;
        self.shared.setup.send_replace(setup);
        Ok(Reloaded { warnings, needs_restart })
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
