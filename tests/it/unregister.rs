//! The guard against unregistering: no configuration is served under which deleted rows would be seen again.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use crate::support::cluster;
use crate::support::database::Database;
use crate::support::raw::Raw;
use crate::support::sexton::{self, Sexton};

/// How long a start may take.
const START_TIMEOUT: Duration = Duration::from_secs(20);

const SCHEMA: &str = "
    CREATE TABLE users (id int PRIMARY KEY, name text, deleted_at timestamptz);
    INSERT INTO users SELECT n, 'u' || n, CASE WHEN n > 1 THEN now() END FROM generate_series(1, 1235) n;
    CREATE TABLE users_archive (LIKE users);
    CREATE TABLE seats (id int PRIMARY KEY, state text);
    INSERT INTO seats VALUES (1, 'free'), (2, 'void'), (3, 'lost')";

const USERS: &str = "\n[databases.DB.tables.users]\ndelete = \"soft\"\n";
const SEATS: &str =
    "\n[databases.DB.tables.seats]\ndelete = \"soft\"\nlive = \"state <> 'void'\"\nmark = { state = \"'void'\" }\n";
const NOTHING: &str = "\n[databases.DB]\n";
const HOLDS: &str = "public.users holds 1,234 deleted rows that would become visible";

/// A database, and configurations for it.
struct Shop {
    database: Database,
    user: &'static str,
}

impl Shop {
    fn new(test: &str) -> Option<Self> {
        let database = Database::create(cluster::shared(test)?, "unregister");
        database.run(SCHEMA);
        Some(Self { database, user: "postgres" })
    }

    /// The same with what `sexton apply` puts there for the guard.
    fn recording(test: &str) -> Option<Self> {
        let shop = Self::new(test)?;
        let tables = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/schema/objects/sql/tables.sql");
        shop.database.run(&format!("CREATE SCHEMA sexton; {}", fs::read_to_string(tables).expect("the table's DDL")));
        Some(shop)
    }

    fn text(&self, port: u16, rest: &str) -> String {
        let (server, user) = (self.database.port, self.user);
        format!(
            "[listen]\naddress = \"127.0.0.1:{port}\"\n\n[upstream]\naddress = \"127.0.0.1:{server}\"\nuser = \"{user}\"\n{}",
            rest.replace("DB", &self.database.name)
        )
    }

    fn start(&self, rest: &str) -> Sexton {
        let sexton = Sexton::configured(|port| self.text(port, rest));
        // The port is there before the databases are looked at.
        let deadline = Instant::now() + START_TIMEOUT;
        while !sexton.log().contains("listening") && Instant::now() < deadline {
            std::thread::sleep(Duration::from_millis(10));
        }
        sexton
    }

    /// What `serve` says that does not start.
    fn refused(&self, rest: &str) -> String {
        sexton::refused(&self.text(0, rest))
    }

    fn reload(&self, sexton: &Sexton, rest: &str) -> String {
        sexton.reload(&self.text(sexton.port, rest))
    }

    fn recorded(&self) -> Vec<Vec<String>> {
        self.database.direct().expect("SELECT relation, live, strategy FROM sexton.tables ORDER BY 1")[0].texts()
    }
}

fn live(session: &mut Raw) -> String {
    session.expect("SELECT count(*) FROM users")[0].texts()[0][0].clone()
}

#[test]
fn a_reload_does_not_show_deleted_rows() {
    let Some(shop) = Shop::new("unregister::a_reload_does_not…") else { return };
    let sexton = shop.start(&format!("{USERS}{SEATS}"));
    let mut session = sexton.connect("postgres", &shop.database.name);
    let archive = USERS.replace("soft", "archive");
    for careless in [SEATS.to_owned(), format!("{SEATS}{archive}"), format!("{SEATS}{}", USERS.replace("soft", "hard"))]
    {
        let log = shop.reload(&sexton, &careless);
        assert!(log.contains(HOLDS) && log.contains("the old configuration stays in force"), "{log}");
        assert!(log.contains("keep its section, and with it `deleted_at IS NULL`"), "{log}");
        assert_eq!(live(&mut session), "1");
    }
    let log = shop.reload(&sexton, &format!("{SEATS}{archive}column = \"deleted_at\"\n"));
    assert!(log.contains("are read again"), "the rows stay hidden: {log}");
    let log = shop.reload(&sexton, SEATS);
    assert!(log.contains(HOLDS), "what the second configuration hides is known as well: {log}");
    shop.database.run("DELETE FROM users WHERE deleted_at IS NOT NULL");
    let log = shop.reload(&sexton, SEATS);
    assert!(log.contains("are read again"), "nothing is left to hide: {log}");
}

