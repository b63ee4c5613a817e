//! Archives, what they lack, and what the audit says.

use super::Kind::{Archive, Soft, SoftArchived};
use super::Twin;
use crate::support::cluster;
use crate::support::database::Database;
use crate::support::schema;
use crate::support::sexton::{configuration, refused};
use sexton::schema::Level;

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

/// What a statement and its cascades delete of the same table is in one transition table.
#[test]
fn a_row_of_a_table_that_cascades_to_itself_is_archived_once() {
    let schema = "CREATE TABLE a (id int PRIMARY KEY, boss int REFERENCES a ON DELETE CASCADE);
        CREATE TABLE b (id int PRIMARY KEY, a int, FOREIGN KEY (a) REFERENCES a ON DELETE CASCADE);
        ALTER TABLE a ADD b int REFERENCES b ON DELETE CASCADE;
        INSERT INTO a VALUES (1, NULL), (2, 1), (3, 2), (4, 1), (7, NULL); INSERT INTO b VALUES (1, 1), (2, 7);
        INSERT INTO a VALUES (5, NULL, 1)";
    let Some(mut twin) = Twin::new("keys::a_row_of_a_table…", schema, &[("a", Archive), ("b", Archive)]) else {
        return;
    };
    twin.delete("a", "id = 1");
    twin.delete("b", "id = 2");
    twin.delete("a", "id = 7");
    assert_eq!(twin.ask("SELECT string_agg(id::text, ' ' ORDER BY id) FROM a_archive"), "1 2 3 4 5 7");
    assert_eq!(twin.ask("SELECT string_agg(id::text, ' ' ORDER BY id) FROM b_archive"), "1 2");
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

/// What is archived already is cut by nothing that `apply` does, and no deletion cuts what it archives.
#[test]
fn a_type_that_changed_on_one_side_loses_nothing() {
    let schema = "CREATE TABLE c (id int PRIMARY KEY, name text, cents numeric(10,2), at timestamptz, n int)";
    let Some(mut twin) = Twin::new("keys::a_type_that…", schema, &[("c", Archive)]) else { return };
    assert_eq!(
        twin.kept_only(
            "INSERT INTO c_archive (id, name, cents, at) VALUES (1, 'abcdef', 1.25, '2026-01-31 12:34Z');
             ALTER TABLE c ALTER name TYPE varchar(3), ALTER at TYPE date, ALTER n TYPE bigint, ALTER cents TYPE numeric(12,4)"
        ),
        None
    );
    let found = twin.findings("");
    let column = |column: &str| {
        let start = format!("its {column} is of type");
        found.iter().find(|finding| finding.what.starts_with(&start))
    };
    assert!(column("name").is_none(), "text keeps what varchar(3) holds: {found:#?}");
    let at = column("at").expect("a date is no time of a day");
    assert!(at.level == Level::Error && at.steps.is_empty() && at.mend.is_some(), "{at:#?}");
    let config = configuration(0, twin.kept.port, &twin.config.replace("\"*\"", &twin.kept.name));
    let said = refused(&config);
    assert!(said.contains("is of type numeric(10,2), which does not keep every value of numeric(12,4)"), "{said}");
    let cents = column("cents").expect("a cent would be rounded");
    assert_eq!(cents.level, Level::Error);
    assert_eq!(cents.steps[0].sql, "ALTER TABLE public.c_archive ALTER COLUMN cents TYPE numeric(12,4)");
    schema::apply(&twin.kept, &twin.config, false);
    assert_eq!(
        twin.ask("SELECT concat_ws(' ', name, cents, at AT TIME ZONE 'UTC') FROM c_archive"),
        "abcdef 1.2500 2026-01-31 12:34:00"
    );
    let types = "SELECT string_agg(format_type(atttypid, atttypmod), ', ' ORDER BY attnum) FROM pg_attribute \
                 WHERE attrelid = 'c_archive'::regclass AND attname IN ('name', 'cents', 'at', 'n')";
    assert_eq!(twin.ask(types), "text, numeric(12,4), timestamp with time zone, bigint");
}

/// A cascade is not seen by the rewriter: the trigger refuses what would be cut.
#[test]
fn a_cascade_rounds_nothing() {
    let schema = "CREATE TABLE p (id int PRIMARY KEY, deleted_at timestamptz);
        CREATE TABLE c (id int PRIMARY KEY, p int REFERENCES p ON DELETE CASCADE, cents numeric(10,2), at timestamp(0));
        INSERT INTO p VALUES (1); INSERT INTO c VALUES (1, 1, 1.25, '2026-01-31 12:34:56')";
    let Some(mut twin) = Twin::new("keys::a_cascade_rounds…", schema, &[("p", Soft), ("c", Archive)]) else { return };
    twin.both("ALTER TABLE c ALTER cents TYPE numeric(12,4), ALTER at TYPE timestamp(6); UPDATE c SET cents = 1.2345");
    let mark = twin.rewritten("p", "id = 1");
    let error = twin.kept_only(&mark).expect("it is refused");
    assert_eq!(error.message, "sexton: the archive table public.c_archive may not keep every value of cents, at");
    twin.apply_again("SELECT 1");
    twin.delete("p", "id = 1");
    assert_eq!(twin.ask("SELECT cents FROM c_archive"), "1.2345");
    // One that no step mends.
    twin.kept.run("ALTER TABLE c_archive ALTER at TYPE date");
    twin.apply_again("INSERT INTO p VALUES (2); INSERT INTO c VALUES (2, 2, 1.2345, NULL)");
    let mark = twin.rewritten("p", "id = 2");
    assert_eq!(twin.kept_only(&mark).expect("it is refused").sqlstate, "42804");
}

#[test]
fn columns_that_record_a_deletion_may_be_missing() {
    let Some(twin) = Twin::new("keys::columns_that…", SCHEMA, &[("p", Soft), ("c", Archive)]) else { return };
    twin.kept.run("ALTER TABLE c_archive DROP archived_by, DROP \"Odd name\"");
    let found = twin.findings("");
    let lacks = |column: &str| found.iter().find(|finding| finding.what.starts_with(&format!("it lacks {column}: ")));
    let recorded = lacks("archived_by").expect("it is found");
    assert!(recorded.level == Level::Warning && recorded.what.contains("does not record that"), "{recorded:#?}");
    let own = lacks("Odd name").expect("it is found");
    assert!(own.level == Level::Error && own.what.ends_with("would lose that, so it fails"), "{own:#?}");
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
        session.expect("SELECT DISTINCT archived_by, archive_reason FROM c_archive ORDER BY 1")[0].texts(),
        [["ann", "tidying"], ["bob o'neill", "it's over"]]
    );
}

