//! What runs as the owner of schema sexton does nothing for anybody else.

use super::Kind::{Archive, Soft, SoftArchived, Unregistered};
use super::Twin;
use crate::support::schema;

/// A role of that name, which owns nothing.
const ROLE: &str =
    "DO $$ BEGIN CREATE ROLE keys_other; EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$;";

/// Functions of triggers on tables of everybody's own.
#[test]
fn nobody_else_may_have_our_functions_called() {
    let schema = format!(
        "{ROLE} CREATE TABLE p (id int PRIMARY KEY, deleted_at timestamptz);
        CREATE TABLE c (id int PRIMARY KEY, p int REFERENCES p ON DELETE CASCADE, deleted_at timestamptz);
        CREATE TABLE a (id int PRIMARY KEY, p int REFERENCES p ON DELETE CASCADE);
        INSERT INTO p VALUES (1); INSERT INTO c VALUES (1, 1)"
    );
    let tables = [("p", SoftArchived), ("c", Soft), ("a", Archive)];
    let Some(mut twin) = Twin::new("keys::nobody_else…", &schema, &tables) else { return };
    let open = "SELECT string_agg(proname, ' ') FROM pg_proc WHERE pronamespace = 'sexton'::regnamespace \
                AND prosecdef AND has_function_privilege('keys_other', oid, 'EXECUTE')";
    assert_eq!(twin.ask(open), "null", "no function that runs as its owner is for everybody");
    // As an older installation has it: the functions are open, and one is in use.
    twin.kept.run(
        "DO $$ DECLARE f regprocedure; BEGIN
            FOR f IN SELECT oid::regprocedure FROM pg_proc WHERE pronamespace = 'sexton'::regnamespace LOOP
                EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO PUBLIC', f);
            END LOOP;
        END $$",
    );
    let forged = "SET ROLE keys_other; CREATE TEMP TABLE forged (id int, deleted_at timestamptz);
        DO $$ BEGIN EXECUTE format('CREATE TRIGGER t AFTER UPDATE ON forged FOR EACH ROW EXECUTE FUNCTION %s',
            (SELECT oid::regprocedure FROM pg_proc WHERE pronamespace = 'sexton'::regnamespace AND proname LIKE 'p_dead%')); END $$;
        INSERT INTO forged VALUES (1)";
    assert_eq!(twin.kept_only(forged), None);
    let error = twin.kept_only("UPDATE forged SET deleted_at = now()").expect("it is refused");
    assert!(error.message.starts_with("sexton: a trigger that was made for public.p is on"), "{error:?}");
    assert_eq!(twin.kept_only("RESET ROLE"), None);
    twin.both("SELECT 1");
    twin.apply_again("SELECT 1");
    assert_eq!(twin.ask(open), "null", "they are closed again");
}

/// A search path that who may create objects has changed is said to be that, and nothing else.
#[test]
fn functions_that_are_right_but_for_their_path_still_work() {
    let schema = format!(
        "{ROLE} REVOKE CREATE ON SCHEMA public FROM PUBLIC; CREATE TABLE p (id serial PRIMARY KEY, deleted_at timestamptz);
        CREATE TABLE c (id serial PRIMARY KEY, p int REFERENCES p ON DELETE CASCADE, deleted_at timestamptz)"
    );
    let Some(mut twin) = Twin::new("keys::functions_that…", &schema, &[("p", Soft), ("c", Soft)]) else { return };
    for change in ["GRANT CREATE ON SCHEMA public TO keys_other", "REVOKE CREATE ON SCHEMA public FROM keys_other"] {
        assert_eq!(twin.kept_only(change), None);
        let found = twin.findings("");
        let kinds: Vec<&str> = found.iter().filter(|found| !found.steps.is_empty()).map(|found| found.kind).collect();
        assert!(!kinds.is_empty() && kinds.iter().all(|kind| *kind == "function-path"), "{found:#?}");
        twin.apply_again("SELECT 1");
    }
}

