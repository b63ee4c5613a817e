//! Sexton's own connection to a database, and the snapshot it reads.
//!
//! Its search path is pinned, as the names in its questions are: nothing a user created can be called in its name (P8).

use std::collections::HashMap;

use tokio_postgres::error::SqlState;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, IsolationLevel, Row, Transaction};
use tokio_rustls::rustls::pki_types::CertificateDer;

use crate::catalog::{
    Column, ForeignKey, OwnFunction, OwnObjects, OwnTrigger, Referencing, Relation, RelationKind, RowSecurity,
    Snapshot, UniqueIndex,
};
use crate::config::Database;
use crate::net::own_login::log_in;
use crate::net::questions::Questions;
use crate::net::roles::RoleQuestions;
use crate::net::upstream::{Upstream, describe};
use crate::rewrite::registry::Bound;

/// The catalog cannot be read: why, in the server's words where it gave any.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct CatalogError {
    /// What went wrong.
    pub message: String,
    /// There is no such database.
    pub is_absent: bool,
    /// A lock was not to be had in time.
    pub is_locked: bool,
}

impl CatalogError {
    /// What to do about a database that cannot be reached.
    #[must_use]
    pub fn mend(&self) -> &'static str {
        match self.is_absent {
            true => "create it, or correct its name in the configuration",
            false => "look at upstream.address, upstream.user and upstream.password, and that the server runs",
        }
    }

    /// A reason in words.
    #[must_use]
    pub fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), is_absent: false, is_locked: false }
    }
}

impl From<tokio_postgres::Error> for CatalogError {
    fn from(error: tokio_postgres::Error) -> Self {
        let message = match (error.as_db_error(), std::error::Error::source(&error)) {
            (Some(db), _) => format!("{} ({})", db.message(), db.code().code()),
            (None, Some(source)) => format!("{error}: {source}"),
            (None, None) => error.to_string(),
        };
        Self {
            message,
            is_absent: error.code() == Some(&SqlState::INVALID_CATALOG_NAME),
            is_locked: error.code() == Some(&SqlState::LOCK_NOT_AVAILABLE),
        }
    }
}

/// A connection that reads the catalog of one database.
pub struct Reader {
    pub(super) client: Client,
    /// What the server has shown, where it was reached over TLS.
    pub(super) certificate: Option<CertificateDer<'static>>,
    questions: Questions,
    /// Prepared when first used: every session that starts asks them.
    pub(super) role_questions: Option<RoleQuestions>,
}

impl Reader {
    /// Connects to `database` with Sexton's own login; must be called within a tokio runtime.
    ///
    /// # Errors
    /// No address answers, or the login is refused.
    pub async fn connect(upstream: &Upstream, database: &str) -> Result<Self, CatalogError> {
        let settings = &upstream.settings;
        let stream = upstream.connect().await.map_err(|error| CatalogError::new(error.to_string()))?;
        let certificate = stream.peer_certificate().cloned();
        let (client, connection) = log_in(stream, settings, database).await.map_err(|error| {
            let places: Vec<String> = settings.addresses.iter().map(describe).collect();
            CatalogError { message: format!("{}: {}", places.join(", "), error.message), ..error }
        })?;
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(%error, "Sexton's own connection ended");
            }
        });
        // Not by startup option: reset_val must stay what the server gives everybody (see `role_facts`).
        // Compiling the questions would take longer than answering them.
        client.batch_execute("SET search_path = pg_catalog; SET jit = off").await?;
        let questions = Questions::prepare(&client).await?;
        Ok(Self { client, certificate, questions, role_questions: None })
    }

    /// True where the connection has ended.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.client.is_closed()
    }

    /// Reads what `database`'s configuration needs to know, at one moment; `bound`: the tables it was bound to before.
    ///
    /// # Errors
    /// The server's.
    pub async fn snapshot(&mut self, database: &Database, bound: &Bound) -> Result<Snapshot, CatalogError> {
        let names: Vec<&str> = database.relation_names().collect();
        let bound_oids: Vec<u32> = bound.values().flatten().copied().collect();
        let Self { client, questions, certificate: _, role_questions: _ } = self;
        let builder = client.build_transaction().isolation_level(IsolationLevel::RepeatableRead).read_only(true);
        let reading = builder.start().await?;
        let wanted: &[&(dyn ToSql + Sync)] = &[&names, &bound_oids];
        let (version, rows) =
            tokio::try_join!(reading.query_one(&questions.version, &[]), reading.query(&questions.relations, wanted),)?;
        let version: i32 = version.try_get(0)?;
        let mut relations = Vec::new();
        for row in rows {
            relations.push(relation(&row)?);
        }
        let own = describe_relations(&reading, questions, &mut relations).await?;
        reading.commit().await?;
        Ok(Snapshot::new(version.unsigned_abs(), relations).with_own(own))
    }
}

