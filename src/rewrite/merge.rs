//! MERGE: a deleted target row is absent, so source rows do not match it; a deleted source row is not there to match.
//!
//! ```sql
//! -- before
//! MERGE INTO users u USING posts p ON p.user_id = u.id WHEN MATCHED AND u.age > 90 THEN DELETE WHEN NOT MATCHED THEN INSERT (id) VALUES (p.user_id);
//! -- after
//! MERGE INTO users u USING (SELECT * FROM posts p WHERE NOT p.deleted) p ON u.deleted_at IS NULL AND (p.user_id = u.id) WHEN MATCHED AND u.age > 90 THEN UPDATE SET deleted_at = now() WHEN NOT MATCHED THEN INSERT (id) VALUES (p.user_id);
//! ```
//!
//! NOT MATCHED BY SOURCE looks at target rows that matched nothing, deleted ones among them: its condition is limited too.

use crate::config::Strategy;
use crate::rewrite::archive::conditions;
use crate::rewrite::refusal::{Reason, Refusal};
use crate::rewrite::registry::Entry;
use crate::rewrite::rewriter::Rewriter;
use crate::rewrite::state::Rows;
use crate::sql::tree::{Condition, Merge, MergeArm};

impl Rewriter<'_> {
    pub(crate) fn merge(&mut self, merge: &Merge) -> Result<(), Refusal> {
        let Merge { target, source, on, arms, returning } = merge;
        let cause = target.name.relation();
        let deletes = arms.iter().any(|arm| arm.delete.is_some());
        let entry = if deletes { self.delete_target(&target.name)? } else { self.target(&target.name)? };
        let pending = self.item(source)?;
        self.derive_all(pending)?;
        let mut limit = None;
        if let Some(entry) = entry {
            self.check_fault(entry, cause)?;
            limit = self.limit(entry, self.rows(entry), target);
        }
        self.limit_condition(on, limit.as_deref(), cause)?;
        for arm in arms {
            self.merge_arm(arm, self.arm_limit(arm, entry, limit.as_deref()).as_deref(), cause)?;
            if let (Some(entry), Some(keyword)) = (entry, arm.delete) {
                let set = self.set_clause(entry, &self.qualifier(target));
                self.merge_delete(entry, keyword, &set, returning.is_some())?;
            }
        }
        returning.iter().try_for_each(|returning| self.queries(&returning.subqueries))
    }

    fn limit_condition(&mut self, condition: &Condition, limit: Option<&str>, cause: usize) -> Result<(), Refusal> {
        self.queries(&condition.subqueries)?;
        let limits: Vec<String> = limit.map(str::to_owned).into_iter().collect();
        self.splice(condition, &limits, cause);
        Ok(())
    }

    /// What an arm's condition lacks: that it looks at rows the statement may see, and the beginning of a deletion's event
    /// where the deletion stays one.
    fn arm_limit(&self, arm: &MergeArm, entry: Option<&Entry>, limit: Option<&str>) -> Option<String> {
        let stays = |entry: &&Entry| self.strategy(entry) == Strategy::Hard || self.rows(entry) == Rows::Deleted;
        let deleted = entry.filter(stays).filter(|_| arm.delete.is_some());
        let begun = deleted.and_then(|entry| self.begins_event(entry));
        conditions([limit.filter(|_| arm.by_source).map(str::to_owned), begun])
    }

    fn merge_arm(&mut self, arm: &MergeArm, limit: Option<&str>, cause: usize) -> Result<(), Refusal> {
        let MergeArm { by_source: _, condition, then, delete: _, subqueries } = arm;
        match (condition, limit) {
            (Some(condition), limit) => self.limit_condition(condition, limit, cause)?,
            (None, Some(limit)) => self.insert_before(*then, &format!("AND {limit} "), cause),
            (None, None) => {}
        }
        self.queries(subqueries)
    }

    /// THEN DELETE of a soft table marks the row. An archive needs the row in another table, which no arm of MERGE can do;
    /// and RETURNING would show the marked row and call it an update.
    fn merge_delete(&mut self, entry: &Entry, keyword: usize, set: &str, returns: bool) -> Result<(), Refusal> {
        let rows = self.rows(entry);
        match self.strategy(entry) {
            _ if rows == Rows::Deleted && !self.names.role.hard_deletes => {
                self.refuse(Reason::HardDelete { table: entry.display() }, keyword)
            }
            Strategy::Hard => Ok(()),
            Strategy::Soft | Strategy::Archive if rows == Rows::Deleted => Ok(()),
            Strategy::Soft if !self.names.may_delete(entry) => {
                self.refuse(Reason::Privilege { verb: "DELETE", table: entry.display() }, keyword)
            }
            Strategy::Soft if rows == Rows::Live && !returns => {
                self.check_mark(entry, keyword)?;
                self.replace(keyword, keyword, &format!("UPDATE SET {set}"), keyword);
                Ok(())
            }
            Strategy::Soft | Strategy::Archive => self.refuse(Reason::Merge { table: entry.display() }, keyword),
        }
    }
}
