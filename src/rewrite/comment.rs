//! The scope that a statement's own comment asks for: `/* sexton: scope=all */`, `/* sexton: as_of=2026-01-31 12:00Z */`.

use crate::rewrite::as_of::AsOf;
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
    let mut chosen = names.state.scope.clone();
    for index in piece.first..=piece.end {
        let gap_start = if index == 0 { 0 } else { tokens[index - 1].end };
        let gap_end = tokens.get(index).map_or(text.len(), |token| token.start);
        for (offset, request) in requests(&text[gap_start..gap_end]) {
            chosen = request
                .on(chosen)
                .and_then(|scope| check_asked(&scope, names).map(|()| scope))
                .map_err(|reason| Refusal::at(reason, gap_start + offset))?;
        }
    }
    Ok(chosen)
}

/// What a comment asks for, as written.
enum Request {
    Scope(String),
    AsOf(String),
    Unknown(String),
}

impl Request {
    /// `scope` with what is asked for.
    fn on(self, scope: Scope) -> Result<Scope, Reason> {
        match self {
            Self::Scope(text) => match Scope::parse(&text) {
                Ok(asked) => Ok(Scope { as_of: scope.as_of, ..asked }),
                Err(fault) => Err(Reason::ScopeValue { fault }),
            },
            Self::AsOf(text) => match AsOf::parse(&text) {
                Ok(as_of) => Ok(Scope { as_of, ..scope }),
                Err(fault) => Err(Reason::AsOfValue { fault }),
            },
            Self::Unknown(asked) => Err(Reason::Comment { asked }),
        }
    }
}

/// Whether the role may have a scope that is asked for, and the tables in it are registered.
pub(crate) fn check_asked(scope: &Scope, names: Names<'_>) -> Result<(), Reason> {
    check_allowed(scope, names)?;
    scope.check_tables(names.registry.configured_tables()).map_err(|fault| Reason::ScopeValue { fault })
}

/// A scope beyond `live`, and the past, need a role in `access.see_deleted`.
pub(crate) fn check_allowed(scope: &Scope, names: Names<'_>) -> Result<(), Reason> {
    if scope.is_live() || names.role.sees_deleted { Ok(()) } else { Err(Reason::Scope) }
}

/// What the block comments of a gap between two tokens ask for, those that begin with `sexton:`.
fn requests(gap: &[u8]) -> Vec<(usize, Request)> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(start) = memchr::memmem::find(&gap[at..], b"/*").map(|offset| at + offset) {
        let body = start + 2;
        let Some(end) = memchr::memmem::find(&gap[body..], b"*/").map(|offset| body + offset) else { break };
        let comment = String::from_utf8_lossy(&gap[body..end]);
        if let Some(asked) = comment.trim().strip_prefix("sexton:").map(str::trim) {
            let (name, value) = asked.split_once('=').unwrap_or((asked, ""));
            let request = match name.trim() {
                "scope" => Request::Scope(value.trim().to_owned()),
                "as_of" => Request::AsOf(value.trim().to_owned()),
                _ => Request::Unknown(asked.to_owned()),
            };
            found.push((start, request));
        }
        at = end + 2;
    }
    found
}
