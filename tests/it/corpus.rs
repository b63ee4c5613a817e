//! The statements of real applications in `tests/corpus`, with every relation of each registered: what is refused?
//!
//! It prints the share and the classes. `tests/run --oracle` with `SEXTON_CORPUS` counts other directories' statements.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use sexton::sql::ident::identifier;
use sexton::sql::lexer::{Kind, lex};
use sexton::sql::scan::table_positions;
use sexton::sql::split;

use crate::support::offline::Offline;

/// How the relations are registered: filtered alone, and with deletes that mark.
const RULES: [(&str, &str); 2] =
    [("filtered", "delete = \"hard\"\nlive = \"gone IS NULL\""), ("soft", "delete = \"soft\"\ncolumn = \"gone\"")];

/// Refusals the corpus meets, by rule and reason, with why each stands. An aim: an empty list.
const REFUSED: &[(&str, &str, &str)] = &[
    ("soft", "returning-old", "offline no columns are known, so RETURNING * of a deletion cannot be spelled out"),
    ("soft", "returning-using", "the same, of a deletion with USING"),
];

/// Statements, refusals by reason, and one example of each.
#[derive(Debug, Default)]
struct Count {
    statements: usize,
    refused: BTreeMap<&'static str, Vec<String>>,
}

fn sql_files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten();
    let mut files: Vec<PathBuf> = entries
        .map(|entry| entry.expect("it can be listed").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "sql"))
        .collect();
    files.sort();
    files
}

fn statements(file: &Path) -> Vec<String> {
    let text = String::from_utf8_lossy(&fs::read(file).expect("it can be read")).into_owned();
    let Ok(tokens) = lex(text.as_bytes(), true) else { return Vec::new() };
    let pieces = split::statements(&tokens);
    pieces.iter().map(|piece| text[tokens[piece.first].start..tokens[piece.end - 1].end].to_owned()).collect()
}

/// Every name that stands where a table stands.
fn tables(text: &str) -> BTreeSet<(String, String)> {
    let tokens = lex(text.as_bytes(), true).expect("it was cut before");
    let name = |index: usize| {
        identifier(text.as_bytes(), &tokens[index]).and_then(|name| String::from_utf8(name).ok()).unwrap_or_default()
    };
    let positions = table_positions(&tokens, 0, tokens.len());
    let is_call =
        |index: usize| tokens.get(index + 1).is_some_and(|next| next.kind == Kind::Open) && !named_columns(text);
    positions
        .into_iter()
        .filter(|&index| !is_call(index))
        .map(|index| {
            let qualified = index >= 2 && tokens[index - 1].kind == Kind::Dot;
            (if qualified { name(index - 2) } else { "public".to_owned() }, name(index))
        })
        .filter(|(schema, table)| !schema.is_empty() && !table.is_empty() && schema != "pg_catalog")
        .collect()
}

/// `INSERT INTO t (columns)`: a name before a parenthesis that is no function's.
fn named_columns(text: &str) -> bool {
    text.to_lowercase().contains("insert into")
}

fn count(files: &[PathBuf], rule: &str) -> Count {
    let mut count = Count::default();
    for text in files.iter().flat_map(|file| statements(file)) {
        count.statements += 1;
        let plan = Offline::registering(&tables(&text), rule).plan(text.as_bytes());
        if let Some(refusal) = &plan.refusal {
            count.refused.entry(refusal.reason.name()).or_default().push(text);
        }
    }
    count
}

fn report(name: &str, rule: &str, count: &Count) {
    let refused: usize = count.refused.values().map(Vec::len).sum();
    eprintln!("corpus: {name}, {rule}: {refused} of {} statements refused", count.statements);
    for (reason, texts) in &count.refused {
        let example: String = texts[0].split_whitespace().collect::<Vec<_>>().join(" ").chars().take(200).collect();
        eprintln!("corpus: {name}, {rule}: {:>5} {reason}, such as {example}", texts.len());
    }
}

#[test]
fn application_sql_is_not_refused() {
    let files = sql_files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus"));
    assert!(!files.is_empty(), "tests/corpus holds the statements");
    let mut unexpected = Vec::new();
    for (rule_name, rule) in RULES {
        for file in &files {
            let name = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            let counted = count(std::slice::from_ref(file), rule);
            report(&name, rule_name, &counted);
            let listed =
                |reason: &&'static str| REFUSED.iter().any(|(rule, known, _)| *rule == rule_name && known == reason);
            for (reason, texts) in counted.refused.iter().filter(|(reason, _)| !listed(reason)) {
                unexpected.push(format!("{name}, {rule_name}: {reason}: {}", texts[0]));
            }
        }
    }
    assert!(unexpected.is_empty(), "\n{}", unexpected.join("\n"));
}
