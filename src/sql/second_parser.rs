//! The one door to sqlparser: our tokens in, structure out. It is the second witness, and reads predicates.
//!
//! It gets tokens cut by [`crate::sql::lexer`], so the two can never disagree about what is a comment or a string,
//! and words that PostgreSQL has not as keywords lose that meaning on the way. Spans carry token indices.
//! It knows less SQL than the server: where it cannot read a text, or takes a reserved word for a name, it has no say.

use std::ops::ControlFlow;

use sqlparser::ast::{Expr, Ident, ObjectName, ObjectNamePart, Query, Visit, Visitor};
use sqlparser::dialect::PostgreSqlDialect;
use sqlparser::keywords::Keyword as ParserKeyword;
use sqlparser::parser::Parser;
use sqlparser::tokenizer::{Location, Span, Token as ParserToken, TokenWithSpan, Tokenizer, Word};

use crate::sql::keyword::Keyword;
use crate::sql::lexer::{Kind, Token};
use crate::sql::reader::is_reserved;

/// Texts of more tokens are not given to the parser: its tree would take tens of megabytes.
const TOKENS_MAX: usize = 20_000;
/// Texts with more JOINs are not given to the parser: it recurses once a JOIN.
const JOINS_MAX: usize = 200;
/// Nesting the parser follows before it gives up, of which a subquery takes about two.
const RECURSION_MAX: usize = 100;
/// Parse, walk and drop need this much stack at most: a long chain of joins overflows a smaller one, which ends the process.
const STACK_NEEDED_BYTES: usize = 48 << 20;
/// What they get where less is left. A thread that reads many statements is given as much from the start: mapping and
/// unmapping a stack for each takes longer than most parses.
pub const STACK_BYTES: usize = 64 << 20;

/// The tokens that name relations in the statement `tokens[first..end]`, as sqlparser reads it, in ascending order:
/// tables, CTE references and targets alike. `None` where it cannot tell.
#[must_use]
pub fn relations(text: &[u8], tokens: &[Token], first: usize, end: usize) -> Option<Vec<usize>> {
    let piece = &tokens[first..end];
    let joins = piece.iter().filter(|token| token.keyword == Some(Keyword::Join)).count();
    if piece.len() > TOKENS_MAX || joins > JOINS_MAX {
        return None;
    }
    let converted = convert(text, tokens, first, end)?;
    stacker::maybe_grow(STACK_NEEDED_BYTES, STACK_BYTES, || {
        let mut parser = Parser::new(&PostgreSqlDialect {})
            .with_recursion_limit(RECURSION_MAX)
            .with_tokens_with_locations(converted);
        let statement = parser.parse_statement().ok()?;
        if parser.peek_token_ref().token != ParserToken::EOF {
            return None;
        }
        let mut witness = Relations { tokens, found: Vec::new() };
        if statement.visit(&mut witness).is_break() {
            return None;
        }
        witness.found.sort_unstable();
        witness.found.dedup();
        Some(witness.found)
    })
}

/// The column names in an expression over one table: their tokens, in ascending order.
///
/// # Errors
/// What is wrong with the expression, as a clause ("it …").
pub fn expression_columns(text: &str, tokens: &[Token]) -> Result<Vec<usize>, String> {
    let converted =
        convert(text.as_bytes(), tokens, 0, tokens.len()).ok_or("it holds a character no SQL expression has")?;
    stacker::maybe_grow(STACK_NEEDED_BYTES, STACK_BYTES, || {
        let mut parser = Parser::new(&PostgreSqlDialect {})
            .with_recursion_limit(RECURSION_MAX)
            .with_tokens_with_locations(converted);
        let expression = parser.parse_expr().map_err(|error| format!("it cannot be read: {error}"))?;
        if parser.peek_token_ref().token != ParserToken::EOF {
            return Err("words follow behind its end".to_owned());
        }
        let mut columns = Columns { found: Vec::new() };
        match expression.visit(&mut columns) {
            ControlFlow::Break(fault) => Err(fault.to_owned()),
            ControlFlow::Continue(()) => {
                columns.found.sort_unstable();
                Ok(columns.found)
            }
        }
    })
}

