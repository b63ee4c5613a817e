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
use crate::rewrite::schema_change::create_head;
use crate::rewrite::statement::Statement;
use crate::sql::edit::{Edits, Overlap};
use crate::sql::keyword::Keyword;
use crate::sql::lexer::Kind;

/// `BEGIN ATOMIC …; END` or `RETURN expression` at the end of CREATE FUNCTION or PROCEDURE; a body in a string is the server's.
pub(crate) fn routine(statement: &Statement<'_>, noun: usize) -> Result<Outcome, Refusal> {
    let end = statement.piece.end;
    // The function itself may be called begin.
    let begins = |index: usize| {
        statement.keyword(index) == Some(Keyword::Begin) && statement.keyword(index + 1) == Some(Keyword::Atomic)
    };
    if let Some(begin) = statement.find_outside_groups(noun, begins) {
        if statement.keyword(end - 1) != Some(Keyword::End) && !statement.names.registry.is_empty() {
            return refuse(statement, noun, begin);
        }
        return commands(statement, noun, begin + 2, end - 1);
    }
    match statement.find_outside_groups(noun, |index| statement.word(index).as_deref() == Some("return")) {
        Some(first) => commands(statement, noun, first, end),
        None => Ok(Outcome::Unchanged),
    }
}

/// `ON event TO table [WHERE …] DO [ALSO | INSTEAD] actions`; a temporary table is named as such.
pub(crate) fn rule(statement: &Statement<'_>, noun: usize) -> Result<Outcome, Refusal> {
    let Some(to) = statement.outside_groups(noun, Keyword::To) else { return refuse(statement, noun, noun) };
    let Some((parts, behind)) = statement.name_parts(to + 1) else { return refuse(statement, noun, to) };
    let mut rewriter = statement.rewriter();
    match statement.names.resolve(&parts) {
        Ok(Meaning::Relation(None)) => {}
        Ok(Meaning::Temporary) => rewriter.insert_before(to + 1, "pg_temp.", to + 1),
        // Rules on DELETE would not see a deletion that is done by other means.
        Ok(Meaning::Relation(Some(entry))) => match &entry.kind {
            EntryKind::Registered(policy) if policy.strategy == Strategy::Hard => {}
            EntryKind::View(_) => {}
            EntryKind::Registered(_) | EntryKind::Ancestor(_) => return refuse(statement, noun, to + 1),
        },
        Err(reason) => return statement.refuse(reason, to + 1),
    }
    let Some(does) = statement.outside_groups(behind, Keyword::Do) else { return refuse(statement, noun, to) };
    let mut all = Edits::new(rewriter.edits).unwrap_or_default();
    let condition = statement.part(behind, does);
    if behind < does && append(&mut all, condition.rewrite_expressions()?).is_err() {
        return refuse(statement, noun, behind);
    }
    let mut first = does + 1;
    if matches!(statement.word(first).as_deref(), Some("also" | "instead")) {
        first += 1;
    }
    let end = statement.piece.end;
    let listed = statement.kind(first) == Some(Kind::Open) && statement.behind_group(first) == end;
    let (first, end) = if listed { (first + 1, end - 1) } else { (first, end) };
    let nothing = first + 1 == end && statement.word(first).as_deref() == Some("nothing");
    if !nothing && append(&mut all, commands(statement, noun, first, end)?).is_err() {
        return refuse(statement, noun, first);
    }
    Ok(Outcome::of(all, None))
}

fn append(all: &mut Edits, outcome: Outcome) -> Result<(), Overlap> {
    match outcome {
        Outcome::Rewritten { edits, tag: _ } => all.append(edits),
        Outcome::Unchanged | Outcome::Refused(_) => Ok(()),
    }
}

