//! The scope that a statement's own comment asks for: `/* sexton: scope=all */`.

use crate::rewrite::refusal::{Reason, Refusal};
use crate::rewrite::resolve::Names;
use crate::rewrite::state::Scope;
use crate::sql::lexer::Token;
use crate::sql::split::Piece;

/// The scope of the statement `piece`: its comment's, or else the session's.
///
/// # Errors
/// A refusal where the comment asks for what is no scope, or for one the role may not use.
pub(crate) fn scope(text: &[u8], tokens: &[Token], piece: Piece, names: Names<'_>) -> Result<Scope, Refusal> {
    let start = piece.first.checked_sub(1).map_or(0, |before| tokens[before].end);
    let end = tokens.get(piece.end).map_or(text.len(), |behind| behind.start);
    if memchr::memmem::find(&text[start..end], b"sexton:").is_none() {
        return Ok(names.state.scope.clone());
    }
    let mut chosen = None;
    for index in piece.first..=piece.end {
        let gap_start = if index == 0 { 0 } else { tokens[index - 1].end };
        let gap_end = tokens.get(index).map_or(text.len(), |token| token.start);
        for (offset, value) in requests(&text[gap_start..gap_end]) {
            let scope =
                Scope::parse(&value).map_err(|fault| Refusal::at(Reason::ScopeValue { fault }, gap_start + offset))?;
            check_allowed(&scope, names).map_err(|reason| Refusal::at(reason, gap_start + offset))?;
            chosen = Some(scope);
        }
    }
    Ok(chosen.unwrap_or_else(|| names.state.scope.clone()))
}

/// A scope beyond `live` needs a role in `access.see_deleted`.
pub(crate) fn check_allowed(scope: &Scope, names: Names<'_>) -> Result<(), Reason> {
    if scope.is_live() || names.role.sees_deleted { Ok(()) } else { Err(Reason::Scope) }
}

/// The values of `sexton: scope=…` in the block comments of a gap between two tokens.
fn requests(gap: &[u8]) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(start) = memchr::memmem::find(&gap[at..], b"/*").map(|offset| at + offset) {
        let body = start + 2;
        let Some(end) = memchr::memmem::find(&gap[body..], b"*/").map(|offset| body + offset) else { break };
        let comment = String::from_utf8_lossy(&gap[body..end]);
        if let Some(value) = comment.trim().strip_prefix("sexton:").and_then(|rest| rest.trim().strip_prefix("scope="))
        {
            found.push((start, value.trim().to_owned()));
        }
        at = end + 2;
    }
    found
}
