//! DELETE from an archive table moves the rows, in one statement, in the version that was deleted.
//!
//! ```sql
//! -- before
//! DELETE FROM invoices WHERE id = 1;
//! -- after
//! WITH sexton_1 AS (DELETE FROM invoices WHERE id = 1 RETURNING invoices.*) INSERT INTO public.invoices_archive (id, total, archived_at) SELECT sexton_1.id, sexton_1.total, now() FROM sexton_1 UNION ALL SELECT sexton_1.*, NULL FROM sexton_1 WHERE false;
//! ```
//!
//! The DELETE feeds the INSERT, never the other way round: under a concurrent UPDATE the other order
//! archives one version and destroys another. The table may have other columns when the statement runs than
//! when it was decided: each value goes where its name says, and the branch without rows has the server
//! refuse a table with more columns than are named.

use crate::rewrite::delete::Place;
use crate::rewrite::policy::{NEW_EVENT, THIS_EVENT, has_events, quote_name};
use crate::rewrite::refusal::{Reason, Refusal};
use crate::rewrite::registry::Entry;
use crate::rewrite::returning::{all_columns, row_names};
use crate::rewrite::rewriter::Rewriter;
use crate::rewrite::state::Rows;
use crate::sql::ident::quote;
use crate::sql::tree::{Delete, Filter, Returning};

impl Rewriter<'_> {
    pub(crate) fn archive(&mut self, delete: &Delete, entry: &Entry, place: &Place<'_>) -> Result<(), Refusal> {
        let cause = delete.target.name.relation();
        self.check_shape(&entry.relation, cause)?;
        let inner = self.fresh_name();
        let head = self.open_cte(place, delete.keyword, &inner, "");
        if !head.is_empty() {
            self.insert_before(delete.keyword, &head, cause);
        }
        let (begins, begun) = self.begins_deletion(entry, delete);
        let live = self.limit(entry, Rows::Live, &delete.target);
        self.delete_conditions(delete, conditions([live, begins]))?;
        let qualifier = self.qualifier(&delete.target);
        match &delete.returning {
            None => {
                let insert = self.insert_statement(entry, &inner, &inner, begun);
                let tail = self.close_cte(place);
                self.insert_after(place.last, &format!(" RETURNING {qualifier}.*){tail}{insert}"), cause);
                Ok(())
            }
            Some(returning) => self.archive_returning(delete, returning, entry, place, (&inner, begun)),
        }
    }

    /// A condition that holds for every row, and with which a DELETE that stays one begins its event: triggers of schema
    /// `sexton` that fire before a row leaves then know it. `None` where there are none.
    pub(crate) fn begins_event(&self, entry: &Entry) -> Option<String> {
        self.tells_events(entry).then(|| format!("{NEW_EVENT} IS NOT NULL"))
    }

    /// The same for a DELETE, and whether it begins its event. Nothing can be added to CURRENT OF: there a row without
    /// columns does it in USING, which RETURNING does not see.
    pub(crate) fn begins_deletion(&mut self, entry: &Entry, delete: &Delete) -> (Option<String>, bool) {
        let begins = self.begins_event(entry);
        let begun = begins.is_some();
        let Some(condition) = begins.as_ref().filter(|_| matches!(delete.filter, Some(Filter::CurrentOf { last: _ })))
        else {
            return (begins, begun);
        };
        let (opening, last) = match &delete.using {
            Some(using) => (",", using.last),
            None => (" USING", delete.target.last),
        };
        let item = format!("{opening} (SELECT WHERE {condition}) AS {}", self.fresh_name());
        self.insert_after(last, &item, delete.target.name.relation());
        (None, begun)
    }

    /// True where triggers of schema `sexton` see the rows of `entry` leave.
    fn tells_events(&self, entry: &Entry) -> bool {
        let snapshot = self.names.registry.snapshot();
        let has_triggers = |oid: u32| snapshot.triggers(oid).next().is_some();
        let oid = entry.relation.oid;
        let asked = has_triggers(oid) || snapshot.descendants(oid).iter().any(|child| has_triggers(child.oid));
        asked && has_events(&entry.relation, snapshot)
    }

    fn archive_returning(
        &mut self,
        delete: &Delete,
        returning: &Returning,
        entry: &Entry,
        place: &Place<'_>,
        (inner, begun): (&str, bool),
    ) -> Result<(), Refusal> {
        let cause = delete.target.name.relation();
        let row = self.row_name(&delete.target);
        self.check_versions(returning, &delete.target, entry, true)?;
        self.check_own_with(returning, entry, place)?;
        let (rows, archived, from) = match &delete.using {
            None => {
                let typed = self.names_row(returning, &delete.target) && !entry.relation.columns.is_empty();
                let from = match typed {
                    true => self.typed_row(returning, &delete.target, entry, &all_columns(entry), inner),
                    false => format!("{inner} AS {row}"),
                };
                (format!("{}.*", self.qualifier(&delete.target)), inner.to_owned(), from)
            }
            Some(using) => {
                let Some(names) = row_names(using) else {
                    return self.refuse(Reason::ReturningUsing { table: entry.display() }, returning.first);
                };
                let others: Vec<String> = names.iter().map(|name| self.source(*name, *name)).collect();
                let target = format!("LATERAL (SELECT ({inner}.{row}).*) AS {row}");
                let (rows, from) = self.whole_rows(returning, inner, &row, target, &others);
                (rows, format!("({inner}.{row})"), from)
            }
        };
        let mover = self.fresh_name();
        let insert = self.insert_statement(entry, &archived, inner, begun);
        let tail = self.close_cte(place);
        let middle = format!("RETURNING {rows}), {mover} AS ({insert}){tail}SELECT");
        self.replace(returning.keyword, returning.keyword, &middle, cause);
        self.queries(&returning.subqueries)?;
        self.insert_after(returning.last, &format!(" FROM {from}"), cause);
        Ok(())
    }

    /// `INSERT INTO archive (columns, records) SELECT row's columns, records FROM inner`; `begun`: the statement has begun
    /// its event.
    pub(crate) fn insert_statement(&self, entry: &Entry, row: &str, inner: &str, begun: bool) -> String {
        let Some(archive) = entry.policy().and_then(|policy| policy.archive.as_ref()) else { return String::new() };
        let table = quote_name(&archive.table);
        if entry.relation.columns.is_empty() {
            // Without a catalog the columns are not known; the archive is taken to have the table's own, in their order.
            return format!("INSERT INTO {table} SELECT {row}.* FROM {inner}");
        }
        let mut columns: Vec<String> = entry.relation.columns.iter().map(|column| quote(&column.name)).collect();
        let mut values: Vec<String> = columns.iter().map(|column| format!("{row}.{column}")).collect();
        let mut all = vec![format!("{row}.*")];
        for (column, value) in archive.records(&entry.relation, self.names.registry.snapshot()) {
            columns.push(quote(column));
            values.push(if begun && value == NEW_EVENT { THIS_EVENT } else { value }.to_owned());
            all.push("NULL".to_owned());
        }
        let [columns, values, all] = [columns, values, all].map(|list| list.join(", "));
        format!(
            "INSERT INTO {table} ({columns}) SELECT {values} FROM {inner} UNION ALL SELECT {all} FROM {inner} WHERE false"
        )
    }
}

/// Conditions that must all hold, as one.
pub(crate) fn conditions(limits: [Option<String>; 2]) -> Option<String> {
    let limits: Vec<String> = limits.into_iter().flatten().collect();
    (!limits.is_empty()).then(|| limits.join(" AND "))
}
