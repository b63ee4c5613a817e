//! Two and four sessions in lock step on both twins: who waits, who fails and what is seen must agree.
//!
//! `SEXTON_INTERLEAVINGS` sets how many, `SEXTON_SEED` the seed. Every isolation level has its turn.

use std::collections::BTreeMap;

use super::generate::{Statement, simple};
use super::harness::{differing_contents, number, refusal};
use super::keyed::Keyed;
use super::keys::Pair;
use super::steps::{Outcome, Rest, Side};
use super::tables::TABLES;
use crate::support::raw::ServerError;

/// Interleavings of a run when `SEXTON_INTERLEAVINGS` does not say otherwise.
const INTERLEAVINGS: usize = 60;

/// Interleavings after which both sides start again with new databases.
const INTERLEAVINGS_A_CHAPTER: usize = 250;

/// Sessions of the larger interleavings.
const SESSIONS_MAX: usize = 4;

/// Interleavings that may be cut short, in percent.
const OPEN_PERCENT_MAX: usize = 5;

/// Statements between BEGIN and COMMIT.
const STATEMENTS_MAX: usize = 3;

/// Tables that meet through their keys: an interleaving plays on one such family.
const FAMILIES: &[&[&str]] = &[
    &["orgs", "teams"],
    &["orgs", "teams", "people"],
    &["people"],
    &["people", "orders", "lines"],
    &["orders", "lines", "parts"],
    &["orders", "lines", "pieces"],
    &["orgs", "invoices"],
    &["places", "bookings", "orders"],
    &["people", "badges", "grants"],
    &["orgs", "notes", "grants"],
];

/// Keys of an interleaving: few, so that sessions meet.
const KEYS: usize = 3;

/// How many of the keys in statements are one and the same.
const HOT_PERCENT: usize = 70;

/// What the run came to.
#[derive(Debug, Default)]
struct Summary {
    interleavings: usize,
    steps: usize,
    waits: usize,
    /// Errors by SQLSTATE.
    errors: BTreeMap<String, usize>,
    /// Interleavings that ended early, since two sessions had waited for the same transaction and it is open which goes first.
    open: usize,
    /// Statements in which both sides name another violation.
    others: usize,
    refused: usize,
    /// Kinds of difference: how often, and the first script that showed it.
    differences: BTreeMap<String, (usize, String)>,
}

/// How two sides came to differ.
#[derive(Debug)]
struct Difference {
    kind: String,
    script: String,
    /// More than one session waited when the step was made: who goes on first is the server's whim.
    is_open: bool,
}

/// One interleaving on its way.
struct Interleaving<'a> {
    sides: &'a mut [Side; 2],
    isolation: &'static str,
    /// The statements of each session that are still to come, last first.
    scripts: Vec<Vec<Statement>>,
    /// What each session runs.
    current: Vec<Option<Statement>>,
    /// Each session's transaction status.
    status: Vec<u8>,
    /// Sessions that waited before the current step.
    waited: usize,
    /// What happened so far.
    told: Vec<String>,
}

