//! What runs as the owner of schema sexton does nothing for anybody else.

use super::Kind::{Archive, Soft, SoftArchived};
use super::Twin;

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
