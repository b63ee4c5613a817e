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

/// Nor by what gives way along with it: a deleted row of `u` points to the one whose key is taken, another one to that, and a
/// live row of the same statement to the last.
#[test]
fn a_child_of_what_gives_way_along_is_not_lost() {
    let schema = "CREATE TABLE t (id int PRIMARY KEY, lead int, deleted_at timestamptz);
        CREATE TABLE u (id int PRIMARY KEY, t int REFERENCES t ON DELETE SET NULL, deleted_at timestamptz,
            boss int REFERENCES u ON DELETE CASCADE);
        ALTER TABLE t ADD FOREIGN KEY (lead) REFERENCES u ON DELETE SET NULL DEFERRABLE INITIALLY DEFERRED;
        INSERT INTO t VALUES (1); INSERT INTO u VALUES (11, 1, NULL, NULL), (12, NULL, NULL, 11)";
    let tables = [("t", SoftArchived), ("u", SoftArchived)];
    let Some(mut twin) = Twin::new("keys::a_child_of_what…", schema, &tables) else { return };
    twin.delete("u", "id = 11");
    twin.delete("t", "id = 1");
    let error = twin.kept_only("INSERT INTO t VALUES (9, 12), (1, NULL)").expect("it is refused");
    assert_eq!(error.sqlstate, "0A000", "{error}");
    twin.both("INSERT INTO t VALUES (1, NULL)");
    twin.refused("INSERT INTO t VALUES (9, 12)");
}

const REVIVED: &str = "CREATE TABLE t (id int PRIMARY KEY, email text UNIQUE, at timestamptz, deleted_at timestamptz);
    CREATE TABLE c (id int PRIMARY KEY, t int REFERENCES t ON DELETE CASCADE, deleted_at timestamptz);
    INSERT INTO t VALUES (1, 'a', '2020-02-03 04:05:06.123456'), (2, 'b', now())";

/// `REVIVED` with `more` for its table, and its first row deleted.
fn revived(test: &str, more: &str) -> Option<Database> {
    let database = Database::create(cluster::shared(test)?, "keys_revived");
    database.run(REVIVED);
    schema::apply(&database, &format!("[databases.\"*\".tables.t]\ndelete = \"soft\"\n{more}"), false);
    database.run("INSERT INTO c SELECT 1, 1 FROM pg_class WHERE relname = 'c_gone'");
    database.run("UPDATE t SET deleted_at = now() - interval '90 days' WHERE id = 1");
    Some(database)
}

/// A BEFORE trigger cannot know that the row comes: another key may be taken, another trigger may leave it out.
#[test]
fn a_dead_row_whose_place_nothing_takes_stays() {
    for more in ["reinsert = \"revive\"", "retain = \"30 days\"", "reinsert = \"revive\"\narchive = \"t_gone\""] {
        let Some(database) = revived("keys::a_dead_row_whose…", more) else { return };
        let mut session = database.direct();
        session.expect(
            "CREATE FUNCTION leave_out() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
            CREATE TRIGGER \"~~\" BEFORE INSERT ON t FOR EACH ROW WHEN (NEW.email = 'no') EXECUTE FUNCTION leave_out()",
        );
        let left = "SELECT id, email, at, deleted_at < now() FROM t WHERE id = 1";
        let before = session.expect(left)[0].texts();
        for sql in [
            "INSERT INTO t VALUES (1, 'b') ON CONFLICT DO NOTHING",
            "INSERT INTO t VALUES (1, 'b') ON CONFLICT (email) DO UPDATE SET at = now()",
            "BEGIN; SET CONSTRAINTS ALL IMMEDIATE; INSERT INTO t VALUES (1, 'b') ON CONFLICT DO NOTHING; COMMIT",
            "INSERT INTO t VALUES (1, 'no')",
        ] {
            session.expect("SET datestyle = 'Postgres, MDY'; SET timezone = 'Asia/Kolkata'");
            session.expect(sql);
            session.expect("RESET datestyle; RESET timezone");
            assert_eq!(session.expect(left)[0].texts(), before, "{sql}");
        }
        session.expect(
            "BEGIN; INSERT INTO t VALUES (1, 'n'); INSERT INTO t VALUES (3, 'b') ON CONFLICT DO NOTHING; COMMIT",
        );
        assert_eq!(session.expect("SELECT id, email FROM t ORDER BY id")[0].texts(), [["1", "n"], ["2", "b"]]);
        assert_eq!(session.expect("SELECT count(*) FROM sexton.exempt")[0].texts(), [["0"]]);
    }
}

