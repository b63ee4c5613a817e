//! The guard against unregistering: a configuration under which deleted rows would be seen again is not served.
//!
//! What tables have been scoped by is known from the configuration that runs, and across starts from `sexton.tables`,
//! which `serve` keeps. What would be seen is counted over Sexton's own connection, within limits of time; where it
//! cannot be counted, the answer is the same as for rows that are there.

use std::time::Duration;

use tokio::time::{Instant, timeout};
use tokio_postgres::SimpleQueryMessage;
use tokio_postgres::error::SqlState;

use crate::config::Database;
use crate::net::catalog::{CatalogError, Reader};
use crate::rewrite::policy::quote_name;
use crate::rewrite::{Finding, Registry};
use crate::schema::finding::with_commas;
use crate::sql::ident::{literal, quote_qualified};
use crate::sql::predicate::Predicate;

/// How long it may take to tell whether there is a row that would be seen.
const LOOK_TIMEOUT: Duration = Duration::from_secs(10);
/// How long they may be counted.
const COUNT_TIMEOUT: Duration = Duration::from_secs(5);
/// They are counted up to each of these first: what is counted when the time runs out is said.
const COUNTED: [&str; 3] = ["10000", "1000000", "ALL"];

/// What a table has been scoped by.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Standing {
    oid: u32,
    /// What has held for live rows.
    live: String,
    /// `schema.table`, quoted where needed.
    relation: String,
    strategy: String,
    archive: Option<String>,
}

impl Standing {
    /// True where the same rows of the same table have been hidden.
    pub(super) fn is_like(&self, other: &Self) -> bool {
        (self.oid, &self.live) == (other.oid, &other.live)
    }
}

/// What `registry` scopes, as `database` configures it.
pub(super) fn standings(registry: &Registry, database: &Database) -> Vec<Standing> {
    let scoped = registry.scoped().filter_map(|(relation, policy)| {
        let settings = database.tables.iter().find(|table| table.name == policy.table)?;
        Some(Standing {
            oid: relation.oid,
            relation: quote_qualified(&relation.schema, &relation.name),
            live: policy.live.as_ref()?.plain(),
            strategy: policy.strategy.word().to_owned(),
            archive: settings.archive.as_ref().map(quote_name),
        })
    });
    let mut standings: Vec<Standing> = scoped.collect();
    standings.sort_unstable();
    standings
}

/// What is known of `sexton.tables`.
pub(super) enum Recorded {
    Rows {
        /// Those of tables that are there.
        standings: Vec<Standing>,
        /// The names in all of them.
        relations: Vec<String>,
    },
    /// It cannot be read, or should not be: why.
    Unknown(&'static str),
}

/// How many rows would be seen again.
enum Seen {
    Nothing,
    Exactly(u64),
    AtLeast(u64),
    Untold(String),
}

/// Whether `sexton.tables` is there, may be read and written by Sexton's own login, and belongs to somebody who need not
/// be mistrusted: what it holds is run in that login's name.
const PLACE: &str = "
SELECT r.rolsuper OR r.oid OPERATOR(pg_catalog.=) d.datdba OR r.rolname OPERATOR(pg_catalog.=) SESSION_USER,
       pg_catalog.has_schema_privilege(n.oid, 'USAGE') AND pg_catalog.has_table_privilege(c.oid, 'SELECT')
FROM pg_catalog.pg_namespace n
JOIN pg_catalog.pg_class c ON c.relnamespace OPERATOR(pg_catalog.=) n.oid
JOIN pg_catalog.pg_roles r ON r.oid OPERATOR(pg_catalog.=) c.relowner
JOIN pg_catalog.pg_database d ON d.datname OPERATOR(pg_catalog.=) pg_catalog.current_database()
WHERE n.nspname OPERATOR(pg_catalog.=) 'sexton' AND c.relname OPERATOR(pg_catalog.=) 'tables'
  AND c.relkind OPERATOR(pg_catalog.=) 'r'";

/// The relations of each row are the one of its name and the one that had it: renamed, while another took its name. A view
/// is one only where no table is.
const RECORDED: &str = "
SELECT c.oid, t.relation, t.live, t.strategy, t.archive
FROM sexton.tables AS t, LATERAL (
    SELECT pg_catalog.to_regclass(t.relation)::pg_catalog.oid,
           (pg_catalog.to_jsonb(t) OPERATOR(pg_catalog.->>) 'oid')::pg_catalog.oid
) AS known (named, noted)
LEFT JOIN LATERAL (
    SELECT c.oid FROM pg_catalog.pg_class AS c
    WHERE c.oid OPERATOR(pg_catalog.=) ANY (ARRAY[known.named, known.noted])
      AND c.relkind OPERATOR(pg_catalog.=) ANY ('{r,p,f,m,v}')
    ORDER BY c.relkind OPERATOR(pg_catalog.=) ANY ('{m,v}') FETCH FIRST ROW WITH TIES
) AS c ON true
ORDER BY t.relation";

/// What stands there already is not touched.
const RECORD: &str = "
INSERT INTO sexton.tables AS t (relation, live, strategy, archive, oid)
SELECT * FROM ROWS FROM (
    pg_catalog.unnest($1::pg_catalog.text[]), pg_catalog.unnest($2::pg_catalog.text[]),
    pg_catalog.unnest($3::pg_catalog.text[]), pg_catalog.unnest($4::pg_catalog.text[]),
    pg_catalog.unnest($5::pg_catalog.oid[])) AS r (relation, live, strategy, archive, oid)
WHERE NOT EXISTS (
    SELECT FROM sexton.tables AS k
    WHERE (k.relation, k.live, k.strategy, k.archive, k.oid)
          IS NOT DISTINCT FROM (r.relation, r.live, r.strategy, r.archive, r.oid))
ON CONFLICT (relation) DO UPDATE
SET live = excluded.live, strategy = excluded.strategy, archive = excluded.archive, oid = excluded.oid,
    recorded_at = pg_catalog.now()";

const FORGET: &str = "
DELETE FROM sexton.tables WHERE relation OPERATOR(pg_catalog.=) ANY ($2::pg_catalog.text[])
AND relation OPERATOR(pg_catalog.<>) ALL ($1::pg_catalog.text[])";

impl Reader {
    /// What `sexton.tables` says.
    ///
    /// # Errors
    /// The server's.
    pub(super) async fn recorded(&mut self) -> Result<Recorded, CatalogError> {
        let Some(place) = self.client.query_opt(PLACE, &[]).await? else {
            return Ok(Recorded::Unknown("it is not there"));
        };
        match (place.try_get(0)?, place.try_get(1)?) {
            (false, _) => {
                return Ok(Recorded::Unknown(
                    "it belongs neither to a superuser nor to the database's owner nor to Sexton's own login",
                ));
            }
            (true, false) => return Ok(Recorded::Unknown("Sexton's own login may not read it")),
            (true, true) => {}
        }
        let (mut standings, mut relations) = (Vec::new(), Vec::new());
        for row in self.client.query(RECORDED, &[]).await? {
            relations.push(row.try_get(1)?);
            let Some(oid) = row.try_get(0)? else { continue };
            standings.push(Standing {
                oid,
                relation: row.try_get(1)?,
                live: row.try_get(2)?,
                strategy: row.try_get(3)?,
                archive: row.try_get(4)?,
            });
        }
        Ok(Recorded::Rows { standings, relations })
    }

