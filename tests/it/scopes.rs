//! What `visible_through`, `on_mention` and `sexton.as_of` do over a whole session, and what is found when it starts.

use crate::support::cluster;
use crate::support::database::Database;
use crate::support::raw::{Raw, bind, execute, parse, sync};
use crate::support::sexton::{self, Sexton};

const CONFIG: &str = "
[access]
see_deleted = [\"scopes_support\"]
hard_delete = [\"scopes_dba\"]

[databases.\"*\".tables.items]
delete = \"soft\"
visible_through = [\"lines.item_id\"]
";

const SCHEMA: &str = "
    CREATE TABLE items (id int PRIMARY KEY, name text, deleted_at timestamptz);
    INSERT INTO items VALUES (1, 'pen', NULL), (2, 'dead ink', '2026-02-01Z'), (3, 'dead cap', '2026-01-01Z');
    CREATE TABLE lines (id int PRIMARY KEY, item_id int REFERENCES items);
    INSERT INTO lines VALUES (1, 1), (2, 2);
    GRANT ALL ON items, lines TO scopes_app, scopes_support;
    GRANT CREATE ON SCHEMA public TO scopes_app";

const ROLES: &str = "
    DO $$ BEGIN CREATE ROLE scopes_app LOGIN; EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$;
    DO $$ BEGIN CREATE ROLE scopes_dba LOGIN; EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$;
    DO $$ BEGIN CREATE ROLE scopes_support LOGIN; EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$";

/// Reads every item that a line points to.
const JOINED: &str = "SELECT i.name FROM lines l JOIN items i ON i.id = l.item_id ORDER BY i.id";
/// Reads items alone.
const ALONE: &str = "SELECT name FROM items ORDER BY id";

fn ground(test: &str) -> Option<(Sexton, Database)> {
    let database = Database::create(cluster::shared(test)?, "scopes");
    database.run(ROLES);
    database.run(SCHEMA);
    Some((Sexton::start(database.port, CONFIG), database))
}

/// The first column of the last reply, or its SQLSTATE.
fn names(connection: &mut Raw, sql: &str) -> String {
    let replies = connection.simple(sql);
    let last = replies.last().expect("a reply");
    match &last.error {
        Some(error) => error.sqlstate.clone(),
        None => last.texts().iter().map(|row| row[0].as_str()).collect::<Vec<_>>().join(","),
    }
}

#[test]
fn no_table_of_the_session_takes_the_place_of_the_referencing_one() {
    let Some((sexton, database)) = ground("scopes::no_table_of_the_session_takes_the_place_of_the_referencing_one")
    else {
        return;
    };
    let forge = "CREATE TEMP TABLE {} (id int, item_id int); INSERT INTO {} VALUES (1, 3)";
    for (attempt, expected) in [
        // Known: what is read is the session's own table, and items stay live.
        (forge.replace("{}", "lines"), ""),
        // Unknown: what is read is the table with the foreign key.
        (forge.replace("{}", "forged") + "; ALTER TABLE forged RENAME TO lines", "pen,dead ink"),
        (format!("DO $$ BEGIN {}; END $$; SET search_path = public", forge.replace("{}", "lines")), "pen,dead ink"),
    ] {
        let mut app = sexton.connect("scopes_app", &database.name);
        app.expect(&attempt);
        assert_eq!(names(&mut app, JOINED), expected, "{attempt}");
        assert_eq!(names(&mut app, ALONE), "pen", "{attempt}");
    }
}

#[test]
fn a_foreign_key_that_goes_lets_nothing_through() {
    let Some((sexton, database)) = ground("scopes::a_foreign_key_that_goes_lets_nothing_through") else { return };
    database.run("ALTER TABLE lines OWNER TO scopes_app");
    let mut app = sexton.connect("scopes_app", &database.name);
    assert_eq!(names(&mut app, JOINED), "pen,dead ink");
    app.expect("BEGIN; ALTER TABLE lines DROP CONSTRAINT lines_item_id_fkey");
    assert_eq!(names(&mut app, JOINED), "pen");
    app.expect("COMMIT");
    assert_eq!(names(&mut app, JOINED), "pen");
}

#[test]
fn a_connection_may_start_in_the_past() {
    let Some((sexton, database)) = ground("scopes::a_connection_may_start_in_the_past") else { return };
    let connect = |user: &str, as_of: &str| {
        let options = format!("-c sexton.as_of={as_of}");
        Raw::connect_with(sexton.port, &[("user", user), ("database", &database.name), ("options", &options)])
    };
    let mut support = connect("scopes_support", "2026-01-15\\ 00:00Z").expect("it may");
    assert_eq!(names(&mut support, ALONE), "pen,dead ink");
    assert_eq!(
        names(&mut support, "SET sexton.as_of = '2025-12-01Z'; SELECT name FROM items"),
        "pen,dead ink,dead cap"
    );
    assert_eq!(names(&mut support, "RESET sexton.as_of; SELECT name FROM items"), "pen,dead ink");
    support.expect("DISCARD ALL");
    assert_eq!(names(&mut support, ALONE), "pen,dead ink");
    assert_eq!(names(&mut support, "SET sexton.as_of = ''; SELECT name FROM items"), "pen");
    for (user, as_of, why) in
        [("scopes_app", "2026-01-15", "may not see deleted rows"), ("scopes_support", "soon", "is no time")]
    {
        let refused = connect(user, as_of).err().map(|error| error.to_string()).unwrap_or_default();
        assert!(refused.contains(why), "{user}, {as_of}: {refused}");
    }
}

/// A scope is held to the tables of the configuration, however a connection asks for it.
#[test]
fn a_connection_does_not_start_with_a_scope_of_a_table_that_is_not_registered() {
    let Some((sexton, database)) = ground("scopes::a_connection_does_not_start_with_a_scope…") else { return };
    let connect = |scope: &str| {
        let options = format!("-c sexton.scope=live,{scope}");
        Raw::connect_with(
            sexton.port,
            &[("user", "scopes_support"), ("database", &database.name), ("options", &options)],
        )
    };
    let mut support = connect("Items=all").expect("it may");
    assert_eq!(names(&mut support, ALONE), "pen,dead ink,dead cap");
    let refused = connect("itmes=all").err().map(|error| error.to_string()).unwrap_or_default();
    assert!(refused.contains("22023") && refused.contains("no table \"itmes\" is registered"), "{refused}");
}

/// The settings of the server objects are not for clients, however a connection asks for them (P4, P5).
#[test]
fn a_connection_does_not_start_with_a_setting_of_the_server_objects() {
    let Some((sexton, database)) = ground("scopes::a_connection_does_not_start…") else { return };
    let connect = |user: &str, asked: (&str, &str)| {
        Raw::connect_with(sexton.port, &[("user", user), ("database", &database.name), asked])
    };
    for asked in [
        ("options", "-c sexton.unkept=on"),
        ("options", "--sexton.cascade=on -c sexton.actor=ann"),
        ("options", "-e -csexton.UNKEPT=off"),
        ("Sexton.event", "x"),
        ("sexton.whatever", ""),
    ] {
        let refused = connect("scopes_app", asked).err().map(|error| error.to_string()).unwrap_or_default();
        assert!(
            refused.contains("42501") && refused.contains("permission denied to set parameter"),
            "{asked:?}: {refused}"
        );
    }
    let mut app = connect("scopes_app", ("options", "-c sexton.actor=ann -c sexton.reason=tidying")).expect("it may");
    let reason = "SELECT current_setting('sexton.actor') || current_setting('sexton.reason')";
    assert_eq!(app.expect(reason)[0].texts(), [["anntidying"]]);
    let mut dba = connect("scopes_dba", ("sexton.unkept", "on")).expect("it may");
    assert_eq!(dba.expect("SHOW sexton.unkept")[0].texts(), [["on"]]);
}

#[test]
fn a_statement_prepared_earlier_follows_the_time() {
    let Some((sexton, database)) = ground("scopes::a_statement_prepared_earlier_follows_the_time") else { return };
    let mut support = sexton.connect("scopes_support", &database.name);
    let mut run = |before: &str, first: bool| {
        support.expect(before);
        let mut messages = if first { parse("s", ALONE) } else { Vec::new() };
        messages.extend([bind("s", &[], false), execute(0), sync()].concat());
        support.send(&messages).expect("it can be sent");
        support.replies(ALONE).last().map(|reply| reply.rows.len())
    };
    assert_eq!(run("SELECT 1", true), Some(1));
    assert_eq!(run("SET sexton.as_of = '2026-01-15Z'", false), Some(2));
    assert_eq!(run("BEGIN; SET LOCAL sexton.as_of = '2025-12-01Z'", false), Some(3));
    assert_eq!(run("ROLLBACK", false), Some(2));
    assert_eq!(run("RESET sexton.as_of", false), Some(1));
}

#[test]
fn a_foreign_key_that_is_not_there_is_found() {
    let Some(cluster) = cluster::shared("scopes::a_foreign_key_that_is_not_there_is_found") else { return };
    let database = Database::create(cluster, "scopes");
    database.run(ROLES);
    database.run(SCHEMA);
    for (named, code, found) in [
        ("lines.item_id", 0, ""),
        (
            "lines.id",
            1,
            "public.lines.id has no foreign key that points to the table\n  mend: ALTER TABLE public.lines ADD FOREIGN KEY (id) REFERENCES public.items, or",
        ),
        ("lines.other", 1, "public.lines.other does not exist\n  mend: correct visible_through"),
        (
            "notyet.item_id",
            0,
            "the table of public.notyet.item_id does not exist yet\n  mend: create it through Sexton",
        ),
    ] {
        let config = CONFIG.replace("lines.item_id", named);
        let output = sexton::run(database.port, &config, &["rewrite", "--database", &database.name, ALONE]);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.success(), code == 0, "{named}: {said}");
        let found = if found.is_empty() { String::new() } else { format!("public.items: visible_through: {found}") };
        assert!(said.contains(&found) && (!found.is_empty() || said.is_empty()), "{named}: {said}");
    }
}

#[test]
fn a_prepared_statement_follows_what_its_role_may_use() {
    let Some((sexton, database)) = ground("scopes::a_prepared_statement_follows_what_its_role_may_use") else { return };
    database.run(
        "CREATE SCHEMA mine AUTHORIZATION scopes_app; CREATE TABLE mine.items (name text);
         INSERT INTO mine.items VALUES ('own'); GRANT SELECT ON mine.items TO scopes_app",
    );
    let mut app = sexton.connect("scopes_app", &database.name);
    app.expect("SET search_path = mine, public");
    app.send(&[parse("parsed", "SELECT name FROM items"), sync()].concat()).expect("sent");
    app.replies("a Parse");
    app.expect("PREPARE prepared AS SELECT name FROM items");
    let executed = |app: &mut Raw| {
        app.send(&[bind("parsed", &[], false), execute(0), sync()].concat()).expect("sent");
        let texts = app.replies("a Bind").last().expect("a reply").texts();
        texts.into_iter().flatten().collect::<Vec<_>>().join(",")
    };
    assert_eq!((executed(&mut app).as_str(), names(&mut app, "EXECUTE prepared").as_str()), ("own", "own"));
    // From here on the same words mean the registered table.
    app.expect("REVOKE USAGE ON SCHEMA mine FROM scopes_app");
    assert_eq!(executed(&mut app), "pen");
    assert_eq!(names(&mut app, "EXECUTE prepared"), "55000");
    app.expect("GRANT USAGE ON SCHEMA mine TO scopes_app");
    assert_eq!((executed(&mut app).as_str(), names(&mut app, "EXECUTE prepared").as_str()), ("own", "own"));
}
