//! CREATE, ALTER and DROP: what would take a registered table or its marker out of sight needs `access.hard_delete`.

use std::collections::HashSet;

use crate::rewrite::body;
use crate::rewrite::ddl;
use crate::rewrite::drop_table;
use crate::rewrite::outcome::{Effect, Outcome};
use crate::rewrite::refusal::{Reason, Refusal};
use crate::rewrite::registry::{Entry, EntryKind};
use crate::rewrite::resolve::Meaning;
use crate::rewrite::state::{Changes, Fresh, SearchPath};
use crate::rewrite::statement::{Decision, Statement};
use crate::sql::ident::quote;
use crate::sql::keyword::Keyword;
use crate::sql::lexer::Kind;

/// The words between CREATE and the name.
pub(crate) struct CreateHead {
    /// The token of the noun: TABLE, VIEW, FUNCTION …
    pub(crate) noun: usize,
    /// The token where the name starts.
    pub(crate) name: usize,
    /// TEMP or TEMPORARY.
    pub(crate) temporary: bool,
    /// CREATE RECURSIVE VIEW: the view's name is a CTE in its own query.
    pub(crate) recursive: bool,
    /// A noun whose AS introduces a query.
    pub(crate) carries_query: bool,
}

/// Reads the words behind CREATE.
pub(crate) fn create_head(statement: &Statement<'_>) -> CreateHead {
    let mut noun = statement.piece.first + 1;
    let (mut temporary, mut recursive) = (false, false);
    loop {
        match statement.keyword(noun) {
            Some(Keyword::Or) => noun += 2,
            Some(Keyword::Temp | Keyword::Temporary) => {
                temporary = true;
                noun += 1;
            }
            Some(Keyword::Recursive) => {
                recursive = true;
                noun += 1;
            }
            Some(Keyword::Global | Keyword::Local | Keyword::Unlogged | Keyword::Materialized) => noun += 1,
            Some(Keyword::Foreign) if statement.keyword(noun + 1) == Some(Keyword::Table) => noun += 1,
            _ => break,
        }
    }
    let carries_query = matches!(statement.keyword(noun), Some(Keyword::Table | Keyword::View));
    let mut name = noun + 1;
    if statement.keyword(name) == Some(Keyword::If) {
        name += 3;
    }
    CreateHead { noun, name, temporary, recursive, carries_query }
}

/// A CREATE that carries no query Sexton rewrites.
pub(crate) fn create(statement: &Statement<'_>, head: &CreateHead) -> Result<Decision, Refusal> {
    let mut outcome = Outcome::Unchanged;
    match (statement.keyword(head.noun), statement.mention()) {
        // A body in a string is the server's; a parsed body is SQL that reads tables.
        (Some(Keyword::Function | Keyword::Procedure), _) => outcome = body::routine(statement, head.noun)?,
        // It makes a view of a table.
        (Some(Keyword::Rule), mention)
            if pairs(statement, "on", "select") && (mention.is_some() || !statement.names.state.fresh.is_empty()) =>
        {
            return statement.refuse(Reason::Utility { verb: "CREATE RULE ON SELECT".to_owned() }, head.noun);
        }
        (Some(Keyword::Rule), Some(_)) => outcome = body::rule(statement, head.noun)?,
        (Some(Keyword::Policy), Some(_)) => outcome = body::policy(statement)?,
        // A view among the schema's elements, or a table that holds the rows of another.
        (Some(Keyword::Schema), Some(_)) if statement.has(Keyword::View) || makes_child(statement) => {
            outcome = body::schema(statement, head.noun)?
        }
        _ => {}
    }
    let effect = match statement.keyword(head.noun) {
        Some(Keyword::Index) => Effect::None,
        _ => creation(statement, head),
    };
    Ok(Decision::new(outcome, effect))
}

/// What a relation that comes into being does to the session.
pub(crate) fn creation(statement: &Statement<'_>, head: &CreateHead) -> Effect {
    // ON COMMIT DROP stands behind the columns and before AS.
    let until_commit = pairs(statement, "commit", "drop");
    let effect = temporary(statement, head.name, head.temporary, until_commit);
    under(statement, head, effect.unwrap_or_else(|| ddl::create(statement, head)))
}

