//! SQL that is parsed when an object is created: bodies of SQL functions, and the conditions of policies.
//!
//! ```sql
//! -- before
//! CREATE FUNCTION adults() RETURNS bigint BEGIN ATOMIC SELECT count(*) FROM users WHERE age > 17; END;
//! -- after
//! CREATE FUNCTION adults() RETURNS bigint BEGIN ATOMIC SELECT count(*) FROM users WHERE users.deleted_at IS NULL AND (age > 17); END;
//! ```
//!
//! The condition is baked in, as in a view.

use crate::rewrite::outcome::{Effect, Outcome};
use crate::rewrite::refusal::{Reason, Refusal};
use crate::rewrite::statement::{Decision, Statement};
use crate::sql::edit::Edits;
use crate::sql::keyword::Keyword;
use crate::sql::lexer::Kind;

/// CREATE FUNCTION or PROCEDURE with a parsed body; `None` where the body is a string.
pub(crate) fn routine(statement: &Statement<'_>) -> Result<Option<Decision>, Refusal> {
    let first = statement.piece.first;
    if let Some(atomic) = statement.outside_groups(first, Keyword::Atomic) {
        return atomic_body(statement, atomic + 1).map(Some);
    }
    let returns = (first..statement.piece.end).find(|&index| statement.word(index).as_deref() == Some("return"));
    match returns {
        Some(index) if index + 1 < statement.piece.end => {
            let outcome = statement.part(index + 1, statement.piece.end).rewrite_expressions()?;
            Ok(Some(Decision { outcome, effect: Effect::Schema, depends: true }))
        }
        _ => Ok(None),
    }
}

/// CREATE or ALTER POLICY: its conditions are expressions.
pub(crate) fn policy(statement: &Statement<'_>) -> Result<Decision, Refusal> {
    let outcome = statement.part(statement.piece.first + 2, statement.piece.end).rewrite_expressions()?;
    Ok(Decision { outcome, effect: Effect::None, depends: true })
}

fn atomic_body(statement: &Statement<'_>, mut first: usize) -> Result<Decision, Refusal> {
    let mut edits = Edits::default();
    let mut cases = 0usize;
    let mut brackets = 0usize;
    for index in first..statement.piece.end {
        match (statement.kind(index), statement.keyword(index)) {
            (Some(Kind::Open), _) => brackets += 1,
            (Some(Kind::Close), _) => brackets = brackets.saturating_sub(1),
            (_, Some(Keyword::Case)) => cases += 1,
            (_, Some(Keyword::End)) if cases > 0 => cases -= 1,
            (Some(Kind::Semicolon), _) if brackets == 0 => {
                body_statement(statement, first, index, &mut edits)?;
                first = index + 1;
            }
            _ => {}
        }
    }
    let outcome = match edits.is_empty() {
        true => Outcome::Unchanged,
        false => Outcome::Rewritten { edits, tag: None },
    };
    Ok(Decision { outcome, effect: Effect::Schema, depends: true })
}

fn body_statement(statement: &Statement<'_>, first: usize, end: usize, edits: &mut Edits) -> Result<(), Refusal> {
    if first >= end {
        return Ok(());
    }
    let outcome = match statement.word(first).as_deref() {
        Some("return") if first + 1 < end => statement.part(first + 1, end).rewrite_expressions()?,
        _ => statement.part(first, end).decide()?.outcome,
    };
    match outcome {
        Outcome::Unchanged => Ok(()),
        Outcome::Refused(refusal) => Err(refusal),
        Outcome::Rewritten { edits: more, tag: _ } => match edits.append(more) {
            Ok(()) => Ok(()),
            Err(_) => statement.refuse(Reason::Unreadable { what: "two rules claim the same words" }, first),
        },
    }
}
