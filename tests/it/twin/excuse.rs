//! What two sides may do otherwise, each in its own right way; `tests/differences.md` tells of it.

use super::harness::{is_refusal, is_violation};
use super::steps::{Outcome, Rest};

/// The level at which what a transaction has read counts.
pub(super) const SERIALIZABLE: &str = "SERIALIZABLE";

/// The level at which each statement has a snapshot of its own.
pub(super) const READ_COMMITTED: &str = "READ COMMITTED";

const SERIALIZATION_FAILURE: &str = "40001";
const DEADLOCK_DETECTED: &str = "40P01";
const UNIQUE_VIOLATION: &str = "23505";
/// ON CONFLICT of a deferrable constraint: the server tells it when it comes to the row.
const NOT_IN_PREREQUISITE_STATE: &str = "55000";

/// Columns of unique indexes that count live rows only behind Sexton. To the server they are no key there.
const PARTIAL: &[(&str, &[&str])] =
    &[("orgs", &["code"]), ("teams", &["org_id", "slug"]), ("people", &["email"]), ("bookings", &["place_id", "seat"])];

/// A deferred foreign key with SET DEFAULT, and how an error names its default.
const DEFAULTED: (&str, &str) = ("grants_org_id_fkey", "Key (id)=(2) is still referenced");

/// Why two answers may differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Excuse {
    /// Which of several sessions that wait goes on first, and which of several rows is met first, is the server's whim.
    Order,
    /// At SERIALIZABLE one side, whose plans and triggers read otherwise, sees a dependency that the other does not.
    Dependency,
    /// Behind Sexton a row that was deleted since the snapshot has changed (40001); really deleted, it is not met.
    Snapshot,
    /// Several rows locked in another order.
    Deadlock,
    /// A lock that somebody has on a live row is not told from its deletion in flight, when a row of its key is inserted.
    Lock,
    /// An UPDATE in flight of a child is not told from its deletion, when the parent is deleted or changes its key; this
    /// is asked at once where the constraint is deferred.
    Child,
    /// Sexton refuses, and says so.
    Refused,
    /// A row that its session has inserted and deleted was never there to be seen, and still has its key.
    Unborn,
    /// A parent that its session has deleted and inserted again: with real deletes, who waited for that does not see it.
    Replaced,
    /// A change of a column that is no key behind Sexton does not make those wait that refer to the row.
    Partial,
}

fn code(outcome: &Outcome) -> &str {
    outcome.error.as_ref().map_or("", |error| error.sqlstate.as_str())
}

/// It failed because transactions depend on one another in a circle, or might.
fn is_dependency(outcome: &Outcome) -> bool {
    outcome.error.as_ref().is_some_and(|error| error.message.contains("read/write dependencies"))
}

/// A statement, as told, that sets a column which is no key behind Sexton.
fn sets_partial(told: &str) -> bool {
    PARTIAL.iter().any(|(table, columns)| {
        told.contains(table) && columns.iter().any(|column| told.contains(&format!("SET {column} =")))
    })
}

/// Both failed for a race, in whatever words and at whichever statement of several.
pub(super) fn are_same_race(left: &Outcome, right: &Outcome) -> bool {
    code(left) == code(right) && code(left).starts_with("40") && left.status == right.status
}

