//! Keys and references inside the server: what the objects of `sexton apply` make of marked rows, held against a database
//! with real deletes.
//!
//! No proxy stands in between. Rows are marked by the statements that the rewriter writes, so that what is tested
//! here is the server's half alone.

/// Archives, what they lack, and what the audit says.
mod archive;
/// Every action of a foreign key, alone and in chains.
mod foreign;
/// Two sessions at once.
mod races;
/// Random tables, references and statements.
mod random;
/// Rows that take the key of a deleted one.
mod reinsert;
/// Whose code runs as whom.
mod rights;

use crate::support::cluster;
use crate::support::database::Database;
use crate::support::raw::{Raw, ServerError};
use crate::support::schema;

/// What a DELETE of a table means in the second of the two databases.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Soft,
    /// Soft, with an archive for rows that leave.
    SoftArchived,
    Archive,
    Hard,
    Unregistered,
}

/// The rows of a table, with its name.
type Rows = (String, Vec<Vec<String>>);

/// Two databases with one schema: `real` deletes, `kept` marks and archives.
pub(crate) struct Twin {
    pub(crate) real: Database,
    pub(crate) kept: Database,
    tables: Vec<(String, Kind)>,
    config: String,
    /// Every statement is printed, for whoever looks into a failure.
    is_told: bool,
    one: Raw,
    other: Raw,
}

impl Twin {
    /// Makes both from `schema`, in which every soft table has a column `deleted_at`.
    pub(crate) fn new(test: &str, schema: &str, tables: &[(&str, Kind)]) -> Option<Self> {
        let cluster = cluster::shared(test)?;
        let (real, kept) = (Database::create(cluster, "keys_real"), Database::create(cluster, "keys_kept"));
        real.run(schema);
        kept.run(schema);
        let mut config = "[databases.\"*\"]\n".to_owned();
        for (table, kind) in tables {
            let rule = match kind {
                Kind::Soft => "delete = \"soft\"".to_owned(),
                Kind::SoftArchived => format!("delete = \"soft\"\narchive = '{}'", archive_of(table)),
                Kind::Archive => format!("delete = \"archive\"\narchive = '{}'", archive_of(table)),
                Kind::Hard => "delete = \"hard\"".to_owned(),
                Kind::Unregistered => continue,
            };
            config.push_str(&format!("[databases.\"*\".tables.'{table}']\n{rule}\n"));
        }
        schema::apply(&kept, &config, false);
        let tables = tables.iter().map(|(table, kind)| ((*table).to_owned(), *kind)).collect();
        let (one, other) = (real.direct(), kept.direct());
        Some(Self { real, kept, tables, config, is_told: false, one, other })
    }

    /// Runs `ddl` in both, and brings the objects up to date.
    pub(crate) fn apply_again(&mut self, ddl: &str) {
        self.both(ddl);
        schema::apply(&self.kept, &self.config, false);
    }

    fn kind(&self, table: &str) -> Kind {
        self.tables.iter().find(|(name, _)| name == table).expect("it is a table").1
    }

    /// The statement that `DELETE FROM table WHERE condition` becomes.
    pub(crate) fn rewritten(&self, table: &str, condition: &str) -> String {
        match self.kind(table) {
            Kind::Soft | Kind::SoftArchived => {
                format!("UPDATE {table} SET deleted_at = now() WHERE deleted_at IS NULL AND ({condition})")
            }
            Kind::Archive => format!(
                "WITH gone AS (DELETE FROM {table} WHERE ({condition}) AND (SELECT sexton.event(true)) IS NOT NULL RETURNING {table}.*)
                INSERT INTO {} SELECT gone.*, now(), sexton.actor(), sexton.reason(), pg_current_xact_id()::text::bigint,
                (SELECT sexton.event(false)) FROM gone",
                archive_of(table)
            ),
            Kind::Hard | Kind::Unregistered => format!("DELETE FROM {table} WHERE {condition}"),
        }
    }

    /// Deletes in both, and compares.
    #[track_caller]
    pub(crate) fn delete(&mut self, table: &str, condition: &str) {
        let marked = self.rewritten(table, condition);
        self.compare(&format!("DELETE FROM {table} WHERE {condition}"), &marked);
    }

    /// Runs the same in both, and compares.
    #[track_caller]
    pub(crate) fn both(&mut self, sql: &str) {
        self.compare(sql, sql);
    }

    /// As [`Twin::delete`], which both must refuse.
    #[track_caller]
    pub(crate) fn delete_refused(&mut self, table: &str, condition: &str) -> ServerError {
        let marked = self.rewritten(table, condition);
        self.compare(&format!("DELETE FROM {table} WHERE {condition}"), &marked).expect("it is refused")
    }

