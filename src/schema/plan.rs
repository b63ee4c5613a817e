//! The steps of `sexton apply` in an order in which each finds what it needs, and as a script for psql.

use serde::Serialize;

use crate::config::UpstreamAddress;
use crate::schema::{Finding, Step};

/// How long a step may wait for a lock, while others queue behind it.
pub const LOCK_TIMEOUT: &str = "2s";
/// How long a step in a transaction may hold what it has locked. One that stands alone locks out no query and takes its time.
pub const STATEMENT_TIMEOUT: &str = "60s";
/// The search path of every step: what a step calls is qualified, or the server's own.
pub const SEARCH_PATH: &str = "pg_catalog, pg_temp";

/// What runs together: one transaction, or one statement outside of any.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Batch {
    /// Its steps, in order; one where they are no transaction.
    pub steps: Vec<Step>,
    /// They share a transaction.
    pub is_transactional: bool,
}

/// Everything that `apply` does in one database.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Plan {
    /// In the order in which they run.
    pub batches: Vec<Batch>,
}

impl Plan {
    /// The steps of `findings`, in their order. What a finding needs in transactions shares one as far as it can: others'
    /// locks are not held longer for it.
    #[must_use]
    pub fn new(findings: &[Finding]) -> Self {
        let mut batches: Vec<Batch> = Vec::new();
        let mut known: Vec<&str> = Vec::new();
        for finding in findings {
            let mut joins = false;
            for step in &finding.steps {
                // Several findings may need the same schema or function.
                if known.contains(&step.sql.as_str()) {
                    continue;
                }
                match batches.last_mut().filter(|_| joins && step.is_transactional) {
                    Some(batch) => batch.steps.push(step.clone()),
                    None => batches.push(Batch { steps: vec![step.clone()], is_transactional: step.is_transactional }),
                }
                joins = step.is_transactional;
            }
            known.extend(finding.steps.iter().map(|step| step.sql.as_str()));
        }
        Self { batches }
    }

    /// True where nothing is to be done.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.batches.is_empty()
    }

    /// How many steps there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.batches.iter().map(|batch| batch.steps.len()).sum()
    }

    /// The plan for `psql`, which connects by it to `database` at `addresses`: as `user`, or as whom it was started for.
    #[must_use]
    pub fn script(&self, database: &str, addresses: &[UpstreamAddress], user: Option<&str>) -> String {
        let mut out = format!(
            "\\set ON_ERROR_STOP on\n\\connect {}\nSET search_path = {SEARCH_PATH};\nSET client_min_messages = warning;\n",
            connection_argument(database, addresses, user)
        );
        let mut in_force = None;
        for batch in &self.batches {
            out.push('\n');
            let timeouts = batch.timeouts();
            if in_force.replace(timeouts) != Some(timeouts) {
                let (lock, statement) = timeouts;
                out.push_str(&format!("SET lock_timeout = '{lock}'; SET statement_timeout = '{statement}';\n"));
            }
            if batch.steps.len() > 1 {
                out.push_str("BEGIN;\n");
            }
            for step in &batch.steps {
                out.push_str(&format!("-- {}\n{};\n", one_line(&step.why), step.sql));
            }
            if batch.steps.len() > 1 {
                out.push_str("COMMIT;\n");
            }
        }
        out
    }
}

impl Batch {
    /// `lock_timeout` and `statement_timeout` for it. CREATE INDEX CONCURRENTLY waits for old transactions, which
    /// `lock_timeout` would cut short, and keeps nobody waiting meanwhile.
    #[must_use]
    pub fn timeouts(&self) -> (&'static str, &'static str) {
        if self.is_transactional { (LOCK_TIMEOUT, STATEMENT_TIMEOUT) } else { ("0", "0") }
    }
}

/// A comment ends with its line, and a name may hold more than one.
#[must_use]
pub fn one_line(text: &str) -> String {
    text.replace(['\n', '\r'], " ")
}

/// What `\connect` takes, whatever the names hold.
fn connection_argument(database: &str, addresses: &[UpstreamAddress], user: Option<&str>) -> String {
    let places = addresses.iter().map(|address| match address {
        UpstreamAddress::Tcp { host, port } => (host.clone(), port.to_string()),
        UpstreamAddress::Unix { directory, port } => (directory.display().to_string(), port.to_string()),
    });
    let (hosts, ports): (Vec<String>, Vec<String>) = places.unzip();
    let (hosts, ports) = (hosts.join(","), ports.join(","));
    let named = [("dbname", Some(database)), ("host", Some(&hosts)), ("port", Some(&ports)), ("user", user)];
    let words = named.into_iter().filter_map(|(key, value)| {
        let value = value?.replace('\\', "\\\\").replace('\'', "\\'");
        Some(format!("{key}='{value}'"))
    });
    format!("-reuse-previous=on \"{}\"", words.collect::<Vec<_>>().join(" ").replace('"', "\"\""))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::Level;

    fn finding(kind: &'static str, steps: Vec<Step>) -> Finding {
        Finding { level: Level::Warning, kind, object: String::new(), what: String::new(), mend: None, steps }
    }

    #[test]
    fn steps_share_a_transaction_within_a_finding_and_are_said_once() {
        let findings = [
            finding("marker-column", vec![Step::new("m", "COLUMN")]),
            finding("foreign-key", vec![Step::new("s", "SCHEMA"), Step::new("t", "TRIGGER")]),
            finding("archive", vec![Step::new("s", "SCHEMA"), Step::new("a", "ARCHIVE")]),
            finding(
                "unique-index",
                vec![
                    Step::alone("c", "DROP"),
                    Step::alone("i", "INDEX"),
                    Step::new("r", "RENAME"),
                    Step::new("c", "COMMENT"),
                    Step::alone("d", "DROP"),
                ],
            ),
            finding("privilege", vec![Step::new("g", "GRANT")]),
        ];
        let plan = Plan::new(&findings);
        let shown: Vec<Vec<&str>> =
            plan.batches.iter().map(|batch| batch.steps.iter().map(|step| step.sql.as_str()).collect()).collect();
        let expected: &[&[&str]] = &[
            &["COLUMN"],
            &["SCHEMA", "TRIGGER"],
            &["ARCHIVE"],
            &["DROP"],
            &["INDEX"],
            &["RENAME", "COMMENT"],
            &["DROP"],
            &["GRANT"],
        ];
        assert_eq!(shown, expected);
        assert_eq!(plan.len(), 10);
    }

    #[test]
    fn a_name_of_two_lines_does_not_end_a_comment() {
        let findings = [finding("unique-index", vec![Step::new("a\nDROP TABLE b; --", "SELECT 1")])];
        assert!(Plan::new(&findings).script("shop", &[], None).contains("\n-- a DROP TABLE b; --\nSELECT 1;\n"));
    }

    #[test]
    fn any_database_can_be_connected_to() {
        let tcp = |host: &str, port| UpstreamAddress::Tcp { host: host.to_owned(), port };
        assert_eq!(
            connection_argument("shop", &[tcp("db", 5432), tcp("::1", 5433)], Some("dba")),
            "-reuse-previous=on \"dbname='shop' host='db,::1' port='5432,5433' user='dba'\""
        );
        let socket = UpstreamAddress::Unix { directory: "/run/postgresql".into(), port: 5432 };
        assert_eq!(
            connection_argument("My \"o'Shop", &[socket], None),
            r#"-reuse-previous=on "dbname='My ""o\'Shop' host='/run/postgresql' port='5432'""#
        );
    }
}