/// Why the answers that a step brought may differ: what one session may do follows from what another could not.
pub(super) fn of_answers(isolation: &str, left: &Rest, right: &Rest, told: &[String]) -> Option<Excuse> {
    if left.answered.iter().any(|(_, outcome)| outcome.error.as_ref().is_some_and(is_refusal)) {
        return Some(Excuse::Refused);
    }
    let pairs = || left.answered.iter().zip(&right.answered).map(|((_, left), (_, right))| (left, right));
    let only_one = |holds: &dyn Fn(&Outcome) -> bool| pairs().any(|(left, right)| holds(left) != holds(right));
    if isolation == SERIALIZABLE && only_one(&is_dependency) {
        return Some(Excuse::Dependency);
    }
    let is_late = |(left, right): (&Outcome, &Outcome)| {
        let only_late = code(left) == SERIALIZATION_FAILURE && code(right) != SERIALIZATION_FAILURE;
        // Had it not been late, it would have been refused.
        only_late || code(right) == SERIALIZATION_FAILURE && left.error.as_ref().is_some_and(is_violation)
    };
    if isolation != READ_COMMITTED && pairs().any(is_late) {
        return Some(Excuse::Snapshot);
    }
    let is_late_for_key =
        |(left, right): (&Outcome, &Outcome)| code(left).is_empty() && code(right) == SERIALIZATION_FAILURE;
    if isolation != READ_COMMITTED && pairs().any(is_late_for_key) && told.iter().any(|line| sets_partial(line)) {
        return Some(Excuse::Partial);
    }
    // A key changed under a deferred constraint, then the child deleted: at COMMIT the server still meets the marked row.
    let is_rekeyed = |(left, right): (&Outcome, &Outcome)| {
        let renames = told.iter().any(|line| line.contains(" SET id ="));
        left.error.as_ref().is_some_and(is_violation) && right.text.contains("Some(\"COMMIT\")") && renames
    };
    if pairs().any(is_rekeyed) {
        return Some(Excuse::Child);
    }
    // Refused without having waited, where the other one met a deadlock.
    let is_early = |(left, right): (&Outcome, &Outcome)| {
        code(right) == DEADLOCK_DETECTED && left.error.as_ref().is_some_and(is_violation)
    };
    if pairs().any(is_early) {
        return Some(Excuse::Child);
    }
    if only_one(&|outcome| code(outcome) == DEADLOCK_DETECTED) {
        return Some(Excuse::Deadlock);
    }
    // A statement deletes a row and the default that its children get. Where the default comes first, COMMIT finds it.
    let meets_default = |(left, right): (&Outcome, &Outcome)| {
        let meets = |outcome: &Outcome| {
            let Some(error) = &outcome.error else { return false };
            let names_default = error.detail.as_ref().is_some_and(|detail| detail.starts_with(DEFAULTED.1));
            error.object('n') == Some(DEFAULTED.0) && names_default
        };
        meets(left) && right.error.is_none() || meets(right) && left.error.is_none()
    };
    if pairs().any(meets_default) {
        return Some(Excuse::Order);
    }
    let is_unborn = |(left, right): (&Outcome, &Outcome)| {
        let table = left.error.as_ref().and_then(|error| error.object('t')).unwrap_or_default();
        code(left) == UNIQUE_VIOLATION
            && right.error.is_none()
            && one_does_both(told, ["INSERT INTO", "DELETE FROM"], table)
    };
    if pairs().any(is_unborn) {
        return Some(Excuse::Unborn);
    }
    let is_replaced = |(left, right): (&Outcome, &Outcome)| {
        let detail = right.error.as_ref().and_then(|error| error.detail.as_deref()).unwrap_or_default();
        let parent = detail.split_once("is not present in table \"").and_then(|(_, rest)| rest.split('"').next());
        let replaced = parent.is_some_and(|parent| one_does_both(told, ["DELETE FROM", "INSERT INTO"], parent));
        left.error.is_none() && replaced
    };
    pairs().any(is_replaced).then_some(Excuse::Replaced)
}

/// One session has done both to `table`, in that order, as told.
fn one_does_both(told: &[String], deeds: [&str; 2], table: &str) -> bool {
    let [first, then] = deeds.map(|deed| format!("{deed} {table} "));
    let session = |line: &String| line.trim_start().split(':').next().unwrap_or_default().to_owned();
    told.iter()
        .enumerate()
        .filter(|(_, line)| line.contains(&first))
        .any(|(at, line)| told[at + 1..].iter().any(|later| later.contains(&then) && session(later) == session(line)))
}

