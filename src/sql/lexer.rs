//! PostgreSQL's scanner (`src/backend/parser/scan.l`) over bytes: the same token boundaries, no allocation a token.
//!
//! Where server versions differ the newest reading is taken: from PostgreSQL 15 on every difference is
//! an error on the older server (junk after a number), so no version reads a table name that is missed here.

use memchr::{memchr, memchr2};

use crate::sql::keyword::Keyword;
pub use crate::sql::token::{Kind, Token};

/// The text ends inside a string, quoted identifier or comment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{what} at byte {start}")]
pub struct Unterminated {
    /// What is open.
    pub what: &'static str,
    /// Where it began.
    pub start: usize,
}

/// Reads `text` into tokens; white space and comments leave none.
///
/// `standard_conforming_strings` is the session's setting: while it is off, backslashes escape in `'…'`.
///
/// # Errors
/// [`Unterminated`], as the server would say.
pub fn lex(text: &[u8], standard_conforming_strings: bool) -> Result<Vec<Token>, Unterminated> {
    let mut lexer = Lexer::new(text, standard_conforming_strings);
    let mut tokens = Vec::with_capacity(text.len() / 5 + 4);
    while let Some(token) = lexer.next_token()? {
        tokens.push(token);
    }
    Ok(tokens)
}

/// A reading of a text, token by token.
pub(super) struct Lexer<'a> {
    text: &'a [u8],
    at: usize,
    standard_conforming_strings: bool,
}

pub(crate) fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r' | 0x0c | 0x0b)
}

const fn is_word_start(byte: u8) -> bool {
    byte.is_ascii_alphabetic() || byte == b'_' || byte >= 0x80
}

fn is_word_part(byte: u8) -> bool {
    WORD_PARTS[usize::from(byte)]
}

/// Most bytes of a statement are asked for it.
static WORD_PARTS: [bool; 256] = {
    let mut parts = [false; 256];
    let mut byte = 0;
    while byte < parts.len() {
        let it = byte as u8;
        parts[byte] = is_word_start(it) || it.is_ascii_digit() || it == b'$';
        byte += 1;
    }
    parts
};

fn is_operator(byte: u8) -> bool {
    matches!(
        byte,
        b'~' | b'!'
            | b'@'
            | b'#'
            | b'^'
            | b'&'
            | b'|'
            | b'`'
            | b'?'
            | b'+'
            | b'-'
            | b'*'
            | b'/'
            | b'%'
            | b'<'
            | b'>'
            | b'='
    )
}

impl<'a> Lexer<'a> {
    pub(super) fn new(text: &'a [u8], standard_conforming_strings: bool) -> Self {
        Self { text, at: 0, standard_conforming_strings }
    }

    /// One past the token read last.
    pub(super) fn at(&self) -> usize {
        self.at
    }

    fn peek(&self, ahead: usize) -> u8 {
        self.text.get(self.at + ahead).copied().unwrap_or(0)
    }

    /// What the next token is, and where it starts.
    pub(super) fn next_kind(&mut self) -> Result<Option<(Kind, usize)>, Unterminated> {
        self.skip_blank()?;
        let start = self.at;
        if start >= self.text.len() {
            return Ok(None);
        }
        Ok(Some((self.token_kind()?, start)))
    }

    fn next_token(&mut self) -> Result<Option<Token>, Unterminated> {
        let Some((kind, start)) = self.next_kind()? else { return Ok(None) };
        let keyword = (kind == Kind::Word).then(|| Keyword::lookup(&self.text[start..self.at])).flatten();
        Ok(Some(Token { kind, keyword, start, end: self.at }))
    }

    fn token_kind(&mut self) -> Result<Kind, Unterminated> {
        let byte = self.peek(0);
        let single = match byte {
            b'(' => Some(Kind::Open),
            b')' => Some(Kind::Close),
            b'[' => Some(Kind::OpenBracket),
            b']' => Some(Kind::CloseBracket),
            b',' => Some(Kind::Comma),
            b';' => Some(Kind::Semicolon),
            _ => None,
        };
        if let Some(kind) = single {
            self.at += 1;
            return Ok(kind);
        }
        match byte {
            b'\'' => self.string(1, !self.standard_conforming_strings, Kind::String),
            b'"' => self.quoted_word(1, Kind::QuotedWord),
            b'$' => self.dollar(),
            b':' | b'.' => Ok(self.colon_or_dot()),
            b'0'..=b'9' => Ok(self.number()),
            _ if is_word_start(byte) => self.word(),
            _ if is_operator(byte) => Ok(self.operator()),
            _ => {
                self.at += 1;
                Ok(Kind::Junk)
            }
        }
    }

