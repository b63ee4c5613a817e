//! What schema `sexton` does inside the server, as sessions see it: errors like the server's own.

use sexton::schema::{Finding, Level};

use crate::support::ground::{Ground, answered};
use crate::support::raw::{Raw, bind, execute, message, parse, query, sync};
use crate::support::schema;

const CONFIG: &str = "[databases.\"*\".tables.users]\ndelete = \"soft\"\n";

/// A trigger of Sexton's that refuses, one that runs a statement which a trigger of somebody else's refuses, and a
/// function of somebody else's that refuses.
const SCHEMA: &str = "
    CREATE SCHEMA sexton;
    CREATE TABLE users (id int PRIMARY KEY, deleted_at timestamptz);
    INSERT INTO users VALUES (1, NULL), (2, NULL), (3, NULL);
    CREATE TABLE posts (id int);
    INSERT INTO posts VALUES (1);
    CREATE FUNCTION strict() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        RAISE NOTICE 'noticed';
        RAISE 'not this one';
    END $$;
    CREATE TRIGGER strict BEFORE UPDATE ON posts FOR EACH ROW EXECUTE FUNCTION strict();
    CREATE FUNCTION sexton.refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        IF NEW.id = 2 THEN
            UPDATE public.posts SET
                id = 2;
        END IF;
        RAISE EXCEPTION USING ERRCODE = '23503', MESSAGE = 'as the server says it', DETAIL = 'Key (id)=(1).';
    END $$;
    CREATE CONSTRAINT TRIGGER refuse AFTER UPDATE ON users DEFERRABLE FOR EACH ROW EXECUTE FUNCTION sexton.refuse()";

#[test]
fn errors_of_our_triggers_are_like_the_servers_own() {
    let Some(ground) = Ground::new("own_schema::errors_of…", SCHEMA, CONFIG) else { return };
    let mut session = ground.connect();
    let error = answered(&mut session, &[query("DELETE FROM users WHERE id = 1")]);
    assert!(error.contains("Mas the server says it\0DKey (id)=(1).\0"), "{error}");
    assert!(!error.contains("sexton") && !error.contains("\0W") && !error.contains("pl_exec"), "{error}");
    assert!(error.contains("\0Rri_ReportViolation\0"), "{error}");
    let error = answered(&mut session, &[query("DELETE FROM users WHERE id = 2")]);
    assert!(error.contains("\0Mnoticed\0WPL/pgSQL function strict() line 2 at RAISE\0"), "the notice: {error}");
    assert!(error.contains("\0Mnot this one\0WPL/pgSQL function strict() line 3 at RAISE\0"), "{error}");
    assert!(!error.contains("sexton"), "{error}");
    let error = answered(&mut session, &[query("UPDATE posts SET id = 3")]);
    assert!(error.contains("\0Fpl_exec.c\0"), "others' errors are left alone: {error}");
    session.expect("BEGIN");
    session.expect("SET CONSTRAINTS refuse DEFERRED");
    session.expect("DELETE FROM users WHERE id = 3");
    let error = answered(&mut session, &[query("COMMIT")]);
    assert!(error.contains("Mas the server says it\0") && !error.contains("sexton"), "{error}");
}

#[test]
fn a_table_is_dropped_when_it_is_empty_as_if_by_the_statement_alone() {
    let Some(ground) = Ground::new("own_schema::a_table_is_dropped…", SCHEMA, CONFIG) else { return };
    let mut session = ground.connect();
    let prepared = || [parse("d", "DROP TABLE users"), bind("d", &[], false), execute(0), sync()];
    let error = answered(&mut session, &prepared());
    assert!(error.contains("Msexton: dropping public.users would destroy rows that are kept\0"), "{error}");
    assert!(!error.contains("\0W") && !error.contains("\0F"), "{error}");
    ground.database.run("DELETE FROM users; CREATE VIEW people AS SELECT id FROM users");
    let error = answered(&mut session, &[query("DROP TABLE users")]);
    assert!(error.contains("C2BP01\0") && !error.contains("\0W"), "the server's own: {error}");
    let notices = answered(&mut session, &[query("BEGIN; DROP TABLE users CASCADE; ROLLBACK")]);
    assert!(notices.contains("drop cascades to view people\0F") && !notices.contains("\0W"), "{notices}");
    ground.database.run("DROP VIEW people");
    let dropped = answered(&mut session, &[&[message(b'C', b"Sd\0")], &prepared()[..]].concat());
    assert!(dropped.contains("DROP TABLE\0"), "{dropped}");
    let error = session.simple("SELECT id FROM users").remove(0).error.expect("it is gone");
    assert_eq!(error.sqlstate, "42P01");
}

