//! The twin run: the same random statements through Sexton and against a database with real deletes.
//!
//! Rows (as multisets unless their order is fixed), column names and types, command tags, SQLSTATEs, messages, details,
//! error positions and the names of what an error is about must agree after every statement; `tests/differences.md`
//! lists what is left out. `SEXTON_TWIN` sets the number of statements, `SEXTON_SEED` the seed.

mod excuse;
pub(crate) mod generate;
mod harness;
mod interleaving;
mod keyed;
mod keys;
mod lockstep;
mod query;
mod races;
mod steps;
mod tables;

use generate::Generator;
use harness::{Summary, Twins, number, read, run};

use crate::support::cluster;
use crate::support::database::Database;
use crate::support::sexton::Sexton;

/// Statements of a run when `SEXTON_TWIN` does not say otherwise.
const STATEMENTS: usize = 2_000;

/// Statements after which both sides start again with new databases: tables grow, and queries with them.
const STATEMENTS_A_CHAPTER: usize = 5_000;

/// Statements without an error that a run must have, in percent: otherwise it tests little.
const SUCCEEDED_PERCENT_MIN: usize = 60;

#[test]
fn sexton_answers_as_real_deletes_do() {
    let Some(cluster) = cluster::shared("twin::sexton_answers_as_real_deletes_do") else { return };
    let sexton = Sexton::start(cluster.port(), &read("sexton.toml"));
    let seed = number("SEXTON_SEED").unwrap_or(1);
    let statements = number("SEXTON_TWIN").map_or(STATEMENTS, |count| count as usize);
    let mut generator = Generator::new(seed);
    let mut summary = Summary::new(seed);
    while summary.statements < statements {
        let (a, b) = (Database::create(cluster, "twin"), Database::create(cluster, "twin"));
        a.run(&read("schema.sql"));
        b.run(&read("schema.sql"));
        let twins = Twins { a: Box::new(|| sexton.connect("postgres", &a.name)), b: Box::new(|| b.direct()) };
        let end = (summary.statements + STATEMENTS_A_CHAPTER).min(statements);
        run(&twins, &mut generator, &mut summary, end);
        check_kept_rows(&a, &b);
    }
    summary.check(SUCCEEDED_PERCENT_MIN);
}

/// The harness itself: a database must agree with another that is the same.
#[test]
fn two_equal_databases_agree() {
    let Some(cluster) = cluster::shared("twin::two_equal_databases_agree") else { return };
    let (a, b) = (Database::create(cluster, "equal"), Database::create(cluster, "equal"));
    a.run(&read("schema.sql"));
    b.run(&read("schema.sql"));
    let twins = Twins { a: Box::new(|| a.direct()), b: Box::new(|| b.direct()) };
    let seed = number("SEXTON_SEED").unwrap_or(1);
    let mut summary = Summary::new(seed);
    run(&twins, &mut Generator::new(seed), &mut summary, 500);
    summary.check(SUCCEEDED_PERCENT_MIN);
}

/// What the run deleted is still there behind Sexton: marked or archived.
fn check_kept_rows(a: &Database, b: &Database) {
    let count = |database: &Database, sql: &str| -> u64 {
        let replies = database.direct().expect(sql);
        replies[0].texts()[0][0].parse().expect("a count")
    };
    for (table, deleted) in
        [("users", "deleted_at IS NOT NULL"), ("posts", "deleted"), ("seats", "state = 'void'"), ("orders", "false")]
    {
        let kept = if table == "orders" {
            count(a, "SELECT count(*) FROM archive.orders")
        } else {
            count(a, &format!("SELECT count(*) FROM {table} WHERE {deleted}"))
        };
        let live = count(a, &format!("SELECT count(*) FROM {table} WHERE NOT ({deleted})"));
        assert_eq!(live, count(b, &format!("SELECT count(*) FROM {table}")), "live rows of {table}");
        assert!(kept > 0, "the run deleted nothing from {table}");
    }
}