    /// Notes `standings` in `sexton.tables`, and forgets those among `others` that are not among them. What else is there
    /// has been noted meanwhile, or is another proxy's.
    ///
    /// # Errors
    /// The server's.
    pub(super) async fn record(&mut self, standings: &[Standing], others: &[String]) -> Result<(), CatalogError> {
        let texts = |text: fn(&Standing) -> &str| standings.iter().map(text).collect::<Vec<&str>>();
        let relations = texts(|standing| &standing.relation);
        let (live, strategies) = (texts(|standing| &standing.live), texts(|standing| &standing.strategy));
        let archives: Vec<Option<&str>> = standings.iter().map(|standing| standing.archive.as_deref()).collect();
        let oids: Vec<u32> = standings.iter().map(|standing| standing.oid).collect();
        let writing = self.client.transaction().await?;
        if !others.is_empty() {
            writing.execute(FORGET, &[&relations, &others]).await?;
        }
        writing.execute(RECORD, &[&relations, &live, &strategies, &archives, &oids]).await?;
        Ok(writing.commit().await?)
    }

    /// The tables of `standings` whose deleted rows would be seen under `registry`, each as a finding.
    ///
    /// # Errors
    /// The connection's.
    pub(super) async fn unhidden(
        &mut self,
        standings: &[Standing],
        registry: &Registry,
        database: &Database,
        name: &str,
    ) -> Result<Vec<Finding>, CatalogError> {
        let mut findings = Vec::new();
        for standing in standings {
            let entry = registry.by_oid(standing.oid).and_then(|entry| entry.registered());
            // What is broken is refused for that.
            if entry.is_some_and(|policy| policy.fault.is_some()) {
                continue;
            }
            let live = entry.and_then(|policy| policy.live.as_ref()).map(Predicate::plain);
            if live.as_ref() == Some(&standing.live) {
                continue;
            }
            let Some(relation) = self.relation(standing.oid).await? else { continue };
            let seen = self.seen(&relation, &standing.live, live.as_deref()).await?;
            let section = database.tables.iter().find(|table| quote_name(&table.name) == relation);
            let line = section.map_or(0, |table| table.line);
            findings.extend(seen.finding(&relation, standing, live.is_some(), (name, line)));
        }
        Ok(findings)
    }

