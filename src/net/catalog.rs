//! Sexton's own connection to a database, and the snapshot it reads.
//!
//! Its search path is pinned and every name and operator is qualified: nothing a user created can be called in its name (P8).

use std::collections::HashMap;

use tokio_postgres::error::SqlState;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, IsolationLevel, Row, Statement};
use tokio_rustls::rustls::pki_types::CertificateDer;

use crate::catalog::{Column, ForeignKey, Relation, RelationKind, Snapshot};
use crate::config::Database;
use crate::net::own_login::log_in;
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
}

impl CatalogError {
    /// A reason in words.
    #[must_use]
    pub fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), is_absent: false }
    }
}

impl From<tokio_postgres::Error> for CatalogError {
    fn from(error: tokio_postgres::Error) -> Self {
        let message = match (error.as_db_error(), std::error::Error::source(&error)) {
            (Some(db), _) => format!("{} ({})", db.message(), db.code().code()),
            (None, Some(source)) => format!("{error}: {source}"),
            (None, None) => error.to_string(),
        };
        Self { message, is_absent: error.code() == Some(&SqlState::INVALID_CATALOG_NAME) }
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

/// What is asked about relations, prepared once: every DDL that comes through asks it again.
struct Questions {
    version: Statement,
    relations: Statement,
    columns: Statement,
    primary_keys: Statement,
    parents: Statement,
    reads: Statement,
    foreign_keys: Statement,
}

impl Questions {
    async fn prepare(client: &Client) -> Result<Self, tokio_postgres::Error> {
        Ok(Self {
            version: client.prepare(VERSION).await?,
            relations: client.prepare(RELATIONS).await?,
            columns: client.prepare(COLUMNS).await?,
            primary_keys: client.prepare(PRIMARY_KEYS).await?,
            parents: client.prepare(PARENTS).await?,
            reads: client.prepare(READS).await?,
            foreign_keys: client.prepare(FOREIGN_KEYS).await?,
        })
    }
}

/// The relations of interest: those of names `$1` and oids `$2`, their ancestors and descendants, and whatever shares a name with those.
///
/// Joined, where `= ANY` would do: the server compares every row of `pg_class` with every name of an array of texts.
const RELATIONS: &str = "
WITH RECURSIVE named AS (
    SELECT c.oid FROM pg_catalog.unnest($1::pg_catalog.text[]) w (name)
    JOIN pg_catalog.pg_class c ON c.relname OPERATOR(pg_catalog.=) w.name::pg_catalog.name
    UNION
    SELECT b.oid FROM pg_catalog.unnest($2::pg_catalog.oid[]) b (oid)
), up AS (
    SELECT oid FROM named
    UNION
    SELECT i.inhparent FROM pg_catalog.pg_inherits i JOIN up ON i.inhrelid OPERATOR(pg_catalog.=) up.oid
), down AS (
    SELECT oid FROM named
    UNION
    SELECT i.inhrelid FROM pg_catalog.pg_inherits i JOIN down ON i.inhparent OPERATOR(pg_catalog.=) down.oid
), views AS (
    SELECT oid FROM down
    UNION
    SELECT r.ev_class FROM views
    JOIN pg_catalog.pg_depend d ON d.refobjid OPERATOR(pg_catalog.=) views.oid
        AND d.refclassid OPERATOR(pg_catalog.=) 'pg_catalog.pg_class'::pg_catalog.regclass
        AND d.classid OPERATOR(pg_catalog.=) 'pg_catalog.pg_rewrite'::pg_catalog.regclass
    JOIN pg_catalog.pg_rewrite r ON r.oid OPERATOR(pg_catalog.=) d.objid
), family AS (
    SELECT c.relname FROM (SELECT oid FROM up UNION SELECT oid FROM views) member
    JOIN pg_catalog.pg_class c ON c.oid OPERATOR(pg_catalog.=) member.oid
    GROUP BY c.relname
)
SELECT c.oid, n.nspname::pg_catalog.text, c.relname::pg_catalog.text, c.relkind::pg_catalog.text
FROM family
JOIN pg_catalog.pg_class c ON c.relname OPERATOR(pg_catalog.=) family.relname
JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) c.relnamespace
WHERE c.relpersistence OPERATOR(pg_catalog.<>) 't'
ORDER BY c.oid";

const COLUMNS: &str = "
SELECT attrelid, attname::pg_catalog.text, pg_catalog.format_type(atttypid, atttypmod), attnotnull,
       attgenerated OPERATOR(pg_catalog.<>) ''
FROM pg_catalog.pg_attribute
WHERE attrelid OPERATOR(pg_catalog.=) ANY ($1::pg_catalog.oid[])
  AND attnum OPERATOR(pg_catalog.>) 0 AND NOT attisdropped
ORDER BY attrelid, attnum";

const PRIMARY_KEYS: &str = "
SELECT i.indrelid, a.attname::pg_catalog.text
FROM pg_catalog.pg_index i
CROSS JOIN LATERAL pg_catalog.unnest(i.indkey::pg_catalog.int2[]) WITH ORDINALITY k (attnum, place)
JOIN pg_catalog.pg_attribute a
  ON a.attrelid OPERATOR(pg_catalog.=) i.indrelid AND a.attnum OPERATOR(pg_catalog.=) k.attnum
WHERE i.indisprimary AND i.indrelid OPERATOR(pg_catalog.=) ANY ($1::pg_catalog.oid[])
ORDER BY i.indrelid, k.place";

const PARENTS: &str = "
SELECT inhrelid, inhparent FROM pg_catalog.pg_inherits
WHERE inhrelid OPERATOR(pg_catalog.=) ANY ($1::pg_catalog.oid[])
ORDER BY inhrelid, inhseqno";

const READS: &str = "
SELECT DISTINCT r.ev_class, d.refobjid FROM pg_catalog.pg_rewrite r
JOIN pg_catalog.pg_depend d ON d.objid OPERATOR(pg_catalog.=) r.oid
    AND d.classid OPERATOR(pg_catalog.=) 'pg_catalog.pg_rewrite'::pg_catalog.regclass
    AND d.refclassid OPERATOR(pg_catalog.=) 'pg_catalog.pg_class'::pg_catalog.regclass
WHERE r.ev_class OPERATOR(pg_catalog.=) ANY ($1::pg_catalog.oid[])
  AND r.ev_type OPERATOR(pg_catalog.=) '1'
  AND d.refobjid OPERATOR(pg_catalog.<>) r.ev_class
ORDER BY r.ev_class, d.refobjid";

const FOREIGN_KEYS: &str = "
SELECT c.conrelid, c.conname::pg_catalog.text, c.confrelid,
       ARRAY(SELECT a.attname::pg_catalog.text
             FROM pg_catalog.unnest(c.conkey) WITH ORDINALITY k (attnum, place)
             JOIN pg_catalog.pg_attribute a
               ON a.attrelid OPERATOR(pg_catalog.=) c.conrelid AND a.attnum OPERATOR(pg_catalog.=) k.attnum
             ORDER BY k.place),
       ARRAY(SELECT a.attname::pg_catalog.text
             FROM pg_catalog.unnest(c.confkey) WITH ORDINALITY k (attnum, place)
             JOIN pg_catalog.pg_attribute a
               ON a.attrelid OPERATOR(pg_catalog.=) c.confrelid AND a.attnum OPERATOR(pg_catalog.=) k.attnum
             ORDER BY k.place)
FROM pg_catalog.pg_constraint c
WHERE c.contype OPERATOR(pg_catalog.=) 'f' AND c.conrelid OPERATOR(pg_catalog.=) ANY ($1::pg_catalog.oid[])
ORDER BY c.conrelid, c.conname";

const VERSION: &str = "SELECT pg_catalog.current_setting('server_version_num')::pg_catalog.int4";

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
        client.batch_execute("SET search_path = pg_catalog").await?;
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
        let version: i32 = reading.query_one(&questions.version, &[]).await?.try_get(0)?;
        let mut relations = Vec::new();
        for row in reading.query(&questions.relations, &[&names, &bound_oids]).await? {
            relations.push(relation(&row)?);
        }
        let oids: Vec<u32> = relations.iter().map(|relation| relation.oid).collect();
        let index: HashMap<u32, usize> = oids.iter().enumerate().map(|(index, oid)| (*oid, index)).collect();
        let about: &[&(dyn ToSql + Sync)] = &[&oids];
        // Sent together, answered in order.
        let (columns, primary_keys, parents, reads, foreign_keys) = tokio::try_join!(
            reading.query(&questions.columns, about),
            reading.query(&questions.primary_keys, about),
            reading.query(&questions.parents, about),
            reading.query(&questions.reads, about),
            reading.query(&questions.foreign_keys, about),
        )?;
        for row in columns {
            if let Some(&at) = index.get(&row.try_get(0)?) {
                relations[at].columns.push(Column {
                    name: row.try_get(1)?,
                    type_name: row.try_get(2)?,
                    not_null: row.try_get(3)?,
                    generated: row.try_get(4)?,
                });
            }
        }
        for row in primary_keys {
            if let Some(&at) = index.get(&row.try_get(0)?) {
                relations[at].primary_key.push(row.try_get(1)?);
            }
        }
        for row in parents {
            if let Some(&at) = index.get(&row.try_get(0)?) {
                relations[at].parents.push(row.try_get(1)?);
            }
        }
        for row in reads {
            if let Some(&at) = index.get(&row.try_get(0)?) {
                relations[at].reads.push(row.try_get(1)?);
            }
        }
        for row in foreign_keys {
            if let Some(&at) = index.get(&row.try_get(0)?) {
                relations[at].foreign_keys.push(ForeignKey {
                    name: row.try_get(1)?,
                    references: row.try_get(2)?,
                    columns: row.try_get(3)?,
                    referenced: row.try_get(4)?,
                });
            }
        }
        reading.commit().await?;
        Ok(Snapshot::new(version.unsigned_abs(), relations))
    }
}

fn relation(row: &Row) -> Result<Relation, CatalogError> {
    let kind: String = row.try_get(3)?;
    Ok(Relation {
        oid: row.try_get(0)?,
        schema: row.try_get(1)?,
        name: row.try_get(2)?,
        kind: match kind.as_str() {
            "r" => RelationKind::Table,
            "p" => RelationKind::PartitionedTable,
            "v" => RelationKind::View,
            "m" => RelationKind::MaterializedView,
            "f" => RelationKind::ForeignTable,
            _ => RelationKind::Other,
        },
        columns: Vec::new(),
        primary_key: Vec::new(),
        parents: Vec::new(),
        reads: Vec::new(),
        foreign_keys: Vec::new(),
    })
}
