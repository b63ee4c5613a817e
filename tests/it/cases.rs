//! The case files in `tests/cases`: each statement goes through the real binary to a real PostgreSQL.
//!
//! Two things are checked: the text that reaches the server (recorded on its way), and what comes back. What comes
//! back is compared with the file and, unless the case says otherwise, with a second database in which the
//! deleted rows were really deleted: what real DELETEs give is what Sexton must give.
//!
//! `SEXTON_BLESS=1` writes the files anew with what came back; `SEXTON_BLESS=rows` writes only rows, tags and
//! errors, from the second database alone. `SEXTON_CASES=join` runs only files whose path contains `join`.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use crate::support::case::{Case, CaseFile, Text};
use crate::support::database::Database;
use crate::support::raw::{Raw, Reply};
use crate::support::relay::Relay;
use crate::support::sexton::{self, Sexton};
use crate::support::{cluster, diff};

/// What a statement did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Seen {
    /// The queries that reached the server.
    text: String,
    rows: Vec<String>,
    tag: String,
    error: Option<String>,
    message: String,
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases")
}

fn read(name: &str) -> String {
    fs::read_to_string(root().join(name)).unwrap_or_else(|error| panic!("tests/cases/{name}: {error}"))
}

fn files() -> Vec<CaseFile> {
    let wanted = std::env::var("SEXTON_CASES").unwrap_or_default();
    CaseFile::all(&root()).into_iter().filter(|file| file.path.to_string_lossy().contains(&wanted)).collect()
}

#[test]
fn titles_are_unique_and_every_case_has_a_statement() {
    let mut titles = BTreeSet::new();
    for file in CaseFile::all(&root()) {
        for case in &file.cases {
            assert!(titles.insert(case.title.clone()), "twice: {}", case.title);
            assert!(!case.sql.is_empty(), "no statement: {}", case.title);
        }
    }
}

#[test]
fn every_case_is_what_its_file_says() {
    let Some(cluster) = cluster::shared("cases::every_case_is_what_its_file_says") else { return };
    let database = Database::named(cluster, "cases");
    let twin = Database::named(cluster, "cases_twin");
    database.run(&read("schema.sql"));
    twin.run(&read("schema.sql"));
    twin.run(&read("twin.sql"));
    match std::env::var("SEXTON_BLESS").as_deref() {
        Ok("rows") => bless_rows(&twin),
        mode => {
            let installed = Database::named(cluster, "installed");
            installed.run(&read("schema.sql"));
            installed.run(&own_functions());
            installed.run(&read("installed.sql"));
            let relay = Relay::start(database.port);
            let sexton = Sexton::start(relay.port, &configuration());
            let ground = Ground { relay, sexton, twin };
            if mode.is_ok() { ground.bless() } else { ground.check() }
        }
    }
}

/// Schema `sexton` with the functions that rewritten statements call, as `sexton apply` makes it.
fn own_functions() -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/schema/objects/sql");
    let functions = ["event", "has_event", "tag", "actor", "reason"].map(|name| {
        let path = root.join(format!("{name}.sql"));
        fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    });
    format!("CREATE SCHEMA sexton; GRANT USAGE ON SCHEMA sexton TO PUBLIC; {}", functions.join("; "))
}

/// Both databases are configured alike.
fn configuration() -> String {
    let text = read("sexton.toml");
    let tables = text.find("[databases.").expect("it registers tables");
    format!("{text}\n{}", text[tables..].replace("[databases.cases.", "[databases.installed."))
}

fn bless_rows(twin: &Database) {
    let version = twin.direct().major_version();
    for mut file in files() {
        for case in &mut file.cases {
            if case.has_twin() && case.is_known_to(version) {
                let seen = observe(&mut twin.direct_as(role(case)), case, None);
                record_answer(case, seen);
            }
        }
        fs::write(&file.path, file.text()).expect("the case file can be written");
    }
}