/// The server copies a row trigger to a partition for whoever may call its function.
#[test]
fn the_owner_of_a_table_makes_its_partitions() {
    let schema = format!(
        "{ROLE} CREATE SCHEMA own; ALTER SCHEMA own OWNER TO keys_other;
        CREATE TABLE events (id int, at date, deleted_at timestamptz, PRIMARY KEY (id, at)) PARTITION BY RANGE (at);
        ALTER TABLE events OWNER TO keys_other"
    );
    let Some(mut twin) = Twin::new("keys::the_owner_of…", &schema, &[("events", SoftArchived)]) else { return };
    twin.both(
        "SET ROLE keys_other;
        CREATE TABLE own.one PARTITION OF public.events FOR VALUES FROM ('2022-01-01') TO ('2023-01-01');
        CREATE TABLE own.two (LIKE public.events INCLUDING ALL);
        ALTER TABLE public.events ATTACH PARTITION own.two FOR VALUES FROM ('2023-01-01') TO ('2024-01-01'); RESET ROLE",
    );
    let revoke = "DO $$ DECLARE f regprocedure; BEGIN
        FOR f IN SELECT oid::regprocedure FROM pg_proc WHERE pronamespace = 'sexton'::regnamespace LOOP
            EXECUTE format('REVOKE ALL ON FUNCTION %s FROM keys_other', f); END LOOP; END $$";
    twin.apply_again("SELECT 1");
    assert!(twin.findings("").is_empty(), "{:#?}", twin.findings(""));
    assert_eq!(twin.kept_only(revoke), None);
    assert!(!twin.findings("").is_empty(), "what is missing is found");
}

/// An operator of a schema that everybody may write to is not taken for the constraint's.
#[test]
fn nobody_elses_operator_is_called() {
    let schema = format!(
        "{ROLE} GRANT CREATE ON SCHEMA public TO PUBLIC; CREATE TYPE public.mood AS ENUM ('good');
        CREATE TABLE p (code varchar(10) PRIMARY KEY, m mood, deleted_at timestamptz);
        CREATE TABLE c (id int PRIMARY KEY, code varchar(10) REFERENCES p ON DELETE CASCADE, m mood, deleted_at timestamptz);
        INSERT INTO p VALUES ('a'); INSERT INTO c VALUES (1, 'a'); GRANT ALL ON p, c TO keys_other"
    );
    let Some(mut twin) = Twin::new("keys::nobody_elses…", &schema, &[("p", SoftArchived), ("c", SoftArchived)])
    else {
        return;
    };
    let trap = "SET ROLE keys_other; CREATE FUNCTION public.eq(varchar, varchar) RETURNS boolean LANGUAGE plpgsql AS
            $$ BEGIN RAISE EXCEPTION 'runs as %', current_user; END $$;
        CREATE OPERATOR public.= (LEFTARG = varchar, RIGHTARG = varchar, FUNCTION = public.eq);
        SET search_path = pg_catalog, public";
    twin.both(trap);
    twin.delete("p", "m IS NULL");
    twin.both("INSERT INTO p VALUES ('a')");
    twin.refused("INSERT INTO c VALUES (2, 'b')");
}

/// An action of ON DELETE runs the child's triggers as the child's owner.
#[test]
fn an_action_runs_as_the_owner_of_the_child() {
    for (action, unregistered) in [("CASCADE", false), ("CASCADE", true), ("SET NULL", false)] {
        let schema = format!(
            "{ROLE} CREATE TABLE p (id int PRIMARY KEY, deleted_at timestamptz);
            CREATE TABLE c (id int PRIMARY KEY, p int REFERENCES p ON DELETE {action}, who text, deleted_at timestamptz);
            CREATE TABLE heard (who text); GRANT INSERT ON heard TO PUBLIC;
            CREATE FUNCTION spy() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
                INSERT INTO public.heard VALUES (current_user); RETURN coalesce(NEW, OLD); END $$;
            CREATE TRIGGER spy BEFORE UPDATE OR DELETE ON c FOR EACH ROW EXECUTE FUNCTION spy();
            INSERT INTO p VALUES (1), (2); INSERT INTO c VALUES (1, 1), (2, 2); ALTER TABLE c OWNER TO keys_other"
        );
        let kind = if unregistered { Unregistered } else { Soft };
        let Some(mut twin) = Twin::new("keys::an_action_runs…", &schema, &[("p", Soft), ("c", kind)]) else { return };
        twin.delete("p", "id = 1");
        twin.both("BEGIN ISOLATION LEVEL REPEATABLE READ");
        twin.delete("p", "id = 2");
        twin.both("COMMIT");
        assert_eq!(twin.ask("SELECT string_agg(DISTINCT who, ' ') FROM heard"), "keys_other");
    }
}

