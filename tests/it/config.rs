//! Configuration files: those in `tests/config/good` are read, those in `tests/config/bad` draw exactly
//! the complaints their comments announce, and the reference holds every key.
//!
//! A complaint stands in a comment: `# complaint: LINE: KEY: how the message begins`, optionally followed
//! by `; mend: ` and how the mend begins.

use std::fs;
use std::path::{Path, PathBuf};

use sexton::config::{self, Config, Problem, Strategy, UpstreamAddress};

fn environment(name: &str) -> Option<String> {
    (name == "SEXTON_PASSWORD").then(|| "s3cr$t".to_owned())
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn files(folder: &str) -> Vec<(PathBuf, String)> {
    let folder = root().join("tests/config").join(folder);
    let mut files: Vec<_> = fs::read_dir(&folder)
        .expect("the folder is there")
        .map(|entry| entry.expect("it can be listed").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "toml"))
        .map(|path| (path.clone(), fs::read_to_string(path).expect("it can be read")))
        .collect();
    files.sort();
    assert!(!files.is_empty(), "{} holds no cases", folder.display());
    files
}

fn rendered(problems: &[Problem]) -> String {
    problems.iter().map(|problem| problem.render("FILE") + "\n").collect()
}

fn good(name: &str) -> Config {
    let text = fs::read_to_string(root().join(name)).expect("it can be read");
    config::parse(&text, &environment).unwrap_or_else(|problems| panic!("{name}:\n{}", rendered(&problems)))
}

#[test]
fn good_files_are_read() {
    for (path, text) in files("good") {
        if let Err(problems) = config::parse(&text, &environment) {
            panic!("{}:\n{}", path.display(), rendered(&problems));
        }
    }
}

#[test]
fn bad_files_draw_the_complaints_they_announce() {
    let mut failures = String::new();
    for (path, text) in files("bad") {
        let problems = config::parse(&text, &environment).err().unwrap_or_default();
        let expected: Vec<_> = text.lines().filter_map(|line| line.strip_prefix("# complaint: ")).collect();
        let fits = problems.len() == expected.len()
            && expected.iter().all(|expected| {
                let (message, mend) = expected.split_once("; mend: ").unwrap_or((expected, ""));
                problems.iter().any(|problem| {
                    problem.render("FILE").starts_with(&format!("FILE:{message}")) && problem.mend.starts_with(mend)
                })
            });
        if !fits {
            let drawn = rendered(&problems);
            failures += &format!("{}: expected\n{}\nbut drew\n{drawn}\n", path.display(), expected.join("\n"));
        }
    }
    assert!(failures.is_empty(), "{failures}");
}

#[test]
fn the_shipped_files_are_read() {
    let minimal = good("config/sexton.minimal.toml");
    let reference = good("config/sexton.toml");
    assert_eq!(minimal.upstream.password.as_deref(), Some("s3cr$t"));
    assert_eq!(minimal.upstream, reference.upstream);
    assert_eq!(minimal.listen, reference.listen, "what the reference shows as a default is the default");
}

#[test]
fn the_reference_holds_every_key_and_only_keys() {
    let text = fs::read_to_string(root().join("config/sexton.toml")).expect("it can be read");
    let switched_on: String = text
        .lines()
        .map(|line| match line.strip_prefix('#') {
            Some(setting) if !setting.is_empty() && !setting.starts_with(' ') => format!("{setting}\n"),
            _ => format!("{line}\n"),
        })
        .collect();
    for problem in config::parse(&switched_on, &environment).err().unwrap_or_default() {
        let allowed = problem.message.ends_with("not built into this version yet");
        assert!(allowed, "{}", problem.render("config/sexton.toml, all switched on"));
    }
    let tree: toml::Table = switched_on.parse().expect("it is TOML");
    for pattern in config::patterns() {
        let parts: Vec<_> = pattern.split('.').collect();
        assert!(holds(&toml::Value::Table(tree.clone()), &parts), "config/sexton.toml does not show {pattern}");
    }
}

/// Whether `value` has a key that the pattern `parts` fits.
fn holds(value: &toml::Value, parts: &[&str]) -> bool {
    match (parts, value) {
        ([], _) => true,
        (["*", rest @ ..], toml::Value::Table(table)) => table.values().any(|value| holds(value, rest)),
        ([name, rest @ ..], toml::Value::Table(table)) => table.get(*name).is_some_and(|value| holds(value, rest)),
        (_, _) => false,
    }
}

#[test]
fn what_is_left_out_takes_its_default() {
    let config = good("tests/config/good/defaults.toml");
    assert_eq!(config.listen.address, "127.0.0.1:6432");
    assert_eq!(config.listen.max_connections, 10_000);
    assert_eq!(config.listen.startup_timeout_ms, 10_000);
    assert_eq!(config.upstream.addresses, [UpstreamAddress::Unix { directory: "/run/postgresql".into(), port: 5432 }]);
    assert!(config.databases.find("shop").is_some_and(|shop| shop.tables.is_empty()));
    assert!(config.databases.find("other").is_none());
}

#[test]
fn tables_keep_their_order_and_lines() {
    let config = good("tests/config/good/names.toml");
    let tables = &config.databases.find("whatever").expect("\"*\" covers it").tables;
    let names: Vec<_> = tables.iter().map(|table| (table.line, table.name.to_string())).collect();
    let expected = [(8, "public.users"), (9, "billing.invoices"), (10, "public.Users"), (11, "Billing.Odd.Name")];
    assert_eq!(names, expected.map(|(line, name)| (line, name.to_owned())));
    assert_eq!(tables[1].delete, Strategy::Archive);
    assert_eq!(tables[1].archive.as_ref().map(ToString::to_string).as_deref(), Some("billing.invoices_archive"));
    assert_eq!(tables[2].marker(), Some("deletedAt"));
}

#[test]
fn marks_keep_the_order_of_the_file() {
    let config = good("config/sexton.toml");
    let seats = &config.databases.find("shop").expect("it is there").tables[1];
    let mark: Vec<_> = seats.mark.iter().map(|set| (set.column.as_str(), set.expression.plain())).collect();
    assert_eq!(mark, [("state", "'void'".to_owned()), ("voided_by", "session_user".to_owned())]);
}
