//! A throwaway PostgreSQL server in a temporary directory: started here, gone when its owner is gone.
//!
//! The server is the child of a small shell that holds the reading end of a pipe. When the owner drops the
//! cluster, returns, crashes or is killed, the pipe closes, and the shell stops the server and removes the
//! directory. No signal needs to be caught for that.

use std::fs;
use std::io;
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use super::binaries::Binaries;

/// How long a fresh server may take until it accepts connections.
const START_TIMEOUT: Duration = Duration::from_secs(60);

/// How long the shell may take to stop the server and remove its directory.
const STOP_TIMEOUT: Duration = Duration::from_secs(10);

/// Another program can take the free port between choosing and using it; then another one is chosen.
const START_ATTEMPTS: usize = 3;

/// Starts the server, waits for the pipe to close, stops the server, removes the directory.
///
/// `$1` is the `postgres` binary, `$2` the cluster's directory. SIGQUIT is an immediate shutdown: there is
/// nothing to save. The file `ended` tells the owner that the server is gone, so that it need not wait.
const KEEPER: &str = r#"
exec 3<&0
"$1" -D "$2/data" >>"$2/log" 2>&1 </dev/null 3<&- &
server=$!
{ read -r _ <&3; kill -QUIT "$server" 2>/dev/null; } &
reader=$!
wait "$server"
: >"$2/ended"
wait "$reader"
rm -rf "$2"
"#;

/// Why a cluster did not come up.
#[derive(Debug, thiserror::Error)]
pub enum ClusterError {
    /// No directory holds both `initdb` and `postgres`.
    #[error("PostgreSQL's server programs (initdb, postgres) are not on this machine")]
    NotInstalled,
    /// PostgreSQL refuses to run as root, and there is no other user to run it as.
    #[error("PostgreSQL does not run as root, and this machine has neither a user postgres nor nobody")]
    NoUser,
    /// `initdb` failed.
    #[error("initdb failed: {output}")]
    Init {
        /// What it wrote.
        output: String,
    },
    /// The server ended or did not become ready.
    #[error("the server did not start: {log}")]
    Start {
        /// Its log so far.
        log: String,
    },
    /// Files, processes, sockets.
    #[error("{action}: {source}")]
    Io {
        /// What was attempted.
        action: String,
        /// What the system said.
        source: io::Error,
    },
}

/// How the cluster should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// The authentication method for connections over TCP: `trust`, `password`, `md5`, `scram-sha-256`.
    pub auth: String,
    /// The password of the superuser `postgres`. The Unix socket needs none.
    pub password: Option<String>,
    /// Lines for `pg_hba.conf` that stand before all others.
    pub hba: Vec<String>,
    /// Lines for `postgresql.conf` that stand after all others.
    pub settings: Vec<String>,
    /// It starts as a standby, which follows nobody.
    pub standby: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self { auth: "trust".to_owned(), password: None, hba: Vec::new(), settings: Vec::new(), standby: false }
    }
}

/// A running server. Dropping it stops the server and removes its files.
#[derive(Debug)]
pub struct Cluster {
    directory: PathBuf,
    port: u16,
    binaries: Binaries,
    keeper: Child,
    /// Never written to: closing it is the message.
    lifeline: Option<ChildStdin>,
}

impl Cluster {
    /// The superuser every cluster has.
    pub const SUPERUSER: &'static str = "postgres";

    /// Creates and starts a server with the newest PostgreSQL of this machine.
    ///
    /// # Errors
    /// PostgreSQL is missing, or its programs failed; the error holds what they wrote.
    pub fn start(options: &Options) -> Result<Self, ClusterError> {
        Self::start_with(&Binaries::find().ok_or(ClusterError::NotInstalled)?, options)
    }

    /// Creates and starts a server with the given programs.
    ///
    /// # Errors
    /// As for [`Cluster::start`].
    pub fn start_with(binaries: &Binaries, options: &Options) -> Result<Self, ClusterError> {
        let directory = create_directory()?;
        let started = (|| {
            let account = Account::choose(&directory)?;
            init(binaries, &directory, account, options)?;
            fs::write(directory.join("data/pg_hba.conf"), hba(options)).map_err(io_error("writing pg_hba.conf"))?;
            if options.standby {
                fs::write(directory.join("data/standby.signal"), "").map_err(io_error("writing standby.signal"))?;
            }
            let mut attempt = 1;
            loop {
                match launch(binaries, &directory, account, options) {
                    Err(ClusterError::Start { log }) if attempt < START_ATTEMPTS && log.contains("in use") => {
                        attempt += 1;
                    }
                    outcome => return outcome,
                }
            }
        })();
        if started.is_err() {
            let _ = fs::remove_dir_all(&directory);
        }
        started
    }