/// Whoever owns a function may have it run as whoever calls it. That is refused, found and mended.
#[test]
fn an_owner_does_not_make_our_functions_run_as_us() {
    let schema = format!(
        "{ROLE} CREATE TABLE p (id int PRIMARY KEY, deleted_at timestamptz);
        CREATE TABLE c (id int PRIMARY KEY, p int REFERENCES p ON DELETE CASCADE, deleted_at timestamptz);
        INSERT INTO p VALUES (1), (2); INSERT INTO c VALUES (1, 1), (2, 2); ALTER TABLE c OWNER TO keys_other"
    );
    let Some(mut twin) = Twin::new("keys::an_owner_does…", &schema, &[("p", Soft), ("c", Soft)]) else { return };
    let alter =
        "DO $$ BEGIN EXECUTE (SELECT format('SET ROLE keys_other; ALTER FUNCTION %s SECURITY INVOKER; RESET ROLE',
        oid::regprocedure) FROM pg_proc WHERE proname LIKE 'c_c_p_fkey_act%'); END $$";
    assert_eq!(twin.kept_only(alter), None);
    let mark = twin.rewritten("p", "id = 1");
    let refused = twin.kept_only(&mark).expect("it is refused");
    assert_eq!(refused.sqlstate, "42501");
    assert!(refused.message.starts_with("sexton: sexton.c_c_p_fkey_act"), "{}", refused.message);
    assert!(refused.message.contains("no longer runs as its owner"), "{}", refused.message);
    assert!(!twin.findings("").is_empty());
    twin.apply_again("SELECT 1");
    twin.delete("p", "id = 1");
    assert!(twin.findings("").is_empty());
}

/// Triggers of a table that a foreign key's action reaches find what lies beside the table, and beside their functions.
#[test]
fn an_action_finds_what_lies_beside_its_table() {
    let spies = ["BEFORE UPDATE OR DELETE ON c FOR EACH STATEMENT", "BEFORE UPDATE OR DELETE ON c FOR EACH ROW"]
        .into_iter()
        .chain(["AFTER UPDATE OR DELETE ON c FOR EACH ROW", "AFTER UPDATE OR DELETE ON c FOR EACH STATEMENT"])
        .enumerate()
        .map(|(at, when)| format!("CREATE TRIGGER spy{at} {when} EXECUTE FUNCTION app.spy();"))
        .collect::<String>();
    for (action, kind) in [("CASCADE", Soft), ("CASCADE", Archive), ("CASCADE", Unregistered), ("SET NULL", Soft)] {
        let schema = format!(
            "CREATE SCHEMA app; CREATE TABLE app.heard (p int, what text);
            CREATE TABLE g (id int PRIMARY KEY, deleted_at timestamptz);
            CREATE TABLE p (id int PRIMARY KEY, g int REFERENCES g ON DELETE CASCADE, deleted_at timestamptz);
            CREATE TABLE c (id int PRIMARY KEY, p int REFERENCES p ON DELETE {action}, deleted_at timestamptz);
            CREATE FUNCTION app.spy() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
                INSERT INTO heard VALUES (OLD.p, TG_WHEN || TG_LEVEL); RETURN coalesce(NEW, OLD); END $$;
            INSERT INTO g VALUES (1); INSERT INTO p VALUES (1, NULL), (2, NULL), (3, 1);
            INSERT INTO c VALUES (1, 1), (2, 2), (3, 3); {spies}"
        );
        let tables = [("g", Soft), ("p", Soft), ("c", kind)];
        let Some(mut twin) = Twin::new("keys::an_action_finds…", &schema, &tables) else { return };
        twin.both("SET search_path = app, public");
        twin.delete("p", "id = 1");
        twin.both("BEGIN ISOLATION LEVEL REPEATABLE READ");
        twin.delete("p", "id = 2");
        twin.both("COMMIT");
        twin.delete("g", "id = 1");
        let heard = "SELECT DISTINCT what FROM app.heard WHERE what LIKE '%STATEMENT' OR p = 3 ORDER BY what";
        assert_eq!(twin.ask(heard), "AFTERROWAFTERSTATEMENTBEFOREROWBEFORESTATEMENT", "{action} {kind:?}");
    }
}

