//! The twin run with keys: foreign keys of every action, unique values used again, and every strategy along them.
//!
//! Behind Sexton the objects of `sexton apply --execute` are in place. At the end of a chapter every row that the other
//! side really deleted must be marked or archived, with the values it had. `SEXTON_KEYS` sets the number of statements.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use super::harness::{Summary, Twins, number, read, run};
use super::keyed::Keyed;
use super::tables::TABLES;
use crate::support::cluster;
use crate::support::database::Database;
use crate::support::sexton::{self, Sexton};

/// Statements of a run when `SEXTON_KEYS` does not say otherwise.
const STATEMENTS: usize = 2_000;

/// Statements after which both sides start again with new databases: what was deleted grows, and what looks through it.
const STATEMENTS_A_CHAPTER: usize = 2_500;

/// Statements without an error that a run must have, in percent. Keys from a small range are refused often.
const SUCCEEDED_PERCENT_MIN: usize = 45;

/// Tables whose deleted rows are kept, the rule for a row that is marked, and the archive.
const KEPT: &[(&str, &str, &str)] = &[
    ("orgs", "deleted_at IS NOT NULL", "archive.orgs"),
    ("teams", "deleted", "archive.teams"),
    ("people", "deleted_at IS NOT NULL", "archive.people"),
    ("orders", "false", "archive.orders"),
    ("lines", "deleted_at IS NOT NULL", "archive.lines"),
    ("bookings", "state = 'void'", "archive.bookings"),
    ("invoices", "false", "archive.invoices"),
    ("pieces", "deleted_at IS NOT NULL", "archive.pieces"),
];

/// Columns that record a deletion, or that ON UPDATE CASCADE changes in rows that are already marked.
const NOT_COMPARED: &str = "'{deleted_at, deleted, state, archived_at, archived_by, archive_reason, archive_txid, \
                            deletion_id, org_id, team_id, order_id, line_no}'::text[]";

/// A pair of new databases: behind Sexton with `apply` run on it, and with real deletes, which are written down.
pub(super) struct Pair {
    pub(super) a: Database,
    pub(super) b: Database,
    /// `None` where both sides are the same.
    sexton: Option<Sexton>,
}

impl Pair {
    /// Creates both; `None` where the test named `test` is skipped.
    pub(super) fn create(test: &str, prefix: &str) -> Option<Self> {
        let cluster = cluster::shared(test)?;
        let (a, b) = (Database::create(cluster, prefix), Database::create(cluster, prefix));
        a.run(&read("keys.sql"));
        b.run(&read("keys.sql"));
        b.run(&write_down());
        let config = read("keys.toml").replace("\"*\"", &a.name);
        sexton::apply(a.port, &config);
        Some(Self { sexton: Some(Sexton::start(a.port, &config)), a, b })
    }

    /// Two databases that are the same, without Sexton.
    pub(super) fn equal(test: &str, prefix: &str) -> Option<Self> {
        let cluster = cluster::shared(test)?;
        let (a, b) = (Database::create(cluster, prefix), Database::create(cluster, prefix));
        a.run(&read("keys.sql"));
        b.run(&read("keys.sql"));
        Some(Self { a, b, sexton: None })
    }

    /// How to reach both.
    pub(super) fn twins(&self) -> Twins<'_> {
        let a = || match &self.sexton {
            Some(sexton) => sexton.connect("postgres", &self.a.name),
            None => self.a.direct(),
        };
        Twins { a: Box::new(a), b: Box::new(|| self.b.direct()) }
    }

    /// Removes rows with these ids from both sides, with all traces: there each side went its own right way.
    pub(super) fn forget(&self, ids: RangeInclusive<usize>) {
        if self.sexton.is_none() {
            return;
        }
        let (first, last) = ids.into_inner();
        self.b.run(&format!("DELETE FROM gone WHERE (what->>'id')::int BETWEEN {first} AND {last}"));
        // No trigger of anybody's is to take part.
        let mut script = "SET session_replication_role = replica;".to_owned();
        for table in
            KEPT.iter().filter(|(table, ..)| *table != "lines").flat_map(|(table, _, archive)| [table, archive])
        {
            script.push_str(&format!("DELETE FROM {table} WHERE id BETWEEN {first} AND {last};"));
        }
        self.a.run(&script);
    }

    /// Every row that one side deleted is kept on the other, once, with the values it had.
    pub(super) fn check_kept_rows(&self) {
        let mut faults = Vec::new();
        for (table, dead, archive) in KEPT.iter().filter(|_| self.sexton.is_some()) {
            let kept = rows(
                &self.a,
                &format!(
                    "SELECT to_jsonb(t) - {NOT_COMPARED} FROM {table} t WHERE {dead} \
                     UNION ALL SELECT to_jsonb(t) - {NOT_COMPARED} FROM {archive} t"
                ),
            );
            let gone = rows(&self.b, &format!("SELECT what - {NOT_COMPARED} FROM gone WHERE relation = '{table}'"));
            let count = |rows: &BTreeMap<String, usize>, row: &String| rows.get(row).copied().unwrap_or_default();
            for row in kept.keys().chain(gone.keys()).filter(|row| count(&kept, row) != count(&gone, row)) {
                let (gone, kept) = (count(&gone, row), count(&kept, row));
                faults.push(format!("of {table}, {row} was deleted {gone} times and is kept {kept} times"));
            }
        }
        assert!(faults.is_empty(), "{}", faults.join("\n"));
    }
}

/// Rows as texts, and how often each is there.
fn rows(database: &Database, query: &str) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for row in database.direct().expect(query)[0].texts() {
        *counts.entry(row.concat()).or_default() += 1;
    }
    counts
}

/// What writes down each row that is really deleted.
fn write_down() -> String {
    let mut sql = "CREATE TABLE gone (relation text, what jsonb);
        CREATE FUNCTION write_down() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
            INSERT INTO public.gone VALUES (TG_TABLE_NAME, to_jsonb(OLD)); RETURN NULL; END $$;"
        .to_owned();
    for table in TABLES {
        sql.push_str(&format!(
            "CREATE TRIGGER zz_gone AFTER DELETE ON {} FOR EACH ROW EXECUTE FUNCTION write_down();",
            table.name
        ));
    }
    sql
}

#[test]
fn keys_hold_as_if_rows_were_gone() {
    let seed = number("SEXTON_SEED").unwrap_or(1);
    let statements = number("SEXTON_KEYS").map_or(STATEMENTS, |count| count as usize);
    let mut summary = Summary::new(seed);
    let mut generator: Option<Keyed> = None;
    while summary.statements < statements {
        let Some(pair) = Pair::create("twin::keys::keys_hold_as_if_rows_were_gone", "keys") else { return };
        let version = pair.b.direct().major_version();
        let generator = generator.get_or_insert_with(|| Keyed::new(seed, version));
        let end = (summary.statements + STATEMENTS_A_CHAPTER).min(statements);
        run(&pair.twins(), generator, &mut summary, end);
        pair.check_kept_rows();
    }
    summary.check(SUCCEEDED_PERCENT_MIN);
}

/// The harness itself: a database must agree with another that is the same.
#[test]
fn two_equal_databases_with_keys_agree() {
    let Some(pair) = Pair::equal("twin::keys::two_equal_databases_with_keys_agree", "equal") else { return };
    let seed = number("SEXTON_SEED").unwrap_or(1);
    let mut summary = Summary::new(seed);
    run(&pair.twins(), &mut Keyed::new(seed, pair.b.direct().major_version()), &mut summary, 1_000);
    summary.check(SUCCEEDED_PERCENT_MIN);
}
