//! A text apart from its constants: clients that write values into their statements send one statement many times.
//!
//! Everything between the constants is kept byte for byte, so an edit made for one such text fits them all once its
//! offsets have been carried across.

use std::hash::{Hash, Hasher};
use std::ops::Range;

use smallvec::SmallVec;

use crate::sql::lexer::{Kind, Lexer};

/// Where the constants of a text stand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Constants {
    /// From the first token to the last: blanks and comments around them say nothing.
    body: Range<usize>,
    places: SmallVec<[Place; 6]>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Place {
    kind: Kind,
    start: usize,
    end: usize,
}

impl Constants {
    /// Finds them; `None` for a text without constants, and for one that says more than its tokens do: a comment around
    /// it that may be meant for Sexton, a `U&"…"` whose meaning a string behind it decides, a text that does not end.
    #[must_use]
    pub fn find(text: &[u8], standard_conforming_strings: bool) -> Option<Self> {
        let mut lexer = Lexer::new(text, standard_conforming_strings);
        let mut places = SmallVec::new();
        let mut body: Option<Range<usize>> = None;
        while let Some((kind, start)) = lexer.next_kind().ok()? {
            let end = lexer.at();
            body = Some(body.map_or(start, |body| body.start)..end);
            match kind {
                Kind::UnicodeWord => return None,
                Kind::Number
                | Kind::String
                | Kind::EscapeString
                | Kind::UnicodeString
                | Kind::BitString
                | Kind::DollarString => places.push(Place { kind, start, end }),
                Kind::Word
                | Kind::QuotedWord
                | Kind::Parameter
                | Kind::Operator
                | Kind::Star
                | Kind::Open
                | Kind::Close
                | Kind::OpenBracket
                | Kind::CloseBracket
                | Kind::Comma
                | Kind::Semicolon
                | Kind::Dot
                | Kind::Colon
                | Kind::Typecast
                | Kind::ColonEquals
                | Kind::DotDot
                | Kind::Junk => {}
            }
        }
        let body = body?;
        let around = [&text[..body.start], &text[body.end..]];
        let is_addressed =
            |gap: &[u8]| gap.len() > 6 && gap.windows(6).any(|word| word.eq_ignore_ascii_case(b"sexton"));
        (!places.is_empty() && !around.into_iter().any(is_addressed)).then_some(Self { body, places })
    }

    /// The constants of `other`, where it can be told without cutting it into tokens that it differs from `text`, whose
    /// constants these are, in nothing else: all of them are whole numbers or plain strings in both, and stand where no
    /// neighbour can make another token of them. Both texts are read with the same settings.
    #[must_use]
    pub fn found_alike(&self, text: &[u8], other: &[u8]) -> Option<Self> {
        let mut places = SmallVec::new();
        let (mut known, mut at) = (0, 0);
        for place in &self.places {
            let stretch = &text[known..place.start];
            let rest = other.get(at..)?.strip_prefix(stretch)?;
            if !stretch.last().is_some_and(|byte| is_apart_before(*byte)) {
                return None;
            }
            let start = at + stretch.len();
            let end = start
                + match place.kind {
                    Kind::Number => plain_number(rest)?,
                    // Behind one that began with a letter a plain one could go on with the string in front of it.
                    Kind::String if text[place.start] == b'\'' => plain_string(rest)?,
                    _ => return None,
                };
            // What follows is the same in both: it ends the constant here as it does there.
            if !text.get(place.end).is_none_or(|byte| is_apart_behind(*byte)) {
                return None;
            }
            places.push(Place { kind: place.kind, start, end });
            (known, at) = (place.end, end);
        }
        (text[known..] == *other.get(at..)?).then(|| {
            let body = self.body.start..self.body.end - known + at;
            Self { body, places }
        })
    }

    /// What they take in memory.
    #[must_use]
    pub fn bytes(&self) -> usize {
        size_of_val(self.places.as_slice())
    }

