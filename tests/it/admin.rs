//! Metrics and health over HTTP, from the real binary.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};

use sexton::cli::demo::cluster::{Cluster, free_port};

use crate::support::cluster;
use crate::support::database::Database;
use crate::support::sexton::{Sexton, configuration, refused};

const TABLES: &str = "[databases.\"*\".tables.users]\ndelete = \"soft\"\n";

/// The status line's code and the body.
fn get(port: u16, path: &str) -> (u16, String) {
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).expect("it listens");
    write!(stream, "GET {path} HTTP/1.1\r\nHost: sexton\r\nConnection: close\r\n\r\n").expect("it can be asked");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    let (head, body) = answer.split_once("\r\n\r\n").expect("a head and a body");
    let status = head.split(' ').nth(1).and_then(|code| code.parse().ok()).expect("a status");
    (status, body.to_owned())
}

fn served(server_port: u16) -> (Sexton, u16) {
    let admin = free_port().expect("a free port");
    let rest = format!("[admin]\naddress = \"127.0.0.1:{admin}\"\n{TABLES}");
    (Sexton::start(server_port, &rest), admin)
}

#[test]
fn metrics_count_statements_by_path_and_outcome() {
    let Some(cluster) = cluster::shared("admin::metrics_count_statements_by_path_and_outcome") else { return };
    let database = Database::create(cluster, "admin");
    database.run("CREATE TABLE users (id int PRIMARY KEY, deleted_at timestamptz)");
    let (sexton, admin) = served(cluster.port());
    let mut session = sexton.connect(Cluster::SUPERUSER, &database.name);
    for sql in [
        "SELECT 1",
        "SELECT id FROM users WHERE id = 1",
        "SELECT id FROM users WHERE id = 2",
        "DO $$ BEGIN DELETE FROM users; END $$",
    ] {
        session.simple(sql);
    }
    let (status, text) = get(admin, "/metrics");
    assert_eq!(status, 200);
    let count = |path: &str, outcome: &str| {
        let labels =
            format!("sexton_statements_total{{database=\"{}\",path=\"{path}\",outcome=\"{outcome}\"}} ", database.name);
        let line = text.lines().find_map(|line| line.strip_prefix(labels.as_str()));
        line.unwrap_or_else(|| panic!("no {labels}in\n{text}")).parse::<u64>().expect("a number")
    };
    assert_eq!(count("negative", "unchanged"), 1);
    assert_eq!(count("parse", "rewritten"), 1);
    assert_eq!(count("shape", "rewritten"), 1);
    assert_eq!(count("parse", "refused"), 1);
    assert!(text.lines().any(|line| line == "sexton_sessions 1"), "{text}");
    assert!(text.ends_with("# EOF\n"), "{text}");
}

#[test]
fn health_tells_the_process_from_the_service() {
    let Some(cluster) = cluster::shared("admin::health_tells_the_process_from_the_service") else { return };
    let (_up, admin) = served(cluster.port());
    assert_eq!(get(admin, "/healthz"), (200, "ok\n".to_owned()));
    assert_eq!(get(admin, "/readyz"), (200, "ready\n".to_owned()));
    assert_eq!(get(admin, "/nothing").0, 404);
    let (_down, admin) = served(free_port().expect("a port where nothing listens"));
    assert_eq!(get(admin, "/healthz").0, 200);
    let (status, why) = get(admin, "/readyz");
    assert_eq!(status, 503);
    assert!(why.contains("127.0.0.1"), "{why}");
}

#[test]
fn an_address_that_is_taken_is_told() {
    let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a listener");
    let address = taken.local_addr().expect("its address");
    let rest = format!("[admin]\naddress = \"{address}\"\n{TABLES}");
    let text = refused(&configuration(0, 1, &rest));
    assert!(text.contains(&format!("cannot listen on {address}")) && text.contains("admin.address"), "{text}");
}

#[test]
fn what_cannot_be_listened_on_is_told_with_the_key_that_asks_for_it() {
    let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a listener");
    let address = taken.local_addr().expect("its address");
    let long = "/tmp/".repeat(30);
    let socket = |directory: &str| format!("[listen]\nunix_socket_dir = \"{directory}\"\n{TABLES}");
    for (text, what, mend) in [
        (configuration(address.port(), 1, TABLES), "in use", "choose another in listen.address"),
        (
            configuration(0, 1, &socket("missing")),
            "/missing/.s.PGSQL.",
            "make the directory, or name another in listen.unix",
        ),
        (configuration(0, 1, &socket(&long)), "SUN_LEN", "shorter path in listen.unix_socket_dir"),
        (
            configuration(0, 1, TABLES).replace("127.0.0.1:0", "nowhere.invalid:6432"),
            "nowhere.invalid:6432",
            "a host name that resolves to an address of this machine, or the address, in listen.address",
        ),
        (
            configuration(0, 1, TABLES).replace("127.0.0.1:0", "192.0.2.1:6432"),
            "192.0.2.1",
            "address of this machine in l",
        ),
    ] {
        let said = refused(&text);
        assert!(said.contains("cannot listen on ") && said.contains(what) && said.contains(mend), "{said}");
    }
}

#[test]
fn a_unix_socket_is_seen_from_the_configurations_directory_and_told_of() {
    let Some(cluster) = cluster::shared("admin::a_unix_socket…") else { return };
    let sexton = Sexton::start(cluster.port(), &format!("[listen]\nunix_socket_dir = \".\"\n{TABLES}"));
    sexton.connect(Cluster::SUPERUSER, "postgres").expect("SELECT 1");
    let socket = sexton.directory.join("./.s.PGSQL.").display().to_string();
    assert!(sexton.log().contains(&format!("listening socket={socket}")), "{}", sexton.log());
}
