//! What reaches the server, recorded on its way: a statement without a registered table byte for byte.
//!
//! Also the tags a client sees where the server answered with others, in both protocols and in pipelines.

use crate::support::database::Database;
use crate::support::raw::{Raw, bind, describe_portal, execute, message, parse, query, run_text, sync};
use crate::support::relay::Relay;
use crate::support::sexton::Sexton;
use crate::support::{cluster, raw};

const CONFIG: &str = "[databases.\"*\".tables.users]\ndelete = \"soft\"\n\n\
                      [databases.\"*\".tables.orders]\ndelete = \"archive\"\n";

const SCHEMA: &str = "
    CREATE TABLE users (id int PRIMARY KEY, name text, deleted_at timestamptz);
    INSERT INTO users VALUES (1, 'ann'), (2, 'bob'), (3, 'cid');
    CREATE TABLE orders (id int PRIMARY KEY, cents int);
    INSERT INTO orders VALUES (1, 100), (2, 200);
    CREATE TABLE orders_archive (LIKE orders, archived_at timestamptz, archived_by text, deletion_id uuid);
    CREATE TABLE items (id int PRIMARY KEY, name text);
    INSERT INTO items VALUES (1, 'pen'), (2, 'ink')";

/// Statements that mention no registered table, as odd as they come.
const HANDS_OFF: [&str; 10] = [
    "SELECT id FROM items",
    "  select\tid   FrOm items -- trailing\n ; ;",
    "/* users */ SELECT 'users', \"id\" FROM items WHERE name <> $$users$$",
    "DELETE FROM items WHERE id = 99",
    "SELECT E'\\'users', U&'\\0061' UESCAPE '\\', B'01', 1e3, .5",
    "SELECT 1; SELECT 2; DELETE FROM items WHERE false",
    "SELEC nonsense !! @ #",
    "SELECT * FROM \"Users\" WHERE false",
    "",
    "SELECT id AS \"ключ\" FROM items WHERE name = 'перо ☂'",
];

struct Ground {
    relay: Relay,
    sexton: Sexton,
    database: Database,
}

fn ground(test: &str) -> Option<Ground> {
    let database = Database::create(cluster::shared(test)?, "wire");
    database.run(SCHEMA);
    database.run("DO $$ BEGIN CREATE ROLE wire LOGIN SUPERUSER; EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$");
    let relay = Relay::start(database.port);
    let sexton = Sexton::start(relay.port, CONFIG);
    Some(Ground { relay, sexton, database })
}

impl Ground {
    fn connect(&self) -> Raw {
        let connection = self.sexton.connect("wire", &self.database.name);
        self.relay.take("wire");
        connection
    }

    /// What reached the server since the last look, as one run of bytes.
    fn reached(&self) -> Vec<u8> {
        self.relay.take("wire").into_iter().flat_map(|message| message.bytes).collect()
    }
}

fn assert_same_bytes(sent: &[u8], reached: &[u8]) {
    assert!(sent == reached, "sent:\n{}\nreached the server:\n{}", sent.escape_ascii(), reached.escape_ascii());
}

#[test]
fn a_query_without_registered_tables_reaches_the_server_byte_for_byte() {
    let Some(ground) = ground("wire::a_query_without_registered_tables…") else { return };
    let mut connection = ground.connect();
    for sql in HANDS_OFF {
        connection.simple(sql);
        assert_same_bytes(&query(sql), &ground.reached());
    }
}

#[test]
fn an_extended_batch_without_registered_tables_reaches_the_server_byte_for_byte() {
    let Some(ground) = ground("wire::an_extended_batch_without_registered_tables…") else { return };
    let mut connection = ground.connect();
    for sql in HANDS_OFF {
        let batch = [parse("s", sql), bind("s", &[], true), describe_portal(), execute(7), sync()].concat();
        let close = [message(b'C', b"Ss\0"), sync()].concat();
        for bytes in [batch, close] {
            connection.send(&bytes).expect("the batch is sent");
            connection.replies(sql);
            assert_same_bytes(&bytes, &ground.reached());
        }
    }
}

#[test]
fn a_delete_reaches_the_server_as_an_update_and_is_answered_as_a_delete() {
    let Some(ground) = ground("wire::a_delete_reaches_the_server_as_an_update…") else { return };
    let mut connection = ground.connect();
    for expected in ["DELETE 1", "DELETE 0"] {
        let replies = connection.expect("DELETE FROM users WHERE id = 1");
        assert_eq!(replies[0].tag.as_deref(), Some(expected));
        let reached = String::from_utf8_lossy(&ground.reached()).into_owned();
        assert!(reached.contains("UPDATE users SET"), "{reached}");
    }
    let kept = ground.database.direct().expect("SELECT deleted_at IS NOT NULL FROM users WHERE id = 1");
    assert_eq!(kept[0].texts(), [["t"]]);
}

