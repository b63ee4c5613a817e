//! SIGHUP: another configuration and other certificates, while sessions go on.

use crate::support::certificates::Authority;
use crate::support::cluster;
use crate::support::database::Database;
use crate::support::raw::{Raw, bind, execute, parse, sync};
use crate::support::secure::Secure;
use crate::support::sexton::Sexton;

const SCHEMA: &str = "
    CREATE TABLE users (id int PRIMARY KEY, deleted_at timestamptz);
    INSERT INTO users VALUES (1, NULL), (2, now());
    CREATE TABLE posts (id int PRIMARY KEY, deleted_at timestamptz);
    INSERT INTO posts VALUES (1, NULL), (2, now());
    DO $$ BEGIN CREATE ROLE reader LOGIN; EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$;
    GRANT SELECT ON users, posts TO reader";

const USERS: &str = "\n[databases.\"*\".tables.users]\ndelete = \"soft\"\n";
const POSTS: &str = "\n[databases.\"*\".tables.posts]\ndelete = \"soft\"\n";

fn text(port: u16, server_port: u16, rest: &str) -> String {
    format!(
        "[listen]\naddress = \"127.0.0.1:{port}\"\n\n\
         [upstream]\naddress = \"127.0.0.1:{server_port}\"\nuser = \"postgres\"\n{rest}"
    )
}

fn counted(connection: &mut Raw, batch: &[Vec<u8>]) -> String {
    connection.send(&batch.concat()).expect("it is sent");
    connection.replies("the batch").remove(0).texts()[0][0].clone()
}

#[test]
fn statements_prepared_before_a_reload_get_the_new_rules() {
    let Some(cluster) = cluster::shared("reload::statements_prepared…") else { return };
    let database = Database::create(cluster, "reload");
    database.run(SCHEMA);
    let sexton = Sexton::configured(|port| text(port, database.port, USERS));
    let mut session = sexton.connect("reader", &database.name);
    let run = [bind("s", &[], false), execute(0), sync()];
    let prepare = [&[parse("s", "SELECT count(*) FROM posts")], &run[..]].concat();
    assert_eq!(counted(&mut session, &prepare), "2");
    session.expect("BEGIN");
    assert_eq!(session.expect("SELECT count(*) FROM posts")[0].texts(), [["2"]]);

    let log = sexton.reload(&text(sexton.port, database.port, &format!("{USERS}{POSTS}")));
    assert!(log.contains("are read again"), "{log}");
    assert_eq!(session.expect("SELECT count(*) FROM posts")[0].texts(), [["1"]], "in the middle of a transaction");
    session.expect("COMMIT");
    assert_eq!(counted(&mut session, &run), "1");
}

#[test]
fn access_that_is_given_and_taken_reaches_open_sessions() {
    let Some(cluster) = cluster::shared("reload::access_that_is…") else { return };
    let database = Database::create(cluster, "reload");
    database.run(SCHEMA);
    let sexton = Sexton::configured(|port| text(port, database.port, USERS));
    let mut session = sexton.connect("reader", &database.name);
    let denied = |session: &mut Raw| {
        let error = session.simple("SET sexton.scope = 'all'").remove(0).error;
        error.map(|error| error.sqlstate)
    };
    assert_eq!(denied(&mut session).as_deref(), Some("42501"));
    let given = format!("\n[access]\nsee_deleted = [\"reader\"]\n{USERS}");
    sexton.reload(&text(sexton.port, database.port, &given));
    assert_eq!(denied(&mut session), None);
    sexton.reload(&text(sexton.port, database.port, USERS));
    assert_eq!(denied(&mut session).as_deref(), Some("42501"));
    let error = session.simple("SELECT id FROM users").remove(0).error.expect("the scope it has set is taken too");
    assert!(error.message.starts_with("sexton:"), "{error}");
    session.expect("RESET sexton.scope");
    session.expect("SELECT id FROM users");
}

