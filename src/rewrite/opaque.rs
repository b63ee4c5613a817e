//! SQL that stands in strings: DO blocks and the functions that run a text. Sexton cannot look inside, so they
//! are refused where they may read a registered table, unless `unscoped = "pass"`.

use crate::config::Unscoped;
use crate::rewrite::ddl;
use crate::rewrite::outcome::Effect;
use crate::rewrite::refusal::{Reason, Refusal};
use crate::rewrite::schema_change::{HOLDING, create_head};
use crate::rewrite::statement::{Decision, Statement};
use crate::sql::ident::plain_string;
use crate::sql::keyword::Keyword;
use crate::sql::lexer::Kind;

/// Functions of PostgreSQL and its contrib modules that run SQL from a string or read a table named by one
/// (proxy notes R9); a name here covers the longer ones that start with it, `ts_rewrite` and `ts_stat` excepted.
pub const FUNCTIONS: &[&str] = &[
    "query_to_xml",
    "table_to_xml",
    "schema_to_xml",
    "database_to_xml",
    "cursor_to_xml",
    "ts_stat",
    "ts_rewrite",
    "dblink",
    "crosstab",
    "connectby",
    "xpath_table",
];

/// Those of which there are no longer ones: a column may well be called `ts_status`.
const WHOLE: &[&str] = &["ts_rewrite", "ts_stat"];

/// True for the name of such a function.
fn runs_sql(name: &str) -> bool {
    FUNCTIONS.iter().any(|function| name == *function || (!WHOLE.contains(function) && name.starts_with(function)))
}

/// DO: refused where its text mentions a registered name, builds SQL of its own, or is not there to be read.
///
/// Settings are doubtful behind it where its text may change them. What the functions do that it calls is as little
/// known as behind a SELECT that calls them.
pub(crate) fn do_block(statement: &Statement<'_>) -> Result<Decision, Refusal> {
    let registry = statement.names.registry;
    let holder = || Reason::Opaque { holder: "DO".to_owned() };
    if registry.unscoped == Unscoped::Refuse && !registry.is_empty() {
        let keeps = registry.has_kept_relations() && !statement.names.role.hard_deletes;
        for index in statement.piece.first + 1..statement.piece.end {
            let is_text = statement.kind(index).is_some_and(is_string);
            match plain_string(statement.text, &statement.tokens[index]) {
                Some(body) if registry.may_mention(&body) || builds_sql(&body) || (keeps && words(&body, cascades)) => {
                    return statement.refuse(holder(), index);
                }
                None if is_text => return statement.refuse(holder(), index),
                _ => {}
            }
        }
    }
    let may = |does: fn(&[&str]) -> bool| {
        (statement.piece.first + 1..statement.piece.end).any(|index| {
            statement.kind(index).is_some_and(is_string)
                && plain_string(statement.text, &statement.tokens[index]).is_none_or(|body| words(&body, does))
        })
    };
    Ok(Decision::unchanged(match (may(sets), may(defines)) {
        (true, schema) => Effect::Unsettled { schema },
        (false, true) => ddl::everything(statement),
        (false, false) => Effect::None,
    }))
}

/// Splits `body` into its words, in lower case.
fn words<R>(body: &[u8], read: impl FnOnce(&[&str]) -> R) -> R {
    let text = String::from_utf8_lossy(body).to_ascii_lowercase();
    let is_letter = |letter: char| letter.is_alphanumeric() || letter == '_';
    let words: Vec<&str> = text.split(|letter| !is_letter(letter)).filter(|word| !word.is_empty()).collect();
    read(&words)
}

/// What stands behind the SET of a setting that statements are read by.
const SETTINGS: &[&str] = &[
    "client_encoding",
    "local",
    "names",
    "role",
    "schema",
    "search_path",
    "session",
    "session_authorization",
    "sexton",
    "standard_conforming_strings",
];
/// Words by which a body changes settings otherwise, or may.
const SETTERS: &[&str] = &["call", "discard", "execute", "pg_settings", "reset", "set_config"];

/// Words by which a body changes the schema or privileges, or may.
const DEFINERS: &[&str] =
    &["alter", "call", "create", "discard", "drop", "execute", "grant", "import", "reassign", "revoke"];

/// True where a body holds a word that changes the schema or privileges, or runs a statement that may.
fn defines(words: &[&str]) -> bool {
    words.iter().any(|word| DEFINERS.contains(word))
}

/// True where a body holds a word that changes a setting, or runs a statement that may.
fn sets(words: &[&str]) -> bool {
    // UPDATE has a SET of its own.
    let sets = words.windows(2).any(|pair| pair[0] == "set" && SETTINGS.contains(&pair[1]));
    sets || words.iter().any(|word| SETTERS.contains(word))
}

/// A string constant of any form.
pub(crate) fn is_string(kind: Kind) -> bool {
    matches!(kind, Kind::String | Kind::EscapeString | Kind::UnicodeString | Kind::BitString | Kind::DollarString)
}

/// True where a body runs a statement that it builds.
fn builds_sql(body: &[u8]) -> bool {
    let text = String::from_utf8_lossy(body).to_ascii_lowercase();
    text.match_indices("execute").any(|(at, word)| !calls_function(&text[at + word.len()..]))
}

/// True behind the EXECUTE of a CREATE TRIGGER: FUNCTION or PROCEDURE, a name and a parenthesis.
fn calls_function(behind: &str) -> bool {
    let is_name = |letter: char| letter.is_alphanumeric() || "_$.\"".contains(letter);
    let behind = behind.trim_start();
    ["function", "procedure"].iter().any(|noun| {
        let Some(name) = behind.strip_prefix(noun).filter(|name| name.starts_with(char::is_whitespace)) else {
            return false;
        };
        let name = name.trim_start();
        name.starts_with(is_name) && name.trim_start_matches(is_name).trim_start().starts_with('(')
    })
}

