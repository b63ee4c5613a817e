//! FROM and USING lists: tables, subqueries, functions and joins.

use super::{Reader, Unreadable};
use crate::sql::keyword::Keyword;
use crate::sql::lexer::Kind;
use crate::sql::tree::{Alias, Condition, From, Item, Join, JoinKind, Query, TableRef};

impl Reader<'_> {
    /// FROM or USING, standing at the keyword.
    pub(super) fn read_from(&mut self) -> Result<From, Unreadable> {
        let keyword = self.at;
        self.at += 1;
        let mut items = Vec::new();
        loop {
            items.push(self.item()?);
            if !self.eat_kind(Kind::Comma) {
                return Ok(From { keyword, items, last: self.at - 1 });
            }
        }
    }

    /// One item with every join that follows it.
    pub(super) fn item(&mut self) -> Result<Item, Unreadable> {
        let mut item = self.primary()?;
        while let Some(kind) = self.join_head()? {
            item = self.join(item, kind)?;
        }
        Ok(item)
    }

    /// The words up to JOIN, if a join starts here. `(kind, natural, cross)`
    fn join_head(&mut self) -> Result<Option<(JoinKind, bool, bool)>, Unreadable> {
        let natural = self.eat(Keyword::Natural);
        let kind = match self.keyword() {
            Some(Keyword::Join) => JoinKind::Inner,
            Some(Keyword::Inner) => JoinKind::Inner,
            Some(Keyword::Left) => JoinKind::Left,
            Some(Keyword::Right) => JoinKind::Right,
            Some(Keyword::Full) => JoinKind::Full,
            Some(Keyword::Cross) => JoinKind::Inner,
            _ if natural => return self.fail("JOIN behind NATURAL was expected"),
            _ => return Ok(None),
        };
        let cross = self.is(Keyword::Cross);
        if !self.is(Keyword::Join) {
            self.at += 1;
            let _ = self.eat(Keyword::Outer);
        }
        self.expect(Keyword::Join, "JOIN was expected")?;
        Ok(Some((kind, natural, cross)))
    }

    /// The right operand and the condition. A right operand may itself be a join whose condition comes first
    /// (`a JOIN b JOIN c ON … ON …`).
    fn join(&mut self, left: Item, (kind, natural, cross): (JoinKind, bool, bool)) -> Result<Item, Unreadable> {
        self.nested(|reader| {
            let mut right = reader.primary()?;
            if !natural && !cross {
                while !reader.is(Keyword::On) && !reader.is(Keyword::Using) {
                    match reader.join_head()? {
                        Some(head) => right = reader.join(right, head)?,
                        None => return reader.fail("ON or USING was expected"),
                    }
                }
            }
            let mut on = None;
            let mut merges_columns = natural;
            let (mut using, mut using_alias) = (Vec::new(), None);
            if !natural && !cross {
                if reader.is(Keyword::On) {
                    on = Some(reader.join_condition()?);
                } else {
                    (using, using_alias) = reader.using_columns()?;
                    merges_columns = true;
                }
            }
            Ok(Item::Join(Box::new(Join { left, right, kind, on, merges_columns, using, using_alias })))
        })
    }

    fn join_condition(&mut self) -> Result<Condition, Unreadable> {
        self.condition(|reader, index| match reader.keyword_at(index) {
            Some(Keyword::Join | Keyword::On | Keyword::Using | Keyword::Where) => true,
            Some(Keyword::Cross | Keyword::Inner) => reader.keyword_at(index + 1) == Some(Keyword::Join),
            Some(Keyword::Natural) => reader.kind_at(index + 1) == Some(Kind::Word),
            // left(…) and right(…) are functions.
            Some(Keyword::Left | Keyword::Right | Keyword::Full) => {
                matches!(reader.keyword_at(index + 1), Some(Keyword::Join | Keyword::Outer))
            }
            _ => reader.kind_at(index) == Some(Kind::Comma) || reader.ends_where(index),
        })
    }

    /// The columns behind USING, and the alias they have together.
    fn using_columns(&mut self) -> Result<(Vec<usize>, Option<usize>), Unreadable> {
        self.at += 1;
        if self.kind() != Some(Kind::Open) {
            return self.fail("a column list behind USING was expected");
        }
        let close = self.partner(self.at);
        let columns = (self.at + 1..close).filter(|&index| self.is_word(index)).collect();
        self.at = close + 1;
        if !self.eat(Keyword::As) {
            return Ok((columns, None));
        }
        if !self.is_column_id(self.at) {
            return self.fail("an alias behind USING (…) AS was expected");
        }
        self.at += 1;
        Ok((columns, Some(self.at - 1)))
    }

    fn primary(&mut self) -> Result<Item, Unreadable> {
        let lateral = self.eat(Keyword::Lateral);
        if self.kind() == Some(Kind::Open) {
            if self.opens_query(self.at) {
                let query = Box::new(self.parenthesised_query()?);
                return Ok(Item::Derived { lateral, query, alias: self.alias()? });
            }
            if lateral {
                return self.fail("a query or function behind LATERAL was expected");
            }
            return self.nested_join();
        }
        if self.is(Keyword::Rows) && self.keyword_at(self.at + 1) == Some(Keyword::From) {
            self.at += 2;
            return self.function();
        }
        if self.is(Keyword::Collation) && self.keyword_at(self.at + 1) == Some(Keyword::For) {
            self.at += 2;
            return self.function();
        }
        if self.is_value_function() {
            self.at += 1;
            return self.function();
        }
        if !self.is(Keyword::Only) && self.is_function_call() {
            while self.kind() != Some(Kind::Open) {
                self.at += 1;
            }
            return self.function();
        }
        if lateral {
            return self.fail("a query or function behind LATERAL was expected");
        }
        Ok(Item::Table(self.table()?))
    }

    fn nested_join(&mut self) -> Result<Item, Unreadable> {
        let close = self.partner(self.at);
        let end = std::mem::replace(&mut self.end, close);
        self.at += 1;
        let inner = self.nested(Self::item);
        let filled = self.at == close;
        self.end = end;
        let inner = Box::new(inner?);
        if !filled {
            return self.fail("words behind the end of a join in parentheses");
        }
        self.at = close + 1;
        Ok(Item::Nested { inner, alias: self.alias()? })
    }

    /// CURRENT_DATE and its like may stand in FROM without parentheses.
    fn is_value_function(&self) -> bool {
        self.keyword().is_some_and(Keyword::is_value_function)
    }

    /// `word ('.' word)* '('`
    fn is_function_call(&self) -> bool {
        let mut index = self.at;
        if !self.is_word(index) {
            return false;
        }
        index += 1;
        while self.kind_at(index) == Some(Kind::Dot) && self.is_word(index + 1) {
            index += 2;
        }
        self.kind_at(index) == Some(Kind::Open)
    }

    /// A function's arguments, ORDINALITY and alias, standing behind its name.
    fn function(&mut self) -> Result<Item, Unreadable> {
        let mut subqueries: Vec<Query> = Vec::new();
        if self.kind() == Some(Kind::Open) {
            self.group(&mut subqueries)?;
        }
        if self.is(Keyword::With) && self.keyword_at(self.at + 1) == Some(Keyword::Ordinality) {
            self.at += 2;
        }
        // AS (a int, b text): a column definition list without a name.
        if self.is(Keyword::As) && self.kind_at(self.at + 1) == Some(Kind::Open) {
            self.at = self.partner(self.at + 1) + 1;
            return Ok(Item::Function { subqueries, alias: None });
        }
        Ok(Item::Function { subqueries, alias: self.alias()? })
    }

    /// `[ONLY] name [*]` or `ONLY (name)`, without an alias.
    pub(super) fn bare_table(&mut self) -> Result<TableRef, Unreadable> {
        let first = self.at;
        let only = self.eat(Keyword::Only);
        let parenthesised = only && self.eat_kind(Kind::Open);
        let name = self.name()?;
        if parenthesised && !self.eat_kind(Kind::Close) {
            return self.fail("a parenthesis behind ONLY (name was expected");
        }
        if !only {
            let _ = self.eat_kind(Kind::Star);
        }
        let last = self.at - 1;
        Ok(TableRef { first, name_last: last, last, name, only, alias: None, sampled: false, subqueries: Vec::new() })
    }

    /// A table of a FROM list, with alias and TABLESAMPLE.
    fn table(&mut self) -> Result<TableRef, Unreadable> {
        let mut table = self.bare_table()?;
        table.alias = self.alias()?;
        if self.eat(Keyword::Tablesample) {
            table.sampled = true;
            while self.kind() != Some(Kind::Open) {
                if !self.is_word(self.at) && self.kind() != Some(Kind::Dot) {
                    return self.fail("a sampling method was expected");
                }
                self.at += 1;
            }
            self.group(&mut table.subqueries)?;
            if self.eat(Keyword::Repeatable) && self.kind() == Some(Kind::Open) {
                self.group(&mut table.subqueries)?;
            }
        }
        table.last = self.at - 1;
        Ok(table)
    }

    /// `[AS] name [(columns)]`
    pub(super) fn alias(&mut self) -> Result<Option<Alias>, Unreadable> {
        let explicit = self.eat(Keyword::As);
        if !self.is_column_id(self.at) {
            return if explicit { self.fail("an alias behind AS was expected") } else { Ok(None) };
        }
        let name = self.at;
        self.at += 1;
        let columns = self.kind() == Some(Kind::Open);
        if columns {
            self.at = self.partner(self.at) + 1;
        }
        Ok(Some(Alias { name, columns }))
    }
}