#[test]
fn a_bad_file_changes_nothing_and_says_why() {
    let Some(cluster) = cluster::shared("reload::a_bad_file…") else { return };
    let database = Database::create(cluster, "reload");
    database.run(SCHEMA);
    let named = USERS.replace("\"*\"", &database.name);
    let sexton = Sexton::configured(|port| text(port, database.port, &named));
    let mut session = sexton.connect("postgres", &database.name);
    for (rest, complaint) in [
        ("[databases.", "stays in force"),
        ("\n[databases.x]\ncolour = 1\n", "unknown key"),
        ("\n[databases.reload_nosuch]\n", "mend: create it, or correct its name in the configuration"),
        (&named.replace("\"soft\"", "\"archive\""), "does not fit"),
        (
            &named.replace(
                "[databases",
                "[listen.tls]\nmode = \"require\"\ncert = \"no.crt\"\nkey = \"no.key\"\n\n[databases",
            ),
            "/no.crt cannot be read",
        ),
    ] {
        let log = sexton.reload(&text(sexton.port, database.port, rest));
        assert!(log.contains(complaint) && log.contains("the old configuration stays in force"), "{log}");
        assert_eq!(session.expect("SELECT id FROM users")[0].texts(), [["1"]]);
        let mut other = sexton.connect("postgres", &database.name);
        assert_eq!(other.expect("SELECT id FROM users")[0].texts(), [["1"]]);
    }
}

#[test]
fn what_takes_a_restart_is_said_and_a_database_without_a_section_is_left_to_its_sessions() {
    let Some(cluster) = cluster::shared("reload::what_takes_a_restart…") else { return };
    let database = Database::create(cluster, "reload");
    database.run(SCHEMA);
    let sexton = Sexton::configured(|port| text(port, database.port, USERS));
    let mut session = sexton.connect("postgres", &database.name);
    let log = sexton.reload(&text(1, database.port, "[databases.postgres]\n"));
    assert!(log.contains("listen.address has changed, which takes a restart"), "{log}");
    let log = sexton.reload(&text(sexton.port, database.port, "[databases.postgres]\n"));
    assert!(!log.contains("takes a restart"), "it listens there: {log}");
    assert_eq!(session.expect("SELECT id FROM users")[0].texts(), [["1"]], "its rules stay");
    session.expect("CREATE TABLE more ()");
    assert_eq!(session.expect("SELECT id FROM users")[0].texts(), [["1"]], "after DDL too");
    let refused = Raw::connect(sexton.port, "postgres", &database.name).expect_err("no section covers it now");
    assert!(refused.to_string().contains("is not configured"), "{refused}");
    sexton.reload(&text(sexton.port, database.port, &format!("{USERS}{POSTS}")));
    assert_eq!(session.expect("SELECT id FROM posts")[0].texts(), [["1"]], "covered again");
}

#[test]
fn certificates_are_read_again() {
    let Some(secure) = Secure::start("reload::certificates…") else { return };
    let (old, new) = (Authority::new(), Authority::new());
    let pair = old.sign("sexton", "localhost");
    let configuration = |port| {
        let (cert, key) = (pair.cert.display(), pair.key.display());
        format!(
            "[listen]\naddress = \"127.0.0.1:{port}\"\n[listen.tls]\nmode = \"require\"\ncert = \"{cert}\"\nkey = \"{key}\"\n\
             [upstream]\naddress = \"localhost:{}\"\nuser = \"postgres\"\npassword = \"s3cret\"\ntls = \"require\"\n\
             [databases.postgres]\n",
            secure.cluster.port()
        )
    };
    let sexton = Sexton::configured(configuration);
    let log_in = |authority: &Authority| {
        let root = authority.certificate();
        let place = format!("host=localhost hostaddr=127.0.0.1 port={} dbname=postgres user=scram", sexton.port);
        secure.psql(&format!("{place} sslmode=verify-full sslrootcert={}", root.display()), "SELECT 1")
    };
    assert_eq!(log_in(&old).as_deref(), Ok("1"));
    let renewed = new.sign("sexton", "localhost");
    for (from, to) in [(&renewed.cert, &pair.cert), (&renewed.key, &pair.key)] {
        std::fs::copy(from, to).expect("renewed in place");
    }
    assert_eq!(log_in(&old).as_deref(), Ok("1"), "not before SIGHUP");
    sexton.reload(&configuration(sexton.port));
    assert!(log_in(&old).is_err());
    assert_eq!(log_in(&new).as_deref(), Ok("1"));
    std::fs::write(&pair.key, "nonsense").expect("the key is broken");
    let log = sexton.reload(&configuration(sexton.port));
    assert!(log.contains("holds no readable private key") && log.contains("stays in force"), "{log}");
    assert_eq!(log_in(&new).as_deref(), Ok("1"), "the old certificate stays");
}
