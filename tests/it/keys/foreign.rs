//! Every action of a foreign key, alone and in chains.

use super::Kind::{Archive, Hard, Soft, SoftArchived, Unregistered};
use super::Twin;

/// A parent and a child with one action, the child of every kind.
#[test]
fn every_action_with_every_strategy() {
    for action in ["NO ACTION", "RESTRICT", "CASCADE", "SET NULL", "SET DEFAULT"] {
        for kind in [Soft, SoftArchived, Archive, Hard, Unregistered] {
            let schema = format!(
                "CREATE TABLE p (id int PRIMARY KEY, name text, deleted_at timestamptz);
                CREATE TABLE c (id int PRIMARY KEY, p int DEFAULT 9 REFERENCES p ON DELETE {action}, deleted_at timestamptz);
                INSERT INTO p VALUES (1), (2), (3), (9);
                INSERT INTO c VALUES (1, 1), (2, 1), (3, 2), (4, NULL)"
            );
            let Some(mut twin) = Twin::new("keys::every_action…", &schema, &[("p", Soft), ("c", kind)]) else {
                return;
            };
            twin.delete("p", "id = 3");
            twin.delete("p", "id = 1");
            twin.delete("p", "id = 9");
            twin.both("INSERT INTO c VALUES (5, 3)");
            twin.both("INSERT INTO c VALUES (6, 1)");
            twin.both("INSERT INTO c VALUES (7, NULL), (8, 2)");
            twin.both("UPDATE c SET p = 3 WHERE id = 7");
            twin.both("UPDATE c SET p = 2 WHERE id = 7");
            twin.delete("c", "p = 2");
            twin.delete("p", "true");
        }
    }
}

/// A parent that really leaves, with a soft child.
#[test]
fn a_parent_that_leaves_takes_what_is_dead_along() {
    for action in ["NO ACTION", "RESTRICT", "CASCADE", "SET NULL", "SET DEFAULT"] {
        for parent in [Archive, Hard, Unregistered] {
            let schema = format!(
                "CREATE TABLE p (id int PRIMARY KEY);
                CREATE TABLE c (id int PRIMARY KEY, p int DEFAULT 9 REFERENCES p ON DELETE {action}, deleted_at timestamptz);
                INSERT INTO p VALUES (1), (2), (9);
                INSERT INTO c VALUES (1, 1), (2, 1), (3, 2)"
            );
            let tables = [("p", parent), ("c", SoftArchived)];
            let Some(mut twin) = Twin::new("keys::a_parent_that_leaves…", &schema, &tables) else { return };
            twin.delete("c", "id = 1");
            twin.delete("p", "id = 1");
            twin.delete("c", "p = 2");
            twin.delete("p", "id = 2");
            let all = twin.ask("SELECT count(*) FROM (SELECT id FROM c UNION SELECT id FROM c_archive) AS every");
            assert_eq!(all, "3", "no row is lost: {action} {parent:?}");
        }
    }
}

/// Dead rows may hang on each other, in the statement that removes them and outside.
#[test]
fn dead_rows_that_point_to_each_other_leave_together() {
    for action in ["NO ACTION", "RESTRICT", "CASCADE"] {
        let schema = format!(
            "CREATE TABLE p (id int PRIMARY KEY);
            CREATE TABLE c (id int PRIMARY KEY, p int REFERENCES p ON DELETE {action},
                boss int REFERENCES c ON DELETE {}, deleted_at timestamptz);
            INSERT INTO p VALUES (1), (2);
            INSERT INTO c VALUES (1, 1, NULL), (2, 1, 1), (3, NULL, 2), (4, 2, NULL), (5, 2, 4);
            UPDATE c SET boss = 3 WHERE id = 1; UPDATE c SET boss = 5 WHERE id = 4",
            if action == "CASCADE" { "NO ACTION" } else { action }
        );
        let tables = [("p", Unregistered), ("c", SoftArchived)];
        let Some(mut twin) = Twin::new("keys::dead_rows_that_point…", &schema, &tables) else { return };
        twin.delete("c", "true");
        twin.both("INSERT INTO c VALUES (5)");
        twin.delete("p", "true");
        twin.delete("c", "true");
        let all = twin.ask("SELECT count(*) FROM (SELECT id FROM c UNION ALL SELECT id FROM c_archive) AS every");
        assert_eq!(all, "6", "no row is lost: {action}");
    }
}

