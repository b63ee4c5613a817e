//! RETURNING of a soft DELETE gives the rows as they were before the mark.
//!
//! ```sql
//! -- before
//! DELETE FROM users WHERE id = 1 RETURNING *;
//! -- after
//! WITH sexton_1 AS (UPDATE users SET deleted_at = now() WHERE users.deleted_at IS NULL AND (id = 1) RETURNING users.*) SELECT * FROM (SELECT id, name, age, NULL::timestamp with time zone AS deleted_at FROM sexton_1) AS users;
//! ```
//!
//! The list itself stays as written and reads a row of the same shape under the target's own name.
//! Where the value before the mark cannot be told from the mark, the rows are locked and read first,
//! then marked by primary key.

use crate::rewrite::delete::Place;
use crate::rewrite::policy::Before;
use crate::rewrite::refusal::{Reason, Refusal};
use crate::rewrite::registry::Entry;
use crate::rewrite::rewriter::Rewriter;
use crate::rewrite::state::Rows;
use crate::rewrite::update::row_names;
use crate::sql::ident::quote;
use crate::sql::lexer::Kind;
use crate::sql::tree::{Delete, Filter, Returning, TableRef};

impl Rewriter<'_> {
    /// True where the list may show a column that the mark changes: by name, by `*`, or through the whole row.
    pub(crate) fn returns_marked(&self, returning: &Returning, target: &TableRef, entry: &Entry) -> bool {
        let Some(policy) = entry.policy() else { return false };
        let row = self.identifier(target.alias.as_ref().map_or(target.name.relation(), |alias| alias.name));
        (returning.first..=returning.last).any(|index| match self.tokens[index].kind {
            Kind::Star => true,
            Kind::Word | Kind::QuotedWord | Kind::UnicodeWord => match self.identifier(index) {
                Ok(name) => {
                    let qualifies = self.tokens.get(index + 1).is_some_and(|next| next.kind == Kind::Dot);
                    policy.marks.iter().any(|mark| mark.column == name) || (!qualifies && row.as_ref() == Ok(&name))
                }
                Err(_) => true,
            },
            _ => false,
        })
    }

    /// The DELETE as a CTE, and a SELECT of the list over the rows as they were.
    pub(crate) fn soft_delete_returning(
        &mut self,
        delete: &Delete,
        returning: &Returning,
        entry: &Entry,
        place: &Place<'_>,
    ) -> Result<(), Refusal> {
        let cause = delete.target.name.relation();
        let marks = entry.policy().map(|policy| policy.marks.as_slice()).unwrap_or_default();
        if entry.relation.columns.is_empty() {
            return self.refuse(Reason::ReturningOld { table: entry.display() }, returning.first);
        }
        if marks.iter().any(|mark| mark.before == Before::Unknown) {
            return self.locked_delete_returning(delete, returning, entry, place);
        }
        let inner = self.fresh_name();
        let head = self.open_cte(place, delete.keyword, &inner);
        self.mark(delete, entry, &format!("{head}UPDATE"))?;
        let row = self.row_name(&delete.target);
        let (rows, from) = match &delete.using {
            None => {
                let columns = old_columns(entry, "");
                (format!("{}.*", self.qualifier(&delete.target)), format!("(SELECT {columns} FROM {inner}) AS {row}"))
            }
            Some(using) => {
                let Some(names) = row_names(using) else {
                    return self.refuse(Reason::ReturningUsing { table: entry.display() }, returning.first);
                };
                let columns = old_columns(entry, &format!("({inner}.{row})."));
                let others: Vec<String> = names.iter().map(|name| self.source(*name, *name)).collect();
                let target = format!("LATERAL (SELECT {columns}) AS {row}");
                self.whole_rows(returning, &inner, &row, target, &others)
            }
        };
        let head = self.close_cte(place);
        self.replace(returning.keyword, returning.keyword, &format!("RETURNING {rows}){head}SELECT"), cause);
        self.queries(&returning.subqueries)?;
        self.insert_after(returning.last, &format!(" FROM {from}"), cause);
        Ok(())
    }

    /// Rows of a USING list carried whole: the RETURNING of the inner statement, and the FROM of the outer one.
    pub(crate) fn whole_rows(
        &mut self,
        returning: &Returning,
        inner: &str,
        row: &str,
        target: String,
        others: &[String],
    ) -> (String, String) {
        let mut rows = vec![row.to_owned()];
        let mut from = vec![inner.to_owned(), target];
        let mut all = vec![format!("{row}.*")];
        for other in others {
            rows.push(other.clone());
            from.push(format!("LATERAL (SELECT ({inner}.{other}).*) AS {other}"));
            all.push(format!("{other}.*"));
        }
        for index in returning.first..=returning.last {
            let starts_item = index == returning.first || self.tokens[index - 1].kind == Kind::Comma;
            if starts_item && self.tokens[index].kind == Kind::Star {
                self.replace(index, index, &all.join(", "), index);
            }
        }
        (rows.join(", "), from.join(", "))
    }

    /// What stands before a statement that becomes a CTE called `name`, when it stands in the statement's own place.
    pub(crate) fn open_cte(&mut self, place: &Place<'_>, keyword: usize, name: &str) -> String {
        match place.member {
            Some(member) => {
                self.replace(member.name, member.open, &format!("{name} AS ("), keyword);
                String::new()
            }
            None if place.has_with => format!(", {name} AS ("),
            None => format!("WITH {name} AS ("),
        }
    }

    /// What stands between that CTE's closing parenthesis and the statement that follows in its place.
    pub(crate) fn close_cte(&self, place: &Place<'_>) -> String {
        match place.member {
            Some(member) => format!(", {} ", self.source(member.name, member.open)),
            None => " ".to_owned(),
        }
    }

    /// The name by which a RETURNING list knows the target's row.
    pub(crate) fn row_name(&self, target: &TableRef) -> String {
        let name = target.alias.as_ref().map_or(target.name.relation(), |alias| alias.name);
        self.source(name, name)
    }

    /// Locks and reads the rows, then marks them by primary key.
    fn locked_delete_returning(
        &mut self,
        delete: &Delete,
        returning: &Returning,
        entry: &Entry,
        place: &Place<'_>,
    ) -> Result<(), Refusal> {
        let Delete { keyword, target, using, filter, returning: _ } = delete;
        let cause = target.name.relation();
        let marks = entry.policy().map(|policy| policy.marks.as_slice()).unwrap_or_default();
        let key = &entry.relation.primary_key;
        let key_is_marked = marks.iter().any(|mark| key.contains(&mark.column));
        let by_cursor = matches!(filter, Some(Filter::CurrentOf { last: _ }));
        if key.is_empty() || key_is_marked || using.is_some() || by_cursor {
            return self.refuse(Reason::ReturningOld { table: entry.display() }, returning.first);
        }
        let (locked, marked) = (self.fresh_name(), self.fresh_name());
        let row = self.row_name(target);
        let head = self.open_cte(place, *keyword, &locked);
        self.replace_delete_from(*keyword, &format!("{head}SELECT {row}.* FROM"));
        let own = self.limit(entry, Rows::Live, target);
        self.delete_conditions(delete, own)?;
        let table = self.source(target.first, target.name_last);
        let set = self.set_clause(entry, "sexton_target");
        let joined: Vec<String> =
            key.iter().map(|column| format!("sexton_target.{0} = {locked}.{0}", quote(column))).collect();
        let tail = self.close_cte(place);
        let middle = format!(
            "FOR UPDATE OF {row}), {marked} AS (UPDATE {table} AS sexton_target SET {set} FROM {locked} WHERE {} RETURNING {locked}.*){tail}SELECT",
            joined.join(" AND ")
        );
        self.replace(returning.keyword, returning.keyword, &middle, cause);
        self.queries(&returning.subqueries)?;
        self.insert_after(returning.last, &format!(" FROM {marked} AS {row}"), cause);
        Ok(())
    }
}

/// The table's columns in order, marked ones as they were, each behind `prefix`.
fn old_columns(entry: &Entry, prefix: &str) -> String {
    let marks = entry.policy().map(|policy| policy.marks.as_slice()).unwrap_or_default();
    let columns: Vec<String> = entry
        .relation
        .columns
        .iter()
        .map(|column| {
            let name = quote(&column.name);
            match marks.iter().find(|mark| mark.column == column.name).map(|mark| mark.before) {
                Some(Before::Null) => format!("NULL::{} AS {name}", column.type_name),
                Some(Before::False) => format!("false AS {name}"),
                Some(Before::Unknown) | None => format!("{prefix}{name}"),
            }
        })
        .collect();
    columns.join(", ")
}
