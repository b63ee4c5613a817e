//! The texts: cases, the collected statements of applications, and SQL files from directories the caller names.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use sexton::sql::lexer::lex;
use sexton::sql::split;

use crate::support::offline;

/// Every distinct statement.
pub(crate) fn statements() -> Vec<String> {
    let mut texts: Vec<String> = offline::cases().into_iter().map(|case| case.sql).collect();
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus")];
    let named = std::env::var("SEXTON_CORPUS").unwrap_or_default();
    folders.extend(named.split(':').filter(|name| !name.is_empty()).map(PathBuf::from));
    for folder in folders {
        for file in sql_files(&folder) {
            texts.push(without_psql(&String::from_utf8_lossy(&fs::read(&file).expect("it can be read"))));
        }
    }
    let mut distinct = BTreeSet::new();
    let cut = texts.iter().flat_map(|text| cut(text));
    cut.filter(|statement| distinct.insert(statement.clone())).collect()
}

fn sql_files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten() {
        let path = entry.expect("it can be listed").path();
        if path.is_dir() {
            files.extend(sql_files(&path));
        } else if path.extension().is_some_and(|extension| extension == "sql") {
            files.push(path);
        }
    }
    files.sort();
    files
}

fn cut(text: &str) -> Vec<String> {
    let Ok(tokens) = lex(text.as_bytes(), true) else { return Vec::new() };
    let pieces = split::statements(&tokens);
    pieces.iter().map(|piece| text[tokens[piece.first].start..tokens[piece.end - 1].end].to_owned()).collect()
}

/// The text without psql's commands and COPY's data; a command ends the statement before it.
fn without_psql(text: &str) -> String {
    let mut out = String::new();
    let mut data = false;
    for line in text.lines() {
        if data {
            data = line != "\\.";
            continue;
        }
        if line.starts_with('\\') {
            out.push_str(";\n");
            continue;
        }
        out.push_str(line);
        out.push('\n');
        data = line.to_lowercase().contains("from stdin") && text.contains("\n\\.\n");
    }
    out
}
