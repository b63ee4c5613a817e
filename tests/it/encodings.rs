//! Client encodings: what hides a quote in the second byte of a character hides no deleted row's way out (R7).

use crate::support::ground::{Ground, answered_bytes};
use crate::support::raw::Raw;

const SCHEMA: &str = "
    CREATE TABLE users (id int PRIMARY KEY, name text, deleted_at timestamptz);
    INSERT INTO users VALUES (1, 'ann', NULL), (2, 'dead bob', now());
    CREATE TABLE \"größen\" (id int, name text, deleted_at timestamptz);
    INSERT INTO \"größen\" VALUES (1, 'klein', NULL), (2, 'dead big', now());
    CREATE TABLE sorts (id int, name text, sort text);
    INSERT INTO sorts VALUES (1, 'ok', 'süß'), (2, 'dead sort', 'tot');";

const USERS: &str = "[databases.\"*\".tables.users]\ndelete = \"soft\"\n";

/// Every encoding that only clients have, with a character whose second byte is ASCII, a backslash where that may be. Of
/// JOHAB the server takes none such. Two bytes of SHIFT_JIS_2004 become a backslash.
const UNSAFE: [(&str, &[u8]); 8] = [
    ("SJIS", b"\x95\\"),
    ("SHIFT_JIS_2004", b"\x95\\"),
    ("SHIFT_JIS_2004", b"\x81\x5f"),
    ("BIG5", b"\xa5\\"),
    ("GBK", b"\x81\\"),
    ("GB18030", b"\x81\\"),
    ("UHC", b"\x81a"),
    ("JOHAB", b"\xb0\xa1"),
];

/// `?` is the character.
const ATTACKS: [&str; 10] = [
    "SELECT E'?\\', name FROM users --'",
    "SELECT E'?' UNION SELECT name FROM users --'",
    "SELECT E'?', name FROM users WHERE E'?' <> '' OR true --'",
    "SELECT name AS \"?\" FROM users WHERE 1 = 1 OR E'?' = ''",
    "SELECT '?'; SELECT name FROM users; SELECT '?'",
    "SELECT E'?'; SELECT name FROM users --'",
    "SELECT $?$'$?$, name FROM users --$?$",
    "SELECT name AS ?; FROM users",
    "SELECT 1 AS ?/* */, name FROM users",
    "WITH ? AS (SELECT name FROM users) SELECT * FROM ?",
];

fn attack(template: &str, character: &[u8]) -> Vec<u8> {
    template.split('?').map(str::as_bytes).collect::<Vec<_>>().join(character)
}

#[test]
fn no_second_byte_shows_a_deleted_row() {
    let Some(ground) = Ground::new("encodings::no_second_byte…", SCHEMA, USERS) else { return };
    let login = [("user", "postgres"), ("database", ground.database.name.as_str())];
    for (name, character) in UNSAFE {
        let options = format!("-c client_encoding={name}");
        let started = [
            [login.as_slice(), &[("client_encoding", name)]].concat(),
            [login.as_slice(), &[("options", &options)]].concat(),
        ];
        let mut connections: Vec<Raw> = started
            .iter()
            .map(|parameters| Raw::connect_with(ground.sexton.port, parameters).expect("sexton answers"))
            .collect();
        for setting in [
            format!("SET client_encoding = '{name}'"),
            format!("SET NAMES '{name}'"),
            format!("SELECT set_config('client_encoding', '{name}', false)"),
            format!("SELECT set_config('client_' || 'encoding', '{name}', false)"),
            format!("DO $$BEGIN EXECUTE 'SET client_' || 'encoding = {name}'; END$$"),
        ] {
            let mut connection = ground.connect();
            // A DO block that builds its SQL is refused; then there is nothing to hide behind.
            connection.simple(&setting);
            connections.push(connection);
        }
        for template in ATTACKS {
            let statement = attack(template, character);
            for connection in &mut connections {
                let answer = answered_bytes(connection, &statement);
                assert!(!answer.contains("dead"), "{name}: {}\n{answer}", statement.escape_ascii());
            }
        }
        let mut connection = ground.connect();
        let all_at_once =
            [format!("SET client_encoding = '{name}'; ").as_bytes(), &attack(ATTACKS[0], character)].concat();
        assert!(!answered_bytes(&mut connection, &all_at_once).contains("dead"), "{name}, in one string");
    }
}

#[test]
fn a_character_with_a_backslash_is_read_and_not_refused() {
    let Some(ground) = Ground::new("encodings::a_character_with_a_backslash…", SCHEMA, USERS) else { return };
    for (name, character) in UNSAFE {
        let parameters = [("user", "postgres"), ("database", ground.database.name.as_str()), ("client_encoding", name)];
        let mut connection = Raw::connect_with(ground.sexton.port, &parameters).expect("sexton answers");
        let answer = answered_bytes(&mut connection, &attack("SELECT name FROM users WHERE name <> '?'", character));
        match name {
            "JOHAB" | "SHIFT_JIS_2004" => assert!(answer.contains("sexton: the statement cannot be read"), "{answer}"),
            _ => assert!(answer.contains("ann") && !answer.contains("dead"), "{name}: {answer}"),
        }
    }
}

#[test]
fn names_and_conditions_that_are_not_ascii_need_utf8() {
    let config = "[databases.\"*\".tables.\"größen\"]\ndelete = \"soft\"\n";
    let Some(ground) = Ground::new("encodings::names_and_conditions…", SCHEMA, config) else { return };
    let mut connection = ground.connect();
    assert_eq!(connection.expect("SELECT name FROM \"größen\"")[0].texts(), [["klein"]]);
    connection.expect("SET client_encoding = 'LATIN1'");
    for statement in
        [b"SELECT name FROM \"gr\xf6\xdfen\"".as_slice(), b"SET NAMES 'UTF8'; SELECT name FROM \"gr\xf6\xdfen\""]
    {
        let answer = answered_bytes(&mut connection, statement);
        assert!(answer.contains("cannot be read in this client_encoding") && !answer.contains("dead"), "{answer}");
    }
    assert_eq!(connection.expect("SELECT id FROM sorts WHERE id = 1")[0].texts(), [["1"]], "ASCII is ASCII");

    let config =
        "[databases.\"*\".tables.sorts]\ndelete = \"soft\"\nlive = \"sort = 'süß'\"\nmark = { sort = \"'tot'\" }\n";
    let Some(ground) = Ground::new("encodings::names_and_conditions…", SCHEMA, config) else { return };
    let mut connection = ground.connect();
    assert_eq!(connection.expect("SELECT name FROM sorts")[0].texts(), [["ok"]]);
    connection.expect("SET client_encoding = 'LATIN1'");
    let answer = answered_bytes(&mut connection, b"SELECT name FROM sorts");
    assert!(answer.contains("cannot be read in this client_encoding"), "{answer}");
}
