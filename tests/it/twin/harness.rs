//! What every twin run stands on: two sides, a maker of statements, and the comparison of their answers.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use super::generate::{Sending, Statement, simple};
use crate::support::diff;
use crate::support::raw::{Column, Raw, Reply, ServerError};

/// Statements after which both sides get a new connection.
const STATEMENTS_A_SESSION: usize = 250;

/// Statements that Sexton may refuse, in percent. A refusal is no wrong answer, but it is no answer either.
const REFUSED_PERCENT_MAX: usize = 5;

/// The first oid that a database gives to its own objects; those, such as row types, differ between databases.
const FIRST_NORMAL_OID: u32 = 16_384;

/// A statement that fails, whatever the database holds.
const FAILING: &str = "SELECT refused";

/// Makes the statements of a run.
pub(super) trait Makes {
    /// The next statement, or several that belong together. `status` is the connection's transaction status.
    fn next(&mut self, status: u8) -> Vec<Statement>;

    /// Queries that show all that the tables hold, in order.
    fn contents(&self) -> Vec<String>;

    /// Where two errors differ: a query that is true of a database in which `error` is a right answer too, because a
    /// statement met several violations and which of them comes first is open.
    fn claim(&self, error: &ServerError, sql: &str) -> Option<String>;
}

/// The two sides, reached as the caller wishes.
pub(super) struct Twins<'a> {
    /// Behind Sexton.
    pub(super) a: Box<dyn Fn() -> Raw + 'a>,
    /// With real deletes.
    pub(super) b: Box<dyn Fn() -> Raw + 'a>,
}

/// What a run came to.
#[derive(Debug, Default)]
pub(super) struct Summary {
    pub(super) seed: u64,
    pub(super) statements: usize,
    pub(super) succeeded: usize,
    /// Rows by the first word of the tag.
    pub(super) rows: BTreeMap<String, usize>,
    /// Errors by SQLSTATE.
    pub(super) errors: BTreeMap<String, usize>,
    /// Sexton's refusals by message.
    pub(super) refused: BTreeMap<String, usize>,
    /// Errors that name another violation of the same statement than the other side does, by both constraints.
    pub(super) others: BTreeMap<String, usize>,
}

impl Summary {
    pub(super) fn new(seed: u64) -> Self {
        Self { seed, ..Self::default() }
    }

    /// Says what the run came to, and fails where it tested little.
    pub(super) fn check(&self, succeeded_percent_min: usize) {
        eprintln!("twin: seed {}, {} statements, {} without error", self.seed, self.statements, self.succeeded);
        eprintln!("twin: rows by command: {:?}", self.rows);
        let words = [("failed", &self.errors), ("refused", &self.refused), ("named another violation", &self.others)];
        for (word, counts) in words {
            for (what, count) in counts {
                eprintln!("twin: {word} {count} times: {what}");
            }
        }
        let refused = self.refused.values().sum::<usize>() * 100 / self.statements;
        assert!(refused <= REFUSED_PERCENT_MAX, "{refused} % of the statements were refused");
        let percent = self.succeeded * 100 / self.statements;
        assert!(percent >= succeeded_percent_min, "only {percent} % of the statements succeeded");
    }
}

