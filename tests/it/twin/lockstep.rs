//! Two and four sessions in lock step on both twins: who waits, who fails and what is seen must agree.
//!
//! `SEXTON_INTERLEAVINGS` sets how many, `SEXTON_SEED` the seed. Every isolation level has its turn.

use super::excuse::{READ_COMMITTED, SERIALIZABLE};
use super::generate::{Statement, simple};
use super::harness::{Makes, differing, number, refusal};
use super::interleaving::{Interleaving, Summary};
use super::keyed::Keyed;
use super::keys::Pair;
use super::steps::Side;

/// Interleavings of a run when `SEXTON_INTERLEAVINGS` does not say otherwise.
const INTERLEAVINGS: usize = 60;

/// Interleavings after which both sides start again with new databases.
const INTERLEAVINGS_A_CHAPTER: usize = 250;

/// Interleavings after which all that was deleted is looked for.
const INTERLEAVINGS_A_CHECK: usize = 10;

/// Sessions of the larger interleavings.
const SESSIONS_MAX: usize = 4;

/// Statements between BEGIN and COMMIT.
const STATEMENTS_MAX: usize = 3;

/// Every isolation level that differs from the others.
pub(super) const ISOLATIONS: [&str; 3] = [READ_COMMITTED, "REPEATABLE READ", SERIALIZABLE];

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

/// Plays interleavings until `end`, or until the sides have gone different ways.
fn chapter(pair: &Pair, keyed: &mut Keyed, summary: &mut Summary, end: usize) {
    let twins = pair.twins();
    let mut sides =
        [Side::start(SESSIONS_MAX, &*twins.a, pair.a.direct()), Side::start(SESSIONS_MAX, &*twins.b, pair.b.direct())];
    let (mut a, mut b) = ((twins.a)(), (twins.b)());
    while summary.interleavings < end {
        let family = *keyed.random.pick(FAMILIES);
        keyed.narrow(family, KEYS, HOT_PERCENT);
        stock(&mut sides, keyed, summary);
        let count = if keyed.random.chance(60) { 2 } else { SESSIONS_MAX };
        let isolation = *keyed.random.pick(&ISOLATIONS);
        let scripts = (0..count).map(|_| script(keyed, isolation)).collect();
        let contents = keyed.contents();
        let agree = Interleaving::new(&mut sides, isolation, scripts).run(
            &mut |ready| *keyed.random.pick(ready),
            &mut || differing(contents.clone(), &mut a, &mut b),
            summary,
        );
        if !agree {
            return;
        }
        if summary.interleavings.is_multiple_of(INTERLEAVINGS_A_CHECK) || summary.interleavings == end {
            pair.check_kept_rows();
        }
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
        chapter(&pair, keyed, &mut summary, end);
    }
    summary.check(seed);
}

#[test]
fn sessions_wait_and_fail_as_with_real_deletes() {
    let count = number("SEXTON_INTERLEAVINGS").map_or(INTERLEAVINGS, |count| count as usize);
    run(count, &|| Pair::create("twin::lockstep::sessions_wait_and_fail…", "steps"));
}

/// The harness itself: a database must agree with another that is the same.
#[test]
fn two_equal_databases_agree_in_lock_step() {
    run(INTERLEAVINGS, &|| Pair::equal("twin::lockstep::two_equal_databases…", "equal"));
}
