//! The real binary, serving a configuration the test wrote.

use std::fs;
use std::net::{Ipv4Addr, TcpStream};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, Command, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use sexton::cli::demo::cluster::free_port;

use super::raw::Raw;

/// How long `serve` may take until it listens.
const START_TIMEOUT: Duration = Duration::from_secs(20);

/// Runs the command it is given and ends it when its standard input closes, so that a killed test leaves nothing.
const KEEPER: &str = r#"
exec 3<&0
"$@" </dev/null 3<&- &
served=$!
echo "$served" >"$SEXTON_PID_FILE"
{ read -r _ <&3; kill "$served" 2>/dev/null; sleep 2; kill -KILL "$served" 2>/dev/null; } &
wait "$served"
kill $! 2>/dev/null
"#;

/// A running `sexton serve`.
#[derive(Debug)]
pub struct Sexton {
    /// Where it listens, on 127.0.0.1.
    pub port: u16,
    /// Where its configuration is.
    pub directory: PathBuf,
    keeper: Child,
    lifeline: Option<ChildStdin>,
}

impl Sexton {
    /// Starts it in front of the server at `server_port`; `rest` is the configuration without `[upstream]` and the address.
    pub fn start(server_port: u16, rest: &str) -> Self {
        Self::configured(|port| configuration(port, server_port, rest))
    }

    /// Starts it with the configuration that `text` gives for a port.
    pub fn configured(text: impl FnOnce(u16) -> String) -> Self {
        Self::started(text, &[])
    }

    /// The same, with more arguments for `serve`.
    pub fn started(text: impl FnOnce(u16) -> String, arguments: &[&str]) -> Self {
        let directory = directory();
        let port = free_port().expect("a free port");
        let file = directory.join("sexton.toml");
        fs::write(&file, text(port)).expect("a configuration file");
        let log = fs::File::create(directory.join("log")).expect("a log file");
        let mut keeper = Command::new("/bin/sh")
            .args(["-c", KEEPER, "sexton-keeper", env!("CARGO_BIN_EXE_sexton"), "serve", "--config"])
            .arg(&file)
            .args(arguments)
            .env("SEXTON_PID_FILE", directory.join("pid"))
            .stdin(Stdio::piped())
            .stdout(log.try_clone().expect("a second handle"))
            .stderr(log)
            .spawn()
            .expect("the binary starts");
        let lifeline = keeper.stdin.take();
        let mut sexton = Self { port, directory, keeper, lifeline };
        let deadline = Instant::now() + START_TIMEOUT;
        while TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_err() {
            let ended = sexton.keeper.try_wait().expect("the keeper's state").is_some();
            assert!(!ended && Instant::now() < deadline, "sexton does not listen:\n{}", sexton.log());
            std::thread::sleep(Duration::from_millis(10));
        }
        sexton
    }

    /// A connection through it.
    pub fn connect(&self, user: &str, database: &str) -> Raw {
        Raw::connect(self.port, user, database)
            .unwrap_or_else(|error| panic!("connecting through sexton: {error}\n{}", self.log()))
    }

