//! `sexton check` and `sexton apply` against real databases: `tests/check/*.sql`, and what runs beside them.
//!
//! A case is a schema with its configuration in comments; below it stands what `check` finds, and what is left after
//! `apply --execute`. `SEXTON_BLESS=1` writes both anew.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::atomic::{AtomicU32, Ordering};

use serde_json::Value;
use sexton::cli::demo::cluster::Cluster;

use crate::support::cluster;
use crate::support::database::Database;
use crate::support::diff;

mod live;
mod operator;

/// Roles that cases may use: Sexton's own login without rights, and some of an application.
const ROLES: &str =
    "DO $$ DECLARE r text; BEGIN FOREACH r IN ARRAY ARRAY['check_own', 'check_clerk', 'check_reader'] LOOP
    BEGIN EXECUTE 'CREATE ROLE ' || r || ' LOGIN'; EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END;
END LOOP; END $$";

/// Kinds of findings about Sexton's own objects, which other tests are about: cases do not show them.
const OWN: &[&str] = &[
    "own-schema",
    "foreign-key",
    "lock-index",
    "lock-trigger",
    "reinsert",
    "archive",
    "archive-trigger",
    "audit",
    "guard",
    "stale-object",
];

/// A database with a configuration file for it.
struct Ground {
    database: Database,
    config: PathBuf,
}

impl Ground {
    /// `sections` names the database `NAME`.
    fn new(cluster: &Cluster, own_login: &str, sections: &str) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let database = Database::create(cluster, "check");
        database.run(ROLES);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let config = std::env::temp_dir().join(format!("sexton-it-check-{}-{count}.toml", std::process::id()));
        let sections = sections.replace("NAME", &database.name);
        let text = format!(
            "[upstream]\naddress = \"127.0.0.1:{}\"\nuser = \"{own_login}\"\n\n[databases.{}]\n\n{sections}\n",
            database.port, database.name
        );
        fs::write(&config, text).expect("a configuration file");
        Self { database, config }
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_sexton"));
        command.args(arguments).arg("--config").arg(&self.config);
        command
    }

    fn sexton(&self, arguments: &[&str]) -> Ran {
        Ran::from(self.command(arguments).output().expect("sexton runs"))
    }

    /// What `check` finds; where not `everything` is asked for, without what concerns Sexton's own objects.
    fn findings(&self, everything: bool) -> Vec<Found> {
        let ran = self.sexton(&["check", "--format", "json"]);
        let document = ran.json();
        assert!(document["databases"][0]["findings"].is_array(), "{document:#}");
        let findings = &document["databases"][0]["findings"];
        let counts = findings.as_array().is_some_and(|all| all.iter().any(|finding| finding["level"] != "note"));
        let found = Found::all(findings, &self.database.name, everything);
        assert_eq!(ran.code, Some(i32::from(counts)), "{}{}", ran.out, ran.err);
        found
    }

    /// Carries the plan out as superuser; what is left.
    fn apply(&self) -> Vec<Found> {
        self.apply_of(false)
    }

    fn apply_of(&self, everything: bool) -> Vec<Found> {
        let ran = self.sexton(&["apply", "--execute", "--user", Cluster::SUPERUSER, "--format", "json"]);
        let document = &ran.json()["databases"][0];
        assert!(document["error"].is_null(), "{document:#}");
        Found::all(&document["left"], &self.database.name, everything)
    }
}

impl Drop for Ground {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.config);
    }
}

struct Ran {
    code: Option<i32>,
    out: String,
    err: String,
}

impl From<Output> for Ran {
    fn from(output: Output) -> Self {
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("messages are UTF-8");
        Self { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
    }
}

impl Ran {
    fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {}{}", self.out, self.err))
    }
}

/// A finding as cases write it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Found {
    /// `warning unique-index, index public.a: it counts …`
    line: String,
    mend: Option<String>,
    steps: Vec<String>,
}

impl Found {
    fn all(findings: &Value, database: &str, everything: bool) -> Vec<Self> {
        let text = |value: &Value| value.as_str().expect("a text").replace(database, "shop");
        let findings = findings.as_array().expect("findings");
        let shown = findings
            .iter()
            .filter(|finding| everything || !OWN.contains(&finding["kind"].as_str().unwrap_or_default()));
        let found = shown.map(|finding| Self {
            line: format!(
                "{} {}, {}: {}",
                text(&finding["level"]),
                text(&finding["kind"]),
                text(&finding["object"]),
                text(&finding["what"])
            ),
            mend: finding["mend"].as_str().map(|mend| mend.replace(database, "shop").replace('\n', " ")),
            steps: finding["steps"].as_array().expect("steps").iter().map(|step| text(&step["sql"])).collect(),
        });
        found.collect()
    }

    /// A step of several lines is shown by its first.
    fn written(&self) -> Vec<String> {
        let steps = self.steps.iter().map(|sql| format!("   {}", sql.lines().next().unwrap_or_default()));
        let mend = self.mend.iter().map(|mend| format!("   mend: {mend}"));
        [self.line.clone()].into_iter().chain(mend).chain(steps).collect()
    }
}