/// True where a body may take along a table, or change its marker, without naming it.
fn cascades(words: &[&str]) -> bool {
    let pairs =
        |first: &str, seconds: &[&str]| words.windows(2).any(|pair| pair[0] == first && seconds.contains(&pair[1]));
    // Not ON DELETE CASCADE.
    let cascades = words.windows(2).any(|pair| pair[1] == "cascade" && !matches!(pair[0], "delete" | "update"));
    let reaches = pairs("drop", HOLDING) || pairs("drop", &["schema"]) || pairs("alter", &["type"]);
    pairs("drop", &["owned"]) || pairs("rename", &["value"]) || (cascades && (reaches || words.contains(&"truncate")))
}

/// Refuses a call of one of [`FUNCTIONS`] whose arguments name a registered table, or are not all plain constants.
pub(crate) fn check_functions(statement: &Statement<'_>) -> Result<(), Refusal> {
    let registry = statement.names.registry;
    if registry.unscoped == Unscoped::Pass || registry.is_empty() {
        return Ok(());
    }
    let renames = renames(statement);
    for index in statement.piece.first..statement.piece.end {
        let called = statement.kind(index + 1) == Some(Kind::Open) && !is_table(statement, index);
        // `(argument).function` is a call as well, and so is `a.function` where `a` stands for what a function in FROM gives.
        let applied = index > statement.piece.first && statement.kind(index - 1) == Some(Kind::Dot);
        let named = match renames {
            true => function_named(statement, index)?,
            false => statement.name_at(index).filter(|_| called || applied),
        };
        let Some(name) = named else { continue };
        let listed = runs_sql(&name) || (renames && name == "set_config");
        if listed && !(called && is_harmless(statement, index, &name)) {
            return statement.refuse(Reason::Opaque { holder: format!("{name}()") }, index);
        }
    }
    Ok(())
}

/// Nouns of what a CREATE or ALTER may make such a function by another name.
const RENAMING: &[&str] = &[
    "access",
    "aggregate",
    "cast",
    "conversion",
    "foreign",
    "language",
    "operator",
    "procedural",
    "text",
    "transform",
    "trusted",
];

/// True for a CREATE or ALTER that may make a function known by another name: CREATE AGGREGATE, OPERATOR, CAST and their
/// like.
fn renames(statement: &Statement<'_>) -> bool {
    let first = statement.piece.first;
    match statement.keyword(first) {
        Some(Keyword::Create) => {
            let noun = create_head(statement).noun;
            match statement.word(noun).as_deref() {
                // A base type; the labels and attributes of others are no functions.
                Some("type") => statement.outside_groups(noun, Keyword::As).is_none(),
                word => word.is_some_and(|word| RENAMING.contains(&word)),
            }
        }
        Some(Keyword::Alter) => statement.word(first + 1).is_some_and(|word| {
            matches!(word.as_str(), "function" | "procedure" | "routine") || RENAMING.contains(&word.as_str())
        }),
        _ => false,
    }
}

/// The function that a word of such a statement names, or a string: CREATE takes both.
fn function_named(statement: &Statement<'_>, index: usize) -> Result<Option<String>, Refusal> {
    let creates = statement.keyword(statement.piece.first) == Some(Keyword::Create);
    if !creates || !statement.kind(index).is_some_and(is_string) {
        return Ok(statement.name_at(index));
    }
    match plain_string(statement.text, &statement.tokens[index]) {
        Some(name) => Ok(String::from_utf8(name).ok()),
        None => {
            let noun = statement.word(statement.piece.first + 1).unwrap_or_default().to_uppercase();
            statement.refuse(Reason::Opaque { holder: format!("a string in CREATE {noun}") }, index)
        }
    }
}

/// True where a list of columns follows the name at `index`, not arguments.
fn is_table(statement: &Statement<'_>, index: usize) -> bool {
    let first = statement.piece.first;
    let mut start = index;
    while start >= first + 2 && statement.kind(start - 1) == Some(Kind::Dot) {
        start -= 2;
    }
    let before = |distance: usize| {
        start.checked_sub(distance).filter(|before| *before >= first).and_then(|before| statement.word(before))
    };
    match before(1).as_deref() {
        Some("into" | "references" | "table" | "view") => true,
        Some("exists") => before(2).as_deref() == Some("not") && before(3).as_deref() == Some("if"),
        _ => false,
    }
}

fn is_harmless(statement: &Statement<'_>, call: usize, name: &str) -> bool {
    // A whole schema or database is read without any table being named.
    if name.starts_with("schema_to_xml") || name.starts_with("database_to_xml") {
        return false;
    }
    let end = statement.behind_group(call + 1);
    (call + 2..end.saturating_sub(1)).all(|index| match statement.kind(index) {
        Some(Kind::Comma | Kind::Typecast) => true,
        Some(Kind::Word) => is_constant_word(statement, index),
        // A number may be a table's oid.
        Some(kind) if is_string(kind) => plain_string(statement.text, &statement.tokens[index]).is_some_and(|value| {
            let is_oid = !value.is_empty() && value.iter().all(u8::is_ascii_digit);
            !statement.names.registry.may_mention(&value) && !builds_sql(&value) && !is_oid
        }),
        _ => false,
    })
}

fn is_constant_word(statement: &Statement<'_>, index: usize) -> bool {
    matches!(statement.word(index).as_deref(), Some("true" | "false" | "null"))
        || statement.kind(index - 1) == Some(Kind::Typecast)
}
