//! ON CONFLICT: deleted rows conflict with nothing, and DO UPDATE must not write into one.
//!
//! ```sql
//! -- before
//! INSERT INTO users (id, name) VALUES (1, 'a') ON CONFLICT (id) DO UPDATE SET name = EXCLUDED.name;
//! -- after
//! INSERT INTO users (id, name) VALUES (1, 'a') ON CONFLICT (id) WHERE deleted_at IS NULL DO UPDATE SET name = EXCLUDED.name WHERE (CASE WHEN users.deleted_at IS NULL THEN 'true' ELSE 'sexton: a deleted row of public.users holds this key' END)::boolean;
//! ```
//!
//! The server finds the index by its keys, and one that is limited to live rows only where the statement's own condition
//! implies that limit; an index over all rows it finds all the same. Uniqueness is among live rows whatever the session's
//! scope shows, so the condition is the live predicate in every scope. A unique constraint that has become such an index
//! is no constraint any more: `ON CONSTRAINT` of its name becomes its keys.
//!
//! The cast fails exactly when the row in the way is a deleted one, and the session turns that error into 23505: nothing
//! is written, nothing is shown, nothing is silently skipped. It stays where deleted rows give way to new ones: a row
//! that is deleted between the trigger that looks for deleted rows and the server's own look at a full index would
//! otherwise be written into.

use crate::rewrite::refusal::Refusal;
use crate::rewrite::registry::Entry;
use crate::rewrite::rewriter::Rewriter;
use crate::rewrite::state::Rows;
use crate::sql::ident::literal;
use crate::sql::tree::{Conflict, ConflictTarget, ConflictUpdate, TableRef};

/// What stands before the table's name in the error that says a deleted row holds the key; the session looks for it in 22P02.
pub const DEAD_KEY_PREFIX: &str = "sexton: a deleted row of ";
/// What stands behind it.
pub const DEAD_KEY_SUFFIX: &str = " holds this key";

impl Rewriter<'_> {
    /// The clause of an INSERT into `table`, which is `entry` where that is registered.
    pub(crate) fn conflict(
        &mut self,
        conflict: &Conflict,
        table: &TableRef,
        entry: Option<&Entry>,
    ) -> Result<(), Refusal> {
        let Conflict { keyword, target, update, subqueries } = conflict;
        self.queries(subqueries)?;
        if let Some(ConflictTarget::Keys { close: _, filter: Some(filter) }) = target {
            self.queries(&filter.subqueries)?;
        }
        if let Some(ConflictUpdate { set_last: _, filter: Some(filter) }) = update {
            self.queries(&filter.subqueries)?;
        }
        let Some(entry) = entry.filter(|_| target.is_some() || update.is_some()) else { return Ok(()) };
        self.check_readable(entry, table.name.relation())?;
        if let Some(target) = target {
            self.conflict_target(target, entry, *keyword)?;
        }
        let Some(update) = update else { return Ok(()) };
        let guard = entry.policy().and_then(|policy| policy.limit(Rows::Live, &self.conflict_qualifier(table)));
        if let Some(live) = guard {
            self.guard_conflict(update, &live, &entry.display(), *keyword);
        }
        Ok(())
    }

    /// Limits what must conflict to live rows; no name may stand before the columns here.
    fn conflict_target(&mut self, target: &ConflictTarget, entry: &Entry, cause: usize) -> Result<(), Refusal> {
        let Some(live) = entry.policy().and_then(|policy| policy.live.as_ref()) else { return Ok(()) };
        let live = live.plain();
        match target {
            ConflictTarget::Keys { close, filter: None } => {
                self.insert_after(*close, &format!(" WHERE {live}"), cause);
            }
            ConflictTarget::Keys { close: _, filter: Some(filter) } => {
                self.insert_before(filter.first, "(", cause);
                self.insert_after(filter.last, &format!(") AND {live}"), cause);
            }
            ConflictTarget::Constraint { keyword, name } => {
                let wanted = self.identifier(*name)?;
                let mut indexes = entry.relation.unique_indexes.iter();
                let was = |name: &str| name == wanted.as_str();
                // The live predicate, not the index's own: an index that is limited otherwise has never been a constraint.
                let index = indexes.find(|index| was(&index.name) && !index.is_constraint && index.is_partial);
                if let Some(index) = index {
                    self.replace(*keyword, *name, &format!("({}) WHERE {live}", index.keys.join(", ")), *name);
                }
            }
        }
        Ok(())
    }

    /// In DO UPDATE the target is known by its alias or its bare name.
    fn conflict_qualifier(&self, target: &TableRef) -> String {
        let name = target.known_as();
        self.source(name, name)
    }

    fn guard_conflict(&mut self, update: &ConflictUpdate, live: &str, table: &str, cause: usize) {
        let message = literal(&format!("{DEAD_KEY_PREFIX}{table}{DEAD_KEY_SUFFIX}"));
        let guard = format!("(CASE WHEN {live} THEN 'true' ELSE {message} END)::boolean");
        match &update.filter {
            Some(filter) => self.splice(filter, &[guard], cause),
            None => self.insert_after(update.set_last, &format!(" WHERE {guard}"), cause),
        }
    }
}