    fn skip_blank(&mut self) -> Result<(), Unterminated> {
        loop {
            match self.peek(0) {
                byte if self.at < self.text.len() && is_space(byte) => self.at += 1,
                b'-' if self.peek(1) == b'-' => self.line_comment(),
                b'/' if self.peek(1) == b'*' => self.block_comment()?,
                _ => return Ok(()),
            }
        }
    }

    fn line_comment(&mut self) {
        let rest = &self.text[self.at..];
        self.at += rest.iter().position(|byte| matches!(byte, b'\n' | b'\r')).unwrap_or(rest.len());
    }

    fn block_comment(&mut self) -> Result<(), Unterminated> {
        let start = self.at;
        let mut depth = 0usize;
        while self.at < self.text.len() {
            match (self.peek(0), self.peek(1)) {
                (b'/', b'*') => {
                    depth += 1;
                    self.at += 2;
                }
                (b'*', b'/') => {
                    depth -= 1;
                    self.at += 2;
                    if depth == 0 {
                        return Ok(());
                    }
                }
                _ => self.at += 1,
            }
        }
        Err(Unterminated { what: "an unterminated comment", start })
    }

    /// A string whose opening quote ends `prefix` bytes from here; it goes on after white space with a newline.
    fn string(&mut self, prefix: usize, escapes: bool, kind: Kind) -> Result<Kind, Unterminated> {
        let start = self.at;
        self.at += prefix;
        loop {
            self.string_part(start, escapes, kind)?;
            if !self.continues() {
                return Ok(kind);
            }
        }
    }

    fn string_part(&mut self, start: usize, escapes: bool, kind: Kind) -> Result<(), Unterminated> {
        while let Some(rest) = self.text.get(self.at..)
            && let Some(length) = if escapes { memchr2(b'\'', b'\\', rest) } else { memchr(b'\'', rest) }
        {
            self.at += length;
            match self.peek(0) {
                // In a bit string no quote is doubled: what follows it is another string.
                b'\'' if self.peek(1) == b'\'' && kind != Kind::BitString => self.at += 2,
                b'\'' => {
                    self.at += 1;
                    return Ok(());
                }
                _ => self.at += 2,
            }
        }
        self.at = self.text.len();
        Err(Unterminated { what: "an unterminated quoted string", start })
    }

    /// Moves past `quotecontinue` if it stands here: white space and line comments with at least one newline, then a quote.
    fn continues(&mut self) -> bool {
        let mut at = self.at;
        let mut newline = false;
        loop {
            match self.text.get(at) {
                Some(b'\n' | b'\r') => {
                    newline = true;
                    at += 1;
                }
                Some(byte) if is_space(*byte) => at += 1,
                Some(b'-') if self.text.get(at + 1) == Some(&b'-') => {
                    let rest = &self.text[at..];
                    match rest.iter().position(|byte| matches!(byte, b'\n' | b'\r')) {
                        Some(length) => at += length,
                        None => return false,
                    }
                }
                Some(b'\'') if newline => {
                    self.at = at + 1;
                    return true;
                }
                _ => return false,
            }
        }
    }

    fn quoted_word(&mut self, prefix: usize, kind: Kind) -> Result<Kind, Unterminated> {
        let start = self.at;
        self.at += prefix;
        while let Some(length) = memchr(b'"', &self.text[self.at..]) {
            self.at += length + 1;
            if self.peek(0) != b'"' {
                return Ok(kind);
            }
            self.at += 1;
        }
        self.at = self.text.len();
        Err(Unterminated { what: "an unterminated quoted identifier", start })
    }

