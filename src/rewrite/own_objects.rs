//! DDL that would take away what schema `sexton` does inside the server needs `access.hard_delete`.
//!
//! Without its triggers a cascade destroys rows that are to be kept: the server's own foreign keys go on.

use crate::rewrite::refusal::{Reason, Refusal};
use crate::rewrite::statement::Statement;
use crate::sql::lexer::Kind;

/// The schema that `sexton apply` makes.
const OWN_SCHEMA: &str = "sexton";

/// Looks at an ALTER, CREATE or DROP, whatever it is of.
pub(crate) fn check(statement: &Statement<'_>) -> Result<(), Refusal> {
    let own = &statement.names.registry.snapshot().own;
    if statement.names.role.hard_deletes || own.is_empty() {
        return Ok(());
    }
    let inside = |index: &usize| {
        statement.name_at(*index).as_deref() == Some(OWN_SCHEMA)
            && (statement.kind(index + 1) == Some(Kind::Dot)
                || index.checked_sub(1).and_then(|before| statement.word(before)).as_deref() == Some("schema"))
    };
    let first = statement.piece.first + 1;
    if let Some(token) = (first..statement.piece.end).find(inside) {
        return statement.refuse(Reason::OwnObjects { what: "schema sexton".to_owned() }, token);
    }
    if let Some((token, name)) = (first..statement.piece.end).find_map(|index| silenced(statement, index)) {
        return statement.refuse(Reason::OwnObjects { what: format!("the trigger {name}") }, token);
    }
    Ok(())
}

/// The trigger of Sexton's that is dropped, renamed, replaced, disabled or left to replicas by what stands at `index`,
/// with the token that names it.
fn silenced(statement: &Statement<'_>, index: usize) -> Option<(usize, String)> {
    let before = index.checked_sub(1).and_then(|before| statement.word(before)).unwrap_or_default();
    if statement.word(index).as_deref() != Some("trigger") || matches!(before.as_str(), "enable" | "always") {
        return None;
    }
    let named = index + if statement.word(index + 1).as_deref() == Some("if") { 3 } else { 1 };
    let name = statement.name_at(named)?;
    let is_every = matches!(before.as_str(), "disable" | "replica") && matches!(name.as_str(), "all" | "user");
    let mut triggers = statement.names.registry.snapshot().own.triggers.iter();
    let found = triggers.find(|trigger| {
        let mut words = statement.piece.first..statement.piece.end;
        (is_every || trigger.name == name)
            && words.any(|word| statement.name_at(word).as_deref() == Some(trigger.table_name.as_str()))
    })?;
    Some((named, found.name.clone()))
}
