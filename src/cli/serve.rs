//! `sexton serve`: the proxy, until it is told to stop.

use std::io::{ErrorKind, IsTerminal};
use std::path::Path;
use std::process::ExitCode;

use clap::{Args, ValueEnum};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tracing::subscriber::set_global_default;
use tracing_subscriber::EnvFilter;

use crate::admin::{self, Probe};
use crate::cli::load::{self, Loaded};
use crate::cli::report::{self, Failure};
use crate::cli::{COULD_NOT_RUN, Common, FINE, Format};
use crate::config::{Admin, Config, Problem};
use crate::net::{Observer, Reloaded, Reloader, ServeError, Server};
use crate::rewrite::Finding;
use crate::session::figures::Figures;

/// What `serve` takes.
#[derive(Debug, Args)]
pub struct Arguments {
    /// How log lines are written
    #[arg(long, value_enum, default_value_t)]
    pub log_format: LogFormat,
    /// What all others take as well
    #[command(flatten)]
    pub common: Common,
}

/// For people or for programs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// Lines to read
    #[default]
    Text,
    /// One JSON object a line
    Json,
}

/// Runs the proxy until SIGTERM or SIGINT; SIGHUP has the configuration read again.
///
/// # Errors
/// What keeps it from starting: configuration, address or databases.
pub fn run(arguments: &Arguments) -> Result<ExitCode, Failure> {
    log(arguments.log_format);
    let Arguments { log_format, common } = arguments;
    match start(common) {
        Err(failure) if *log_format == LogFormat::Json && common.format == Format::Text => {
            failure.lines().for_each(|line| tracing::error!("{line}"));
            Ok(ExitCode::from(COULD_NOT_RUN))
        }
        outcome => outcome.map(|()| ExitCode::from(FINE)),
    }
}

fn start(common: &Common) -> Result<(), Failure> {
    let Loaded { path, config } = load::load(common)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::new(format!("the runtime cannot be started: {error}")))?;
    runtime.block_on(serve(&path, config))
}

async fn serve(path: &Path, config: Config) -> Result<(), Failure> {
    let no_signals = |error| Failure::new(format!("signals cannot be received: {error}"));
    let mut terminate = signal(SignalKind::terminate()).map_err(no_signals)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(no_signals)?;
    let mut hangup = signal(SignalKind::hangup()).map_err(no_signals)?;
    raise_open_files();
    let admin = match &config.admin {
        Some(settings) => Some(listen_for_admin(settings).await?),
        None => None,
    };
    let server = Server::start(config).await.map_err(|error| refused(path, &error))?;
    warn(path, server.warnings());
    match server.address() {
        Ok(address) => tracing::info!(%address, "listening"),
        Err(error) => tracing::warn!(%error, "listening at an address the system does not tell"),
    }
    if let Some(socket) = server.socket() {
        tracing::info!(socket = %socket.display(), "listening");
    }
    if let Some(listener) = admin {
        let observer = ProxyProbe(server.observer());
        tokio::spawn(async move {
            if let Err(error) = admin::serve(listener, observer).await {
                tracing::error!(%error, "metrics and health are not served any more");
            }
        });
    }
    let reloader = server.reloader();
    server
        .run(async {
            loop {
                tokio::select! {
                    _ = terminate.recv() => return tracing::info!("SIGTERM: draining"),
                    _ = interrupt.recv() => return tracing::info!("SIGINT: draining"),
                    // While it is read again the proxy serves on, but another signal waits.
                    _ = hangup.recv() => reload(&reloader, path).await,
                }
            }
        })
        .await;
    tracing::info!("stopped");
    Ok(())
}

/// The proxy as `/metrics` and `/readyz` see it.
struct ProxyProbe(Observer);

impl Probe for ProxyProbe {
    fn figures(&self) -> Figures {
        self.0.figures()
    }

    async fn ready(&self) -> Result<(), String> {
        self.0.ready().await
    }
}

async fn listen_for_admin(settings: &Admin) -> Result<TcpListener, Failure> {
    let listener = TcpListener::bind(&settings.address).await.map_err(|error| {
        Failure::new(format!("cannot listen on {}: {error}", settings.address))
            .mend(mend_address("admin.address", error.kind()))
    })?;
    if let Ok(address) = listener.local_addr() {
        tracing::info!(%address, "metrics and health");
    }
    Ok(listener)
}

