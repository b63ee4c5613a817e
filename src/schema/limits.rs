//! Which rows a reference to a registered table sees, as far as the tokens around it tell. In doubt: all.
//!
//! The live predicate counts where it is a condition of its own, joined to others by AND alone, in the WHERE of the
//! reference's query block or in the ON of a join that drops what does not fulfil it; and only where its columns are the
//! reference's: qualified by its name, or of a block without another relation.

use std::ops::Range;

use crate::schema::condition::{Condition, conjuncts, live_conjuncts};
use crate::schema::mention::Text;
use crate::sql::keyword::Keyword;
use crate::sql::lexer::Kind;
use crate::sql::predicate::Predicate;
use crate::sql::token::opens_query;

/// What a reference sees.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Seen {
    /// Live rows.
    Live,
    /// Those that a condition on the marker chooses.
    Chosen,
    /// All.
    All,
}

/// What the reference whose name ends at token `name` sees, where `live` holds for live rows.
pub(super) fn seen(text: &Text<'_>, name: usize, live: &Predicate) -> Seen {
    let Some(block) = Block::around(text, name) else { return Seen::All };
    let Some(qualifier) = qualifier(text, name) else { return Seen::All };
    let conditions = block.conditions(text, name);
    let columns: Vec<&str> = live.columns().collect();
    let is_own = |word: &str| word == qualifier;
    let is_own = |qualifier: Option<&str>| qualifier.map_or(block.is_single, is_own);
    let stands = |wanted: &Condition| conditions.iter().any(|condition| condition.is(wanted, &columns, &is_own));
    if live_conjuncts(live).is_some_and(|wanted| wanted.iter().all(stands)) {
        return Seen::Live;
    }
    match conditions.iter().any(|condition| condition.names_all(&columns, &is_own)) {
        true => Seen::Chosen,
        false => Seen::All,
    }
}

/// What columns of the reference are qualified by; `None` where it gives them other names.
fn qualifier(text: &Text<'_>, name: usize) -> Option<String> {
    let mut next = if text.is(name + 1, Kind::Star) { name + 2 } else { name + 1 };
    let is_as = text.clause(next) == Some(Keyword::As);
    next += usize::from(is_as);
    let is_alias = |keyword: Keyword| keyword.is_column_id() && keyword != Keyword::Set;
    let alias = text.word(next).filter(|_| is_as || text.clause(next).is_none_or(is_alias));
    match alias {
        None => text.word(name),
        Some(_) if text.is(next + 1, Kind::Open) => None,
        alias => alias,
    }
}

/// The query block of a reference.
struct Block {
    /// Parentheses of joins around the reference, the innermost first, and then the block's own FROM.
    levels: Vec<Range<usize>>,
    /// What stands behind WHERE.
    filter: Range<usize>,
    /// It has no other relation.
    is_single: bool,
}

impl Block {
    fn around(text: &Text<'_>, name: usize) -> Option<Self> {
        let (mut levels, mut level, mut place) = (Vec::new(), text.group(name), name);
        while level.start > 0 && !opens_query(text.tokens, level.start - 1, level.end) {
            place = level.start - 1;
            levels.push(level);
            level = text.group(place);
        }
        let top = text.top(&level);
        // A name within CASE, say.
        let at = top.iter().position(|index| *index == place)?;
        let (before, behind) = top.split_at(at);
        let start = before.iter().rev().find(|index| begins(text, **index)).copied();
        let verb = start.and_then(|start| text.clause(start));
        if verb == Some(Keyword::Merge) {
            return None;
        }
        let start = start.unwrap_or(level.start);
        let end = behind.iter().find(|index| ends(text, **index)).copied().unwrap_or(level.end);
        let is_filter = |index: &&usize| **index < end && text.clause(**index) == Some(Keyword::Where);
        let filter = behind.iter().find(is_filter).copied();
        let from = start..filter.unwrap_or(end);
        let filter = filter.map_or(end..end, |filter| filter + 1..end);
        let within: Vec<usize> = top.into_iter().filter(|index| from.contains(index)).collect();
        let has = |keyword| within.iter().any(|index| text.clause(*index) == Some(keyword));
        let is_single = levels.is_empty()
            && match verb {
                Some(Keyword::Update) => !has(Keyword::From),
                Some(Keyword::Delete) => !has(Keyword::Using),
                _ => !has(Keyword::Join) && !lists(text, &within, name),
            };
        levels.push(from);
        Some(Self { levels, filter, is_single })
    }

