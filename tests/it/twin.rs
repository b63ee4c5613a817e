//! The twin run: the same random statements through Sexton and against a database with real deletes.
//!
//! Rows (as multisets unless their order is fixed), column names and types, command tags, SQLSTATEs, messages and
//! error positions must agree after every statement; `tests/differences.md` lists what is left out.
//! `SEXTON_TWIN` sets the number of statements, `SEXTON_SEED` the seed.

pub(crate) mod generate;
mod query;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use generate::{Generator, Sending, Statement, TABLES};

use crate::support::database::Database;
use crate::support::raw::{Column, Raw, Reply};
use crate::support::sexton::Sexton;
use crate::support::{cluster, diff};

/// Statements of a run when `SEXTON_TWIN` does not say otherwise.
const STATEMENTS: usize = 2_000;

/// Statements after which both sides start again with new databases: tables grow, and queries with them.
const STATEMENTS_A_CHAPTER: usize = 5_000;

/// Statements after which both sides get a new connection.
const STATEMENTS_A_SESSION: usize = 250;

/// Statements without an error that a run must have, in percent: otherwise it tests little.
const SUCCEEDED_PERCENT_MIN: usize = 60;

/// Statements that Sexton may refuse, in percent. A refusal is no wrong answer, but it is no answer either.
const REFUSED_PERCENT_MAX: usize = 5;

/// The first oid that a database gives to its own objects; those, such as row types, differ between databases.
const FIRST_NORMAL_OID: u32 = 16_384;

fn read(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/twin").join(name);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn number(variable: &str) -> Option<u64> {
    let text = std::env::var(variable).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{variable} is no number: {text}")))
}

/// The two sides, reached as the caller wishes.
struct Twins<'a> {
    a: Box<dyn Fn() -> Raw + 'a>,
    b: Box<dyn Fn() -> Raw + 'a>,
}

/// What a run came to.
#[derive(Debug, Default)]
struct Summary {
    seed: u64,
    statements: usize,
    succeeded: usize,
    /// Sexton's refusals by message.
    refused: BTreeMap<String, usize>,
}

#[test]
fn sexton_answers_as_real_deletes_do() {
    let Some(cluster) = cluster::shared("twin::sexton_answers_as_real_deletes_do") else { return };
    let sexton = Sexton::start(cluster.port(), &read("sexton.toml"));
    let seed = number("SEXTON_SEED").unwrap_or(1);
    let statements = number("SEXTON_TWIN").map_or(STATEMENTS, |count| count as usize);
    let mut generator = Generator::new(seed);
    let mut summary = Summary { seed, ..Summary::default() };
    while summary.statements < statements {
        let (a, b) = (Database::create(cluster, "twin"), Database::create(cluster, "twin"));
        a.run(&read("schema.sql"));
        b.run(&read("schema.sql"));
        let twins = Twins { a: Box::new(|| sexton.connect("postgres", &a.name)), b: Box::new(|| b.direct()) };
        let end = (summary.statements + STATEMENTS_A_CHAPTER).min(statements);
        run(&twins, &mut generator, &mut summary, end);
        check_kept_rows(&a, &b);
    }
    check_summary(&summary);
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
    let mut summary = Summary { seed, ..Summary::default() };
    run(&twins, &mut Generator::new(seed), &mut summary, 500);
    check_summary(&summary);
}

