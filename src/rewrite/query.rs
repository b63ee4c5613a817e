//! SELECT, TABLE, VALUES, set operations, and WITH with the names it brings into scope.
//!
//! ```sql
//! -- before
//! WITH recent AS (SELECT * FROM users) SELECT * FROM recent UNION ALL TABLE users;
//! -- after
//! WITH recent AS (SELECT * FROM users WHERE users.deleted_at IS NULL) SELECT * FROM recent UNION ALL SELECT * FROM users WHERE users.deleted_at IS NULL;
//! ```

use crate::rewrite::block::Target;
use crate::rewrite::reach::Reach;
use crate::rewrite::refusal::Refusal;
use crate::rewrite::rewriter::Rewriter;
use crate::sql::reader::{STACK_BYTES, STACK_SPARE_BYTES};
use crate::sql::tree::{Body, Cte, Query, Select, TableRef, Term};

impl Rewriter<'_> {
    /// A query wherever it stands below the top level.
    pub(crate) fn query(&mut self, query: &Query) -> Result<(), Refusal> {
        self.query_at(query, None)
    }

    /// Several queries.
    pub(crate) fn queries(&mut self, queries: &[Query]) -> Result<(), Refusal> {
        queries.iter().try_for_each(|query| self.query(query))
    }

    /// A query; `member` is the CTE it fills, where a DELETE may have to leave it.
    fn query_at(&mut self, query: &Query, member: Option<&Cte>) -> Result<(), Refusal> {
        stacker::maybe_grow(STACK_SPARE_BYTES, STACK_BYTES, || self.query_here(query, member))
    }

    fn query_here(&mut self, query: &Query, member: Option<&Cte>) -> Result<(), Refusal> {
        let Query { first: _, last, with, body } = query;
        let outer = self.ctes.len();
        if let Some(with) = with {
            if with.recursive {
                for cte in &with.members {
                    self.bring_into_scope(cte)?;
                }
            }
            for cte in &with.members {
                self.query_at(&cte.query, Some(cte))?;
                if !with.recursive {
                    self.bring_into_scope(cte)?;
                }
            }
        }
        match body {
            Body::Terms { terms, subqueries } => self.terms(terms, subqueries)?,
            Body::Insert(insert) => self.insert(insert)?,
            Body::Update(update) => self.update(update)?,
            Body::Delete(delete) => self.delete(delete, member, with.is_some(), *last)?,
            Body::Merge(merge) => self.merge(merge)?,
        }
        self.ctes.truncate(outer);
        Ok(())
    }

    fn bring_into_scope(&mut self, cte: &Cte) -> Result<(), Refusal> {
        let name = self.identifier(cte.name)?;
        self.ctes.push(name);
        Ok(())
    }

    /// The operands of a query, and the subqueries of what stands behind them all.
    fn terms(&mut self, terms: &[Term], behind: &[Query]) -> Result<(), Refusal> {
        if let [Term::Select(select)] = terms {
            return self.select(select, behind);
        }
        terms.iter().try_for_each(|term| self.term(term))?;
        // ORDER BY behind parentheses knows the names of the block inside, which are gone.
        let depth = self.frames.len();
        if self.names.registry.is_choosing() {
            self.frames.push(Reach::of(self.source_named(None)));
        }
        self.queries(behind)?;
        self.frames.truncate(depth);
        Ok(())
    }

    fn term(&mut self, term: &Term) -> Result<(), Refusal> {
        match term {
            Term::Select(select) => self.select(select, &[]),
            Term::Values(subqueries) => self.queries(subqueries),
            Term::Table { keyword, table } => self.table_command(*keyword, table),
            Term::Nested(query) => self.query(query),
        }
    }

    /// A SELECT block; `behind` are the subqueries of its ORDER BY and LIMIT.
    fn select(&mut self, select: &Select, behind: &[Query]) -> Result<(), Refusal> {
        let Select { into, from, filter, subqueries } = select;
        if let Some(into) = into {
            self.claims.push(into.name.relation());
        }
        let depth = self.open_block(from.as_ref(), filter.as_ref(), Target::None);
        let (pending, last) = match from {
            Some(from) => (self.from(from)?, from.last),
            None => (Vec::new(), 0),
        };
        self.queries(subqueries)?;
        self.filter(filter.as_ref(), last, None, pending, last)?;
        self.queries(behind)?;
        self.close_block(depth);
        Ok(())
    }

    /// `TABLE users` has no WHERE: it becomes the SELECT it stands for.
    fn table_command(&mut self, keyword: usize, table: &TableRef) -> Result<(), Refusal> {
        let Some(entry) = self.reference(&table.name)? else { return Ok(()) };
        self.check_readable(entry, table.name.relation())?;
        if let Some(rows) = self.past_rows(entry, table)? {
            self.replace(keyword, keyword, "SELECT * FROM", table.name.relation());
            self.put_in_place(table, rows);
            return Ok(());
        }
        if let Some(limit) = self.limit(entry, self.rows(entry), table) {
            let cause = table.name.relation();
            self.replace(keyword, keyword, "SELECT * FROM", cause);
            self.insert_after(table.last, &format!(" WHERE {limit}"), cause);
        }
        Ok(())
    }
}
