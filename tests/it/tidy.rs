//! Holds the source to its habits: layers, file heads, lengths, and who may name which crate.
//!
//! It reads formatted source as text, line by line. An exception is a row with a reason, and an exception
//! that is no longer needed fails too.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

const FILE_LINES_MAX: usize = 500;
const FUNCTION_LINES_MAX: usize = 70;

/// Files longer than [`FILE_LINES_MAX`], with the reason.
const LONG_FILES: &[(&str, &str)] = &[];

/// Functions longer than [`FUNCTION_LINES_MAX`], as `file: name`, with the reason.
const LONG_FUNCTIONS: &[(&str, &str)] =
    &[("src/rewrite/words.rs: words", "one row a reason: the words of every refusal stand in one place")];

/// Crates and the rooms that may name them.
const CRATES: &[(&str, &[&str])] = &[
    ("sqlparser", &["sql"]),
    ("tokio", &["net", "admin", "cli"]),
    ("tokio_postgres", &["net", "cli"]),
    ("tokio_rustls", &["net"]),
    ("socket2", &["net"]),
    ("mio", &["net"]),
    ("rustix", &["net"]),
    ("slab", &["net"]),
    ("x509_cert", &["net"]),
    ("hmac", &["wire"]),
    ("rlimit", &["cli"]),
    ("axum", &["admin"]),
    ("prometheus_client", &["admin"]),
];

struct Source {
    /// From the package's root, such as `src/sql/edit.rs`.
    path: String,
    text: String,
}

impl Source {
    /// The room of a file in `src/`: its folder, or its stem at the top.
    fn room(&self) -> Option<&str> {
        let inside = self.path.strip_prefix("src/")?;
        inside.split_once('/').map(|(room, _)| room).or_else(|| inside.strip_suffix(".rs"))
    }

    /// Numbered lines with comments taken off.
    fn code(&self) -> impl Iterator<Item = (usize, &str)> {
        self.text.lines().enumerate().map(|(index, line)| {
            let line = if line.trim_start().starts_with("//") { "" } else { line };
            (index + 1, line.split(" // ").next().unwrap_or(line))
        })
    }
}

fn sources() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut folders: Vec<PathBuf> = ["src", "tests", "bench", "benches"].iter().map(|name| root.join(name)).collect();
    let mut sources = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).into_iter().flatten() {
            let path = entry.expect("a folder can be listed").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = fs::read_to_string(&path).expect("source can be read");
                let path = path.strip_prefix(root).expect("it is below the root").to_string_lossy().into_owned();
                sources.push(Source { path, text });
            }
        }
    }
    sources.sort_by(|left, right| left.path.cmp(&right.path));
    sources
}

/// The table of rooms in `src/lib.rs`: each room's layer.
fn layers(sources: &[Source]) -> BTreeMap<String, u32> {
    let library = sources.iter().find(|source| source.path == "src/lib.rs").expect("the library is there");
    library
        .text
        .lines()
        .filter_map(|line| {
            let (layer, rooms) = line.strip_prefix("//! ")?.split_once("  ")?;
            let layer: u32 = layer.parse().ok()?;
            Some(rooms.split_whitespace().map(move |room| (room.to_owned(), layer)))
        })
        .flatten()
        .collect()
}

/// Every place in `code` where `word` stands alone, and what follows it.
fn after_word<'a>(code: &'a str, word: &'a str) -> impl Iterator<Item = &'a str> {
    let part = |c: char| c.is_alphanumeric() || c == '_';
    code.match_indices(word).filter_map(move |(at, _)| {
        let after = &code[at + word.len()..];
        let alone = !code[..at].ends_with(part) && !after.starts_with(part);
        alone.then_some(after)
    })
}

/// The rooms that a line names behind `crate::` or `sexton::`, those in a `{…}` group included.
fn rooms_named(code: &str) -> Vec<&str> {
    let mut rooms = Vec::new();
    for after in after_word(code, "crate").chain(after_word(code, "sexton")) {
        let Some(path) = after.strip_prefix("::") else { continue };
        let group = path.strip_prefix('{').unwrap_or(path);
        let items = if group.len() == path.len() { vec![path] } else { group.split(',').collect() };
        rooms.extend(
            items.iter().filter_map(|item| item.trim().split(|c: char| !c.is_alphanumeric() && c != '_').next()),
        );
    }
    rooms
}

fn assert_none(faults: &[String]) {
    assert!(faults.is_empty(), "\n{}\n", faults.join("\n"));
}

