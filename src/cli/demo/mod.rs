//! `sexton demo`: a database, sample data, the proxy and a guided tour, with nothing else installed.
//!
//! `binaries` finds PostgreSQL, `install` gets it where it is missing, `cluster` runs a throwaway server, `front`
//! puts Sexton before it, and `tour` walks through the ticket shop with `client` and checks every answer.

pub mod binaries;
mod client;
pub mod cluster;
mod front;
mod install;
mod tour;

use std::process::ExitCode;

use clap::Args;
use tokio::sync::watch;

use crate::cli::report::Failure;
use crate::cli::target::runtime;
use crate::cli::{COULD_NOT_RUN, FINE, REFUSED, report};

use binaries::Binaries;
use client::Client;
use cluster::{Cluster, ClusterError, Options};
use front::Front;
use tour::{Tour, TourError, print};

/// The database of the shop.
const DATABASE: &str = "shop";

/// The shop's tables, rows and roles.
const SHOP: &str = include_str!("shop.sql");

const STOPPING: &str = "\nStopping; nothing is left behind.\n";

/// What `demo` takes.
#[derive(Debug, Args)]
pub struct Arguments {
    /// End after the tour instead of waiting for Ctrl-C
    #[arg(long)]
    pub once: bool,
    /// Install PostgreSQL without asking where it is missing
    #[arg(long)]
    pub yes: bool,
    /// The port Sexton listens on [default: 6432, or a free one where that is taken]
    #[arg(long, value_name = "PORT")]
    pub port: Option<u16>,
}

/// Runs the command: 0 after a tour in which everything was as it should be, 1 when something was not.
///
/// # Errors
/// PostgreSQL is missing, or a server did not start.
pub fn run(arguments: &Arguments) -> Result<ExitCode, Failure> {
    let binaries = binaries(arguments.yes)?;
    let end = End::watch()?;
    print("Starting a throwaway PostgreSQL and the ticket shop.\n");
    let cluster = Cluster::start_with(&binaries, &Options::default()).map_err(not_started)?;
    if end.is_asked() {
        print(STOPPING);
        return Ok(ExitCode::from(FINE));
    }
    open_shop(cluster.port()).map_err(|error| Failure::new(format!("the shop cannot be set up: {error}")))?;
    let front = Front::start(cluster.socket_dir(), cluster.port(), arguments.port)?;
    print(&format!("Sexton stands in front of it, configured by {}.\n", front.config().display()));
    match Tour::connect(front.port(), cluster.port()).and_then(|mut tour| tour.walk(&front)) {
        Ok(()) => print("\nEverything was as it should be.\n"),
        Err(error @ TourError::Wrong { .. }) => {
            report::err(&format!("\n{error}"));
            return Ok(ExitCode::from(REFUSED));
        }
        Err(error @ TourError::Connection(_)) => {
            return Err(Failure::new(format!("the tour lost its connection: {error}")));
        }
    }
    if !arguments.once {
        print(&invitation(front.port(), cluster.port()));
        front.serve_until(end.come());
        print(STOPPING);
    }
    Ok(ExitCode::from(FINE))
}

fn binaries(yes: bool) -> Result<Binaries, Failure> {
    if let Some(binaries) = Binaries::find() {
        return Ok(binaries);
    }
    install::install(yes)?;
    Binaries::find().ok_or_else(|| not_started(ClusterError::NotInstalled))
}

fn not_started(error: ClusterError) -> Failure {
    let failure = Failure::new("the demo's PostgreSQL did not start").detail(error.to_string());
    match error {
        ClusterError::NotInstalled => failure.mend("put the directory of initdb and postgres on PATH"),
        ClusterError::NoUser => failure.mend("run the demo as an ordinary user"),
        ClusterError::Init { .. } | ClusterError::Start { .. } | ClusterError::Io { .. } => failure,
    }
}

fn open_shop(port: u16) -> std::io::Result<()> {
    let run = |database: &str, sql: &str| match Client::connect(port, Cluster::SUPERUSER, database)?.query(sql)?.error {
        Some((sqlstate, message)) => Err(std::io::Error::other(format!("{sqlstate}: {message}"))),
        None => Ok(()),
    };
    run("postgres", &format!("CREATE DATABASE {DATABASE}"))?;
    run(DATABASE, SHOP)
}

fn invitation(sexton: u16, server: u16) -> String {
    let superuser = Cluster::SUPERUSER;
    format!(
        "\nTry it yourself:\n\n   \
         psql -h 127.0.0.1 -p {sexton:<5} -U app {DATABASE}         through Sexton\n   \
         psql -h 127.0.0.1 -p {sexton:<5} -U support {DATABASE}     through Sexton, may SET sexton.scope\n   \
         psql -h 127.0.0.1 -p {server:<5} -U {superuser} {DATABASE}    directly\n\n\
         Ctrl-C stops everything.\n"
    )
}

/// Tells when somebody asks for the end. Whoever asks twice does not want to wait.
struct End(watch::Receiver<bool>);

impl End {
    fn watch() -> Result<Self, Failure> {
        let runtime = runtime()?;
        let (tell, told) = watch::channel(false);
        std::thread::spawn(move || {
            runtime.block_on(async {
                asked_to_end().await;
                tell.send_replace(true);
                asked_to_end().await;
            });
            std::process::exit(i32::from(COULD_NOT_RUN));
        });
        Ok(Self(told))
    }

    fn is_asked(&self) -> bool {
        *self.0.borrow()
    }

    async fn come(mut self) {
        // The thread that tells ends with the process.
        let _ = self.0.wait_for(|asked| *asked).await;
    }
}

/// Ctrl-C, or SIGTERM.
async fn asked_to_end() {
    use tokio::signal::unix::{SignalKind, signal};
    match signal(SignalKind::terminate()) {
        Ok(mut terminate) => {
            tokio::select! {
                _ = tokio::signal::ctrl_c() => {}
                _ = terminate.recv() => {}
            }
        }
        Err(_) => {
            let _ = tokio::signal::ctrl_c().await;
        }
    }
}
