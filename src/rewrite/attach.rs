//! Where the condition for one table reference goes, by kind of join and side.
//!
//! ```sql
//! -- before
//! SELECT * FROM users u LEFT JOIN orders o ON o.user_id = u.id WHERE u.age > 17 OR u.vip;
//! -- after
//! SELECT * FROM users u LEFT JOIN orders o ON o.deleted_at IS NULL AND (o.user_id = u.id) WHERE u.deleted_at IS NULL AND (u.age > 17 OR u.vip);
//! ```
//!
//! A condition rises from its reference through the joins above it. A join that makes the reference
//! nullable stops it: there it belongs to ON. Where there is no ON, where both sides are nullable
//! (FULL), or where an alias hides the reference, the table becomes a derived one in its own place.

use crate::rewrite::refusal::{Reason, Refusal};
use crate::rewrite::registry::Entry;
use crate::rewrite::rewriter::Rewriter;
use crate::sql::reader::{STACK_BYTES, STACK_SPARE_BYTES};
use crate::sql::tree::{Condition, Filter, From, Item, Join, JoinKind, TableRef};

/// A reference whose condition has not found its place yet.
pub(crate) struct Pending<'t, 'a> {
    table: &'t TableRef,
    entry: &'a Entry,
}

impl<'a> Rewriter<'a> {
    /// Every item of a FROM or USING list: the references whose conditions belong to the block's WHERE.
    pub(crate) fn from<'t>(&mut self, from: &'t From) -> Result<Vec<Pending<'t, 'a>>, Refusal> {
        let mut pending = Vec::new();
        for item in &from.items {
            pending.extend(self.item(item)?);
        }
        Ok(pending)
    }

    pub(crate) fn item<'t>(&mut self, item: &'t Item) -> Result<Vec<Pending<'t, 'a>>, Refusal> {
        match item {
            Item::Table(table) => self.table(table),
            Item::Derived { lateral, query, alias } => {
                // Without LATERAL it sees nothing of its own block, and the blocks around it all the same.
                let hidden = if *lateral { 0 } else { self.brought() };
                self.without_names(hidden, |rewriter| rewriter.query(query))?;
                self.bring([self.source_named(alias.as_ref())]);
                Ok(Vec::new())
            }
            Item::Function { subqueries, alias } => {
                self.queries(subqueries)?;
                self.bring([self.source_named(alias.as_ref())]);
                Ok(Vec::new())
            }
            Item::Join(join) => self.join(join),
            Item::Nested { inner, alias } => {
                let before = self.brought();
                let pending = self.item(inner)?;
                if alias.is_none() {
                    return Ok(pending);
                }
                self.hide_behind(before, self.source_named(alias.as_ref()));
                self.derive_all(pending)?;
                Ok(Vec::new())
            }
        }
    }

    fn table<'t>(&mut self, table: &'t TableRef) -> Result<Vec<Pending<'t, 'a>>, Refusal> {
        self.queries(&table.subqueries)?;
        if !self.frames.is_empty() {
            self.bring([self.source_of(table)]);
        }
        let Some(entry) = self.reference(&table.name)? else { return Ok(Vec::new()) };
        self.check_readable(entry, table.name.relation())?;
        if let Some(rows) = self.past_rows(entry, table)? {
            self.put_in_place(table, rows);
            return Ok(Vec::new());
        }
        let pending = Pending { table, entry };
        if table.alias.as_ref().is_some_and(|alias| alias.columns) {
            self.derive(&pending)?;
            return Ok(Vec::new());
        }
        Ok(vec![pending])
    }

    fn join<'t>(&mut self, join: &'t Join) -> Result<Vec<Pending<'t, 'a>>, Refusal> {
        stacker::maybe_grow(STACK_SPARE_BYTES, STACK_BYTES, || self.join_here(join))
    }

    fn join_here<'t>(&mut self, join: &'t Join) -> Result<Vec<Pending<'t, 'a>>, Refusal> {
        let before = self.brought();
        let left = self.item(&join.left)?;
        let right = self.item(&join.right)?;
        if let Some(on) = &join.on {
            // ON sees the join it belongs to, not the items before it.
            self.without_names(before, |rewriter| rewriter.queries(&on.subqueries))?;
        }
        self.bring_merged(join);
        let (rising, nullable) = match join.kind {
            JoinKind::Inner => {
                let mut rising = left;
                rising.extend(right);
                (rising, Vec::new())
            }
            JoinKind::Left => (left, right),
            JoinKind::Right => (right, left),
            JoinKind::Full => {
                self.derive_all(left)?;
                self.derive_all(right)?;
                return Ok(Vec::new());
            }
        };
        match &join.on {
            Some(on) => self.and(on, nullable),
            None => self.derive_all(nullable)?,
        }
        Ok(rising)
    }

    /// ANDs the conditions of `pending` before `condition`.
    ///
    /// They stand first so that, at equal cost, the server tests them before the statement's own
    /// condition meets a row that is not there.
    pub(crate) fn and(&mut self, condition: &Condition, pending: Vec<Pending<'_, 'a>>) {
        let Some(cause) = pending.first().map(|pending| pending.table.name.relation()) else { return };
        let limits = self.limits(pending);
        self.splice(condition, &limits, cause);
    }

    /// Puts `limits` before `condition`, which is put in parentheses.
    pub(crate) fn splice(&mut self, condition: &Condition, limits: &[String], cause: usize) {
        if !limits.is_empty() {
            self.insert_before(condition.first, &format!("{} AND (", limits.join(" AND ")), cause);
            self.insert_after(condition.last, ")", cause);
        }
    }

    fn limits(&self, pending: Vec<Pending<'_, 'a>>) -> Vec<String> {
        pending
            .iter()
            .filter_map(|pending| self.limit(pending.entry, self.rows(pending.entry), pending.table))
            .collect()
    }

    /// Puts the conditions of a block into its WHERE; `last` is the token the clause follows where there is none.
    pub(crate) fn filter(
        &mut self,
        filter: Option<&Filter>,
        last: usize,
        own: Option<String>,
        pending: Vec<Pending<'_, 'a>>,
        cause: usize,
    ) -> Result<(), Refusal> {
        let cause = pending.first().map_or(cause, |pending| pending.table.name.relation());
        // The cursor's own query was limited when it was declared, and the grammar allows nothing beside it: what else is
        // read is limited where it stands.
        if let Some(Filter::CurrentOf { last: _ }) = filter {
            return self.derive_all(pending);
        }
        let mut limits: Vec<String> = own.into_iter().collect();
        limits.extend(self.limits(pending));
        match filter {
            Some(Filter::Condition(condition)) => {
                self.queries(&condition.subqueries)?;
                self.splice(condition, &limits, cause);
            }
            None if !limits.is_empty() => {
                self.insert_after(last, &format!(" WHERE {}", limits.join(" AND ")), cause);
            }
            _ => {}
        }
        Ok(())
    }

    pub(crate) fn derive_all(&mut self, pending: Vec<Pending<'_, 'a>>) -> Result<(), Refusal> {
        pending.iter().try_for_each(|pending| self.derive(pending))
    }

    /// Puts `(SELECT * FROM users WHERE …) AS users` in the table's place.
    fn derive(&mut self, pending: &Pending<'_, 'a>) -> Result<(), Refusal> {
        let Pending { table, entry } = pending;
        let Some(limit) = self.limit(entry, self.rows(entry), table) else { return Ok(()) };
        let cause = table.name.relation();
        if table.sampled {
            return self.refuse(Reason::Sampled { table: entry.display() }, cause);
        }
        // The server's plans call the scan inside by the name it has there.
        let alias = table.alias.as_ref().map(|alias| format!(" {}", self.source(alias.name, alias.name)));
        let read = self.read_as(table);
        self.put_in_place(table, format!("(SELECT * FROM {read}{} WHERE {limit})", alias.unwrap_or_default()));
        Ok(())
    }

    /// Puts a query in the table's place, under the table's name where it has no alias.
    pub(crate) fn put_in_place(&mut self, table: &TableRef, mut query: String) {
        let cause = table.name.relation();
        if table.alias.is_none() {
            query.push_str(&format!(" AS {}", self.source(cause, cause)));
        }
        self.replace(table.first, table.name_last, &query, cause);
    }
}