/// Children get a default that the same statement deletes: in one order it is found at once, in the other at COMMIT.
#[test]
fn a_default_that_goes_along_is_found_at_commit() {
    for [first, second] in [[2, 8], [8, 2]] {
        let schema = format!(
            "CREATE TABLE p (id int PRIMARY KEY, deleted_at timestamptz);
            CREATE TABLE c (id int PRIMARY KEY,
                p int DEFAULT 2 REFERENCES p ON DELETE SET DEFAULT DEFERRABLE INITIALLY DEFERRED);
            INSERT INTO p VALUES ({first}), ({second}); INSERT INTO c VALUES (1, 8)"
        );
        let Some(mut twin) = Twin::new("keys::a_default_that…", &schema, &[("p", Soft)]) else { return };
        twin.both("BEGIN");
        if first == 8 {
            twin.delete_refused("p", "true");
            twin.both("ROLLBACK");
        } else {
            twin.delete("p", "true");
            twin.refused("COMMIT");
        }
    }
}

#[test]
fn errors_name_composite_quoted_and_foreign_things_as_the_server_does() {
    let schema = "CREATE SCHEMA \"Odd one\";
        CREATE TABLE \"Odd one\".\"P\" (\"A\" int, b char(3), f boolean, deleted_at timestamptz, PRIMARY KEY (\"A\", b, f));
        CREATE TABLE c (id int PRIMARY KEY, x int, y char(3), z boolean, deleted_at timestamptz,
            CONSTRAINT \"Its key\" FOREIGN KEY (x, y, z) REFERENCES \"Odd one\".\"P\" MATCH FULL);
        INSERT INTO \"Odd one\".\"P\" VALUES (1, 'a', true), (2, 'it', false);
        INSERT INTO c VALUES (1, 1, 'a', true), (2, NULL, NULL, NULL)";
    let tables = [("\"Odd one\".\"P\"", Soft), ("c", Soft)];
    let Some(mut twin) = Twin::new("keys::errors_name…", schema, &tables) else { return };
    assert!(twin.delete_refused("\"Odd one\".\"P\"", "\"A\" = 1").detail.expect("a detail").contains("(A, b, f)"));
    twin.delete("\"Odd one\".\"P\"", "\"A\" = 2");
    assert_eq!(twin.refused("INSERT INTO c VALUES (3, 2, 'it', false)").object('n'), Some("Its key"));
    twin.refused("INSERT INTO c VALUES (3, 2, NULL, false)");
    twin.delete("c", "id = 1");
    twin.delete("\"Odd one\".\"P\"", "true");
}

#[test]
fn a_role_that_may_not_read_the_key_is_not_shown_it() {
    let schema = "CREATE TABLE p (id int PRIMARY KEY, deleted_at timestamptz);
        CREATE TABLE c (id int PRIMARY KEY, p int REFERENCES p, deleted_at timestamptz);
        INSERT INTO p VALUES (1), (2); INSERT INTO c VALUES (1, 1);
        DO $$ BEGIN CREATE ROLE keys_blind; EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$;
        GRANT INSERT, DELETE, UPDATE ON p, c TO keys_blind; GRANT SELECT (id, deleted_at) ON p TO keys_blind";
    let Some(mut twin) = Twin::new("keys::a_role…", schema, &[("p", Soft), ("c", Soft)]) else { return };
    twin.delete("p", "id = 2");
    assert_eq!(twin.kept_only("SET ROLE keys_blind"), None);
    let error = twin.kept_only("INSERT INTO c VALUES (2, 2)").expect("it is refused");
    assert_eq!(error.detail.as_deref(), Some("Key is not present in table \"p\"."));
    let error = twin.kept_only("UPDATE p SET deleted_at = now() WHERE id = 1").expect("it is refused");
    assert_eq!(error.detail.as_deref(), Some("Key (id)=(1) is still referenced from table \"c\"."));
}

#[test]
fn deferred_checks_wait_for_commit() {
    for initially in ["DEFERRABLE INITIALLY DEFERRED", "DEFERRABLE"] {
        let schema = format!(
            "CREATE TABLE p (id int PRIMARY KEY, deleted_at timestamptz);
            CREATE TABLE c (id int PRIMARY KEY, p int CONSTRAINT k REFERENCES p {initially}, deleted_at timestamptz);
            INSERT INTO p VALUES (1), (2), (3); INSERT INTO c VALUES (1, 1), (2, 2)"
        );
        let Some(mut twin) = Twin::new("keys::deferred…", &schema, &[("p", Soft), ("c", Soft)]) else { return };
        let begin = ("BEGIN; SET CONSTRAINTS k DEFERRED", "BEGIN; SET CONSTRAINTS k, k_sexton_c, k_sexton_p DEFERRED");
        // Parent first, child then: fine at COMMIT.
        twin.compare(begin.0, begin.1);
        twin.delete("p", "id = 1");
        twin.delete("c", "p = 1");
        twin.both("COMMIT");
        // The child stays: refused at COMMIT.
        twin.compare(begin.0, begin.1);
        twin.delete("p", "id = 2");
        twin.refused("COMMIT");
        // A child of a dead parent that finds another before COMMIT.
        twin.delete("p", "id = 3");
        twin.compare(begin.0, begin.1);
        twin.both("INSERT INTO c VALUES (3, 3)");
        twin.both("UPDATE c SET p = 2 WHERE id = 3");
        twin.both("COMMIT");
        // One that finds none, by another statement than the one that pointed it there.
        twin.compare(begin.0, begin.1);
        twin.both("INSERT INTO c VALUES (4, 3)");
        twin.both("UPDATE c SET id = 5 WHERE id = 4");
        twin.refused("COMMIT");
        // One that is gone by then.
        twin.compare(begin.0, begin.1);
        twin.both("INSERT INTO c VALUES (4, 3)");
        twin.delete("c", "id = 4");
        twin.both("COMMIT");
    }
}

#[test]
fn cycles_and_self_references_end() {
    let schema = "CREATE TABLE n (id int PRIMARY KEY, up int REFERENCES n ON DELETE CASCADE, deleted_at timestamptz);
        CREATE TABLE a (id int PRIMARY KEY, b int, deleted_at timestamptz);
        CREATE TABLE b (id int PRIMARY KEY, a int REFERENCES a ON DELETE CASCADE, deleted_at timestamptz);
        ALTER TABLE a ADD FOREIGN KEY (b) REFERENCES b ON DELETE CASCADE;
        CREATE TABLE r (id int PRIMARY KEY, up int REFERENCES r, deleted_at timestamptz);
        INSERT INTO n VALUES (1, NULL), (2, 1), (3, 2), (4, 3), (5, 5), (6, NULL); UPDATE n SET up = 4 WHERE id = 1;
        INSERT INTO a VALUES (1, NULL), (2, NULL); INSERT INTO b VALUES (1, 1), (2, 1); UPDATE a SET b = 2;
        INSERT INTO r VALUES (1, 1), (2, 1), (3, 2)";
    let tables = [("n", Soft), ("a", SoftArchived), ("b", Archive), ("r", Soft)];
    let Some(mut twin) = Twin::new("keys::cycles…", schema, &tables) else { return };
    twin.delete("n", "id = 3");
    twin.delete("n", "id = 5");
    twin.delete("a", "id = 1");
    twin.delete_refused("r", "id = 1");
    twin.delete_refused("r", "id IN (1, 2)");
    twin.delete("r", "true");
    assert_eq!(twin.ask("SELECT count(*) FROM b_archive"), "2");
}

/// Children of one parent that refer to each other: the check between them comes after both are deleted.
#[test]
fn siblings_may_refer_to_each_other() {
    for kind in [Soft, Archive, Unregistered] {
        let schema = "CREATE TABLE t (id int PRIMARY KEY, deleted_at timestamptz);
            CREATE TABLE x (id int PRIMARY KEY, t int REFERENCES t ON DELETE CASCADE, deleted_at timestamptz);
            CREATE TABLE y (id int PRIMARY KEY, t int REFERENCES t ON DELETE CASCADE, x int REFERENCES x, deleted_at timestamptz);
            INSERT INTO t VALUES (1), (2), (3); INSERT INTO x VALUES (1, 1), (2, 2), (3, 3);
            INSERT INTO y VALUES (1, 1, 1), (2, 2, 1), (3, 3, 3)";
        let tables = [("t", Soft), ("x", kind), ("y", kind)];
        let Some(mut twin) = Twin::new("keys::siblings…", schema, &tables) else { return };
        twin.delete("t", "id = 3");
        twin.delete_refused("t", "id = 1");
        if kind == Soft {
            // The row of tenant 2 points to one of tenant 1.
            twin.delete("t", "id IN (1, 2)");
        }
    }
}

#[test]
fn a_chain_of_every_strategy_keeps_what_it_should() {
    let schema = "CREATE TABLE a (id int PRIMARY KEY, deleted_at timestamptz);
        CREATE TABLE b (id int PRIMARY KEY, a int REFERENCES a ON DELETE CASCADE);
        CREATE TABLE c (id int PRIMARY KEY, b int REFERENCES b ON DELETE CASCADE, deleted_at timestamptz);
        CREATE TABLE d (id int PRIMARY KEY, c int REFERENCES c ON DELETE CASCADE);
        CREATE TABLE e (id int PRIMARY KEY, d int REFERENCES d ON DELETE CASCADE);
        INSERT INTO a VALUES (1), (2); INSERT INTO b VALUES (1, 1), (2, 2); INSERT INTO c VALUES (1, 1), (2, 1), (3, 2);
        INSERT INTO d VALUES (1, 1), (2, 2), (3, 3); INSERT INTO e VALUES (1, 1), (2, 2), (3, 3)";
    let tables = [("a", Soft), ("b", Archive), ("c", SoftArchived), ("d", Hard), ("e", Unregistered)];
    let Some(mut twin) = Twin::new("keys::a_chain…", schema, &tables) else { return };
    twin.delete("c", "id = 2");
    twin.delete("a", "id = 1");
    let kept = "SELECT (SELECT count(*) FROM b_archive), (SELECT count(*) FROM c_archive), (SELECT count(DISTINCT deletion_id) \
                FROM (SELECT deletion_id FROM b_archive UNION ALL SELECT deletion_id FROM c_archive WHERE id <> 2) AS every)";
    assert_eq!(twin.ask(kept), "121", "what lived is archived under one event");
    twin.delete("a", "true");
}

#[test]
fn partitions_behave_as_their_table() {
    let schema =
        "CREATE TABLE p (id int, part int, deleted_at timestamptz, PRIMARY KEY (id, part)) PARTITION BY LIST (part);
        CREATE TABLE p1 PARTITION OF p FOR VALUES IN (1); CREATE TABLE p2 PARTITION OF p FOR VALUES IN (2);
        CREATE TABLE c (id int, p int, part int, deleted_at timestamptz, PRIMARY KEY (id, part),
            FOREIGN KEY (p, part) REFERENCES p) PARTITION BY LIST (part);
        CREATE TABLE c1 PARTITION OF c FOR VALUES IN (1); CREATE TABLE c2 PARTITION OF c FOR VALUES IN (2);
        CREATE TABLE d (id int PRIMARY KEY, p int, part int, deleted_at timestamptz,
            FOREIGN KEY (p, part) REFERENCES p ON DELETE CASCADE);
        INSERT INTO p VALUES (1, 1), (2, 2), (3, 1), (4, 2); INSERT INTO c VALUES (1, 1, 1), (2, 2, 2);
        INSERT INTO d VALUES (1, 3, 1), (2, 4, 2)";
    let Some(mut twin) = Twin::new("keys::partitions…", schema, &[("p", Soft), ("c", Soft), ("d", SoftArchived)])
    else {
        return;
    };
    twin.delete_refused("p", "id = 1");
    twin.delete_refused("p", "id = 2");
    twin.delete("p", "id = 3");
    twin.delete("p", "id = 4");
    twin.refused("INSERT INTO c VALUES (3, 3, 1)");
    twin.refused("INSERT INTO d VALUES (3, 4, 2)");
    twin.delete("c", "true");
    twin.delete("p", "true");
}

#[test]
fn an_undelete_wants_a_live_parent() {
    let schema = "CREATE TABLE p (id int PRIMARY KEY, deleted_at timestamptz);
        CREATE TABLE c (id int PRIMARY KEY, p int REFERENCES p ON DELETE CASCADE, deleted_at timestamptz);
        INSERT INTO p VALUES (1); INSERT INTO c VALUES (1, 1)";
    let Some(mut twin) = Twin::new("keys::an_undelete…", schema, &[("p", Soft), ("c", Soft)]) else { return };
    twin.delete("p", "true");
    let error = twin.kept_only("UPDATE c SET deleted_at = NULL").expect("it is refused");
    assert_eq!((error.sqlstate.as_str(), error.object('n')), ("23503", Some("c_p_fkey")));
    assert_eq!(twin.kept_only("UPDATE p SET deleted_at = NULL; UPDATE c SET deleted_at = NULL"), None);
}

#[test]
fn a_key_that_is_made_anew_with_another_action_does_not_do_what_the_first_did() {
    let schema = "CREATE TABLE p (id int PRIMARY KEY, deleted_at timestamptz);
        CREATE TABLE c (id int PRIMARY KEY, p int CONSTRAINT k REFERENCES p ON DELETE CASCADE);
        INSERT INTO p VALUES (1); INSERT INTO c VALUES (1, 1)";
    let Some(mut twin) = Twin::new("keys::a_key_that_is_made_anew…", schema, &[("p", Soft)]) else { return };
    let anew = "ALTER TABLE c DROP CONSTRAINT k; ALTER TABLE c ADD CONSTRAINT k FOREIGN KEY (p) REFERENCES p";
    assert_eq!(twin.kept_only(anew), None);
    let error = twin.kept_only("UPDATE p SET deleted_at = now()").expect("nobody may judge by the first");
    assert_eq!(error.sqlstate, "55000");
    assert_eq!(twin.ask("SELECT count(*) FROM c"), "1");
    crate::support::schema::apply(&twin.kept, &twin.config, false);
    let error = twin.kept_only("UPDATE p SET deleted_at = now()").expect("the child is in the way");
    assert_eq!(error.sqlstate, "23503");
}

#[test]
fn columns_that_have_changed_their_names_lead_to_no_other_row() {
    let schema = "CREATE TABLE p (id int PRIMARY KEY, deleted_at timestamptz);
        CREATE TABLE c (a int REFERENCES p ON DELETE CASCADE, b int);
        INSERT INTO p VALUES (1), (2); INSERT INTO c VALUES (1, 2), (2, 1)";
    let Some(mut twin) = Twin::new("keys::columns_that_have_changed…", schema, &[("p", Soft)]) else { return };
    let swap = "ALTER TABLE c RENAME a TO x; ALTER TABLE c RENAME b TO a; ALTER TABLE c RENAME x TO b";
    assert_eq!(twin.kept_only(swap), None);
    let error = twin.kept_only("UPDATE p SET deleted_at = now() WHERE id = 1").expect("it leads elsewhere");
    assert_eq!(error.sqlstate, "55000");
    crate::support::schema::apply(&twin.kept, &twin.config, false);
    assert_eq!(twin.kept_only("UPDATE p SET deleted_at = now() WHERE id = 1"), None);
    assert_eq!(twin.ask("SELECT b FROM c"), "2");
}

/// PostgreSQL 18 has foreign keys that only say what should be.
#[test]
fn a_key_that_is_not_enforced_does_nothing() {
    let schema = "CREATE TABLE p (id int PRIMARY KEY, deleted_at timestamptz); CREATE TABLE c (p int);
        INSERT INTO p VALUES (1); INSERT INTO c VALUES (1), (2)";
    let Some(mut twin) = Twin::new("keys::a_key_that_is_not_enforced…", schema, &[("p", Soft)]) else { return };
    if twin.kept.direct().major_version() < 18 {
        return;
    }
    twin.apply_again("ALTER TABLE c ADD FOREIGN KEY (p) REFERENCES p ON DELETE CASCADE NOT ENFORCED");
    twin.delete("p", "true");
    assert_eq!(twin.ask("SELECT count(*) FROM c"), "2");
}

#[test]
fn what_is_no_longer_wanted_is_dropped() {
    let schema = "CREATE TABLE p (id int PRIMARY KEY, deleted_at timestamptz);
        CREATE TABLE c (id int PRIMARY KEY, p int CONSTRAINT k REFERENCES p ON DELETE CASCADE, deleted_at timestamptz)";
    let Some(mut twin) = Twin::new("keys::what_is_no_longer…", schema, &[("p", Soft), ("c", Soft)]) else { return };
    assert_eq!(twin.kept_only("ALTER TABLE c DROP CONSTRAINT k"), None);
    let found = twin.findings("");
    let kinds: Vec<&str> = found.iter().map(|finding| finding.kind).collect();
    let is_known = |kind: &&str| ["stale-object", "reinsert"].contains(kind);
    assert!(kinds.iter().all(is_known) && kinds.len() >= 4, "{found:#?}");
    crate::support::schema::apply(&twin.kept, &twin.config, false);
    assert_eq!(twin.kept_only("ALTER TABLE c ADD CONSTRAINT k FOREIGN KEY (p) REFERENCES p ON DELETE SET NULL"), None);
    assert!(
        twin.findings("").iter().all(|finding| ["foreign-key", "lock-trigger", "reinsert"].contains(&finding.kind))
    );
    crate::support::schema::apply(&twin.kept, &twin.config, false);
    assert_eq!(twin.kept_only("ALTER TABLE p DISABLE TRIGGER sexton_delete"), None);
    assert_eq!(twin.findings("").len(), 1, "a disabled trigger is found");
}

/// A key is compared by the foreign key's own operators, whatever its type is called and wherever that is.
#[test]
fn keys_of_domains_and_other_schemas_types_are_compared_as_the_constraint_does() {
    let schema = "CREATE SCHEMA ext; CREATE EXTENSION citext SCHEMA ext; CREATE DOMAIN email AS ext.citext;
        CREATE TABLE mail (email email PRIMARY KEY, deleted_at timestamptz);
        CREATE TABLE msg (id int PRIMARY KEY, email email REFERENCES mail ON DELETE CASCADE, deleted_at timestamptz);
        CREATE TABLE seen (id int PRIMARY KEY, msg int REFERENCES msg ON DELETE CASCADE, email email REFERENCES mail,
            deleted_at timestamptz);
        INSERT INTO mail VALUES ('A@x'), ('B@x'), ('C@x')";
    let Some(mut twin) = Twin::new("keys::keys_of_domains…", schema, &[("mail", Soft), ("msg", Soft), ("seen", Soft)])
    else {
        return;
    };
    twin.both("INSERT INTO msg VALUES (1, 'a@X'), (2, 'b@X')");
    twin.both("INSERT INTO seen VALUES (1, 1, 'b@x'), (2, 2, 'c@X')");
    twin.delete_refused("mail", "email = 'C@x'");
    twin.delete_refused("mail", "email = 'B@x'");
    twin.delete("mail", "email = 'A@x'");
    twin.refused("INSERT INTO msg VALUES (3, 'a@X')");
}

/// The key of a parent, and of a child that a cascade reaches, has been widened since the objects were made.
#[test]
fn a_widened_key_is_still_compared_as_it_is() {
    let schema = "CREATE TABLE v (code varchar(4) PRIMARY KEY, deleted_at timestamptz);
        CREATE TABLE w (id int PRIMARY KEY, code varchar(40) REFERENCES v ON DELETE CASCADE, deleted_at timestamptz);
        CREATE TABLE t (id int PRIMARY KEY, deleted_at timestamptz);
        CREATE TABLE m (n numeric(4, 1) PRIMARY KEY, t int REFERENCES t ON DELETE CASCADE, deleted_at timestamptz);
        CREATE TABLE o (id int PRIMARY KEY, n numeric REFERENCES m ON DELETE CASCADE, deleted_at timestamptz);
        INSERT INTO t VALUES (1), (2);
        INSERT INTO v VALUES ('ABCD'); INSERT INTO w VALUES (1, 'ABCD'); INSERT INTO m VALUES (1.2, 1); INSERT INTO o VALUES (1, 1.2)";
    let Some(cluster) = crate::support::cluster::shared("keys::a_widened_key…") else { return };
    let databases = ["keys_real", "keys_kept"].map(|name| crate::support::database::Database::create(cluster, name));
    let config: String = ["v", "w", "t", "m", "o"]
        .map(|table| format!("[databases.\"*\".tables.{table}]\ndelete = \"soft\"\nreinsert = \"error\"\n"))
        .concat();
    for database in &databases {
        database.run(schema);
    }
    crate::support::schema::apply(&databases[1], &config, false);
    let found = databases.each_ref().map(|database| {
        let is_real = database.name == databases[0].name;
        let mut session = database.direct();
        session.expect(
            "ALTER TABLE v ALTER code TYPE varchar(20); ALTER TABLE m ALTER n TYPE numeric; ALTER TABLE t ALTER id TYPE bigint;
            INSERT INTO v VALUES ('ABCDE'); INSERT INTO w VALUES (2, 'ABCDE');
            INSERT INTO m VALUES (1.23, 2); INSERT INTO o VALUES (2, 1.23)",
        );
        for (table, condition) in [("v", "code = 'ABCDE'"), ("t", "id = 2")] {
            session.expect(&match is_real {
                true => format!("DELETE FROM {table} WHERE {condition}"),
                false => format!("UPDATE {table} SET deleted_at = now() WHERE {condition}"),
            });
        }
        let live = "SELECT 'w', id FROM w WHERE deleted_at IS NULL UNION ALL SELECT 'o', id FROM o WHERE deleted_at IS NULL ORDER BY 1, 2";
        session.expect(live)[0].texts()
    });
    assert_eq!(found[1], found[0]);
}

/// Settings of the session decide how a value is shown, not what it is.
#[test]
fn a_key_goes_through_no_text_that_loses_of_it() {
    let schema =
        "CREATE TABLE p (at timestamptz, f float8, i interval, deleted_at timestamptz, PRIMARY KEY (at, f, i));
        CREATE TABLE c (at timestamptz, f float8, i interval, g float8 PRIMARY KEY, deleted_at timestamptz,
            FOREIGN KEY (at, f, i) REFERENCES p ON DELETE CASCADE);
        CREATE TABLE d (id int PRIMARY KEY, g float8 REFERENCES c ON DELETE CASCADE, deleted_at timestamptz);
        INSERT INTO p VALUES ('2024-03-01 10:00:00.123456+00', 0.1::float8 + 0.2::float8, '-1 year +2 days 03:04:05.6');
        INSERT INTO c SELECT at, f, i, 1::float8 / 3 FROM p; INSERT INTO d SELECT 1, g FROM c";
    let Some(mut twin) = Twin::new("keys::a_key_goes…", schema, &[("p", Soft), ("c", Soft), ("d", Soft)]) else {
        return;
    };
    twin.both("SET timezone = 'Asia/Kolkata'; SET datestyle = 'Postgres, MDY'; SET extra_float_digits = 0; SET intervalstyle = 'sql_standard'");
    twin.delete("p", "true");
}

/// A foreign key that is gone since the objects were made, and a table that another has replaced.
#[test]
fn what_has_been_replaced_since_is_told() {
    let schema = "CREATE TABLE p (id int PRIMARY KEY, deleted_at timestamptz);
        CREATE TABLE c (id int PRIMARY KEY, p int CONSTRAINT k REFERENCES p ON DELETE CASCADE, deleted_at timestamptz);
        CREATE TABLE n (id int PRIMARY KEY, p int CONSTRAINT l REFERENCES p, deleted_at timestamptz);
        INSERT INTO p VALUES (1), (2), (3); INSERT INTO c VALUES (1, 1), (2, 2); INSERT INTO n VALUES (3, 3)";
    let tables = [("p", Soft), ("c", Soft), ("n", Soft)];
    let Some(mut twin) = Twin::new("keys::what_has_been…", schema, &tables) else { return };
    let stale = |error: Option<crate::support::raw::ServerError>| {
        let error = error.expect("it is refused");
        assert!(error.message.starts_with("sexton: ") && error.message.contains("foreign key"), "{error:?}");
    };
    // Neither a row nor a deletion is judged by what is no longer there.
    assert_eq!(twin.kept_only("BEGIN; ALTER TABLE c DROP CONSTRAINT k; ALTER TABLE n DROP CONSTRAINT l"), None);
    assert_eq!(twin.kept_only("SAVEPOINT s"), None);
    for sql in
        ["INSERT INTO c VALUES (9, 12345)".to_owned(), twin.rewritten("p", "id = 1"), twin.rewritten("p", "id = 3")]
    {
        stale(twin.kept_only(&sql));
        assert_eq!(twin.kept_only("ROLLBACK TO s"), None);
    }
    assert_eq!(twin.kept_only("ROLLBACK"), None);
    // Another table of that name, which no foreign key ties to anything.
    let swap =
        "BEGIN; ALTER TABLE c RENAME TO old; CREATE TABLE c (LIKE old INCLUDING ALL); INSERT INTO c VALUES (8, 1)";
    assert_eq!(twin.kept_only(swap), None);
    stale(twin.kept_only(&twin.rewritten("p", "id = 1")));
    assert_eq!(twin.kept_only("ROLLBACK"), None);
    twin.delete("p", "id = 1");
}

/// The same as through its table, within the transaction.
#[test]
fn a_cascade_that_begins_in_a_partition_ends_with_its_statement() {
    let schema =
        "CREATE TABLE p (id int, part int, deleted_at timestamptz, PRIMARY KEY (id, part)) PARTITION BY LIST (part);
        CREATE TABLE p1 PARTITION OF p FOR VALUES IN (1);
        CREATE TABLE c (id int PRIMARY KEY, p int, part int, deleted_at timestamptz,
            FOREIGN KEY (p, part) REFERENCES p ON DELETE CASCADE);
        CREATE TABLE g (id int PRIMARY KEY, c int REFERENCES c ON DELETE CASCADE, deleted_at timestamptz);
        INSERT INTO p VALUES (1, 1); INSERT INTO c VALUES (1, 1, 1); INSERT INTO g VALUES (1, 1)";
    let tables = [("p", Soft), ("c", Soft), ("g", Soft)];
    let Some(mut twin) = Twin::new("keys::a_cascade_that…", schema, &tables) else { return };
    twin.both("BEGIN");
    twin.compare("DELETE FROM p1", "UPDATE p1 SET deleted_at = now() WHERE deleted_at IS NULL");
    twin.both("COMMIT");
}

/// An ordinary thing to send, which is about Sexton's own triggers too.
#[test]
fn immediate_constraints_leave_a_cascade_its_order() {
    let schema = "CREATE TABLE r (id int PRIMARY KEY, deleted_at timestamptz);
        CREATE TABLE a (id int PRIMARY KEY, r int REFERENCES r ON DELETE CASCADE, deleted_at timestamptz);
        CREATE TABLE m (id int PRIMARY KEY, a int REFERENCES a ON DELETE CASCADE, deleted_at timestamptz);
        CREATE TABLE b (id int PRIMARY KEY, r int REFERENCES r ON DELETE CASCADE, deleted_at timestamptz);
        CREATE TABLE d (id int PRIMARY KEY, m int REFERENCES m, b int REFERENCES b ON DELETE CASCADE, deleted_at timestamptz);
        INSERT INTO r VALUES (1); INSERT INTO a VALUES (1, 1); INSERT INTO m VALUES (1, 1); INSERT INTO b VALUES (1, 1);
        INSERT INTO d VALUES (1, 1, 1)";
    let tables = [("r", Soft), ("a", Soft), ("m", Soft), ("b", Soft), ("d", Soft)];
    let Some(mut twin) = Twin::new("keys::immediate…", schema, &tables) else { return };
    twin.both("BEGIN; SET CONSTRAINTS ALL IMMEDIATE");
    twin.delete("r", "true");
    twin.both("COMMIT");
    assert_eq!(twin.ask("SELECT count(*) FROM sexton.queue"), "0");
}
