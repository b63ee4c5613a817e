//! Replication connections: refused, or passed on as they are (K4, P12); SQL on them is still held to the rules.

use std::path::Path;
use std::process::{Command, Output};
use std::time::{Duration, Instant};

use sexton::cli::demo::cluster::{Cluster, ClusterError, Options};

use crate::support::database::Database;
use crate::support::raw::{Raw, message, query, run_text, sync};
use crate::support::sexton::Sexton;

const CONFIG: &str = "[databases.replicated.tables.users]\ndelete = \"soft\"\n";
const ALLOWED: &str = "[listen]\nreplication = true\n[databases.replicated.tables.users]\ndelete = \"soft\"\n";

const SCHEMA: &str = "
    CREATE TABLE users (id int PRIMARY KEY, name text, deleted_at timestamptz);
    INSERT INTO users VALUES (1, 'ann', NULL), (2, 'dead bob', now())";

const PATIENCE: Duration = Duration::from_secs(30);

/// A server of its own: the shared one keeps too little of its log.
fn ground(test: &str) -> Option<(Cluster, Database)> {
    let options = Options { settings: vec!["wal_level = logical".to_owned()], ..Options::default() };
    match Cluster::start(&options) {
        Ok(cluster) => {
            let database = Database::named(&cluster, "replicated");
            database.run(SCHEMA);
            Some((cluster, database))
        }
        Err(ClusterError::NotInstalled) if std::env::var_os("CI").is_none() => {
            eprintln!("skipped: {test}: PostgreSQL is not installed");
            None
        }
        Err(error) => panic!("{error}"),
    }
}

/// Runs one of the server's own programs against a port; `None` where it is not installed.
fn run(cluster: &Cluster, port: u16, program: &str, arguments: &[&str]) -> Option<Output> {
    let path = cluster.binaries().program(program);
    if !path.is_file() {
        eprintln!("skipped: replication: {program} is not installed");
        return None;
    }
    let output = Command::new(path)
        .args(["-h", "127.0.0.1", "-U", Cluster::SUPERUSER, "-p", &port.to_string()])
        .args(arguments)
        .output();
    Some(output.expect("it runs"))
}

