//! How sessions end: the client goes (X1), the proxy is asked to stop (X6).

use std::time::{Duration, Instant};

use crate::support::ground::Ground;
use crate::support::raw::{Raw, query};

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
        let deadline = Instant::now() + PATIENCE;
        while !ground.directly(&format!("SELECT pid FROM pg_stat_activity WHERE pid = {pid}")).is_empty() {
            assert!(Instant::now() < deadline, "the server process lives on: {statement}");
            std::thread::sleep(Duration::from_millis(10));
        }
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