fn check_summary(summary: &Summary) {
    eprintln!("twin: seed {}, {} statements, {} without error", summary.seed, summary.statements, summary.succeeded);
    for (message, count) in &summary.refused {
        eprintln!("twin: refused {count} times: {message}");
    }
    let refused = summary.refused.values().sum::<usize>() * 100 / summary.statements;
    assert!(refused <= REFUSED_PERCENT_MAX, "{refused} % of the statements were refused");
    let percent = summary.succeeded * 100 / summary.statements;
    assert!(percent >= SUCCEEDED_PERCENT_MIN, "only {percent} % of the statements succeeded");
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

/// Goes on until `summary` counts `statements`.
fn run(twins: &Twins<'_>, generator: &mut Generator, summary: &mut Summary, statements: usize) {
    let seed = summary.seed;
    while summary.statements < statements {
        let (mut a, mut b) = ((twins.a)(), (twins.b)());
        let mut script: Vec<String> = Vec::new();
        let end = (summary.statements + STATEMENTS_A_SESSION).min(statements);
        while summary.statements < end || a.status != b'I' {
            let next = if summary.statements < end + 100 {
                generator.next(a.status)
            } else {
                vec![generate::simple("ROLLBACK")]
            };
            for statement in next {
                if a.status == b'I' {
                    script.clear();
                }
                script.push(spelled(&statement));
                summary.statements += 1;
                let left = answer(&mut a, &statement);
                if let Some(message) = refusal(&left) {
                    *summary.refused.entry(message).or_default() += 1;
                    // Nothing has run: on the other side something else fails in its place.
                    b.simple("SELECT refused");
                    continue;
                }
                let right = answer(&mut b, &statement);
                summary.succeeded += usize::from(right.iter().all(|reply| reply.error.is_none()));
                let (left, right) = (shown(&left, &statement, a.status), shown(&right, &statement, b.status));
                assert!(
                    left == right,
                    "seed {seed}, statement {}: real deletes (-) and sexton (+) differ\n{}\nafter:\n  {}\n",
                    summary.statements,
                    diff::lines(&right, &left),
                    script.join(";\n  ")
                );
            }
        }
        compare_tables(&mut a, &mut b, seed);
    }
}

fn compare_tables(a: &mut Raw, b: &mut Raw, seed: u64) {
    for table in TABLES {
        let statement = generate::simple(&format!("SELECT * FROM {} ORDER BY id", table.name));
        let (left, right) = (answer(a, &statement), answer(b, &statement));
        let (left, right) = (shown(&left, &statement, b'I'), shown(&right, &statement, b'I'));
        assert!(left == right, "seed {seed}: {} differs at the end\n{}", table.name, diff::lines(&right, &left));
    }
}

fn answer(connection: &mut Raw, statement: &Statement) -> Vec<Reply> {
    match &statement.sending {
        Sending::Simple => connection.simple(&statement.sql),
        Sending::Extended { parameters, binary } => {
            let parameters: Vec<Option<&str>> = parameters.iter().map(Option::as_deref).collect();
            vec![connection.extended(&statement.sql, &parameters, *binary)]
        }
    }
}

/// Sexton's own words where it refused the statement.
fn refusal(replies: &[Reply]) -> Option<String> {
    let error = replies.iter().find_map(|reply| reply.error.as_ref())?;
    (error.sqlstate == "0A000" && error.message.starts_with("sexton:")).then(|| error.message.clone())
}

/// The statement as one would try it again.
fn spelled(statement: &Statement) -> String {
    match &statement.sending {
        Sending::Simple => statement.sql.clone(),
        Sending::Extended { parameters, binary } if parameters.is_empty() => {
            format!("{} /* extended{} */", statement.sql, if *binary { ", binary" } else { "" })
        }
        Sending::Extended { parameters, binary } => {
            format!("{} /* extended{}, {parameters:?} */", statement.sql, if *binary { ", binary" } else { "" })
        }
    }
}

/// Everything that must agree, as text.
fn shown(replies: &[Reply], statement: &Statement, status: u8) -> String {
    let mut out = String::new();
    for reply in replies {
        let columns: Vec<String> = reply.columns.iter().map(column).collect();
        let mut rows: Vec<String> = reply
            .rows
            .iter()
            .map(|row| {
                let values = row
                    .iter()
                    .map(|value| value.as_ref().map_or("null".to_owned(), |bytes| bytes.escape_ascii().to_string()));
                values.collect::<Vec<_>>().join(" | ")
            })
            .collect();
        if !statement.ordered && !statement.sql.contains("ORDER BY id") {
            rows.sort();
        }
        out.push_str(&format!("columns: {}\n{}\n", columns.join(", "), rows.join("\n")));
        out.push_str(&format!("tag: {:?}\n", reply.tag));
        if let Some(error) = &reply.error {
            out.push_str(&format!("error: {} {} at {:?}\n", error.sqlstate, error.message, error.position));
        }
    }
    out.push_str(&format!("transaction: {}\n", char::from(status)));
    out
}

fn column(column: &Column) -> String {
    match column.type_oid {
        FIRST_NORMAL_OID.. => format!("{}:own type", column.name),
        oid => format!("{}:{oid}:{}", column.name, column.type_modifier),
    }
}