#[test]
fn a_deletion_from_a_partition_is_recorded_as_one_from_its_table() {
    let Some(cluster) = cluster::shared("keys::a_deletion_from_a_partition…") else { return };
    let database = Database::create(cluster, "keys_audit");
    database.run(
        "CREATE TABLE p (id int PRIMARY KEY, deleted_at timestamptz) PARTITION BY RANGE (id);
        CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (10) PARTITION BY RANGE (id);
        CREATE TABLE p11 PARTITION OF p1 FOR VALUES FROM (0) TO (5);
        CREATE TABLE p12 PARTITION OF p1 FOR VALUES FROM (5) TO (10); INSERT INTO p VALUES (1), (2), (3), (7)",
    );
    schema::apply(&database, "[databases.\"*\".tables.p]\ndelete = \"soft\"\naudit = true", false);
    for (table, id) in [("p", 1), ("p1", 2), ("p11", 3)] {
        database.run(&format!("UPDATE {table} SET deleted_at = now() WHERE id = {id} AND deleted_at IS NULL"));
    }
    database.run("DELETE FROM p12");
    let rows = database.direct().expect("SELECT relation, rows, keys FROM sexton.deletions ORDER BY id")[0].texts();
    let told: Vec<String> = rows.iter().map(|row| row.join(" ")).collect();
    let expected = [1, 2, 3, 7].map(|id| format!("public.p 1 [{{\"id\": {id}}}]"));
    assert_eq!(told, expected);
}

