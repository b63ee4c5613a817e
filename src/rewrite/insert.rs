//! INSERT: its source is a query like any other.
//!
//! ```sql
//! -- before
//! INSERT INTO users (id, name) SELECT p.id, p.title FROM posts p RETURNING id;
//! -- after
//! INSERT INTO users (id, name) SELECT p.id, p.title FROM posts p WHERE NOT p.deleted RETURNING id;
//! ```

use crate::rewrite::refusal::Refusal;
use crate::rewrite::rewriter::Rewriter;
use crate::sql::tree::Insert;

impl Rewriter<'_> {
    pub(crate) fn insert(&mut self, insert: &Insert) -> Result<(), Refusal> {
        let Insert { target, columns, source, conflict, returning } = insert;
        let entry = self.target(&target.name)?;
        self.queries(columns)?;
        if let Some(source) = source {
            self.query(source)?;
        }
        if let Some(conflict) = conflict {
            if conflict.update.is_some() {
                self.check_view(&target.name, "ON CONFLICT DO UPDATE", "may write into deleted rows")?;
            }
            self.conflict(conflict, target, entry)?;
        }
        if let Some(returning) = returning {
            self.queries(&returning.subqueries)?;
        }
        Ok(())
    }
}