    /// Gives it another configuration and has it read; answers with what it logs about that.
    pub fn reload(&self, text: &str) -> String {
        fs::write(self.directory.join("sexton.toml"), text).expect("a configuration file");
        let before = self.log().len();
        self.signal("-HUP");
        let deadline = Instant::now() + START_TIMEOUT;
        loop {
            let log = self.log().split_off(before);
            if log.contains("are read again") || log.contains("stays in force") {
                return log;
            }
            assert!(Instant::now() < deadline, "no word about a reload:\n{log}");
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// What it holds in memory, in bytes; 0 where the system does not tell.
    pub fn memory(&self) -> usize {
        self.status("VmRSS:")
    }

    /// The most it has held in memory.
    pub fn most_memory(&self) -> usize {
        self.status("VmHWM:")
    }

    /// Asks it to stop, as an operator would.
    pub fn terminate(&self) {
        self.signal("-TERM");
    }

    /// Ends it as a crash would.
    pub fn kill(&self) {
        self.signal("-KILL");
    }

    /// Its process, as the keeper wrote it down before Sexton listened.
    fn process(&self) -> String {
        let written = fs::read_to_string(self.directory.join("pid")).expect("its process id");
        written.trim().to_owned()
    }

    /// Sends it a signal.
    fn signal(&self, name: &str) {
        let sent = Command::new("kill").args([name, &self.process()]).status().expect("kill runs");
        assert!(sent.success(), "there is a process to tell: {}", self.log());
    }

    fn status(&self, field: &str) -> usize {
        let process = self.process();
        let text = fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
        let line = text.lines().find_map(|line| line.strip_prefix(field)).unwrap_or_default();
        line.trim().trim_end_matches(" kB").parse::<usize>().unwrap_or_default() * 1024
    }

    /// What it has logged so far.
    pub fn log(&self) -> String {
        fs::read_to_string(self.directory.join("log")).unwrap_or_default()
    }
}

impl Drop for Sexton {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("sexton's log:\n{}", self.log());
        }
        drop(self.lifeline.take());
        let _ = self.keeper.wait();
        let _ = fs::remove_dir_all(&self.directory);
    }
}

/// Serves a configuration that it should not start with, and answers with what it says.
pub fn refused(text: &str) -> String {
    refused_with(text, &[])
}

/// The same, with more arguments for `serve`.
pub fn refused_with(text: &str, arguments: &[&str]) -> String {
    let directory = directory();
    let file = directory.join("sexton.toml");
    fs::write(&file, text).expect("a configuration file");
    let run = ["-s", "KILL", "30", env!("CARGO_BIN_EXE_sexton"), "serve", "--config"];
    let mut command = Command::new("timeout");
    let output = command.args(run).arg(&file).args(arguments).stdin(Stdio::null()).output().expect("the binary runs");
    let _ = fs::remove_dir_all(&directory);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2), "{said}");
    said
}

/// Runs `sexton` with these arguments and this configuration to its end.
pub fn run(server_port: u16, rest: &str, arguments: &[&str]) -> Output {
    let directory = directory();
    let file = directory.join("sexton.toml");
    fs::write(&file, configuration(0, server_port, rest)).expect("a configuration file");
    let output = Command::new(env!("CARGO_BIN_EXE_sexton"))
        .args(arguments)
        .arg("--config")
        .arg(&file)
        .stdin(Stdio::null())
        .output()
        .expect("the binary runs");
    let _ = fs::remove_dir_all(&directory);
    output
}

/// Runs `sexton apply --execute`; no error may be left to find.
pub fn apply(server_port: u16, rest: &str) {
    let applied = run(server_port, rest, &["apply", "--execute"]);
    let said = String::from_utf8_lossy(&applied.stdout);
    let is_fine = applied.status.success() || said.contains("no errors");
    assert!(is_fine, "{said}{}", String::from_utf8_lossy(&applied.stderr));
}

/// A whole configuration: `rest` with where it listens and where the server is.
pub fn configuration(port: u16, server_port: u16, rest: &str) -> String {
    let upstream = format!("[upstream]\naddress = \"127.0.0.1:{server_port}\"\nuser = \"postgres\"");
    format!("{upstream}\n\n{}", with_address(port, rest))
}

/// `rest` with the address in its section `[listen]`, which it may have or not.
fn with_address(port: u16, rest: &str) -> String {
    let address = format!("[listen]\naddress = \"127.0.0.1:{port}\"\n");
    match rest.split_once("[listen]\n") {
        Some((before, after)) => format!("{before}{address}{after}"),
        None => format!("{address}\n{rest}"),
    }
}

fn directory() -> PathBuf {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    let directory = std::env::temp_dir().join(format!("sexton-it-{}-{count}", std::process::id()));
    fs::create_dir_all(&directory).expect("a temporary directory");
    directory
}
