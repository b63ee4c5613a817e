//! What an operator meets: logins that fail, rights that lack, steps that fail, texts and exit codes.

use std::fs;
use std::path::Path;

use super::{Found, Ground};
use crate::support::cluster;
use crate::support::database::Database;

const USERS: &str = "[databases.NAME.tables.users]\ndelete = \"soft\"\n";

#[test]
fn what_cannot_be_read_is_said_and_the_rest_is_checked() {
    let Some(cluster) = cluster::shared("check::what_cannot_be_read…") else { return };
    let ground = Ground::new(cluster, "postgres", &format!("{USERS}\n[databases.absent_NAME]\n"));
    ground.database.run("CREATE TABLE users (id serial PRIMARY KEY, deleted_at timestamptz)");
    let ran = ground.sexton(&["apply", "--execute", "--database", &ground.database.name]);
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    let ran = ground.sexton(&["check"]);
    assert_eq!(ran.code, Some(2));
    assert_eq!(ran.out, format!("database {}\n\nno errors, no warnings, no notes\n", ground.database.name));
    assert!(ran.err.contains("does not exist (3D000)\n  mend: create it, or correct its name"), "{}", ran.err);
    let ran = ground.sexton(&["check", "--format", "json"]);
    assert!(ran.json()["databases"][0]["error"]["message"].as_str().is_some_and(|message| message.contains("3D000")));

    let nobody = Ground::new(cluster, "check_nobody", USERS);
    let ran = nobody.sexton(&["check"]);
    assert_eq!((ran.code, ran.out.as_str()), (Some(2), ""));
    assert!(
        ran.err.contains("role \"check_nobody\" does not exist (28000)\n  mend: look at upstream.address"),
        "{}",
        ran.err
    );
}

#[test]
fn a_role_that_is_none_is_told_as_such() {
    let Some(cluster) = cluster::shared("check::a_role_that_is_none…") else { return };
    let ground = Ground::new(cluster, "postgres", USERS);
    let ran = ground.sexton(&["apply", "--user", "nosuch"]);
    assert!(ran.err.contains("\n  mend: correct the role's name where nosuch is none"), "{}", ran.err);
    let ran = ground.sexton(&["rewrite", "--role", "nosuch", "SELECT 1"]);
    assert_eq!(ran.code, Some(2));
    assert!(
        ran.err.contains("--role: role \"nosuch\" does not exist\n  mend: name a role of the server"),
        "{}",
        ran.err
    );
}

#[test]
fn every_database_needs_a_name() {
    let Some(cluster) = cluster::shared("check::every_database…") else { return };
    let ground = Ground::new(cluster, "postgres", "");
    let text = fs::read_to_string(&ground.config).expect("the configuration");
    let text = text
        .replace(&format!("[databases.{}]", ground.database.name), "[databases.\"*\".tables.users]\ndelete = \"soft\"");
    fs::write(&ground.config, text).expect("the configuration");
    let ran = ground.sexton(&["check"]);
    assert_eq!(ran.code, Some(2));
    assert!(ran.err.contains("mend: name the one that is meant with --database"), "{}", ran.err);
    ground.database.run("CREATE TABLE users (id text PRIMARY KEY, deleted_at timestamptz)");
    let ran = ground.sexton(&["check", "--database", &ground.database.name]);
    assert_eq!(ran.code, Some(1), "{}", ran.err);
    assert!(
        ran.out.contains(
            "mend: add to the configuration:\n             [databases.\"*\".tables.users]\n             archive = "
        ),
        "{}",
        ran.out
    );
}