/// The same for SELECT INTO, whose INTO stands at `into`.
pub(crate) fn select_into(statement: &Statement<'_>, into: usize) -> Effect {
    let mut name = into + 1;
    let mut is_temporary = false;
    while let Some(
        Keyword::Local | Keyword::Global | Keyword::Unlogged | Keyword::Table | Keyword::Temp | Keyword::Temporary,
    ) = statement.keyword(name)
    {
        is_temporary |= matches!(statement.keyword(name), Some(Keyword::Temp | Keyword::Temporary));
        name += 1;
    }
    temporary(statement, name, is_temporary, false).unwrap_or_else(|| ddl::relation(statement, name))
}

/// The same, where the relation's rows may be those of a registered table that the statement mentions.
fn under(statement: &Statement<'_>, head: &CreateHead, effect: Effect) -> Effect {
    let parts = statement.name_parts(head.name).map(|(parts, _)| parts).unwrap_or_default();
    let view = statement.keyword(head.noun) == Some(Keyword::View);
    let related = mentions_registered(statement)
        || statement.fresh_name().is_some()
        || (statement.has_unicode_escape() && !statement.names.state.fresh.is_empty());
    let Some(name) = parts.last().filter(|_| related && (view || makes_child(statement))).cloned() else {
        return effect;
    };
    let changes = match effect {
        Effect::Schema(changes) => changes,
        _ => Changes::default(),
    };
    let temporary = head.temporary || has_word(statement, "pg_temp") || may_be_temporary(statement, &parts, view);
    Effect::SchemaUnder { name, fresh: Fresh { view, temporary }, changes }
}

fn makes_child(statement: &Statement<'_>) -> bool {
    has_word(statement, "inherits") || pairs(statement, "partition", "of")
}

/// What is named without a schema is temporary where the search path says so, and a view also where it reads a temporary
/// table. What has a new name is known by the next snapshot, which shows it or does not (`State::forget_fresh`).
fn may_be_temporary(statement: &Statement<'_>, parts: &[String], view: bool) -> bool {
    let [name] = parts else { return false };
    let is_taken = || statement.names.registry.is_shown(name);
    match &statement.names.state.search_path {
        SearchPath::Known(path) if path.to_ascii_lowercase().contains("pg_temp") => true,
        SearchPath::Known(_) => view && is_taken(),
        SearchPath::Unknown => is_taken(),
    }
}

/// False where every watched name in the statement is that of a temporary table.
fn mentions_registered(statement: &Statement<'_>) -> bool {
    let names = statement.names;
    (statement.piece.first..statement.piece.end).filter_map(|index| statement.name_parts(index)).any(|(parts, _)| {
        parts.iter().any(|name| names.registry.is_watched(name))
            && !matches!(names.resolve(&parts), Ok(Meaning::Temporary))
    })
}

/// The effect of making a temporary relation whose name starts at `name`; `None` where it is not temporary.
fn temporary(statement: &Statement<'_>, name: usize, is_temporary: bool, until_commit: bool) -> Option<Effect> {
    let (parts, _) = statement.name_parts(name)?;
    if !is_temporary && !parts.first().is_some_and(|schema| parts.len() > 1 && schema == "pg_temp") {
        return None;
    }
    let name = parts.into_iter().next_back().filter(|name| statement.names.registry.is_followed(name));
    Some(name.map_or(Effect::None, |name| Effect::CreateTemporary { name, until_commit }))
}

