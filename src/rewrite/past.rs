//! `sexton.as_of`: rows as they stood in or out at that time, where a deletion left a time behind.
//!
//! ```sql
//! -- before
//! SELECT /* sexton: as_of=2026-01-31 12:00Z */ u.name, i.total FROM users u JOIN invoices i ON i.id = u.id;
//! -- after
//! SELECT /* sexton: as_of=2026-01-31 12:00Z */ u.name, i.total FROM users u JOIN (SELECT id, total FROM invoices UNION ALL SELECT id, total FROM public.invoices_archive WHERE archived_at > timestamptz '2026-01-31 12:00Z') i ON i.id = u.id WHERE (u.deleted_at IS NULL OR u.deleted_at > timestamptz '2026-01-31 12:00Z');
//! ```
//!
//! It says nothing of rows that were created since, nor of values that have changed. A session that looks at the past
//! writes nothing into registered tables.

use crate::config::Strategy;
use crate::rewrite::policy::{Archive, quote_name};
use crate::rewrite::refusal::{Reason, Refusal};
use crate::rewrite::registry::Entry;
use crate::rewrite::resolve::Meaning;
use crate::rewrite::rewriter::Rewriter;
use crate::rewrite::state::Rows;
use crate::rewrite::statement::Statement;
use crate::sql::ident::quote;
use crate::sql::keyword::Keyword;
use crate::sql::tree::TableRef;

/// The column of an archive that says when a row came there.
const ARCHIVED_AT: &str = "archived_at";

impl Rewriter<'_> {
    /// Refuses a write to a registered table, or a view of one, by a statement that looks at the past.
    pub(crate) fn check_present(&self, target: &[String], token: usize) -> Result<(), Refusal> {
        if self.scope.as_of.is_none() {
            return Ok(());
        }
        match self.names.resolve(target) {
            Ok(Meaning::Relation(Some(entry))) if !entry.is_transparent() => {
                self.refuse(Reason::PastWrite { table: entry.display() }, token)
            }
            _ => Ok(()),
        }
    }

    /// Refuses a read of what has left no time behind.
    pub(crate) fn check_past(&self, entry: &Entry, token: usize) -> Result<(), Refusal> {
        if self.scope.as_of.is_none() || self.rows(entry) != Rows::Live {
            return Ok(());
        }
        let Some(policy) = entry.policy() else { return Ok(()) };
        match (policy.strategy, &policy.live, &policy.time) {
            (_, Some(_), None) => self.refuse(Reason::PastUnknown { table: entry.display() }, token),
            (Strategy::Archive, _, _) => self.archived(entry, token).map(|_| ()),
            _ => Ok(()),
        }
    }

    /// The archive that holds rows which `entry` held at that time.
    fn archived<'e>(&self, entry: &'e Entry, token: usize) -> Result<Option<&'e Archive>, Refusal> {
        let Some((policy, archive)) = entry.policy().and_then(|policy| Some((policy, policy.archive.as_ref()?))) else {
            return Ok(None);
        };
        let fault = if entry.relation.columns.is_empty() {
            "its columns are not known without a database"
        } else if entry.relation.oid != policy.oid {
            "the archive does not say which rows were in this partition or child"
        } else if !archive.columns.iter().any(|column| column == ARCHIVED_AT) {
            "the archive lacks the column archived_at, which sexton apply adds"
        } else {
            return Ok(Some(archive));
        };
        let reason = Reason::PastArchive { table: entry.display(), archive: archive.table.to_string(), fault };
        self.refuse(reason, token)
    }

    /// What stands in the place of an archive table read in the past, without its alias; `None` for every other.
    pub(crate) fn past_rows(&self, entry: &Entry, table: &TableRef) -> Result<Option<String>, Refusal> {
        let token = table.name.relation();
        let (Some(as_of), Rows::Live) = (&self.scope.as_of, self.rows(entry)) else { return Ok(None) };
        if self.strategy(entry) != Strategy::Archive {
            return Ok(None);
        }
        let Some(archive) = self.archived(entry, token)? else { return Ok(None) };
        if table.sampled {
            return self.refuse(Reason::Sampled { table: entry.display() }, token);
        }
        if table.only && !self.names.registry.snapshot().descendants(entry.relation.oid).is_empty() {
            let fault = "it holds the rows of its children too, which ONLY leaves out";
            let reason = Reason::PastArchive { table: entry.display(), archive: archive.table.to_string(), fault };
            return self.refuse(reason, token);
        }
        let columns: Vec<String> = entry.relation.columns.iter().map(|column| quote(&column.name)).collect();
        let columns = columns.join(", ");
        let read = self.read_as(table);
        let name = self.source(table.name.first(), token);
        let limit = entry.policy().and_then(|policy| policy.limit_as_of(as_of, &name));
        let limit = limit.map(|limit| format!(" WHERE {limit}")).unwrap_or_default();
        Ok(Some(format!(
            "(SELECT {columns} FROM {read}{limit} UNION ALL SELECT {columns} FROM {} WHERE {ARCHIVED_AT} > {})",
            quote_name(&archive.table),
            as_of.literal()
        )))
    }
}

/// Refuses to lock rows of registered tables as they were: a lock is asked for by who means to write.
pub(crate) fn check_locks(statement: &Statement<'_>) -> Result<(), Refusal> {
    if statement.scope.as_of.is_none() {
        return Ok(());
    }
    let locks = |index: &usize| {
        let words = [statement.word(index + 1), statement.word(index + 2)];
        statement.keyword(*index) == Some(Keyword::For)
            && match words.each_ref().map(Option::as_deref) {
                [Some("update" | "share"), _] | [Some("key"), Some("share")] | [Some("no"), Some("key")] => true,
                [_, _] => false,
            }
    };
    match (statement.piece.first..statement.piece.end).find(locks) {
        Some(token) => statement.refuse(Reason::PastLock, token),
        None => Ok(()),
    }
}
