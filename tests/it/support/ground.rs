//! What most tests over the wire stand on: a database with a schema, and Sexton in front of it.

use sexton::cli::demo::cluster::Cluster;

use super::cluster;
use super::database::Database;
use super::raw::{Raw, query_bytes};
use super::sexton::Sexton;

/// A database and the Sexton that serves it.
#[derive(Debug)]
pub struct Ground {
    /// The proxy.
    pub sexton: Sexton,
    /// What stands behind it.
    pub database: Database,
}

impl Ground {
    /// A new database made by `schema`, served with `config`; `None` where the test named `test` is skipped.
    pub fn new(test: &str, schema: &str, config: &str) -> Option<Self> {
        let prefix = test.split(':').next().unwrap_or("ground");
        let database = Database::create(cluster::shared(test)?, prefix);
        database.run(schema);
        Some(Self { sexton: Sexton::start(database.port, config), database })
    }

    /// A connection through Sexton.
    pub fn connect(&self) -> Raw {
        self.sexton.connect(Cluster::SUPERUSER, &self.database.name)
    }

    /// The rows of a query past Sexton.
    pub fn directly(&self, sql: &str) -> Vec<Vec<String>> {
        self.database.direct().expect(sql)[0].texts()
    }
}

/// Sends messages and gives the bodies of all answers up to ReadyForQuery as one text.
pub fn answered(connection: &mut Raw, messages: &[Vec<u8>]) -> String {
    connection.send(&messages.concat()).expect("it can be sent");
    let mut text = String::new();
    loop {
        let (kind, body) = connection.read_message().expect("an answer");
        text.push_str(&String::from_utf8_lossy(&body));
        if kind == b'Z' {
            return text;
        }
    }
}

/// As [`answered`], of one Query in whatever encoding.
pub fn answered_bytes(connection: &mut Raw, sql: &[u8]) -> String {
    answered(connection, &[query_bytes(sql)])
}
