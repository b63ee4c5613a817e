//! INSERT, UPDATE, DELETE and MERGE.

use std::cell::Cell;

use super::{Reader, Unreadable};
use crate::sql::keyword::Keyword;
use crate::sql::lexer::Kind;
use crate::sql::tree::{
    Alias, Conflict, ConflictTarget, ConflictUpdate, Delete, Filter, Insert, Merge, MergeArm, Query, Returning,
    TableRef, Update,
};

/// `stops`, but not between CASE and its END, where WHEN and THEN are the expression's.
fn outside_case<'r>(stops: impl Fn(&Reader<'r>, usize) -> bool) -> impl Fn(&Reader<'r>, usize) -> bool {
    let depth = Cell::new(0usize);
    move |reader, index| {
        match reader.keyword_at(index) {
            Some(Keyword::Case) => depth.set(depth.get() + 1),
            Some(Keyword::End) => depth.set(depth.get().saturating_sub(1)),
            _ => {}
        }
        depth.get() == 0 && stops(reader, index)
    }
}

impl Reader<'_> {
    pub(super) fn insert(&mut self) -> Result<Insert, Unreadable> {
        self.at += 1;
        self.expect(Keyword::Into, "INTO behind INSERT was expected")?;
        let mut target = self.insert_target()?;
        if self.eat(Keyword::As) {
            if !self.is_column_id(self.at) {
                return self.fail("an alias behind AS was expected");
            }
            target.alias = Some(Alias { name: self.at, columns: false });
            self.at += 1;
            target.last = self.at - 1;
        }
        let mut columns = Vec::new();
        if self.kind() == Some(Kind::Open) && !self.opens_query(self.at) {
            // A subscript of a column is an expression.
            self.group(&mut columns)?;
        }
        if self.eat(Keyword::Overriding) {
            // SYSTEM VALUE or USER VALUE
            self.at += 2;
        }
        let source = if self.eat(Keyword::Default) {
            self.expect(Keyword::Values, "VALUES behind DEFAULT was expected")?;
            None
        } else {
            Some(self.query()?)
        };
        let conflict = if self.is(Keyword::On) { Some(self.conflict()?) } else { None };
        Ok(Insert { target, columns, source, conflict, returning: self.returning()? })
    }

    fn insert_target(&mut self) -> Result<TableRef, Unreadable> {
        let first = self.at;
        let name = self.name()?;
        let last = self.at - 1;
        Ok(TableRef {
            first,
            name_last: last,
            last,
            name,
            only: false,
            alias: None,
            sampled: false,
            subqueries: Vec::new(),
        })
    }

    fn conflict(&mut self) -> Result<Conflict, Unreadable> {
        let keyword = self.at;
        self.at += 1;
        self.expect(Keyword::Conflict, "CONFLICT behind ON was expected")?;
        let mut subqueries = Vec::new();
        let target = self.conflict_target(&mut subqueries)?;
        self.expect(Keyword::Do, "DO was expected")?;
        if self.eat(Keyword::Nothing) {
            return Ok(Conflict { keyword, target, update: None, subqueries });
        }
        self.expect(Keyword::Update, "NOTHING or UPDATE behind DO was expected")?;
        self.expect(Keyword::Set, "SET behind DO UPDATE was expected")?;
        self.expressions(
            |reader, index| matches!(reader.keyword_at(index), Some(Keyword::Where | Keyword::Returning)),
            &mut subqueries,
        )?;
        let set_last = self.at - 1;
        let filter = if self.is(Keyword::Where) { Some(self.condition(Self::ends_modify)?) } else { None };
        Ok(Conflict { keyword, target, update: Some(ConflictUpdate { set_last, filter }), subqueries })
    }

    fn conflict_target(&mut self, subqueries: &mut Vec<Query>) -> Result<Option<ConflictTarget>, Unreadable> {
        if self.kind() == Some(Kind::Open) {
            self.group(subqueries)?;
            let close = self.at - 1;
            let is_do = |reader: &Self, index: usize| reader.keyword_at(index) == Some(Keyword::Do);
            let filter = if self.is(Keyword::Where) { Some(self.condition(is_do)?) } else { None };
            return Ok(Some(ConflictTarget::Keys { close, filter }));
        }
        let keyword = self.at;
        if !self.eat(Keyword::On) {
            return Ok(None);
        }
        self.expect(Keyword::Constraint, "CONSTRAINT behind ON was expected")?;
        if !self.is_column_id(self.at) {
            return self.fail("a constraint's name was expected");
        }
        self.at += 1;
        Ok(Some(ConflictTarget::Constraint { keyword, name: self.at - 1 }))
    }

    fn ends_modify(&self, index: usize) -> bool {
        self.keyword_at(index) == Some(Keyword::Returning)
    }

    pub(super) fn update(&mut self) -> Result<Update, Unreadable> {
        self.at += 1;
        let target = self.target()?;
        self.expect(Keyword::Set, "SET was expected")?;
        let mut subqueries = Vec::new();
        self.expressions(
            |reader, index| match reader.keyword_at(index) {
                Some(Keyword::From) => !reader.is_distinct_from(index),
                Some(Keyword::Where | Keyword::Returning) => true,
                _ => false,
            },
            &mut subqueries,
        )?;
        let set_last = self.at - 1;
        let from = if self.is(Keyword::From) { Some(self.read_from()?) } else { None };
        let filter = self.filter()?;
        Ok(Update { target, set_last, subqueries, from, filter, returning: self.returning()? })
    }

    pub(super) fn delete(&mut self) -> Result<Delete, Unreadable> {
        let keyword = self.at;
        self.at += 1;
        self.expect(Keyword::From, "FROM behind DELETE was expected")?;
        let target = self.target()?;
        let using = if self.is(Keyword::Using) { Some(self.read_from()?) } else { None };
        let filter = self.filter()?;
        Ok(Delete { keyword, target, using, filter, returning: self.returning()? })
    }

    pub(super) fn merge(&mut self) -> Result<Merge, Unreadable> {
        self.at += 1;
        self.expect(Keyword::Into, "INTO behind MERGE was expected")?;
        let target = self.target()?;
        if !self.eat(Keyword::Using) {
            return self.fail("USING was expected");
        }
        let source = self.item()?;
        if !self.is(Keyword::On) {
            return self.fail("ON was expected");
        }
        let on = self.condition(outside_case(|reader, index| reader.keyword_at(index) == Some(Keyword::When)))?;
        let mut arms = Vec::new();
        while self.eat(Keyword::When) {
            arms.push(self.merge_arm()?);
        }
        Ok(Merge { target, source, on, arms, returning: self.returning()? })
    }

    /// An arm, standing behind its WHEN.
    fn merge_arm(&mut self) -> Result<MergeArm, Unreadable> {
        let negated = self.eat(Keyword::Not);
        self.expect(Keyword::Matched, "MATCHED was expected")?;
        let by = self.eat(Keyword::By);
        let by_source = negated && by && self.is(Keyword::Source);
        self.at += usize::from(by);
        let is_then = |reader: &Self, index: usize| reader.keyword_at(index) == Some(Keyword::Then);
        let condition = if self.is(Keyword::And) { Some(self.condition(outside_case(is_then))?) } else { None };
        let then = self.at;
        self.expect(Keyword::Then, "THEN was expected")?;
        let delete = self.is(Keyword::Delete).then_some(self.at);
        let mut subqueries = Vec::new();
        self.expressions(
            outside_case(|reader, index| matches!(reader.keyword_at(index), Some(Keyword::When | Keyword::Returning))),
            &mut subqueries,
        )?;
        Ok(MergeArm { by_source, condition, then, delete, subqueries })
    }

    /// `[ONLY] name [*] [[AS] alias]`; an alias called `set` needs AS.
    fn target(&mut self) -> Result<TableRef, Unreadable> {
        let mut target = self.bare_table()?;
        if !self.is(Keyword::Set) {
            target.alias = self.alias()?;
        }
        target.last = self.at - 1;
        if target.alias.as_ref().is_some_and(|alias| alias.columns) {
            return self.fail("a column list behind a target's alias");
        }
        Ok(target)
    }

    fn filter(&mut self) -> Result<Option<Filter>, Unreadable> {
        if !self.is(Keyword::Where) {
            return Ok(None);
        }
        // CURRENT OF is the whole clause: `current` as a column would be followed by an operator.
        if self.keyword_at(self.at + 1) == Some(Keyword::Current)
            && self.keyword_at(self.at + 2) == Some(Keyword::Of)
            && (self.is_word(self.at + 3) || self.kind_at(self.at + 3) == Some(Kind::Parameter))
        {
            self.at += 4;
            return Ok(Some(Filter::CurrentOf { last: self.at - 1 }));
        }
        Ok(Some(Filter::Condition(self.condition(Self::ends_modify)?)))
    }

    fn returning(&mut self) -> Result<Option<Returning>, Unreadable> {
        if !self.is(Keyword::Returning) {
            return Ok(None);
        }
        let keyword = self.at;
        self.at += 1;
        let first = self.at;
        let mut subqueries = Vec::new();
        self.expressions(|_, _| false, &mut subqueries)?;
        if self.at == first {
            return self.fail("a list behind RETURNING was expected");
        }
        Ok(Some(Returning { keyword, first, last: self.at - 1, subqueries }))
    }
}