/// Until it is settled what becomes of the dead row, the live one has its key.
#[test]
fn a_row_that_has_taken_the_place_of_a_dead_one_is_archived_when_it_goes() {
    let Some(cluster) = cluster::shared("keys::a_row_that_has_taken…") else { return };
    let database = Database::create(cluster, "keys_revived");
    database.run(
        "CREATE TABLE own (id int PRIMARY KEY);
        CREATE TABLE t (id int, part int, own int REFERENCES own ON DELETE CASCADE, what text, deleted_at timestamptz,
            PRIMARY KEY (id, part)) PARTITION BY LIST (part);
        CREATE TABLE t_1 PARTITION OF t FOR VALUES IN (1);
        INSERT INTO own VALUES (1), (2); INSERT INTO t VALUES (1, 1, 1, 'dead', '2020-01-01')",
    );
    let section = "[databases.\"*\".tables.t]\ndelete = \"soft\"\nreinsert = \"revive\"\narchive = \"t_archive\"";
    schema::apply(&database, section, false);
    database.run("BEGIN; INSERT INTO t_1 VALUES (1, 1, 2, 'precious'); DELETE FROM own WHERE id = 2; COMMIT");
    let mut session = database.direct();
    assert_eq!(session.expect("SELECT what FROM t_archive")[0].texts(), [["precious"]]);
    assert_eq!(session.expect("SELECT what FROM t")[0].texts(), [["dead"]]);
}

/// A statement trigger is not copied to partitions: a statement that names one is settled at COMMIT.
#[test]
fn a_dead_row_of_a_partition_comes_back_at_commit() {
    let Some(cluster) = cluster::shared("keys::a_dead_row_of…") else { return };
    let database = Database::create(cluster, "keys_revived");
    database.run(
        "CREATE TABLE t (part int, id int, deleted_at timestamptz, PRIMARY KEY (id, part)) PARTITION BY LIST (part);
        CREATE TABLE t_1 (id int NOT NULL, deleted_at timestamptz, part int NOT NULL);
        ALTER TABLE t ATTACH PARTITION t_1 FOR VALUES IN (1);
        CREATE FUNCTION leave_out() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
        CREATE TRIGGER \"~~\" BEFORE INSERT ON t_1 FOR EACH ROW WHEN (NEW.deleted_at IS NULL) EXECUTE FUNCTION leave_out();
        INSERT INTO t VALUES (1, 1, '2020-01-01')",
    );
    schema::apply(&database, "[databases.\"*\".tables.t]\ndelete = \"soft\"\nreinsert = \"revive\"", false);
    let mut session = database.direct();
    for sql in ["INSERT INTO t_1 VALUES (1, NULL, 1)", "INSERT INTO t VALUES (1, 1, NULL)"] {
        session.expect(sql);
        let left = session.expect("SELECT id, part, deleted_at::date FROM t")[0].texts();
        assert_eq!(left, [["1", "1", "2020-01-01"]], "{sql}");
    }
}

#[test]
fn dead_children_of_a_revived_row_go_to_their_archive() {
    let child = "reinsert = \"revive\"\n[databases.\"*\".tables.c]\ndelete = \"soft\"\narchive = \"c_gone\"";
    let Some(database) = revived("keys::dead_children_of…", child) else { return };
    let mut session = database.direct();
    assert_eq!(session.expect("SELECT count(*) FROM c WHERE deleted_at IS NOT NULL")[0].texts(), [["1"]]);
    session.expect("INSERT INTO t VALUES (1, 'a')");
    assert_eq!(
        session.expect("SELECT (SELECT count(*) FROM c), (SELECT count(*) FROM c_gone)")[0].texts(),
        [["0", "1"]]
    );
}

/// Below CASCADE, where the dead parent goes, dead children without an archive would go for good.
#[test]
fn dead_children_without_an_archive_keep_their_parent() {
    let schema = "CREATE TABLE p (id int PRIMARY KEY, deleted_at timestamptz);
        CREATE TABLE c (id int PRIMARY KEY, p int REFERENCES p ON DELETE CASCADE, deleted_at timestamptz);
        CREATE TABLE g (id int PRIMARY KEY, c int REFERENCES c ON DELETE CASCADE, deleted_at timestamptz);
        INSERT INTO p VALUES (1), (2); INSERT INTO c VALUES (1, 1); INSERT INTO g VALUES (1, 1)";
    for c in [Soft, SoftArchived] {
        let tables = [("p", SoftArchived), ("c", c), ("g", Soft)];
        let Some(mut twin) = Twin::new("keys::dead_children_without…", schema, &tables) else { return };
        twin.delete("p", "true");
        let error = twin.kept_only("INSERT INTO p VALUES (1)").expect("it is refused");
        assert_eq!(error.sqlstate, "23505");
        assert!(error.detail.as_deref().is_some_and(|detail| detail.contains("would destroy a row")), "{error:?}");
        assert_eq!(
            twin.ask("SELECT (SELECT count(*) FROM p), (SELECT count(*) FROM c), (SELECT count(*) FROM g)"),
            "211"
        );
        twin.both("INSERT INTO p VALUES (2)");
    }
}

/// A plan made while the table was empty would read the whole of it for each row that is copied in.
#[test]
fn a_table_that_grows_is_not_read_whole_for_each_row() {
    let Some(mut twin) = Twin::new("keys::a_table_that…", SCHEMA, &[("t", SoftArchived)]) else { return };
    twin.kept_only("TRUNCATE t; ANALYZE t");
    twin.kept_only("BEGIN");
    let scans = "SELECT seq_scan FROM pg_stat_xact_user_tables WHERE relname = 't'";
    let before = twin.ask(scans);
    twin.kept_only("INSERT INTO t SELECT n FROM generate_series(1, 1000) AS n");
    assert_eq!(twin.ask(scans), before);
    twin.kept_only("ROLLBACK");
}
