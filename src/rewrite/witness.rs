//! Two more readings of the statement, held against the tree's: where they see a registered table that it does not, refuse.

use crate::rewrite::refusal::{Reason, Refusal};
use crate::rewrite::statement::Statement;
use crate::sql::keyword::Keyword;
use crate::sql::{scan, second_parser};

/// Compares the tokens that the tree takes for relations (`claims`) with what the token scan and the second parser see.
pub(crate) fn check(statement: &Statement<'_>, claims: &[usize]) -> Result<(), Refusal> {
    let (first, end) = (statement.piece.first, statement.piece.end);
    let watched =
        |index: &usize| statement.name_at(*index).is_some_and(|name| statement.names.registry.is_watched(&name));
    for index in scan::table_positions(statement.tokens, first, end).into_iter().filter(watched) {
        if !claims.contains(&index) {
            return differ(statement, index);
        }
    }
    let Some(seen) = second_parser::relations(statement.text, statement.tokens, first, end) else { return Ok(()) };
    for index in seen.iter().copied().filter(watched) {
        if !claims.contains(&index) {
            return differ(statement, index);
        }
    }
    // The parser keeps no token for the name in `TABLE name`.
    let has_table_command = (first..end).any(|index| statement.keyword(index) == Some(Keyword::Table));
    for index in claims.iter().copied().filter(watched) {
        if !has_table_command && !seen.contains(&index) {
            return differ(statement, index);
        }
    }
    Ok(())
}

fn differ(statement: &Statement<'_>, index: usize) -> Result<(), Refusal> {
    statement.refuse(Reason::Witness { name: statement.name_at(index).unwrap_or_default() }, index)
}