/// What the session puts in the way of a name is not taken for it: the trigger runs as somebody else.
#[test]
fn nobody_puts_a_table_in_the_way_of_a_trigger() {
    let schema = format!(
        "{ROLE} CREATE TABLE heard (who text); CREATE TABLE p (id int PRIMARY KEY, deleted_at timestamptz);
        CREATE TABLE c (id int PRIMARY KEY, p int REFERENCES p ON DELETE CASCADE, deleted_at timestamptz);
        CREATE FUNCTION spy() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
            INSERT INTO heard VALUES (current_user); RETURN coalesce(NEW, OLD); END $$;
        CREATE TRIGGER before BEFORE UPDATE OR DELETE ON c FOR EACH ROW EXECUTE FUNCTION spy();
        CREATE TRIGGER after AFTER UPDATE OR DELETE ON c FOR EACH ROW EXECUTE FUNCTION spy();
        INSERT INTO p VALUES (1); INSERT INTO c VALUES (1, 1); GRANT ALL ON p TO keys_other;
        REVOKE CREATE ON SCHEMA public FROM PUBLIC"
    );
    let Some(mut twin) = Twin::new("keys::nobody_puts…", &schema, &[("p", Soft), ("c", SoftArchived)]) else {
        return;
    };
    let trap = "SET ROLE keys_other; CREATE TEMP TABLE heard (who text)";
    assert_eq!(twin.kept_only(trap), None);
    assert_eq!(twin.kept_only(&twin.rewritten("p", "id = 1")), None);
    assert_eq!(twin.ask("SELECT count(*) FROM pg_temp.heard"), "0");
    assert_eq!(twin.kept_only("RESET ROLE"), None);
    assert_eq!(twin.ask("SELECT count(*) FROM public.heard"), "2");
    let warns = |ddl: &str| {
        twin.kept.run(ddl);
        twin.findings("").iter().any(|finding| finding.kind == "trigger-path" && finding.object == "public.c")
    };
    assert!(!warns("SELECT 1"));
    assert!(warns("GRANT CREATE ON SCHEMA public TO PUBLIC"));
    assert!(!warns("ALTER FUNCTION spy() SET search_path = public, pg_temp"));
}

/// Deleted rows that give way, or come back, fire the triggers of their table as its owner.
#[test]
fn a_row_that_gives_way_leaves_as_its_owner() {
    let schema = format!(
        "{ROLE} CREATE TABLE heard (who text, what text); GRANT INSERT ON heard TO PUBLIC;
        CREATE FUNCTION spy() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
            INSERT INTO public.heard VALUES (current_user, TG_TABLE_NAME || TG_OP); RETURN coalesce(NEW, OLD); END $$;
        CREATE TABLE p (id int PRIMARY KEY, deleted_at timestamptz);
        CREATE TABLE c (id int PRIMARY KEY, p int REFERENCES p DEFERRABLE INITIALLY DEFERRED, deleted_at timestamptz);
        CREATE TABLE r (id int PRIMARY KEY, name text UNIQUE, deleted_at timestamptz);
        CREATE TRIGGER spy BEFORE DELETE ON c FOR EACH ROW EXECUTE FUNCTION spy();
        CREATE TRIGGER spy BEFORE INSERT OR DELETE ON r FOR EACH ROW EXECUTE FUNCTION spy();
        ALTER TABLE c OWNER TO keys_other; ALTER TABLE r OWNER TO keys_other;
        INSERT INTO p VALUES (1); INSERT INTO c VALUES (1, 1)"
    );
    let Some(mut twin) = Twin::new("keys::a_row_that…", &schema, &[("p", Soft), ("c", SoftArchived), ("r", Soft)])
    else {
        return;
    };
    twin.delete("c", "id = 1");
    twin.both("INSERT INTO c VALUES (1, 1)");
    twin.both("BEGIN; INSERT INTO c VALUES (2, 9)");
    twin.delete("c", "id = 2");
    twin.both("COMMIT");
    twin.both("INSERT INTO r VALUES (1, 'a'), (2, 'b')");
    twin.delete("r", "id = 1");
    let revives = "[databases.\"*\".tables.r]\ndelete = \"soft\"\nreinsert = \"revive\"\n";
    schema::apply(&twin.kept, revives, false);
    twin.kept.run("TRUNCATE heard");
    twin.both("INSERT INTO r VALUES (1, 'b') ON CONFLICT DO NOTHING");
    let heard = "SELECT DISTINCT who || ' ' || what FROM heard WHERE what = 'rDELETE' OR who = 'keys_other' ORDER BY 1";
    assert_eq!(twin.ask(heard), "keys_other rDELETEkeys_other rINSERT");
}

