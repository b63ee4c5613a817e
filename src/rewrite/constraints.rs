//! SET CONSTRAINTS: the triggers that complete a foreign key are deferred with it.
//!
//! ```sql
//! SET CONSTRAINTS lines_item_id_fkey DEFERRED;
//! SET CONSTRAINTS lines_item_id_fkey, public.lines_item_id_fkey_sexton_c, public.lines_item_id_fkey_sexton_p DEFERRED;
//! ```
//!
//! ALL means them as well. Only triggers that are there are named, so that no name of Sexton's own can be an error.
//!
//! A foreign key that nothing completes, because it was made after `sexton apply` was run, would not notice a mark.

use crate::catalog::{OwnTrigger, Referencing, Relation, Snapshot};
use crate::rewrite::outcome::Effect;
use crate::rewrite::policy::has_events;
use crate::rewrite::refusal::Refusal;
use crate::rewrite::search_path::Member;
use crate::rewrite::statement::{Decision, Statement};
use crate::sql::ident::{quote_qualified, suffixed};
use crate::sql::keyword::Keyword;
use crate::sql::lexer::Kind;

/// What the names of triggers end with that complete a foreign key of that name, on the table that points.
pub const CHILD_SUFFIX: &str = "_sexton_c";
/// The same, on the table that is pointed to.
pub const PARENT_SUFFIX: &str = "_sexton_p";

/// A foreign key that points to `relation`, to a table it is a partition of or to one of its own, and has no triggers, where
/// others would.
pub(crate) fn incomplete<'a>(relation: &Relation, snapshot: &'a Snapshot) -> Option<&'a Referencing> {
    if !has_events(relation, snapshot) {
        return None;
    }
    let above = snapshot.ancestors(relation.oid);
    let mut keys = snapshot
        .by_oid(relation.oid)
        .into_iter()
        .flat_map(|relation| snapshot.family(relation))
        .chain(above)
        .flat_map(|relation| &relation.referencing);
    keys.find(|key| {
        let completing = suffixed(&key.key, CHILD_SUFFIX);
        !snapshot.own.triggers.iter().any(|trigger| trigger.table == key.oid && trigger.name == completing)
    })
}

/// True for SET CONSTRAINTS; a setting of that name would be followed by its value.
pub(crate) fn is_set_constraints(statement: &Statement<'_>) -> bool {
    let first = statement.piece.first;
    statement.keyword(first) == Some(Keyword::Set)
        && statement.word(first + 1).as_deref() == Some("constraints")
        && statement.name_at(first + 2).is_some()
        && statement.keyword(first + 2) != Some(Keyword::To)
}

/// Decides it.
pub(crate) fn set_constraints(statement: &Statement<'_>) -> Result<Decision, Refusal> {
    let mut index = statement.piece.first + 2;
    let mut completing: Vec<String> = Vec::new();
    while let Some((parts, next)) = statement.name_parts(index) {
        for trigger in triggers(statement, &parts) {
            let name = quote_qualified(&trigger.schema, &trigger.name);
            if !completing.contains(&name) {
                completing.push(name);
            }
        }
        index = next;
        if statement.kind(index) != Some(Kind::Comma) {
            break;
        }
        index += 1;
    }
    if completing.is_empty() {
        return Ok(Decision::unchanged(Effect::None));
    }
    let mut rewriter = statement.rewriter();
    rewriter.insert_after(index - 1, &format!(", {}", completing.join(", ")), index - 1);
    Ok(Decision::new(statement.outcome(rewriter, index - 1)?, Effect::None))
}

/// The deferrable triggers that complete the foreign keys that the name means: all of that name in one schema.
fn triggers<'a>(statement: &Statement<'a>, parts: &[String]) -> Vec<&'a OwnTrigger> {
    let Some((name, qualifiers)) = parts.split_last() else { return Vec::new() };
    let own = &statement.names.registry.snapshot().own;
    let named = |suffix: &str| -> Vec<&'a OwnTrigger> {
        let name = suffixed(name, suffix);
        own.triggers.iter().filter(|trigger| trigger.is_deferrable && trigger.name == name).collect()
    };
    let (children, parents) = (named(CHILD_SUFFIX), named(PARENT_SUFFIX));
    let in_schema = |triggers: &[&'a OwnTrigger], schema: &str| -> Vec<&'a OwnTrigger> {
        triggers.iter().copied().filter(|trigger| trigger.schema == schema).collect()
    };
    let schemas: Option<Vec<String>> = match qualifiers.last() {
        Some(schema) => Some(vec![schema.clone()]),
        None => statement.names.path().map(|path| {
            let user = || statement.names.user().map(str::to_owned);
            path.into_iter()
                .filter_map(|member| match member {
                    Member::User => user(),
                    Member::Schema(schema) => Some(schema),
                })
                .collect()
        }),
    };
    let Some(schemas) = schemas else { return [children, parents].concat() };
    let Some(schema) = schemas.into_iter().find(|schema| !in_schema(&children, schema).is_empty()) else {
        return Vec::new();
    };
    // The table that is pointed to may lie in another schema; which one is not told by the name.
    let beside = in_schema(&parents, &schema);
    [in_schema(&children, &schema), if beside.is_empty() { parents } else { beside }].concat()
}
