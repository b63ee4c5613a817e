//! What the conditions of a block say about its own references: which of them keep their deleted rows.
//!
//! ```sql
//! -- before
//! SELECT d.id, i.name, s.name FROM drafts d JOIN lines l ON l.id = d.line_id LEFT JOIN items i ON i.id = l.item_id LEFT JOIN items s ON s.id > i.id WHERE d.deleted_at IS NOT NULL;
//! -- after
//! SELECT d.id, i.name, s.name FROM drafts d JOIN public.lines l ON l.id = d.line_id LEFT JOIN items i ON i.id = l.item_id LEFT JOIN items s ON s.deleted_at IS NULL AND (s.id > i.id) WHERE d.deleted_at IS NOT NULL;
//! ```
//!
//! `on_mention = "respect"`: WHERE and ON of the block name a column that the live predicate of `drafts` reads.
//! `visible_through`: a row of `items` is seen only beside the row of `lines` that points to it, because a
//! condition that every such row must meet equates the two ends of the foreign key.
//! Whatever is not certain leaves the live predicate where it is.

use std::collections::HashSet;

use crate::config::OnMention;
use crate::rewrite::policy::Policy;
use crate::rewrite::reach::{Field, Reach, Source};
use crate::rewrite::registry::Entry;
use crate::rewrite::rewriter::Rewriter;
use crate::rewrite::state::Rows;
use crate::sql::keyword::Keyword;
use crate::sql::lexer::Kind;
use crate::sql::reader::{STACK_BYTES, STACK_SPARE_BYTES};
use crate::sql::token::{behind_group, opens_query};
use crate::sql::tree::{Condition, Filter, From, Item, Join, JoinKind, TableRef};

/// `referenced = referencing`, which holds in every row where the reference is seen.
struct Equality<'a> {
    /// The reference that may keep its deleted rows.
    kept: Field<'a>,
    /// What it is joined from.
    from: Field<'a>,
}

/// What the conditions of a block have said so far, references being told by their name's token.
#[derive(Default)]
struct Said<'a> {
    mentioned: HashSet<usize>,
    equal: Vec<Equality<'a>>,
    /// What of `equal` has been noted: a condition may say the same any number of times.
    noted: HashSet<(usize, String, usize, String)>,
}