/// A SET in a trigger does not reach what goes on behind it in another role's name.
#[test]
fn a_trigger_leaves_our_functions_their_search_path() {
    let schema = format!(
        "{ROLE} GRANT CREATE ON DATABASE postgres TO keys_other; CREATE SCHEMA trap AUTHORIZATION keys_other;
        CREATE TABLE trap.caught (who text); GRANT INSERT ON trap.caught TO PUBLIC;
        CREATE FUNCTION trap.jsonb_build_object(text, int) RETURNS jsonb LANGUAGE plpgsql AS $$ BEGIN
            INSERT INTO trap.caught VALUES (current_user); RETURN '{{}}'; END $$;
        CREATE FUNCTION trap.spy() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
            PERFORM pg_catalog.set_config('search_path', 'trap, pg_catalog', false); RETURN coalesce(NEW, OLD); END $$;
        CREATE TABLE p (id int PRIMARY KEY, deleted_at timestamptz);
        CREATE TABLE a (id int PRIMARY KEY, p int REFERENCES p ON DELETE CASCADE, deleted_at timestamptz);
        CREATE TABLE b (id int PRIMARY KEY, p int REFERENCES p ON DELETE SET NULL, deleted_at timestamptz);
        CREATE TRIGGER spy BEFORE UPDATE OR DELETE ON a FOR EACH ROW EXECUTE FUNCTION trap.spy();
        ALTER TABLE a OWNER TO keys_other; INSERT INTO p VALUES (1); INSERT INTO a VALUES (1, 1); INSERT INTO b VALUES (1, 1)"
    );
    let Some(mut twin) = Twin::new("keys::a_trigger…", &schema, &[("p", Soft), ("a", Soft), ("b", Soft)]) else {
        return;
    };
    assert_eq!(twin.kept_only(&twin.rewritten("p", "id = 1")), None);
    assert_eq!(twin.ask("SELECT count(*) FROM trap.caught"), "0");
    assert_eq!(twin.ask("SELECT count(*) FROM sexton.nulled"), "1");
}

/// A type `mood`, and a cast between it and another that notes in `caught` who called it.
fn caught_cast(from: &str, to: &str, result: &str) -> String {
    format!(
        "CREATE TYPE mood AS ENUM ('good'); CREATE TABLE caught (who text); GRANT INSERT ON caught TO PUBLIC;
        CREATE FUNCTION cast_it({from}) RETURNS {to} LANGUAGE plpgsql AS $$ BEGIN
            INSERT INTO public.caught VALUES (current_user); RETURN '{result}'; END $$;
        CREATE CAST ({from} AS {to}) WITH FUNCTION cast_it({from});"
    )
}

/// Nor are casts of a type's owner called in it.
#[test]
fn nobodys_cast_is_called() {
    let schema = format!(
        "{ROLE} {}
        CREATE TABLE p (m mood PRIMARY KEY, deleted_at timestamptz); CREATE TABLE w (m mood, deleted_at timestamptz);
        CREATE TABLE c (m mood PRIMARY KEY, p mood REFERENCES p ON DELETE SET NULL, deleted_at timestamptz);
        INSERT INTO p VALUES ('good'); INSERT INTO w VALUES ('good'), (NULL); INSERT INTO c VALUES ('good', 'good')",
        caught_cast("mood", "json", "1")
    );
    let tables = [("p", Soft), ("c", SoftArchived), ("w", Soft)];
    let Some(mut twin) = Twin::new("keys::nobodys_cast…", &schema, &tables) else { return };
    let audited = ["p", "c", "w"].map(|table| {
        let archive = if table == "c" { "archive = 'c_archive'\n" } else { "" };
        format!("[databases.\"*\".tables.{table}]\ndelete = \"soft\"\naudit = true\n{archive}")
    });
    schema::apply(&twin.kept, &audited.concat(), false);
    for table in ["p", "w", "c"] {
        twin.delete(table, "true");
    }
    twin.both("INSERT INTO c VALUES ('good', NULL)");
    assert_eq!(twin.ask("SELECT count(*) FROM caught"), "0");
    assert_eq!(twin.ask("SELECT keys FROM sexton.deletions WHERE relation = 'public.p'"), "[{\"m\": \"good\"}]");
    assert_eq!(twin.ask("SELECT columns FROM sexton.nulled"), "{\"p\": \"good\"}");
}