/// Reads what is to be known of each relation, and what schema `sexton` holds.
async fn describe_relations(
    reading: &Transaction<'_>,
    questions: &Questions,
    relations: &mut [Relation],
) -> Result<OwnObjects, CatalogError> {
    let oids: Vec<u32> = relations.iter().map(|relation| relation.oid).collect();
    let about: &[&(dyn ToSql + Sync)] = &[&oids];
    // Sent together, answered in order: the first that fails says why the others do.
    let (columns, primary_keys, parents, reads, foreign_keys, referencing, unique_indexes, triggers, functions) = tokio::try_join!(
        biased;
        reading.query(&questions.columns, about),
        reading.query(&questions.primary_keys, about),
        reading.query(&questions.parents, about),
        reading.query(&questions.reads, about),
        reading.query(&questions.foreign_keys, about),
        reading.query(&questions.referencing, about),
        reading.query(&questions.unique_indexes, about),
        reading.query(&questions.own_triggers, &[]),
        reading.query(&questions.own_functions, &[]),
    )?;
    let index: HashMap<u32, usize> = oids.iter().enumerate().map(|(index, oid)| (*oid, index)).collect();
    let mut spread = |rows: Vec<Row>, put: fn(&mut Relation, &Row) -> Result<(), tokio_postgres::Error>| {
        rows.iter().try_for_each(|row| match index.get(&row.try_get(0)?) {
            Some(&at) => put(&mut relations[at], row),
            None => Ok(()),
        })
    };
    spread(columns, |relation, row| column(row).map(|column| relation.columns.push(column)))?;
    spread(primary_keys, |relation, row| row.try_get(1).map(|name| relation.primary_key.push(name)))?;
    spread(parents, |relation, row| row.try_get(1).map(|oid| relation.parents.push(oid)))?;
    spread(reads, |relation, row| row.try_get(1).map(|oid| relation.reads.push(oid)))?;
    spread(foreign_keys, |relation, row| foreign_key(row).map(|key| relation.foreign_keys.push(key)))?;
    spread(referencing, |relation, row| referring(row).map(|other| relation.referencing.push(other)))?;
    spread(unique_indexes, |relation, row| unique_index(row).map(|index| relation.unique_indexes.push(index)))?;
    Ok(OwnObjects {
        triggers: triggers.iter().map(own_trigger).collect::<Result<_, _>>()?,
        functions: functions.iter().map(own_function).collect::<Result<_, _>>()?,
    })
}

fn column(row: &Row) -> Result<Column, tokio_postgres::Error> {
    Ok(Column {
        name: row.try_get(1)?,
        type_name: row.try_get(2)?,
        not_null: row.try_get(3)?,
        generated_from: row.try_get(4)?,
        is_identity_always: row.try_get(5)?,
    })
}

fn foreign_key(row: &Row) -> Result<ForeignKey, tokio_postgres::Error> {
    Ok(ForeignKey {
        name: row.try_get(1)?,
        references: row.try_get(2)?,
        columns: row.try_get(3)?,
        referenced: row.try_get(4)?,
    })
}

fn referring(row: &Row) -> Result<Referencing, tokio_postgres::Error> {
    Ok(Referencing { oid: row.try_get(1)?, schema: row.try_get(2)?, name: row.try_get(3)?, key: row.try_get(4)? })
}

fn unique_index(row: &Row) -> Result<UniqueIndex, tokio_postgres::Error> {
    Ok(UniqueIndex {
        name: row.try_get(1)?,
        keys: row.try_get(2)?,
        is_partial: row.try_get(3)?,
        is_constraint: row.try_get(4)?,
    })
}

fn own_function(row: &Row) -> Result<OwnFunction, tokio_postgres::Error> {
    Ok(OwnFunction { signature: row.try_get(0)?, owner: row.try_get(1)?, is_trusted: row.try_get(2)? })
}

fn own_trigger(row: &Row) -> Result<OwnTrigger, tokio_postgres::Error> {
    Ok(OwnTrigger {
        table: row.try_get(0)?,
        schema: row.try_get(1)?,
        name: row.try_get(2)?,
        is_deferrable: row.try_get(3)?,
        table_name: row.try_get(4)?,
    })
}

fn relation(row: &Row) -> Result<Relation, CatalogError> {
    let kind: String = row.try_get(3)?;
    let kind = match kind.as_str() {
        "r" => RelationKind::Table,
        "p" => RelationKind::PartitionedTable,
        "v" => RelationKind::View,
        "m" => RelationKind::MaterializedView,
        "f" => RelationKind::ForeignTable,
        _ => RelationKind::Other,
    };
    let row_security = match (row.try_get(5)?, row.try_get(6)?) {
        (false, _) => RowSecurity::Off,
        (true, false) => RowSecurity::Alike,
        (true, true) => RowSecurity::Apart,
    };
    let named = Relation::named(row.try_get(0)?, row.try_get(1)?, row.try_get(2)?, kind);
    Ok(Relation { owner: row.try_get(4)?, row_security, ..named })
}