    /// The TCP port on 127.0.0.1, also the number in the Unix socket's name.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The directory of the Unix socket.
    #[must_use]
    pub fn socket_dir(&self) -> &Path {
        &self.directory
    }

    /// The programs this cluster runs with.
    #[must_use]
    pub fn binaries(&self) -> &Binaries {
        &self.binaries
    }

    /// What the server has logged so far.
    #[must_use]
    pub fn log(&self) -> String {
        fs::read_to_string(self.directory.join("log")).unwrap_or_default()
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        drop(self.lifeline.take());
        let deadline = Instant::now() + STOP_TIMEOUT;
        while matches!(self.keeper.try_wait(), Ok(None)) && Instant::now() < deadline {
            std::thread::sleep(Duration::from_millis(5));
        }
        let _ = fs::remove_dir_all(&self.directory);
    }
}

/// The user PostgreSQL runs as; `None` inside means: as we are.
#[derive(Debug, Clone, Copy)]
struct Account(Option<(u32, u32)>);

impl Account {
    /// Anyone but root runs PostgreSQL as they are; for root it is `postgres`, or `nobody`, who then owns `directory`.
    fn choose(directory: &Path) -> Result<Self, ClusterError> {
        let owner = fs::metadata(directory).map_err(io_error("reading the temporary directory"))?.uid();
        if owner != 0 {
            return Ok(Self(None));
        }
        let users = fs::read_to_string("/etc/passwd").unwrap_or_default();
        let (user, group) = ["postgres", "nobody"]
            .iter()
            .find_map(|name| users.lines().find_map(|line| ids(line, name)))
            .ok_or(ClusterError::NoUser)?;
        std::os::unix::fs::chown(directory, Some(user), Some(group))
            .map_err(io_error("giving the temporary directory to PostgreSQL's user"))?;
        Ok(Self(Some((user, group))))
    }

    fn command(self, program: &Path, directory: &Path) -> Command {
        let mut command = Command::new(program);
        command.current_dir(directory).env("LC_ALL", "C").env("TZ", "UTC");
        for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("PG")) {
            command.env_remove(name);
        }
        if let Self(Some((user, group))) = self {
            command.uid(user).gid(group);
        }
        command
    }
}

/// User and group id of a line of `/etc/passwd` that is about `name`.
fn ids(line: &str, name: &str) -> Option<(u32, u32)> {
    let mut fields = line.split(':');
    if fields.next()? != name {
        return None;
    }
    Some((fields.nth(1)?.parse().ok()?, fields.next()?.parse().ok()?))
}

/// A directory of our own below the system's temporary one. Root takes `/tmp`, because another user has to get in.
fn create_directory() -> Result<PathBuf, ClusterError> {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let base = std::env::temp_dir();
    let open = fs::metadata(&base).is_ok_and(|found| found.permissions().mode() & 0o001 != 0);
    let base = if open || cfg!(target_os = "macos") { base } else { PathBuf::from("/tmp") };
    // A crashed run with a recycled process id may have left its directory: the clock tells them apart.
    let clock = std::time::UNIX_EPOCH.elapsed().map_or(0, |elapsed| elapsed.subsec_micros());
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    let directory = base.join(format!("sexton-{}-{count}-{clock}", std::process::id()));
    fs::DirBuilder::new()
        .mode(0o700)
        .create(&directory)
        .map_err(io_error(&format!("creating {}", directory.display())))?;
    Ok(directory)
}

fn init(binaries: &Binaries, directory: &Path, account: Account, options: &Options) -> Result<(), ClusterError> {
    let mut command = account.command(&binaries.program("initdb"), directory);
    command.arg("--pgdata").arg(directory.join("data"));
    command.args(["--username", Cluster::SUPERUSER, "--auth", "trust"]);
    command.args(["--encoding", "UTF8", "--locale", "C", "--no-sync"]);
    if let Some(password) = &options.password {
        let file = directory.join("password");
        fs::write(&file, format!("{password}\n")).map_err(io_error("writing the password file"))?;
        // Read by initdb's user, in a directory nobody else can enter.
        fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).map_err(io_error("the password file"))?;
        command.arg("--pwfile").arg(file);
    }
    // A Ctrl-C in the terminal is for us; half a cluster would be left.
    let output = command.process_group(0).stdin(Stdio::null()).output().map_err(io_error("running initdb"))?;
    if output.status.success() {
        return Ok(());
    }
    let said = [output.stdout.as_slice(), output.stderr.as_slice()].concat();
    Err(ClusterError::Init { output: String::from_utf8_lossy(&said).trim().to_owned() })
}