    fn dollar(&mut self) -> Result<Kind, Unterminated> {
        let start = self.at;
        if self.peek(1).is_ascii_digit() {
            self.at += 2;
            while self.peek(0).is_ascii_digit() {
                self.at += 1;
            }
            return Ok(self.number_end(Kind::Parameter, start));
        }
        let mut tag = 1;
        if is_word_start(self.peek(1)) {
            while is_word_part(self.peek(tag)) && self.peek(tag) != b'$' {
                tag += 1;
            }
        }
        if self.peek(tag) != b'$' {
            self.at += 1;
            return Ok(Kind::Junk);
        }
        let delimiter = &self.text[start..=start + tag];
        let body = start + delimiter.len();
        match memchr::memmem::find(&self.text[body..], delimiter) {
            Some(length) => {
                self.at = body + length + delimiter.len();
                Ok(Kind::DollarString)
            }
            None => {
                self.at = self.text.len();
                Err(Unterminated { what: "an unterminated dollar-quoted string", start })
            }
        }
    }

    fn colon_or_dot(&mut self) -> Kind {
        let (length, kind) = match (self.peek(0), self.peek(1)) {
            (b':', b':') => (2, Kind::Typecast),
            (b':', b'=') => (2, Kind::ColonEquals),
            (b':', _) => (1, Kind::Colon),
            (_, b'.') => (2, Kind::DotDot),
            (_, digit) if digit.is_ascii_digit() => return self.number(),
            _ => (1, Kind::Dot),
        };
        self.at += length;
        kind
    }

    fn digits(&mut self, is_digit: impl Fn(u8) -> bool) -> bool {
        let start = self.at;
        loop {
            if is_digit(self.peek(0)) {
                self.at += 1;
            } else if self.peek(0) == b'_' && is_digit(self.peek(1)) && self.at > start {
                self.at += 2;
            } else {
                return self.at > start;
            }
        }
    }

    fn number(&mut self) -> Kind {
        let start = self.at;
        if self.peek(0) == b'0' {
            let digit: Option<fn(u8) -> bool> = match self.peek(1) {
                b'x' | b'X' => Some(|byte| byte.is_ascii_hexdigit()),
                b'o' | b'O' => Some(|byte| matches!(byte, b'0'..=b'7')),
                b'b' | b'B' => Some(|byte| matches!(byte, b'0' | b'1')),
                _ => None,
            };
            if let Some(digit) = digit {
                let first = if self.peek(2) == b'_' { 3 } else { 2 };
                if digit(self.peek(first)) {
                    self.at += first;
                    self.digits(digit);
                    return self.number_end(Kind::Number, start);
                }
            }
        }
        self.digits(|byte| byte.is_ascii_digit());
        // `1..10` is an integer, then `..`.
        if self.peek(0) == b'.' && self.peek(1) != b'.' {
            self.at += 1;
            self.digits(|byte| byte.is_ascii_digit());
        }
        if matches!(self.peek(0), b'e' | b'E') {
            let sign = usize::from(matches!(self.peek(1), b'+' | b'-'));
            if self.peek(1 + sign).is_ascii_digit() {
                self.at += 1 + sign;
                self.digits(|byte| byte.is_ascii_digit());
            }
        }
        self.number_end(Kind::Number, start)
    }

    /// A word glued to a number or parameter is refused by the server since version 15, and read as two tokens before.
    /// There `1_000$$` and `0x1$$` end in a word that a dollar sign belongs to: it opens no string on any version.
    fn number_end(&mut self, kind: Kind, start: usize) -> Kind {
        let plain = |byte: &u8| matches!(byte, b'0'..=b'9' | b'$' | b'.' | b'e' | b'E' | b'+' | b'-');
        let holds_word = || self.text[start..self.at].iter().any(|byte| !plain(byte));
        if !(is_word_start(self.peek(0)) || (self.peek(0) == b'$' && holds_word())) {
            return kind;
        }
        self.skip_word();
        Kind::Junk
    }

    fn skip_word(&mut self) {
        let rest = &self.text[self.at..];
        self.at += rest.iter().position(|byte| !is_word_part(*byte)).unwrap_or(rest.len());
    }

    fn word(&mut self) -> Result<Kind, Unterminated> {
        match (self.peek(0), self.peek(1), self.peek(2)) {
            (b'e' | b'E', b'\'', _) => return self.string(2, true, Kind::EscapeString),
            (b'b' | b'B' | b'x' | b'X', b'\'', _) => return self.string(2, false, Kind::BitString),
            (b'n' | b'N', b'\'', _) => return self.string(2, !self.standard_conforming_strings, Kind::String),
            (b'u' | b'U', b'&', b'\'') => return self.string(3, false, Kind::UnicodeString),
            (b'u' | b'U', b'&', b'"') => return self.quoted_word(3, Kind::UnicodeWord),
            _ => {}
        }
        self.skip_word();
        Ok(Kind::Word)
    }

