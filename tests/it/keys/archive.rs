//! Archives, what they lack, and what the audit says.

use super::Kind::{Archive, Soft, SoftArchived};
use super::Twin;
use crate::support::cluster;
use crate::support::database::Database;
use crate::support::schema;

const SCHEMA: &str = "CREATE TABLE p (id int PRIMARY KEY, deleted_at timestamptz);
    CREATE TABLE c (id int PRIMARY KEY, p int REFERENCES p ON DELETE CASCADE, \"Odd name\" text, deletion_id uuid);
    INSERT INTO p VALUES (1), (2), (3); INSERT INTO c VALUES (1, 1, 'a'), (2, 1, 'b'), (3, 2, 'c'), (4, 3, 'd')";

#[test]
fn a_column_the_archive_lacks_is_named_and_nothing_is_lost() {
    let Some(mut twin) = Twin::new("keys::a_column…", SCHEMA, &[("p", Soft), ("c", Archive)]) else { return };
    assert_eq!(twin.kept_only("ALTER TABLE c ADD COLUMN \"More of it\" int DEFAULT 7"), None);
    let mark = twin.rewritten("p", "id = 1");
    let error = twin.kept_only(&mark).expect("it is refused");
    assert_eq!(error.message, "sexton: the archive table public.c_archive lacks the column(s) More of it");
    assert_eq!(twin.ask("SELECT count(*) FROM c"), "4");
    let found = twin.findings("");
    assert!(found.iter().any(|finding| finding.kind == "archive" && finding.what.contains("More of it")), "{found:#?}");
    // The archive has the column, the trigger does not know it yet: the slower way.
    assert_eq!(twin.kept_only("ALTER TABLE c_archive ADD COLUMN \"More of it\" int"), None);
    assert_eq!(twin.kept_only(&mark), None);
    let archived = "SELECT string_agg(concat(id, p, \"Odd name\", \"More of it\"), ' ' ORDER BY id) FROM c_archive";
    assert_eq!(twin.ask(archived), "11a7 21b7");
    assert_eq!(twin.ask("SELECT count(DISTINCT deletion_id), count(archived_at) FROM c_archive"), "12");
    // And again when a column goes.
    assert_eq!(twin.kept_only("ALTER TABLE c DROP COLUMN \"Odd name\""), None);
    let mark = twin.rewritten("p", "id = 2");
    assert_eq!(twin.kept_only(&mark), None);
    assert_eq!(twin.ask("SELECT concat(id, p, \"More of it\") FROM c_archive WHERE id = 3"), "327");
}

#[test]
fn types_and_null_drift_are_mended() {
    let Some(mut twin) = Twin::new("keys::types…", SCHEMA, &[("p", Soft), ("c", Archive)]) else { return };
    assert_eq!(
        twin.kept_only("ALTER TABLE c ALTER COLUMN id TYPE bigint; ALTER TABLE c_archive ALTER COLUMN p SET NOT NULL"),
        None
    );
    schema::apply(&twin.kept, &twin.config, false);
    assert_eq!(twin.kept_only("INSERT INTO c_archive (id) VALUES (5000000000)"), None);
    assert_eq!(twin.kept_only("CREATE UNIQUE INDEX twice ON c_archive (id)"), None);
    let found = twin.findings("");
    assert!(found.len() == 1 && found[0].mend.as_deref() == Some("DROP INDEX public.twice"), "{found:#?}");
}

#[test]
fn a_soft_row_without_an_archive_is_not_destroyed_by_a_cascade() {
    let schema = "CREATE TABLE p (id int PRIMARY KEY);
        CREATE TABLE c (id int PRIMARY KEY, p int REFERENCES p ON DELETE CASCADE, deleted_at timestamptz);
        INSERT INTO p VALUES (1), (2); INSERT INTO c VALUES (1, 1)";
    let Some(mut twin) = Twin::new("keys::a_soft_row…", schema, &[("c", Soft)]) else { return };
    let error = twin.kept_only("DELETE FROM p WHERE id = 1").expect("it is refused");
    assert_eq!(error.message, "sexton: a cascade would destroy a row of public.c");
    assert_eq!(twin.kept_only("DELETE FROM p WHERE id = 2"), None);
}

/// A database with an audited parent and child, and its objects.
fn audited(test: &str) -> Option<Database> {
    let database = Database::create(cluster::shared(test)?, "keys_audit");
    database.run(SCHEMA);
    let rest = "[databases.\"*\".tables.p]\ndelete = \"soft\"\naudit = true\n[databases.\"*\".tables.c]\ndelete = \"archive\"\naudit = true";
    schema::apply(&database, rest, false);
    Some(database)
}

#[test]
fn each_statement_that_deletes_is_recorded() {
    let Some(database) = audited("keys::each_statement…") else { return };
    let mut session = database.direct();
    session.expect("SET sexton.actor = 'ann'; SET sexton.reason = 'tidying'");
    session.expect("UPDATE p SET deleted_at = now() WHERE id IN (1, 2) AND deleted_at IS NULL");
    session.expect("UPDATE p SET id = 30 WHERE id = 3 AND false");
    session.expect("RESET sexton.actor; RESET sexton.reason");
    session.expect(
        "DELETE FROM c WHERE id = 4 /* other='1',actor='bob%20o%27neill',reason='it\\'s%20over',traceparent='00-ab' */",
    );
    let rows = session.expect(
        "SELECT relation, actor, reason, rows, keys, trace, role, count(*) OVER (PARTITION BY event) FROM sexton.deletions ORDER BY relation, id",
    )[0]
    .texts();
    let told: Vec<String> = rows.iter().map(|row| row.join("|")).collect();
    assert_eq!(
        told,
        [
            "public.c|ann|tidying|2|[{\"id\": 1}, {\"id\": 2}]|null|postgres|3",
            "public.c|ann|tidying|1|[{\"id\": 3}]|null|postgres|3",
            "public.c|bob o'neill|it's over|1|[{\"id\": 4}]|00-ab|postgres|1",
            "public.p|ann|tidying|2|[{\"id\": 1}, {\"id\": 2}]|null|postgres|3",
        ]
    );
    assert_eq!(
        session.expect("SELECT DISTINCT archived_by, archive_reason FROM c_archive")[0].texts(),
        [["ann", "tidying"]]
    );
}

#[test]
fn a_comment_that_is_no_tag_stops_nothing() {
    let Some(database) = audited("keys::a_comment…") else { return };
    let mut session = database.direct();
    for comment in ["/* actor='%ff%fe' */", "/* actor= */", "-- actor='x'", "/* factor='no' */", "/*actor=''*/"] {
        session.expect(&format!(
            "BEGIN; DELETE FROM c WHERE id = 4 {comment}\n; COMMIT; INSERT INTO c VALUES (4, 3, 'd')"
        ));
    }
    let actors =
        session.expect("SELECT string_agg(actor, ' ' ORDER BY id) FROM sexton.deletions")[0].texts().concat().concat();
    assert_eq!(actors, "%ff%fe postgres postgres postgres postgres");
}

#[test]
fn statements_of_one_shape_share_a_fingerprint() {
    let Some(database) = audited("keys::statements…") else { return };
    let mut session = database.direct();
    for sql in
        ["DELETE FROM c WHERE id = 1", "DELETE  FROM c\nWHERE id = 22 -- x", "delete from c where id = 3 /* y */"]
    {
        session.expect(sql);
    }
    session.expect("DELETE FROM c WHERE id > 3");
    assert_eq!(session.expect("SELECT count(DISTINCT fingerprint) FROM sexton.deletions")[0].texts(), [["2"]]);
}

#[test]
fn the_guard_lets_only_sexton_delete() {
    let Some(cluster) = cluster::shared("keys::the_guard…") else { return };
    let database = Database::create(cluster, "keys_guard");
    database.run(SCHEMA);
    let rest = "[databases.\"*\".tables.p]\ndelete = \"soft\"\n[databases.\"*\".tables.c]\ndelete = \"archive\"";
    schema::apply(&database, rest, true);
    assert!(schema::findings(&database, rest, false).is_empty(), "the guard stays");
    let mut session = database.direct();
    let error = session.simple("DELETE FROM c").remove(0).error.expect("it is refused");
    assert_eq!(
        (error.sqlstate.as_str(), error.message.as_str()),
        ("42501", "sexton: rows of public.c are deleted through Sexton only")
    );
    session.expect("DELETE FROM c WHERE id = 4 AND (SELECT sexton.event(true)) IS NOT NULL");
    assert!(session.simple("DELETE FROM c WHERE id = 3")[0].error.is_some(), "an event ends with its message");
    session.expect("UPDATE p SET deleted_at = now() WHERE id = 1");
    assert_eq!(session.expect("SELECT count(*) FROM c")[0].texts(), [["1"]], "a cascade passes");
}

#[test]
fn a_parent_that_is_archived_notes_what_it_set_to_null() {
    let schema = "CREATE TABLE p (id int PRIMARY KEY);
        CREATE TABLE c (id int PRIMARY KEY, p int REFERENCES p ON DELETE SET NULL, deleted_at timestamptz);
        INSERT INTO p VALUES (1), (2); INSERT INTO c VALUES (1, 1), (2, 2)";
    let Some(mut twin) = Twin::new("keys::a_parent_that_is…", schema, &[("p", Archive), ("c", SoftArchived)]) else {
        return;
    };
    twin.delete("p", "id = 1");
    assert_eq!(twin.ask("SELECT relation, key, columns FROM sexton.nulled"), "public.c{\"id\": 1}{\"p\": 1}");
}
