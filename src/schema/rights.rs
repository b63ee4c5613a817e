//! Who may do what with registered tables and their archives: privileges and row-level security.

use serde::Deserialize;

use crate::schema::Subject;

/// The query: `$1` are the oids of the tables, `$2` is Sexton's own login.
///
/// Its one row has one column of type `text`, for [`Rights::parse`].
pub const QUERY: &str = include_str!("rights.sql");

/// The rights on some tables.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rights {
    /// One for each table and each role that some table's access control list names; owners and Sexton's own login are
    /// always among them, superusers never.
    pub rights: Vec<Right>,
    /// The policies of tables with row-level security.
    pub policies: Vec<RowPolicy>,
    /// Row-level security does not apply to Sexton's own login.
    pub own_role_bypasses: bool,
}

/// What a role may do with a table, rights by membership included.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Right {
    /// The table.
    pub table: u32,
    /// The role; `public` for everybody.
    pub role: String,
    /// It owns the table, or the table's access control list names it, or it is Sexton's own login.
    pub is_named: bool,
    /// USAGE on the table's schema.
    pub uses_schema: bool,
    /// INSERT on the whole table.
    pub inserts: bool,
    /// DELETE.
    pub deletes: bool,
    /// SELECT on the whole table, columns that are still to come included.
    pub selects_all: bool,
    /// UPDATE likewise.
    pub updates_all: bool,
    /// The columns it may SELECT.
    pub selects: Vec<String>,
    /// The columns it may UPDATE.
    pub updates: Vec<String>,
}

impl Right {
    /// True where it may SELECT that column.
    #[must_use]
    pub fn selects(&self, column: &str) -> bool {
        self.selects_all || self.selects.iter().any(|name| name == column)
    }

    /// True where it may UPDATE that column.
    #[must_use]
    pub fn updates(&self, column: &str) -> bool {
        self.updates_all || self.updates.iter().any(|name| name == column)
    }
}

/// A policy of row-level security.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RowPolicy {
    /// The table.
    pub table: u32,
    /// Its name.
    pub name: String,
    /// `pg_policy.polcmd`: `r` SELECT, `a` INSERT, `w` UPDATE, `d` DELETE, `*` all.
    pub command: char,
    /// Whom it concerns; `public` for everybody.
    pub roles: Vec<String>,
    /// USING
    pub using: Option<String>,
    /// WITH CHECK
    pub check: Option<String>,
}

impl Rights {
    /// Reads the answer to [`QUERY`].
    ///
    /// # Errors
    /// The text is not what the query gives.
    pub fn parse(text: &str) -> Result<Self, serde_json::Error> {
        serde_json::from_str(text)
    }
}

/// The tables that rights matter on: registered ones and archives.
#[must_use]
pub fn tables(subject: Subject<'_>) -> Vec<u32> {
    let registered = subject.registered().map(|(table, _)| table.oid);
    let archives = subject.registered().filter_map(|(_, policy)| {
        let name = &policy.archive.as_ref()?.table;
        Some(subject.survey.find(&name.schema, &name.relation)?.oid)
    });
    registered.chain(archives).collect()
}