/// A file of `tests/twin/`.
pub(super) fn read(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/twin").join(name);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The number in an environment variable, if it is set.
pub(super) fn number(variable: &str) -> Option<u64> {
    let text = std::env::var(variable).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{variable} is no number: {text}")))
}

/// Goes on until `summary` counts `statements`.
pub(super) fn run(twins: &Twins<'_>, maker: &mut dyn Makes, summary: &mut Summary, statements: usize) {
    while summary.statements < statements {
        let (mut a, mut b) = ((twins.a)(), (twins.b)());
        let mut script: Vec<String> = Vec::new();
        let end = (summary.statements + STATEMENTS_A_SESSION).min(statements);
        while summary.statements < end || a.status != b'I' {
            let next = if summary.statements < end + 100 { maker.next(a.status) } else { vec![simple("ROLLBACK")] };
            for statement in next {
                if a.status == b'I' {
                    script.clear();
                }
                script.push(statement.spelled());
                summary.statements += 1;
                if let Err(difference) = compare(maker, summary, (&mut a, &mut b), &statement) {
                    panic!(
                        "seed {}, statement {}: real deletes (-) and sexton (+) differ\n{difference}\nafter:\n  {}\n",
                        summary.seed,
                        summary.statements,
                        script.join(";\n  ")
                    );
                }
            }
        }
        let contents = differing(maker.contents(), &mut a, &mut b);
        assert!(contents.is_empty(), "seed {}: at the end of a session\n{}", summary.seed, contents.join("\n"));
    }
}

/// Sends a statement to both sides.
fn compare(
    maker: &dyn Makes,
    summary: &mut Summary,
    (a, b): (&mut Raw, &mut Raw),
    statement: &Statement,
) -> Result<(), String> {
    let left = answer(a, statement);
    if let Some(message) = refusal(&left) {
        *summary.refused.entry(message).or_default() += 1;
        // Nothing has run: on the other side something else fails in its place.
        b.simple(FAILING);
        return Ok(());
    }
    // What it failed for can still be asked when there is a point to go back to.
    let is_saved = b.status == b'T' && statement.changes_rows();
    if is_saved {
        b.expect("SAVEPOINT before_it");
    }
    let right = answer(b, statement);
    let error = |replies: &[Reply]| replies.iter().find_map(|reply| reply.error.clone());
    for tag in right.iter().filter_map(|reply| reply.tag.as_deref()) {
        let (command, rows) =
            (tag.split(' ').next(), tag.rsplit(' ').next().and_then(|rows| rows.parse::<usize>().ok()));
        if let (Some(command), Some(rows)) = (command, rows) {
            *summary.rows.entry(command.to_owned()).or_default() += rows;
        }
    }
    match error(&right) {
        None => summary.succeeded += 1,
        Some(error) => *summary.errors.entry(error.sqlstate).or_default() += 1,
    }
    let (shown_left, shown_right) = (shown(&left, statement, a.status), shown(&right, statement, b.status));
    if shown_left == shown_right {
        if is_saved && b.status == b'T' {
            b.expect("RELEASE SAVEPOINT before_it");
        }
        return Ok(());
    }
    if let (Some(left), Some(right)) = (error(&left), error(&right))
        && is_violation(&left)
        && is_violation(&right)
        && let Some(claim) = maker.claim(&left, &statement.sql)
        && is_true(b, &claim, is_saved)
    {
        let name = |error: &ServerError| error.object('n').unwrap_or_default().to_owned();
        *summary.others.entry(format!("{} for {}", name(&left), name(&right))).or_default() += 1;
        return Ok(());
    }
    Err(diff::lines(&shown_right, &shown_left))
}

/// A constraint is violated, class 23.
pub(super) fn is_violation(error: &ServerError) -> bool {
    error.sqlstate.starts_with("23")
}

/// Asks `claim` of the database as it was before the statement that failed, and leaves the session as it found it.
fn is_true(b: &mut Raw, claim: &str, is_saved: bool) -> bool {
    if is_saved {
        b.expect("ROLLBACK TO SAVEPOINT before_it");
    } else if b.status != b'I' {
        return false;
    }
    let answer = b.expect(claim)[0].texts();
    if is_saved {
        b.simple(FAILING);
    }
    answer == [["t"]]
}

/// How the answers to queries differ, one text a query.
pub(super) fn differing(queries: Vec<String>, a: &mut Raw, b: &mut Raw) -> Vec<String> {
    let differing = |query: String| {
        let statement = Statement { ordered: true, ..simple(&query) };
        let (left, right) = (answer(a, &statement), answer(b, &statement));
        let (left, right) = (shown(&left, &statement, b'I'), shown(&right, &statement, b'I'));
        (left != right).then(|| format!("{query}\n{}", diff::lines(&right, &left)))
    };
    queries.into_iter().filter_map(differing).collect()
}

/// Sends a statement as it wants to be sent.
pub(super) fn answer(connection: &mut Raw, statement: &Statement) -> Vec<Reply> {
    match &statement.sending {
        Sending::Simple => connection.simple(&statement.sql),
        Sending::Copy(data) => connection.copy(&statement.sql, data),
        Sending::Extended { parameters, binary } => {
            let parameters: Vec<Option<&str>> = parameters.iter().map(Option::as_deref).collect();
            vec![connection.extended(&statement.sql, &parameters, *binary)]
        }
    }
}

/// Sexton's own words where it refused the statement.
pub(super) fn refusal(replies: &[Reply]) -> Option<String> {
    let error = replies.iter().find_map(|reply| reply.error.as_ref())?;
    is_refusal(error).then(|| error.message.clone())
}

/// Sexton refused, in its own words.
pub(super) fn is_refusal(error: &ServerError) -> bool {
    error.sqlstate == "0A000" && error.message.starts_with("sexton:")
}

/// Everything that must agree, as text.
pub(super) fn shown(replies: &[Reply], statement: &Statement, status: u8) -> String {
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
        if !statement.ordered {
            rows.sort();
        }
        out.push_str(&format!("columns: {}\n{}\n", columns.join(", "), rows.join("\n")));
        out.push_str(&format!("tag: {:?}\n", reply.tag));
        if let Some(error) = &reply.error {
            let ServerError { sqlstate, message, position, hint: _, detail, objects } = error;
            // What concurrency refuses says in its words whether it met an update or a deletion, and names processes.
            let is_race = sqlstate.starts_with("40");
            let (message, detail) = (if is_race { "…" } else { message }, detail.as_ref().filter(|_| !is_race));
            out.push_str(&format!("error: {sqlstate} {message} at {position:?}\n{detail:?}\n{objects:?}\n"));
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