struct Ground {
    relay: Relay,
    sexton: Sexton,
    twin: Database,
}

impl Ground {
    fn check(&self) {
        let mut failures = String::new();
        let (mut count, mut failed) = (0, 0);
        let version = self.twin.direct().major_version();
        for file in files() {
            for case in file.cases.iter().filter(|case| case.is_known_to(version)) {
                count += 1;
                let complaints = self.complaints(case);
                if !complaints.is_empty() {
                    failed += 1;
                    let file = file.path.strip_prefix(root()).unwrap_or(&file.path).display();
                    failures.push_str(&format!("\n{file}: {}\n  {}\n{complaints}", case.title, case.sql));
                }
            }
        }
        assert!(failures.is_empty(), "{failed} of {count} cases failed\n{failures}");
    }

    fn bless(&self) {
        let version = self.twin.direct().major_version();
        for mut file in files() {
            for case in file.cases.iter_mut().filter(|case| case.is_known_to(version)) {
                let mut seen = self.through_sexton(case);
                // A statement that ran and then failed by Sexton's words (a dead key) was not refused.
                let refused = is_refusal(&seen.message).then(|| self.reason(case)).flatten();
                case.text = if let Some(reason) = refused {
                    Text::Refused(reason, seen.error.clone().unwrap_or_default())
                } else if seen.text == case.sql {
                    Text::Unchanged
                } else {
                    Text::Rewritten(seen.text.clone())
                };
                if case.has_twin() {
                    seen = observe(&mut self.twin.direct_as(role(case)), case, None);
                }
                record_answer(case, seen);
            }
            fs::write(&file.path, file.text()).expect("the case file can be written");
        }
    }

    fn through_sexton(&self, case: &Case) -> Seen {
        observe(&mut self.sexton.connect(role(case), database(case)), case, Some(&self.relay))
    }

    /// What is wrong with a case, as text; empty when nothing is.
    fn complaints(&self, case: &Case) -> String {
        let seen = self.through_sexton(case);
        let mut out = String::new();
        let mut compare = |what: &str, expected: &str, actual: &str| {
            if expected != actual {
                out.push_str(&format!("  {what}\n{}", diff::lines(expected, actual)));
            }
        };
        match &case.text {
            Text::Open => compare("text: not written down yet, run with SEXTON_BLESS=1", "", &seen.text),
            Text::Unchanged => compare("text that reached the server", &case.sql, &seen.text),
            Text::Rewritten(text) => compare("text that reached the server", text, &seen.text),
            Text::Refused(reason, sqlstate) => {
                compare("SQLSTATE", sqlstate, seen.error.as_deref().unwrap_or("none"));
                compare("reason", reason, self.reason(case).as_deref().unwrap_or("not refused"));
                let own = is_refusal(&seen.message);
                compare("whose error", "sexton's", if own { "sexton's" } else { &seen.message });
                return out;
            }
        }
        compare("SQLSTATE", case.error.as_deref().unwrap_or("none"), seen.error.as_deref().unwrap_or("none"));
        if let Some(tag) = &case.tag {
            compare("tag", tag, &seen.tag);
        }
        if let Some(rows) = case.rows.as_ref().filter(|_| !is_explain(case)) {
            compare("rows", &rows.join("\n"), &seen.rows.join("\n"));
        }
        if case.has_twin() {
            let twin = observe(&mut self.twin.direct_as(role(case)), case, None);
            compare("tag, real deletes against sexton", &twin.tag, &seen.tag);
            compare(
                "SQLSTATE, real deletes against sexton",
                &format!("{:?}", twin.error),
                &format!("{:?}", seen.error),
            );
            if !is_explain(case) {
                compare("rows, real deletes against sexton", &twin.rows.join("\n"), &seen.rows.join("\n"));
            }
        }
        out
    }

