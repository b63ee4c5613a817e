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