fn token_index(ident: &Ident) -> Option<usize> {
    usize::try_from(ident.span.start.column).ok()?.checked_sub(1)
}

fn is_reserved_ident(ident: &Ident) -> bool {
    ident.quote_style.is_none()
        && Keyword::lookup(ident.value.as_bytes())
            .is_some_and(|keyword| is_reserved(keyword) && keyword != Keyword::Default && !keyword.is_value_function())
}

struct Relations<'a> {
    tokens: &'a [Token],
    found: Vec<usize>,
}

impl Visitor for Relations<'_> {
    /// The parser took a keyword for a name: it has lost the thread.
    type Break = ();

    fn pre_visit_relation(&mut self, relation: &ObjectName) -> ControlFlow<()> {
        let Some(ObjectNamePart::Identifier(ident)) = relation.0.last() else { return ControlFlow::Break(()) };
        match token_index(ident) {
            Some(index) if index < self.tokens.len() && !is_reserved_ident(ident) => {
                self.found.push(index);
                ControlFlow::Continue(())
            }
            _ => ControlFlow::Break(()),
        }
    }

    fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<()> {
        let first = match expr {
            Expr::Identifier(ident) => Some(ident),
            Expr::CompoundIdentifier(parts) => parts.first(),
            _ => None,
        };
        if first.is_some_and(is_reserved_ident) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }
}

struct Columns {
    found: Vec<usize>,
}

impl Visitor for Columns {
    type Break = &'static str;

    fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<&'static str> {
        match expr {
            Expr::Identifier(ident)
                if Keyword::lookup(ident.value.as_bytes()).is_some_and(is_reserved) && ident.quote_style.is_none() =>
            {
                ControlFlow::Continue(())
            }
            Expr::Identifier(ident) => {
                self.found.extend(token_index(ident));
                ControlFlow::Continue(())
            }
            Expr::CompoundIdentifier(_) => ControlFlow::Break("it qualifies a column: write the column alone"),
            _ => ControlFlow::Continue(()),
        }
    }

    fn pre_visit_query(&mut self, _query: &Query) -> ControlFlow<&'static str> {
        ControlFlow::Break("it holds a subquery: only the table's own columns may be used")
    }
}

/// Our tokens as sqlparser's, each spanning one column: its index plus one.
fn convert(text: &[u8], tokens: &[Token], first: usize, end: usize) -> Option<Vec<TokenWithSpan>> {
    tokens[first..end]
        .iter()
        .enumerate()
        .map(|(offset, token)| {
            let index = (first + offset) as u64;
            let span = Span::new(Location::new(1, index + 1), Location::new(1, index + 2));
            Some(TokenWithSpan::new(convert_token(text, token)?, span))
        })
        .collect()
}

fn convert_token(text: &[u8], token: &Token) -> Option<ParserToken> {
    let source = String::from_utf8_lossy(&text[token.start..token.end]);
    let quoted = |from: usize| source[from..source.len() - 1].to_owned();
    Some(match token.kind {
        Kind::Word => word(&source, token.keyword),
        Kind::QuotedWord => quoted_word(&quoted(1)),
        Kind::UnicodeWord => quoted_word(&quoted(3)),
        // What a string says is nothing to structure; what introduces it is.
        Kind::String | Kind::DollarString => ParserToken::SingleQuotedString(String::new()),
        Kind::EscapeString => ParserToken::EscapedStringLiteral(String::new()),
        Kind::UnicodeString => ParserToken::UnicodeStringLiteral(String::new()),
        Kind::BitString => ParserToken::HexStringLiteral(String::new()),
        Kind::Parameter => ParserToken::Placeholder(source.into_owned()),
        Kind::Number => ParserToken::Number(source.into_owned(), false),
        Kind::Operator => operator(&source),
        Kind::Star => ParserToken::Mul,
        Kind::Open => ParserToken::LParen,
        Kind::Close => ParserToken::RParen,
        Kind::OpenBracket => ParserToken::LBracket,
        Kind::CloseBracket => ParserToken::RBracket,
        Kind::Comma => ParserToken::Comma,
        Kind::Semicolon => ParserToken::SemiColon,
        Kind::Dot => ParserToken::Period,
        Kind::Colon => ParserToken::Colon,
        Kind::Typecast => ParserToken::DoubleColon,
        Kind::ColonEquals => ParserToken::Assignment,
        Kind::DotDot | Kind::Junk => return None,
    })
}

