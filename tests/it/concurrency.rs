//! Two sessions at once: what one changes while the other deletes is neither lost nor archived in an old version.

use std::thread;
use std::time::Duration;

use crate::support::ground::Ground;

const CONFIG: &str = "
[databases.\"*\".tables.users]
delete = \"soft\"

[databases.\"*\".tables.seats]
delete = \"soft\"
live = \"state <> 'void'\"
mark = { state = \"'void'\" }

[databases.\"*\".tables.orders]
delete = \"archive\"
";

const SCHEMA: &str = "
    CREATE TABLE users (id int PRIMARY KEY, name text, deleted_at timestamptz);
    INSERT INTO users VALUES (1, 'ann'), (2, 'bob');
    CREATE TABLE seats (id int PRIMARY KEY, label text, state text);
    INSERT INTO seats VALUES (1, 'A1', 'free');
    CREATE TABLE orders (id int PRIMARY KEY, cents int);
    INSERT INTO orders VALUES (1, 100);
    CREATE TABLE orders_archive (LIKE orders)";

fn ground(test: &str) -> Option<Ground> {
    Ground::new(test, SCHEMA, CONFIG)
}

/// Runs `blocked` in a second session while the first holds what `first` locked, commits once the second is seen waiting,
/// and answers with the second's tag and rows.
fn race(ground: &Ground, first: &str, blocked: &'static str) -> (String, Vec<Vec<String>>) {
    let mut holder = ground.connect();
    holder.expect(&format!("BEGIN; {first}"));
    let mut waiter = ground.connect();
    let waiting = thread::spawn(move || {
        let reply = waiter.expect(blocked).remove(0);
        (reply.tag.clone().unwrap_or_default(), reply.texts())
    });
    let mut watcher = ground.database.direct();
    while watcher.expect("SELECT count(*) FROM pg_locks JOIN pg_stat_activity USING (pid) WHERE NOT granted AND datname = current_database()")[0].texts()[0][0] == "0" {
            thread::sleep(Duration::from_millis(5));
        }
    holder.expect("COMMIT");
    waiting.join().expect("the second session answers")
}

fn row(values: &[&str]) -> Vec<String> {
    values.iter().map(|value| (*value).to_owned()).collect()
}

#[test]
fn the_archived_row_is_the_version_that_was_deleted() {
    let Some(ground) = ground("concurrency::the_archived_row…") else { return };
    let (tag, rows) =
        race(&ground, "UPDATE orders SET cents = 999 WHERE id = 1", "DELETE FROM orders WHERE id = 1 RETURNING cents");
    assert_eq!((tag.as_str(), rows), ("DELETE 1", vec![row(&["999"])]));
    assert_eq!(ground.directly("SELECT cents FROM orders_archive"), [row(&["999"])]);
    assert!(ground.directly("SELECT cents FROM orders").is_empty());
}

#[test]
fn a_row_that_another_session_deleted_is_not_deleted_again() {
    let Some(ground) = ground("concurrency::a_row_that_another_session…") else { return };
    let (tag, _) = race(&ground, "DELETE FROM users WHERE id = 1", "DELETE FROM users WHERE id = 1");
    assert_eq!(tag, "DELETE 0");
    let (tag, rows) = race(&ground, "DELETE FROM users WHERE id = 2", "UPDATE users SET name = 'x' RETURNING id");
    assert_eq!((tag.as_str(), rows.len()), ("UPDATE 0", 0));
}

#[test]
fn rows_read_before_a_mark_of_their_own_are_the_latest() {
    let Some(ground) = ground("concurrency::rows_read_before…") else { return };
    let (tag, rows) =
        race(&ground, "UPDATE seats SET label = 'Z9' WHERE id = 1", "DELETE FROM seats WHERE id = 1 RETURNING *");
    assert_eq!((tag.as_str(), rows), ("DELETE 1", vec![row(&["1", "Z9", "free"])]));
    assert_eq!(ground.directly("SELECT label, state FROM seats"), [row(&["Z9", "void"])]);
}