fn succeeded(output: &Output) {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// Where the server's log stands.
fn position(database: &Database) -> String {
    database.direct().expect("SELECT pg_current_wal_lsn()")[0].texts()[0][0].clone()
}

fn walsender(port: u16, mode: &[(&str, &str)]) -> std::io::Result<Raw> {
    Raw::connect_with(port, &[&[("user", Cluster::SUPERUSER), ("database", "replicated")], mode].concat())
}

#[test]
fn replication_is_refused_unless_it_is_allowed() {
    let Some((cluster, _)) = ground("replication::replication_is_refused…") else { return };
    let sexton = Sexton::start(cluster.port(), CONFIG);
    for mode in ["true", "1", "database"] {
        let error = walsender(sexton.port, &[("replication", mode)]).expect_err("refused");
        assert!(error.to_string().starts_with("0A000: sexton: replication"), "{error}");
    }
    assert!(walsender(sexton.port, &[("replication", "off")]).is_ok(), "that is none");
}

#[test]
fn backups_and_logs_pass() {
    let Some((cluster, database)) = ground("replication::backups_and_logs_pass") else { return };
    let sexton = Sexton::start(cluster.port(), ALLOWED);
    let directory = std::env::temp_dir().join(format!("sexton-replication-{}", std::process::id()));
    let below = |name: &str| directory.join(name).display().to_string();
    std::fs::create_dir_all(directory.join("wal")).expect("a directory");
    if let Some(output) =
        run(&cluster, sexton.port, "pg_basebackup", &["-D", &below("base"), "-X", "stream", "-c", "fast"])
    {
        succeeded(&output);
        assert!(Path::new(&below("base")).join("PG_VERSION").is_file());
    }
    let slot = ["--slot", "kept", "--create-slot"];
    if let Some(output) = run(&cluster, sexton.port, "pg_receivewal", &slot) {
        succeeded(&output);
        let until = database.direct().expect("SELECT pg_current_wal_lsn() + 100000")[0].texts()[0][0].clone();
        let mut direct = database.direct();
        // While it waits, for it starts with what comes next.
        let writing = std::thread::spawn(move || {
            for _ in 0..20 {
                std::thread::sleep(Duration::from_millis(100));
                direct.expect("CREATE TABLE more AS SELECT n FROM generate_series(1, 5000) n; DROP TABLE more");
            }
        });
        let output = run(
            &cluster,
            sexton.port,
            "pg_receivewal",
            &["-D", &below("wal"), "--endpos", &until, "--no-loop", "-s", "1"],
        );
        succeeded(&output.expect("it is installed"));
        writing.join().expect("written");
        assert!(std::fs::read_dir(directory.join("wal")).expect("readable").count() > 0);
    }
    let logical = ["-d", "replicated", "--slot", "decoded"];
    let create = [&logical[..], &["--create-slot", "-P", "pgoutput"]].concat();
    if let Some(output) = run(&cluster, sexton.port, "pg_recvlogical", &create) {
        succeeded(&output);
        database.run("CREATE PUBLICATION everything FOR ALL TABLES; INSERT INTO users VALUES (3, 'cid')");
        let until = position(&database);
        database.run("INSERT INTO users VALUES (4, 'dan')");
        let options = ["-o", "proto_version=1", "-o", "publication_names=everything"];
        let file = below("changes");
        let start =
            [&logical[..], &["--start", "--no-loop", "-s", "1", "--endpos", &until, "-f", &file], &options].concat();
        succeeded(&run(&cluster, sexton.port, "pg_recvlogical", &start).expect("it is installed"));
        let drop = [&logical[..], &["--drop-slot"]].concat();
        succeeded(&run(&cluster, sexton.port, "pg_recvlogical", &drop).expect("it is installed"));
    }
    let _ = std::fs::remove_dir_all(&directory);
}

#[test]
fn both_ways_of_a_copy_are_open_at_once() {
    let Some((cluster, database)) = ground("replication::both_ways_of_a_copy…") else { return };
    let sexton = Sexton::start(cluster.port(), ALLOWED);
    let mut connection = walsender(sexton.port, &[("replication", "true")]).expect("allowed");
    let start = connection.expect("IDENTIFY_SYSTEM")[0].texts()[0][2].clone();
    connection.send(&query(&format!("START_REPLICATION PHYSICAL {start}"))).expect("sent");
    let deadline = Instant::now() + PATIENCE;
    let mut seen = Vec::new();
    let mut written = false;
    while !seen.contains(&b'Z') && Instant::now() < deadline {
        let (kind, body) = connection.read_message().expect("it goes on");
        seen.push(kind);
        match kind {
            b'W' => {
                database.run("INSERT INTO users SELECT n, 'x' FROM generate_series(10, 2000) n");
                let status = [vec![b'r'], vec![0; 32], vec![1]].concat();
                connection.send(&message(b'd', &status)).expect("a status");
            }
            b'd' if body[0] == b'w' && !written => {
                written = true;
                connection.send(&message(b'c', b"")).expect("CopyDone");
            }
            _ => {}
        }
    }
    assert!(written && seen.contains(&b'c') && seen.last() == Some(&b'Z'), "{}", seen.escape_ascii());
    assert_eq!(connection.expect("IDENTIFY_SYSTEM").len(), 1, "the connection takes commands again");
}

#[test]
fn sql_on_a_replication_connection_is_held_to_the_rules() {
    let Some((cluster, _)) = ground("replication::sql_on_a_replication_connection…") else { return };
    let sexton = Sexton::start(cluster.port(), ALLOWED);
    for mode in [&[("replication", "database")][..], &[("replication", "database"), ("replication", "true")]] {
        let mut connection = walsender(sexton.port, mode).expect("allowed");
        assert_eq!(connection.expect("SELECT name FROM users")[0].texts(), [["ann"]]);
        assert_eq!(connection.expect("IDENTIFY_SYSTEM").len(), 1);
        assert_eq!(connection.expect("SHOW server_encoding").len(), 1);
        let slot = "CREATE_REPLICATION_SLOT users TEMPORARY LOGICAL pgoutput";
        assert_eq!(connection.expect(slot)[0].texts()[0][0], "users", "a slot is no table");
        // A walsender takes no extended messages, and says so itself.
        let batch = [run_text("SELECT name FROM users"), sync()].concat();
        connection.send(&batch).expect("sent");
        let replies = connection.replies("a batch");
        assert!(replies.iter().any(|reply| reply.error.is_some()));
    }
    let mut physical = walsender(sexton.port, &[("replication", "true")]).expect("allowed");
    assert!(physical.simple("SELECT name FROM users")[0].error.is_some(), "the server takes no SQL there");
}
