//! Ways to a deleted row, or round a decision, that lead over DDL or several statements and were open once.

use std::time::{Duration, Instant};

use crate::support::ground::Ground;
use crate::support::raw::Raw;
use crate::support::schema;

const SOFT: &str = "
[databases.\"*\".tables.users]
delete = \"soft\"
";

const CONFIG: &str = "
[databases.\"*\".tables.users]
delete = \"soft\"
[databases.\"*\".tables.orders]
delete = \"archive\"
archive = \"public.orders_archive\"
";

const SCHEMA: &str = "
    CREATE TABLE users (id int PRIMARY KEY, name text, deleted_at timestamptz);
    INSERT INTO users VALUES (1, 'ann', NULL), (2, 'dead bob', now());
    CREATE TABLE orders (id int PRIMARY KEY, note text);
    CREATE TABLE orders_archive (LIKE orders);
    INSERT INTO orders VALUES (1, 'a note')";

fn ground(test: &str) -> Option<Ground> {
    Ground::new(test, SCHEMA, CONFIG)
}

/// What the statements answer, each sent by itself: SQLSTATE, or the rows.
fn said(connection: &mut Raw, statements: &[&str]) -> Vec<String> {
    let one = |connection: &mut Raw, sql: &str| {
        let reply = connection.simple(sql).pop().unwrap_or_default();
        reply.error.as_ref().map_or_else(|| format!("{:?}", reply.texts()), |error| error.sqlstate.clone())
    };
    statements.iter().map(|sql| one(connection, sql)).collect()
}

/// Each of the statements is refused with this SQLSTATE.
fn refused(connection: &mut Raw, sqlstate: &str, statements: &[&str]) {
    for (sql, said) in statements.iter().zip(said(connection, statements)) {
        assert_eq!(said, sqlstate, "{sql}");
    }
}

#[test]
fn a_second_parent_of_a_child_shows_and_deletes_nothing() {
    let schema = "
        CREATE TABLE users (id int, name text, deleted_at timestamptz);
        CREATE TABLE payees (name text);
        CREATE TABLE contractors (rate int) INHERITS (users, payees);
        CREATE VIEW paid AS SELECT * FROM payees;
        INSERT INTO contractors VALUES (1, 'con'), (2, 'dead con')";
    let Some(ground) = Ground::new("detours::a_second_parent…", schema, SOFT) else {
        return;
    };
    let mut connection = ground.connect();
    connection.expect("DELETE FROM users WHERE id = 2");
    let ways = ["SELECT name FROM payees", "DELETE FROM payees", "TRUNCATE payees", "DELETE FROM paid"];
    refused(&mut connection, "0A000", &ways);
    assert_eq!(ground.directly("SELECT count(*) FROM contractors"), [["2"]]);
    assert_eq!(said(&mut connection, &["SELECT name FROM contractors"]), ["[[\"con\"]]"]);
}

#[test]
fn a_child_with_a_rule_of_its_own_is_read_by_nobody() {
    let schema = "
        CREATE TABLE users (id int, name text, deleted_at timestamptz);
        CREATE TABLE guests () INHERITS (users);
        CREATE TABLE members () INHERITS (users);
        INSERT INTO guests VALUES (1, 'ann', NULL), (2, 'dead bob', now())";
    let config = "
        [databases.\"*\".tables.users]
        delete = \"soft\"
        [databases.\"*\".tables.guests]
        delete = \"hard\"
        [databases.\"*\".tables.members]
        delete = \"soft\"";
    let Some(ground) = Ground::new("detours::a_child_with_a_rule…", schema, config) else { return };
    let mut connection = ground.connect();
    refused(&mut connection, "0A000", &["SELECT name FROM guests", "DELETE FROM guests", "SELECT name FROM users"]);
    assert_eq!(said(&mut connection, &["SELECT name FROM members"]), ["[]"]);
}

#[test]
fn a_view_over_a_partition_is_no_way_to_delete_for_good() {
    let schema = "
        CREATE TABLE users (id int, name text, deleted_at timestamptz) PARTITION BY RANGE (id);
        CREATE TABLE users_1 PARTITION OF users FOR VALUES FROM (0) TO (10);
        CREATE VIEW first AS SELECT * FROM users_1;
        INSERT INTO users VALUES (1, 'ann', NULL)";
    let Some(ground) = Ground::new("detours::a_view_over_a_partition…", schema, SOFT) else {
        return;
    };
    refused(&mut ground.connect(), "0A000", &["DELETE FROM first"]);
    assert_eq!(ground.directly("SELECT count(*) FROM users"), [["1"]]);
}

#[test]
fn a_partition_that_is_detached_keeps_its_rule() {
    let schema = "
        CREATE TABLE users (id int, name text, deleted_at timestamptz) PARTITION BY RANGE (id);
        CREATE TABLE users_1 PARTITION OF users FOR VALUES FROM (0) TO (10);
        INSERT INTO users VALUES (1, 'ann', NULL), (2, 'dead bob', now())";
    let Some(ground) = Ground::new("detours::a_partition_that_is_detached…", schema, SOFT) else {
        return;
    };
    let mut connection = ground.connect();
    ground.database.run("ALTER TABLE users DETACH PARTITION users_1");
    // After which the catalog is read.
    connection.expect("CREATE TABLE like_users (LIKE users)");
    assert_eq!(said(&mut connection, &["SELECT name FROM users_1"]), ["[[\"ann\"]]"]);
    connection.expect("DELETE FROM users_1");
    assert_eq!(ground.directly("SELECT count(*) FROM users_1"), [["2"]]);
}

/// Whoever alters a table holds up nobody who asks for another.
#[test]
fn a_lock_on_a_table_keeps_nobody_from_logging_in() {
    let Some(ground) = ground("detours::a_lock_on_a_table…") else { return };
    ground.database.run("CREATE UNIQUE INDEX ON users (name) WHERE deleted_at IS NULL");
    let mut holder = ground.database.direct();
    holder.expect("BEGIN; LOCK TABLE users");
    let begun = Instant::now();
    assert_eq!(said(&mut ground.connect(), &["SELECT note FROM orders"]), ["[[\"a note\"]]"]);
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
}

#[test]
fn a_schema_in_the_search_path_is_the_one_that_the_server_takes() {
    let long = "s".repeat(63);
    let schema = format!(
        "CREATE SCHEMA {long};
         CREATE TABLE {long}.users (id int, name text, deleted_at timestamptz);
         INSERT INTO {long}.users VALUES (1, 'ann', NULL), (2, 'dead bob', now());
         CREATE TABLE public.users (id int, name text, deleted_at timestamptz)"
    );
    let config = format!("[databases.\"*\".tables.\"{long}.users\"]\ndelete = \"soft\"");
    let Some(ground) = Ground::new("detours::a_schema_in_the_search_path…", &schema, &config) else { return };
    for set in [
        format!("SET search_path = '{long}more', public"),
        format!("SELECT set_config('search_path', '\"{long}more\", public', false)"),
        format!("SET SCHEMA '{long}more'"),
    ] {
        let mut connection = ground.connect();
        connection.expect(&set);
        assert_eq!(said(&mut connection, &["SELECT name FROM users"]), ["[[\"ann\"]]"], "{set}");
    }
}

#[test]
fn a_name_that_is_spelled_by_uescape_is_not_taken_for_another() {
    let Some(ground) = ground("detours::a_name_that_is_spelled…") else { return };
    let mut connection = ground.connect();
    refused(
        &mut connection,
        "0A000",
        &[
            "SELECT U&\"query!005fto_xml\" UESCAPE '!' ('select * from users', true, false, '')",
            "UPDATE U&\"pg!005fsettings\" UESCAPE '!' SET setting = 'other' WHERE name = 'search_path'",
            "SELECT U&\"set!005fconfig\" UESCAPE '!' ('search_path', 'other', false)",
            "PREPARE U&\"p!0031\" UESCAPE '!' AS SELECT name FROM users",
        ],
    );
    connection.expect("SELECT 1 AS U&\"d!0061t\" UESCAPE '!'");
}

#[test]
fn what_lies_below_a_table_since_this_transaction_is_not_read_by_another_statement() {
    let Some(ground) = ground("detours::what_lies_below_a_table…") else { return };
    for (made, ways) in [
        (
            "CREATE TABLE kid (UNIQUE (id)) INHERITS (users); INSERT INTO kid VALUES (31, 'kid'), (32, 'dead kid')",
            &[
                "CREATE TABLE copied AS SELECT * FROM kid",
                "CREATE TEMP TABLE copied AS TABLE kid",
                "INSERT INTO kid VALUES (32, 'new') ON CONFLICT (id) DO UPDATE SET name = kid.name RETURNING name",
                "CREATE SCHEMA more CREATE TABLE grandkid () INHERITS (kid)",
            ][..],
        ),
        (
            "CREATE VIEW shown AS SELECT * FROM users",
            &[
                "CREATE TABLE copied AS WITH gone AS (DELETE FROM shown RETURNING *) SELECT * FROM gone",
                "INSERT INTO shown VALUES (2, 'new') ON CONFLICT (id) DO UPDATE SET name = 'new' RETURNING *",
            ][..],
        ),
    ] {
        for way in ways {
            let mut connection = ground.connect();
            connection.expect(&format!("BEGIN; {made}"));
            refused(&mut connection, "0A000", &[way]);
        }
    }
    refused(&mut ground.connect(), "0A000", &["CREATE SCHEMA more CREATE TABLE kid () INHERITS (public.users)"]);
    assert_eq!(ground.directly("SELECT count(*) FROM users"), [["2"]]);
}

#[test]
fn a_view_is_no_way_to_write_into_a_deleted_row() {
    let Some(ground) = ground("detours::a_view_is_no_way_to_write…") else { return };
    ground.connect().expect("CREATE VIEW shown AS SELECT * FROM users");
    let mut connection = ground.connect();
    let upsert = "INSERT INTO shown (id, name) VALUES (2, 'x') ON CONFLICT (id) DO UPDATE SET name = 'x' RETURNING *";
    refused(&mut connection, "0A000", &[upsert]);
    connection.expect("INSERT INTO shown (id, name) VALUES (3, 'cid') ON CONFLICT DO NOTHING");
    assert_eq!(ground.directly("SELECT name FROM users WHERE id = 2"), [["dead bob"]]);
}

#[test]
fn the_row_that_a_cursor_is_on_may_be_deleted_since() {
    let Some(ground) = ground("detours::the_row_that_a_cursor…") else { return };
    let mut connection = ground.connect();
    connection.expect("BEGIN; DECLARE c CURSOR FOR SELECT * FROM users WHERE id = 1");
    connection.expect("FETCH c");
    connection.expect("DELETE FROM users WHERE CURRENT OF c");
    refused(&mut connection, "0A000", &["UPDATE users SET deleted_at = NULL WHERE CURRENT OF c"]);
}

#[test]
fn a_key_that_is_none_tells_no_row_that_is_deleted() {
    let schema = "
        CREATE TABLE users (id int PRIMARY KEY, name text, gone boolean);
        CREATE TABLE kid () INHERITS (users);
        INSERT INTO users VALUES (1, 'ann');
        INSERT INTO kid VALUES (1, 'kid');
        CREATE TABLE posts (id int PRIMARY KEY DEFERRABLE, title text, gone boolean);
        INSERT INTO posts VALUES (1, 'one');
        CREATE TABLE notes (id int PRIMARY KEY, body text, gone boolean);
        INSERT INTO notes VALUES (1, 'a note')";
    let config = "
        [databases.\"*\".tables.users]
        delete = \"soft\"
        column = \"gone\"
        [databases.\"*\".tables.posts]
        delete = \"soft\"
        column = \"gone\"
        [databases.\"*\".tables.notes]
        delete = \"soft\"
        column = \"gone\"";
    let Some(ground) = Ground::new("detours::a_key_that_is_none…", schema, config) else { return };
    let mut connection = ground.connect();
    refused(
        &mut connection,
        "0A000",
        &["DELETE FROM users WHERE name = 'kid' RETURNING *", "DELETE FROM posts WHERE title = 'one' RETURNING *"],
    );
    connection.expect("BEGIN; ALTER TABLE notes DROP CONSTRAINT notes_pkey; INSERT INTO notes VALUES (1, 'another')");
    refused(&mut connection, "0A000", &["DELETE FROM notes WHERE body = 'another' RETURNING *"]);
    connection.expect("ROLLBACK");
    assert_eq!(said(&mut connection, &["DELETE FROM notes RETURNING body"]), ["[[\"a note\"]]"]);
}

#[test]
fn columns_that_a_transaction_has_changed_are_archived_after_it() {
    let Some(ground) = ground("detours::columns_that_a_transaction…") else { return };
    let mut connection = ground.connect();
    connection
        .expect("BEGIN; ALTER TABLE orders DROP COLUMN note; ALTER TABLE orders ADD COLUMN memo text DEFAULT 'm'");
    refused(&mut connection, "0A000", &["DELETE FROM orders"]);
    connection.expect("ROLLBACK");
    // What is in doubt besides has nothing to do with columns.
    connection.expect("BEGIN; SELECT set_config('search_path', lower('PUBLIC'), true)");
    assert_eq!(said(&mut connection, &["DELETE FROM public.orders RETURNING note"]), ["[[\"a note\"]]"]);
    connection.expect("COMMIT");
    assert_eq!(ground.directly("SELECT note FROM orders_archive"), [["a note"]]);
}

#[test]
fn an_archive_that_does_not_fit_keeps_rows_from_being_deleted_and_not_from_being_read() {
    let config = format!("[access]\nsee_deleted = [\"postgres\"]\n{CONFIG}");
    let Some(ground) = Ground::new("detours::an_archive_that_does_not_fit…", SCHEMA, &config) else { return };
    for (changes, mends) in [
        ("ALTER TABLE orders ADD more text", "ALTER TABLE orders_archive ADD more text"),
        (
            "ALTER TABLE orders ADD price numeric(9,3); ALTER TABLE orders_archive ADD price numeric(9,1)",
            "ALTER TABLE orders_archive ALTER price TYPE numeric(9,3)",
        ),
    ] {
        let mut connection = ground.connect();
        connection.expect(changes);
        refused(&mut connection, "0A000", &["DELETE FROM orders", "TRUNCATE orders"]);
        connection.expect("UPDATE orders SET note = 'another'");
        assert_eq!(said(&mut connection, &["SELECT note FROM orders"]), ["[[\"another\"]]"]);
        connection.expect("SET sexton.as_of = '2026-01-01'");
        refused(&mut connection, "0A000", &["SELECT note FROM orders"]);
        connection.expect(&format!("RESET sexton.as_of; {mends}"));
    }
    ground.connect().expect("DELETE FROM orders");
}

#[test]
fn a_generated_column_is_returned_as_it_was() {
    let schema = "
        CREATE TABLE users (id int PRIMARY KEY, deleted_at timestamptz,
            is_deleted boolean GENERATED ALWAYS AS (deleted_at IS NOT NULL) STORED);
        INSERT INTO users VALUES (1), (2);
        CREATE TABLE posts (id int, deleted_at timestamptz, twice int GENERATED ALWAYS AS (2 * id) STORED);
        INSERT INTO posts VALUES (1)";
    let config = format!("{SOFT}[databases.\"*\".tables.posts]\ndelete = \"soft\"\n");
    let Some(ground) = Ground::new("detours::a_generated_column…", schema, &config) else { return };
    let deletions = ["DELETE FROM users WHERE id = 1 RETURNING *", "DELETE FROM users RETURNING is_deleted"];
    assert_eq!(said(&mut ground.connect(), &deletions), ["[[\"1\", \"null\", \"f\"]]", "[[\"f\"]]"]);
    // One that has nothing to do with the mark needs no key.
    assert_eq!(said(&mut ground.connect(), &["DELETE FROM posts RETURNING *"]), ["[[\"1\", \"null\", \"2\"]]"]);
}

#[test]
fn a_block_takes_nothing_along_that_it_does_not_name() {
    let Some(ground) = ground("detours::a_block_takes_nothing…") else { return };
    refused(
        &mut ground.connect(),
        "0A000",
        &[
            "DO $$ BEGIN DROP SCHEMA public CASCADE; END $$",
            "DO $$ BEGIN DROP OWNED BY CURRENT_USER; END $$",
            "DO $$ BEGIN ALTER TYPE state RENAME VALUE 'void' TO 'gone'; END $$",
            "DO $$ DECLARE procedure1 text := 'DELETE FROM us' || 'ers'; BEGIN EXECUTE procedure1; END $$",
            "DO $$ DECLARE function text := 'DELETE FROM us' || 'ers'; BEGIN EXECUTE function; END $$",
        ],
    );
    ground.connect().expect(
        "CREATE TABLE plain (id int); CREATE FUNCTION nothing() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
         DO $$ BEGIN CREATE TABLE other (id int PRIMARY KEY); ALTER TABLE plain ADD FOREIGN KEY (id) REFERENCES other ON DELETE CASCADE;
             DROP TABLE plain CASCADE; CREATE TABLE plain (id int); END $$;
         DO $$ BEGIN CREATE TRIGGER t BEFORE INSERT ON plain FOR EACH ROW EXECUTE FUNCTION nothing(); END $$",
    );
    assert_eq!(ground.directly("SELECT count(*) FROM users"), [["2"]]);
}

#[test]
fn a_marker_is_not_changed_by_way_of_its_type_or_of_another_column() {
    let schema = "
        CREATE TYPE state AS ENUM ('free', 'void');
        CREATE TABLE seats (id int, state state);
        CREATE TYPE document AS (id int, deleted_at timestamptz);
        CREATE TABLE documents OF document;
        CREATE TABLE rooms (id int, state text, alive boolean GENERATED ALWAYS AS (state <> 'void') STORED);
        CREATE TABLE plain (id int, state text);
        CREATE TYPE mood AS ENUM ('good')";
    let config = "
        [databases.\"*\".tables.seats]
        delete = \"soft\"
        live = \"state <> 'void'\"
        mark = { state = \"'void'\" }
        [databases.\"*\".tables.documents]
        delete = \"soft\"
        [databases.\"*\".tables.rooms]
        delete = \"soft\"
        live = \"alive\"
        mark = { state = \"'void'\" }";
    let Some(ground) = Ground::new("detours::a_marker_is_not_changed…", schema, config) else { return };
    let mut connection = ground.connect();
    refused(
        &mut connection,
        "42501",
        &[
            "ALTER TYPE state RENAME VALUE 'void' TO 'gone'",
            "ALTER TYPE document DROP ATTRIBUTE deleted_at CASCADE",
            "ALTER TABLE rooms DROP COLUMN state CASCADE",
            "ALTER TABLE ONLY (seats) RENAME TO chairs",
            "ALTER EXTENSION plpgsql ADD TABLE seats",
        ],
    );
    connection.expect("ALTER TYPE state ADD VALUE 'held'");
    connection.expect("ALTER TYPE mood RENAME VALUE 'good' TO 'bad'");
    connection.expect("ALTER TABLE plain DROP COLUMN state CASCADE");
}

#[test]
fn a_key_to_a_partition_is_one_to_its_table() {
    let tables = "
        CREATE TABLE users (id int PRIMARY KEY, name text, deleted_at timestamptz) PARTITION BY RANGE (id);
        CREATE TABLE users_1 PARTITION OF users FOR VALUES FROM (0) TO (10);
        INSERT INTO users VALUES (1, 'ann', NULL)";
    let Some(ground) = Ground::new("detours::a_key_to_a_partition…", tables, SOFT) else { return };
    schema::apply(&ground.database, SOFT, false);
    let mut connection = ground.connect();
    connection.expect("CREATE TABLE notes (user_id int REFERENCES users_1); INSERT INTO notes VALUES (1)");
    refused(&mut connection, "55000", &["DELETE FROM users_1", "DELETE FROM users"]);
}