#[test]
fn apply_stops_at_the_step_that_fails_and_says_what_to_do() {
    let Some(cluster) = cluster::shared("check::apply_stops…") else { return };
    let ground = Ground::new(cluster, "check_own", USERS);
    ground.database.run(
        "CREATE TABLE users (id serial PRIMARY KEY, email text, deleted_at timestamptz);
         INSERT INTO users (email) VALUES ('a');
         CREATE UNIQUE INDEX users_email ON users (email); GRANT SELECT ON users TO check_own",
    );
    let ran = ground.sexton(&["apply", "--execute"]);
    assert_eq!(ran.code, Some(1), "{}", ran.out);
    assert!(ran.err.contains("permission denied for database"), "{}", ran.err);
    assert!(ran.err.contains("mend: run it as the tables' owner: sexton apply --execute --user NAME"), "{}", ran.err);
    let ran = ground.sexton(&["apply", "--execute", "--format", "json"]);
    let document = &ran.json()["databases"][0];
    assert_eq!(document["error"]["sqlstate"], "42501");
    let outcomes: Vec<&str> =
        document["steps"].as_array().expect("steps").iter().filter_map(|step| step["outcome"].as_str()).collect();
    assert!(outcomes.contains(&"failed") && outcomes.last() == Some(&"not reached"), "{outcomes:?}");
    assert_eq!(ground.apply(), []);
}

/// What a second proxy of the same database has noted in `sexton.tables` is its own.
/// A child whose section does not hold would go for good with its parent.
#[test]
fn nothing_is_applied_by_a_configuration_that_does_not_fit() {
    let Some(cluster) = cluster::shared("check::nothing_is_applied…") else { return };
    let sections = "[databases.NAME.tables.orders]\ndelete = \"archive\"\n[databases.NAME.tables.items]\n\
                    delete = \"soft\"\nlive = \"gone IS NULL\"\nmark = { gone_at = \"now()\" }\n";
    let ground = Ground::new(cluster, "postgres", sections);
    ground.database.run(
        "CREATE TABLE orders (id int PRIMARY KEY);
         CREATE TABLE items (order_id int REFERENCES orders ON DELETE CASCADE, gone timestamptz)",
    );
    for arguments in [["apply"].as_slice(), &["apply", "--execute"]] {
        let ran = ground.sexton(arguments);
        assert_eq!((ran.code, ran.out.as_str()), (Some(2), ""), "{}", ran.err);
        assert!(ran.err.contains("nothing is applied\n  public.items: ") && ran.err.contains("gone_at"), "{}", ran.err);
    }
    let mut direct = ground.database.direct();
    assert_eq!(direct.expect("SELECT FROM pg_trigger WHERE NOT tgisinternal")[0].rows.len(), 0);
}

#[test]
fn what_another_configuration_has_noted_is_left_alone() {
    let Some(cluster) = cluster::shared("check::what_another…") else { return };
    let ground = Ground::new(cluster, "postgres", USERS);
    ground.database.run(
        "CREATE TABLE users (id serial PRIMARY KEY, deleted_at timestamptz);
         CREATE TABLE posts (id serial PRIMARY KEY, deleted_at timestamptz);
         CREATE TABLE notes (id serial PRIMARY KEY, post_id int REFERENCES posts)",
    );
    assert_eq!(ground.apply_of(true), []);
    let (name, port) = (ground.database.name.clone(), ground.database.port);
    let other = Ground { database: Database { name, port }, config: ground.config.with_extension("other.toml") };
    let text = fs::read_to_string(&ground.config).expect("the configuration");
    fs::write(&other.config, text.replace("tables.users", "tables.posts")).expect("another configuration");
    // As `serve` does.
    ground.database.run(
        "INSERT INTO sexton.tables (relation, live, strategy) VALUES ('public.posts', 'deleted_at IS NULL', 'soft')",
    );
    let is_other = |found: &Found| found.line.contains("unregistered");
    assert!(other.apply_of(true).iter().all(is_other));
    assert!(ground.findings(true).iter().all(is_other), "{:#?}", ground.findings(true));
    ground.database.run("DELETE FROM sexton.tables WHERE relation = 'public.posts'");
    assert!(ground.findings(true).iter().any(|found| found.line.contains("stale-object")));
}