fn hba(options: &Options) -> String {
    let mut text = String::new();
    for line in &options.hba {
        text.push_str(line);
        text.push('\n');
    }
    let auth = &options.auth;
    text.push_str("local all all trust\nlocal replication all trust\n");
    text.push_str(&format!("host all all 127.0.0.1/32 {auth}\nhost replication all 127.0.0.1/32 {auth}\n"));
    text
}

fn settings(directory: &Path, port: u16, options: &Options) -> String {
    let socket_dir = directory.display();
    let mut text = format!(
        "listen_addresses = '127.0.0.1'\n\
         port = {port}\n\
         unix_socket_directories = '{socket_dir}'\n\
         max_connections = 200\n\
         fsync = off\n\
         full_page_writes = off\n\
         synchronous_commit = off\n\
         autovacuum = off\n\
         timezone = 'UTC'\n\
         datestyle = 'ISO, MDY'\n\
         lc_messages = 'C'\n"
    );
    for line in &options.settings {
        text.push_str(line);
        text.push('\n');
    }
    text
}

fn launch(binaries: &Binaries, directory: &Path, account: Account, options: &Options) -> Result<Cluster, ClusterError> {
    let port = free_port()?;
    fs::write(directory.join("data/postgresql.conf"), settings(directory, port, options))
        .map_err(io_error("writing postgresql.conf"))?;
    let _ = fs::remove_file(directory.join("ended"));
    let mut keeper = account
        .command(Path::new("/bin/sh"), directory)
        .args(["-c", KEEPER, "sexton-cluster"])
        .arg(binaries.program("postgres"))
        .arg(directory)
        // A Ctrl-C in the terminal is for us; the server goes when the pipe does.
        .process_group(0)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .map_err(io_error("starting the server"))?;
    let lifeline = keeper.stdin.take();
    match wait_until_ready(directory, port) {
        Ok(()) => Ok(Cluster { directory: directory.to_owned(), port, binaries: binaries.clone(), keeper, lifeline }),
        Err(error) => {
            // The shell would remove the directory that the next attempt needs.
            let _ = keeper.kill();
            let _ = keeper.wait();
            Err(error)
        }
    }
}

/// The last line of `postmaster.pid` says `ready`, or `standby` for one that is not the primary, as `pg_ctl` reads it, and the port answers.
fn wait_until_ready(directory: &Path, port: u16) -> Result<(), ClusterError> {
    let deadline = Instant::now() + START_TIMEOUT;
    loop {
        let status = fs::read_to_string(directory.join("data/postmaster.pid")).unwrap_or_default();
        if status.lines().nth(7).is_some_and(|line| matches!(line.trim(), "ready" | "standby"))
            && TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_ok()
        {
            return Ok(());
        }
        if directory.join("ended").exists() || Instant::now() > deadline {
            let log = fs::read_to_string(directory.join("log")).unwrap_or_default();
            return Err(ClusterError::Start { log: log.trim().to_owned() });
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// A TCP port on 127.0.0.1 that nothing listens on at the moment.
///
/// # Errors
/// The system has none left.
pub fn free_port() -> Result<u16, ClusterError> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).map_err(io_error("looking for a free port"))?;
    Ok(listener.local_addr().map_err(io_error("looking for a free port"))?.port())
}

fn io_error(action: &str) -> impl FnOnce(io::Error) -> ClusterError {
    let action = action.to_owned();
    move |source| ClusterError::Io { action, source }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ids_of_a_user_are_read_from_its_own_line_only() {
        assert_eq!(ids("postgres:x:101:104:PostgreSQL:/var/lib/postgresql:/bin/bash", "postgres"), Some((101, 104)));
        assert_eq!(ids("postgres2:x:101:104::/:/bin/sh", "postgres"), None);
        assert_eq!(ids("", "postgres"), None);
    }

    #[test]
    fn extra_hba_lines_come_first_and_win() {
        let options = Options { hba: vec!["host all all 127.0.0.1/32 reject".to_owned()], ..Options::default() };
        assert!(hba(&options).starts_with("host all all 127.0.0.1/32 reject\nlocal"));
    }
}