    /// The stretches of `text` between the constants.
    fn between<'t>(&self, text: &'t [u8]) -> impl Iterator<Item = &'t [u8]> {
        let starts = std::iter::once(self.body.start).chain(self.places.iter().map(|place| place.end));
        let ends = self.places.iter().map(|place| place.start).chain(std::iter::once(self.body.end));
        starts.zip(ends).map(move |(start, end)| &text[start..end])
    }

    fn kinds(&self) -> impl Iterator<Item = Kind> {
        self.places.iter().map(|place| place.kind)
    }

    /// Feeds `hasher` what texts that differ in their constants have in common.
    pub fn hash_rest(&self, text: &[u8], hasher: &mut impl Hasher) {
        for (stretch, kind) in self.between(text).zip(self.kinds()) {
            stretch.hash(hasher);
            kind.hash(hasher);
        }
        text[self.places.last().map_or(self.body.start, |place| place.end)..self.body.end].hash(hasher);
    }

    /// True where `text` and `other`, with these `others`, differ in their constants alone, each of the same kind.
    #[must_use]
    pub fn is_rest_equal(&self, text: &[u8], others: &Self, other: &[u8]) -> bool {
        self.kinds().eq(others.kinds()) && self.between(text).eq(others.between(other))
    }

    /// `text` with other constants of the same kinds.
    #[must_use]
    pub fn replaced(&self, text: &[u8]) -> Vec<u8> {
        let mut out = Vec::with_capacity(text.len());
        let mut at = 0;
        for place in &self.places {
            out.extend_from_slice(&text[at..place.start]);
            out.extend_from_slice(other_constant(place.kind, &text[place.start..place.end]));
            at = place.end;
        }
        out.extend_from_slice(&text[at..]);
        out
    }

    /// Carries the offset of a byte outside of constants to the text of `others`, whose rest is equal; `None` for one
    /// inside, or outside of all that the two texts share.
    #[must_use]
    pub fn carried(&self, offset: usize, others: &Self) -> Option<usize> {
        if offset < self.body.start || offset > self.body.end {
            return None;
        }
        // How many constants end at or in front of the offset.
        let passed = self.places.partition_point(|place| place.end <= offset);
        if self.places.get(passed).is_some_and(|place| place.start < offset) {
            return None;
        }
        Some(match passed.checked_sub(1) {
            None => offset - self.body.start + others.body.start,
            Some(last) => offset - self.places[last].end + others.places.get(last)?.end,
        })
    }
}

/// True for bytes that end any token, and begin none with a digit or a quote behind them.
fn is_apart_before(byte: u8) -> bool {
    matches!(byte, b' ' | b'(' | b',' | b'=' | b'<' | b'>')
}

/// True for bytes that neither a number nor a string goes on with. A string may, behind blanks and a new line, with
/// another one; but that would be the same constant in both texts.
fn is_apart_behind(byte: u8) -> bool {
    matches!(byte, b' ' | b')' | b',' | b';')
}

/// The length of the digits that `text` begins with.
fn plain_number(text: &[u8]) -> Option<usize> {
    let digits = text.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(text.len());
    (digits > 0).then_some(digits)
}

/// The length of the string that `text` begins with, if it holds neither quotes nor backslashes.
fn plain_string(text: &[u8]) -> Option<usize> {
    let inside = text.strip_prefix(b"'")?;
    let end = memchr::memchr2(b'\'', b'\\', inside)?;
    (inside[end] == b'\'').then_some(end + 2)
}

/// A constant of the same kind that says something else.
fn other_constant(kind: Kind, constant: &[u8]) -> &'static [u8] {
    // A word that rewriting looks for, should it look into strings.
    match (kind, constant.first()) {
        (Kind::Number, _) if constant == b"7" => b"11",
        (Kind::Number, _) => b"7",
        (Kind::EscapeString, _) => b"E'search_path'",
        (Kind::UnicodeString, _) => b"U&'search_path'",
        (Kind::BitString, Some(b'x' | b'X')) => b"X'0f'",
        (Kind::BitString, _) => b"B'01'",
        (Kind::DollarString, _) => b"$other$search_path$other$",
        _ => b"'search_path'",
    }
}

#[cfg(test)]
mod tests {
    use std::hash::DefaultHasher;

    use super::*;

    fn find(text: &str) -> Constants {
        Constants::find(text.as_bytes(), true).expect("it has constants")
    }

