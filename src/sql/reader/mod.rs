//! Reads the clause structure of a query from its tokens, after PostgreSQL's grammar (`gram.y`).
//!
//! PostgreSQL's clause keywords are reserved: unquoted, outside parentheses, not behind a dot and
//! not a label behind AS they are always the keyword. Structure is therefore exact without an
//! expression grammar, and an operator or function the reader has never heard of cannot mislead it.
//! What it cannot place is an [`Unreadable`], never a guess.

mod expression;
mod from;
mod modify;
mod query;

use crate::sql::keyword::{Category, Keyword};
use crate::sql::lexer::{Kind, Token};
use crate::sql::tree::{Name, Query};

/// Parentheses and joins nested deeper than this are not read.
pub const DEPTH_MAX: usize = 256;

/// Where less than this is left of the stack, reading and rewriting go on on a new piece: [`DEPTH_MAX`] levels take
/// more than a worker's stack has in a debug build.
pub const STACK_SPARE_BYTES: usize = 256 << 10;
/// The size of such a piece.
pub const STACK_BYTES: usize = 4 << 20;

/// The text has no structure the reader knows: not SQL, or a form it was not taught.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{what}")]
pub struct Unreadable {
    /// What was met or missed.
    pub what: &'static str,
    /// The token where reading stopped; the number of tokens at the end of the text.
    pub token: usize,
}

/// Reads the query in `tokens[first..end]`, all of it.
///
/// # Errors
/// [`Unreadable`] where the tokens are no query or go on behind it.
pub fn read_query(tokens: &[Token], first: usize, end: usize) -> Result<Query, Unreadable> {
    let mut reader = Reader::new(tokens, first, end)?;
    let query = reader.query()?;
    reader.expect_end()?;
    Ok(query)
}

/// Reads the subqueries of whatever stands in `tokens[first..end]`: an expression, or a clause that holds some.
///
/// # Errors
/// [`Unreadable`] where brackets do not match or a subquery cannot be read.
pub fn read_subqueries(tokens: &[Token], first: usize, end: usize) -> Result<Vec<Query>, Unreadable> {
    let mut reader = Reader::new(tokens, first, end)?;
    let mut subqueries = Vec::new();
    reader.expressions(|_, _| false, &mut subqueries)?;
    reader.expect_end()?;
    Ok(subqueries)
}

/// A place in the tokens `..end`, with each bracket's partner.
pub(crate) struct Reader<'a> {
    tokens: &'a [Token],
    partners: Vec<usize>,
    first: usize,
    at: usize,
    end: usize,
    depth: usize,
}

impl<'a> Reader<'a> {
    /// Pairs the brackets of `tokens[first..end]`.
    pub(crate) fn new(tokens: &'a [Token], first: usize, end: usize) -> Result<Self, Unreadable> {
        let mut partners = vec![usize::MAX; end - first];
        let mut open = Vec::new();
        for (index, token) in tokens.iter().enumerate().take(end).skip(first) {
            match token.kind {
                Kind::Open | Kind::OpenBracket => open.push(index),
                Kind::Close | Kind::CloseBracket => {
                    let Some(start) = open.pop() else {
                        return Err(Unreadable { what: "a bracket that nothing opened", token: index });
                    };
                    if (token.kind == Kind::Close) != (tokens[start].kind == Kind::Open) {
                        return Err(Unreadable { what: "brackets that do not match", token: index });
                    }
                    partners[start - first] = index;
                    partners[index - first] = start;
                }
                Kind::Junk => {
                    return Err(Unreadable { what: "a character or number the scanner refuses", token: index });
                }
                _ => {}
            }
            if open.len() > DEPTH_MAX {
                return Err(Unreadable { what: "brackets nested too deep", token: index });
            }
        }
        match open.pop() {
            Some(start) => Err(Unreadable { what: "a bracket that nothing closes", token: start }),
            None => Ok(Self { tokens, partners, first, at: first, end, depth: 0 }),
        }
    }

    fn fail<T>(&self, what: &'static str) -> Result<T, Unreadable> {
        Err(Unreadable { what, token: self.at })
    }

    /// The bracket that belongs to the one at `index`.
    fn partner(&self, index: usize) -> usize {
        self.partners[index - self.first]
    }

