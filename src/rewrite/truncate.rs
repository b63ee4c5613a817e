//! TRUNCATE by policy: under `truncate = "rewrite"` every live row is deleted as the table's strategy says.
//!
//! ```sql
//! -- before
//! TRUNCATE TABLE users, notes;
//! -- after
//! WITH sexton_1 AS (UPDATE users SET deleted_at = now() WHERE users.deleted_at IS NULL) UPDATE notes SET deleted = true WHERE notes.deleted IS NOT TRUE;
//! ```

use crate::config::{Strategy, Truncate};
use crate::rewrite::archive::insert_statement;
use crate::rewrite::outcome::{Effect, TagChange};
use crate::rewrite::policy::Policy;
use crate::rewrite::refusal::{Reason, Refusal};
use crate::rewrite::registry::Entry;
use crate::rewrite::resolve::Meaning;
use crate::rewrite::rewriter::Rewriter;
use crate::rewrite::state::Rows;
use crate::rewrite::statement::{Decision, Statement};
use crate::sql::keyword::Keyword;
use crate::sql::lexer::Kind;
use crate::sql::tree::Name;

struct Target<'a> {
    entry: Option<&'a Entry>,
    /// `[ONLY] name [*]` as written, and the name alone.
    source: String,
    name: String,
    token: usize,
    temporary: bool,
}

/// Decides a TRUNCATE.
pub(crate) fn truncate(statement: &Statement<'_>) -> Result<Decision, Refusal> {
    let Some(mention) = statement.mention() else {
        check_cascade(statement)?;
        return Ok(Decision::unchanged(Effect::None));
    };
    let mut rewriter = statement.rewriter();
    let (targets, rest) = targets(statement, &mut rewriter)?;
    let mut passes = true;
    for target in &targets {
        let Some((entry, policy)) = target.entry.and_then(|entry| entry.policy().map(|policy| (entry, policy))) else {
            continue;
        };
        match policy.truncate {
            Truncate::Pass => {}
            Truncate::Refuse => {
                return statement.refuse(Reason::Truncate { table: entry.display() }, target.token);
            }
            Truncate::Rewrite if policy.strategy == Strategy::Hard => {}
            Truncate::Rewrite => passes = false,
        }
    }
    if passes {
        // Only temporary tables refer to temporary ones.
        if !targets.iter().all(|target| target.temporary) {
            check_cascade(statement)?;
        }
        return Ok(Decision::new(statement.outcome(rewriter, mention)?, Effect::None));
    }
    check_options(statement, rest)?;
    let mut steps = Vec::new();
    for target in &targets {
        let Some((entry, policy)) = target.entry.and_then(|entry| entry.policy().map(|policy| (entry, policy))) else {
            return statement
                .refuse(Reason::TruncateForm { form: "of registered and other tables together" }, target.token);
        };
        rewriter.check_fault(entry, target.token)?;
        if !statement.names.may_truncate(entry) {
            return statement.refuse(Reason::Privilege { verb: "TRUNCATE", table: entry.display() }, target.token);
        }
        steps.push(step(&mut rewriter, entry, policy, target));
    }
    let text = joined(&mut rewriter, steps);
    rewriter.replace(statement.piece.first, statement.piece.end - 1, &text, mention);
    rewriter.tag = Some(TagChange::Truncate);
    Ok(Decision::new(statement.outcome(rewriter, mention)?, Effect::None))
}

/// CASCADE empties every table that refers to those named, at any depth, registered ones among them.
fn check_cascade(statement: &Statement<'_>) -> Result<(), Refusal> {
    let names = statement.names;
    let cascade =
        (statement.piece.first..statement.piece.end).find(|&index| statement.keyword(index) == Some(Keyword::Cascade));
    match cascade {
        Some(token) if names.registry.has_kept_relations() && !names.role.hard_deletes => {
            statement.refuse(Reason::TruncateForm { form: "… CASCADE" }, token)
        }
        _ => Ok(()),
    }
}

/// The tables, and the token behind the last one.
fn targets<'a>(statement: &Statement<'a>, rewriter: &mut Rewriter<'a>) -> Result<(Vec<Target<'a>>, usize), Refusal> {
    let mut index = statement.piece.first + 1;
    index += usize::from(statement.keyword(index) == Some(Keyword::Table));
    let mut targets = Vec::new();
    loop {
        let start = index;
        index += usize::from(statement.keyword(index) == Some(Keyword::Only));
        let Some((parts, next)) = statement.name_parts(index) else {
            return statement.refuse(Reason::TruncateForm { form: "of this form" }, start.min(statement.piece.end - 1));
        };
        let name = Name { parts: (index..next).step_by(2).collect() };
        let entry = rewriter.target(&name)?;
        let temporary = matches!(statement.names.resolve(&parts), Ok(Meaning::Temporary));
        let written = rewriter.source(name.first(), name.relation());
        index = next + usize::from(statement.kind(next) == Some(Kind::Star));
        targets.push(Target {
            entry,
            source: rewriter.source(start, index - 1),
            name: written,
            token: name.relation(),
            temporary,
        });
        if statement.kind(index) != Some(Kind::Comma) {
            return Ok((targets, index));
        }
        index += 1;
    }
}

/// CONTINUE IDENTITY and RESTRICT are what happens anyway.
fn check_options(statement: &Statement<'_>, mut index: usize) -> Result<(), Refusal> {
    while let Some(keyword) = statement.keyword(index) {
        let form = match keyword {
            Keyword::Continue => {
                index += 2;
                continue;
            }
            Keyword::Restrict => {
                index += 1;
                continue;
            }
            Keyword::Restart => "… RESTART IDENTITY",
            Keyword::Cascade => "… CASCADE",
            _ => "of this form",
        };
        return statement.refuse(Reason::TruncateForm { form }, index);
    }
    match statement.kind(index) {
        None => Ok(()),
        Some(_) => statement.refuse(Reason::TruncateForm { form: "of this form" }, index),
    }
}

/// What happens to one table: CTEs that come first, and the statement itself.
fn step(rewriter: &mut Rewriter<'_>, entry: &Entry, policy: &Policy, target: &Target<'_>) -> (Vec<String>, String) {
    let limit = policy.limit(Rows::Live, &target.name).map(|limit| format!(" WHERE {limit}")).unwrap_or_default();
    if policy.strategy == Strategy::Archive {
        let inner = rewriter.fresh_name();
        let delete = format!("{inner} AS (DELETE FROM {}{limit} RETURNING {}.*)", target.source, target.name);
        return (vec![delete], insert_statement(entry, &format!("{inner}.*"), &inner));
    }
    let set = rewriter.set_clause(entry, &target.name);
    (Vec::new(), format!("UPDATE {} SET {set}{limit}", target.source))
}

fn joined(rewriter: &mut Rewriter<'_>, mut steps: Vec<(Vec<String>, String)>) -> String {
    let Some((last_ctes, last)) = steps.pop() else { return String::new() };
    let mut ctes = Vec::new();
    for (before, statement) in steps {
        ctes.extend(before);
        let name = rewriter.fresh_name();
        ctes.push(format!("{name} AS ({statement})"));
    }
    ctes.extend(last_ctes);
    if ctes.is_empty() { last } else { format!("WITH {} {last}", ctes.join(", ")) }
}
