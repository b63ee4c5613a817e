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

use crate::catalog::{Column, RelationKind};
use crate::config::TableName;
use crate::rewrite::delete::Place;
use crate::rewrite::policy::{Before, Mark, quote_name};
use crate::rewrite::refusal::{Reason, Refusal};
use crate::rewrite::registry::Entry;
use crate::rewrite::rewriter::Rewriter;
use crate::rewrite::state::Rows;
use crate::sql::ident::quote;
use crate::sql::keyword::Keyword;
use crate::sql::lexer::Kind;
use crate::sql::tree::{Delete, Filter, From, Item, Returning, TableRef};

/// The first server version with OLD and NEW in RETURNING.
const KNOWS_VERSIONS: u32 = 180_000;

impl Rewriter<'_> {
    /// True where the list may show a column that the mark changes: by name, by `*`, or through the whole row.
    pub(crate) fn returns_marked(&self, returning: &Returning, target: &TableRef, entry: &Entry) -> bool {
        let Some(policy) = entry.policy() else { return false };
        let marked = (returning.first..=returning.last).any(|index| match self.tokens[index].kind {
            Kind::Star => true,
            Kind::Word | Kind::QuotedWord | Kind::UnicodeWord => self.identifier(index).is_ok_and(|name| {
                policy.marks.iter().any(|mark| mark.column == name)
                    || entry.relation.column(&name).is_some_and(|column| follows_mark(column, &policy.marks))
            }),
            _ => false,
        });
        marked || self.names_row(returning, target)
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
        self.check_shape(&entry.relation, returning.first)?;
        self.check_own_with(returning, entry, place)?;
        if entry.relation.columns.is_empty() {
            return self.refuse(Reason::ReturningOld { table: entry.display() }, returning.first);
        }
        let follows = entry.relation.columns.iter().any(|column| follows_mark(column, marks));
        if follows || marks.iter().any(|mark| mark.before == Before::Unknown) {
            return self.locked_delete_returning(delete, returning, entry, place);
        }
        let guard = self.guard_privilege(delete, entry, place);
        let inner = self.fresh_name();
        let head = self.open_cte(place, delete.keyword, &inner, &guard);
        self.mark(delete, entry, &format!("{head}UPDATE"))?;
        let row = self.row_name(&delete.target);
        let (rows, from) = match &delete.using {
            None => {
                let from = match self.names_row(returning, &delete.target) {
                    true => self.typed_row(returning, &delete.target, entry, &old_values(entry, ""), &inner),
                    false => format!("(SELECT {} FROM {inner}) AS {row}", old_columns(entry, "")),
                };
                (format!("{}.*", self.qualifier(&delete.target)), from)
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

    /// Refuses a list whose subqueries may read what the DELETE's own WITH brings: inside a CTE that WITH stays with the
    /// statement that runs, and the list leaves it.
    pub(crate) fn check_own_with(
        &self,
        returning: &Returning,
        entry: &Entry,
        place: &Place<'_>,
    ) -> Result<(), Refusal> {
        if place.member.is_none() || !place.has_with || returning.subqueries.is_empty() {
            return Ok(());
        }
        self.refuse(Reason::ReturningWith { table: entry.display() }, returning.first)
    }

    /// What a RETURNING list that names the row itself reads: the `columns` of `inner` under the target's name, as a value
    /// of the table's row type.
    pub(crate) fn typed_row(
        &mut self,
        returning: &Returning,
        target: &TableRef,
        entry: &Entry,
        columns: &[String],
        inner: &str,
    ) -> String {
        let row = self.row_name(target);
        self.name_stars(returning, &format!("{row}.*"));
        let table =
            quote_name(&TableName { schema: entry.relation.schema.clone(), relation: entry.relation.name.clone() });
        format!(
            "(SELECT ROW({})::{table} AS sexton_row FROM {inner}) AS {inner}_row, LATERAL unnest(ARRAY[{inner}_row.sexton_row]) AS {row}",
            columns.join(", ")
        )
    }

    /// Refuses a list that names OLD and NEW (PostgreSQL 18). The statement that runs is no DELETE: its NEW is the marked row,
    /// not NULL, and a list that is `carried` to a SELECT knows neither.
    pub(crate) fn check_versions(
        &self,
        returning: &Returning,
        target: &TableRef,
        entry: &Entry,
        carried: bool,
    ) -> Result<(), Refusal> {
        if self.names.registry.snapshot().server_version < KNOWS_VERSIONS {
            return Ok(());
        }
        let refused = |index| self.refuse(Reason::ReturningVersions { table: entry.display() }, index);
        if self.tokens[returning.first].keyword == Some(Keyword::With) {
            return refused(returning.first);
        }
        let own = self.identifier(target.known_as())?;
        let is_column = |name: &str| entry.relation.columns.iter().any(|column| column.name == name);
        for index in returning.first..=returning.last {
            let is_word = self.tokens[index].kind.is_word();
            if !is_word || self.tokens[index - 1].kind == Kind::Dot {
                continue;
            }
            let name = self.identifier(index)?;
            let qualifies = self.tokens.get(index + 1).is_some_and(|next| next.kind == Kind::Dot);
            let is_version = name == "new" || (name == "old" && carried);
            if is_version && name != own && (qualifies || !is_column(&name)) {
                return refused(index);
            }
        }
        Ok(())
    }

    /// True where the list uses the target's name as a value, not to qualify a column.
    pub(crate) fn names_row(&self, returning: &Returning, target: &TableRef) -> bool {
        let row = self.identifier(target.known_as());
        (returning.first..=returning.last).any(|index| {
            let qualifies = self.tokens.get(index + 1).is_some_and(|next| next.kind == Kind::Dot);
            let behind_dot = self.tokens[index - 1].kind == Kind::Dot;
            let is_word = self.tokens[index].kind.is_word();
            is_word && !qualifies && !behind_dot && self.identifier(index) == row
        })
    }

    /// Replaces each `*` that is an item of the list by `all`.
    fn name_stars(&mut self, returning: &Returning, all: &str) {
        for index in returning.first..=returning.last {
            let starts_item = index == returning.first || self.tokens[index - 1].kind == Kind::Comma;
            if starts_item && self.tokens[index].kind == Kind::Star {
                self.replace(index, index, all, index);
            }
        }
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
        self.name_stars(returning, &all.join(", "));
        (rows.join(", "), from.join(", "))
    }

    /// What stands before a statement that becomes a CTE called `name`, when it stands in the statement's own place;
    /// `guard` is a CTE that goes first.
    pub(crate) fn open_cte(&mut self, place: &Place<'_>, keyword: usize, name: &str, guard: &str) -> String {
        let first = if guard.is_empty() { String::new() } else { format!("{guard}, ") };
        match place.member {
            Some(member) => {
                self.replace(member.name, member.open, &format!("{name} AS ("), keyword);
                String::new()
            }
            None if place.has_with => format!(", {first}{name} AS ("),
            None => format!("WITH {first}{name} AS ("),
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
        let name = target.known_as();
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
        // Its children have keys of their own, those of partitions excepted.
        let has_children = entry.relation.kind == RelationKind::Table
            && !self.names.registry.snapshot().descendants(entry.relation.oid).is_empty();
        if key.is_empty() || has_children || key_is_marked || using.is_some() || by_cursor {
            return self.refuse(Reason::ReturningOld { table: entry.display() }, returning.first);
        }
        let guard = self.guard_privilege(delete, entry, place);
        let (locked, marked) = (self.fresh_name(), self.fresh_name());
        let row = self.row_name(target);
        let head = self.open_cte(place, *keyword, &locked, &guard);
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
        let from = match self.names_row(returning, target) {
            true => self.typed_row(returning, target, entry, &all_columns(entry), &marked),
            false => format!("{marked} AS {row}"),
        };
        self.insert_after(returning.last, &format!(" FROM {from}"), cause);
        Ok(())
    }
}

/// True where the column is generated from what the marks change.
fn follows_mark(column: &Column, marks: &[Mark]) -> bool {
    marks.iter().any(|mark| column.reads(&mark.column))
}

/// The table's columns in order.
pub(crate) fn all_columns(entry: &Entry) -> Vec<String> {
    entry.relation.columns.iter().map(|column| quote(&column.name)).collect()
}

/// The values of the table's columns in order, marked ones as they were, each behind `prefix`.
fn old_values(entry: &Entry, prefix: &str) -> Vec<String> {
    let marks = entry.policy().map(|policy| policy.marks.as_slice()).unwrap_or_default();
    let value = |column: &Column| match marks.iter().find(|mark| mark.column == column.name).map(|mark| mark.before) {
        Some(Before::Null) => format!("NULL::{}", column.type_name),
        Some(Before::False) => "false".to_owned(),
        Some(Before::Unknown) | None => format!("{prefix}{}", quote(&column.name)),
    };
    entry.relation.columns.iter().map(value).collect()
}

/// The same as a select list, where every value keeps its column's name.
fn old_columns(entry: &Entry, prefix: &str) -> String {
    let named = |(value, name): (String, String)| match value == format!("{prefix}{name}") {
        true => value,
        false => format!("{value} AS {name}"),
    };
    let columns: Vec<String> = old_values(entry, prefix).into_iter().zip(all_columns(entry)).map(named).collect();
    columns.join(", ")
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
            names.push(table.known_as());
            Some(())
        }
        Item::Derived { lateral: _, query: _, alias: Some(alias) } | Item::Nested { inner: _, alias: Some(alias) } => {
            names.push(alias.name);
            Some(())
        }
        Item::Derived { lateral: _, query: _, alias: None } | Item::Function { subqueries: _, alias: _ } => None,
        Item::Nested { inner, alias: None } => item_rows(inner, names),
        Item::Join(join) if join.merges_columns => None,
        Item::Join(join) => {
            item_rows(&join.left, names)?;
            item_rows(&join.right, names)
        }
    }
}