/// ALTER: renaming, moving or re-parenting a registered table, or touching its marker.
pub(crate) fn alter(statement: &Statement<'_>) -> Result<Decision, Refusal> {
    let noun = statement.piece.first + 1;
    if statement.keyword(noun) == Some(Keyword::Policy) {
        return Ok(Decision::new(body::policy(statement)?, ddl::rights(statement)));
    }
    if let Some((token, name)) = statement.fresh_name().filter(|_| has_word(statement, "rename")) {
        return statement.refuse(Reason::Fresh { name }, token);
    }
    let allowed = Ok(Decision::unchanged(renamed(statement, noun, ddl::alter(statement, noun))?));
    if statement.keyword(noun) == Some(Keyword::Schema) {
        let schema = statement.name_at(noun + 1).unwrap_or_default();
        let renames = statement.names.registry.has_schema(&schema) && has_word(statement, "rename");
        if renames && !statement.names.role.hard_deletes {
            return statement.refuse(Reason::Alter { table: format!("the tables of schema {schema}") }, noun + 1);
        }
        return allowed;
    }
    if statement.word(noun).as_deref() == Some("type") {
        check_type(statement, noun)?;
    }
    let target = altered(statement, noun);
    if let Some((parts, _)) = statement.name_parts(target)
        && let Ok(Meaning::Temporary) = statement.names.resolve(&parts)
    {
        return alter_temporary(statement, target);
    }
    if statement.names.role.hard_deletes {
        return allowed;
    }
    // A table that takes a registered name comes into sight.
    let moves = pairs(statement, "set", "schema") || pairs(statement, "rename", "to");
    // With an extension go its members.
    let is_extension = statement.word(noun).as_deref() == Some("extension");
    let (reparents, columns) = (reparents(statement), touched_columns(statement));
    let cascades = has_word(statement, "cascade");
    // ALTER INDEX and its like reach tables too: the name decides, not the noun.
    for (token, entry) in registered(statement, reparents)? {
        let is_moved = is_extension || (moves && token == target);
        // A table that is referred to keeps its columns.
        let is_referred = statement.word(token - 1).as_deref() == Some("references");
        if is_moved || reparents || (!is_referred && touches_marker(&columns, cascades, entry)) {
            return statement.refuse(Reason::Alter { table: entry.display() }, token);
        }
    }
    allowed
}

/// The same effect, with the new name of a relation that holds or shows rows of a registered table.
fn renamed(statement: &Statement<'_>, noun: usize, effect: Effect) -> Result<Effect, Refusal> {
    let Effect::Schema(changes) = effect else { return Ok(effect) };
    let name = statement.name_parts(altered(statement, noun)).and_then(|(parts, _)| parts.into_iter().next_back());
    let entries = || statement.names.registry.named(name.as_deref().unwrap_or_default());
    if !pairs(statement, "rename", "to") || entries().all(Entry::is_transparent) {
        return Ok(Effect::Schema(changes));
    }
    match statement.name_at(statement.piece.end - 1) {
        Some(name) if !statement.has_unicode_escape() => {
            let view = entries().all(|entry| matches!(entry.kind, EntryKind::View(_)));
            Ok(Effect::SchemaUnder { name, fresh: Fresh { view, temporary: false }, changes })
        }
        _ => statement.refuse(Reason::Unreadable { what: "RENAME" }, statement.piece.end - 1),
    }
}

fn reparents(statement: &Statement<'_>) -> bool {
    ["attach", "detach", "inherit"].iter().any(|word| has_word(statement, word))
}

/// The token where the name of the table starts that `target` is put under or over, or taken from.
fn related(statement: &Statement<'_>, target: usize) -> Option<usize> {
    let behind = (target..statement.piece.end)
        .find(|&index| matches!(statement.word(index).as_deref(), Some("attach" | "detach" | "inherit")))?;
    let word = statement.word(behind + 1);
    Some(behind + 1 + usize::from(word.as_deref() == Some("partition")))
}

/// The token where the name of what is altered starts.
fn altered(statement: &Statement<'_>, noun: usize) -> usize {
    let mut index = noun + 1;
    if matches!(statement.word(noun).as_deref(), Some("materialized" | "foreign")) {
        index += 1;
    }
    if statement.keyword(index) == Some(Keyword::If) {
        index += 2;
    }
    if statement.keyword(index) == Some(Keyword::Only) {
        index += 1;
    }
    // ONLY (t)
    index + usize::from(statement.kind(index) == Some(Kind::Open))
}

