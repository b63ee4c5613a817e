//! DELETE from a soft table becomes the UPDATE that marks its live rows.
//!
//! ```sql
//! -- before
//! DELETE FROM users u USING posts p WHERE p.user_id = u.id;
//! -- after
//! UPDATE users u SET deleted_at = now() FROM posts p WHERE u.deleted_at IS NULL AND NOT p.deleted AND (p.user_id = u.id);
//! ```

use crate::catalog::Referencing;
use crate::config::Strategy;
use crate::rewrite::archive::conditions;
use crate::rewrite::block::Target;
use crate::rewrite::constraints;
use crate::rewrite::outcome::TagChange;
use crate::rewrite::refusal::{Reason, Refusal};
use crate::rewrite::registry::Entry;
use crate::rewrite::rewriter::Rewriter;
use crate::rewrite::state::Rows;
use crate::sql::ident::quote;
use crate::sql::tree::{Cte, Delete};

/// Where a DELETE stands, as far as its rewriting depends on it.
pub(crate) struct Place<'t> {
    /// The CTE that holds it; `None` for a statement of its own.
    pub(crate) member: Option<&'t Cte>,
    /// It has a WITH clause of its own.
    pub(crate) has_with: bool,
    /// Its last token.
    pub(crate) last: usize,
}