/// Nor is a key read by one where a cascade goes on to the next level.
#[test]
fn a_key_of_somebodys_type_is_read_by_no_cast() {
    let schema = format!(
        "{ROLE} {}
        CREATE TABLE a (m mood PRIMARY KEY, deleted_at timestamptz);
        CREATE TABLE b (m mood PRIMARY KEY, a mood REFERENCES a ON DELETE CASCADE, deleted_at timestamptz);
        CREATE TABLE c (m mood PRIMARY KEY, b mood REFERENCES b ON DELETE CASCADE, deleted_at timestamptz);
        INSERT INTO a VALUES ('good'); INSERT INTO b VALUES ('good', 'good'); INSERT INTO c VALUES ('good', 'good')",
        caught_cast("text", "mood", "good")
    );
    let tables = [("a", Soft), ("b", Soft), ("c", Soft)];
    let Some(mut twin) = Twin::new("keys::a_key_of_somebodys…", &schema, &tables) else { return };
    twin.delete("a", "true");
    assert_eq!(twin.ask("SELECT count(*) FROM caught"), "0");
}

/// A composite key with a NULL in it is neither NULL nor NOT NULL.
#[test]
fn a_composite_key_with_a_null_in_it_is_a_key() {
    let schema = "CREATE TYPE pair AS (x int, y int); CREATE TABLE a (k pair PRIMARY KEY, deleted_at timestamptz);
        CREATE TABLE b (k pair PRIMARY KEY, a pair REFERENCES a ON DELETE CASCADE, deleted_at timestamptz);
        CREATE TABLE c (id int PRIMARY KEY, b pair REFERENCES b ON DELETE CASCADE, deleted_at timestamptz);
        INSERT INTO a VALUES ((1, NULL)), ((2, 2)); INSERT INTO b VALUES ((1, NULL), (1, NULL)), ((3, NULL), (2, 2));
        INSERT INTO c VALUES (1, (1, NULL)), (2, (3, NULL))";
    let tables = [("a", Soft), ("b", Soft), ("c", Soft)];
    let Some(mut twin) = Twin::new("keys::a_composite_key…", schema, &tables) else { return };
    twin.delete("a", "k = (1, NULL)::pair");
    twin.delete("a", "true");
    assert_eq!(twin.ask("SELECT count(*) FROM c WHERE deleted_at IS NULL"), "0");
}

/// An archive that is somebody else's gets no rows in the name of the owner of schema sexton.
#[test]
fn an_archive_of_a_stranger_is_not_filled() {
    let schema = format!(
        "{ROLE} CREATE TABLE t (id int PRIMARY KEY, deleted_at timestamptz); INSERT INTO t VALUES (1);
        CREATE TABLE t_archive (id int, deleted_at timestamptz, archived_at timestamptz, archived_by text,
            archive_reason text, archive_txid bigint, deletion_id uuid); ALTER TABLE t_archive OWNER TO keys_other"
    );
    let Some(mut twin) = Twin::new("keys::an_archive_of…", &schema, &[("t", SoftArchived)]) else { return };
    twin.delete("t", "true");
    let error = twin.kept_only("INSERT INTO t VALUES (1)").expect("it is refused");
    assert_eq!(error.sqlstate, "42501", "{error:?}");
    let found = twin.findings("");
    let found = found.iter().find(|finding| finding.object == "public.t_archive").expect("check says so");
    assert_eq!(found.level, sexton::schema::Level::Error);
    twin.kept.run(found.mend.as_deref().expect("it has a mend"));
    twin.both("INSERT INTO t VALUES (1)");
}

