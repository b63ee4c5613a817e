//! DROP TABLE: an empty registered table may go; one with rows, live or deleted, needs `access.hard_delete`.
//!
//! ```sql
//! -- before
//! DROP TABLE users;
//! -- after
//! DO $sexton$DECLARE secured CONSTANT pg_catalog.text := pg_catalog.current_setting('row_security'); BEGIN LOCK TABLE users IN ACCESS EXCLUSIVE MODE; PERFORM pg_catalog.set_config('row_security', 'off', true); IF NOT pg_catalog.starts_with(pg_catalog.current_setting('transaction_isolation'), 'read ') OR EXISTS (SELECT FROM users) THEN RAISE EXCEPTION USING ERRCODE = '42501', MESSAGE = 'sexton: dropping public.users would destroy rows that are kept', HINT = 'A role in access.hard_delete may drop it.'; END IF; PERFORM pg_catalog.set_config('row_security', secured, true); DROP TABLE users; END$sexton$;
//! ```
//!
//! Only the server can tell without a race: behind the lock nobody adds a row before the table goes. In a transaction
//! whose snapshot is older than the lock there is no telling, and the table counts as one with rows. Policies on rows
//! hide none from the look. What is written in the block's name resolves as in the statement's own.

use crate::rewrite::ddl;
use crate::rewrite::outcome::{Effect, TagChange};
use crate::rewrite::refusal::{Reason, Refusal};
use crate::rewrite::resolve::Meaning;
use crate::rewrite::state::Changes;
use crate::rewrite::statement::{Decision, Statement};
use crate::sql::ident::{dollar_quotes, literal};
use crate::sql::keyword::Keyword;

/// DROP of tables, foreign tables and views. That of a temporary table says so with `pg_temp`: without it the registered
/// table of that name might go.
pub(crate) fn drop_tables(statement: &Statement<'_>, noun: usize) -> Result<Decision, Refusal> {
    let mut rewriter = statement.rewriter();
    let (mut temporary, mut kept) = (Vec::new(), Vec::new());
    let mut index = noun + 1;
    while index < statement.piece.end {
        let Some((parts, next)) = statement.name_parts(index) else {
            index += 1;
            continue;
        };
        match statement.names.resolve(&parts) {
            Ok(Meaning::Relation(Some(entry)))
                if entry.relation.oid != 0 && entry.policy().is_some() && !statement.names.role.hard_deletes =>
            {
                let reason = Reason::Drop { table: entry.display() };
                // Foreign tables cannot be locked.
                if statement.keyword(noun) != Some(Keyword::Table) {
                    return statement.refuse(reason, index);
                }
                kept.push((rewriter.source(index, next - 1), reason));
            }
            Ok(Meaning::Relation(_)) => {}
            Ok(Meaning::Temporary) => rewriter.insert_before(index, "pg_temp.", index),
            Err(reason) => return statement.refuse(reason, index),
        }
        // That of another schema is not the temporary one.
        let schema = parts.len().checked_sub(2).map(|schema| parts[schema].as_str());
        if schema.is_none_or(|schema| schema.starts_with("pg_temp")) {
            temporary.extend(parts.into_iter().next_back());
        }
        index = next;
    }
    let effect = match (ddl::drop(statement, noun), statement.names.state.temporary.is_empty()) {
        (effect, true) => effect,
        (Effect::Schema(changes), false) => Effect::DropTemporary { names: temporary, changes },
        (_, false) => Effect::DropTemporary { names: temporary, changes: Changes::default() },
    };
    if !kept.is_empty() {
        let first = statement.piece.first;
        let last = statement.piece.end - 1;
        let (before, behind) = block(&kept, statement.text);
        rewriter.insert_before(first, &before, first);
        rewriter.insert_after(last, &behind, first);
        rewriter.tag = Some(TagChange::DropTable);
    }
    Ok(Decision::new(statement.outcome(rewriter, noun)?, effect))
}

/// What stands before the statement and behind it in the block that looks at the tables first. `text` is what the block's
/// quotes must not occur in.
fn block(kept: &[(String, Reason)], text: &[u8]) -> (String, String) {
    let quotes = dollar_quotes(text);
    let setting = |value: &str| format!("PERFORM pg_catalog.set_config('row_security', {value}, true);");
    let locks: Vec<String> =
        kept.iter().map(|(table, _)| format!("LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE;")).collect();
    let looks: Vec<String> = kept
        .iter()
        .map(|(table, reason)| {
            let refusal = Refusal { reason: reason.clone(), offset: None };
            format!(
                "IF NOT pg_catalog.starts_with(pg_catalog.current_setting('transaction_isolation'), 'read ') OR EXISTS (SELECT \
                 FROM {table}) THEN RAISE EXCEPTION USING ERRCODE = '{}', MESSAGE = {}, HINT = {}; END IF;",
                refusal.sqlstate().0,
                literal(&refusal.message()),
                literal(&refusal.hint().unwrap_or_default())
            )
        })
        .collect();
    let declared = "DECLARE secured CONSTANT pg_catalog.text := pg_catalog.current_setting('row_security');";
    let before = format!(
        "DO {quotes}{declared} BEGIN {} {} {} {} ",
        locks.join(" "),
        setting("'off'"),
        looks.join(" "),
        setting("secured")
    );
    (before, format!("; END{quotes}"))
}