/// Nobody puts a row into a table between the look at it and its end.
#[test]
fn a_row_that_comes_in_the_meantime_keeps_its_table() {
    let Some(ground) = Ground::new("own_schema::a_row_that_comes…", SCHEMA, CONFIG) else { return };
    ground.database.run("DELETE FROM users");
    let mut writer = ground.connect();
    writer.expect("BEGIN");
    writer.expect("INSERT INTO users VALUES (7)");
    let dropping = std::thread::scope(|scope| {
        let dropping = scope.spawn(|| ground.connect().simple("DROP TABLE users").remove(0).error);
        let waits = "SELECT count(*) FROM pg_locks WHERE NOT granted AND mode = 'AccessExclusiveLock'
            AND database = (SELECT oid FROM pg_database WHERE datname = current_database())";
        while ground.directly(waits) != [["1"]] {
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
        writer.expect("COMMIT");
        dropping.join().expect("it answers")
    });
    assert_eq!(dropping.map(|error| error.sqlstate).as_deref(), Some("42501"));
    assert_eq!(writer.expect("SELECT id FROM users")[0].texts(), [["7"]]);
}

#[test]
fn what_keeps_rows_inside_the_server_is_not_taken_away() {
    let Some(ground) = Ground::new("own_schema::what_keeps…", SCHEMA, CONFIG) else { return };
    let mut session = ground.connect();
    for sql in [
        "ALTER TABLE users DISABLE TRIGGER USER",
        "ALTER TABLE public.users DISABLE TRIGGER ALL",
        "ALTER TABLE ONLY users ADD COLUMN x int, DISABLE TRIGGER refuse",
        "ALTER TABLE users ENABLE REPLICA TRIGGER \"refuse\"",
        "DROP TRIGGER refuse ON users",
        "DROP TRIGGER IF EXISTS refuse ON public.users CASCADE",
        "ALTER TRIGGER refuse ON users RENAME TO r",
        "DROP FUNCTION sexton.refuse() CASCADE",
        "CREATE OR REPLACE FUNCTION sexton.refuse() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'",
        "DROP SCHEMA sexton CASCADE",
        "ALTER SCHEMA sexton RENAME TO s",
    ] {
        let replies = session.simple(sql);
        let error = replies[0].error.as_ref().unwrap_or_else(|| panic!("{sql} is refused"));
        assert_eq!(error.sqlstate, "42501", "{sql}: {error:?}");
    }
    for sql in [
        "ALTER TABLE users ENABLE TRIGGER refuse",
        "ALTER TABLE posts DISABLE TRIGGER USER",
        "DROP TRIGGER strict ON posts",
        "CREATE TABLE sexton (id int)",
        "DROP TABLE sexton",
    ] {
        session.expect(sql);
    }
}

/// A schema of that name that anybody has made is nobody's trap.
#[test]
fn functions_of_a_stranger_are_not_called() {
    let schema = "
        CREATE SCHEMA sexton;
        CREATE TABLE users (id int PRIMARY KEY, deleted_at timestamptz, deletion_id uuid);
        INSERT INTO users VALUES (1), (2);
        CREATE FUNCTION sexton.event(boolean) RETURNS uuid LANGUAGE plpgsql AS $$ BEGIN RAISE 'called'; END $$;
        CREATE ROLE stranger; ALTER FUNCTION sexton.event(boolean) OWNER TO stranger";
    let Some(ground) = Ground::new("own_schema::functions_of_a_stranger…", schema, CONFIG) else { return };
    let mut session = ground.connect();
    assert_eq!(session.expect("DELETE FROM users WHERE id = 1")[0].tag.as_deref(), Some("DELETE 1"));
    ground.database.run("ALTER TABLE users OWNER TO stranger");
    // A reason to read the catalog again.
    session.expect("GRANT SELECT ON users TO PUBLIC");
    let error =
        session.simple("DELETE FROM users WHERE id = 2").remove(0).error.expect("the table's owner is believed");
    assert_eq!(error.message, "called");
}

/// The server would refuse it by what it finds: so that nothing depends on that, Sexton does in its place.
#[test]
fn truncate_of_a_table_that_is_referred_to_is_refused_in_the_servers_words() {
    let schema = "
        CREATE TABLE users (id int PRIMARY KEY, deleted_at timestamptz);
        CREATE TABLE \"Later\" (user_id int);
        CREATE TABLE a (user_id int REFERENCES users);
        ALTER TABLE \"Later\" ADD FOREIGN KEY (user_id) REFERENCES users";
    let Some(ground) = Ground::new("own_schema::truncate_of_a_table…", schema, CONFIG) else { return };
    let error = |mut session: Raw| session.simple("TRUNCATE users").remove(0).error.expect("it is refused");
    assert_eq!(error(ground.connect()), error(ground.database.direct()));
}

/// Nothing completes a foreign key that was made after `apply` was run: a mark would leave its rows without a parent.
#[test]
fn a_new_foreign_key_stops_deletions_until_apply_is_run() {
    let schema =
        "CREATE TABLE users (id int PRIMARY KEY, deleted_at timestamptz); INSERT INTO users VALUES (1), (2), (3)";
    let Some(ground) = Ground::new("own_schema::a_new_foreign_key…", schema, CONFIG) else { return };
    let mut session = ground.connect();
    session.expect("CREATE TABLE likes (id int, user_id int REFERENCES users ON DELETE CASCADE)");
    session.expect("DELETE FROM users WHERE id = 1");
    schema::apply(&ground.database, CONFIG, false);
    session.expect("CREATE TABLE posts (id int, user_id int REFERENCES users ON DELETE CASCADE)");
    session.expect("INSERT INTO likes VALUES (1, 2); INSERT INTO posts VALUES (1, 2)");
    for sql in ["DELETE FROM users WHERE id = 2", "DELETE FROM users WHERE id = 2 RETURNING id"] {
        let error = session.simple(sql)[0].error.clone().expect("it is refused");
        assert_eq!(error.sqlstate, "55000", "{sql}: {error:?}");
        assert!(error.message.contains("foreign key posts_user_id_fkey of public.posts"), "{error:?}");
    }
    schema::apply(&ground.database, CONFIG, false);
    session.expect("ALTER TABLE users ADD COLUMN name text");
    session.expect("DELETE FROM users WHERE id = 2");
    let left = session.expect("SELECT (SELECT count(*) FROM likes) + (SELECT count(*) FROM posts)");
    assert_eq!(left[0].texts(), [["0"]]);
}

/// What is left to be done in a cascade is the name of one of our functions, whoever has written it there.
#[test]
fn the_queue_is_no_place_for_statements() {
    let schema = "CREATE TABLE users (id int PRIMARY KEY, deleted_at timestamptz); CREATE ROLE own_writer;
        GRANT pg_write_all_data TO own_writer";
    let Some(ground) = Ground::new("own_schema::the_queue…", schema, CONFIG) else { return };
    schema::apply(&ground.database, CONFIG, false);
    let mut session = ground.database.direct();
    session.expect("SET ROLE own_writer");
    for call in ["ALTER ROLE own_writer SUPERUSER", "drain_all", "event"] {
        let sql = format!("INSERT INTO sexton.queue (call, key, relation) VALUES ('{call}', '{{}}', 0)");
        let error = session.simple(&sql)[0].error.clone().unwrap_or_else(|| panic!("{call} is refused"));
        assert_eq!(error.sqlstate, "42501", "{error:?}");
    }
    assert_eq!(ground.directly("SELECT rolsuper FROM pg_roles WHERE rolname = 'own_writer'"), [["f"]]);
}

/// What a role may do with what is in schema sexton, but for what everybody may.
fn open_to(role: &str) -> String {
    format!(
        "SELECT (SELECT count(*) FROM pg_proc WHERE pronamespace = 'sexton'::regnamespace AND prosecdef
                AND has_function_privilege('{role}', oid, 'EXECUTE')),
            (SELECT count(*) FROM pg_class WHERE relnamespace = 'sexton'::regnamespace AND relkind = 'r'
                AND has_table_privilege('{role}', oid, 'SELECT, INSERT, UPDATE, DELETE, TRUNCATE, REFERENCES, TRIGGER')),
            (SELECT count(*) FROM pg_class WHERE relnamespace = 'sexton'::regnamespace
                AND CASE relkind WHEN 'S' THEN has_sequence_privilege('{role}', oid, 'USAGE, SELECT, UPDATE') END),
            has_schema_privilege('{role}', 'sexton', 'CREATE')"
    )
}

