//! Whom a command waits for: a step that builds an index CONCURRENTLY waits for every transaction that is older than it,
//! and a question for whoever has locked a table against all others.

use std::time::Duration;

use crate::cli::progress::Progress;
use crate::net::operator::{Operator, Told};

/// How long a step may take before it is asked what it waits for, and how often it is asked again.
const ASK_EVERY: Duration = Duration::from_secs(5);
/// How long the question may take.
const QUESTION_TIMEOUT: Duration = Duration::from_secs(2);

/// A session of `pg_stat_activity a`. What others run is not shown to every role, and not told here: it may hold values.
const SESSION: &str = "'process ' || a.pid || ' (' || concat_ws(', ', a.usename, nullif(a.application_name, ''), a.state, \
                       'since ' || a.xact_start::pg_catalog.timestamptz(0)) || ')'";

/// Which tables and indexes are locked against every reader, and by whom, one a line: `public.users by process …`.
pub(super) async fn locked(operator: &Operator) -> String {
    let sql = format!(
        "SELECT DISTINCT pg_catalog.format('%I.%I by %s', n.nspname, c.relname, {SESSION}) \
         FROM pg_catalog.pg_locks l \
         JOIN pg_catalog.pg_stat_activity a ON a.pid = l.pid AND a.pid <> pg_catalog.pg_backend_pid() \
         JOIN pg_catalog.pg_class c ON c.oid = l.relation \
         JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace AND n.nspname !~ '^pg_' \
         WHERE l.mode = 'AccessExclusiveLock' AND l.granted AND a.datname = pg_catalog.current_database() ORDER BY 1"
    );
    match operator.ask(&sql, QUESTION_TIMEOUT).await {
        Ok(Told::Rows(rows)) => rows,
        _ => String::new(),
    }
}

/// Says who keeps the backend `pid` waiting, each time that is somebody else; ends only with whoever waits for it.
pub(super) async fn tell(witness: &Operator, pid: &str, progress: &Progress) {
    let sql = format!(
        "SELECT {SESSION} FROM pg_catalog.pg_stat_activity a WHERE a.pid = ANY (pg_catalog.pg_blocking_pids({pid})) ORDER BY a.xact_start"
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
