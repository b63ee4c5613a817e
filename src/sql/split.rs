//! Cuts a query string into its statements at the semicolons that end them.

use crate::sql::keyword::Keyword;
use crate::sql::lexer::{Kind, Token};

/// The tokens `first..end` of one statement, its semicolon left out; never empty.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Piece {
    /// First token.
    pub first: usize,
    /// One past the last token.
    pub end: usize,
}

/// The statements of `tokens`. A semicolon inside parentheses (CREATE RULE) or inside a
/// `BEGIN ATOMIC … END` body of CREATE FUNCTION or PROCEDURE does not end one.
#[must_use]
pub fn statements(tokens: &[Token]) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut first = 0;
    let mut brackets = 0usize;
    let mut body = false;
    for (index, token) in tokens.iter().enumerate() {
        match token.kind {
            Kind::Open => brackets += 1,
            Kind::Close => brackets = brackets.saturating_sub(1),
            Kind::Semicolon if brackets == 0 && !body => {
                if index > first {
                    pieces.push(Piece { first, end: index });
                }
                first = index + 1;
            }
            Kind::Word if brackets == 0 => {
                body = if body { !ends_body(tokens, index) } else { begins_body(tokens, first, index) }
            }
            _ => {}
        }
    }
    if tokens.len() > first {
        pieces.push(Piece { first, end: tokens.len() });
    }
    pieces
}

/// True for the BEGIN of a body.
fn begins_body(tokens: &[Token], first: usize, index: usize) -> bool {
    tokens[index].keyword == Some(Keyword::Begin)
        && is_routine(tokens, first)
        && tokens.get(index + 1).and_then(|next| next.keyword) == Some(Keyword::Atomic)
}

/// True for the END of the body that stands at `index`. Behind each of a body's statements stands a semicolon, and none
/// starts with END: one elsewhere is that of a CASE, or a name.
fn ends_body(tokens: &[Token], index: usize) -> bool {
    let before = &tokens[index - 1];
    tokens[index].keyword == Some(Keyword::End)
        && (before.kind == Kind::Semicolon || before.keyword == Some(Keyword::Atomic))
}

/// CREATE [OR REPLACE] FUNCTION or PROCEDURE.
fn is_routine(tokens: &[Token], first: usize) -> bool {
    let keyword = |index: usize| tokens.get(index).and_then(|token| token.keyword);
    let noun = if keyword(first + 1) == Some(Keyword::Or) { first + 3 } else { first + 1 };
    keyword(first) == Some(Keyword::Create) && matches!(keyword(noun), Some(Keyword::Function | Keyword::Procedure))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sql::lexer::lex;

    fn count(text: &str) -> usize {
        statements(&lex(text.as_bytes(), true).expect("lexes")).len()
    }

    #[test]
    fn semicolons_end_statements_only_outside_bodies() {
        assert_eq!(count("SELECT ';'; SELECT 2;; -- ;\n"), 2);
        assert_eq!(count("CREATE RULE r AS ON INSERT TO t DO (SELECT 1; SELECT 2)"), 1);
        assert_eq!(
            count(
                "CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT CASE WHEN true THEN 1 END; SELECT 2; END; SELECT 3"
            ),
            2
        );
        assert_eq!(count("CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT 1 end; SELECT 2 case; END; SELECT 3"), 2);
        assert_eq!(count("CREATE PROCEDURE f() BEGIN ATOMIC END; SELECT 3"), 2);
        assert_eq!(count("CREATE FUNCTION f(begin atomic) RETURNS int AS ''; SELECT 3"), 2);
        assert_eq!(count("BEGIN; SELECT 1; END; SELECT 2"), 4);
    }
}