impl Excuse {
    /// It can hold where no statement meets several rows, and no third session is there.
    pub(super) fn holds_for_single_rows(self) -> bool {
        matches!(self, Self::Dependency | Self::Snapshot | Self::Lock | Self::Child)
    }
}

/// Why only one side waits after a step; `told` is what happened so far.
pub(super) fn of_waiting(isolation: &str, left: &Rest, right: &Rest, told: &[String]) -> Option<Excuse> {
    let only = |here: &Rest, there: &Rest| here.waiting.iter().any(|session| !there.waiting.contains(session));
    let (more, less) = (only(left, right), only(right, left));
    let has = |rest: &Rest, holds: &dyn Fn(&Outcome) -> bool| rest.answered.iter().any(|(_, outcome)| holds(outcome));
    let goes_on =
        |holds: &dyn Fn(&Outcome) -> bool| (more && !less && has(right, holds)) || (less && !more && has(left, holds));
    if isolation == SERIALIZABLE && goes_on(&is_dependency) {
        return Some(Excuse::Dependency);
    }
    // Locked by SELECT, by ON CONFLICT DO UPDATE, or by a session that had waited for the deletion.
    let last = told.iter().rev().find(|line| !line.ends_with(" waits"));
    let inserts = last.is_some_and(|line| line.contains("INSERT"));
    // Where another key decides, the real INSERT does not come to the one that is being changed.
    let has_arbiter = last.is_some_and(|line| line.contains("ON CONFLICT ("));
    let locks = |line: &String| {
        let locked = line.contains(" FOR ") || line.contains(" DO UPDATE ") || line.ends_with(" waits");
        locked || has_arbiter && line.contains("UPDATE ")
    };
    if more && !less && inserts && told.iter().rev().skip(2).any(locks) {
        return Some(Excuse::Lock);
    }
    // It takes a deleted row's key, and another is about to move deleted rows that point to that row.
    let moves = |line: &String| line.contains(" SET id =");
    if more && !less && inserts && told.iter().any(moves) {
        return Some(Excuse::Lock);
    }
    // A check or a change of a key that looks for deletions in flight among children.
    let looks = |line: &String| line.contains("DELETE FROM") || line.contains(" SET id =") || line.contains("COMMIT");
    let mut others = told.iter().filter(|line| Some(*line) != last);
    let changes = |line: &String| ["UPDATE ", "DELETE FROM", " FOR "].iter().any(|word| line.contains(word));
    if more && !less && last.is_some_and(looks) && others.any(changes) {
        return Some(Excuse::Child);
    }
    if goes_on(&|outcome| code(outcome) == NOT_IN_PREREQUISITE_STATE) {
        return Some(Excuse::Order);
    }
    // Of several rows that stand in the way, a side meets the one first that nobody else is at work on.
    let stops = |outcome: &Outcome| {
        let is_late = isolation != READ_COMMITTED && code(outcome) == SERIALIZATION_FAILURE;
        is_late || outcome.error.as_ref().is_some_and(is_violation)
    };
    if goes_on(&stops) {
        return Some(Excuse::Order);
    }
    // A deletion that waits for a child has set or marked others already: actions come in an order of their own.
    let has_reached = |pair: &[String]| pair[0].contains("DELETE FROM") && pair[1].ends_with(" waits");
    // Or it has its row already as an UPDATE does.
    let locks_row = |line: &String| line.contains("UPDATE ") || line.contains(" FOR SHARE");
    if more && !less && last.is_some_and(locks_row) && told.windows(2).any(has_reached) {
        return Some(Excuse::Order);
    }
    if goes_on(&|outcome| code(outcome) == DEADLOCK_DETECTED) {
        return Some(Excuse::Deadlock);
    }
    (less && !more && told.iter().any(|line| sets_partial(line))).then_some(Excuse::Partial)
}