/// ALTER of a temporary table says so with `pg_temp`, as [`drop_table::drop_tables`] does.
fn alter_temporary(statement: &Statement<'_>, target: usize) -> Result<Decision, Refusal> {
    let Some((parts, _)) = statement.name_parts(target) else { return Ok(Decision::unchanged(Effect::None)) };
    let name = parts.into_iter().next_back().unwrap_or_default();
    let renamed = pairs(statement, "rename", "to");
    let taken = statement.name_at(statement.piece.end - 1).is_some_and(|to| statement.names.registry.is_watched(&to));
    if (renamed && taken) || pairs(statement, "set", "schema") {
        return statement.refuse(Reason::TemporaryShadow { name }, target);
    }
    let mut rewriter = statement.rewriter();
    rewriter.insert_before(target, "pg_temp.", target);
    if let Some(other) = related(statement, target)
        && let Some((parts, _)) = statement.name_parts(other)
    {
        match statement.names.resolve(&parts) {
            Ok(Meaning::Temporary) => rewriter.insert_before(other, "pg_temp.", other),
            Ok(Meaning::Relation(None)) => {}
            // Its rows would be read through the registered table.
            _ => return statement.refuse(Reason::TemporaryShadow { name }, other),
        }
    }
    let effect = match renamed {
        true => Effect::DropTemporary { names: vec![name], changes: Changes::default() },
        false => Effect::None,
    };
    Ok(Decision::new(statement.outcome(rewriter, target)?, effect))
}

/// What may take columns along when it is dropped with CASCADE, or a whole table: one that is partitioned goes with any
/// function, operator or type that its key is made of. A wrapper (`foreign data wrapper`) takes the tables behind it.
pub(crate) const HOLDING: &[&str] = &[
    "access",
    "aggregate",
    "cast",
    "collation",
    "conversion",
    "domain",
    "extension",
    "foreign",
    "function",
    "language",
    "operator",
    "procedural",
    "procedure",
    "routine",
    "server",
    "text",
    "transform",
    "type",
];

/// DROP TABLE and DROP SCHEMA destroy kept rows; DROP OWNED may.
pub(crate) fn drop(statement: &Statement<'_>) -> Result<Decision, Refusal> {
    let noun = statement.piece.first + 1;
    let allowed = Ok(Decision::unchanged(ddl::drop(statement, noun)));
    let is_wrapper =
        statement.keyword(noun) == Some(Keyword::Foreign) && statement.word(noun + 1).as_deref() == Some("data");
    if matches!(statement.keyword(noun), Some(Keyword::Table | Keyword::Foreign | Keyword::View)) && !is_wrapper {
        return drop_table::drop_tables(statement, noun);
    }
    if statement.names.role.hard_deletes {
        return allowed;
    }
    let holding = statement.word(noun).is_some_and(|word| HOLDING.contains(&word.as_str()));
    if holding && has_word(statement, "cascade") && statement.names.registry.has_kept_relations() {
        return statement.refuse(Reason::Alter { table: "a registered table, or its marker,".to_owned() }, noun);
    }
    match statement.keyword(noun) {
        Some(Keyword::Schema) => {
            for index in noun + 1..statement.piece.end {
                if let Some(schema) = statement.name_at(index)
                    && (statement.names.registry.has_schema(&schema) || has_types(statement, &schema))
                {
                    return statement.refuse(Reason::Drop { table: format!("the tables of schema {schema}") }, index);
                }
            }
        }
        _ if statement.word(noun).as_deref() == Some("owned") && !statement.names.registry.is_empty() => {
            return statement.refuse(Reason::Drop { table: "all objects of a role".to_owned() }, noun);
        }
        _ => {}
    }
    allowed
}

/// True where columns that the snapshot holds have a type of `schema`: outside `pg_catalog` it is written with its schema.
fn has_types(statement: &Statement<'_>, schema: &str) -> bool {
    let prefix = format!("{}.", quote(schema));
    let mut columns = statement.names.registry.snapshot().relations().flat_map(|relation| &relation.columns);
    columns.any(|column| column.type_name.starts_with(&prefix))
}