/// Rows that row security hides from the functions are not passed over in silence.
#[test]
fn rows_that_are_hidden_from_us_stop_a_deletion() {
    let schema = format!(
        "{ROLE} CREATE TABLE p (id int PRIMARY KEY, deleted_at timestamptz);
        CREATE TABLE c (id int PRIMARY KEY, p int REFERENCES p ON DELETE CASCADE, tenant text, deleted_at timestamptz);
        CREATE TABLE n (id int PRIMARY KEY, p int REFERENCES p, tenant text, deleted_at timestamptz);
        INSERT INTO p VALUES (1), (2); INSERT INTO c VALUES (1, 1, 'a'); INSERT INTO n VALUES (1, 2, 'a');
        ALTER TABLE p OWNER TO keys_other; ALTER TABLE c OWNER TO keys_other; ALTER TABLE n OWNER TO keys_other"
    );
    let tables = [("p", Soft), ("c", Soft), ("n", Soft)];
    let Some(mut twin) = Twin::new("keys::rows_that_are…", &schema, &tables) else { return };
    // As if `keys_other` had run apply.
    twin.kept.run(
        "GRANT ALL ON ALL TABLES IN SCHEMA sexton TO keys_other; ALTER SCHEMA sexton OWNER TO keys_other;
        DO $$ DECLARE f regprocedure; BEGIN
            FOR f IN SELECT oid::regprocedure FROM pg_proc WHERE pronamespace = 'sexton'::regnamespace LOOP
                EXECUTE format('ALTER FUNCTION %s OWNER TO keys_other', f);
            END LOOP;
        END $$;
        ALTER TABLE c ENABLE ROW LEVEL SECURITY; ALTER TABLE c FORCE ROW LEVEL SECURITY;
        ALTER TABLE n ENABLE ROW LEVEL SECURITY; ALTER TABLE n FORCE ROW LEVEL SECURITY;
        CREATE POLICY own ON c USING (tenant = 'b'); CREATE POLICY own ON n USING (tenant = 'b')",
    );
    for id in [1, 2] {
        let error = twin.kept_only(&twin.rewritten("p", &format!("id = {id}"))).expect("it is refused");
        assert_eq!(error.sqlstate, "42501", "{error:?}");
    }
    let found = twin.findings_as("keys_other");
    let found: Vec<_> = found.iter().filter(|finding| finding.kind == "row-security").collect();
    let objects: Vec<&str> = found.iter().map(|finding| finding.object.as_str()).collect();
    assert_eq!(objects, ["public.c", "public.n"], "{found:#?}");
    assert!(found.iter().all(|finding| finding.level == sexton::schema::Level::Error));
    twin.kept.run("ALTER ROLE keys_other BYPASSRLS");
    assert!(twin.findings_as("keys_other").iter().all(|finding| finding.kind != "row-security"));
    twin.delete("p", "id = 1");
    twin.delete_refused("p", "id = 2");
    twin.kept.run("ALTER ROLE keys_other NOBYPASSRLS");
}

/// A predicate over a type whose operators others may add to says so; elsewhere its operators are used.
#[test]
fn a_predicate_has_the_operators_of_its_type_where_they_can_be_trusted() {
    let schema = format!(
        "{ROLE} CREATE SCHEMA ext; CREATE EXTENSION citext SCHEMA ext;
        CREATE TABLE p (id int PRIMARY KEY, state ext.citext NOT NULL DEFAULT 'Live', deleted_at timestamptz);
        CREATE TABLE c (id int PRIMARY KEY, p int REFERENCES p ON DELETE CASCADE, deleted_at timestamptz);
        INSERT INTO p (id) VALUES (1), (2); INSERT INTO c VALUES (1, 1), (2, 2)"
    );
    let Some(cluster) = crate::support::cluster::shared("keys::a_predicate…") else { return };
    let database = crate::support::database::Database::create(cluster, "keys_types");
    database.run(&schema);
    let config =
        "[databases.\"*\".tables.p]\ndelete = \"soft\"\nlive = \"state = 'live'\"\nmark = { state = \"'DEAD'\" }
        [databases.\"*\".tables.c]\ndelete = \"soft\"";
    crate::support::schema::apply(&database, config, false);
    database.run("UPDATE p SET state = 'DEAD' WHERE id = 1");
    let live = database.direct().expect("SELECT id FROM c WHERE deleted_at IS NULL")[0].texts();
    assert_eq!(live, [["2"]], "'Live' is live: the trigger compares as citext does");
    database.run("GRANT CREATE ON SCHEMA ext TO keys_other");
    let found = crate::support::schema::findings(&database, config, false);
    assert!(found.iter().any(|finding| finding.kind == "type-schema" && finding.object == "public.p"), "{found:#?}");
}