#[test]
fn tags_are_right_in_the_extended_protocol_and_for_each_execution() {
    let Some(ground) = ground("wire::tags_are_right_in_the_extended_protocol…") else { return };
    let mut connection = ground.connect();
    let once = |id| [bind("d", &[Some(id)], false), execute(0)].concat();
    let bytes =
        [parse("d", "DELETE FROM users WHERE id = $1"), once("1"), once("2"), once("1"), once("9"), sync()].concat();
    connection.send(&bytes).expect("the batch is sent");
    let tags: Vec<_> = connection.replies("the batch").into_iter().filter_map(|reply| reply.tag).collect();
    assert_eq!(tags, ["DELETE 1", "DELETE 1", "DELETE 0", "DELETE 0"]);
}

#[test]
fn tags_are_right_in_a_pipeline_with_an_error_in_the_middle() {
    let Some(ground) = ground("wire::tags_are_right_in_a_pipeline…") else { return };
    let mut connection = ground.connect();
    let bytes = [
        run_text("DELETE FROM users WHERE id = 1"),
        run_text("UPDATE items SET name = 'x'"),
        sync(),
        run_text("DELETE FROM users WHERE id = 2"),
        run_text("SELECT 1 / 0"),
        run_text("DELETE FROM users WHERE id = 3"),
        sync(),
        run_text("DELETE FROM orders WHERE id = 1"),
        run_text("SELECT id FROM users"),
        sync(),
    ]
    .concat();
    connection.send(&bytes).expect("the pipeline is sent");
    let mut seen = Vec::new();
    for _ in 0..3 {
        for reply in connection.replies("the pipeline") {
            seen.push(reply.tag.or(reply.error.map(|error| error.sqlstate)).unwrap_or_default());
        }
    }
    assert_eq!(seen, ["DELETE 1", "UPDATE 2", "DELETE 1", "22012", "DELETE 1", "SELECT 2"]);
}

#[test]
fn a_string_of_several_statements_answers_each_with_its_own_tag() {
    let Some(ground) = ground("wire::a_string_of_several_statements…") else { return };
    let sql =
        "DELETE FROM users WHERE id < 3; UPDATE items SET name = 'y'; DELETE FROM orders; SELECT count(*) FROM users";
    let replies = ground.connect().expect(sql);
    let tags: Vec<_> = replies.iter().filter_map(|reply| reply.tag.as_deref()).collect();
    assert_eq!(tags, ["DELETE 2", "UPDATE 2", "DELETE 2", "SELECT 1"]);
    assert_eq!(replies[3].texts(), [["1"]]);
}

#[test]
fn an_error_position_is_carried_back_to_the_clients_text() {
    let Some(ground) = ground("wire::an_error_position_is_carried_back…") else { return };
    let mut connection = ground.connect();
    let mut direct = ground.database.direct();
    for sql in [
        "SELECT u.id FROM users u WHERE u.id = 1 AND nosuch = 2",
        "DELETE FROM users WHERE nosuch = 2",
        "SELECT 'é', id FROM users ORDER BY nosuch",
        "DELETE FROM orders WHERE id = 1 RETURNING nosuch",
    ] {
        let [through, past] = [&mut connection, &mut direct].map(|side| side.simple(sql).remove(0).error);
        let fields =
            |error: Option<raw::ServerError>| error.map(|error| (error.sqlstate, error.message, error.position));
        assert_eq!(fields(through), fields(past), "{sql}");
    }
}

#[test]
fn tokio_postgres_deletes_and_finds_nothing_left() {
    let Some(ground) = ground("wire::tokio_postgres_deletes_and_finds_nothing_left") else { return };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let settings = format!("host=127.0.0.1 port={} user=wire dbname={}", ground.sexton.port, ground.database.name);
        let (client, connection) =
            tokio_postgres::connect(&settings, tokio_postgres::NoTls).await.expect("sexton answers");
        tokio::spawn(connection);
        for table in ["users", "orders"] {
            let delete = client.prepare(&format!("DELETE FROM {table} WHERE id = $1")).await.expect("prepared");
            assert_eq!(client.execute(&delete, &[&1]).await.expect("deleted"), 1, "{table}");
            assert_eq!(client.execute(&delete, &[&1]).await.expect("deleted"), 0, "{table}");
            let rows = client.query(&format!("SELECT id FROM {table} WHERE id = $1"), &[&1]).await.expect("rows");
            assert!(rows.is_empty(), "{table}");
        }
    });
    let mut direct = ground.database.direct();
    for sql in ["SELECT count(*) FROM users WHERE deleted_at IS NOT NULL", "SELECT count(*) FROM orders_archive"] {
        assert_eq!(direct.expect(sql)[0].texts(), [["1"]], "{sql}");
    }
}
