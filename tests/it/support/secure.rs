//! A PostgreSQL with TLS and a role for every way to log in, and psql in front of it.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::Path;
use std::process::{Command, Stdio};

use sexton::cli::demo::cluster::{Cluster, ClusterError, Options};

use super::certificates::{Authority, Pair};

/// Every role's password.
pub const PASSWORD: &str = "s3cret";

const ROLES: &str = "
    CREATE ROLE scram LOGIN PASSWORD 's3cret';
    CREATE ROLE expired LOGIN PASSWORD 's3cret' VALID UNTIL '2001-01-01';
    CREATE ROLE barred NOLOGIN PASSWORD 's3cret';
    CREATE ROLE trusted LOGIN;
    CREATE ROLE clear LOGIN PASSWORD 's3cret';
    CREATE ROLE plain LOGIN PASSWORD 's3cret';
    SET password_encryption = 'md5';
    CREATE ROLE hashed LOGIN PASSWORD 's3cret'";

/// The server, its authority and its certificate.
pub struct Secure {
    /// The server. Its superuser has the password too.
    pub cluster: Cluster,
    /// Has signed the server's certificate.
    pub authority: Authority,
    /// The server's certificate.
    pub pair: Pair,
}

impl Secure {
    /// Starts one, or says that `test` is skipped.
    pub fn start(test: &str) -> Option<Self> {
        let line = |role: &str, method: &str| format!("host all {role} 127.0.0.1/32 {method}");
        let options = Options {
            auth: "scram-sha-256".to_owned(),
            password: Some(PASSWORD.to_owned()),
            hba: vec![line("trusted", "trust"), line("clear", "password"), line("hashed", "md5")],
            ..Options::default()
        };
        let cluster = match Cluster::start(&options) {
            Ok(cluster) => cluster,
            Err(ClusterError::NotInstalled) if std::env::var_os("CI").is_none() => {
                eprintln!("skipped: {test}: PostgreSQL is not installed");
                return None;
            }
            Err(error) => panic!("{error}"),
        };
        let authority = Authority::new();
        let pair = authority.sign("server", "localhost");
        let secure = Self { cluster, authority, pair };
        secure.directly(ROLES);
        secure.show(&secure.pair);
        Some(secure)
    }

    /// Has the server show another certificate from now on.
    pub fn show(&self, pair: &Pair) {
        let data = self.cluster.socket_dir().join("data");
        let owner = fs::metadata(&data).expect("the data directory");
        for (from, to) in [(&pair.cert, "server.crt"), (&pair.key, "server.key")] {
            let to = data.join(to);
            let _ = fs::remove_file(&to);
            fs::copy(from, &to).expect("it is copied");
            fs::set_permissions(&to, fs::Permissions::from_mode(0o600)).expect("the server wants it private");
            chown(&to, Some(owner.uid()), Some(owner.gid())).expect("the server's own");
        }
        self.set("ssl", "on");
    }

    /// Changes one of the server's settings.
    pub fn set(&self, name: &str, value: &str) {
        self.directly(&format!("ALTER SYSTEM SET {name} = {value}"));
        let loaded = || self.directly("SELECT pg_conf_load_time()");
        let before = loaded();
        self.directly("SELECT pg_reload_conf()");
        // The postmaster takes it up in its own time; new sessions have it from there.
        while loaded() == before {
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
    }

    /// Runs SQL over the server's unix socket, as superuser.
    pub fn directly(&self, sql: &str) -> String {
        let place = format!("host={} port={}", self.cluster.socket_dir().display(), self.cluster.port());
        self.psql(&format!("{place} user=postgres dbname=postgres"), sql).expect("the server answers")
    }

    /// Runs SQL through what `conninfo` says, with [`PASSWORD`] unless it gives another; the rows, or what psql complains about.
    pub fn psql(&self, conninfo: &str, sql: &str) -> Result<String, String> {
        let program = self.cluster.binaries().program("psql");
        psql(if program.exists() { &program } else { Path::new("psql") }, conninfo, sql)
    }
}

fn psql(program: &Path, conninfo: &str, sql: &str) -> Result<String, String> {
    let mut command = Command::new(program);
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("PG")) {
        command.env_remove(name);
    }
    let output = command
        .args(["-X", "-A", "-t", "-w", "-v", "ON_ERROR_STOP=1", "-c", sql])
        .arg(format!("{conninfo} connect_timeout=20"))
        .env("PGPASSWORD", PASSWORD)
        .env("HOME", "/nonexistent")
        .stdin(Stdio::null())
        .output()
        .expect("psql runs");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
    if output.status.success() { Ok(text(&output.stdout)) } else { Err(text(&output.stderr)) }
}