fn quoted_word(inner: &str) -> ParserToken {
    ParserToken::Word(Word { value: inner.to_owned(), quote_style: Some('"'), keyword: ParserKeyword::NoKeyword })
}

/// Keywords of other dialects that would make the parser see a join, a clause or a modifier where PostgreSQL sees a name.
const FOREIGN: &[&str] = &[
    "ANTI",
    "APPLY",
    "ASOF",
    "CONNECT",
    "DISTRIBUTE",
    "DIV",
    "DUPLICATE",
    "EXCLUDE",
    "FINAL",
    "FORCE",
    "FORMAT",
    "GLOBAL",
    "IGNORE",
    "MATCH_RECOGNIZE",
    "MINUS",
    "OPENJSON",
    "OPTIMIZE",
    "OUTPUT",
    "PIVOT",
    "PREWHERE",
    "PRIOR",
    "QUALIFY",
    "REGEXP",
    "RLIKE",
    "SAMPLE",
    "SEMANTIC_VIEW",
    "SEMI",
    "SETTINGS",
    "SORT",
    "STRAIGHT_JOIN",
    "TOP",
    "UNPIVOT",
    "USE",
    "XOR",
];

fn word(source: &str, keyword: Option<Keyword>) -> ParserToken {
    let token = ParserToken::make_word(source, None);
    match token {
        ParserToken::Word(mut word) => {
            if word.keyword != ParserKeyword::NoKeyword
                && (keyword.is_none() || keyword == Some(Keyword::Global))
                && FOREIGN.contains(&source.to_ascii_uppercase().as_str())
            {
                word.keyword = ParserKeyword::NoKeyword;
            }
            ParserToken::Word(word)
        }
        other => other,
    }
}

fn operator(source: &str) -> ParserToken {
    match Tokenizer::new(&PostgreSqlDialect {}, source).tokenize() {
        Ok(mut tokens) if tokens.len() == 1 => {
            tokens.pop().unwrap_or_else(|| ParserToken::CustomBinaryOperator(source.to_owned()))
        }
        _ => ParserToken::CustomBinaryOperator(source.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sql::lexer::lex;

    fn names(text: &str) -> Option<Vec<&str>> {
        let tokens = lex(text.as_bytes(), true).expect("lexes");
        let found = relations(text.as_bytes(), &tokens, 0, tokens.len())?;
        Some(found.into_iter().map(|index| &text[tokens[index].start..tokens[index].end]).collect())
    }

    #[test]
    fn it_sees_relations_by_token() {
        assert_eq!(
            names("SELECT * FROM a.b x JOIN c ON true WHERE EXISTS (SELECT 1 FROM d)"),
            Some(vec!["b", "c", "d"])
        );
        assert_eq!(names("SELECT * FROM a SEMI JOIN b ON true"), Some(vec!["a", "b"]));
    }

    #[test]
    fn it_has_no_say_where_it_takes_a_keyword_for_a_name() {
        assert_eq!(names("SELECT id, interval FROM t"), None);
        assert_eq!(names("SELECT * FROM ONLY t"), None);
        assert_eq!(names("SELECT x END FROM t"), None);
    }

    #[test]
    fn columns_of_a_predicate() {
        let text = "state <> 'void' AND lower(\"Kind\") = 'x' AND session_user = owner";
        let tokens = lex(text.as_bytes(), true).expect("lexes");
        let columns = expression_columns(text, &tokens).expect("reads");
        let columns: Vec<_> = columns.into_iter().map(|index| &text[tokens[index].start..tokens[index].end]).collect();
        assert_eq!(columns, ["state", "\"Kind\"", "owner"]);
        let text = "EXISTS (SELECT 1)";
        assert!(expression_columns(text, &lex(text.as_bytes(), true).expect("lexes")).is_err());
    }
}