/// Reads the file again and serves by it, or says why not and goes on as before.
async fn reload(reloader: &Reloader, path: &Path) {
    let outcome = match load::reload(path) {
        Ok(config) => reloader.reload(config).await.map_err(|error| refused(path, &error)),
        Err(failure) => Err(failure),
    };
    match outcome {
        Ok(Reloaded { warnings, needs_restart }) => {
            warn(path, &warnings);
            for key in needs_restart {
                tracing::warn!("{key} has changed, which takes a restart; the rest is in force");
            }
            tracing::info!(
                "SIGHUP: the configuration and its certificates are read again; sessions that are open keep their connections"
            );
        }
        Err(failure) => {
            failure.lines().for_each(|line| tracing::error!("SIGHUP: {line}"));
            tracing::error!("SIGHUP: the old configuration stays in force");
        }
    }
}

/// Two sockets a session: as many as the system lets us have (F8).
fn raise_open_files() {
    match rlimit::increase_nofile_limit(rlimit::INFINITY) {
        Ok(files) => tracing::debug!(files, "files that may be open"),
        Err(error) => tracing::warn!(%error, "the limit of open files stays as it is"),
    }
}

/// Log lines go to stderr; `RUST_LOG` chooses them. What the libraries say by the crate `log` is not taken: they name
/// files of the machine they were built on, and pass on notices that nobody has asked for.
fn log(format: LogFormat) {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal());
    let set = match format {
        LogFormat::Text => set_global_default(builder.finish()),
        LogFormat::Json => {
            // Its own words would be no JSON.
            std::panic::set_hook(Box::new(|panic| tracing::error!("{}", report::one_line(&panic.to_string()))));
            set_global_default(builder.json().finish())
        }
    };
    if let Err(error) = set {
        report::err(&format!("warning: logging is set up already: {error}"));
    }
}

/// Why a configuration is not served; what would not have kept it from being served is a warning as ever.
fn refused(path: &Path, error: &ServeError) -> Failure {
    let failure = Failure::new(error.to_string());
    match error {
        ServeError::Listen { key, source, .. } => failure.mend(mend_address(key, source.kind())),
        ServeError::Workers(_) => failure.mend("raise the limits on threads and open files"),
        ServeError::Unreachable { database: _, source } => failure.mend(source.mend()),
        ServeError::Files { findings } | ServeError::Unfit { findings, .. } => {
            let (causes, others): (Vec<&Finding>, Vec<&Finding>) = findings.iter().partition(|finding| finding.fatal);
            warn(path, others);
            causes.into_iter().fold(failure, |failure, finding| failure.detail(render(path, finding)))
        }
    }
}

/// What to do where the address or the socket that `key` asks for cannot be listened on.
fn mend_address(key: &str, why: ErrorKind) -> String {
    let is_socket = key == "listen.unix_socket_dir";
    match why {
        ErrorKind::AddrInUse => format!("free the address, or choose another in {key}"),
        ErrorKind::AddrNotAvailable => format!("write an address of this machine in {key}"),
        ErrorKind::PermissionDenied if is_socket => format!("let this user write there, or name another in {key}"),
        ErrorKind::PermissionDenied => format!("choose a port above 1023 in {key}, or let this user have that one"),
        ErrorKind::InvalidInput if is_socket => format!("name a directory with a shorter path in {key}"),
        _ if is_socket => format!("make the directory, or name another in {key}"),
        _ => format!("write a host name that resolves to an address of this machine, or the address, in {key}"),
    }
}

fn warn<'f>(path: &Path, findings: impl IntoIterator<Item = &'f Finding>) {
    for finding in findings {
        tracing::warn!("{}", report::one_line(&render(path, finding)));
    }
}

fn render(path: &Path, finding: &Finding) -> String {
    let problem = Problem {
        line: finding.line,
        column: None,
        key: Some(finding.key.clone()),
        message: finding.message.clone(),
        mend: finding.mend.clone(),
    };
    problem.render(&path.display().to_string())
}
