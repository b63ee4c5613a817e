//! Random tables, references and statements.

use std::collections::BTreeSet;

use super::{Kind, Twin};
use crate::support::offline::number;
use crate::support::random::Random;

/// Schemas in an ordinary run; `SEXTON_SCHEMAS` sets another number.
const SCHEMAS: u64 = 12;

/// Statements with each schema.
const STATEMENTS: usize = 60;

const TABLES: usize = 4;

/// Ids are few, so that they meet.
const IDS: usize = 7;

#[test]
fn random_references_are_as_the_server_makes_them() {
    let first = number("SEXTON_SEED").unwrap_or(1);
    for seed in first..first + number("SEXTON_SCHEMAS").unwrap_or(SCHEMAS) {
        if run(seed).is_none() {
            return;
        }
    }
}

fn run(seed: u64) -> Option<()> {
    let mut random = Random::new(seed);
    let names: Vec<String> = (0..TABLES).map(|at| format!("t{at}")).collect();
    let others = [Kind::SoftArchived, Kind::SoftArchived, Kind::Archive, Kind::Unregistered];
    let kinds: Vec<Kind> =
        (0..TABLES).map(|at| if at == 0 { Kind::SoftArchived } else { *random.pick(&others) }).collect();
    let schema = schema(&mut random);
    eprintln!("seed {seed}: {kinds:?}\n{schema}");
    let tables: Vec<(&str, Kind)> = names.iter().map(String::as_str).zip(kinds.iter().copied()).collect();
    let mut twin = Twin::new("keys::random…", &schema, &tables)?;
    let mut committed: BTreeSet<String> = BTreeSet::new();
    let mut in_transaction = false;
    twin.is_told = true;
    for at in 0..STATEMENTS {
        step(&mut twin, &mut random, &mut in_transaction, at);
        if !in_transaction {
            for (table, kind) in &tables {
                if *kind != Kind::Unregistered {
                    committed.extend(twin.column(&format!("SELECT tag FROM {table}")));
                }
            }
        }
    }
    twin.both("ROLLBACK");
    let mut stored: BTreeSet<String> = BTreeSet::new();
    for (table, kind) in &tables {
        stored.extend(twin.column(&format!("SELECT tag FROM {table}")));
        if *kind != Kind::Unregistered {
            stored.extend(twin.column(&format!("SELECT tag FROM {table}_archive")));
        }
    }
    let lost: Vec<&String> = committed.difference(&stored).collect();
    assert!(lost.is_empty(), "seed {seed}: rows are lost: {lost:?}");
    assert_eq!(twin.ask("SELECT count(*) FROM sexton.queue"), "0");
    Some(())
}

fn schema(random: &mut Random) -> String {
    let mut text = String::new();
    for at in 0..TABLES {
        text += &format!(
            "CREATE TABLE t{at} (id int PRIMARY KEY, a int, b int DEFAULT 1, tag text, deleted_at timestamptz);\n"
        );
    }
    for at in 0..TABLES {
        text +=
            &format!("INSERT INTO t{at} SELECT id, NULL, NULL, 't{at}+' || id FROM generate_series(1, {IDS}) AS id;\n");
    }
    for at in 0..TABLES {
        for column in ["a", "b"] {
            if !random.chance(70) {
                continue;
            }
            let parent = random.below(TABLES);
            let action = *random.pick(&["NO ACTION", "CASCADE", "CASCADE", "SET NULL", "SET DEFAULT", "RESTRICT"]);
            let deferrable = *random.pick(&["", "", "DEFERRABLE INITIALLY DEFERRED"]);
            text += &format!(
                "ALTER TABLE t{at} ADD CONSTRAINT k{at}{column} FOREIGN KEY ({column}) REFERENCES t{parent} ON DELETE {action} {deferrable};\n"
            );
        }
    }
    text
}

fn step(twin: &mut Twin, random: &mut Random, in_transaction: &mut bool, at: usize) {
    let table = format!("t{}", random.below(TABLES));
    let id = random.below(IDS) + 1;
    let reference = |random: &mut Random| match random.chance(40) {
        true => "NULL".to_owned(),
        false => (random.below(IDS) + 1).to_string(),
    };
    let column = *random.pick(&["a", "b"]);
    match random.below(100) {
        0..35 => {
            let (a, b) = (reference(random), reference(random));
            let more =
                *random.pick(&["", "", " ON CONFLICT DO NOTHING", " ON CONFLICT (id) DO UPDATE SET a = excluded.a"]);
            twin.both(&format!("INSERT INTO {table} VALUES ({id}, {a}, {b}, '{table}-{at}'){more}"));
        }
        35..60 => {
            let condition = match random.below(4) {
                0 => format!("{column} = {id}"),
                1 => format!("id > {id}"),
                _ => format!("id = {id}"),
            };
            twin.delete(&table, &condition);
        }
        60..64 => {
            let (value, live) = (random.below(IDS) + 1, twin.live(&table));
            twin.compare(
                &format!("UPDATE {table} SET id = {value} WHERE id = {id}"),
                &format!("UPDATE {table} SET id = {value} WHERE id = {id}{live}"),
            );
        }
        64..92 => {
            let value = reference(random);
            let live = twin.live(&table);
            twin.compare(
                &format!("UPDATE {table} SET {column} = {value} WHERE id = {id}"),
                &format!("UPDATE {table} SET {column} = {value} WHERE id = {id}{live}"),
            );
        }
        _ if *in_transaction => {
            let end = *random.pick(&["COMMIT", "COMMIT", "ROLLBACK"]);
            twin.both(end);
            *in_transaction = false;
        }
        _ => {
            twin.both("BEGIN");
            *in_transaction = true;
        }
    }
}
