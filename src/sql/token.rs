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
