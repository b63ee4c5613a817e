//! What an archive must keep: every column of every row that is deleted, under its own name.

use crate::support::ground::Ground;
use crate::support::raw::Raw;

const CONFIG: &str = "[databases.\"*\".tables.orders]\ndelete = \"archive\"\n";

/// Deletes all orders: the SQLSTATE, or none.
fn deletion(connection: &mut Raw) -> Option<String> {
    let reply = connection.simple("DELETE FROM orders").pop().expect("a reply");
    reply.error.map(|error| error.sqlstate)
}

#[test]
fn no_column_of_a_child_is_lost() {
    let schema = "
        CREATE TABLE orders (id int);
        CREATE TABLE rush (id int, secret text);
        CREATE TABLE orders_archive (id int, secret text);
        INSERT INTO rush VALUES (1, 'precious')";
    let Some(ground) = Ground::new("archives::no_column_of_a_child…", schema, CONFIG) else { return };
    ground.database.run("ALTER TABLE rush INHERIT orders");
    let mut connection = ground.connect();
    assert_eq!(deletion(&mut connection).as_deref(), Some("0A000"));
    assert_eq!(connection.expect("SELECT id FROM orders")[0].texts(), [["1"]]);
    assert_eq!(ground.directly("SELECT secret FROM rush"), [["precious"]]);
}

#[test]
fn an_archive_whose_columns_take_no_value_is_refused() {
    let schema = "
        CREATE TABLE orders (id int GENERATED ALWAYS AS IDENTITY, twice int GENERATED ALWAYS AS (7) STORED);
        CREATE TABLE orders_archive (id int, twice int);
        INSERT INTO orders DEFAULT VALUES";
    let Some(ground) = Ground::new("archives::an_archive_whose_columns…", schema, CONFIG) else { return };
    let mut connection = ground.connect();
    for (changes, mends) in [
        ("ALTER id SET NOT NULL, ALTER id ADD GENERATED ALWAYS AS IDENTITY", "ALTER id DROP IDENTITY"),
        ("DROP twice, ADD twice int GENERATED ALWAYS AS (7) STORED", "ALTER twice DROP EXPRESSION"),
    ] {
        connection.expect(&format!("ALTER TABLE orders_archive {changes}"));
        assert_eq!(deletion(&mut connection).as_deref(), Some("0A000"), "{changes}");
        connection.expect(&format!("ALTER TABLE orders_archive {mends}"));
    }
    assert_eq!(deletion(&mut connection), None);
    assert_eq!(ground.directly("SELECT id, twice FROM orders_archive"), [["1", "7"]]);
}

/// Sexton hears of them within 30 seconds, and of those that a deletion waits for afterwards.
#[test]
fn columns_that_have_changed_unnoticed_do_not_take_each_others_place() {
    let schema = "
        CREATE TABLE orders (id int, note text, memo text);
        CREATE TABLE orders_archive (id int, note text, memo text);
        INSERT INTO orders VALUES (1, 'a note', 'a memo')";
    let Some(ground) = Ground::new("archives::columns_that_have_changed…", schema, CONFIG) else { return };
    let mut connection = ground.connect();
    for (changes, sqlstate, archived) in [
        ("DROP note, ADD more text DEFAULT 'precious'", Some("42703"), None),
        ("DROP more, ADD note text DEFAULT 'a note', ADD more text DEFAULT 'precious'", Some("42601"), None),
        ("DROP more", None, Some(["1", "a note", "a memo"])),
    ] {
        ground.database.run(&format!("ALTER TABLE orders {}", changes));
        assert_eq!(deletion(&mut connection).as_deref(), sqlstate, "{changes}");
        let rows = ground.directly("SELECT id, note, memo FROM orders_archive");
        assert_eq!(rows, Vec::from_iter(archived), "{changes}");
    }
    ground.database.run("INSERT INTO orders (id, note, memo) VALUES (2, 'was note', 'was memo')");
    ground.database.run("ALTER TABLE orders RENAME note TO other");
    ground.database.run("ALTER TABLE orders RENAME memo TO note; ALTER TABLE orders RENAME other TO memo");
    assert_eq!(deletion(&mut connection), None);
    let archived = ground.directly("SELECT note, memo FROM orders_archive WHERE id = 2");
    assert_eq!(archived, [["was memo", "was note"]]);
}

#[test]
fn a_column_of_the_applications_own_keeps_no_row_from_being_deleted() {
    let schema = "
        CREATE TABLE users (id int, deleted_at timestamptz, deleted_by int, deletion_id bigint, delete_reason text);
        INSERT INTO users VALUES (1)";
    let config = "[databases.\"*\".tables.users]\ndelete = \"soft\"\n";
    let Some(ground) = Ground::new("archives::a_column_of_the_applications_own…", schema, config) else { return };
    ground.connect().expect("SET sexton.reason = 'tidying'; DELETE FROM users");
    let marked = "SELECT deleted_at IS NOT NULL, deleted_by, deletion_id, delete_reason FROM users";
    assert_eq!(ground.directly(marked), [["t", "null", "null", "tidying"]]);
}
