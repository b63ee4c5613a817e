//! One PostgreSQL for the whole test binary, started by the first test that needs it.
//!
//! Statics are never dropped, and need not be: the server ends when the pipe to its keeper closes, which the end
//! of this process does, however it ends.

use std::sync::OnceLock;

use sexton::cli::demo::cluster::{Cluster, ClusterError, Options};

/// The shared server, or `None` where PostgreSQL is not installed: then the test named `test` says that it was
/// skipped. With `CI` set a missing PostgreSQL is a failure.
pub fn shared(test: &str) -> Option<&'static Cluster> {
    static SHARED: OnceLock<Option<Cluster>> = OnceLock::new();
    let cluster = SHARED.get_or_init(|| match Cluster::start(&Options::default()) {
        Ok(cluster) => Some(cluster),
        Err(ClusterError::NotInstalled) if std::env::var_os("CI").is_none() => None,
        Err(error) => panic!("{error}"),
    });
    if cluster.is_none() {
        eprintln!("skipped: {test}: PostgreSQL is not installed");
    }
    cluster.as_ref()
}
