//! What the scanner cuts a text into.

use crate::sql::keyword::Keyword;

/// What a token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// An unquoted identifier or keyword.
    Word,
    /// `"…"`
    QuotedWord,
    /// `U&"…"`
    UnicodeWord,
    /// `'…'`, continuations included; also the string part of `N'…'`.
    String,
    /// `E'…'`
    EscapeString,
    /// `U&'…'`
    UnicodeString,
    /// `B'…'`, `X'…'`
    BitString,
    /// `$tag$…$tag$`
    DollarString,
    /// `$1`
    Parameter,
    /// An integer or numeric constant.
    Number,
    /// An operator of one or more characters, `*` alone excepted.
    Operator,
    /// `*` alone.
    Star,
    /// `(`
    Open,
    /// `)`
    Close,
    /// `[`
    OpenBracket,
    /// `]`
    CloseBracket,
    /// `,`
    Comma,
    /// `;`
    Semicolon,
    /// `.`
    Dot,
    /// `:`
    Colon,
    /// `::`
    Typecast,
    /// `:=`
    ColonEquals,
    /// `..`
    DotDot,
    /// A byte or number that the scanner refuses.
    Junk,
}

impl Kind {
    /// True for words of every spelling, keywords among them.
    #[must_use]
    pub fn is_word(self) -> bool {
        matches!(self, Self::Word | Self::QuotedWord | Self::UnicodeWord)
    }
}

/// One token: bytes `start..end` of the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Token {
    /// What it is.
    pub kind: Kind,
    /// For a [`Kind::Word`]: which keyword, if it is one that matters.
    pub keyword: Option<Keyword>,
    /// First byte.
    pub start: usize,
    /// One past the last byte.
    pub end: usize,
}

/// The token behind the group of parentheses or brackets that opens at `open`; `end` where nothing before it closes it.
#[must_use]
pub fn behind_group(tokens: &[Token], open: usize, end: usize) -> usize {
    let mut depth = 0usize;
    for (index, token) in tokens.iter().enumerate().take(end).skip(open) {
        match token.kind {
            Kind::Open | Kind::OpenBracket => depth += 1,
            Kind::Close | Kind::CloseBracket => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    return index + 1;
                }
            }
            _ => {}
        }
    }
    end
}

/// True where the parenthesis at `open`, or one right behind it, begins as a query does.
#[must_use]
pub fn opens_query(tokens: &[Token], open: usize, end: usize) -> bool {
    let inside = tokens[..end].iter().skip(open).find(|token| token.kind != Kind::Open);
    inside.and_then(|token| token.keyword).is_some_and(Keyword::starts_query)
}