    /// As [`Twin::both`], which both must refuse.
    #[track_caller]
    pub(crate) fn refused(&mut self, sql: &str) -> ServerError {
        self.compare(sql, sql).expect("it is refused")
    }

    /// Runs a statement of each kind; the errors must be the same in every field, and so must all live rows.
    #[track_caller]
    pub(crate) fn compare(&mut self, real: &str, kept: &str) -> Option<ServerError> {
        if self.is_told {
            eprintln!("{kept};");
        }
        let (one, other) = (outcome(&mut self.one, real), outcome(&mut self.other, kept));
        assert!(same(one.as_ref(), other.as_ref()), "\n{real}\n{kept}\n{one:#?}\n{other:#?}");
        if self.one.status != b'E' {
            let (one, other) = self.rows();
            assert_eq!(other, one, "after\n{real}\n{kept}\n");
        }
        one
    }

    /// The rows of all tables, in both, as a session sees them.
    #[track_caller]
    fn rows(&mut self) -> (Vec<Rows>, Vec<Rows>) {
        let (mut real, mut kept) = (Vec::new(), Vec::new());
        for (table, kind) in &self.tables {
            let live = match kind {
                Kind::Soft | Kind::SoftArchived => format!("(SELECT * FROM {table} WHERE deleted_at IS NULL)"),
                Kind::Archive | Kind::Hard | Kind::Unregistered => table.clone(),
            };
            let order = "AS x ORDER BY x::text";
            real.push((table.clone(), self.one.expect(&format!("SELECT * FROM {table} {order}"))[0].texts()));
            kept.push((table.clone(), self.other.expect(&format!("SELECT * FROM {live} {order}"))[0].texts()));
        }
        (real, kept)
    }

    /// What is added to the WHERE clause of an UPDATE of the second database.
    pub(crate) fn live(&self, table: &str) -> &'static str {
        match self.kind(table) {
            Kind::Soft | Kind::SoftArchived => " AND deleted_at IS NULL",
            Kind::Archive | Kind::Hard | Kind::Unregistered => "",
        }
    }

    /// COPY FROM STDIN in both: the tags.
    pub(crate) fn copy(&mut self, sql: &str, data: &str) -> [Option<String>; 2] {
        [&mut self.one, &mut self.other].map(|session| session.copy(sql, data).remove(0).tag)
    }

    /// The server's major version.
    pub(crate) fn version(&mut self) -> u32 {
        self.one.major_version()
    }

    /// The first column of a query of the second database.
    pub(crate) fn column(&mut self, sql: &str) -> Vec<String> {
        self.other.expect(sql)[0].texts().into_iter().map(|row| row.concat()).collect()
    }

    /// A value of the second database.
    pub(crate) fn ask(&mut self, sql: &str) -> String {
        self.other.expect(sql)[0].texts().concat().concat()
    }

    /// A statement for the second database alone.
    pub(crate) fn kept_only(&mut self, sql: &str) -> Option<ServerError> {
        outcome(&mut self.other, sql)
    }

    /// The findings of another configuration, which is `self.config` and `more`.
    pub(crate) fn findings(&self, more: &str) -> Vec<sexton::schema::Finding> {
        schema::findings(&self.kept, &format!("{}\n{more}", self.config), false)
    }

    /// What the findings are where `role` runs `apply`.
    pub(crate) fn findings_as(&self, role: &str) -> Vec<sexton::schema::Finding> {
        schema::findings_as(role, &self.kept, &self.config, false)
    }
}

/// The same in every field, but for what `tests/differences.md` says of 23503.
fn same(one: Option<&ServerError>, other: Option<&ServerError>) -> bool {
    let is_child = |error: &ServerError| error.message.starts_with("insert or update on table");
    match (one, other) {
        // A new row that violates two foreign keys: either is named.
        (Some(one), Some(other)) if is_child(one) && is_child(other) => one.sqlstate == other.sqlstate,
        // SET DEFAULT to a key that goes in the same statement: seen from either side.
        (Some(one), Some(other)) if is_child(other) => {
            (&one.sqlstate, one.object('n')) == (&other.sqlstate, other.object('n'))
        }
        (one, other) => one == other,
    }
}

fn archive_of(table: &str) -> String {
    match table.strip_suffix('"') {
        Some(open) => format!("{open}_archive\""),
        None => format!("{table}_archive"),
    }
}

/// The error of a statement, without its position and hint.
fn outcome(connection: &mut Raw, sql: &str) -> Option<ServerError> {
    let error = connection.simple(sql).into_iter().find_map(|reply| reply.error)?;
    Some(ServerError { position: None, hint: None, ..error })
}
