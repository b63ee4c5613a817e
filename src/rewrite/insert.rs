//! INSERT: its source is a query like any other; ON CONFLICT DO UPDATE must not write into a deleted row.
//!
//! ```sql
//! -- before
//! INSERT INTO users (id, name) VALUES (1, 'a') ON CONFLICT (id) DO UPDATE SET name = EXCLUDED.name;
//! -- after
//! INSERT INTO users (id, name) VALUES (1, 'a') ON CONFLICT (id) DO UPDATE SET name = EXCLUDED.name WHERE (CASE WHEN users.deleted_at IS NULL THEN 'true' ELSE 'sexton: a deleted row of public.users holds this key' END)::boolean;
//! ```
//!
//! The cast fails exactly when the row in the way is a deleted one, and the session turns that error
//! into 23505: nothing is written, nothing is shown, nothing is silently skipped.

use crate::rewrite::refusal::Refusal;
use crate::rewrite::rewriter::Rewriter;
use crate::rewrite::state::Rows;
use crate::sql::tree::{Conflict, ConflictUpdate, Insert, TableRef};

/// What stands before the table's name in the error that says a deleted row holds the key; the session looks for it in 22P02.
pub const DEAD_KEY_PREFIX: &str = "sexton: a deleted row of ";
/// What stands behind it.
pub const DEAD_KEY_SUFFIX: &str = " holds this key";

impl Rewriter<'_> {
    pub(crate) fn insert(&mut self, insert: &Insert) -> Result<(), Refusal> {
        let Insert { target, source, conflict, returning } = insert;
        let entry = self.target(&target.name)?;
        if let Some(source) = source {
            self.query(source)?;
        }
        if let Some(Conflict { keyword, update, subqueries }) = conflict {
            self.queries(subqueries)?;
            if let Some(update) = update {
                self.conflict_update(update)?;
                if let Some(entry) = entry {
                    self.check_fault(entry, target.name.relation())?;
                    if let Some(live) =
                        entry.policy().and_then(|policy| policy.limit(Rows::Live, &self.conflict_qualifier(target)))
                    {
                        self.guard_conflict(update, &live, &entry.display(), *keyword);
                    }
                }
            }
        }
        if let Some(returning) = returning {
            self.queries(&returning.subqueries)?;
        }
        Ok(())
    }

    fn conflict_update(&mut self, update: &ConflictUpdate) -> Result<(), Refusal> {
        let ConflictUpdate { set_last: _, filter } = update;
        filter.iter().try_for_each(|filter| self.queries(&filter.subqueries))
    }

    /// In ON CONFLICT the target is known by its alias or its bare name.
    fn conflict_qualifier(&self, target: &TableRef) -> String {
        let name = target.known_as();
        self.source(name, name)
    }

    fn guard_conflict(&mut self, update: &ConflictUpdate, live: &str, table: &str, cause: usize) {
        let message = format!("{DEAD_KEY_PREFIX}{table}{DEAD_KEY_SUFFIX}").replace('\'', "''");
        let guard = format!("(CASE WHEN {live} THEN 'true' ELSE '{message}' END)::boolean");
        match &update.filter {
            Some(filter) => self.splice(filter, &[guard], cause),
            None => self.insert_after(update.set_last, &format!(" WHERE {guard}"), cause),
        }
    }
}
