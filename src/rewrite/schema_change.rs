//! CREATE, ALTER and DROP: what would take a registered table or its marker out of sight needs `access.hard_delete`.

use crate::rewrite::body;
use crate::rewrite::outcome::{Effect, Outcome};
use crate::rewrite::refusal::{Reason, Refusal};
use crate::rewrite::registry::Entry;
use crate::rewrite::statement::{Decision, Statement};
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
    let refuse = |token: usize| {
        let noun = statement.word(head.noun).unwrap_or_default().to_uppercase();
        statement.refuse(Reason::Utility { verb: format!("CREATE {noun}") }, token)
    };
    let has = |wanted: Keyword| (head.noun..statement.piece.end).any(|index| statement.keyword(index) == Some(wanted));
    let mut outcome = Outcome::Unchanged;
    if let Some(mention) = statement.mention() {
        match statement.keyword(head.noun) {
            Some(Keyword::Function | Keyword::Procedure) => outcome = body::routine(statement, head.noun)?,
            Some(Keyword::Rule) => outcome = body::rule(statement, head.noun)?,
            // FOR SELECT is no query; (TABLE users) is one.
            Some(Keyword::Policy)
                if (head.noun..statement.piece.end)
                    .any(|index| statement.kind(index) == Some(Kind::Open) && statement.opens_query(index)) =>
            {
                return refuse(mention);
            }
            // A view among the schema's elements.
            Some(Keyword::Schema) if has(Keyword::As) => return refuse(mention),
            _ => {}
        }
    }
    let name = statement.name_parts(head.name).and_then(|(parts, _)| parts.last().cloned());
    let effect = match name {
        Some(name) if head.temporary && statement.names.registry.is_watched(&name) => Effect::CreateTemporary(name),
        _ if head.temporary || statement.keyword(head.noun) == Some(Keyword::Index) => Effect::None,
        _ => Effect::Schema,
    };
    let depends = outcome != Outcome::Unchanged;
    Ok(Decision { outcome, effect, depends })
}

/// ALTER: renaming, moving or re-parenting a registered table, or touching its marker.
pub(crate) fn alter(statement: &Statement<'_>) -> Result<Decision, Refusal> {
    let allowed = Ok(Decision::unchanged(Effect::Schema));
    if statement.names.role.hard_deletes {
        return allowed;
    }
    let noun = statement.piece.first + 1;
    if statement.keyword(noun) == Some(Keyword::Schema) {
        let schema = statement.name_at(noun + 1).unwrap_or_default();
        if statement.names.registry.has_schema(&schema) && has_word(statement, "rename") {
            return statement.refuse(Reason::Alter { table: format!("the tables of schema {schema}") }, noun + 1);
        }
        return allowed;
    }
    if !matches!(statement.keyword(noun), Some(Keyword::Table | Keyword::Foreign)) {
        return allowed;
    }
    for (token, entry) in registered(statement)? {
        let moves = ["attach", "detach", "inherit"].iter().any(|word| has_word(statement, word))
            || (has_word(statement, "set") && pairs(statement, "set", "schema"))
            || pairs(statement, "rename", "to");
        if moves || touches_marker(statement, entry) {
            return statement.refuse(Reason::Alter { table: entry.display() }, token);
        }
    }
    allowed
}

/// DROP TABLE and DROP SCHEMA destroy kept rows; DROP OWNED may.
pub(crate) fn drop(statement: &Statement<'_>) -> Result<Decision, Refusal> {
    let allowed = Ok(Decision::unchanged(Effect::Schema));
    if statement.names.role.hard_deletes {
        return allowed;
    }
    let noun = statement.piece.first + 1;
    match statement.keyword(noun) {
        Some(Keyword::Table | Keyword::Foreign) => {
            for (token, entry) in registered(statement)? {
                if entry.relation.oid != 0 && entry.policy().is_some() {
                    return statement.refuse(Reason::Drop { table: entry.display() }, token);
                }
            }
        }
        Some(Keyword::Schema) => {
            for index in noun + 1..statement.piece.end {
                if let Some(schema) = statement.name_at(index)
                    && statement.names.registry.has_schema(&schema)
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

/// Every name in the statement that means a registered table with effect.
fn registered<'a>(statement: &Statement<'a>) -> Result<Vec<(usize, &'a Entry)>, Refusal> {
    let mut found = Vec::new();
    let mut index = statement.piece.first + 2;
    while index < statement.piece.end {
        match statement.name_parts(index) {
            Some((parts, next)) => {
                match statement.names.resolve(&parts) {
                    Ok(Some(entry)) if entry.policy().is_some() => found.push((index, entry)),
                    Ok(_) => {}
                    Err(reason) => return statement.refuse(reason, index),
                }
                index = next;
            }
            None => index += 1,
        }
    }
    Ok(found)
}

fn has_word(statement: &Statement<'_>, word: &str) -> bool {
    (statement.piece.first..statement.piece.end).any(|index| statement.word(index).as_deref() == Some(word))
}

fn pairs(statement: &Statement<'_>, first: &str, second: &str) -> bool {
    (statement.piece.first..statement.piece.end).any(|index| {
        statement.word(index).as_deref() == Some(first) && statement.word(index + 1).as_deref() == Some(second)
    })
}

/// DROP, RENAME or ALTER … TYPE of a column that says whether a row is live.
fn touches_marker(statement: &Statement<'_>, entry: &Entry) -> bool {
    let Some(policy) = entry.policy() else { return false };
    let decides = |name: &str| {
        policy.marker.as_deref() == Some(name)
            || policy.live.as_ref().is_some_and(|live| live.columns().any(|column| column == name))
    };
    (statement.piece.first + 2..statement.piece.end).any(|index| {
        let Some(name) = statement.name_at(index).filter(|name| decides(name)) else { return false };
        let _ = name;
        let mut before = index - 1;
        while matches!(statement.word(before).as_deref(), Some("column" | "if" | "exists")) && before > 0 {
            before -= 1;
        }
        let changes_type = statement.word(index + 1).as_deref() == Some("type")
            || pairs(statement, "set", "data")
            || statement.kind(index + 1) == Some(Kind::Junk);
        match statement.word(before).as_deref() {
            Some("drop" | "rename") => true,
            Some("alter") => changes_type,
            _ => false,
        }
    })
}