    /// The conditions that every row of the reference fulfils which is seen.
    fn conditions(&self, text: &Text<'_>, name: usize) -> Vec<Condition> {
        let joins = self.levels.iter().flat_map(|level| joined(text, level, name));
        joins.chain([self.filter.clone()]).flat_map(|range| conjuncts(text, range)).collect()
    }
}

fn begins(text: &Text<'_>, index: usize) -> bool {
    let is_verb = matches!(
        text.clause(index),
        Some(Keyword::Select | Keyword::Update | Keyword::Delete | Keyword::Insert | Keyword::Merge)
    );
    is_verb || text.is(index, Kind::Semicolon)
}

fn ends(text: &Text<'_>, index: usize) -> bool {
    let is_clause = text.clause(index).is_some_and(|keyword| {
        keyword.continues_query()
            || matches!(
                keyword,
                Keyword::Group | Keyword::Having | Keyword::Window | Keyword::Returning | Keyword::Then
            )
    });
    let is_conflict = text.clause(index + 1) == Some(Keyword::Conflict);
    is_clause || is_conflict || text.is(index, Kind::Semicolon) || text.word(index).as_deref() == Some("loop")
}

/// The FROM list of `name` has a comma.
fn lists(text: &Text<'_>, within: &[usize], name: usize) -> bool {
    let from = within.iter().rposition(|index| *index < name && text.clause(*index) == Some(Keyword::From));
    within[from.unwrap_or(0)..].iter().any(|index| text.is(*index, Kind::Comma))
}

/// The conditions of the joins in `level` that drop rows of `name`, or leave NULLs in their place.
fn joined(text: &Text<'_>, level: &Range<usize>, name: usize) -> Vec<Range<usize>> {
    let top = text.top(level);
    let (mut found, mut open, mut item) = (Vec::new(), Vec::new(), level.start);
    for (at, &index) in top.iter().enumerate() {
        match text.clause(index) {
            Some(Keyword::Join) => open.extend(Drops::of(text, index).map(|drops| (index, drops))),
            Some(Keyword::Using) => drop(open.pop()),
            Some(Keyword::On) => {
                let Some((join, drops)) = open.pop() else { continue };
                let left = open.last().map_or(item, |(join, _)| *join)..join;
                if drops.left && left.contains(&name) || drops.right && (join..index).contains(&name) {
                    let end = top[at + 1..].iter().find(|index| ends_condition(text, **index));
                    found.push(index + 1..end.map_or(level.end, |end| *end));
                }
            }
            _ if text.is(index, Kind::Comma) => {
                open.clear();
                item = index;
            }
            _ => {}
        }
    }
    found
}

/// The sides of a join of which it drops rows that do not fulfil its condition.
struct Drops {
    left: bool,
    right: bool,
}

impl Drops {
    /// By the words before JOIN; `None` where it has no condition.
    fn of(text: &Text<'_>, join: usize) -> Option<Self> {
        let before = |distance: usize| join.checked_sub(distance).and_then(|index| text.clause(index));
        let has = |keyword| (1..=3).map_while(|distance| before(distance).filter(is_kind)).any(|word| word == keyword);
        if has(Keyword::Cross) || has(Keyword::Natural) {
            return None;
        }
        let is_full = has(Keyword::Full);
        Some(Self { left: !is_full && !has(Keyword::Left), right: !is_full && !has(Keyword::Right) })
    }
}

/// A word that stands between two relations and JOIN.
fn is_kind(keyword: &Keyword) -> bool {
    matches!(
        keyword,
        Keyword::Outer
            | Keyword::Left
            | Keyword::Right
            | Keyword::Full
            | Keyword::Inner
            | Keyword::Natural
            | Keyword::Cross
    )
}

fn ends_condition(text: &Text<'_>, index: usize) -> bool {
    let is_call = text.is(index + 1, Kind::Open);
    text.is(index, Kind::Comma)
        || text.clause(index).is_some_and(|keyword| {
            matches!(keyword, Keyword::Join | Keyword::On | Keyword::Using) || is_kind(&keyword) && !is_call
        })
}
