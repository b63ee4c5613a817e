//! A condition in SQL, as far as AND, OR and NOT make it up: enough to tell whether another stands in it.

use std::ops::Range;

use crate::schema::mention::Text;
use crate::sql::keyword::Keyword;
use crate::sql::lexer::{Kind, lex};
use crate::sql::predicate::Predicate;
use crate::sql::token::opens_query;

/// A condition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Condition {
    /// AND
    All(Vec<Self>),
    /// OR
    Any(Vec<Self>),
    /// NOT
    Not(Box<Self>),
    /// What neither of them joins.
    Test(Vec<Word>),
}

/// Words of a test behind which something else may decide.
const OPEN: &[&str] = &["select", "case", "or"];

/// A token of a test.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Word {
    /// The last name before its dot.
    qualifier: Option<String>,
    /// A name as stored, or the token.
    text: String,
}

/// The conditions in `range` that AND joins.
pub(super) fn conjuncts(text: &Text<'_>, range: Range<usize>) -> Vec<Condition> {
    match read(text, range) {
        Condition::All(parts) => parts,
        other => vec![other],
    }
}

/// Those of a live predicate; `None` where it cannot be read.
pub(super) fn live_conjuncts(live: &Predicate) -> Option<Vec<Condition>> {
    let plain = live.plain();
    let tokens = lex(plain.as_bytes(), true).ok()?;
    Some(conjuncts(&Text { source: &plain, tokens: &tokens }, 0..tokens.len()))
}

fn read(text: &Text<'_>, range: Range<usize>) -> Condition {
    let top = text.top(&range);
    let has = |index: usize, keyword| text.clause(index) == Some(keyword);
    let ors: Vec<usize> = top.iter().copied().filter(|index| has(*index, Keyword::Or)).collect();
    if !ors.is_empty() {
        return Condition::Any(parts(text, &range, &ors));
    }
    let mut is_between = false;
    let ands: Vec<usize> = top
        .iter()
        .copied()
        .filter(|index| {
            // BETWEEN has an AND of its own.
            is_between |= text.word(*index).as_deref() == Some("between");
            has(*index, Keyword::And) && !std::mem::take(&mut is_between)
        })
        .collect();
    if !ands.is_empty() {
        let parts = parts(text, &range, &ands).into_iter().flat_map(|part| match part {
            Condition::All(inner) => inner,
            other => vec![other],
        });
        return Condition::All(parts.collect());
    }
    if has(range.start, Keyword::Not) {
        return Condition::Not(Box::new(read(text, range.start + 1..range.end)));
    }
    let is_group = text.is(range.start, Kind::Open) && text.group(range.start + 1).end + 1 == range.end;
    match is_group && !opens_query(text.tokens, range.start, range.end) {
        true => read(text, range.start + 1..range.end - 1),
        false => Condition::Test(words(text, range)),
    }
}

fn parts(text: &Text<'_>, range: &Range<usize>, between: &[usize]) -> Vec<Condition> {
    let starts = [range.start].into_iter().chain(between.iter().map(|index| index + 1));
    let ends = between.iter().copied().chain([range.end]);
    starts.zip(ends).map(|(start, end)| read(text, start..end)).collect()
}

/// A test without what only the server's spelling adds: parentheses and casts.
fn words(text: &Text<'_>, range: Range<usize>) -> Vec<Word> {
    /// Words that belong to the name of a type.
    const TYPE: &[&str] = &["varying", "precision", "with", "without", "time", "zone"];
    let (mut words, mut qualifier, mut index) = (Vec::new(), None, range.start);
    while index < range.end {
        let token = &text.tokens[index];
        match token.kind {
            Kind::Open | Kind::Close => {}
            Kind::Typecast => {
                index += 1;
                while text.word(index + 1).is_some_and(|word| TYPE.contains(&word.as_str())) {
                    index += 1;
                }
            }
            kind if kind.is_word() && text.is(index + 1, Kind::Dot) => {
                qualifier = text.word(index);
                index += 1;
            }
            kind => {
                let spelled = || text.source[token.start..token.end].to_owned();
                let text = if kind.is_word() { text.word(index) } else { None };
                words.push(Word { qualifier: qualifier.take(), text: text.unwrap_or_else(spelled) });
            }
        }
        index += 1;
    }
    words
}

impl Condition {
    /// It says the same as `other`, which qualifies none of `columns`; `is_own` tells which qualifiers are right for them.
    pub(super) fn is(&self, other: &Self, columns: &[&str], is_own: &impl Fn(Option<&str>) -> bool) -> bool {
        let all = |one: &[Self], other: &[Self]| {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| one.is(other, columns, is_own))
        };
        match (self, other) {
            (Self::All(one), Self::All(other)) | (Self::Any(one), Self::Any(other)) => all(one, other),
            (Self::Not(one), Self::Not(other)) => one.is(other, columns, is_own),
            (Self::Test(one), Self::Test(other)) => {
                let is_right = |word: &Word| !columns.contains(&&*word.text) || is_own(word.qualifier.as_deref());
                one.len() == other.len()
                    && one.iter().zip(other).all(|(one, other)| one.text == other.text && is_right(one))
            }
            _ => false,
        }
    }

    /// Whatever decides it names all of `columns`, qualified as `is_own` has it.
    pub(super) fn names_all(&self, columns: &[&str], is_own: &impl Fn(Option<&str>) -> bool) -> bool {
        match self {
            Self::All(parts) => parts.iter().any(|part| part.names_all(columns, is_own)),
            Self::Any(parts) => parts.iter().all(|part| part.names_all(columns, is_own)),
            Self::Not(part) => part.names_all(columns, is_own),
            Self::Test(words) => {
                let names =
                    |column: &&str| words.iter().any(|word| word.text == *column && is_own(word.qualifier.as_deref()));
                columns.iter().all(names) && !words.iter().any(|word| OPEN.contains(&&*word.text))
            }
        }
    }
}
