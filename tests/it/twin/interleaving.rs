//! One interleaving: the steps of several sessions, sent to both sides one by one, and what came of them.

use std::collections::BTreeMap;

use super::excuse::{self, Excuse};
use super::generate::{Statement, simple};
use super::harness::is_violation;
use super::steps::{Outcome, Rest, Side};
use super::tables::TABLES;
use crate::support::raw::ServerError;

/// Interleavings that may be cut short, in percent.
const EXCUSED_PERCENT_MAX: usize = 8;

/// What the run came to.
#[derive(Debug, Default)]
pub(super) struct Summary {
    pub(super) interleavings: usize,
    steps: usize,
    waits: usize,
    /// Errors by SQLSTATE.
    errors: BTreeMap<String, usize>,
    /// Interleavings that ended early because both sides went on in their own right ways: how many, and the last script.
    pub(super) excused: BTreeMap<Excuse, (usize, String)>,
    /// Statements in which both sides name another violation.
    others: usize,
    pub(super) refused: usize,
    /// Kinds of difference: how often, and the first script that showed it.
    pub(super) differences: BTreeMap<String, (usize, String)>,
}

impl Summary {
    pub(super) fn check(&self, seed: u64) {
        for (excuse, (_, script)) in self.excused.iter().filter(|_| std::env::var_os("SEXTON_EXCUSED").is_some()) {
            eprintln!("lock step: excused ({excuse:?}): {script}");
        }
        let excused: Vec<(Excuse, usize)> = self.excused.iter().map(|(excuse, (count, _))| (*excuse, *count)).collect();
        eprintln!(
            "lock step: seed {seed}, {} interleavings ({:?} of them cut short), {} steps, {} waits, {} other violations named, \
             {} refused, errors {:?}",
            self.interleavings, excused, self.steps, self.waits, self.others, self.refused, self.errors
        );
        for (kind, (count, script)) in &self.differences {
            eprintln!("lock step: differs {count} times: {kind}\n{script}");
        }
        let excused = self.excused.values().map(|(count, _)| count).sum::<usize>();
        assert!(excused * 100 <= self.interleavings * EXCUSED_PERCENT_MAX, "{excused} are excused");
        assert!(self.differences.is_empty(), "{} kinds of difference", self.differences.len());
    }
}

/// How two sides came to differ.
#[derive(Debug)]
struct Difference {
    kind: String,
    script: String,
    /// Both ways are right, and the interleaving cannot go on the same way on both sides.
    excuse: Option<Excuse>,
}

/// One interleaving on its way.
pub(super) struct Interleaving<'a> {
    sides: &'a mut [Side; 2],
    isolation: &'static str,
    /// The statements of each session that are still to come, last first.
    scripts: Vec<Vec<Statement>>,
    /// What each session runs.
    current: Vec<Option<Statement>>,
    /// Each session's transaction status.
    status: Vec<u8>,
    /// No statement meets several rows.
    is_strict: bool,
    /// Sessions that waited before the current step.
    waited: usize,
    /// What happened so far.
    told: Vec<String>,
}

impl<'a> Interleaving<'a> {
    /// Each script is one session's statements, last first.
    pub(super) fn new(sides: &'a mut [Side; 2], isolation: &'static str, scripts: Vec<Vec<Statement>>) -> Self {
        let count = scripts.len();
        let (current, status) = (vec![None; count], vec![b'I'; count]);
        Self { sides, isolation, scripts, current, status, is_strict: false, waited: 0, told: Vec::new() }
    }

    /// The same where no statement meets several rows: then there are fewer ways to be right.
    pub(super) fn strict(self) -> Self {
        Self { is_strict: true, ..self }
    }

    /// Plays it to its end, `choose` taking one of the sessions that can go on, and writes down how the sides differ, in the
    /// tables too, of which `contents` tells. False where the sides have gone different ways.
    pub(super) fn run(
        mut self,
        choose: &mut dyn FnMut(&[usize]) -> usize,
        contents: &mut dyn FnMut() -> Vec<String>,
        summary: &mut Summary,
    ) -> bool {
        summary.interleavings += 1;
        let mut played = self.play(choose, summary);
        if played.is_err() {
            self.end();
        }
        let contents = contents();
        if played.is_ok() && !contents.is_empty() {
            played = Err(self.difference("other contents", &contents.join("\n")));
        }
        let Err(Difference { kind, script, excuse }) = played else { return true };
        match excuse.filter(|excuse| !self.is_strict || excuse.holds_for_single_rows()) {
            Some(excuse) => {
                let entry = summary.excused.entry(excuse).or_default();
                *entry = (entry.0 + 1, format!("{kind}\n{script}"));
            }
            None => summary.differences.entry(kind).or_insert_with(|| (0, script)).0 += 1,
        }
        false
    }

    fn play(&mut self, choose: &mut dyn FnMut(&[usize]) -> usize, summary: &mut Summary) -> Result<(), Difference> {
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
            let session = choose(&ready);
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
        let excuse = excuse::of_answers(self.isolation, &left, &right, &self.told);
        for ((number, left), (_, right)) in left.answered.iter().zip(&right.answered) {
            let statement = self.current[*number].take().expect("it was sent one");
            self.status[*number] = right.status;
            self.compare(*number, &statement, (left, right), summary).map_err(|mut difference| {
                difference.excuse = difference.excuse.or(excuse);
                difference
            })?;
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
        if left.text == right.text || excuse::are_same_race(left, right) {
            return Ok(());
        }
        let names = |error: &Option<ServerError>| error.as_ref().is_some_and(is_violation);
        if left.status == right.status && names(&left.error) && names(&right.error) {
            summary.others += 1;
            return Ok(());
        }
        let kind = match (code(left), code(right)) {
            (left, right) if left == right => "another answer".to_owned(),
            (left, right) => format!("{left} for {right}"),
        };
        Err(self.difference(
            &format!("{}: {kind}", subject(statement)),
            &format!("    real deletes: {}{}\n    sexton: {}{}", right.text, words(right), left.text, words(left)),
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
        let mut difference = self
            .difference(&kinds.join("; "), &format!("    real deletes: {}\n    sexton: {}", said(right), said(left)));
        difference.excuse = difference.excuse.or_else(|| excuse::of_waiting(self.isolation, left, right, &self.told));
        difference
    }

    fn difference(&self, kind: &str, both: &str) -> Difference {
        let kind = format!("{}: {kind}", self.isolation);
        Difference {
            script: format!("{}\n{both}", self.told.join("\n")),
            kind,
            excuse: (self.waited > 1).then_some(Excuse::Order),
        }
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

/// The server's own words about an error.
fn words(outcome: &Outcome) -> String {
    outcome.error.as_ref().map_or_else(String::new, |error| format!("{error}; {:?}", error.detail))
}

/// The first word of a statement and its table.
fn subject(statement: &Statement) -> String {
    let words: Vec<&str> = statement.sql.split([' ', '(', ')']).filter(|word| !word.is_empty()).collect();
    let table = words.iter().find(|word| TABLES.iter().any(|table| table.name == **word));
    format!("{} {}", words.first().unwrap_or(&""), table.unwrap_or(&"")).trim_end().to_owned()
}