#[test]
fn imports_go_downward_only() {
    let sources = sources();
    let layers = layers(&sources);
    assert!(layers.len() >= 9, "the table in src/lib.rs is read: {layers:?}");
    let mut faults = Vec::new();
    for source in sources.iter().filter(|source| source.path != "src/lib.rs") {
        let Some(room) = source.room() else { continue };
        let Some(layer) = layers.get(room) else {
            faults.push(format!("{}: the room {room} is not in the table of src/lib.rs", source.path));
            continue;
        };
        for (number, code) in source.code() {
            if code.ends_with("crate::{") {
                faults.push(format!(
                    "{}:{number}: write one use for each room, so that this test can read it",
                    source.path
                ));
            }
            for named in rooms_named(code).into_iter().filter(|named| *named != room) {
                if layers.get(named).is_some_and(|other| other >= layer) {
                    faults.push(format!("{}:{number}: {room} must not know {named}", source.path));
                }
            }
        }
    }
    assert_none(&faults);
}

#[test]
fn a_crate_is_named_only_where_it_belongs() {
    let mut faults = Vec::new();
    for source in sources() {
        let Some(room) = source.room() else { continue };
        for (name, rooms) in CRATES.iter().filter(|(_, rooms)| !rooms.contains(&room)) {
            for (number, code) in source.code() {
                if after_word(code, name).any(|after| after.starts_with("::") || after.starts_with([';', '{'])) {
                    faults.push(format!("{}:{number}: only {} may name {name}", source.path, rooms.join(" and ")));
                }
            }
        }
    }
    assert_none(&faults);
}

#[test]
fn every_file_says_what_it_is_for() {
    let headless = sources().into_iter().filter(|source| !source.text.starts_with("//! "));
    assert_none(&headless.map(|source| format!("{}: opens without //!", source.path)).collect::<Vec<_>>());
}

#[test]
fn files_and_functions_are_short() {
    let mut faults = Vec::new();
    let mut excused = Vec::new();
    for source in sources() {
        let lines = source.text.lines().count();
        if lines > FILE_LINES_MAX {
            match LONG_FILES.iter().find(|(path, _)| *path == source.path) {
                Some((path, _)) => excused.push((*path).to_owned()),
                None => faults.push(format!("{}: {lines} lines, more than {FILE_LINES_MAX}", source.path)),
            }
        }
        for (number, name, lines) in functions(&source) {
            if lines > FUNCTION_LINES_MAX {
                let function = format!("{}: {name}", source.path);
                match LONG_FUNCTIONS.iter().any(|(known, _)| *known == function) {
                    true => excused.push(function),
                    false => faults.push(format!(
                        "{}:{number}: fn {name} has {lines} lines, more than {FUNCTION_LINES_MAX}",
                        source.path
                    )),
                }
            }
        }
    }
    let idle = LONG_FILES.iter().chain(LONG_FUNCTIONS).filter(|(name, _)| !excused.iter().any(|used| used == name));
    faults.extend(idle.map(|(name, _)| format!("{name}: needs no exception any more")));
    assert_none(&faults);
}

/// Line, name and length of every function: formatted, it ends at the first `}` indented as it began.
fn functions(source: &Source) -> Vec<(usize, String, usize)> {
    let lines: Vec<&str> = source.text.lines().collect();
    let mut functions = Vec::new();
    for (number, code) in source.code() {
        let indent = &code[..code.len() - code.trim_start().len()];
        let head = code.trim_start().trim_start_matches("pub ").trim_start_matches("pub(super) ");
        let head = head.trim_start_matches("pub(crate) ").trim_start_matches("async ").trim_start_matches("const ");
        let Some(rest) = head.strip_prefix("fn ") else { continue };
        if code.ends_with('}') || code.ends_with(';') {
            continue;
        }
        let name: String = rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
        let end = format!("{indent}}}");
        let length = lines[number..].iter().position(|line| *line == end).map_or(0, |offset| offset + 2);
        functions.push((number, name, length));
    }
    functions
}

#[test]
fn the_reader_of_this_test_sees_what_it_should() {
    assert_eq!(rooms_named("use crate::{sql, wire::frame};"), ["sql", "wire"]);
    assert_eq!(rooms_named("    sexton::cli::run(crate::net::x)"), ["net", "cli"]);
    assert_eq!(rooms_named("let mycrate = not_crate::sql;"), [""; 0]);
    let text = "//! A\nfn a() {\n    b\n}\n    pub async fn c(\n        x: u8,\n    ) {\n    }\nfn d() {}\n".to_owned();
    let found = functions(&Source { path: "src/x.rs".into(), text });
    assert_eq!(found, [(2, "a".to_owned(), 3), (5, "c".to_owned(), 4)]);
}