#[test]
fn another_predicate_must_hide_what_the_first_hid() {
    let Some(shop) = Shop::new("unregister::another_predicate…") else { return };
    let sexton = shop.start(SEATS);
    let narrower = SEATS.replace("live = \"state <> 'void'\"", "live = \"state NOT IN ('void', 'lost')\"");
    let log = shop.reload(&sexton, &narrower);
    assert!(log.contains("are read again"), "it hides more: {log}");
    let log = shop.reload(&sexton, SEATS);
    assert!(log.contains("public.seats holds 1 deleted row that would become visible"), "{log}");
    assert!(log.contains("keep a `column` or `live` that hides them"), "{log}");
    let log = shop.reload(&sexton, NOTHING);
    assert!(log.contains("public.seats holds 2 deleted rows"), "{log}");
}

#[test]
fn a_start_knows_what_the_last_run_hid() {
    let Some(shop) = Shop::recording("unregister::a_start_knows…") else { return };
    drop(shop.start(&format!("{USERS}{SEATS}")));
    let recorded = [["public.seats", "(state <> 'void')", "soft"], ["public.users", "deleted_at IS NULL", "soft"]];
    assert_eq!(shop.recorded(), recorded);
    let said = shop.refused(SEATS);
    assert!(said.contains(HOLDS), "{said}");
    assert_eq!(shop.recorded(), recorded, "a start that is refused changes nothing");
    shop.database.run("DROP TABLE seats; DELETE FROM users WHERE deleted_at IS NOT NULL");
    let sexton = shop.start(NOTHING);
    assert_eq!(shop.recorded().len(), 0, "nothing is scoped any more");
    shop.reload(&sexton, USERS);
    assert_eq!(shop.recorded(), [["public.users", "deleted_at IS NULL", "soft"]]);
}

/// Two proxies may scope different tables of a database, as long as neither shows what the other hides.
#[test]
fn a_proxy_leaves_what_another_has_noted() {
    let Some(shop) = Shop::recording("unregister::a_proxy_leaves…") else { return };
    shop.database.run("DELETE FROM users WHERE deleted_at IS NOT NULL; DELETE FROM seats WHERE state = 'void'");
    let noted = || shop.recorded().into_iter().map(|row| row[0].clone()).collect::<Vec<_>>();
    let one = shop.start(USERS);
    let mut session = one.connect("postgres", &shop.database.name);
    assert_eq!(noted(), ["public.users"]);
    let other = shop.start(SEATS);
    let mut others = other.connect("postgres", &shop.database.name);
    // A reason to read the catalog again.
    session.expect("GRANT SELECT ON users TO PUBLIC");
    assert_eq!(noted(), ["public.seats", "public.users"], "what the other has forgotten is noted again");
    others.expect("GRANT SELECT ON seats TO PUBLIC");
    assert_eq!(noted(), ["public.seats", "public.users"]);
    session.expect("DELETE FROM users WHERE id = 1");
    let log = shop.reload(&other, SEATS);
    assert!(log.contains("public.users holds 1 deleted row"), "it would show the other's: {log}");
}