impl Rewriter<'_> {
    pub(crate) fn delete(
        &mut self,
        delete: &Delete,
        member: Option<&Cte>,
        has_with: bool,
        last: usize,
    ) -> Result<(), Refusal> {
        let place = Place { member, has_with, last };
        let cause = delete.target.name.relation();
        let Some(entry) = self.delete_target(&delete.target.name)? else { return self.real_delete(delete, None) };
        self.check_fault(entry, cause)?;
        let rows = self.rows(entry);
        let strategy = self.strategy(entry);
        if rows == Rows::Deleted || strategy == Strategy::Hard {
            if rows == Rows::Deleted && !self.names.role.hard_deletes {
                return self.refuse(Reason::HardDelete { table: entry.display() }, cause);
            }
            let rows = self.limit(entry, rows, &delete.target);
            let (begins, _) = self.begins_deletion(entry, delete);
            return self.real_delete(delete, conditions([rows, begins]));
        }
        if place.member.is_none() {
            self.tag = Some(TagChange::Delete);
        }
        match strategy {
            Strategy::Archive => self.archive(delete, entry, &place),
            Strategy::Soft | Strategy::Hard => self.soft_delete(delete, entry, &place),
        }
    }

    /// A DELETE that stays one, over the rows its references may see.
    fn real_delete(&mut self, delete: &Delete, own: Option<String>) -> Result<(), Refusal> {
        self.delete_conditions(delete, own)?;
        self.returning_subqueries(delete)
    }

    pub(crate) fn returning_subqueries(&mut self, delete: &Delete) -> Result<(), Refusal> {
        delete.returning.iter().try_for_each(|returning| self.queries(&returning.subqueries))
    }

    /// USING and WHERE, with `own` for the target.
    pub(crate) fn delete_conditions(&mut self, delete: &Delete, own: Option<String>) -> Result<(), Refusal> {
        let Delete { keyword: _, target, using, filter, returning: _ } = delete;
        let depth = self.open_block(using.as_ref(), filter.as_ref(), Target::Live(target));
        let (pending, last) = match using {
            Some(using) => (self.from(using)?, using.last),
            None => (Vec::new(), target.last),
        };
        self.filter(filter.as_ref(), last, own, pending, target.name.relation())?;
        self.close_block(depth);
        Ok(())
    }

    fn soft_delete(&mut self, delete: &Delete, entry: &Entry, place: &Place<'_>) -> Result<(), Refusal> {
        self.check_mark(entry, delete.target.name.relation())?;
        if let Some(returning) = &delete.returning {
            let carried = self.returns_marked(returning, &delete.target, entry);
            self.check_versions(returning, &delete.target, entry, carried)?;
            if carried {
                return self.soft_delete_returning(delete, returning, entry, place);
            }
        }
        let guards = self.guard_privilege(delete, entry, place);
        let head = match (guards.is_empty(), place.has_with) {
            (true, _) => "UPDATE".to_owned(),
            (false, true) => format!(", {guards} UPDATE"),
            (false, false) => format!("WITH {guards} UPDATE"),
        };
        self.mark(delete, entry, &head)?;
        self.returning_subqueries(delete)
    }

    /// What an UPDATE would not do as a DELETE does. It is held to the policies for UPDATE, which may let it mark rows that
    /// the role may not delete; and a foreign key notices it only with the triggers of schema `sexton`.
    pub(crate) fn check_mark(&self, entry: &Entry, cause: usize) -> Result<(), Refusal> {
        let table = entry.display();
        if !self.names.marks_what_it_deletes(entry) {
            return self.refuse(Reason::Policies { verb: "DELETE", table }, cause);
        }
        match constraints::incomplete(&entry.relation, self.names.registry.snapshot()) {
            None => Ok(()),
            Some(Referencing { schema, name, key, .. }) => {
                let by = format!("{schema}.{name}");
                self.refuse(Reason::KeyIncomplete { table, key: key.clone(), by }, cause)
            }
        }
    }

    /// The CTE `sexton_1 AS (DELETE FROM users WHERE false)`, for which the server asks for the privilege that the
    /// statement needs and its UPDATE does not; empty where the role is known to have it. For a DELETE inside a CTE
    /// it is put in front of that CTE.
    pub(crate) fn guard_privilege(&mut self, delete: &Delete, entry: &Entry, place: &Place<'_>) -> String {
        if self.names.may_delete(entry) {
            return String::new();
        }
        let name = self.fresh_name();
        let table = self.source(delete.target.first, delete.target.name_last);
        let guard = format!("{name} AS (DELETE FROM {table} WHERE false)");
        match place.member {
            Some(member) => {
                self.insert_before(member.name, &format!("{guard}, "), delete.keyword);
                String::new()
            }
            None => guard,
        }
    }

    /// The UPDATE itself, up to RETURNING; `head` stands in the place of DELETE FROM.
    pub(crate) fn mark(&mut self, delete: &Delete, entry: &Entry, head: &str) -> Result<(), Refusal> {
        let cause = delete.target.name.relation();
        self.replace_delete_from(delete.keyword, head);
        let set = self.set_clause(entry, &self.qualifier(&delete.target));
        self.insert_after(delete.target.last, &format!(" SET {set}"), cause);
        if let Some(using) = &delete.using {
            self.replace(using.keyword, using.keyword, "FROM", cause);
        }
        let own = self.limit(entry, Rows::Live, &delete.target);
        self.delete_conditions(delete, own)
    }

    /// Puts `head` in the place of DELETE FROM; a comment between the two words stays.
    pub(crate) fn replace_delete_from(&mut self, keyword: usize, head: &str) {
        let between = &self.text[self.tokens[keyword].end..self.tokens[keyword + 1].start];
        if between.iter().all(u8::is_ascii_whitespace) {
            self.replace(keyword, keyword + 1, head, keyword);
        } else {
            self.replace(keyword, keyword, head, keyword);
            self.replace(keyword + 1, keyword + 1, "", keyword);
        }
    }

    /// `column = value, …` of a deletion, its expressions reading the row as `qualifier`.
    pub(crate) fn set_clause(&self, entry: &Entry, qualifier: &str) -> String {
        let marks = entry.policy().map(|policy| policy.marks.as_slice()).unwrap_or_default();
        let assignments: Vec<String> =
            marks.iter().map(|mark| format!("{} = {}", quote(&mark.column), mark.value.render(qualifier))).collect();
        assignments.join(", ")
    }
}
