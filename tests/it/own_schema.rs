//! What schema `sexton` does inside the server, as sessions see it: errors like the server's own.

use crate::support::ground::{Ground, answered};
use crate::support::raw::query;

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
