//! Sexton in front of the demo's server, in this process, with a configuration like any other.

use std::fs;
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};

use tokio::runtime::{Builder, Runtime};

use super::cluster::free_port;
use crate::cli::report::Failure;
use crate::config::{self, Config};
use crate::net::{Reloader, ServeError, Server};

/// The port tried first: PgBouncer's, which operators expect a proxy at.
const USUAL_PORT: u16 = 6432;

/// The shop's configuration, with the two ports left open.
const SHOP: &str = include_str!("shop.toml");

/// Its section for the table `claims`.
const CLAIMS: &str = "[databases.shop.tables.claims]\ndelete = \"soft\"\n";

/// The proxy, running. Dropping it ends it and every connection through it.
#[derive(Debug)]
pub(super) struct Front {
    port: u16,
    config: PathBuf,
    text: String,
    reloader: Reloader,
    runtime: Option<Runtime>,
}

impl Front {
    /// Starts it in front of `server_port`. Its configuration is written to `directory`, for the reader.
    ///
    /// # Errors
    /// The port is taken, or the server is not as the configuration says.
    pub(super) fn start(directory: &Path, server_port: u16, port: Option<u16>) -> Result<Self, Failure> {
        let port = choose_port(port)?;
        let text = shop(port, server_port);
        let file = directory.join("sexton.toml");
        fs::write(&file, &text)
            .map_err(|error| Failure::new(format!("{} cannot be written: {error}", file.display())))?;
        let runtime = Builder::new_multi_thread()
            .enable_all()
            .build()
            .map_err(|error| Failure::new(format!("the runtime cannot be started: {error}")))?;
        let server = runtime.block_on(Server::start(parse(&text)?)).map_err(|error| not_started(&error))?;
        let reloader = server.reloader();
        runtime.spawn(server.run(std::future::pending()));
        Ok(Self { port, config: file, text, reloader, runtime: Some(runtime) })
    }

    /// Where it listens on 127.0.0.1.
    pub(super) fn port(&self) -> u16 {
        self.port
    }

    /// Its configuration file.
    pub(super) fn config(&self) -> &Path {
        &self.config
    }

    /// Changes the section of the table `claims` and has the file read again, as SIGHUP does: what is said where the
    /// change is refused, and the configuration stays as it was.
    pub(super) fn change_claims(&self, section: &str) -> Result<(), Vec<String>> {
        let text = self.text.replace(CLAIMS, section);
        let config = parse(&text).map_err(|failure| vec![failure.to_string()])?;
        let Some(runtime) = &self.runtime else { return Ok(()) };
        match runtime.block_on(self.reloader.reload(config)) {
            Ok(_) => fs::write(&self.config, &text).map_err(|error| vec![error.to_string()]),
            Err(ServeError::Unfit { findings, .. }) => {
                Err(findings.into_iter().filter(|finding| finding.fatal).map(|finding| finding.message).collect())
            }
            Err(error) => Err(vec![error.to_string()]),
        }
    }

    /// Serves until `until` is over.
    pub(super) fn serve_until(&self, until: impl Future<Output = ()>) {
        if let Some(runtime) = &self.runtime {
            runtime.block_on(until);
        }
    }
}

impl Drop for Front {
    fn drop(&mut self) {
        // The database goes next: there is nothing to drain for.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

fn parse(text: &str) -> Result<Config, Failure> {
    config::parse(text, &|_| None).map_err(|problems| {
        let start = Failure::new("the demo's configuration cannot be used");
        problems.iter().fold(start, |failure, problem| failure.detail(problem.render("sexton.toml")))
    })
}

fn not_started(error: &ServeError) -> Failure {
    let start = Failure::new("Sexton did not start in front of the demo's server").detail(error.to_string());
    match error {
        ServeError::Listen { .. } | ServeError::Workers(_) | ServeError::Unreachable { .. } => start,
        ServeError::Files { findings } | ServeError::Unfit { findings, .. } => findings
            .iter()
            .fold(start, |failure, finding| failure.detail(format!("{}: {}", finding.key, finding.message))),
    }
}

fn shop(port: u16, server_port: u16) -> String {
    SHOP.replace("{listen_port}", &port.to_string()).replace("{server_port}", &server_port.to_string())
}

fn choose_port(wanted: Option<u16>) -> Result<u16, Failure> {
    let is_free = |port: u16| TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok();
    match wanted {
        Some(port) if port != 0 && is_free(port) => Ok(port),
        Some(port) if port != 0 => {
            Err(Failure::new(format!("port {port} on 127.0.0.1 is taken")).mend("choose another with --port"))
        }
        None if is_free(USUAL_PORT) => Ok(USUAL_PORT),
        _ => free_port().map_err(|error| Failure::new(error.to_string())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shops_configuration_is_one() {
        let config = parse(&shop(6432, 5432));
        assert!(config.is_ok_and(|config| config.databases.named["shop"].tables.len() == 5));
        assert!(SHOP.contains(CLAIMS));
    }
}
