//! SQL that stands in strings: DO blocks and the functions that run a text. Sexton cannot look inside, so they
//! are refused where they may read a registered table, unless `unscoped = "pass"`.

use crate::config::Unscoped;
use crate::rewrite::outcome::Effect;
use crate::rewrite::refusal::{Reason, Refusal};
use crate::rewrite::statement::{Decision, Statement};
use crate::sql::lexer::Kind;

/// Functions of PostgreSQL and its contrib modules that run SQL from a string or read a table named by one
/// (proxy notes R9); a name here covers the longer ones that start with it.
pub const FUNCTIONS: &[&str] = &[
    "query_to_xml",
    "table_to_xml",
    "schema_to_xml",
    "database_to_xml",
    "cursor_to_xml",
    "ts_stat",
    "ts_rewrite",
    "dblink",
    "crosstab",
    "connectby",
    "xpath_table",
];

/// DO: refused where its text mentions a registered name.
pub(crate) fn do_block(statement: &Statement<'_>) -> Result<Decision, Refusal> {
    let first = statement.piece.first;
    let body = &statement.text[statement.tokens[first].start..statement.tokens[statement.piece.end - 1].end];
    let registry = statement.names.registry;
    if registry.unscoped == Unscoped::Refuse && registry.may_mention(body) {
        return statement.refuse(Reason::Opaque { holder: "DO".to_owned() }, first);
    }
    Ok(Decision::unchanged(Effect::Schema))
}

/// Refuses a call of one of [`FUNCTIONS`] whose arguments name a registered table, or are not all plain constants.
pub(crate) fn check_functions(statement: &Statement<'_>) -> Result<(), Refusal> {
    let registry = statement.names.registry;
    if registry.unscoped == Unscoped::Pass || registry.is_empty() {
        return Ok(());
    }
    for index in statement.piece.first..statement.piece.end {
        let called = statement.kind(index + 1) == Some(Kind::Open);
        let Some(name) = called.then(|| statement.name_at(index)).flatten() else { continue };
        if FUNCTIONS.iter().any(|function| name.starts_with(function)) && !is_harmless(statement, index, &name) {
            return statement.refuse(Reason::Opaque { holder: format!("{name}()") }, index);
        }
    }
    Ok(())
}

fn is_harmless(statement: &Statement<'_>, call: usize, name: &str) -> bool {
    // A whole schema or database is read without any table being named.
    if name.starts_with("schema_to_xml") || name.starts_with("database_to_xml") {
        return false;
    }
    let end = statement.behind_group(call + 1);
    let constants = (call + 2..end.saturating_sub(1)).all(|index| {
        matches!(
            statement.kind(index),
            Some(Kind::String | Kind::DollarString | Kind::Number | Kind::Comma | Kind::Typecast | Kind::Word)
        ) && (statement.kind(index) != Some(Kind::Word) || is_constant_word(statement, index))
    });
    let inside = &statement.text[statement.tokens[call + 1].start..statement.tokens[end - 1].end];
    constants && !statement.names.registry.may_mention(inside)
}

fn is_constant_word(statement: &Statement<'_>, index: usize) -> bool {
    matches!(statement.word(index).as_deref(), Some("true" | "false" | "null"))
        || statement.kind(index - 1) == Some(Kind::Typecast)
}