    fn kind_at(&self, index: usize) -> Option<Kind> {
        (index < self.end).then(|| self.tokens[index].kind)
    }

    fn keyword_at(&self, index: usize) -> Option<Keyword> {
        (index < self.end).then(|| self.tokens[index].keyword).flatten()
    }

    fn kind(&self) -> Option<Kind> {
        self.kind_at(self.at)
    }

    fn keyword(&self) -> Option<Keyword> {
        self.keyword_at(self.at)
    }

    fn is(&self, keyword: Keyword) -> bool {
        self.keyword() == Some(keyword)
    }

    fn eat(&mut self, keyword: Keyword) -> bool {
        let there = self.is(keyword);
        self.at += usize::from(there);
        there
    }

    fn eat_kind(&mut self, kind: Kind) -> bool {
        let there = self.kind() == Some(kind);
        self.at += usize::from(there);
        there
    }

    fn expect(&mut self, keyword: Keyword, what: &'static str) -> Result<(), Unreadable> {
        if self.eat(keyword) { Ok(()) } else { self.fail(what) }
    }

    /// The end of what is read: the enclosing group's closing bracket, or the end of the text.
    fn at_end(&self) -> bool {
        matches!(self.kind(), None | Some(Kind::Close))
    }

    fn expect_end(&self) -> Result<(), Unreadable> {
        if self.at == self.end { Ok(()) } else { self.fail("words behind the end of the query") }
    }

    fn nested<T>(&mut self, read: impl FnOnce(&mut Self) -> Result<T, Unreadable>) -> Result<T, Unreadable> {
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return self.fail("a query nested too deep");
        }
        let result = stacker::maybe_grow(STACK_SPARE_BYTES, STACK_BYTES, || read(self));
        self.depth -= 1;
        result
    }

    /// True where the token can be a table, column or alias name (`ColId`).
    fn is_column_id(&self, index: usize) -> bool {
        match self.kind_at(index) {
            Some(Kind::QuotedWord | Kind::UnicodeWord) => true,
            Some(Kind::Word) => self.keyword_at(index).is_none_or(Keyword::is_column_id),
            _ => false,
        }
    }

    fn is_word(&self, index: usize) -> bool {
        self.kind_at(index).is_some_and(Kind::is_word)
    }

    /// `ColId ('.' ColLabel)*`
    fn name(&mut self) -> Result<Name, Unreadable> {
        if !self.is_column_id(self.at) {
            return self.fail("a table name was expected");
        }
        let mut parts = vec![self.at];
        self.at += 1;
        while self.kind() == Some(Kind::Dot) {
            if !self.is_word(self.at + 1) {
                return self.fail("a name behind the dot was expected");
            }
            parts.push(self.at + 1);
            self.at += 2;
        }
        Ok(Name { parts })
    }

    /// True where the keyword at `index` is one: not behind a dot.
    fn is_label(&self, index: usize) -> bool {
        index > 0 && self.tokens[index - 1].kind == Kind::Dot
    }

    /// True where the `(` at `open` encloses a query rather than an expression or a join.
    fn opens_query(&self, open: usize) -> bool {
        let mut first = open + 1;
        while self.kind_at(first) == Some(Kind::Open) {
            first += 1;
        }
        if !self.starts_query(first) {
            return false;
        }
        // `((SELECT …) UNION …)` is a query, `((SELECT …) AS s JOIN …)` is not: what follows each inner group tells.
        let mut group = first - 1;
        while group > open {
            let next = self.partner(group) + 1;
            let goes_on = self.keyword_at(next).is_some_and(Keyword::continues_query);
            if !goes_on && self.kind_at(next) != Some(Kind::Close) {
                return false;
            }
            group -= 1;
        }
        true
    }

    /// True where the token at `index`, first of a group, starts a query.
    fn starts_query(&self, index: usize) -> bool {
        match self.keyword_at(index) {
            Some(Keyword::Select | Keyword::With | Keyword::Table) => true,
            Some(Keyword::Values) => self.kind_at(index + 1) == Some(Kind::Open),
            _ => false,
        }
    }
}

/// True for a word that may not stand unquoted as a table name.
pub(crate) fn is_reserved(keyword: Keyword) -> bool {
    matches!(keyword.category(), Category::Reserved | Category::TypeFunctionName)
}