#[test]
fn a_comment_that_is_no_tag_stops_nothing() {
    let Some(database) = audited("keys::a_comment…") else { return };
    let mut session = database.direct();
    for comment in ["/* actor='%ff%fe' */", "/* actor= */", "-- actor='x'", "/* factor='no' */", "/*actor=''*/"] {
        session.expect("BEGIN");
        session.expect(&format!("DELETE FROM c WHERE id = 4 {comment}\n;"));
        session.expect("COMMIT; INSERT INTO c VALUES (4, 3, 'd')");
    }
    let actors =
        session.expect("SELECT string_agg(actor, ' ' ORDER BY id) FROM sexton.deletions")[0].texts().concat().concat();
    assert_eq!(actors, "%ff%fe postgres postgres postgres postgres");
}

/// What an end user has written is inside a constant, and a statement's comment comes behind it.
#[test]
fn only_the_comment_at_the_end_says_who_deletes() {
    let Some(database) = audited("keys::only_the_comment…") else { return };
    let mut session = database.direct();
    for sql in [
        "SELECT sexton.tag('actor'), $$/* actor='boss' */$$ /* actor='me' */",
        "SELECT sexton.tag('actor'), '/* actor='''' */' /* trace='x',actor='me' */ ; ",
        "SELECT sexton.tag('actor') /* actor='boss' */ /* xactor='x', actor='me' */",
        "/* actor='boss' */ SELECT sexton.tag('actor') /* other=',actor=\\'boss\\'',actor='me',actor='boss' */",
    ] {
        assert_eq!(session.expect(sql)[0].texts()[0][0], "me", "{sql}");
    }
    for sql in [
        "SELECT sexton.tag('actor') IS NULL, '/* actor=''boss'' */'",
        "/* actor='boss' */ SELECT sexton.tag('actor') IS NULL",
    ] {
        assert_eq!(session.expect(sql)[0].texts()[0][0], "t", "{sql}");
    }
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
    for sql in ["TRUNCATE c", "TRUNCATE p", "TRUNCATE p CASCADE"] {
        let error = session.simple(sql).remove(0).error.expect("it is refused");
        assert!(error.message.ends_with("are deleted through Sexton only") || error.sqlstate == "0A000", "{error}");
    }
    assert_eq!(session.expect("SELECT count(*) FROM p")[0].texts(), [["3"]]);
    session.expect("SELECT sexton.event(true); TRUNCATE c");
}