#[test]
fn what_default_privileges_grant_is_not_granted_here() {
    let config = format!("{CONFIG}audit = true\n");
    let schema = "CREATE TABLE users (id int PRIMARY KEY, deleted_at timestamptz); CREATE ROLE own_app;
        ALTER DEFAULT PRIVILEGES GRANT ALL ON TABLES TO own_app; ALTER DEFAULT PRIVILEGES GRANT ALL ON FUNCTIONS TO own_app;
        ALTER DEFAULT PRIVILEGES GRANT ALL ON SEQUENCES TO own_app; ALTER DEFAULT PRIVILEGES GRANT ALL ON SCHEMAS TO own_app";
    let Some(ground) = Ground::new("own_schema::what_default…", schema, &config) else { return };
    schema::apply(&ground.database, &config, false);
    assert_eq!(ground.directly(&open_to("own_app")), [["0", "0", "0", "f"]]);
    // As an older installation has it, and whoever grants too much.
    ground.database.run(
        "GRANT ALL ON ALL TABLES IN SCHEMA sexton TO own_app; GRANT ALL ON ALL FUNCTIONS IN SCHEMA sexton TO own_app;
        GRANT ALL ON ALL SEQUENCES IN SCHEMA sexton TO own_app; GRANT CREATE ON SCHEMA sexton TO PUBLIC;
        REVOKE ALL ON sexton.queue FROM own_app; GRANT INSERT (call) ON sexton.queue TO own_app",
    );
    schema::apply(&ground.database, &config, false);
    let readable = "SELECT string_agg(relname, ' ' ORDER BY relname) FROM pg_class WHERE relkind = 'r'
        AND relnamespace = 'sexton'::regnamespace AND has_any_column_privilege('own_app', oid, 'SELECT')";
    assert_eq!(ground.directly(readable), [["deletions nulled tables"]], "whoever is to read them may");
    ground.database.run("REVOKE SELECT ON ALL TABLES IN SCHEMA sexton FROM own_app");
    assert_eq!(ground.directly(&open_to("own_app")), [["0", "0", "0", "f"]]);
    assert!(schema::findings(&ground.database, &config, false).is_empty());
}