    fn same(one: &str, other: &str) -> bool {
        let (ones, others) = (find(one), find(other));
        let hash = |constants: &Constants, text: &str| {
            let mut hasher = DefaultHasher::new();
            constants.hash_rest(text.as_bytes(), &mut hasher);
            hasher.finish()
        };
        let equal = ones.is_rest_equal(one.as_bytes(), &others, other.as_bytes());
        assert!(!equal || hash(&ones, one) == hash(&others, other));
        equal
    }

    #[test]
    fn only_constants_of_the_same_kind_may_differ() {
        assert!(same(
            "select * from t where a = 1 and b = 'x'",
            "/* c */ select * from t where a = 234 and b = '' -- d"
        ));
        assert!(!same("select 1", "select '1'"));
        assert!(!same("select 'a'", "select E'a'"));
        assert!(!same("select 1 from t", "select 1 from u"));
        assert!(!same("select 1 /* a */", "select 1 /* a */ + 1"));
        assert!(!same("select 1, 2", "select 1 , 2"));
    }

    /// Every text of two constants with every stretch in front of each, against every one with other constants.
    #[test]
    fn what_is_found_alike_is_what_is_found() {
        const STRETCHES: &str = " |(|,|=| = |-|.|a|$|\n| \n |'|e|--|/*|)|;|::| where a=";
        const CONSTANTS: &str = "1|42|.5|0x1f|'a'|''|'a''b'|'a\\'|E'x'|$$d$$|b'1'|n'x'|1a";
        let pairs: Vec<(&str, &str)> =
            CONSTANTS.split('|').flat_map(|one| CONSTANTS.split('|').map(move |two| (one, two))).collect();
        let mut alike = 0;
        for (before, between) in STRETCHES.split('|').flat_map(|one| STRETCHES.split('|').map(move |two| (one, two))) {
            let texts: Vec<String> =
                pairs.iter().map(|(one, two)| format!("select{before}{one}{between}{two}")).collect();
            let found: Vec<_> = texts.iter().map(|text| Constants::find(text.as_bytes(), true)).collect();
            for (known, constants) in texts.iter().zip(&found) {
                let Some(constants) = constants else { continue };
                for (other, others) in texts.iter().zip(&found) {
                    let Some(told) = constants.found_alike(known.as_bytes(), other.as_bytes()) else { continue };
                    alike += 1;
                    assert_eq!(Some(&told), others.as_ref(), "{known:?} {other:?}");
                    assert!(constants.is_rest_equal(known.as_bytes(), &told, other.as_bytes()));
                }
            }
        }
        assert!(alike > 5_000, "{alike}");
        let (one, other) = ("select * from t where a = 1 and b = 'x'", "select * from t where a = 234 and b = ''");
        assert_eq!(find(one).found_alike(one.as_bytes(), other.as_bytes()), Some(find(other)));
    }

    #[test]
    fn a_text_that_says_more_than_its_tokens_has_no_constants_to_find() {
        for text in ["select a", "select 1 /* Sexton: scope=all */", "select U&\"!0061\" UESCAPE '!'", "select 'a"] {
            assert_eq!(Constants::find(text.as_bytes(), true), None, "{text}");
        }
    }

    #[test]
    fn offsets_are_carried_across_and_none_into_a_constant() {
        let (one, other) = ("select 1, 'abc' from t", "  select 1234, '' from t");
        let (ones, others) = (find(one), find(other));
        for (place, byte) in one.bytes().enumerate().filter(|(_, byte)| !b"1'abc".contains(byte)) {
            let there = ones.carried(place, &others).expect("outside of constants");
            assert_eq!(other.as_bytes()[there], byte, "{place}");
        }
        assert_eq!(ones.carried(one.len(), &others), Some(other.len()));
        assert_eq!(ones.carried(12, &others), None);
        assert_eq!(others.carried(1, &ones), None);
    }

    #[test]
    fn replaced_constants_are_others_of_the_same_kinds() {
        let text = "select 7, 8, 'a', E'b', U&'c', b'1', x'1', $$d$$, n'e', 1.5e3";
        let replaced = String::from_utf8(find(text).replaced(text.as_bytes())).expect("ASCII");
        assert!(same(text, &replaced), "{replaced}");
        assert!(replaced.starts_with("select 11, 7, 'search_path', E'search_path'"), "{replaced}");
    }
}