#[test]
fn a_table_is_followed_to_its_new_name() {
    let Some(shop) = Shop::recording("unregister::a_table_is_followed…") else { return };
    let sexton = shop.start(USERS);
    let mut session = sexton.connect("postgres", &shop.database.name);
    shop.database.run("ALTER TABLE users RENAME TO people");
    // A reason to read the catalog again.
    session.expect("GRANT SELECT ON people TO PUBLIC");
    let log = shop.reload(&sexton, NOTHING);
    assert!(log.contains("public.people holds 1,234 deleted rows"), "{log}");
    drop((session, sexton));
    let said = shop.refused(NOTHING);
    assert!(said.contains("public.people holds 1,234 deleted rows"), "{said}");
    let said = shop.refused(USERS);
    assert!(said.contains("public.people holds 1,234 deleted rows"), "the old name does not hide it: {said}");
    drop(shop.start(&USERS.replace("users", "people")));
    assert_eq!(shop.recorded(), [["public.people", "deleted_at IS NULL", "soft"]], "its old name is forgotten");
    shop.database.run("ALTER TABLE people RENAME TO persons");
    let said = shop.refused(NOTHING);
    assert!(said.contains("public.persons holds 1,234 deleted rows"), "nobody was there to see it: {said}");
    shop.database.run("CREATE VIEW people AS SELECT * FROM persons WHERE deleted_at IS NULL");
    let said = shop.refused(NOTHING);
    assert!(said.contains("public.persons holds 1,234 deleted rows"), "a view has taken its place: {said}");
    shop.database
        .run("ALTER TABLE sexton.tables DROP COLUMN oid; DROP VIEW people; ALTER TABLE persons RENAME TO people");
    let said = shop.refused(NOTHING);
    assert!(said.contains("public.people holds 1,234 deleted rows"), "a table of an older version is read: {said}");
    drop(shop.start(&USERS.replace("users", "people")));
}

#[test]
fn a_table_that_another_has_taken_the_name_of_is_remembered() {
    let Some(shop) = Shop::recording("unregister::a_table_that_another…") else { return };
    drop(shop.start(USERS));
    shop.database.run("ALTER TABLE users RENAME TO users_before; CREATE TABLE users (LIKE users_before)");
    let said = shop.refused(USERS);
    assert!(said.contains("public.users_before holds 1,234 deleted rows that would become visible"), "{said}");
}

#[test]
fn what_cannot_be_counted_is_not_shown() {
    let Some(mut shop) = Shop::recording("unregister::what_cannot_be_counted…") else { return };
    drop(shop.start(USERS));
    shop.database.run(
        "CREATE ROLE blind LOGIN; GRANT USAGE ON SCHEMA sexton TO blind; GRANT SELECT, INSERT, UPDATE, DELETE ON sexton.tables TO blind",
    );
    shop.user = "blind";
    let said = shop.refused(NOTHING);
    assert!(said.contains("it cannot be told whether public.users holds deleted rows"), "{said}");
    assert!(said.contains("permission denied for table users"), "{said}");
    shop.database.run("REVOKE SELECT ON sexton.tables FROM blind");
    let sexton = shop.start(USERS);
    drop(sexton.connect("postgres", &shop.database.name));
    let log = sexton.log();
    assert!(log.contains("sexton.tables cannot be kept") && log.contains("run `sexton apply`"), "{log}");
    drop(sexton);
    shop.user = "postgres";
    shop.database.run("ALTER TABLE users DROP COLUMN deleted_at");
    let said = shop.refused(NOTHING);
    assert!(said.contains("DELETE FROM sexton.tables WHERE relation = 'public.users'"), "{said}");
    shop.database.run("DELETE FROM sexton.tables WHERE relation = 'public.users'");
    drop(shop.start(NOTHING));
}

#[test]
fn a_table_of_somebody_else_is_not_believed() {
    let Some(shop) = Shop::recording("unregister::a_table_of_somebody…") else { return };
    shop.database.run(
        "CREATE ROLE mallory LOGIN; ALTER TABLE sexton.tables OWNER TO mallory;
         INSERT INTO sexton.tables VALUES ('public.seats', 'pg_terminate_backend(pg_backend_pid())', 'soft')",
    );
    let sexton = shop.start(USERS);
    assert!(sexton.log().contains("it belongs neither to a superuser nor to"), "{}", sexton.log());
    assert_eq!(shop.recorded().len(), 1, "nothing is written to it");
}

#[test]
fn a_database_that_nobody_names_is_not_opened() {
    let Some(shop) = Shop::recording("unregister::a_database_that_nobody…") else { return };
    let anyone = |tables: &str| tables.replace("databases.DB", "databases.\"*\"");
    let sexton = shop.start(&anyone(USERS));
    let mut session = sexton.connect("postgres", &shop.database.name);
    assert_eq!(live(&mut session), "1");
    drop((session, sexton));
    let sexton = shop.start(&anyone(NOTHING));
    let refused = Raw::connect(sexton.port, "postgres", &shop.database.name).expect_err("it is not served");
    assert!(refused.to_string().contains("08001") && sexton.log().contains(HOLDS), "{refused}\n{}", sexton.log());
}
