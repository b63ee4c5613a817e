//! Where the reader sees table names: the byte offset at which each begins.

use sexton::sql::lexer::Token;
use sexton::sql::tree::{
    Body, Condition, Conflict, ConflictTarget, Filter, From, Item, Query, Returning, TableRef, Term,
};

/// The offsets, in ascending order.
pub(crate) fn offsets(query: &Query, tokens: &[Token]) -> Vec<usize> {
    let mut walk = Walk { found: Vec::new() };
    walk.query(query);
    let mut offsets: Vec<usize> = walk.found.iter().map(|&token| tokens[token].start).collect();
    offsets.sort_unstable();
    offsets
}

struct Walk {
    found: Vec<usize>,
}

impl Walk {
    fn queries(&mut self, queries: &[Query]) {
        queries.iter().for_each(|query| self.query(query));
    }

    fn query(&mut self, query: &Query) {
        if let Some(with) = &query.with {
            with.members.iter().for_each(|member| self.query(&member.query));
        }
        match &query.body {
            Body::Terms { terms, subqueries } => {
                terms.iter().for_each(|term| self.term(term));
                self.queries(subqueries);
            }
            Body::Insert(insert) => {
                self.table(&insert.target);
                self.queries(&insert.columns);
                insert.source.iter().for_each(|source| self.query(source));
                if let Some(Conflict { update, subqueries, target, .. }) = &insert.conflict {
                    self.queries(subqueries);
                    if let Some(ConflictTarget::Keys { filter, .. }) = target {
                        self.condition(filter.as_ref());
                    }
                    self.condition(update.as_ref().and_then(|update| update.filter.as_ref()));
                }
                self.returning(insert.returning.as_ref());
            }
            Body::Update(update) => {
                self.table(&update.target);
                self.queries(&update.subqueries);
                self.from(update.from.as_ref());
                self.filter(update.filter.as_ref());
                self.returning(update.returning.as_ref());
            }
            Body::Delete(delete) => {
                self.table(&delete.target);
                self.from(delete.using.as_ref());
                self.filter(delete.filter.as_ref());
                self.returning(delete.returning.as_ref());
            }
            Body::Merge(merge) => {
                self.table(&merge.target);
                self.item(&merge.source);
                self.condition(Some(&merge.on));
                for arm in &merge.arms {
                    self.condition(arm.condition.as_ref());
                    self.queries(&arm.subqueries);
                }
                self.returning(merge.returning.as_ref());
            }
        }
    }

    fn term(&mut self, term: &Term) {
        match term {
            Term::Select(select) => {
                self.found.extend(select.into.iter().map(|into| into.name.first()));
                self.queries(&select.subqueries);
                self.from(select.from.as_ref());
                self.filter(select.filter.as_ref());
            }
            Term::Values(subqueries) => self.queries(subqueries),
            Term::Table { table, .. } => self.table(table),
            Term::Nested(query) => self.query(query),
        }
    }

    fn table(&mut self, table: &TableRef) {
        self.found.push(table.name.first());
        self.queries(&table.subqueries);
    }

    fn from(&mut self, from: Option<&From>) {
        from.into_iter().flat_map(|from| &from.items).for_each(|item| self.item(item));
    }

    fn item(&mut self, item: &Item) {
        match item {
            Item::Table(table) => self.table(table),
            Item::Derived { query, .. } => self.query(query),
            Item::Function { subqueries, .. } => self.queries(subqueries),
            Item::Join(join) => {
                self.item(&join.left);
                self.item(&join.right);
                self.condition(join.on.as_ref());
            }
            Item::Nested { inner, .. } => self.item(inner),
        }
    }

    fn condition(&mut self, condition: Option<&Condition>) {
        condition.into_iter().for_each(|condition| self.queries(&condition.subqueries));
    }

    fn filter(&mut self, filter: Option<&Filter>) {
        if let Some(Filter::Condition(condition)) = filter {
            self.condition(Some(condition));
        }
    }

    fn returning(&mut self, returning: Option<&Returning>) {
        returning.into_iter().for_each(|returning| self.queries(&returning.subqueries));
    }
}
