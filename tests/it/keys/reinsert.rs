//! Rows that take the key of a deleted one.

use super::Kind::{Soft, SoftArchived};
use super::Twin;
use crate::support::cluster;
use crate::support::database::Database;
use crate::support::schema;

const SCHEMA: &str = "CREATE TABLE t (id int PRIMARY KEY, name text, deleted_at timestamptz);
    CREATE TABLE src (id int, name text);
    INSERT INTO t VALUES (1, 'one'), (2, 'two'), (3, 'three'), (4, 'four'), (5, 'five');
    INSERT INTO src VALUES (2, 'src'), (8, 'src')";

#[test]
fn every_way_in_finds_the_key_of_a_dead_row_free() {
    let Some(mut twin) = Twin::new("keys::every_way_in…", SCHEMA, &[("t", SoftArchived)]) else { return };
    for sql in [
        "INSERT INTO t VALUES (1, 'again')",
        "INSERT INTO t VALUES (1, 'again'), (7, 'new'), (2, 'again')",
        "INSERT INTO t (id, name) SELECT id, name FROM src",
        "INSERT INTO t VALUES (1, 'again') ON CONFLICT DO NOTHING",
        "INSERT INTO t VALUES (1, 'again') ON CONFLICT (id) DO UPDATE SET name = 'was there'",
        "INSERT INTO t VALUES (1, 'again') ON CONFLICT ON CONSTRAINT t_pkey DO UPDATE SET name = 'was there'",
        "UPDATE t SET id = 1 WHERE id = 5",
        "INSERT INTO t VALUES (5, 'in the way')",
        "INSERT INTO t VALUES (1, 'twice'), (1, 'twice')",
    ] {
        twin.both("BEGIN");
        twin.delete("t", "id < 4");
        twin.both(sql);
        twin.both("ROLLBACK");
    }
    twin.delete("t", "id = 1");
    let copied = twin.copy("COPY t FROM STDIN", "1\tcopied\t\\N\n9\tnew\t\\N\n");
    assert_eq!(copied, [Some("COPY 2".to_owned()), Some("COPY 2".to_owned())]);
    assert_eq!(twin.ask("SELECT name FROM t_archive"), "one");
    twin.delete("t", "id = 2");
    if twin.version() >= 15 {
        twin.compare(
            "MERGE INTO t USING src ON t.id = src.id WHEN MATCHED THEN UPDATE SET name = 'matched' WHEN NOT MATCHED THEN INSERT VALUES (src.id, src.name)",
            "MERGE INTO t USING src ON t.id = src.id AND t.deleted_at IS NULL WHEN MATCHED THEN UPDATE SET name = 'matched' WHEN NOT MATCHED THEN INSERT VALUES (src.id, src.name)",
        );
    }
    twin.both("SELECT 1");
}

#[test]
fn an_undelete_of_a_row_whose_key_is_its_own_passes() {
    let Some(mut twin) = Twin::new("keys::an_undelete_of…", SCHEMA, &[("t", SoftArchived)]) else { return };
    twin.delete("t", "id = 1");
    assert_eq!(twin.kept_only("UPDATE t SET deleted_at = NULL WHERE id = 1"), None);
    assert_eq!(twin.ask("SELECT count(*) FROM t_archive"), "0");
}

#[test]
fn dead_children_follow_a_superseded_parent_to_their_archive() {
    let schema = "CREATE TABLE p (id int PRIMARY KEY, deleted_at timestamptz);
        CREATE TABLE c (id int PRIMARY KEY, p int REFERENCES p, deleted_at timestamptz);
        CREATE TABLE g (id int PRIMARY KEY, c int REFERENCES c ON DELETE CASCADE, deleted_at timestamptz);
        INSERT INTO p VALUES (1); INSERT INTO c VALUES (1, 1); INSERT INTO g VALUES (1, 1)";
    let tables = [("p", SoftArchived), ("c", SoftArchived), ("g", SoftArchived)];
    let Some(mut twin) = Twin::new("keys::dead_children…", schema, &tables) else { return };
    twin.delete("c", "true");
    twin.delete("p", "true");
    twin.both("INSERT INTO p VALUES (1)");
    let archived =
        "SELECT (SELECT count(*) FROM p_archive), (SELECT count(*) FROM c_archive), (SELECT count(*) FROM g_archive)";
    assert_eq!(twin.ask(archived), "111");
}

