//! What `serve` writes to stderr: the causes and nothing else, and one JSON object a line where that is asked for.

use std::time::{Duration, Instant};

use serde_json::Value;

use crate::support::cluster;
use crate::support::database::Database;
use crate::support::raw::{Raw, message};
use crate::support::sexton::{Sexton, configuration, refused_with};

const JSON: [&str; 2] = ["--log-format", "json"];

const PATIENCE: Duration = Duration::from_secs(5);

const ABSENT: &str = "[databases.\"*\".tables.absent]\ndelete = \"soft\"\n";

/// Every line as level and message.
fn records(log: &str) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    log.lines()
        .map(|line| {
            let record: Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}\n{log}"));
            let message = text(&record["fields"]["message"]);
            assert!(!message.contains('\n'), "{message}");
            assert!(text(&record["target"]).starts_with("sexton"), "{line}");
            (text(&record["level"]), message)
        })
        .collect()
}

#[test]
fn a_start_that_fails_is_told_in_json() {
    let records = records(&refused_with("listen = 1\n", &JSON));
    assert!(records.iter().all(|(level, _)| level == "ERROR"), "{records:?}");
    assert_eq!(records[0].1, "the configuration cannot be used: 4 problems");
    assert!(records[1].1.contains("sexton.toml:1: ") && records[1].1.contains("; mend: "), "{records:?}");
}

#[test]
fn warnings_and_reloads_are_told_in_json_and_what_libraries_say_is_not() {
    let Some(cluster) = cluster::shared("log::warnings_and_reloads…") else { return };
    let database = Database::create(cluster, "log");
    let absent = ABSENT.replace("\"*\"", &database.name);
    // The server then says something about every statement of Sexton's own connection.
    database.run(&format!("ALTER DATABASE {} SET client_min_messages = debug5", database.name));
    let sexton = Sexton::started(|port| configuration(port, database.port, &absent), &JSON);
    let log = sexton.reload(&configuration(sexton.port, database.port, "[databases."));
    assert!(records(&log).iter().any(|(level, message)| level == "ERROR" && message.contains("no TOML")), "{log}");
    sexton.reload(&configuration(sexton.port, database.port, &absent));
    let records = records(&sexton.log());
    let warned: Vec<_> = records.iter().filter(|(level, _)| level == "WARN").map(|(_, message)| message).collect();
    assert_eq!(warned.len(), 2, "at the start and at the reload: {records:?}");
    assert!(warned.iter().all(|warning| warning.contains("public.absent: ") && warning.contains("; mend: ")));
}

#[test]
fn a_refused_reload_names_its_causes_alone_as_errors() {
    let Some(cluster) = cluster::shared("log::a_refused_reload…") else { return };
    let database = Database::create(cluster, "log");
    database.run("CREATE TABLE users (id int PRIMARY KEY)");
    let absent = ABSENT.replace("\"*\"", &database.name);
    let sexton = Sexton::started(|port| configuration(port, database.port, &absent), &JSON);
    let unfit = format!("{absent}{}", absent.replace("absent", "users"));
    let log = sexton.reload(&configuration(sexton.port, database.port, &unfit));
    for (level, message) in records(&log).into_iter().filter(|(level, _)| level != "INFO") {
        let expected = if message.contains("public.absent") { "WARN" } else { "ERROR" };
        assert_eq!(level, expected, "{message}");
    }
    assert!(log.contains("public.absent") && log.contains("public.users"), "{log}");
}

#[test]
fn clients_that_are_too_many_and_sessions_that_the_server_ends_are_counted() {
    let Some(cluster) = cluster::shared("log::clients_that_are_too_many…") else { return };
    let database = Database::create(cluster, "log");
    let rest = "[listen]\nmax_connections = 2\n[databases.\"*\"]\n";
    let sexton = Sexton::start(database.port, rest);
    let mut leaves = sexton.connect("postgres", &database.name);
    leaves.send(&message(b'X', b"")).expect("sent");
    assert!(leaves.read_message().is_err());
    assert!(Raw::connect(sexton.port, "nosuch", &database.name).is_err());
    drop(sexton.connect("postgres", &database.name));
    let mut sessions = [(); 2].map(|()| {
        std::thread::sleep(Duration::from_millis(100));
        sexton.connect("postgres", &database.name)
    });
    for _ in 0..3 {
        assert!(Raw::connect(sexton.port, "postgres", &database.name).is_err(), "too many");
    }
    let [ended, other] = &mut sessions;
    other.expect(&format!("SELECT pg_terminate_backend({})", ended.process()));
    let deadline = Instant::now() + PATIENCE;
    while !sexton.log().contains("the server has ended sessions") && Instant::now() < deadline {
        std::thread::sleep(Duration::from_millis(50));
    }
    let log = sexton.log();
    let warned: Vec<&str> = log.lines().filter(|line| line.contains(" WARN ")).collect();
    assert!(warned.len() == 2, "{log}");
    assert!(warned[0].contains("listen.max_connections is reached clients=3"), "{log}");
    assert!(warned[1].contains("the server has ended sessions sessions=1"), "{log}");
}