impl Interleaving<'_> {
    /// Plays it to its end, or to the first difference.
    fn play(&mut self, keyed: &mut Keyed, summary: &mut Summary) -> Result<(), Difference> {
        // All begin before any goes on, so that they meet; a snapshot is taken by the first statement.
        for session in 0..self.scripts.len() {
            if let Some(begin) = self.scripts[session].pop_if(|statement| statement.sql.starts_with("BEGIN")) {
                self.step(session, begin, summary)?;
            }
        }
        loop {
            let ready: Vec<usize> = (0..self.scripts.len())
                .filter(|session| self.current[*session].is_none() && !self.scripts[*session].is_empty())
                .collect();
            if ready.is_empty() {
                let waits = self.current.iter().any(Option::is_some);
                assert!(!waits, "a session waits for none:\n{}", self.told.join("\n"));
                return Ok(());
            }
            let session = *keyed.random.pick(&ready);
            let next = self.scripts[session].pop().expect("it is not empty");
            let statement = if self.status[session] == b'E' { self.give_up(session) } else { next };
            summary.steps += 1;
            self.step(session, statement, summary)?;
        }
    }

    /// A failed transaction has no more to do.
    fn give_up(&mut self, session: usize) -> Statement {
        self.scripts[session].clear();
        simple("ROLLBACK")
    }

    fn step(&mut self, session: usize, statement: Statement, summary: &mut Summary) -> Result<(), Difference> {
        self.told.push(format!("  s{session}: {}", statement.spelled()));
        for side in &mut *self.sides {
            side.send(session, &statement);
        }
        self.waited = self.current.iter().filter(|current| current.is_some()).count();
        self.current[session] = Some(statement);
        let [mut left, mut right] = self.sides.each_mut().map(Side::rest);
        if left.waiting.contains(&session) || right.waiting.contains(&session) {
            summary.waits += 1;
            self.told.push(format!("      s{session} waits"));
        }
        if left.waiting != right.waiting {
            return Err(self.differs_in_waiting(&left, &right));
        }
        for rest in [&mut left, &mut right] {
            rest.answered.sort_by_key(|(session, _)| *session);
        }
        for ((number, left), (_, right)) in left.answered.iter().zip(&right.answered) {
            let statement = self.current[*number].take().expect("it was sent one");
            self.status[*number] = right.status;
            self.compare(*number, &statement, (left, right), summary)?;
        }
        Ok(())
    }

    fn compare(
        &mut self,
        session: usize,
        statement: &Statement,
        (left, right): (&Outcome, &Outcome),
        summary: &mut Summary,
    ) -> Result<(), Difference> {
        let code = |outcome: &Outcome| outcome.error.as_ref().map_or("ok".to_owned(), |error| error.sqlstate.clone());
        self.told.push(format!("      s{session}: {}", code(right)));
        if let Some(error) = &right.error {
            *summary.errors.entry(error.sqlstate.clone()).or_default() += 1;
        }
        if left.text == right.text {
            return Ok(());
        }
        let names = |error: &Option<ServerError>| error.as_ref().is_some_and(|error| error.sqlstate.starts_with("23"));
        if left.status == right.status && code(left) == code(right) && names(&left.error) && names(&right.error) {
            summary.others += 1;
            return Ok(());
        }
        let kind = match (code(left), code(right)) {
            (left, right) if left == right => "another answer".to_owned(),
            (left, right) => format!("{left} for {right}"),
        };
        Err(self.difference(
            &format!("{}: {kind}", subject(statement)),
            &format!("    real deletes: {}\n    sexton: {}", right.text, left.text),
        ))
    }

    fn differs_in_waiting(&self, left: &Rest, right: &Rest) -> Difference {
        let only = |here: &[usize], there: &[usize]| -> Vec<String> {
            let other = here.iter().filter(|session| !there.contains(session));
            other.map(|session| self.current[*session].as_ref().map_or("?".to_owned(), subject)).collect()
        };
        let (more, less) = (only(&left.waiting, &right.waiting), only(&right.waiting, &left.waiting));
        let mut kinds = Vec::new();
        if !more.is_empty() {
            kinds.push(format!("{} waits with sexton only", more.join(", ")));
        }
        if !less.is_empty() {
            kinds.push(format!("{} waits with real deletes only", less.join(", ")));
        }
        let said = |rest: &Rest| {
            let texts = rest.answered.iter().map(|(session, outcome)| format!("s{session} {}", outcome.text));
            format!("waiting {:?}, answered {}", rest.waiting, texts.collect::<Vec<_>>().join("; "))
        };
        self.difference(&kinds.join("; "), &format!("    real deletes: {}\n    sexton: {}", said(right), said(left)))
    }

    fn difference(&self, kind: &str, both: &str) -> Difference {
        let kind = format!("{}: {kind}", self.isolation);
        Difference { script: format!("{}\n{both}", self.told.join("\n")), kind, is_open: self.waited > 1 }
    }

    /// Ends every transaction, whoever waits for whom.
    fn end(&mut self) {
        for side in &mut *self.sides {
            let mut ended = vec![false; self.scripts.len()];
            loop {
                let rest = side.rest();
                let free = (0..ended.len()).filter(|session| !rest.waiting.contains(session));
                let Some(session) = free.into_iter().find(|session| !ended[*session]) else {
                    assert!(ended.iter().all(|ended| *ended), "a session waits for none: {:?}", rest.waiting);
                    break;
                };
                side.send(session, &simple("ROLLBACK"));
                ended[session] = true;
            }
        }
    }
}

/// The first word of a statement and its table.
fn subject(statement: &Statement) -> String {
    let words: Vec<&str> = statement.sql.split([' ', '(', ')']).filter(|word| !word.is_empty()).collect();
    let table = words.iter().find(|word| TABLES.iter().any(|table| table.name == **word));
    format!("{} {}", words.first().unwrap_or(&""), table.unwrap_or(&"")).trim_end().to_owned()
}

/// The statements of one session, last first.
fn script(keyed: &mut Keyed, isolation: &str) -> Vec<Statement> {
    let mut statements: Vec<Statement> = (0..=keyed.random.below(STATEMENTS_MAX)).map(|_| keyed.statement()).collect();
    if statements.len() > 1 || keyed.random.chance(70) {
        statements.push(simple(if keyed.random.chance(85) { "COMMIT" } else { "ROLLBACK" }));
        statements.insert(0, simple(&format!("BEGIN ISOLATION LEVEL {isolation}")));
    }
    statements.reverse();
    statements
}

