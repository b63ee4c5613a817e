//! UPDATE: target and FROM are read like any table.
//!
//! ```sql
//! -- before
//! UPDATE users u SET name = p.title FROM posts p WHERE p.user_id = u.id;
//! -- after
//! UPDATE users u SET name = p.title FROM posts p WHERE u.deleted_at IS NULL AND NOT p.deleted AND (p.user_id = u.id);
//! ```

use crate::rewrite::block::Target;
use crate::rewrite::refusal::{Reason, Refusal};
use crate::rewrite::rewriter::Rewriter;
use crate::sql::tree::{Filter, Update};

impl Rewriter<'_> {
    pub(crate) fn update(&mut self, update: &Update) -> Result<(), Refusal> {
        let Update { target, set_last, subqueries, from, filter, returning } = update;
        let entry = self.target(&target.name)?;
        let depth = self.open_block(from.as_ref(), filter.as_ref(), Target::Read(target));
        let mut own = None;
        if let Some(entry) = entry {
            self.check_readable(entry, target.name.relation())?;
            own = self.limit(entry, self.rows(entry), target);
            // Nothing can be added to it.
            if let (Some(_), Some(Filter::CurrentOf { last: _ })) = (&own, filter) {
                return self.refuse(Reason::Cursor { table: entry.display() }, target.name.relation());
            }
        }
        let (pending, last) = match from {
            Some(from) => (self.from(from)?, from.last),
            None => (Vec::new(), *set_last),
        };
        self.queries(subqueries)?;
        self.filter(filter.as_ref(), last, own, pending, target.name.relation())?;
        if let Some(returning) = returning {
            self.queries(&returning.subqueries)?;
        }
        self.close_block(depth);
        Ok(())
    }
}