/// The statements of `first..end`, between semicolons.
fn commands(statement: &Statement<'_>, noun: usize, first: usize, end: usize) -> Result<Outcome, Refusal> {
    let mut all = Edits::default();
    let mut start = first;
    while start < end {
        let stop = (start..end).find(|&index| statement.kind(index) == Some(Kind::Semicolon)).unwrap_or(end);
        if stop > start {
            // Every statement is looked at, mention or not: what is no body statement would be one behind the body.
            if append(&mut all, command(&statement.part(start, stop), noun, start)?).is_err() {
                return refuse(statement, noun, start);
            }
        }
        start = stop + 1;
    }
    Ok(Outcome::of(all, None))
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

/// The first server version of which it is not known that it makes the elements of a schema in their own order.
const ORDER_UNKNOWN: u32 = 190_000;

/// An element of CREATE SCHEMA. The server makes sequences, then tables, then views, then everything else, each kind as
/// written; before an element of such a name is made the name means what lies outside the schema.
struct Element {
    /// Its kind's place among the kinds; [`Element::LAST`] for what is no relation to be read.
    rank: u8,
    /// The token where it starts.
    start: usize,
    /// The token of its name.
    name: usize,
    /// The name, without a schema.
    called: String,
}

impl Element {
    const LAST: u8 = 3;

    fn read(statement: &Statement<'_>, create: usize) -> Self {
        let head = create_head(&statement.part(create, statement.piece.end));
        let rank = match statement.word(head.noun).as_deref() {
            Some("sequence") => 0,
            Some("table") => 1,
            Some("view") => 2,
            _ => Self::LAST,
        };
        let called = statement.name_at(head.name).unwrap_or_default();
        Self { rank, start: create, name: head.name, called }
    }

    /// True where it is there when `other` is made, of which a foreign key is made last of all.
    fn precedes(&self, other: &Self, by_key: bool, server_version: u32) -> bool {
        let rank = if by_key { Self::LAST } else { other.rank };
        self.rank < Self::LAST
            && (self.rank, self.start) < (rank, other.start)
            && (self.start < other.start || server_version < ORDER_UNKNOWN)
    }
}

/// CREATE SCHEMA with views among its elements: each may read what the schema brings along before it, and nothing else that
/// has a watched name. A view of a registered table is made by a statement of its own, so that it is known as one.
pub(crate) fn schema(statement: &Statement<'_>, noun: usize) -> Result<Outcome, Refusal> {
    let registry = statement.names.registry;
    let server_version = registry.snapshot().server_version;
    let own = statement.name_at(noun + 1).unwrap_or_default();
    let creates = (noun + 2..statement.piece.end).filter(|&index| statement.keyword(index) == Some(Keyword::Create));
    let elements: Vec<Element> = creates
        .map(|create| Element::read(statement, create))
        .filter(|element| registry.find(&own, &element.called).is_none())
        .collect();
    let is_foreign = |index: &usize| {
        let Some(name) = statement.name_at(*index).filter(|name| registry.is_watched(name)) else { return false };
        let qualified = statement.kind(index - 1) == Some(Kind::Dot);
        let by_key = statement.word(index - 1).as_deref() == Some("references");
        let Some(reader) = elements.iter().rev().find(|element| element.start < *index) else { return true };
        let is_made = || {
            elements.iter().any(|element| element.called == name && element.precedes(reader, by_key, server_version))
        };
        qualified || !(reader.name == *index || is_made())
    };
    match (noun + 2..statement.piece.end).find(is_foreign) {
        Some(mention) => statement.refuse(Reason::Utility { verb: "CREATE SCHEMA with a view".to_owned() }, mention),
        None => Ok(Outcome::Unchanged),
    }
}

fn refuse(statement: &Statement<'_>, noun: usize, token: usize) -> Result<Outcome, Refusal> {
    let noun = statement.tokens[noun];
    let noun = String::from_utf8_lossy(&statement.text[noun.start..noun.end]).to_uppercase();
    statement.refuse(Reason::Utility { verb: format!("CREATE {noun}") }, token)
}
