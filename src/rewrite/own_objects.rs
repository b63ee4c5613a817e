//! DDL that would take away what schema `sexton` does inside the server needs `access.hard_delete`.
//!
//! Without its triggers a cascade destroys rows that are to be kept: the server's own foreign keys go on.

use std::collections::HashSet;

use crate::catalog::OwnFunction;
use crate::rewrite::refusal::{Reason, Refusal};
use crate::rewrite::search_path::Member;
use crate::rewrite::statement::Statement;
use crate::sql::lexer::Kind;

/// The schema that `sexton apply` makes.
const OWN_SCHEMA: &str = "sexton";

/// Its tables.
pub const OWN_TABLES: &[&str] = &["deletions", "exempt", "nulled", "queue", "tables"];

/// Looks at an ALTER, CREATE or DROP, whatever it is of.
pub(crate) fn check(statement: &Statement<'_>) -> Result<(), Refusal> {
    let own = &statement.names.registry.snapshot().own;
    if statement.names.role.hard_deletes || own.is_empty() {
        return Ok(());
    }
    let first = statement.piece.first + 1;
    let inside = |index: usize| {
        statement.name_at(index).as_deref() == Some(OWN_SCHEMA)
            && (statement.kind(index + 1) == Some(Kind::Dot) || statement.word(index - 1).as_deref() == Some("schema"))
    };
    // Without the schema where the search path leads there.
    let is_led = may_lead_inside(statement);
    let bare = |index: usize| is_led && statement.name_at(index).is_some_and(|name| is_own(&own.functions, &name));
    if let Some(token) = (first..statement.piece.end).find(|&index| inside(index) || bare(index)) {
        return statement.refuse(Reason::OwnObjects { what: "schema sexton".to_owned() }, token);
    }
    let named: HashSet<String> = (first..statement.piece.end).filter_map(|index| statement.name_at(index)).collect();
    if let Some((token, name)) = (first..statement.piece.end).find_map(|index| silenced(statement, index, &named)) {
        return statement.refuse(Reason::OwnObjects { what: format!("the trigger {name}") }, token);
    }
    Ok(())
}

fn may_lead_inside(statement: &Statement<'_>) -> bool {
    statement.names.path().is_none_or(|path| path.contains(&Member::Schema(OWN_SCHEMA.to_owned())))
}

fn is_own(functions: &[OwnFunction], name: &str) -> bool {
    let is_named = |function: &OwnFunction| function.signature.split('(').next() == Some(name);
    OWN_TABLES.contains(&name) || functions.iter().any(is_named)
}

/// The trigger of Sexton's that is dropped, renamed, replaced, disabled or left to replicas by what stands at `index`,
/// with the token that names it; `named`: every name in the statement.
fn silenced(statement: &Statement<'_>, index: usize, named: &HashSet<String>) -> Option<(usize, String)> {
    if statement.word(index).as_deref() != Some("trigger") {
        return None;
    }
    let before = statement.word(index - 1).unwrap_or_default();
    if matches!(before.as_str(), "enable" | "always") {
        return None;
    }
    let at = index + if statement.word(index + 1).as_deref() == Some("if") { 3 } else { 1 };
    let name = statement.name_at(at)?;
    let is_every = matches!(before.as_str(), "disable" | "replica") && matches!(name.as_str(), "all" | "user");
    let mut triggers = statement.names.registry.snapshot().own.triggers.iter();
    let found = triggers.find(|trigger| (is_every || trigger.name == name) && named.contains(&trigger.table_name))?;
    Some((at, found.name.clone()))
}