/// What is in the schema, and itself, where it is not the superuser's.
const STRANGE: &str = "SELECT what FROM (
    SELECT 'schema' AS what, nspowner AS owner FROM pg_namespace WHERE nspname = 'sexton' UNION ALL
    SELECT relname, relowner FROM pg_class WHERE relnamespace = 'sexton'::regnamespace UNION ALL
    SELECT oid::regprocedure::text, proowner FROM pg_proc WHERE pronamespace = 'sexton'::regnamespace) AS own
    WHERE owner <> 'postgres'::regrole ORDER BY what";

#[test]
fn a_superuser_takes_over_what_others_have_made() {
    let schema = "CREATE TABLE users (id int PRIMARY KEY, deleted_at timestamptz); CREATE ROLE own_eve;
        CREATE TABLE posts (user_id int REFERENCES users ON DELETE CASCADE, id int PRIMARY KEY, deleted_at timestamptz);
        CREATE SCHEMA sexton AUTHORIZATION own_eve; SET ROLE own_eve;
        CREATE FUNCTION sexton.actor(VARIADIC int[]) RETURNS text LANGUAGE sql AS 'SELECT 1::text'; RESET ROLE";
    let config = format!("{CONFIG}[databases.\"*\".tables.posts]\ndelete = \"soft\"\n");
    let Some(ground) = Ground::new("own_schema::a_superuser…", schema, &config) else { return };
    schema::apply(&ground.database, &config, false);
    assert!(ground.directly(STRANGE).is_empty(), "{:?}", ground.directly(STRANGE));
    let actors = "SELECT oid::regprocedure::text FROM pg_proc WHERE proname = 'actor'";
    assert_eq!(ground.directly(actors), [["sexton.actor()"]]);
    // As if she had run apply, and changed what she can.
    ground.database.run(
        "ALTER SCHEMA sexton OWNER TO own_eve;
        DO $$ DECLARE o oid; BEGIN
            FOR o IN SELECT oid FROM pg_proc WHERE pronamespace = 'sexton'::regnamespace LOOP
                EXECUTE format('ALTER FUNCTION %s OWNER TO own_eve', o::regprocedure); END LOOP;
            FOR o IN SELECT oid FROM pg_class WHERE relnamespace = 'sexton'::regnamespace AND relkind = 'r' LOOP
                EXECUTE format('ALTER TABLE %s OWNER TO own_eve', o::regclass); END LOOP;
        END $$;
        ALTER FUNCTION sexton.actor() SET search_path = trap",
    );
    let found = schema::findings(&ground.database, &config, false);
    let is_taken = |finding: &Finding| finding.level == Level::Error && !finding.steps.is_empty();
    assert!(found.iter().any(|finding| finding.kind == "schema-owner" && is_taken(finding)), "{found:#?}");
    schema::apply(&ground.database, &config, false);
    assert!(ground.directly(STRANGE).is_empty(), "{:?}", ground.directly(STRANGE));
    let path = "SELECT proconfig::text FROM pg_proc WHERE oid = 'sexton.actor()'::regprocedure";
    assert_eq!(ground.directly(path), [["{\"search_path=pg_catalog, pg_temp\"}"]]);
    // A second superuser does not take it from the first.
    ground.database.run("CREATE ROLE own_second SUPERUSER; ALTER SCHEMA sexton OWNER TO own_second");
    assert!(schema::findings(&ground.database, &config, false).is_empty());
    ground.database.run("ALTER SCHEMA sexton OWNER TO postgres; DROP ROLE own_second");
}

