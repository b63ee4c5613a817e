//! Sexton in front of the demo's server: `sexton serve` with a configuration like any other, as a child of the demo.

use std::fs;
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::time::{Duration, Instant};

use super::cluster::free_port;
use crate::cli::report::Failure;

/// How long `serve` may take until it listens.
const START_TIMEOUT: Duration = Duration::from_secs(20);

/// The port tried first: PgBouncer's, which operators expect a proxy at.
const USUAL_PORT: u16 = 6432;

/// The shop's configuration, with the two ports left open.
const SHOP: &str = include_str!("shop.toml");

/// Runs the command it is given and ends it when its standard input closes, which the end of the demo does.
const KEEPER: &str = r#"
exec 3<&0
"$@" </dev/null 3<&- &
served=$!
{ read -r _ <&3; kill "$served" 2>/dev/null; sleep 2; kill -KILL "$served" 2>/dev/null; } &
wait "$served"
"#;

/// A running `sexton serve`. Dropping it ends it.
#[derive(Debug)]
pub(super) struct Front {
    port: u16,
    config: PathBuf,
    keeper: Child,
    lifeline: Option<ChildStdin>,
}

impl Front {
    /// Starts it in front of `server_port`; its files go to `directory`, which must outlive it.
    ///
    /// # Errors
    /// The port is taken, or `serve` did not come up: with what it wrote.
    pub(super) fn start(directory: &Path, server_port: u16, port: Option<u16>) -> Result<Self, Failure> {
        let port = choose_port(port)?;
        let config = directory.join("sexton.toml");
        fs::write(&config, shop(port, server_port))
            .map_err(|error| Failure::new(format!("{} cannot be written: {error}", config.display())))?;
        let started = |error: std::io::Error| Failure::new(format!("Sexton cannot be started: {error}"));
        let log = fs::File::create(directory.join("sexton.log")).map_err(started)?;
        let mut keeper = Command::new("/bin/sh")
            .args(["-c", KEEPER, "sexton-demo"])
            .arg(std::env::current_exe().map_err(started)?)
            .args(["serve", "--config"])
            .arg(&config)
            // A Ctrl-C in the terminal is for the demo; Sexton goes when the pipe does.
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(log.try_clone().map_err(started)?)
            .stderr(log)
            .spawn()
            .map_err(started)?;
        let lifeline = keeper.stdin.take();
        let mut front = Self { port, config, keeper, lifeline };
        front.wait_until_it_listens(directory)?;
        Ok(front)
    }

    /// Where it listens on 127.0.0.1.
    pub(super) fn port(&self) -> u16 {
        self.port
    }

    /// Its configuration file.
    pub(super) fn config(&self) -> &Path {
        &self.config
    }

    fn wait_until_it_listens(&mut self, directory: &Path) -> Result<(), Failure> {
        let deadline = Instant::now() + START_TIMEOUT;
        while TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).is_err() {
            if !matches!(self.keeper.try_wait(), Ok(None)) || Instant::now() > deadline {
                let log = fs::read_to_string(directory.join("sexton.log")).unwrap_or_default();
                return Err(Failure::new("Sexton did not start in front of the demo's server").detail(log.trim()));
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(())
    }
}

impl Drop for Front {
    fn drop(&mut self) {
        drop(self.lifeline.take());
        let _ = self.keeper.wait();
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
        let config = crate::config::parse(&shop(6432, 5432), &|_| None);
        assert!(config.is_ok_and(|config| config.databases.named["shop"].tables.len() == 5));
    }
}