/// The target of a data-modifying statement, in its block's conditions.
#[derive(Clone, Copy)]
pub(crate) enum Target<'t> {
    /// There is none.
    None,
    /// Its mention counts: UPDATE.
    Read(&'t TableRef),
    /// It stays limited whatever is said: DELETE hits live rows only.
    Live(&'t TableRef),
}

impl<'a> Rewriter<'a> {
    /// Opens a block: decides which of its references keep their deleted rows, and makes place for the names it brings.
    pub(crate) fn open_block(&mut self, from: Option<&From>, filter: Option<&Filter>, target: Target<'_>) -> usize {
        let depth = self.frames.len();
        if !self.names.registry.is_choosing() {
            return depth;
        }
        let mut said = Said::default();
        let mut reach = Reach::default();
        for item in from.iter().flat_map(|from| &from.items) {
            reach.join(self.reach(item, &mut said));
        }
        let filtered = reach.tokens();
        let own = match target {
            Target::None => None,
            Target::Read(table) | Target::Live(table) => Some(self.source_of(table)),
        };
        if let Some(own) = &own {
            reach.bring(own.clone());
        }
        if let Some(Filter::Condition(condition)) = filter {
            self.judge(condition, &reach, &filtered, &mut said);
        }
        if let (Target::Live(_), Some(own)) = (target, &own) {
            said.mentioned.remove(&own.token);
        }
        let is_live = |entry: &Entry| self.rows(entry) == Rows::Live;
        said.equal.retain(|equality| equality.kept.source.entry.is_some_and(is_live));
        for (kept, from) in rooted(&said.equal) {
            self.kept.insert(kept);
            if let Some(relation) = from.relation.filter(|_| !from.qualified) {
                self.relied.insert(from.token, relation.schema.clone());
            }
        }
        self.kept.extend(said.mentioned);
        self.frames.push(Reach::default());
        self.bring(own);
        depth
    }

    /// Closes it: its names are gone. `depth` is what opening it gave.
    pub(crate) fn close_block(&mut self, depth: usize) {
        self.frames.truncate(depth);
    }

    /// The names that `item` brings, its conditions judged on the way.
    fn reach(&self, item: &Item, said: &mut Said<'a>) -> Reach<'a> {
        stacker::maybe_grow(STACK_SPARE_BYTES, STACK_BYTES, || match item {
            Item::Table(table) => Reach::of(self.source_of(table)),
            Item::Derived { lateral: _, query: _, alias } => Reach::of(self.source_named(alias.as_ref())),
            Item::Function { subqueries: _, alias } => Reach::of(self.source_named(alias.as_ref())),
            Item::Nested { inner, alias } => {
                let inside = self.reach(inner, said);
                if alias.is_none() { inside } else { Reach::of(self.source_named(alias.as_ref())) }
            }
            Item::Join(join) => self.join_reach(join, said),
        })
    }

    fn join_reach(&self, join: &Join, said: &mut Said<'a>) -> Reach<'a> {
        let left = self.reach(&join.left, said);
        let right = self.reach(&join.right, said);
        // Rows of these sides come out only where the condition holds.
        let (from_left, from_right) = match join.kind {
            JoinKind::Inner => (true, true),
            JoinKind::Left => (false, true),
            JoinKind::Right => (true, false),
            JoinKind::Full => (false, false),
        };
        let mut filtered = Vec::new();
        filtered.extend(left.tokens().into_iter().filter(|_| from_left));
        filtered.extend(right.tokens().into_iter().filter(|_| from_right));
        for column in &join.using {
            let Ok(column) = self.identifier(*column) else { continue };
            if let (Some(left), Some(right)) = (left.alone(&column), right.alone(&column)) {
                note(left, right, &filtered, said);
            }
        }
        let mut both = left;
        both.join(right);
        if let Some(on) = &join.on {
            self.judge(on, &both, &filtered, said);
        }
        self.merge_columns(join, &mut both);
        both
    }

    /// What USING, NATURAL and their alias make of the names of a join.
    pub(crate) fn merge_columns(&self, join: &Join, reach: &mut Reach<'a>) {
        let columns: Option<Vec<String>> = join.using.iter().map(|column| self.identifier(*column).ok()).collect();
        match columns {
            Some(columns) if !columns.is_empty() || !join.merges_columns => reach.merge(columns),
            _ => reach.merge_unknown(),
        }
        if let Some(alias) = join.using_alias {
            reach.bring(Source::opaque(self.identifier(alias).ok(), alias));
        }
    }

    fn judge(&self, condition: &Condition, reach: &Reach<'a>, filtered: &[usize], said: &mut Said<'a>) {
        self.mentions(condition, reach, said);
        let keeps = |entry: &Entry| entry.policy().is_some_and(|policy| !policy.through.is_empty());
        if !reach.entries().any(|(token, entry)| filtered.contains(&token) && keeps(entry)) {
            return;
        }
        let mut conjuncts = Vec::new();
        self.conjuncts(condition.first, condition.last, &mut conjuncts);
        for (first, last) in conjuncts {
            let Some((left, right)) = self.equation(first, last) else { continue };
            let (left, right) = (self.field(reach, &left), self.field(reach, &right));
            if let (Some(left), Some(right)) = (left, right) {
                note(left, right, filtered, said);
            }
        }
    }

    /// The columns of live predicates that `condition` itself names, subqueries left out.
    fn mentions(&self, condition: &Condition, reach: &Reach<'a>, said: &mut Said<'a>) {
        let respected: Vec<(usize, &Entry, &Policy)> = reach
            .entries()
            .filter_map(|(token, entry)| Some((token, entry, entry.policy()?.as_ref())))
            .filter(|(_, entry, policy)| {
                policy.on_mention == OnMention::Respect && self.rows(entry) == Rows::Live && self.scope.as_of.is_none()
            })
            .collect();
        let mut index = condition.first;
        while index <= condition.last && !respected.is_empty() {
            if self.tokens[index].kind == Kind::Open && opens_query(self.tokens, index, condition.last + 1) {
                index = behind_group(self.tokens, index, condition.last + 1);
                continue;
            }
            let Some((parts, next)) = self.column_name(index, condition.last) else {
                index += 1;
                continue;
            };
            let Some((column, qualifier)) = parts.split_last() else { break };
            let tests = |policy: &Policy| {
                policy.live.as_ref().is_some_and(|live| live.columns().any(|tested| tested == column))
            };
            let mut tested = respected.iter().filter(|(_, _, policy)| tests(policy));
            let token = match qualifier {
                [] if reach.has_merged(column) => None,
                [] => tested.next().filter(|_| tested.next().is_none()).map(|(token, _, _)| *token),
                _ => reach
                    .qualified(qualifier)
                    .filter(|found| tested.any(|(token, _, _)| *token == found.token))
                    .map(|found| found.token),
            };
            said.mentioned.extend(token);
            index = next;
        }
    }

    /// The possibly qualified column name at `index` and the token behind it; `None` where no column stands there.
    fn column_name(&self, index: usize, last: usize) -> Option<(Vec<String>, usize)> {
        let (parts, next) = self.name_at(index, last)?;
        let before = index.checked_sub(1).map(|before| &self.tokens[before]);
        let behind = self.tokens.get(next).filter(|_| next <= last);
        let is_type_or_label = before.is_some_and(|before| {
            matches!(before.kind, Kind::Typecast | Kind::String | Kind::EscapeString)
                || matches!(before.keyword, Some(Keyword::As | Keyword::Collate))
        });
        let introduces = behind.is_some_and(|behind| {
            matches!(
                behind.kind,
                Kind::Open | Kind::String | Kind::EscapeString | Kind::ColonEquals | Kind::DollarString
            ) || self.text[behind.start..behind.end] == *b"=>"
        });
        // EXTRACT(state FROM …)
        let is_unit = before.is_some_and(|before| before.kind == Kind::Open)
            && behind.is_some_and(|behind| behind.keyword == Some(Keyword::From));
        (!is_type_or_label && !introduces && !is_unit).then_some((parts, next))
    }

    /// The name at `index`, not behind a dot, with the token behind it.
    fn name_at(&self, index: usize, last: usize) -> Option<(Vec<String>, usize)> {
        let is_word = |index: usize| index <= last && self.tokens[index].kind.is_word();
        let is_dot = |index: usize| index <= last && self.tokens[index].kind == Kind::Dot;
        let behind_dot = index.checked_sub(1).is_some_and(is_dot);
        if !is_word(index) || behind_dot || self.tokens[index].keyword.is_some_and(|word| !word.is_column_id()) {
            return None;
        }
        let mut parts = vec![self.identifier(index).ok()?];
        let mut next = index + 1;
        while is_dot(next) && is_word(next + 1) {
            parts.push(self.identifier(next + 1).ok()?);
            next += 2;
        }
        // `name.*`, and a field of it.
        (!is_dot(next)).then_some((parts, next))
    }

    /// `name = name`, and nothing else.
    fn equation(&self, first: usize, last: usize) -> Option<(Vec<String>, Vec<String>)> {
        let (left, operator) = self.name_at(first, last)?;
        let token = self.tokens.get(operator).filter(|_| operator < last)?;
        let (right, end) = self.name_at(operator + 1, last)?;
        (end == last + 1 && self.text[token.start..token.end] == *b"=").then_some((left, right))
    }

    /// The operands of AND in tokens `first..=last`, parentheses around them taken off.
    fn conjuncts(&self, mut first: usize, mut last: usize, found: &mut Vec<(usize, usize)>) {
        while first < last
            && self.tokens[first].kind == Kind::Open
            && behind_group(self.tokens, first, last + 1) == last + 1
        {
            // A subquery's AND is its own.
            if opens_query(self.tokens, first, last + 1) {
                found.push((first, last));
                return;
            }
            first += 1;
            last -= 1;
        }
        let (mut operands, mut start) = (Vec::new(), first);
        let (mut cases, mut betweens) = (0usize, 0usize);
        let mut index = first;
        while index <= last {
            if matches!(self.tokens[index].kind, Kind::Open | Kind::OpenBracket) {
                index = behind_group(self.tokens, index, last + 1);
                continue;
            }
            match self.tokens[index].keyword.filter(|_| self.tokens[index - 1].kind != Kind::Dot) {
                Some(Keyword::Case) => cases += 1,
                Some(Keyword::End) => cases = cases.saturating_sub(1),
                Some(Keyword::Or) if cases == 0 => return,
                _ if cases == 0 && self.is_between(index) => betweens += 1,
                Some(Keyword::And) if cases == 0 && betweens > 0 => betweens -= 1,
                Some(Keyword::And) if cases == 0 => {
                    operands.push((start, index - 1));
                    start = index + 1;
                }
                _ => {}
            }
            index += 1;
        }
        if operands.is_empty() {
            found.push((first, last));
            return;
        }
        operands.push((start, last));
        for (first, last) in operands.into_iter().filter(|(first, last)| first <= last) {
            stacker::maybe_grow(STACK_SPARE_BYTES, STACK_BYTES, || self.conjuncts(first, last, found));
        }
    }

    fn is_between(&self, index: usize) -> bool {
        let token = &self.tokens[index];
        token.kind == Kind::Word && self.text[token.start..token.end].eq_ignore_ascii_case(b"between")
    }

    /// What `parts` name in a condition over `reach`, or in a block around it.
    fn field(&self, reach: &Reach<'a>, parts: &[String]) -> Option<Field<'a>> {
        for reach in std::iter::once(reach).chain(self.frames.iter().rev()) {
            if let Some(found) = reach.field(parts)? {
                return Some(found);
            }
        }
        None
    }
}

/// Notes the equality of two columns, from either side.
fn note<'a>(left: Field<'a>, right: Field<'a>, filtered: &[usize], said: &mut Said<'a>) {
    for (kept, from) in [(&left, &right), (&right, &left)] {
        let is_kept = filtered.contains(&kept.source.token) && kept.source.keeps_rows();
        let key = (kept.source.token, kept.column.clone(), from.source.token, from.column.clone());
        if is_kept && kept.source.token != from.source.token && from.source.relation.is_some() && said.noted.insert(key)
        {
            said.equal.push(Equality { kept: kept.clone(), from: from.clone() });
        }
    }
}

/// The references that are seen only beside a row that points to them and may itself be seen: references that vouch
/// for one another in a circle do not count.
fn rooted<'e, 'a>(equal: &'e [Equality<'a>]) -> Vec<(usize, &'e Source<'a>)> {
    let mut open: HashSet<usize> = HashSet::new();
    let mut links = Vec::new();
    for Equality { kept, from } in equal {
        let (token, other) = (kept.source.token, from.source.token);
        let Some(policy) = kept.source.entry.and_then(Entry::policy) else { continue };
        let points = |referenced: &str, column: &str| {
            equal.iter().any(|equality| {
                equality.kept.source.token == token
                    && equality.from.source.token == other
                    && equality.kept.column == *referenced
                    && equality.from.column == *column
            })
        };
        let whole = policy.through.iter().any(|through| {
            from.source.relation.is_some_and(|relation| relation.oid == through.table)
                && through
                    .referenced
                    .iter()
                    .zip(&through.columns)
                    .all(|(referenced, column)| points(referenced, column))
        });
        if whole {
            open.insert(token);
            links.push((token, &from.source));
        }
    }
    let mut rooted = Vec::new();
    let stands = |open: &HashSet<usize>, (token, from): &&(usize, &Source<'_>)| {
        open.contains(token) && !open.contains(&from.token)
    };
    while let Some(link) = links.iter().find(|link| stands(&open, link)) {
        open.remove(&link.0);
        rooted.push(*link);
    }
    rooted
}
