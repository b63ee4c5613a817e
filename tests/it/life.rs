//! How sessions end: the client goes (X1), the server makes no sense (F6), the proxy is asked to stop (X6).

use std::time::{Duration, Instant};

use sexton::cli::demo::cluster::Cluster;

use crate::support::database::Database;
use crate::support::ground::Ground;
use crate::support::hollow::{HOLLOW, HOLLOW_ROLE, hollow_server, welcome, welcome_into};
use crate::support::raw::{Raw, message, query, run_text, sync};
use crate::support::sexton::Sexton;

const SCHEMA: &str = "
    CREATE TABLE users (id int PRIMARY KEY, name text, deleted_at timestamptz);
    INSERT INTO users VALUES (1, 'ann')";

const CONFIG: &str = "[databases.\"*\".tables.users]\ndelete = \"soft\"\n";

const PATIENCE: Duration = Duration::from_secs(10);

fn ground(test: &str) -> Option<Ground> {
    Ground::new(test, SCHEMA, CONFIG)
}

fn pid(connection: &mut Raw) -> String {
    connection.expect("SELECT pg_backend_pid()")[0].texts()[0][0].clone()
}

/// Waits until it is so.
fn within_patience(what: &str, is_so: impl Fn() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !is_so() {
        assert!(Instant::now() < deadline, "not after {PATIENCE:?}: {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn x1_a_client_that_goes_takes_its_server_process_with_it() {
    let Some(ground) = ground("life::x1_a_client_that_goes…") else { return };
    for statement in ["SELECT 1", "BEGIN; DELETE FROM users", "COPY users FROM STDIN", "SELECT repeat('x', 100000000)"]
    {
        let mut connection = ground.connect();
        let pid = pid(&mut connection);
        connection.send(&query(statement)).expect("sent");
        let (kind, _) = connection.read_message().expect("an answer");
        assert_ne!(kind, b'E', "{statement}");
        drop(connection);
        let process = format!("SELECT pid FROM pg_stat_activity WHERE pid = {pid}");
        within_patience(&format!("its server process ends: {statement}"), || ground.directly(&process).is_empty());
    }
    assert_eq!(
        ground.directly("SELECT count(*) FROM users WHERE deleted_at IS NULL"),
        [["1"]],
        "nothing was committed"
    );
}

#[test]
fn x6_a_proxy_that_is_to_stop_lets_transactions_finish() {
    let Some(ground) = ground("life::x6_a_proxy_that_is_to_stop…") else { return };
    let (mut idle, mut busy) = (ground.connect(), ground.connect());
    busy.expect("BEGIN; DELETE FROM users WHERE id = 1");
    ground.sexton.terminate();
    let (kind, body) = idle.read_message().expect("it is told");
    assert!(kind == b'E' && body.windows(5).any(|word| word == b"57P01"), "{}", body.escape_ascii());
    assert!(idle.read_message().is_err(), "that was the last of it");
    assert!(Raw::connect(ground.sexton.port, "postgres", &ground.database.name).is_err(), "no new session");
    assert_eq!(busy.expect("SELECT count(*) FROM users")[0].texts(), [["0"]], "the transaction goes on");
    busy.expect("COMMIT");
    assert!(busy.read_message().is_ok_and(|(kind, _)| kind == b'E'), "and then it is told too");
    assert_eq!(ground.directly("SELECT count(*) FROM users WHERE deleted_at IS NOT NULL"), [["1"]]);
}

#[test]
fn x6_what_outlasts_the_grace_period_is_rolled_back_before_it_is_said_to_be() {
    let Some(ground) = ground("life::x6_what_outlasts_the_grace_period…") else { return };
    ground.database.run("INSERT INTO users SELECT g, 'old' FROM generate_series(2, 9) g");
    let slow = |id: u32| format!("UPDATE users SET name = 'new' FROM pg_sleep(60) WHERE id = {id}");
    let batches = [2, 3].map(|id| [run_text(&slow(id)), sync()].concat()).concat();
    let copy = "COPY users (id, name) FROM STDIN";
    let openings: [(&str, Vec<u8>, &[u8]); 6] = [
        ("SELECT", query(&slow(1)), b"E"),
        ("SELECT", batches, b"EZE"),
        ("SELECT", run_text(&slow(4)), b"E"),
        ("BEGIN", query(&slow(5)), b"E"),
        ("BEGIN; UPDATE users SET name = 'new' WHERE id = 6", Vec::new(), b"E"),
        ("SELECT", [query(copy), message(b'd', b"10\tnew\n")].concat(), b"E"),
    ];
    let mut cut = Vec::new();
    for (before, sent, expected) in openings {
        let mut connection = ground.connect();
        connection.expect(before);
        connection.send(&sent).expect("sent");
        cut.push((connection, expected));
    }
    let running = "SELECT query FROM pg_stat_activity WHERE datname = current_database() AND state = 'active' \
         AND query ~ '^(UPDATE|COPY)'";
    within_patience("every statement runs", || ground.directly(running).len() == 5);
    ground.sexton.terminate();
    for (connection, expected) in &mut cut {
        let mut told = Vec::new();
        while let Ok((kind, body)) = connection.read_message() {
            if matches!(kind, b'E' | b'Z') {
                told.push((kind, String::from_utf8_lossy(&body).into_owned()));
            }
        }
        let kinds: Vec<u8> = told.iter().map(|(kind, _)| *kind).collect();
        assert_eq!(kinds, *expected, "{told:?}");
        assert!(told.last().is_some_and(|(_, body)| body.contains("57P01")), "{told:?}");
    }
    // The server tells of the error, and then rolls back.
    within_patience("nothing runs any more", || ground.directly(running).is_empty());
    assert_eq!(ground.directly("SELECT DISTINCT name FROM users WHERE id > 1"), [["old"]]);
    let log = ground.sexton.log();
    assert!(log.contains("sessions are cut") && log.contains("sessions=6"), "{log}");
}

#[test]
fn x6_what_the_server_does_not_cancel_is_not_said_to_be_rolled_back() {
    let Some(ground) = ground("life::x6_what_the_server_does_not_cancel…") else { return };
    ground.database.run(HOLLOW_ROLE);
    let sexton = Sexton::start(hollow_server(ground.database.port, welcome_into(b"T")), CONFIG);
    let mut connection = sexton.connect(HOLLOW, &ground.database.name);
    sexton.terminate();
    // It may end its transaction, and nobody answers it.
    connection.send(&query("COMMIT")).expect("sent");
    let (kind, body) = connection.read_message().expect("it is told");
    assert!(kind == b'E' && body.windows(5).any(|word| word == b"08007"), "{}", body.escape_ascii());
    assert!(sexton.log().contains("unknown"), "{}", sexton.log());
}

#[test]
fn f6_a_server_that_makes_no_sense_ends_its_own_session_alone() {
    let Some(ground) = ground("life::f6_a_server_that_makes_no_sense…") else { return };
    ground.database.run(HOLLOW_ROLE);
    let huge_row = [b"D\x7f\xff\xff\xff".as_slice(), &[0; 100_000]].concat();
    for (nonsense, ends) in [
        (b"C\0\0\0\x03".to_vec(), true),
        (b"D\xff\xff\xff\xff".to_vec(), true),
        (huge_row, false),
        (message(b'E', b"SERROR"), false),
        (message(b'E', b""), false),
        (message(b'Z', b""), false),
        (message(b'S', b"client_encoding"), false),
        (message(b'C', b"UPDATE"), false),
        (message(0, &[0; 9]), false),
        (
            [message(b'1', b""), message(b'3', b""), message(b'G', b""), message(b'I', b""), message(b's', b"")]
                .concat(),
            false,
        ),
    ] {
        let port = hollow_server(ground.database.port, [welcome(), nonsense.clone()].concat());
        let sexton = Sexton::start(port, CONFIG);
        let mut misled = sexton.connect(HOLLOW, &ground.database.name);
        if ends {
            assert!(misled.read_message().is_err(), "{}", nonsense.escape_ascii());
        } else {
            misled.send(&query("SELECT name FROM users")).expect("it is still there");
        }
        let mut other = sexton.connect("postgres", &ground.database.name);
        assert_eq!(other.expect("SELECT name FROM users")[0].texts(), [["ann"]], "{}", nonsense.escape_ascii());
    }
}

#[test]
fn a_database_that_everybody_has_left_is_nobodys() {
    let Some(ground) = ground("life::a_database_that_everybody_has_left…") else { return };
    let mut admin = ground.connect();
    let name = format!("{}_left", ground.database.name);
    let enter = |name: &str| ground.sexton.connect(Cluster::SUPERUSER, name).expect("SELECT 1");
    admin.expect(&format!("CREATE DATABASE {name}"));
    enter(&name);
    admin.expect(&format!("CREATE DATABASE {name}_copy TEMPLATE {name}"));
    enter(&name);
    admin.expect(&format!("ALTER DATABASE {name} RENAME TO {name}_renamed"));
    enter(&format!("{name}_renamed"));
    admin.expect(&format!("DROP DATABASE {name}_renamed"));
    assert!(Raw::connect(ground.sexton.port, Cluster::SUPERUSER, &name).is_err(), "it is no more");
    // Another of that name is another database.
    admin.expect(&format!("CREATE DATABASE {name}"));
    Database { name: name.clone(), port: ground.database.port }
        .run(&format!("{SCHEMA}; INSERT INTO users VALUES (2, 'dead bob', now())"));
    let mut back = ground.sexton.connect(Cluster::SUPERUSER, &name);
    assert_eq!(back.expect("SELECT name FROM users")[0].texts(), [["ann"]]);
    let busy = admin.simple(&format!("DROP DATABASE {name}")).remove(0).error.expect("a session is in it");
    assert_eq!(busy.sqlstate, "55006");
    assert!(!ground.sexton.log().contains("ERROR"), "{}", ground.sexton.log());
}

#[test]
fn a_database_that_was_only_looked_at_is_nobodys() {
    let Some(ground) = ground("life::a_database_that_was_only_looked_at…") else { return };
    let named = Ground::new("life::named", SCHEMA, CONFIG).expect("as the other");
    let _looking = Sexton::start(named.database.port, &CONFIG.replace("\"*\"", &named.database.name));
    let name = &named.database.name;
    ground.directly(&format!("ALTER DATABASE {name} RENAME TO {name}_renamed"));
}
