//! The connection of a command that looks into a database, or changes it, for the operator.

use std::time::Duration;

use tokio_postgres::error::SqlState;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, SimpleQueryMessage};

use crate::catalog::Snapshot;
use crate::config::Database;
use crate::net::catalog::{CatalogError, Reader};
use crate::net::upstream::Upstream;
use crate::rewrite::registry::Bound;

/// How soon the server notices that a command was killed, and stops what it was doing for it.
const CHECK_CLIENT_EVERY: &str = "2s";

/// The key of the advisory lock that one command at a time holds which changes a database: "sexton" in ASCII.
const ADVISORY_LOCK: i64 = 0x7365_7874_6F6E;

/// Why a statement failed, in the server's words.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct StatementError {
    /// Its SQLSTATE; `None` where the connection is gone.
    pub sqlstate: Option<String>,
    /// What went wrong.
    pub message: String,
    /// DETAIL
    pub detail: Option<String>,
    /// HINT
    pub hint: Option<String>,
}

impl From<tokio_postgres::Error> for StatementError {
    fn from(error: tokio_postgres::Error) -> Self {
        match error.as_db_error() {
            Some(db) => Self {
                sqlstate: Some(db.code().code().to_owned()),
                message: db.message().to_owned(),
                detail: db.detail().map(str::to_owned),
                hint: db.hint().map(str::to_owned),
            },
            None => Self { sqlstate: None, message: CatalogError::from(error).message, detail: None, hint: None },
        }
    }
}

/// What became of a question with a limit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Told {
    /// Its rows as text, one a line, columns between tabs.
    Rows(String),
    /// It took longer than it may.
    Late,
    /// The login may not ask it.
    Denied,
    /// It cannot be asked: SQLSTATE and message.
    Failed(String, String),
}

/// A connection.
pub struct Operator {
    reader: Reader,
}

impl Operator {
    /// Connects to `database`; must be called within a tokio runtime.
    ///
    /// # Errors
    /// No address answers, or the login is refused.
    pub async fn connect(upstream: &Upstream, database: &str) -> Result<Self, CatalogError> {
        let reader = Reader::connect(upstream, database).await?;
        let client = &reader.client;
        // Nothing that a user created is called in its name (P8), whatever the role's own settings are.
        let settings = format!(
            "SET search_path = pg_catalog, pg_temp; SET client_min_messages = warning; \
             SET standard_conforming_strings = on; SET client_connection_check_interval = '{CHECK_CLIENT_EVERY}'"
        );
        let set = client.batch_execute(&settings).await;
        // Some systems cannot check on clients: the last of them is refused there, and the others are in force.
        match set {
            Err(error) if error.code() != Some(&SqlState::INVALID_PARAMETER_VALUE) => Err(error.into()),
            Err(_) => {
                let rest = settings.rsplit_once(';').map_or("", |(rest, _)| rest);
                client.batch_execute(rest).await.map_err(CatalogError::from)
            }
            Ok(()) => Ok(()),
        }?;
        Ok(Self { reader })
    }

    fn client(&self) -> &Client {
        &self.reader.client
    }

    /// Reads what `database`'s configuration needs to know of the catalog.
    ///
    /// # Errors
    /// The server's.
    pub async fn snapshot(&mut self, database: &Database) -> Result<Snapshot, CatalogError> {
        self.reader.snapshot(database, &Bound::default()).await
    }

    /// The one text that `sql` answers with.
    ///
    /// # Errors
    /// The server's.
    pub async fn text(&self, sql: &str, parameters: &[&(dyn ToSql + Sync)]) -> Result<String, CatalogError> {
        Ok(self.client().query_one(sql, parameters).await?.try_get(0)?)
    }

    /// What `sql` answers with, where it does so within `limit`, without writing anything and without any policy, which
    /// would hide rows and run as whoever asks.
    ///
    /// # Errors
    /// The connection is gone.
    pub async fn ask(&self, sql: &str, limit: Duration) -> Result<Told, CatalogError> {
        let milliseconds = limit.as_millis();
        let guarded = format!(
            "BEGIN READ ONLY; SET LOCAL row_security = off; SET LOCAL statement_timeout = {milliseconds}; SET LOCAL lock_timeout = {milliseconds}; \
             SET LOCAL constraint_exclusion = on; {sql}; ROLLBACK"
        );
        match self.client().simple_query(&guarded).await {
            Ok(messages) => Ok(Told::Rows(rows(&messages))),
            Err(error) => {
                self.client().batch_execute("ROLLBACK").await?;
                match error.code() {
                    Some(&SqlState::QUERY_CANCELED | &SqlState::LOCK_NOT_AVAILABLE) => Ok(Told::Late),
                    Some(&SqlState::INSUFFICIENT_PRIVILEGE) => Ok(Told::Denied),
                    Some(sqlstate) if !self.client().is_closed() => {
                        let message = error.as_db_error().map_or_else(String::new, |db| db.message().to_owned());
                        Ok(Told::Failed(sqlstate.code().to_owned(), message))
                    }
                    _ => Err(error.into()),
                }
            }
        }
    }

    /// Runs statements, all of them or none where they are within BEGIN and COMMIT.
    ///
    /// # Errors
    /// The server's; a transaction that was open is ended.
    pub async fn run(&self, sql: &str) -> Result<(), StatementError> {
        match self.client().batch_execute(sql).await {
            Ok(()) => Ok(()),
            Err(error) => {
                // What it answers with is no news: the connection may be gone.
                drop(self.client().batch_execute("ROLLBACK").await);
                Err(error.into())
            }
        }
    }

    /// True where this connection now holds the lock that one command at a time holds; it lets go when it ends.
    ///
    /// # Errors
    /// The server's.
    pub async fn lock(&self) -> Result<bool, CatalogError> {
        let sql = "SELECT pg_catalog.pg_try_advisory_lock($1)";
        Ok(self.client().query_one(sql, &[&ADVISORY_LOCK]).await?.try_get(0)?)
    }
}

fn rows(messages: &[SimpleQueryMessage]) -> String {
    let lines: Vec<String> = messages
        .iter()
        .filter_map(|message| match message {
            SimpleQueryMessage::Row(row) => {
                let columns: Vec<&str> = (0..row.len()).map(|column| row.get(column).unwrap_or_default()).collect();
                Some(columns.join("\t"))
            }
            _ => None,
        })
        .collect();
    lines.join("\n")
}
