//! One text, judged: its tokens, its references, and the tree of what it becomes.

use std::collections::BTreeSet;

use serde_json::Value;
use sexton::sql::lexer::{Kind, Token, lex};
use sexton::sql::reader::read_query;

use crate::expected::{self, COLUMN, is_registered};
use crate::grammar::{node, parse, range_vars, text, without_places};
use crate::references;
use crate::support::offline::Offline;

/// What one check came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Both agree.
    Agrees(&'static str),
    /// Not compared, and why.
    Skipped(&'static str),
    /// Sexton refuses the statement.
    Refused(&'static str),
    /// They differ: Sexton is wrong.
    Differs(String),
}

impl Verdict {
    /// A name to count it under.
    pub(crate) fn name(&self) -> String {
        match self {
            Self::Agrees(what) => format!("agrees: {what}"),
            Self::Skipped(why) => format!("not compared: {why}"),
            Self::Refused(reason) => format!("refused: {reason}"),
            Self::Differs(_) => "DIFFERS".to_owned(),
        }
    }
}

/// Statements whose every word the reader answers for.
const QUERIES: [&str; 5] = ["SelectStmt", "InsertStmt", "UpdateStmt", "DeleteStmt", "MergeStmt"];
/// Statements that hold such a one.
const CARRIERS: [&str; 6] =
    ["ExplainStmt", "PrepareStmt", "DeclareCursorStmt", "CreateTableAsStmt", "ViewStmt", "CopyStmt"];

/// Every check that applies to `text`.
pub(crate) fn judge(text: &str) -> Vec<Verdict> {
    let mut verdicts = vec![cuts(text)];
    let Some(trees) = parse(text) else {
        verdicts.push(Verdict::Skipped("PostgreSQL refuses it"));
        return verdicts;
    };
    let Ok(tokens) = lex(text.as_bytes(), true) else {
        if verdicts == [Verdict::Skipped("junk")] {
            return verdicts;
        }
        verdicts.push(Verdict::Differs("the lexer refuses what PostgreSQL accepts".to_owned()));
        return verdicts;
    };
    // libpg_query lets `$2returning` through; the server and the lexer take it for junk.
    if tokens.iter().any(|token| token.kind == Kind::Junk) {
        return verdicts;
    }
    if let [tree] = trees.as_slice()
        && let Some((kind, _)) = node(tree)
        && QUERIES.contains(&kind)
    {
        verdicts.push(references(text, &tokens, tree));
    }
    verdicts.push(becomes(text, trees));
    verdicts
}

/// Whether the lexer cuts `text` where PostgreSQL's scanner does.
pub(crate) fn cuts(text: &str) -> Verdict {
    let theirs = pg_query::scan(text);
    let ours = lex(text.as_bytes(), true);
    match (theirs, ours) {
        (Err(_), Err(_)) => Verdict::Agrees("no tokens"),
        // Escapes and numbers that the scanner refuses; what it refuses it never runs.
        (Err(_), Ok(_)) => Verdict::Skipped("only PostgreSQL's scanner refuses it"),
        (Ok(theirs), Err(_)) if has_glued_parameter(&theirs) => Verdict::Skipped("junk"),
        (Ok(_), Err(error)) => {
            Verdict::Differs(format!("the lexer refuses what PostgreSQL's scanner accepts: {error}"))
        }
        // libpg_query lets `$1a` through, which the server does not.
        (Ok(_), Ok(ours)) if ours.iter().any(|token| token.kind == Kind::Junk) => Verdict::Skipped("junk"),
        (Ok(theirs), Ok(ours)) => {
            let comment = |token: i32| {
                token == pg_query::protobuf::Token::SqlComment as i32
                    || token == pg_query::protobuf::Token::CComment as i32
            };
            let mut merged: Vec<(usize, usize)> = Vec::new();
            let mut national = false;
            for token in theirs.tokens.iter().filter(|token| !comment(token.token)) {
                // N'…' is a keyword and a string to PostgreSQL, and one token to us.
                match merged.last_mut().filter(|last| national && last.1 == token.start as usize) {
                    Some(last) => last.1 = token.end as usize,
                    None => merged.push((token.start as usize, token.end as usize)),
                }
                national = token.token == pg_query::protobuf::Token::Nchar as i32 && token.end == token.start + 1;
            }
            let theirs = merged;
            let ours: Vec<(usize, usize)> = ours.iter().map(|token| (token.start, token.end)).collect();
            if ours == theirs {
                return Verdict::Agrees("tokens");
            }
            let first = ours.iter().zip(&theirs).find(|(ours, theirs)| ours != theirs);
            Verdict::Differs(format!("tokens (ours, PostgreSQL's): {first:?}, {} and {}", ours.len(), theirs.len()))
        }
    }
}

/// `$1E'…'`: junk to the server and to us, two tokens to libpg_query.
fn has_glued_parameter(scanned: &pg_query::protobuf::ScanResult) -> bool {
    let parameter = pg_query::protobuf::Token::Param as i32;
    scanned.tokens.windows(2).any(|pair| pair[0].token == parameter && pair[0].end == pair[1].start)
}

/// `U&"…" UESCAPE '…'`
fn has_escape_clause(text: &str, tokens: &[Token]) -> bool {
    tokens.windows(2).any(|pair| {
        pair[0].kind == Kind::UnicodeWord && text[pair[1].start..pair[1].end].eq_ignore_ascii_case("uescape")
    })
}

fn references(text: &str, tokens: &[Token], tree: &Value) -> Verdict {
    let end = tokens.iter().rposition(|token| token.kind != Kind::Semicolon).map_or(0, |last| last + 1);
    let first = tokens.iter().position(|token| token.kind != Kind::Semicolon).unwrap_or(0);
    let query = match read_query(tokens, first, end) {
        Ok(query) => query,
        // Sexton refuses it where a registered name is near, and needs to read nothing where none is.
        Err(_) if has_escape_clause(text, tokens) => return Verdict::Skipped("UESCAPE"),
        Err(fault) => {
            let at = tokens.get(fault.token).map_or(text.len(), |token| token.start);
            return Verdict::Differs(format!("the reader cannot read it: {fault} at byte {at}"));
        }
    };
    let mut theirs = Vec::new();
    range_vars(tree, &mut |table| {
        theirs.extend(table.get("location").and_then(Value::as_u64).map(|location| location as usize));
    });
    theirs.sort_unstable();
    // `SET (a, b) = (SELECT …)` holds its subquery once for each column.
    theirs.dedup();
    let ours = references::offsets(&query, tokens);
    if ours == theirs {
        return Verdict::Agrees("references");
    }
    Verdict::Differs(format!("references at (ours, PostgreSQL's): {ours:?}, {theirs:?}"))
}

/// Whether the text, rewritten with every table registered, parses to the tree it should.
fn becomes(text: &str, trees: Vec<Value>) -> Verdict {
    let mut tables = BTreeSet::new();
    range_vars(&Value::from(trees.clone()), &mut |table| {
        let schema = self::text(table, "schemaname");
        let schema = if schema.is_empty() { "public" } else { schema };
        if is_registered(schema) {
            tables.insert((schema.to_owned(), self::text(table, "relname").to_owned()));
        }
    });
    let offline = Offline::registering(&tables, &format!("delete = \"hard\"\nlive = \"{COLUMN} IS NULL\""));
    let plan = offline.plan(text.as_bytes());
    if let Some(refusal) = &plan.refusal {
        return Verdict::Refused(refusal.reason.name());
    }
    let upstream = plan.upstream_text.as_deref().unwrap_or(text.as_bytes());
    let upstream = String::from_utf8_lossy(upstream).into_owned();
    let Some(after) = parse(&upstream) else {
        return Verdict::Differs(format!("PostgreSQL refuses what it becomes: {upstream}"));
    };
    let mut expected = without_places(Value::from(trees));
    for tree in expected.as_array_mut().into_iter().flatten() {
        let kind = node(tree).map(|(kind, _)| kind.to_owned()).unwrap_or_default();
        if kind == "VariableSetStmt" {
            return Verdict::Skipped("names behind it may mean other tables");
        }
        if !QUERIES.contains(&kind.as_str()) && !CARRIERS.contains(&kind.as_str()) {
            if plan.upstream_text.is_some() {
                return Verdict::Skipped("a statement of another kind");
            }
            continue;
        }
        if node(tree).is_some_and(|(_, fields)| kind == "CopyStmt" && fields["query"].is_null()) {
            return Verdict::Skipped("COPY of a table");
        }
        match expected::edit(tree) {
            Ok(()) => {}
            Err(expected::Open::Merge) => return Verdict::Skipped("MERGE"),
            Err(expected::Open::Sampled) => return Verdict::Differs(format!("not refused: {upstream}")),
        }
    }
    let after = without_places(Value::from(after));
    if after == expected {
        return Verdict::Agrees(if plan.upstream_text.is_some() { "tree after the edits" } else { "tree unchanged" });
    }
    Verdict::Differs(format!("it becomes {upstream}\n{}", first_difference(&expected, &after)))
}

/// Where two trees part, with some lines of each.
fn first_difference(expected: &Value, actual: &Value) -> String {
    let pretty = |tree: &Value| serde_json::to_string_pretty(tree).expect("JSON");
    let (expected, actual) = (pretty(expected), pretty(actual));
    let at = expected.lines().zip(actual.lines()).take_while(|(left, right)| left == right).count();
    let around = |text: &str| text.lines().skip(at.saturating_sub(4)).take(14).collect::<Vec<_>>().join("\n");
    format!("expected tree:\n{}\nactual tree:\n{}", around(&expected), around(&actual))
}