    /// What the relation is called now; `None` where it is gone.
    async fn relation(&mut self, oid: u32) -> Result<Option<String>, CatalogError> {
        let sql = "SELECT n.nspname::pg_catalog.text, c.relname::pg_catalog.text FROM pg_catalog.pg_class c \
                   JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) c.relnamespace \
                   WHERE c.oid OPERATOR(pg_catalog.=) $1";
        let Some(row) = self.client.query_opt(sql, &[&oid]).await? else { return Ok(None) };
        Ok(Some(quote_qualified(row.try_get(0)?, row.try_get(1)?)))
    }

    /// The rows that `old` has hidden and `new` would not.
    async fn seen(&mut self, relation: &str, old: &str, new: Option<&str>) -> Result<Seen, CatalogError> {
        if let Err(fault) = Predicate::compile(old) {
            return Ok(Seen::Untold(format!("\"{old}\" is no predicate: {fault}")));
        }
        let and = new.map(|new| format!(" AND ({new}) IS TRUE")).unwrap_or_default();
        let from = format!("FROM {relation} WHERE ({old}) IS NOT TRUE{and}");
        // A table whose rows policies hide from Sexton's login is one that it cannot count.
        let head = "BEGIN READ ONLY; SET LOCAL row_security = off;";
        match self.number(head, &format!("SELECT count(*) FROM (SELECT {from} LIMIT 1) AS r"), LOOK_TIMEOUT).await? {
            Ok(0) => return Ok(Seen::Nothing),
            Ok(_) => {}
            Err(why) => return Ok(Seen::Untold(why)),
        }
        let deadline = Instant::now() + COUNT_TIMEOUT;
        let mut counted = 1;
        for limit in COUNTED {
            let left = deadline.saturating_duration_since(Instant::now()).max(Duration::from_millis(1));
            let sql = format!("SELECT count(*) FROM (SELECT {from} LIMIT {limit}) AS r");
            match self.number(head, &sql, left).await? {
                Ok(number) if number.to_string() != limit => return Ok(Seen::Exactly(number)),
                Ok(number) => counted = number,
                Err(_) => break,
            }
        }
        Ok(Seen::AtLeast(counted))
    }

    /// What a query answers within `limit`, or why it does not.
    async fn number(&mut self, head: &str, sql: &str, limit: Duration) -> Result<Result<u64, String>, CatalogError> {
        let text = format!("{head} SET LOCAL statement_timeout = {}; {sql}", limit.as_millis());
        // The server ends it by itself, unless it is not there any more.
        let asked = timeout(limit + LOOK_TIMEOUT, self.client.simple_query(&text)).await;
        let asked = asked.map_err(|_| CatalogError::new(format!("no answer within {} s", limit.as_secs())))?;
        let answer = match asked {
            Ok(messages) => {
                let number = messages.iter().find_map(|message| match message {
                    SimpleQueryMessage::Row(row) => row.get(0)?.parse::<u64>().ok(),
                    _ => None,
                });
                number.ok_or_else(|| "the server gave no number".to_owned())
            }
            Err(error) if error.code() == Some(&SqlState::QUERY_CANCELED) => {
                Err(format!("it takes longer than {} s", limit.as_secs()))
            }
            Err(error) if error.as_db_error().is_some() => Err(CatalogError::from(error).message),
            Err(error) => return Err(error.into()),
        };
        self.client.batch_execute("ROLLBACK").await?;
        Ok(answer)
    }
}

impl Seen {
    /// What is to be said of a table; `scoped`: the configuration scopes it, by another predicate.
    fn finding(self, relation: &str, standing: &Standing, scoped: bool, place: (&str, usize)) -> Option<Finding> {
        let live = &standing.live;
        let keep = match scoped {
            true => format!("keep a `column` or `live` that hides them, as `{live}` did"),
            false => format!("keep its section, and with it `{live}` as its `column` or `live`"),
        };
        let holds = |number: String| {
            let message = format!("{relation} holds {number} that would become visible");
            let mend = format!(
                "{keep}; or, while it is kept, let a role in access.hard_delete remove them for good (DELETE in scope \
                 `deleted`), or one in access.see_deleted undelete them"
            );
            (message, mend)
        };
        let (message, mend) = match self {
            Self::Nothing => return None,
            Self::Exactly(1) => holds("1 deleted row".to_owned()),
            Self::Exactly(number) => holds(format!("{} deleted rows", with_commas(&number.to_string()))),
            Self::AtLeast(number) => holds(format!("at least {} deleted rows", with_commas(&number.to_string()))),
            // A marker that is gone hides nothing any more, but only the operator knows that it has not been renamed.
            Self::Untold(why) => (
                format!("it cannot be told whether {relation} holds deleted rows that would become visible: {why}"),
                format!(
                    "{keep}; or let Sexton's own login read the table; or, where nothing is to be hidden any more, \
                     DELETE FROM sexton.tables WHERE relation = {}",
                    literal(&standing.relation)
                ),
            ),
        };
        let (database, line) = place;
        Some(Finding { fatal: true, line, key: format!("databases.{database}"), message, mend })
    }
}