/// Gives both sides something to meet over.
fn stock(sides: &mut [Side; 2], keyed: &mut Keyed, summary: &mut Summary) {
    for statement in keyed.stock() {
        for side in &mut *sides {
            side.send(0, &statement);
        }
        let [left, right] = sides.each_mut().map(Side::rest);
        summary.refused += usize::from(left.replies.iter().any(|replies| refusal(replies).is_some()));
        assert!(left.waiting.is_empty() && right.waiting.is_empty(), "nobody is there to wait for");
    }
}

/// Plays interleavings until `end`, or until the tables of both sides have come to differ.
fn chapter(pair: &Pair, keyed: &mut Keyed, summary: &mut Summary, end: usize) {
    let twins = pair.twins();
    let mut sides =
        [Side::start(SESSIONS_MAX, &*twins.a, pair.a.direct()), Side::start(SESSIONS_MAX, &*twins.b, pair.b.direct())];
    let (mut a, mut b) = ((twins.a)(), (twins.b)());
    while summary.interleavings < end {
        summary.interleavings += 1;
        let family = *keyed.random.pick(FAMILIES);
        keyed.narrow(family, KEYS, HOT_PERCENT);
        stock(&mut sides, keyed, summary);
        let count = if keyed.random.chance(60) { 2 } else { SESSIONS_MAX };
        let isolation = *keyed.random.pick(&["READ COMMITTED", "REPEATABLE READ", "SERIALIZABLE"]);
        let mut interleaving = Interleaving {
            sides: &mut sides,
            isolation,
            scripts: (0..count).map(|_| script(keyed, isolation)).collect(),
            current: vec![None; count],
            status: vec![b'I'; count],
            waited: 0,
            told: Vec::new(),
        };
        let mut played = interleaving.play(keyed, summary);
        if played.is_err() {
            interleaving.end();
        }
        let contents = differing_contents(keyed, &mut a, &mut b);
        if played.is_ok() && !contents.is_empty() {
            played = Err(interleaving.difference("other contents", &contents.join("\n")));
        }
        if let Err(Difference { kind, script, is_open }) = played {
            if is_open {
                summary.open += 1;
            } else {
                summary.differences.entry(kind).or_insert_with(|| (0, script)).0 += 1;
            }
        }
        if !contents.is_empty() {
            return;
        }
    }
}

impl Summary {
    fn check(&self, seed: u64) {
        eprintln!(
            "lock step: seed {seed}, {} interleavings ({} of them cut short), {} steps, {} waits, {} other violations named, \
             {} refused, errors {:?}",
            self.interleavings, self.open, self.steps, self.waits, self.others, self.refused, self.errors
        );
        for (kind, (count, script)) in &self.differences {
            eprintln!("lock step: differs {count} times: {kind}\n{script}");
        }
        assert!(self.open * 100 <= self.interleavings * OPEN_PERCENT_MAX, "{} are open", self.open);
        assert!(self.differences.is_empty(), "{} kinds of difference", self.differences.len());
    }
}

/// Plays `count` interleavings on the pairs that `create` makes.
fn run(count: usize, create: &dyn Fn() -> Option<Pair>) {
    let seed = number("SEXTON_SEED").unwrap_or(1);
    let mut summary = Summary::default();
    let mut keyed: Option<Keyed> = None;
    while summary.interleavings < count {
        let Some(pair) = create() else { return };
        let version = pair.b.direct().major_version();
        let keyed = keyed.get_or_insert_with(|| Keyed::new(seed, version));
        let end = (summary.interleavings + INTERLEAVINGS_A_CHAPTER).min(count);
        let before = summary.differences.len();
        chapter(&pair, keyed, &mut summary, end);
        if summary.differences.len() == before {
            pair.check_kept_rows();
        }
    }
    summary.check(seed);
}

#[test]
#[ignore = "needs sexton apply"]
fn sessions_wait_and_fail_as_with_real_deletes() {
    let count = number("SEXTON_INTERLEAVINGS").map_or(INTERLEAVINGS, |count| count as usize);
    run(count, &|| Pair::create("twin::lockstep::sessions_wait_and_fail…", "steps"));
}

/// The harness itself: a database must agree with another that is the same.
#[test]
fn two_equal_databases_agree_in_lock_step() {
    run(INTERLEAVINGS, &|| Pair::equal("twin::lockstep::two_equal_databases…", "equal"));
}