    fn operator(&mut self) -> Kind {
        let start = self.at;
        let mut end = start;
        while end < self.text.len() && is_operator(self.text[end]) {
            let pair = (self.text[end], self.text.get(end + 1).copied().unwrap_or(0));
            if end > start && matches!(pair, (b'-', b'-') | (b'/', b'*')) {
                break;
            }
            end += 1;
        }
        let special = |byte: &u8| matches!(byte, b'~' | b'!' | b'@' | b'#' | b'^' | b'&' | b'|' | b'`' | b'?' | b'%');
        // SQL compatibility: a trailing + or - belongs to the operand unless the operator holds a character SQL has not.
        while end - start > 1
            && matches!(self.text[end - 1], b'+' | b'-')
            && !self.text[start..end - 1].iter().any(special)
        {
            end -= 1;
        }
        self.at = end;
        if &self.text[start..end] == b"*" { Kind::Star } else { Kind::Operator }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(text: &str) -> Vec<&str> {
        lex(text.as_bytes(), true).expect("lexes").iter().map(|token| &text[token.start..token.end]).collect()
    }

    #[test]
    fn operators_end_before_comments_and_signs() {
        assert_eq!(cut("2 >/* ' */ 1"), ["2", ">", "1"]);
        assert_eq!(cut("a>--c\nb"), ["a", ">", "b"]);
        assert_eq!(cut("a>-1"), ["a", ">", "-", "1"]);
        assert_eq!(cut("a->-1"), ["a", "->", "-", "1"]);
        assert_eq!(cut("a @-1"), ["a", "@-", "1"]);
        assert_eq!(cut("a->>'b'"), ["a", "->>", "'b'"]);
        assert_eq!(cut("a*-1"), ["a", "*", "-", "1"]);
    }

    #[test]
    fn strings_continue_over_a_newline_only() {
        assert_eq!(cut("'a' -- c\n 'b' c"), ["'a' -- c\n 'b'", "c"]);
        assert_eq!(cut("'a' 'b'"), ["'a'", "'b'"]);
        assert_eq!(cut(r"E'a\'b' c"), [r"E'a\'b'", "c"]);
        assert_eq!(cut(r"'a\' b"), [r"'a\'", "b"]);
    }

    #[test]
    fn bit_strings_have_no_doubled_quotes() {
        assert_eq!(cut("x'1''a' b''''"), ["x'1'", "'a'", "b''", "''"]);
        assert_eq!(cut("x'1'\n'f' c"), ["x'1'\n'f'", "c"]);
    }

    #[test]
    fn backslashes_escape_while_standard_conforming_strings_is_off() {
        let text = r"'a\' FROM users --'";
        assert_eq!(lex(text.as_bytes(), false).expect("lexes").len(), 1);
        assert_eq!(lex(text.as_bytes(), true).expect("lexes").len(), 3);
    }

    #[test]
    fn dollar_quotes_and_parameters() {
        assert_eq!(cut("$a$ $b$ ' $a$ x"), ["$a$ $b$ ' $a$", "x"]);
        assert_eq!(cut("a$1$b $1"), ["a$1$b", "$1"]);
        assert_eq!(cut("$$'$$"), ["$$'$$"]);
    }

    #[test]
    fn numbers() {
        assert_eq!(cut("1..10 .5 1.e5 1e 0x1F 1_000"), ["1", "..", "10", ".5", "1.e5", "1e", "0x1F", "1_000"]);
        assert_eq!(cut("1_0$$ FROM t 0x1$a$ 1$$ $$"), ["1_0$$", "FROM", "t", "0x1$a$", "1", "$$ $$"]);
        assert_eq!(lex(b"1FROM users", true).expect("lexes")[0].kind, Kind::Junk);
    }

    #[test]
    fn quoted_words_and_nested_comments() {
        assert_eq!(cut("\"a\"\"b\" /* /* */ x */ U&\"c\""), ["\"a\"\"b\"", "U&\"c\""]);
        assert!(lex(b"/* /* */", true).is_err());
    }
}
