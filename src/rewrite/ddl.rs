//! What CREATE, ALTER and DROP do to names, columns and privileges before the catalog is read again.
//!
//! Only what a statement touches becomes uncertain; what its text does not tell makes everything so. DDL that
//! neither mentions a relation of the snapshot nor can reach one changes nothing.

use std::collections::BTreeMap;

use crate::rewrite::outcome::Effect;
use crate::rewrite::schema_change::{CreateHead, has_word, pairs};
use crate::rewrite::state::Changes;
use crate::rewrite::statement::Statement;
use crate::sql::lexer::Kind;

/// What a noun's objects have to do with names and privileges.
enum Noun {
    /// They share the names of tables.
    Relation,
    /// They hold relations.
    Schema,
    /// They decide who may do what.
    Role,
    /// Nothing.
    Inert,
    /// Perhaps everything: extensions bring tables of their own.
    Unknown,
}

fn noun(statement: &Statement<'_>, index: usize) -> Noun {
    match statement.word(index).unwrap_or_default().as_str() {
        "foreign" if statement.word(index + 1).as_deref() == Some("table") => Noun::Relation,
        "index" | "materialized" | "sequence" | "table" | "type" | "view" => Noun::Relation,
        "schema" => Noun::Schema,
        "database" | "group" | "policy" | "role" | "user" => Noun::Role,
        "access" | "aggregate" | "cast" | "collation" | "constraint" | "conversion" | "default" | "domain"
        | "event" | "foreign" | "function" | "language" | "large" | "operator" | "procedural" | "procedure"
        | "publication" | "routine" | "rule" | "server" | "statistics" | "subscription" | "system" | "tablespace"
        | "text" | "transform" | "trigger" | "trusted" | "unique" => Noun::Inert,
        _ => Noun::Unknown,
    }
}

/// CREATE of an object that is not temporary.
pub(crate) fn create(statement: &Statement<'_>, head: &CreateHead) -> Effect {
    match noun(statement, head.noun) {
        Noun::Relation => relation(statement, head.name),
        // What stands among its elements is made as well.
        Noun::Schema if has_word_from(statement, head.noun, "create") => everything(statement),
        Noun::Schema | Noun::Role => rights(statement),
        Noun::Inert => Effect::None,
        Noun::Unknown => everything(statement),
    }
}

/// A new relation whose name starts at `name`.
pub(crate) fn relation(statement: &Statement<'_>, name: usize) -> Effect {
    let Some((mut parts, _)) = statement.name_parts(name) else { return everything(statement) };
    if !concerns(statement) {
        return Effect::None;
    }
    let mut changes = Changes { keys: has_word(statement, "references"), ..Changes::default() };
    if let Some(relation) = parts.pop().filter(|relation| statement.names.registry.is_followed(relation)) {
        changes.columns.insert(relation.clone(), may_generate(statement));
        match parts.pop().or_else(|| statement.names.first_schema()) {
            Some(schema) => changes.made.extend([(schema, relation)]),
            None => changes.names.extend([relation]),
        }
    }
    Effect::Schema(changes)
}

/// ALTER, its noun at `index`.
pub(crate) fn alter(statement: &Statement<'_>, index: usize) -> Effect {
    match noun(statement, index) {
        Noun::Relation if has_word(statement, "cascade") => everything(statement),
        Noun::Relation if !concerns(statement) => Effect::None,
        Noun::Relation if pairs(statement, "rename", "to") || pairs(statement, "set", "schema") => {
            Effect::Schema(named(statement))
        }
        Noun::Relation => {
            let rights = pairs(statement, "owner", "to");
            let generated = may_generate(statement);
            let columns: BTreeMap<String, bool> =
                named(statement).names.into_iter().map(|name| (name, generated)).collect();
            let keys = has_word(statement, "references");
            Effect::Schema(Changes { rights, columns, keys, ..Changes::default() })
        }
        Noun::Schema if has_word(statement, "rename") => everything(statement),
        Noun::Schema | Noun::Role => rights(statement),
        Noun::Inert => Effect::None,
        Noun::Unknown => everything(statement),
    }
}

/// DROP, its noun at `index`.
pub(crate) fn drop(statement: &Statement<'_>, index: usize) -> Effect {
    if has_word(statement, "cascade") {
        return everything(statement);
    }
    match noun(statement, index) {
        Noun::Relation if !concerns(statement) => Effect::None,
        Noun::Relation => Effect::Schema(named(statement)),
        // A schema must be empty to go without CASCADE.
        Noun::Schema | Noun::Role => rights(statement),
        Noun::Inert => Effect::None,
        Noun::Unknown => everything(statement),
    }
}

/// Whatever names and privileges may be now.
pub(crate) fn everything(statement: &Statement<'_>) -> Effect {
    schema(statement, Changes::of_everything())
}

/// Privileges, memberships or schemas.
pub(crate) fn rights(statement: &Statement<'_>) -> Effect {
    schema(statement, Changes::of_rights())
}

fn schema(statement: &Statement<'_>, changes: Changes) -> Effect {
    if statement.names.registry.is_empty() { Effect::None } else { Effect::Schema(changes) }
}

/// True where some word of the statement is the name of a relation that the snapshot holds, or would.
fn concerns(statement: &Statement<'_>) -> bool {
    words(statement).any(|name| statement.names.registry.concerns(&name))
}

/// The watched names among the statement's words, and those of what inherits from such a relation or is its partition.
fn named(statement: &Statement<'_>) -> Changes {
    let registry = statement.names.registry;
    let mut changes = Changes::default();
    for name in words(statement) {
        let snapshot = registry.snapshot();
        let below = snapshot.named(&name).flat_map(|relation| snapshot.descendants(relation.oid));
        changes.names.extend(below.map(|relation| relation.name.clone()).filter(|name| registry.is_followed(name)));
        if registry.is_followed(&name) {
            changes.names.insert(name);
        }
    }
    changes
}

fn words(statement: &Statement<'_>) -> impl Iterator<Item = String> {
    (statement.piece.first + 1..statement.piece.end).filter_map(|index| statement.name_at(index))
}

/// True where the columns that the statement makes may be generated ones; those of an identity are not.
fn may_generate(statement: &Statement<'_>) -> bool {
    let inherits = ["like", "inherit", "inherits", "of", "attach"].iter().any(|word| has_word(statement, word));
    inherits
        || (statement.piece.first..statement.piece.end).any(|index| {
            is_word(statement, index, "always")
                && is_word(statement, index + 1, "as")
                && statement.kind(index + 2) == Some(Kind::Open)
        })
}

fn has_word_from(statement: &Statement<'_>, first: usize, word: &str) -> bool {
    (first..statement.piece.end).any(|index| is_word(statement, index, word))
}

fn is_word(statement: &Statement<'_>, index: usize, word: &str) -> bool {
    statement.word(index).as_deref() == Some(word)
}
