//! SQL that is parsed when an object is created: SQL-standard bodies of functions and procedures, the actions of rules,
//! the conditions of policies. What is added is baked in, as in a view.
//!
//! ```sql
//! -- before
//! CREATE FUNCTION n() RETURNS bigint BEGIN ATOMIC SELECT count(*) FROM users; END;
//! -- after
//! CREATE FUNCTION n() RETURNS bigint BEGIN ATOMIC SELECT count(*) FROM users WHERE users.deleted_at IS NULL; END;
//! ```

use crate::config::Strategy;
use crate::rewrite::outcome::Outcome;
use crate::rewrite::refusal::{Reason, Refusal};
use crate::rewrite::registry::EntryKind;
use crate::rewrite::resolve::Meaning;
use crate::rewrite::statement::Statement;
use crate::sql::edit::Edits;
use crate::sql::keyword::Keyword;
use crate::sql::lexer::Kind;

/// `BEGIN ATOMIC …; END` or `RETURN expression` at the end of CREATE FUNCTION or PROCEDURE; a body in a string is the server's.
pub(crate) fn routine(statement: &Statement<'_>, noun: usize) -> Result<Outcome, Refusal> {
    let end = statement.piece.end;
    // The function itself may be called begin.
    let begins = |index: &usize| {
        statement.keyword(*index) == Some(Keyword::Begin) && statement.keyword(index + 1) == Some(Keyword::Atomic)
    };
    if let Some(begin) = (noun..end).find(begins) {
        if statement.keyword(end - 1) != Some(Keyword::End) && !statement.names.registry.is_empty() {
            return refuse(statement, noun, begin);
        }
        return commands(statement, noun, begin + 2, end - 1);
    }
    match word_outside_groups(statement, noun, "return") {
        Some(first) => commands(statement, noun, first, end),
        None => Ok(Outcome::Unchanged),
    }
}

/// `ON event TO table [WHERE …] DO [ALSO | INSTEAD] actions`
pub(crate) fn rule(statement: &Statement<'_>, noun: usize) -> Result<Outcome, Refusal> {
    let Some(to) = statement.outside_groups(noun, Keyword::To) else { return refuse(statement, noun, noun) };
    let Some((parts, behind)) = statement.name_parts(to + 1) else { return refuse(statement, noun, to) };
    match statement.names.resolve(&parts) {
        Ok(Meaning::Relation(None)) => {}
        Ok(Meaning::Temporary) => return refuse(statement, noun, to + 1),
        // Rules on DELETE would not see a deletion that is done by other means.
        Ok(Meaning::Relation(Some(entry))) => match &entry.kind {
            EntryKind::Registered(policy) if policy.strategy == Strategy::Hard => {}
            EntryKind::View(_) => {}
            EntryKind::Registered(_) | EntryKind::Ancestor(_) => return refuse(statement, noun, to + 1),
        },
        Err(reason) => return statement.refuse(reason, to + 1),
    }
    let Some(does) = statement.outside_groups(behind, Keyword::Do) else { return refuse(statement, noun, to) };
    let condition = statement.part(behind, does);
    if let Some(mention) = condition.mention()
        && (behind..does).any(|index| statement.kind(index) == Some(Kind::Open) && statement.opens_query(index))
    {
        return refuse(statement, noun, mention);
    }
    let mut first = does + 1;
    if matches!(statement.word(first).as_deref(), Some("also" | "instead")) {
        first += 1;
    }
    let end = statement.piece.end;
    let listed = statement.kind(first) == Some(Kind::Open) && statement.behind_group(first) == end;
    if listed { commands(statement, noun, first + 1, end - 1) } else { commands(statement, noun, first, end) }
}

/// The statements of `first..end`, between semicolons.
fn commands(statement: &Statement<'_>, noun: usize, first: usize, end: usize) -> Result<Outcome, Refusal> {
    let mut all = Edits::default();
    let mut start = first;
    while start < end {
        let stop = (start..end).find(|&index| statement.kind(index) == Some(Kind::Semicolon)).unwrap_or(end);
        if stop > start {
            // Every statement is looked at, mention or not: what is no body statement would be one behind the body.
            let outcome = command(&statement.part(start, stop), noun, start)?;
            if let Outcome::Rewritten { edits, tag: _ } = outcome
                && all.append(edits).is_err()
            {
                return refuse(statement, noun, start);
            }
        }
        start = stop + 1;
    }
    Ok(if all.is_empty() { Outcome::Unchanged } else { Outcome::Rewritten { edits: all, tag: None } })
}

fn command(command: &Statement<'_>, noun: usize, mention: usize) -> Result<Outcome, Refusal> {
    let first = command.piece.first;
    match command.keyword(first) {
        Some(keyword) if keyword.starts_query() => command.query().map(|decision| decision.outcome),
        Some(Keyword::Notify) => Ok(Outcome::Unchanged),
        _ if command.kind(first) == Some(Kind::Open) => command.query().map(|decision| decision.outcome),
        _ if command.word(first).as_deref() == Some("return") && first + 1 < command.piece.end => {
            command.part(first + 1, command.piece.end).rewrite_expressions()
        }
        _ if command.names.registry.is_empty() => Ok(Outcome::Unchanged),
        _ => refuse(command, noun, mention),
    }
}

/// CREATE or ALTER POLICY: its conditions are expressions.
pub(crate) fn policy(statement: &Statement<'_>) -> Result<Outcome, Refusal> {
    statement.part(statement.piece.first + 2, statement.piece.end).rewrite_expressions()
}

fn word_outside_groups(statement: &Statement<'_>, mut index: usize, word: &str) -> Option<usize> {
    while index < statement.piece.end {
        if statement.kind(index) == Some(Kind::Open) {
            index = statement.behind_group(index);
        } else if statement.word(index).as_deref() == Some(word) {
            return Some(index);
        } else {
            index += 1;
        }
    }
    None
}

fn refuse(statement: &Statement<'_>, noun: usize, token: usize) -> Result<Outcome, Refusal> {
    let noun = statement.tokens[noun];
    let noun = String::from_utf8_lossy(&statement.text[noun.start..noun.end]).to_uppercase();
    statement.refuse(Reason::Utility { verb: format!("CREATE {noun}") }, token)
}