/// One case of a file.
struct Case {
    title: String,
    own_login: String,
    everything: bool,
    toml: String,
    sql: String,
    expected: String,
}

fn cases(text: &str) -> (String, Vec<Case>) {
    let mut prelude = String::new();
    let mut cases: Vec<Case> = Vec::new();
    for line in text.lines() {
        if let Some(title) = line.strip_prefix("-- title: ") {
            cases.push(Case {
                title: title.to_owned(),
                own_login: Cluster::SUPERUSER.to_owned(),
                everything: false,
                toml: String::new(),
                sql: String::new(),
                expected: String::new(),
            });
            continue;
        }
        let Some(case) = cases.last_mut() else {
            prelude.push_str(line);
            prelude.push('\n');
            continue;
        };
        let mut push = |part: fn(&mut Case) -> &mut String, line: &str| {
            let part = part(case);
            part.push_str(line);
            part.push('\n');
        };
        match line {
            _ if line.starts_with("-- own login: ") => case.own_login = line["-- own login: ".len()..].to_owned(),
            "-- show: everything" => case.everything = true,
            _ if line.starts_with("-- toml: ") => push(|case| &mut case.toml, &line["-- toml: ".len()..]),
            _ if line.starts_with("-- ") => push(|case| &mut case.expected, line),
            "" => {}
            _ => push(|case| &mut case.sql, line),
        }
    }
    (prelude, cases)
}

impl Case {
    fn written(&self) -> String {
        let mut out = format!("-- title: {}\n", self.title);
        if self.everything {
            out.push_str("-- show: everything\n");
        }
        if self.own_login != Cluster::SUPERUSER {
            out.push_str(&format!("-- own login: {}\n", self.own_login));
        }
        self.toml.lines().for_each(|line| out.push_str(&format!("-- toml: {line}\n")));
        out.push_str(&self.sql);
        out.push_str(&self.expected);
        out
    }

    /// What `check` finds, and what is left after `apply`, in the form cases have it.
    fn run(&self, cluster: &Cluster) -> String {
        let sections = self.toml.replace("[tables.", "[databases.NAME.tables.");
        let ground = Ground::new(cluster, &self.own_login, &sections);
        ground.database.run(&self.sql);
        let found = ground.findings(self.everything);
        let mut lines = vec!["finds:".to_owned()];
        match self.everything {
            // What Sexton makes of its own is long, and its tests' matter.
            true => lines.extend(found.iter().map(|found| found.line.clone())),
            false => lines.extend(found.iter().flat_map(Found::written)),
        }
        if ground.sexton(&["apply"]).out.contains(" steps. ") {
            let left = ground.apply_of(self.everything);
            let is_mended = |left: &&Found| !left.steps.is_empty() && !left.line.starts_with("note");
            let mended: Vec<&Found> = left.iter().filter(is_mended).collect();
            assert!(mended.is_empty(), "{}: a step does not mend what it says: {mended:#?}", self.title);
            if self.everything {
                lines.push("leaves:".to_owned());
                lines.extend(left.iter().flat_map(Found::written));
            } else {
                let new = left.iter().filter(|left| !found.iter().any(|found| found.line == left.line));
                lines.extend(new.map(|left| format!("then: {}", left.line)));
                let unmended = found.iter().filter(|found| found.steps.is_empty() && !left.contains(found));
                lines.extend(unmended.map(|found| format!("then not: {}", found.line)));
            }
            let again = ground.sexton(&["apply"]);
            assert!(again.out.contains("nothing to do"), "{}: a second run: {}", self.title, again.out);
        }
        if lines.len() == 1 {
            lines[0] = "finds nothing".to_owned();
        }
        lines.iter().map(|line| format!("-- {line}\n")).collect()
    }
}

/// Since 16 the server writes the columns of a view over one table without the table's name.
fn unqualified(text: &str) -> String {
    let one = |line: &str| match line.starts_with("--    mend: run this through Sexton") {
        true => line.replace(" users.", " "),
        false => line.to_owned(),
    };
    text.lines().map(one).collect::<Vec<_>>().join("\n")
}

#[test]
fn every_case_finds_what_it_says() {
    let Some(cluster) = cluster::shared("check::every_case_finds…") else { return };
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/check");
    let mut files: Vec<PathBuf> =
        fs::read_dir(folder).expect("cases").map(|entry| entry.expect("an entry").path()).collect();
    files.sort();
    let bless = std::env::var_os("SEXTON_BLESS").is_some();
    let mut failures = Vec::new();
    for path in files {
        let text = fs::read_to_string(&path).expect("a case file");
        let (prelude, cases) = cases(&text);
        let parts: Vec<String> = cases
            .into_iter()
            .map(|case| {
                let expected = case.run(cluster);
                Case { expected, ..case }.written()
            })
            .collect();
        let actual = format!("{}\n\n{}", prelude.trim_end(), parts.join("\n"));
        if unqualified(&actual) == unqualified(&text) {
            continue;
        }
        if bless {
            fs::write(&path, &actual).expect("a case file");
        } else {
            failures.push(format!("{}\n{}", path.display(), diff::lines(&text, &actual)));
        }
    }
    assert!(failures.is_empty(), "\n{}", failures.join("\n"));
}
