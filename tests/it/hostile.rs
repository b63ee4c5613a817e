//! Message sequences that once showed a deleted row: what no single statement can say.

use std::time::Duration;

use crate::support::ground::{Ground, answered};
use crate::support::raw::{Raw, bind, bind_portal, execute, execute_portal, message, parse, query, run_text, sync};

const CONFIG: &str = "
[databases.\"*\".tables.users]
delete = \"soft\"
";

const SCHEMA: &str = "
    CREATE TABLE users (id int PRIMARY KEY, name text, deleted_at timestamptz);
    INSERT INTO users VALUES (1, 'ann', NULL), (2, 'dead bob', now());
    CREATE SCHEMA other;
    CREATE TABLE other.users (id int, name text, deleted_at timestamptz);
    INSERT INTO other.users VALUES (7, 'dead eve', now())";

fn ground(test: &str) -> Option<Ground> {
    Ground::new(test, SCHEMA, CONFIG)
}

const READ: &str = "SELECT name FROM users";

fn elsewhere(ground: &Ground) -> Raw {
    let mut connection = ground.connect();
    connection.expect("SET search_path = other");
    connection
}

fn names(connection: &mut Raw) -> String {
    let replies = connection.simple("SELECT name FROM users ORDER BY id");
    match &replies[0].error {
        Some(error) => error.sqlstate.clone(),
        None => format!("{:?}", replies[0].texts()),
    }
}

#[test]
fn a_function_called_by_oid_runs_no_sql() {
    let Some(ground) = ground("hostile::a_function_called_by_oid…") else { return };
    let mut connection = ground.connect();
    // query_to_xml(text, boolean, boolean, text)
    let mut body = 2924u32.to_be_bytes().to_vec();
    body.extend([0, 0, 0, 4]);
    for argument in ["select name from users", "t", "t", ""] {
        body.extend((argument.len() as u32).to_be_bytes());
        body.extend(argument.as_bytes());
    }
    body.extend([0, 0]);
    let answer = answered(&mut connection, &[message(b'F', &body)]);
    assert!(answer.contains("limited to large objects") && !answer.contains("dead"), "{answer}");
    assert_eq!(names(&mut connection), "[[\"ann\"]]", "the session goes on");
}

#[test]
fn a_suspended_portal_has_changed_the_search_path_all_the_same() {
    let Some(ground) = ground("hostile::a_suspended_portal…") else { return };
    let mut connection = ground.connect();
    connection.expect("SET search_path = other");
    let set = parse("", "SELECT set_config('search_path', 'public', false)");
    answered(&mut connection, &[set, bind("", &[], false), execute(1), sync()]);
    assert_eq!(names(&mut connection), "[[\"ann\"]]");
}

fn run(statement: &str) -> Vec<u8> {
    [bind(statement, &[], false), execute(0)].concat()
}

/// What the server answers to messages that go out at once, up to so many of ReadyForQuery.
fn piped(connection: &mut Raw, messages: &[Vec<u8>], ready: usize) -> String {
    let first = answered(connection, messages);
    (1..ready).fold(first, |text, _| text + &answered(connection, &[]))
}

/// What was set is undone at Sync, by a constraint that is looked at then.
#[test]
fn a_batch_that_is_answered_may_still_fail_at_its_end() {
    let Some(ground) = ground("hostile::a_batch_that_is_answered…") else { return };
    ground.database.run("CREATE TABLE once (id int UNIQUE DEFERRABLE INITIALLY DEFERRED); INSERT INTO once VALUES (1)");
    for stray in [Vec::new(), message(b'c', b"")] {
        let mut connection = ground.connect();
        let set = run_text("SET search_path = other");
        let twice = run_text("INSERT INTO public.once VALUES (1)");
        connection.send(&[set, twice, stray, message(b'H', b"")].concat()).expect("it can be sent");
        for _ in 0..2 {
            while connection.read_message().expect("an answer").0 != b'C' {}
        }
        let answer = piped(&mut connection, &[sync(), query("SELECT name FROM users")], 2);
        assert!(answer.contains("23505") && answer.contains("ann") && !answer.contains("dead"), "{answer}");
    }
}

/// What would have taken a statement's place is skipped, and what runs is the one before.
#[test]
fn a_statement_that_an_error_leaves_is_known_before_it_is_run() {
    let Some(ground) = ground("hostile::a_statement_that_an_error_leaves…") else { return };
    let close = |name: &str| message(b'C', format!("S{name}\0").as_bytes());
    for name in ["", "p"] {
        let skipped = match name {
            "" => vec![parse("", "SELECT 1"), query("SELECT 1"), close("")],
            name => vec![close(name)],
        };
        for skipped in skipped {
            for left in ["SET search_path = public", READ] {
                let mut connection = elsewhere(&ground);
                answered(&mut connection, &[parse(name, left), sync()]);
                if left == READ {
                    // A Query would drop the unnamed statement.
                    answered(&mut connection, &[parse("set", "SET search_path = public"), run("set"), sync()]);
                }
                let fails = message(b'D', b"Pnowhere\0");
                let messages = [fails, skipped.clone(), sync(), run(name), sync(), query(READ)];
                let answer = piped(&mut connection, &messages, 3);
                assert!(answer.contains("34000") && answer.contains("ann"), "{left}: {answer}");
                assert!(!answer.contains("dead"), "{left} stays where {} is skipped: {answer}", skipped.escape_ascii());
            }
        }
    }
}

/// All that a statement means by its names is looked up when it runs.
#[test]
fn a_portal_that_looks_names_up_late_is_asked_for_again() {
    let Some(ground) = ground("hostile::a_portal_that_looks_names_up_late…") else { return };
    for statement in ["COPY users TO STDOUT", "COPY (SELECT name FROM users) TO STDOUT", "TRUNCATE users"] {
        let mut connection = elsewhere(&ground);
        let late = [parse("late", statement), bind_portal("late", "late")].concat();
        let set = run_text("SET search_path = public");
        let messages = [late, set, execute_portal("late", 0), sync()];
        let answer = answered(&mut connection, &messages);
        assert!(answer.contains("55000") && !answer.contains("dead"), "{statement}: {answer}");
    }
    assert_eq!(ground.database.direct().expect("SELECT count(*) FROM users")[0].texts(), [["2"]]);
}

/// It is at its end, and what it did once is not done again.
#[test]
fn a_portal_that_has_run_does_nothing_known() {
    let Some(ground) = ground("hostile::a_portal_that_has_run…") else { return };
    let bound = [parse("s", "SELECT set_config('search_path', 'other', false)"), bind_portal("p", "s")].concat();
    let set = run_text("SET search_path = public");
    for first in [execute_portal("p", 0), execute_portal("p", 1)] {
        let mut connection = ground.connect();
        answered(&mut connection, &[bound.clone(), first, set.clone(), execute_portal("p", 0), sync()]);
        let answer = answered(&mut connection, &[query(READ)]);
        assert!(!answer.contains("dead bob"), "{answer}");
    }
}

/// FETCH runs what was bound by a message, whatever it is.
#[test]
fn fetch_runs_no_portal_unseen() {
    let Some(ground) = ground("hostile::fetch_runs_no_portal…") else { return };
    let by_message = [parse("fetch", "FETCH ALL FROM p"), run("fetch"), sync()].concat();
    for fetch in [query("FETCH ALL FROM p"), by_message] {
        let mut connection = elsewhere(&ground);
        connection.expect("BEGIN");
        let bound = [parse("s", "SELECT set_config('search_path', 'public', false)"), bind_portal("p", "s"), sync()];
        answered(&mut connection, &bound);
        let said = answered(&mut connection, &[fetch]);
        let answer = answered(&mut connection, &[query(READ)]);
        assert!(said.contains("sexton: portal") && !answer.contains("dead bob"), "{said}: {answer}");
    }
    let mut connection = elsewhere(&ground);
    connection.expect(&format!("PREPARE q AS {READ}"));
    connection.expect("BEGIN");
    answered(&mut connection, &[parse("s", "EXECUTE q"), bind_portal("p", "s"), sync()]);
    connection.expect("SET search_path = public");
    let answer = answered(&mut connection, &[query("FETCH ALL FROM p")]);
    assert!(!answer.contains("dead bob"), "{answer}");
    // A cursor of rows is nothing to hide.
    let mut connection = ground.connect();
    connection.expect("BEGIN");
    answered(&mut connection, &[parse("s", READ), bind_portal("p", "s"), sync()]);
    assert!(answered(&mut connection, &[query("FETCH ALL FROM p")]).contains("ann"));
}

#[test]
fn a_commit_of_a_failed_block_is_no_commit() {
    let Some(ground) = ground("hostile::a_commit_of_a_failed_block…") else { return };
    for end in ["COMMIT", "COMMIT AND CHAIN", "PREPARE TRANSACTION 'x'"] {
        let mut connection = ground.connect();
        connection.expect("BEGIN");
        connection.expect("SET search_path = other");
        connection.simple("SELECT 1/0");
        let answer = answered(&mut connection, &[query(&format!("{end}; {READ}"))]);
        assert!(!answer.contains("dead"), "{end}: {answer}");
    }
}

#[test]
fn a_commit_that_fails_ends_the_block_all_the_same() {
    let Some(ground) = ground("hostile::a_commit_that_fails…") else { return };
    let mut connection = ground.connect();
    connection.expect("BEGIN");
    connection.expect("SET search_path = other");
    let fails = [run_text("PREPARE TRANSACTION 'x'"), message(b'H', b"")];
    connection.send(&fails.concat()).expect("it can be sent");
    while connection.read_message().expect("an answer").0 != b'E' {}
    let answer = piped(&mut connection, &[sync(), query(READ)], 2);
    assert!(answer.contains("ann") && !answer.contains("dead"), "{answer}");
}

#[test]
fn the_unnamed_statement_outlives_discard_all() {
    let Some(ground) = ground("hostile::the_unnamed_statement…") else { return };
    for all in ["DISCARD ALL", "DEALLOCATE ALL"] {
        let mut connection = elsewhere(&ground);
        let messages =
            [parse("all", all), parse("set", "SET search_path = public"), parse("", READ), run("all"), sync()];
        answered(&mut connection, &messages);
        answered(&mut connection, &[parse("set", "SET search_path = public"), run("set"), sync()]);
        let answer = answered(&mut connection, &[run(""), sync()]);
        assert!(answer.contains("ann") && !answer.contains("dead"), "{all}: {answer}");
    }
}

/// What was to go is there still, and was decided for another search path.
#[test]
fn what_is_refused_or_malformed_leaves_the_statement_before() {
    let Some(ground) = ground("hostile::what_is_refused_or_malformed…") else { return };
    let nowhere = message(b'D', b"Pnowhere\0");
    let cases = [
        // Made anew for the first Bind, which an error in front has skipped.
        ("p", vec![nowhere.clone(), run("p"), sync()]),
        ("", vec![nowhere.clone(), run(""), sync()]),
        // A Parse of more than it may hold.
        ("", vec![message(b'P', b"\0SELECT 1\0\0\0more"), sync()]),
        // A call that is refused by a Query in its place.
        ("", vec![nowhere, message(b'F', &[0, 0, 0x0b, 0x6c, 0, 0, 0, 0, 0, 0]), sync()]),
        ("", vec![message(b'Q', b"SELECT 1\0x\0")]),
    ];
    for (name, messages) in cases {
        let mut connection = elsewhere(&ground);
        answered(&mut connection, &[parse("p", READ), parse("", READ), sync()]);
        answered(&mut connection, &[parse("set", "SET search_path = public"), run("set"), sync()]);
        let shown = messages.concat().escape_ascii().to_string();
        let behind = [messages, vec![run(name), sync()]].concat();
        let answer = piped(&mut connection, &behind, 2);
        assert!(!answer.contains("dead"), "{shown}: {answer}");
        let later = answered(&mut connection, &[run(name), sync()]);
        assert!(later.contains("ann") && !later.contains("dead"), "{shown}: {answer} then {later}");
    }
}

#[test]
fn what_a_block_of_code_committed_before_it_failed_is_not_known() {
    let Some(ground) = ground("hostile::what_a_block_of_code_committed…") else { return };
    ground.database.run(
        "CREATE PROCEDURE half() LANGUAGE plpgsql AS $$
         BEGIN PERFORM set_config('search_path', 'public', false); COMMIT; RAISE EXCEPTION 'x'; END $$",
    );
    let mut connection = elsewhere(&ground);
    let said = answered(&mut connection, &[query("CALL public.half()")]);
    let answer = answered(&mut connection, &[query(READ)]);
    assert!(said.contains("P0001") && !answer.contains("dead bob"), "{said}: {answer}");
}

#[test]
fn strings_are_not_read_while_their_reading_is_unknown() {
    let Some(ground) = ground("hostile::strings_are_not_read…") else { return };
    for set in [
        "SET standard_conforming_strings = E'off'",
        "SELECT set_config('standard_conforming_strings', 'o' || 'ff', false)",
        "UPDATE pg_settings SET setting = 'off' WHERE name = 'standard_conforming_strings'",
    ] {
        let mut connection = ground.connect();
        let batch = [run_text(set), run_text("SELECT '\\' || name FROM users --'"), sync()];
        let answer = answered(&mut connection, &batch);
        assert!(!answer.contains("dead"), "{set}: {answer}");
    }
}

#[test]
fn a_shape_that_is_known_says_nothing_while_the_reading_of_strings_is_unknown() {
    let Some(ground) = ground("hostile::a_shape_that_is_known…") else { return };
    let mut connection = ground.connect();
    let shaped = |first: &str, second: &str| format!("SELECT name FROM users WHERE name = {first} AND name = {second}");
    let hidden =
        "SELECT name FROM users WHERE name = 'x\\' AND name = ' OR true) UNION SELECT name FROM users --'".to_owned();
    let off = run_text("SELECT set_config('standard_' || 'conforming_strings', 'off', false)");
    let answer = answered(&mut connection, &[off, run_text(&shaped("'a'", "'b'")), run_text(&hidden), sync()]);
    assert!(!answer.contains("dead"), "{answer}");
}

/// Sent again under another encoding, its bytes would be other characters.
#[test]
fn a_prepared_statement_is_not_made_anew_from_bytes_that_mean_something_else() {
    let Some(ground) = ground("hostile::a_prepared_statement_is_not…") else { return };
    let mut connection = ground.connect();
    answered(&mut connection, &[parse("s", "SELECT length('é') FROM users"), sync()]);
    connection.expect("SET client_encoding = 'LATIN1'");
    connection.expect("SET search_path = other");
    let answer = answered(&mut connection, &[bind("s", &[], false), execute(0), sync()]);
    assert!(answer.contains("55000"), "{answer}");
}

#[test]
fn a_prepared_statement_is_decided_again_when_its_table_becomes_registered() {
    let Some(ground) = ground("hostile::a_prepared_statement…") else { return };
    ground.database.run(
        "CREATE TABLE kid (id int NOT NULL, name text, deleted_at timestamptz); INSERT INTO kid VALUES (8, 'kid')",
    );
    let mut connection = ground.connect();
    answered(&mut connection, &[parse("kids", "SELECT name FROM kid"), sync()]);
    let read = [bind("kids", &[], false), execute(0), sync()];
    assert!(answered(&mut connection, &read).contains("kid"));
    // Past Sexton, and then a change through it, after which the catalog is read.
    ground.database.run("ALTER TABLE kid INHERIT users; UPDATE kid SET deleted_at = now()");
    connection.expect("CREATE TABLE like_users (LIKE users)");
    assert!(!answered(&mut connection, &read).contains("kid"));
}

#[test]
fn a_temporary_view_is_no_way_to_delete_for_good() {
    let Some(ground) = ground("hostile::a_temporary_view…") else { return };
    let mut connection = ground.connect();
    connection.expect("CREATE TEMP VIEW w AS SELECT * FROM users");
    for deletion in ["DELETE FROM w", "DELETE FROM pg_temp.w", "WITH d AS (DELETE FROM w RETURNING *) SELECT * FROM d"]
    {
        let reply = connection.simple(deletion).remove(0);
        assert_eq!(reply.error.map(|error| error.sqlstate).as_deref(), Some("0A000"), "{deletion}");
    }
    assert_eq!(connection.expect("SELECT name FROM w")[0].texts(), [["ann"]]);
    let mut direct = ground.database.direct();
    assert_eq!(direct.expect("SELECT count(*) FROM users")[0].texts(), [["2"]]);
}

#[test]
fn a_view_that_is_temporary_without_the_word_is_none_either() {
    let Some(ground) = ground("hostile::a_view_that_is_temporary…") else { return };
    for (before, view) in [
        (
            "CREATE TEMP TABLE t AS SELECT 1 AS id",
            "CREATE VIEW w AS SELECT * FROM users WHERE id IN (SELECT id FROM t)",
        ),
        ("SET search_path = pg_temp, public", "CREATE VIEW w AS SELECT * FROM users"),
    ] {
        let mut connection = ground.connect();
        connection.expect(before);
        connection.expect(view);
        for deletion in ["DELETE FROM w", "DELETE FROM pg_temp.w"] {
            let reply = connection.simple(deletion).remove(0);
            assert_eq!(reply.error.map(|error| error.sqlstate).as_deref(), Some("0A000"), "{view}: {deletion}");
        }
        assert_eq!(connection.expect("SELECT name FROM w")[0].texts(), [["ann"]]);
    }
    let mut connection = ground.connect();
    connection.expect("SET search_path = pg_temp, public");
    connection.expect("CREATE TABLE child () INHERITS (users)");
    for statement in ["DELETE FROM child", "SELECT name FROM child"] {
        let reply = connection.simple(statement).remove(0);
        assert_eq!(reply.error.map(|error| error.sqlstate).as_deref(), Some("0A000"), "{statement}");
    }
    // Under a path that nobody knows, the next reading of the catalog tells the one from the other.
    let mut connection = ground.connect();
    connection.expect("SELECT set_config('search_path', lower('PUBLIC'), false)");
    connection.expect("CREATE TABLE heir () INHERITS (users)");
    assert_eq!(connection.expect("SELECT name FROM heir")[0].texts().len(), 0);
    connection.expect("SELECT set_config('search_path', lower('PG_TEMP, PUBLIC'), false)");
    connection.expect("CREATE TABLE passing () INHERITS (users)");
    let reply = connection.simple("SELECT name FROM passing").remove(0);
    assert_eq!(reply.error.map(|error| error.sqlstate).as_deref(), Some("0A000"));
    let mut direct = ground.database.direct();
    assert_eq!(direct.expect("SELECT count(*) FROM users")[0].texts(), [["2"]]);
}

/// A hard table that a soft one refers to, and a marker of a type that lies in a schema of its own.
fn related_ground(test: &str) -> Option<Ground> {
    let schema = "
        CREATE SCHEMA kinds;
        CREATE TYPE kinds.state AS ENUM ('free', 'void');
        CREATE TABLE sessions (id int PRIMARY KEY);
        CREATE TABLE users (id int, name text, sid int REFERENCES sessions, state kinds.state);
        INSERT INTO sessions VALUES (1);
        INSERT INTO users VALUES (1, 'ann', 1, 'free'), (2, 'dead bob', 1, 'void');
        CREATE VIEW people AS SELECT * FROM users";
    let config = "
        [databases.\"*\".tables.users]
        delete = \"soft\"
        live = \"state <> 'void'\"
        mark = { state = \"'void'\" }
        [databases.\"*\".tables.sessions]
        delete = \"hard\"";
    Ground::new(test, schema, config)
}

#[test]
fn what_would_take_rows_or_their_marker_along_is_refused() {
    let Some(ground) = related_ground("hostile::what_would_take_rows…") else { return };
    let mut connection = ground.connect();
    for (statement, sqlstate) in [
        ("TRUNCATE sessions CASCADE", "0A000"),
        ("DROP TYPE kinds.state CASCADE", "42501"),
        ("DROP SCHEMA kinds CASCADE", "42501"),
        ("DROP EXTENSION IF EXISTS hstore CASCADE", "42501"),
    ] {
        let reply = connection.simple(statement).remove(0);
        assert_eq!(reply.error.map(|error| error.sqlstate).as_deref(), Some(sqlstate), "{statement}");
    }
    connection.expect("CREATE SCHEMA own CREATE TABLE own.t (id int)");
    connection.expect("DROP SCHEMA own CASCADE");
    assert_eq!(names(&mut connection), "[[\"ann\"]]");
    assert_eq!(ground.directly("SELECT count(*) FROM users"), [["2"]]);
}

#[test]
fn a_renamed_view_is_no_way_to_delete_for_good() {
    let Some(ground) = related_ground("hostile::a_renamed_view…") else { return };
    let mut connection = ground.connect();
    let refused = |connection: &mut Raw| {
        let reply = connection.simple("DELETE FROM folk").remove(0);
        assert_eq!(reply.error.map(|error| error.sqlstate).as_deref(), Some("0A000"));
    };
    connection.expect("BEGIN");
    connection.expect("ALTER VIEW people RENAME TO folk");
    refused(&mut connection);
    connection.expect("ROLLBACK");
    connection.expect("ALTER TABLE people RENAME TO folk");
    refused(&mut connection);
    assert_eq!(connection.expect("SELECT count(*) FROM folk")[0].texts(), [["2"]]);
    assert_eq!(ground.directly("SELECT count(*) FROM users"), [["2"]]);
}

#[test]
fn ddl_that_is_committed_while_its_session_goes_on_is_known_to_the_others() {
    let Some(ground) = ground("hostile::ddl_that_is_committed…") else { return };
    let mut other = ground.connect();
    let mut chained = ground.connect();
    chained.expect("BEGIN; CREATE VIEW chained AS SELECT * FROM users");
    chained.expect("COMMIT AND CHAIN");
    other.simple("DELETE FROM chained");
    assert_eq!(ground.directly("SELECT count(*) FROM users"), [["2"]], "COMMIT AND CHAIN");
    let batch = ["BEGIN", "CREATE VIEW batched AS SELECT * FROM users", "COMMIT", "SELECT pg_sleep(2)"].map(run_text);
    for (view, messages) in [
        ("texted", query("BEGIN; CREATE VIEW texted AS SELECT * FROM users; COMMIT; SELECT pg_sleep(2)")),
        ("batched", [batch.concat(), sync()].concat()),
    ] {
        let mut busy = ground.connect();
        let pid = busy.expect("SELECT pg_backend_pid()")[0].texts()[0][0].clone();
        busy.send(&messages).expect("sent");
        while ground.directly(&format!("SELECT to_regclass('{view}') IS NULL")) == [["t"]] {
            std::thread::sleep(Duration::from_millis(5));
        }
        // What is left of the window: the reading under way, and the pause before it.
        std::thread::sleep(Duration::from_millis(500));
        other.simple(&format!("DELETE FROM {view}"));
        assert_eq!(ground.directly("SELECT count(*) FROM users"), [["2"]], "{view}");
        let asleep = format!("SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND pid = {pid}");
        assert_eq!(ground.directly(&asleep), [["1"]], "the batch is still under way");
    }
}

/// What a role may delete is decided by policies FOR DELETE; the UPDATE that marks is held to others.
#[test]
fn rows_that_a_policy_keeps_from_deletion_are_not_marked() {
    let Some(ground) = ground("hostile::rows_that_a_policy_keeps…") else { return };
    ground.database.run(
        "CREATE ROLE own_rows LOGIN; GRANT ALL ON users TO own_rows;
         ALTER TABLE users ENABLE ROW LEVEL SECURITY;
         CREATE POLICY reads ON users FOR SELECT USING (true);
         CREATE POLICY writes ON users FOR UPDATE USING (true);
         CREATE POLICY deletes ON users FOR DELETE USING (name = 'nobody')",
    );
    let mut connection = ground.sexton.connect("own_rows", &ground.database.name);
    let mut statements = vec!["DELETE FROM users", "TRUNCATE users"];
    if connection.major_version() >= 15 {
        statements.push("MERGE INTO users u USING (VALUES (1)) v (id) ON u.id = v.id WHEN MATCHED THEN DELETE");
    }
    for sql in statements {
        let replies = connection.simple(sql);
        let error = replies[0].error.as_ref().unwrap_or_else(|| panic!("{sql} is refused"));
        assert_eq!(error.sqlstate, "0A000", "{sql}: {error:?}");
    }
    assert_eq!(ground.directly("SELECT id FROM users WHERE deleted_at IS NULL"), [["1"]]);
    // The owner's deletions fall under no policy, and policies that are alike say the same of both.
    assert_eq!(ground.connect().expect("DELETE FROM users WHERE id = 1")[0].tag.as_deref(), Some("DELETE 1"));
    ground.database.run("UPDATE users SET deleted_at = NULL");
    ground.connect().expect(
        "DROP POLICY writes ON users; DROP POLICY deletes ON users;
         CREATE POLICY all_rows ON users USING (name = 'ann')",
    );
    let mut connection = ground.sexton.connect("own_rows", &ground.database.name);
    assert_eq!(connection.expect("DELETE FROM users")[0].tag.as_deref(), Some("DELETE 1"));
    assert_eq!(ground.directly("SELECT id FROM users WHERE deleted_at IS NULL"), [["2"]]);
}
