//! Whom a step waits for: an index that is built CONCURRENTLY waits for every transaction that is older than it.

use std::time::Duration;

use crate::cli::progress::Progress;
use crate::net::operator::{Operator, Told};

/// How long a step may take before it is asked what it waits for, and how often it is asked again.
const ASK_EVERY: Duration = Duration::from_secs(5);
/// How long the question may take.
const QUESTION_TIMEOUT: Duration = Duration::from_secs(2);

/// Says who keeps the backend `pid` waiting, each time that is somebody else; ends only with whoever waits for it.
pub(super) async fn tell(witness: &Operator, pid: &str, progress: &Progress) {
    // What others run is not shown to every role, and not told here: it may hold values.
    let sql = format!(
        "SELECT 'process ' || a.pid || ' (' || concat_ws(', ', a.usename, nullif(a.application_name, ''), a.state, \
         'since ' || a.xact_start::pg_catalog.timestamptz(0)) || ')' \
         FROM pg_catalog.pg_stat_activity a WHERE a.pid = ANY (pg_catalog.pg_blocking_pids({pid})) ORDER BY a.xact_start"
    );
    let mut said = String::new();
    loop {
        tokio::time::sleep(ASK_EVERY).await;
        if let Ok(Told::Rows(rows)) = witness.ask(&sql, QUESTION_TIMEOUT).await
            && !rows.is_empty()
            && rows != said
        {
            progress.say(&format!("  waits for the transaction of {}", rows.replace('\n', ", ")));
            said = rows;
        }
    }
}