/// What runs where a table of the schema is written, its owner has chosen.
#[test]
fn a_table_with_somebodys_code_is_not_taken_over() {
    let tables = include_str!("../../src/schema/objects/sql/tables.sql").trim_end();
    for (code, named) in [
        ("CREATE TRIGGER spy BEFORE INSERT ON sexton.tables FOR EACH ROW EXECUTE FUNCTION spy()", "trigger spy"),
        ("CREATE RULE spy AS ON INSERT TO sexton.tables DO ALSO SELECT spied()", "rule spy"),
        ("ALTER TABLE sexton.tables ALTER live SET DEFAULT spied()", "default of live"),
        ("ALTER TABLE sexton.tables ADD CONSTRAINT spy CHECK (spied() = '')", "constraint spy"),
        ("CREATE INDEX spy ON sexton.tables ((spied()))", "index spy"),
        ("ALTER TABLE sexton.tables ALTER live TYPE kind", "column live"),
        (
            "ALTER TABLE sexton.tables RENAME TO t; CREATE VIEW sexton.tables AS SELECT * FROM sexton.t;
            ALTER VIEW sexton.tables OWNER TO own_spy",
            "not a plain table",
        ),
    ] {
        let schema = format!(
            "CREATE TABLE users (id int PRIMARY KEY, deleted_at timestamptz);
            DO $$ BEGIN CREATE ROLE own_spy; EXCEPTION WHEN duplicate_object THEN NULL; END $$;
            CREATE DOMAIN kind AS text;
            CREATE FUNCTION spied() RETURNS text IMMUTABLE LANGUAGE sql AS 'SELECT ''''::text';
            CREATE FUNCTION spy() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
            CREATE SCHEMA sexton AUTHORIZATION own_spy; {tables}; ALTER TABLE sexton.tables OWNER TO own_spy; {code}"
        );
        let Some(ground) = Ground::new("own_schema::a_table_with…", &schema, CONFIG) else { return };
        let found = schema::findings(&ground.database, CONFIG, false);
        let [finding] = &found[..] else { panic!("{code}: {found:#?}") };
        assert_eq!((finding.kind, finding.level, finding.steps.len()), ("schema-owner", Level::Error, 0), "{code}");
        assert!(finding.what.contains(named), "{code}: {finding:#?}");
    }
}