#[test]
fn the_guard_sees_each_partition_truncated_unless_truncate_passes() {
    let Some(cluster) = cluster::shared("keys::the_guard_sees…") else { return };
    let database = Database::create(cluster, "keys_guard");
    database.run(
        "CREATE TABLE t (id int, at date, deleted_at timestamptz) PARTITION BY RANGE (at);
         CREATE TABLE t_1 PARTITION OF t FOR VALUES FROM ('2022-01-01') TO ('2023-01-01');
         CREATE TABLE free (id int, deleted_at timestamptz)",
    );
    let rest = "[databases.\"*\".tables.t]\ndelete = \"soft\"\n\
                [databases.\"*\".tables.free]\ndelete = \"soft\"\ntruncate = \"pass\"";
    schema::apply(&database, rest, true);
    let mut session = database.direct();
    for sql in ["TRUNCATE t", "TRUNCATE t_1"] {
        assert_eq!(session.simple(sql).remove(0).error.expect("it is refused").sqlstate, "42501");
    }
    session.expect("TRUNCATE free");
    session.expect("CREATE TABLE t_2 PARTITION OF t FOR VALUES FROM ('2023-01-01') TO ('2024-01-01')");
    assert!(schema::findings(&database, rest, false).iter().any(|found| found.object == "public.t_2"), "a new one");
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

/// A setting is anybody's to set; what exempts a row is not.
#[test]
fn no_setting_keeps_a_row_out_of_its_archive() {
    let Some(database) = audited("keys::no_setting…") else { return };
    let mut session = database.direct();
    session.expect("CREATE TABLE g (id int PRIMARY KEY); INSERT INTO g VALUES (1)");
    session.expect("ALTER TABLE c ADD g int REFERENCES g ON DELETE CASCADE; ALTER TABLE c_archive ADD g int");
    session.expect("UPDATE c SET g = 1; SET sexton.unkept = 'on'; SET sexton.exempt = 'on'");
    session.expect("DELETE FROM g");
    let kept = "SELECT (SELECT count(*) FROM c_archive), (SELECT sum(rows) FROM sexton.deletions)";
    assert_eq!(session.expect(kept)[0].texts(), [["4", "4"]]);
    session.expect("DROP ROLE IF EXISTS keys_nobody; CREATE ROLE keys_nobody; SET ROLE keys_nobody");
    for sql in ["INSERT INTO sexton.exempt (txid, relation, key) VALUES ('1', 0, 'null')", "SELECT FROM sexton.exempt"]
    {
        assert_eq!(session.simple(sql).remove(0).error.expect("it is refused").sqlstate, "42501");
    }
    session.expect("RESET ROLE; DROP ROLE keys_nobody");
}

/// What no rewritten statement has archived, the server does: a function, a DO block, whoever comes past Sexton.
#[test]
fn a_deletion_that_sexton_has_not_seen_is_archived() {
    let schema =
        "CREATE TABLE p (id int PRIMARY KEY, deleted_at timestamptz); CREATE TABLE c (id int PRIMARY KEY, p int);
        INSERT INTO p VALUES (1), (2), (3); INSERT INTO c VALUES (1, 1), (2, 1), (3, 2), (4, 3)";
    let tables = [("p", SoftArchived), ("c", Archive)];
    let Some(mut twin) = Twin::new("keys::a_deletion_that…", schema, &tables) else { return };
    twin.both("DO $$BEGIN DELETE FROM c WHERE id = 4; END$$");
    twin.delete("c", "id = 3");
    twin.both("DO $$BEGIN DELETE FROM p WHERE id = 1; DELETE FROM p WHERE id = 2; END$$");
    assert_eq!(twin.ask("SELECT string_agg(id::text, ' ' ORDER BY id) FROM c_archive"), "3 4");
    assert_eq!(twin.ask("SELECT string_agg(id::text, ' ' ORDER BY id) FROM p_archive"), "1 2");
}

/// To the source of a move between partitions the row is deleted; to everybody else it is not.
#[test]
fn a_row_that_moves_to_another_partition_is_not_archived() {
    let schema = "CREATE TABLE t (id int, region int, PRIMARY KEY (id, region)) PARTITION BY LIST (region);
        CREATE TABLE t_1 PARTITION OF t FOR VALUES IN (1); CREATE TABLE t_2 PARTITION OF t FOR VALUES IN (2);
        CREATE TABLE g (id int PRIMARY KEY); INSERT INTO g VALUES (1), (2);
        CREATE TABLE s (id int, region int, g int REFERENCES g ON DELETE CASCADE, deleted_at timestamptz,
            PRIMARY KEY (id, region)) PARTITION BY LIST (region);
        CREATE TABLE s_1 PARTITION OF s FOR VALUES IN (1); CREATE TABLE s_2 PARTITION OF s FOR VALUES IN (2);
        CREATE FUNCTION move() RETURNS trigger LANGUAGE plpgsql AS
            'BEGIN UPDATE t SET region = 2 WHERE id = 1; UPDATE s SET region = 2 WHERE id = 1; RETURN NULL; END';
        CREATE TRIGGER move AFTER INSERT ON g FOR EACH ROW EXECUTE FUNCTION move();
        INSERT INTO t VALUES (1, 1), (2, 1), (3, 1), (4, 2); INSERT INTO s VALUES (1, 1, 1), (2, 1, 1)";
    let Some(mut twin) = Twin::new("keys::a_row_that_moves…", schema, &[("t", Archive), ("s", Soft)]) else { return };
    twin.both("UPDATE t SET region = 2 WHERE id = 2");
    twin.both("INSERT INTO g VALUES (3)");
    assert_eq!(twin.ask("SELECT count(*) FROM t_archive"), "0");
    twin.both("DO $$BEGIN DELETE FROM t_1 WHERE id = 3; DELETE FROM t WHERE id = 4; END$$");
    assert_eq!(twin.ask("SELECT string_agg(id::text, ' ' ORDER BY id) FROM t_archive"), "3 4");
    let error = twin.kept_only("DELETE FROM g WHERE id = 1").expect("it is refused");
    assert_eq!(error.message, "sexton: a cascade would destroy a row of public.s");
}

/// A statement is looked at once, however many rows it deletes.
#[test]
fn a_long_statement_is_read_once() {
    let Some(database) = audited("keys::a_long_statement…") else { return };
    let mut session = database.direct();
    session.expect("CREATE INDEX ON c (p); INSERT INTO p SELECT n FROM generate_series(10, 14010) AS n");
    session.expect("INSERT INTO c SELECT n, n FROM generate_series(10, 14010) AS n");
    let numbers: Vec<String> = (10..4_000).map(|n: u32| n.to_string()).collect();
    let began = std::time::Instant::now();
    let padding = "0".repeat(200_000);
    session.expect(&format!("DELETE FROM p WHERE id IN ({}) AND {padding}1 = 1 /* actor='me' */", numbers.join(", ")));
    assert!(began.elapsed().as_secs() < 15, "{:?}", began.elapsed());
    assert_eq!(session.expect("SELECT archived_by, count(*) FROM c_archive GROUP BY 1")[0].texts(), [["me", "3990"]]);
    session.expect("DELETE FROM c WHERE id BETWEEN 4000 AND 14000");
    let keys = "SELECT rows, keys IS NULL FROM sexton.deletions ORDER BY id DESC LIMIT 1";
    assert_eq!(session.expect(keys)[0].texts(), [["10001", "t"]], "keys of very many rows are left out");
}

/// Who marked the row has deleted it, not who took its key; and its event is that of its deletion.
#[test]
fn a_superseded_row_is_archived_as_it_was_deleted() {
    let Some(cluster) = cluster::shared("keys::a_superseded_row…") else { return };
    let database = Database::create(cluster, "keys_superseded");
    database.run("CREATE TABLE t (id int PRIMARY KEY, deleted_at timestamptz); INSERT INTO t VALUES (1), (2)");
    database.run(
        "CREATE TABLE u (id int PRIMARY KEY, deleted_at timestamptz, deleted_by text, deletion_id uuid);
        INSERT INTO u VALUES (1)",
    );
    let rest = "[databases.\"*\".tables.t]\ndelete = \"soft\"\naudit = true\narchive = \"t_gone\"
        [databases.\"*\".tables.u]\ndelete = \"soft\"\narchive = \"u_gone\"";
    schema::apply(&database, rest, false);
    let mut session = database.direct();
    session.expect("SET sexton.actor = 'ann'");
    session.expect("UPDATE t SET deleted_at = '2020-01-01' WHERE id = 2");
    session.expect("UPDATE t SET deleted_at = now() WHERE id = 1");
    session.expect(
        "UPDATE u SET deleted_at = '2020-01-01', deleted_by = 'ann', deletion_id = '00000000-0000-0000-0000-000000000001'",
    );
    session.expect("SET sexton.actor = 'ben'");
    session.expect("SELECT sexton.event(true); INSERT INTO t VALUES (1), (2); INSERT INTO u VALUES (1)");
    let gone = "SELECT t.id, archived_by, archived_at = t.deleted_at, t.deletion_id = d.event FROM t_gone AS t
        LEFT JOIN sexton.deletions AS d ON d.at = t.deleted_at ORDER BY 1";
    assert_eq!(session.expect(gone)[0].texts(), [["1", "ann", "t", "t"], ["2", "null", "t", "null"]]);
    let gone = "SELECT deleted_by, archived_by, archived_at = deleted_at, right(deletion_id::text, 1) FROM u_gone";
    assert_eq!(session.expect(gone)[0].texts(), [["ann", "ann", "t", "1"]]);
    let said = "SELECT action, actor, sum(rows), count(DISTINCT event) FROM sexton.deletions GROUP BY 1, 2 ORDER BY 1";
    assert_eq!(session.expect(said)[0].texts(), [["DELETE", "ann", "2", "2"], ["SUPERSEDE", "ben", "2", "2"]]);
}
