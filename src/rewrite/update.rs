//! UPDATE: target and FROM are read like any table; MERGE is refused.
//!
//! ```sql
//! -- before
//! UPDATE users u SET name = p.title FROM posts p WHERE p.user_id = u.id;
//! -- after
//! UPDATE users u SET name = p.title FROM posts p WHERE u.deleted_at IS NULL AND NOT p.deleted AND (p.user_id = u.id);
//! ```

use crate::rewrite::refusal::{Reason, Refusal};
use crate::rewrite::rewriter::Rewriter;
use crate::sql::tree::{From, Item, Merge, Update};

impl Rewriter<'_> {
    pub(crate) fn update(&mut self, update: &Update) -> Result<(), Refusal> {
        let Update { target, set_last, subqueries, from, filter, returning } = update;
        let entry = self.target(&target.name)?;
        self.queries(subqueries)?;
        let mut own = None;
        if let Some(entry) = entry {
            self.check_fault(entry, target.name.relation())?;
            own = self.limit(entry, self.rows(entry), target);
        }
        let (pending, last) = match from {
            Some(from) => (self.from(from)?, from.last),
            None => (Vec::new(), *set_last),
        };
        self.filter(filter.as_ref(), last, own, pending, target.name.relation())?;
        if let Some(returning) = returning {
            self.queries(&returning.subqueries)?;
        }
        Ok(())
    }

    /// MERGE passes only where no registered table takes part.
    pub(crate) fn merge(&mut self, merge: &Merge) -> Result<(), Refusal> {
        let Merge { target, source, subqueries } = merge;
        if let Some(entry) = self.target(&target.name)? {
            return self.refuse(Reason::Merge { table: entry.display() }, target.name.relation());
        }
        self.merge_source(source)?;
        self.queries(subqueries)
    }

    /// Conditions that would rise to a WHERE have nowhere to go in MERGE: its source may read no registered table
    /// but inside a subquery.
    fn merge_source(&mut self, source: &Item) -> Result<(), Refusal> {
        match source {
            Item::Table(table) => {
                if let Some(entry) = self.reference(&table.name)? {
                    return self.refuse(Reason::Merge { table: entry.display() }, table.name.relation());
                }
                self.queries(&table.subqueries)
            }
            Item::Derived { query, alias: _ } => self.query(query),
            Item::Function { subqueries, alias: _ } => self.queries(subqueries),
            Item::Join(join) => {
                self.merge_source(&join.left)?;
                self.merge_source(&join.right)?;
                join.on.iter().try_for_each(|on| self.queries(&on.subqueries))
            }
            Item::Nested { inner, alias: _ } => self.merge_source(inner),
        }
    }
}

/// The names by which the items of a USING list are known as whole rows; `None` where one has none.
pub(crate) fn row_names(from: &From) -> Option<Vec<usize>> {
    let mut names = Vec::new();
    from.items.iter().try_for_each(|item| item_rows(item, &mut names))?;
    Some(names)
}

fn item_rows(item: &Item, names: &mut Vec<usize>) -> Option<()> {
    match item {
        Item::Table(table) => {
            names.push(table.alias.as_ref().map_or(table.name.relation(), |alias| alias.name));
            Some(())
        }
        Item::Derived { query: _, alias: Some(alias) } | Item::Nested { inner: _, alias: Some(alias) } => {
            names.push(alias.name);
            Some(())
        }
        Item::Derived { query: _, alias: None } | Item::Function { subqueries: _, alias: _ } => None,
        Item::Nested { inner, alias: None } => item_rows(inner, names),
        Item::Join(join) if join.merges_columns => None,
        Item::Join(join) => {
            item_rows(&join.left, names)?;
            item_rows(&join.right, names)
        }
    }
}
