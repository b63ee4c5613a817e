//! The configuration resolved against a catalog snapshot: which relations are registered, and what deletion means there.

use std::sync::Arc;

use crate::catalog::Snapshot;
use crate::config::Database;

/// Something the database lacks, or has too much of, for the configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Stops `serve`; otherwise a warning.
    pub fatal: bool,
    /// Line of the table's section in the configuration file.
    pub line: usize,
    /// The table and key at fault, such as `public.users: column`.
    pub key: String,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub mend: String,
}

/// Everything rewriting knows about one database: configuration and catalog together, unchanging once built.
#[derive(Debug)]
pub struct Registry {
    /// Counts the snapshots: plans made under another generation are made again.
    pub generation: u64,
}

impl Registry {
    /// Resolves `database` against `snapshot`; what does not fit is in the findings.
    #[must_use]
    pub fn build(_database: &Arc<Database>, _snapshot: Arc<Snapshot>, generation: u64) -> (Self, Vec<Finding>) {
        (Self { generation }, Vec::new())
    }

    /// Resolves `database` without a server: the catalog is taken to be what the configuration says.
    #[must_use]
    pub fn offline(database: &Arc<Database>) -> (Self, Vec<Finding>) {
        Self::build(database, Arc::new(Snapshot::default()), 0)
    }
}
