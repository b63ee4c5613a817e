//! Two more readings of the statement, held against the tree's: where they see a registered table that it does not, refuse.

use std::collections::HashSet;

use crate::rewrite::refusal::{Reason, Refusal};
use crate::rewrite::statement::Statement;
use crate::sql::keyword::Keyword;
use crate::sql::lexer::Kind;
use crate::sql::{scan, second_parser};

/// Compares the tokens that the tree takes for relations (`claims`) with what the token scan and the second parser see.
pub(crate) fn check(statement: &Statement<'_>, claims: &[usize]) -> Result<(), Refusal> {
    let (first, end) = (statement.piece.first, statement.piece.end);
    let watched =
        |index: &usize| statement.name_at(*index).is_some_and(|name| statement.names.registry.is_watched(&name));
    // A name with arguments is a function's, whatever tables there are.
    let is_call = |index: &usize| statement.kind(index + 1) == Some(Kind::Open);
    let claimed: HashSet<usize> = claims.iter().copied().collect();
    let unclaimed = |index: &usize| !claimed.contains(index) && watched(index) && !is_call(index);
    if let Some(index) = scan::table_positions(statement.tokens, first, end).into_iter().find(unclaimed) {
        return differ(statement, index);
    }
    let Some(seen) = second_parser::relations(statement.text, statement.tokens, first, end) else { return Ok(()) };
    if let Some(index) = seen.iter().copied().find(unclaimed) {
        return differ(statement, index);
    }
    // The parser keeps no token for the name in `TABLE name`, and none for SELECT's INTO.
    let nameless = |index: &usize| matches!(statement.keyword(*index), Some(Keyword::Table | Keyword::Into));
    let certain = (first..end).find(nameless).unwrap_or(end);
    let seen: HashSet<usize> = seen.into_iter().collect();
    match claims.iter().copied().find(|index| *index <= certain && !seen.contains(index) && watched(index)) {
        Some(index) => differ(statement, index),
        None => Ok(()),
    }
}

fn differ(statement: &Statement<'_>, index: usize) -> Result<(), Refusal> {
    statement.refuse(Reason::Witness { name: statement.name_at(index).unwrap_or_default() }, index)
}
