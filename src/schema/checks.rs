//! CHECK constraints that a row may break when it is marked: a DELETE would not have asked them.
//!
//! Those that call what the table's owner may have made are not tried, nor shown to the planner, which calls functions
//! too: it would run as whoever runs `check` or `apply`, a superuser perhaps.

use crate::schema::question::{PROVED, Question};
use crate::schema::situation::Scoped;
use crate::schema::survey::Check;
use crate::schema::{Finding, Level, Situation, Subject};
use crate::sql::ident::quote;

/// The constraints that a deletion may meet: those that are NOT VALID, and those over columns that a deletion sets.
fn candidates<'a>(subject: Subject<'a>) -> impl Iterator<Item = (Scoped<'a>, &'a Check)> {
    subject.soft().flat_map(move |scoped| {
        let own = subject.survey.checks.iter().filter(move |check| check.table == scoped.table.oid);
        own.filter(move |check| !check.is_valid || marked(scoped, check).next().is_some())
            .map(move |check| (scoped, check))
    })
}

/// The columns of `check` that a deletion sets.
fn marked<'a>(scoped: Scoped<'a>, check: &'a Check) -> impl Iterator<Item = &'a str> {
    let set = scoped.policy.marks.iter().map(|mark| mark.column.as_str());
    set.filter(|column| check.columns.iter().any(|read| read == column))
}

/// Asks the planner whether a deleted row can break it at all.
fn proof(scoped: Scoped<'_>, check: &Check) -> Question {
    let (table, deleted) = (scoped.table.quoted(), scoped.deleted.plain());
    // Behind OFFSET 0 the planner forgets the table's constraints, this one among them.
    let rows = format!("(SELECT * FROM {table} OFFSET 0) AS marked");
    Question::new(format!("EXPLAIN (COSTS OFF) SELECT FROM {rows} WHERE ({deleted}) AND NOT ({})", check.expression))
}

/// Asks whether what a deletion sets fulfils it, where it reads nothing else.
fn trial(scoped: Scoped<'_>, check: &Check) -> Option<Question> {
    let values: Option<Vec<String>> = check
        .columns
        .iter()
        .map(|name| {
            let mark = scoped.policy.marks.iter().find(|mark| mark.column == *name)?;
            let type_name = &scoped.table.column(name)?.type_name;
            let is_constant = mark.value.columns().next().is_none();
            is_constant.then(|| format!("({})::{type_name} AS {}", mark.value.plain(), quote(name)))
        })
        .collect();
    let values = values.filter(|values| !values.is_empty())?.join(", ");
    Some(Question::new(format!("SELECT ({}) IS NOT FALSE FROM (SELECT {values}) AS marked", check.expression)))
}

/// What has to be asked.
#[must_use]
pub(crate) fn questions(subject: Subject<'_>) -> Vec<Question> {
    let asked = candidates(subject)
        .filter(|(_, check)| check.is_plain)
        .flat_map(|(scoped, check)| [Some(proof(scoped, check)), trial(scoped, check)].into_iter().flatten());
    asked.collect()
}

/// One finding for each constraint that stops deletions, or may.
pub(crate) fn findings(situation: &Situation<'_>) -> Vec<Finding> {
    candidates(situation.subject).filter_map(|(scoped, check)| finding(situation, scoped, check)).collect()
}

fn finding(situation: &Situation<'_>, scoped: Scoped<'_>, check: &Check) -> Option<Finding> {
    let answers = situation.answers;
    if answers.text(&proof(scoped, check).sql).is_some_and(|plan| plan.contains(PROVED)) {
        return None;
    }
    let tried = trial(scoped, check).and_then(|question| answers.text(&question.sql));
    if tried == Some("t") {
        return None;
    }
    let (table, name) = (scoped.table.quoted(), quote(&check.name));
    let columns: Vec<&str> = marked(scoped, check).collect();
    let columns = columns.join(", ");
    let validate = || format!("mend the rows, then ALTER TABLE {table} VALIDATE CONSTRAINT {name}");
    let exempt = || {
        format!(
            "let deleted rows be:\nALTER TABLE {table} DROP CONSTRAINT {name}, ADD CONSTRAINT {name} CHECK ({} OR {}) NOT \
             VALID;\nALTER TABLE {table} VALIDATE CONSTRAINT {name};",
            check.expression,
            scoped.deleted.plain()
        )
    };
    let (level, what, mend) = match (tried, columns.is_empty()) {
        (Some("f"), _) => (
            Level::Error,
            format!("no row can be deleted (23514): what a deletion sets in {columns} breaks it"),
            exempt(),
        ),
        (_, false) if !check.is_plain => (
            Level::Note,
            format!(
                "it reads {columns}, which a deletion sets, and calls what is not the server's own, so it was not tried: a \
                 row that then breaks it cannot be deleted (23514)"
            ),
            exempt(),
        ),
        (_, false) => (
            Level::Warning,
            format!("it reads {columns}, which a deletion sets: a row that then breaks it cannot be deleted (23514)"),
            exempt(),
        ),
        (_, true) => (
            Level::Warning,
            "it is NOT VALID: a row that breaks it can be deleted by a DELETE, but not be marked (23514)".to_owned(),
            validate(),
        ),
    };
    Some(Finding {
        level,
        kind: "check",
        object: format!("CHECK constraint {name} on {}", scoped.table.display()),
        what,
        mend: Some(mend),
        steps: Vec::new(),
    })
}