/// Every name in the statement that means a registered table with effect. `reparents`: rows may come under it.
fn registered<'a>(statement: &Statement<'a>, reparents: bool) -> Result<Vec<(usize, &'a Entry)>, Refusal> {
    let mut found = Vec::new();
    let mut index = statement.piece.first + 2;
    while index < statement.piece.end {
        match statement.name_parts(index) {
            Some((parts, next)) => {
                match statement.names.resolve(&parts) {
                    Ok(Meaning::Relation(Some(entry))) if entry.policy().is_some() => found.push((index, entry)),
                    Ok(Meaning::Relation(_)) => {}
                    Ok(Meaning::Temporary) if reparents => {
                        let name = parts.into_iter().next_back().unwrap_or_default();
                        return statement.refuse(Reason::TemporaryShadow { name }, index);
                    }
                    Ok(Meaning::Temporary) => {}
                    Err(reason) => return statement.refuse(reason, index),
                }
                index = next;
            }
            None => index += 1,
        }
    }
    Ok(found)
}

pub(crate) fn has_word(statement: &Statement<'_>, word: &str) -> bool {
    (statement.piece.first..statement.piece.end).any(|index| statement.word(index).as_deref() == Some(word))
}

pub(crate) fn pairs(statement: &Statement<'_>, first: &str, second: &str) -> bool {
    (statement.piece.first..statement.piece.end).any(|index| {
        statement.word(index).as_deref() == Some(first) && statement.word(index + 1).as_deref() == Some(second)
    })
}

/// The columns that are dropped, renamed, or get another type.
fn touched_columns(statement: &Statement<'_>) -> HashSet<String> {
    let sets_type = pairs(statement, "set", "data");
    let is_touched = |index: &usize| {
        // DROP COLUMN IF EXISTS name
        let mut before = (statement.piece.first..*index).rev().take(4).map(|before| statement.word(before));
        let verb = before.find(|word| !matches!(word.as_deref(), Some("column" | "if" | "exists")));
        match verb.flatten().as_deref() {
            Some("drop" | "rename") => true,
            Some("alter") => sets_type || statement.word(index + 1).as_deref() == Some("type"),
            _ => false,
        }
    };
    let touched = (statement.piece.first + 2..statement.piece.end).filter(is_touched);
    touched.filter_map(|index| statement.name_at(index)).collect()
}

/// True where one of the columns says whether a row is live, or what does so is generated from one, and goes with it.
fn touches_marker(columns: &HashSet<String>, cascades: bool, entry: &Entry) -> bool {
    let reads =
        |name: &str| entry.relation.column(name).is_some_and(|it| columns.iter().any(|column| it.reads(column)));
    let goes = |name: &str| columns.contains(name) || (cascades && reads(name));
    entry.policy().is_some_and(|policy| policy.marker_columns().any(goes))
}

/// ALTER TYPE: a typed table has the attributes of its type for columns, and the values of an enumeration are what a marker
/// is compared with.
fn check_type(statement: &Statement<'_>, noun: usize) -> Result<(), Refusal> {
    let registry = statement.names.registry;
    if statement.names.role.hard_deletes || !registry.has_kept_relations() {
        return Ok(());
    }
    let (parts, _) = statement.name_parts(noun + 1).unwrap_or_default();
    let name = quote(parts.last().map(String::as_str).unwrap_or_default());
    let is_it = |type_name: &str| type_name == name || type_name.ends_with(&format!(".{name}"));
    let is_marker = || {
        registry.scoped().any(|(relation, policy)| {
            policy.marker_columns().filter_map(|name| relation.column(name)).any(|column| is_it(&column.type_name))
        })
    };
    let changes = pairs(statement, "rename", "value") || has_word(statement, "attribute");
    if has_word(statement, "cascade") || (changes && is_marker()) {
        return statement.refuse(Reason::Alter { table: "the marker of a registered table".to_owned() }, noun + 1);
    }
    Ok(())
}