#[test]
fn without_an_archive_a_row_goes_only_when_it_may() {
    let Some(mut twin) = Twin::new("keys::without_an_archive…", SCHEMA, &[("t", Soft)]) else { return };
    twin.delete("t", "id = 1");
    let error = twin.kept_only("INSERT INTO t VALUES (1, 'again')").expect("it is refused");
    assert_eq!(error.sqlstate, "23505");
    assert!(error.message.starts_with("sexton: a deleted row of public.t holds this key"), "{error}");
    assert_eq!(twin.ask("SELECT count(*) FROM t"), "5", "nothing is lost");
}

/// One table with `more` in its section, and a dead row that was deleted `ago`.
fn kept(test: &str, more: &str, ago: &str) -> Option<Database> {
    let database = Database::create(cluster::shared(test)?, "keys_reinsert");
    database.run(SCHEMA);
    schema::apply(&database, &format!("[databases.\"*\".tables.t]\ndelete = \"soft\"\n{more}"), false);
    database.run(&format!("UPDATE t SET deleted_at = now() - interval '{ago}' WHERE id = 1"));
    Some(database)
}

#[test]
fn a_row_past_its_time_is_removed() {
    let Some(database) = kept("keys::a_row_past…", "retain = \"30 days\"", "31 days") else { return };
    database.run("INSERT INTO t VALUES (1, 'again')");
    let Some(database) = kept("keys::a_row_past…", "retain = \"30 days\"", "29 days") else { return };
    assert!(database.direct().simple("INSERT INTO t VALUES (1, 'again')")[0].error.is_some());
}

#[test]
fn revive_puts_the_new_row_in_the_place_of_the_dead_one() {
    let Some(database) = kept("keys::revive…", "reinsert = \"revive\"\narchive = \"t_archive\"", "1 day") else {
        return;
    };
    let mut direct = database.direct();
    direct.expect("INSERT INTO t VALUES (1, 'again')");
    assert_eq!(direct.expect("SELECT name, deleted_at IS NULL FROM t WHERE id = 1")[0].texts(), [["again", "t"]]);
    assert_eq!(direct.expect("SELECT count(*) FROM t_archive")[0].texts(), [["0"]]);
}

#[test]
fn error_leaves_it_to_the_server() {
    let Some(database) = kept("keys::error…", "reinsert = \"error\"", "1 day") else { return };
    let error = database.direct().simple("INSERT INTO t VALUES (1, 'again')").remove(0).error.expect("it is refused");
    assert_eq!(error.object('n'), Some("t_pkey"));
}

/// A dead child whose reference is set to null when the dead parent leaves keeps, or notes, what it pointed to.
#[test]
fn dead_children_do_not_forget_a_superseded_parent() {
    let schema = "CREATE TABLE p (id int PRIMARY KEY, deleted_at timestamptz);
        CREATE TABLE c (id int PRIMARY KEY, p int REFERENCES p ON DELETE SET NULL, deleted_at timestamptz);
        INSERT INTO p VALUES (1); INSERT INTO c VALUES (1, 1)";
    for (kind, question) in
        [(SoftArchived, "SELECT p FROM c_archive"), (Soft, "SELECT columns->>'p' FROM sexton.nulled")]
    {
        let tables = [("p", SoftArchived), ("c", kind)];
        let Some(mut twin) = Twin::new("keys::dead_children_do…", schema, &tables) else { return };
        twin.delete("c", "true");
        twin.delete("p", "true");
        twin.both("INSERT INTO p VALUES (1)");
        assert_eq!(twin.ask(question), "1", "{kind:?}");
    }
}

/// A live child that is there before its parent is not taken along by the dead row that gives way to it.
#[test]
fn a_child_ahead_of_its_parent_is_not_lost() {
    let schema = "CREATE TABLE p (id int PRIMARY KEY, boss int REFERENCES p ON DELETE CASCADE, deleted_at timestamptz);
        CREATE TABLE c (id int PRIMARY KEY, deleted_at timestamptz,
            p int REFERENCES p ON DELETE SET NULL DEFERRABLE INITIALLY DEFERRED);
        INSERT INTO p VALUES (1)";
    let Some(mut twin) = Twin::new("keys::a_child_ahead…", schema, &[("p", SoftArchived), ("c", Soft)]) else {
        return;
    };
    twin.delete("p", "id = 1");
    let error = twin.kept_only("INSERT INTO p VALUES (2, 1), (1, NULL)").expect("it is refused");
    assert_eq!(error.sqlstate, "0A000", "{error}");
    assert_eq!(twin.ask("SELECT count(*) FROM p_archive"), "0");
    twin.both("BEGIN");
    twin.both("INSERT INTO c VALUES (1, NULL, 1)");
    let error = twin.kept_only("INSERT INTO p VALUES (1)").expect("it is refused");
    assert_eq!(error.sqlstate, "0A000", "{error}");
}