    /// The name of the reason for a refusal: the wire carries only its message, so the command is asked.
    fn reason(&self, case: &Case) -> Option<String> {
        let mut arguments = vec!["rewrite", "--format", "json", "--role", role(case)];
        arguments.extend(["--database", database(case)]);
        if let Some(scope) = case.option("scope") {
            arguments.extend(["--scope", scope]);
        }
        if let Some(path) = case.option("path") {
            arguments.extend(["--search-path", path]);
        }
        arguments.push(&case.sql);
        let output = sexton::run(self.relay.port, &configuration(), &arguments);
        let text = String::from_utf8_lossy(&output.stdout);
        let values = serde_json::Deserializer::from_str(&text).into_iter::<serde_json::Value>().flatten();
        values.filter_map(|value| find_text(&value, "reason")).next()
    }
}

/// True for a message of Sexton's, among them the one that it has from the server.
fn is_refusal(message: &str) -> bool {
    ["sexton:", "cannot truncate a table referenced "].iter().any(|start| message.starts_with(start))
}

/// The first text under `key`, at any depth.
fn find_text(value: &serde_json::Value, key: &str) -> Option<String> {
    match value {
        serde_json::Value::Object(fields) => match fields.get(key).and_then(serde_json::Value::as_str) {
            Some(text) => Some(text.to_owned()),
            None => fields.values().find_map(|value| find_text(value, key)),
        },
        serde_json::Value::Array(values) => values.iter().find_map(|value| find_text(value, key)),
        _ => None,
    }
}

fn role(case: &Case) -> &str {
    case.option("role").unwrap_or("app")
}

fn database(case: &Case) -> &str {
    case.option("database").unwrap_or("cases")
}

fn is_explain(case: &Case) -> bool {
    case.sql.to_uppercase().contains("EXPLAIN")
}

/// Runs a case in a transaction that is rolled back.
fn observe(connection: &mut Raw, case: &Case, through: Option<&Relay>) -> Seen {
    connection.expect("BEGIN");
    if let Some(path) = case.option("path") {
        connection.expect(&format!("SET LOCAL search_path = {path}"));
    }
    if let (Some(scope), Some(_)) = (case.option("scope"), through) {
        connection.expect(&format!("SET LOCAL sexton.scope = '{scope}'"));
    }
    if let Some(relay) = through {
        relay.take(role(case));
    }
    let replies = connection.simple(&case.sql);
    let mut seen = seen(case, &replies);
    if let Some(relay) = through {
        let queries: Vec<String> = relay.take(role(case)).iter().filter_map(|message| message.query()).collect();
        seen.text = queries.join("\n");
    }
    connection.simple("ROLLBACK");
    seen
}

fn seen(case: &Case, replies: &[Reply]) -> Seen {
    let mut seen = Seen::default();
    for reply in replies {
        let mut rows: Vec<String> = reply.texts().iter().map(|row| row.join(" | ").replace('\n', "\\n")).collect();
        if !case.is_ordered() {
            rows.sort();
        }
        seen.rows.extend(rows);
        if let Some(error) = &reply.error {
            seen.error = Some(error.sqlstate.clone());
            seen.message.clone_from(&error.message);
        }
    }
    let tags: Vec<&str> = replies.iter().filter_map(|reply| reply.tag.as_deref()).collect();
    seen.tag = tags.join(", ");
    seen
}

/// Writes down what came back: rows where there can be any, tags where they say more than the rows.
fn record_answer(case: &mut Case, seen: Seen) {
    let refused = matches!(case.text, Text::Refused(..));
    let has_rows = !is_explain(case) && !refused;
    // No rows are an answer too, unless an error came instead.
    let answers = !seen.rows.is_empty() || (seen.tag.starts_with("SELECT") && seen.error.is_none());
    case.rows = (has_rows && answers).then_some(seen.rows);
    case.tag = (!refused && !seen.tag.is_empty() && !seen.tag.starts_with("SELECT")).then_some(seen.tag);
    case.error = seen.error.filter(|_| !refused);
}
