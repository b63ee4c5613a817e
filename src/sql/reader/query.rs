//! SELECT, VALUES, TABLE, set operations and WITH.

use super::{Reader, Unreadable};
use crate::sql::keyword::Keyword;
use crate::sql::lexer::Kind;
use crate::sql::tree::{Body, Condition, Cte, Filter, Into, Query, Select, Term, With};

impl Reader<'_> {
    /// A query up to the end of its group, or to a word that cannot belong to it.
    pub(crate) fn query(&mut self) -> Result<Query, Unreadable> {
        self.nested(|reader| {
            let first = reader.at;
            let with = if reader.is(Keyword::With) { Some(reader.with()?) } else { None };
            let body = match reader.keyword() {
                Some(Keyword::Insert) => Body::Insert(Box::new(reader.insert()?)),
                Some(Keyword::Update) => Body::Update(Box::new(reader.update()?)),
                Some(Keyword::Delete) => Body::Delete(Box::new(reader.delete()?)),
                Some(Keyword::Merge) => Body::Merge(Box::new(reader.merge()?)),
                _ => reader.terms()?,
            };
            Ok(Query { first, last: reader.at - 1, with, body })
        })
    }

    fn with(&mut self) -> Result<With, Unreadable> {
        self.at += 1;
        let recursive = self.is(Keyword::Recursive) && !matches!(self.kind_at(self.at + 1), Some(Kind::Open));
        let recursive = recursive && !self.is_keyword_at(self.at + 1, Keyword::As);
        self.at += usize::from(recursive);
        let mut members = Vec::new();
        loop {
            members.push(self.cte()?);
            if !self.eat_kind(Kind::Comma) {
                return Ok(With { recursive, members });
            }
        }
    }

    fn is_keyword_at(&self, index: usize, keyword: Keyword) -> bool {
        self.keyword_at(index) == Some(keyword)
    }

    fn cte(&mut self) -> Result<Cte, Unreadable> {
        if !self.is_column_id(self.at) {
            return self.fail("a CTE's name was expected");
        }
        let name = self.at;
        self.at += 1;
        if self.kind() == Some(Kind::Open) {
            self.at = self.partner(self.at) + 1;
        }
        self.expect(Keyword::As, "AS behind a CTE's name was expected")?;
        let _ = self.eat(Keyword::Not);
        let _ = self.eat(Keyword::Materialized);
        if self.kind() != Some(Kind::Open) {
            return self.fail("a CTE's query in parentheses was expected");
        }
        let open = self.at;
        let query = self.parenthesised_query()?;
        let close = self.at - 1;
        self.search_and_cycle()?;
        Ok(Cte { name, open, close, query })
    }

    /// `SEARCH {DEPTH|BREADTH} FIRST BY … SET c` and `CYCLE … SET c [TO … DEFAULT …] USING c`
    fn search_and_cycle(&mut self) -> Result<(), Unreadable> {
        if self.is(Keyword::Search) {
            self.move_behind(Keyword::Set)?;
            self.at += 1;
        }
        if self.is(Keyword::Cycle) {
            self.move_behind(Keyword::Using)?;
            self.at += 1;
        }
        Ok(())
    }

    fn move_behind(&mut self, keyword: Keyword) -> Result<(), Unreadable> {
        while !self.is(keyword) {
            if self.at_end() {
                return self.fail("a SEARCH or CYCLE clause that ends early");
            }
            self.at += 1;
        }
        self.at += 1;
        Ok(())
    }

    /// The query in the parentheses that open here, which must fill them.
    pub(super) fn parenthesised_query(&mut self) -> Result<Query, Unreadable> {
        let close = self.partner(self.at);
        let end = std::mem::replace(&mut self.end, close);
        self.at += 1;
        let query = self.query();
        let filled = self.at == close;
        self.end = end;
        let query = query?;
        if !filled {
            return self.fail("words behind the end of a query in parentheses");
        }
        self.at = close + 1;
        Ok(query)
    }

    fn terms(&mut self) -> Result<Body, Unreadable> {
        let mut terms = vec![self.term()?];
        let mut subqueries = Vec::new();
        while self.is_set_operator(self.at) {
            self.at += 1;
            let _ = self.eat(Keyword::All) || self.eat(Keyword::Distinct);
            terms.push(self.term()?);
        }
        self.order_and_limit(&mut subqueries)?;
        Ok(Body::Terms { terms, subqueries })
    }

    fn order_and_limit(&mut self, subqueries: &mut Vec<Query>) -> Result<(), Unreadable> {
        if matches!(
            self.keyword(),
            Some(Keyword::Order | Keyword::Limit | Keyword::Offset | Keyword::Fetch | Keyword::For)
        ) {
            self.expressions(Self::ends_query, subqueries)?;
        }
        Ok(())
    }

    /// Words that end a query from outside: what an INSERT, a view or CREATE TABLE AS says behind it.
    fn ends_query(&self, index: usize) -> bool {
        match self.keyword_at(index) {
            Some(Keyword::Returning) => true,
            Some(Keyword::On) => self.is_keyword_at(index + 1, Keyword::Conflict),
            // FETCH … WITH TIES and `timestamp with time zone` go on.
            Some(Keyword::With) => matches!(
                self.keyword_at(index + 1),
                Some(Keyword::No | Keyword::Data | Keyword::Check | Keyword::Cascaded | Keyword::Local)
            ),
            _ => false,
        }
    }

    fn term(&mut self) -> Result<Term, Unreadable> {
        match self.keyword() {
            Some(Keyword::Select) => Ok(Term::Select(Box::new(self.select()?))),
            Some(Keyword::Values) => {
                self.at += 1;
                let mut subqueries = Vec::new();
                self.expressions(Self::ends_block, &mut subqueries)?;
                Ok(Term::Values(subqueries))
            }
            Some(Keyword::Table) => {
                let keyword = self.at;
                self.at += 1;
                let table = self.bare_table()?;
                Ok(Term::Table { keyword, table })
            }
            _ if self.kind() == Some(Kind::Open) => Ok(Term::Nested(Box::new(self.parenthesised_query()?))),
            _ => self.fail("SELECT, VALUES, TABLE or a query in parentheses was expected"),
        }
    }

    fn select(&mut self) -> Result<Select, Unreadable> {
        self.at += 1;
        let mut select = Select { into: None, from: None, filter: None, subqueries: Vec::new() };
        self.expressions(Self::ends_select_list, &mut select.subqueries)?;
        if self.eat(Keyword::Into) {
            select.into = Some(self.read_into()?);
        }
        if self.is(Keyword::From) {
            select.from = Some(self.read_from()?);
        }
        if self.is(Keyword::Into) {
            return self.fail("INTO behind FROM");
        }
        if self.is(Keyword::Where) {
            select.filter = Some(Filter::Condition(self.condition(Self::ends_where)?));
        }
        if matches!(self.keyword(), Some(Keyword::Group | Keyword::Having | Keyword::Window)) {
            self.expressions(Self::ends_block, &mut select.subqueries)?;
        }
        Ok(select)
    }

    fn read_into(&mut self) -> Result<Into, Unreadable> {
        let _ = self.eat_into_word(Keyword::Local)
            || self.eat_into_word(Keyword::Global)
            || self.eat_into_word(Keyword::Unlogged);
        let temporary = self.eat_into_word(Keyword::Temporary) || self.eat_into_word(Keyword::Temp);
        let _ = self.eat(Keyword::Table);
        Ok(Into { temporary, name: self.name()? })
    }

    /// Moves past `keyword` unless it is itself the table's name: none of these words is reserved.
    fn eat_into_word(&mut self, keyword: Keyword) -> bool {
        (self.is_column_id(self.at + 1) || self.is_keyword_at(self.at + 1, Keyword::Table)) && self.eat(keyword)
    }

    /// The expression behind the keyword that stands here, up to where `stops` holds.
    pub(super) fn condition(&mut self, stops: impl Fn(&Self, usize) -> bool) -> Result<Condition, Unreadable> {
        self.at += 1;
        let first = self.at;
        let mut subqueries = Vec::new();
        // No join stands here: it is a function of that name.
        if self.is(Keyword::Join) && self.kind_at(self.at + 1) == Some(Kind::Open) {
            self.at += 1;
        }
        self.expressions(stops, &mut subqueries)?;
        if self.at == first {
            return self.fail("a condition was expected");
        }
        Ok(Condition { first, last: self.at - 1, subqueries })
    }

    fn ends_select_list(&self, index: usize) -> bool {
        match self.keyword_at(index) {
            Some(Keyword::From) => !self.is_distinct_from(index),
            Some(Keyword::Into | Keyword::Where) => true,
            _ => self.ends_where(index),
        }
    }

    /// What may follow WHERE in its block.
    pub(super) fn ends_where(&self, index: usize) -> bool {
        match self.keyword_at(index) {
            // WITHIN GROUP (…) is an aggregate's.
            Some(Keyword::Group) => self.is_keyword_at(index + 1, Keyword::By),
            Some(Keyword::Having | Keyword::Window) => true,
            _ => self.ends_block(index),
        }
    }

    /// What may follow a block in its query.
    pub(super) fn ends_block(&self, index: usize) -> bool {
        match self.keyword_at(index) {
            Some(
                Keyword::Union
                | Keyword::Intersect
                | Keyword::Except
                | Keyword::Order
                | Keyword::Limit
                | Keyword::Offset
                | Keyword::Fetch,
            ) => true,
            // COLLATION FOR (…) is an expression.
            Some(Keyword::For) => index == 0 || !self.is_keyword_at(index - 1, Keyword::Collation),
            _ => self.ends_query(index),
        }
    }
}