#[test]
fn a_text_groups_what_it_says_by_object_and_counts_it() {
    let Some(cluster) = cluster::shared("check::a_text_groups…") else { return };
    let ground = Ground::new(cluster, "postgres", USERS);
    ground.database.run("CREATE TABLE users (id serial PRIMARY KEY, email text, deleted_at timestamptz)");
    ground.apply();
    ground.database.run("ALTER TABLE users ADD UNIQUE (email); CREATE VIEW v AS SELECT email FROM users");
    ground.database.run("DROP FUNCTION sexton.reason()");
    let ran = ground.sexton(&["check", "--verbose"]);
    let expected = "schema sexton
  warning  it is of another version of Sexton, or incomplete
           mend: sexton apply (1 step)
             DO $step$ …

unique constraint public.users_email_key
  warning  it counts deleted rows: a freed email cannot be used again
           mend: sexton apply (5 steps)
             DROP INDEX CONCURRENTLY IF EXISTS public.users_email_key_sexton_new;
             CREATE UNIQUE INDEX CONCURRENTLY users_email_key_sexton_new ON public.users USING btree (email) WHERE deleted_at IS NULL;
             ALTER TABLE public.users DROP CONSTRAINT IF EXISTS users_email_key;
             DROP INDEX IF EXISTS public.users_email_key;
             ALTER INDEX public.users_email_key_sexton_new RENAME TO users_email_key;

view public.v
  warning  it shows deleted rows of public.users
           mend: run this through Sexton, which adds deleted_at IS NULL:
             CREATE OR REPLACE VIEW public.v AS
             SELECT email
                FROM public.users;

no errors, 3 warnings, no notes; sexton apply mends 2 of them
";
    // Before 16 the server writes the table's name.
    let out = ran.out.replace("SELECT users.email", "SELECT email");
    assert_eq!(out, format!("database {}\n\n{expected}", ground.database.name));
    assert_eq!(ran.code, Some(1));
    let ran = ground.sexton(&["check"]);
    assert!(ran.out.contains("mend: sexton apply (5 steps)") && !ran.out.contains("CONCURRENTLY"), "{}", ran.out);
}

#[test]
fn the_shop_of_the_demo_is_as_it_should_be_once_applied() {
    let Some(cluster) = cluster::shared("check::the_shop…") else { return };
    let file = |name: &str| {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/cli/demo").join(name);
        fs::read_to_string(path).expect("a file of the demo")
    };
    let toml = file("shop.toml");
    let sections = &toml[toml.find("[databases.").expect("sections")..];
    let ground = Ground::new(cluster, "postgres", &sections.replace("databases.shop", "databases.NAME"));
    // The server of the tests has roles of these names, or gets them.
    let (tables, roles) = (file("shop.sql"), ["app", "support"]);
    let tables = roles.iter().fold(tables, |sql, role| sql.replace(&format!("CREATE ROLE {role} LOGIN;"), ""));
    for role in roles {
        ground.database.run(&format!(
            "DO $$ BEGIN CREATE ROLE {role} LOGIN; EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$"
        ));
    }
    ground.database.run(&tables);
    let found = ground.findings(true);
    let count = |kind: &str| found.iter().filter(|found| found.line.contains(kind)).count();
    assert_eq!((count("own-schema"), count("foreign-key"), count("reinsert")), (1, 8, 3), "{found:#?}");
    let left = ground.apply_of(true);
    assert!(left.iter().all(|left| left.line.starts_with("note no-archive")), "{left:#?}");
    assert_eq!(ground.sexton(&["check"]).code, Some(0));
}

#[test]
fn a_role_that_may_not_change_the_schema_is_told_whose_it_is() {
    let Some(cluster) = cluster::shared("check::a_role_that_may_not…") else { return };
    let ground = Ground::new(cluster, "postgres", USERS);
    ground.database.run(
        "CREATE TABLE users (id serial PRIMARY KEY, deleted_at timestamptz); ALTER TABLE users OWNER TO check_clerk;
        GRANT CREATE ON SCHEMA public TO check_clerk",
    );
    assert!(ground.apply().is_empty());
    let by_clerk = ["apply", "--execute", "--user", "check_clerk"];
    let ran = ground.sexton(&by_clerk);
    assert_eq!(ran.code, Some(0), "nothing is to be done: {}{}", ran.out, ran.err);
    ground.database.run("CREATE TABLE posts (user_id int REFERENCES users)");
    let ran = ground.sexton(&by_clerk);
    assert_eq!(ran.code, Some(1), "{}{}", ran.out, ran.err);
    assert!(ran.out.contains("it belongs to postgres: check_clerk cannot change what is in it\n"), "{}", ran.out);
    assert!(ran.out.contains("mend: run sexton apply as postgres or as a superuser"), "{}", ran.out);
}
