//! TRUNCATE by policy: under `truncate = "rewrite"` every live row is deleted as the table's strategy says.
//!
//! ```sql
//! -- before
//! TRUNCATE TABLE users, notes;
//! -- after
//! WITH sexton_1 AS (UPDATE users SET deleted_at = now() WHERE users.deleted_at IS NULL) UPDATE notes SET deleted = true WHERE notes.deleted IS NOT TRUE;
//! ```

use std::collections::HashSet;

use crate::catalog::Snapshot;
use crate::config::{Strategy, Truncate};
use crate::rewrite::archive::conditions;
use crate::rewrite::outcome::{Effect, TagChange};
use crate::rewrite::policy::{NEW_EVENT, Policy};
use crate::rewrite::refusal::{Reason, Refusal};
use crate::rewrite::registry::Entry;
use crate::rewrite::resolve::Meaning;
use crate::rewrite::rewriter::Rewriter;
use crate::rewrite::state::Rows;
use crate::rewrite::statement::{Decision, Statement};
use crate::sql::ident::quote_qualified;
use crate::sql::keyword::Keyword;
use crate::sql::lexer::Kind;
use crate::sql::tree::Name;

struct Target<'a> {
    /// The registered table; `None` for every other.
    entry: Option<&'a Entry>,
    /// `[ONLY] name [*]` as written, and the name alone.
    source: String,
    name: String,
    /// ONLY is there.
    only: bool,
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
    let (mut targets, rest) = targets(statement, &mut rewriter)?;
    let cascade = cascade(statement).filter(|_| targets.iter().all(|target| target.entry.is_some()));
    let followers = followers(statement, &targets, cascade)?;
    targets.extend(followers);
    let mut passes = true;
    for target in &targets {
        let Some((entry, policy)) = target.entry.and_then(|entry| Some((entry, entry.registered()?))) else {
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
        // Only temporary tables refer to temporary ones, and what registered tables reach is among the targets.
        if cascade.is_none() && !targets.iter().all(|target| target.temporary) {
            check_cascade(statement)?;
        }
        return Ok(Decision::new(statement.outcome(rewriter, mention)?, Effect::None));
    }
    check_options(statement, rest)?;
    let mut steps = Vec::new();
    for target in &targets {
        let Some((entry, policy)) = target.entry.and_then(|entry| Some((entry, entry.registered()?))) else {
            return statement
                .refuse(Reason::TruncateForm { form: "of registered and other tables together" }, target.token);
        };
        rewriter.check_fault(entry, target.token)?;
        if !statement.names.may_truncate(entry) && entry.keeps_rows() {
            return statement.refuse(Reason::Privilege { verb: "TRUNCATE", table: entry.display() }, target.token);
        }
        // TRUNCATE asks no policy.
        if !statement.names.sees_every_row(entry) {
            return statement.refuse(Reason::Policies { verb: "TRUNCATE", table: entry.display() }, target.token);
        }
        steps.push(step(&mut rewriter, entry, policy, target));
    }
    let text = joined(&mut rewriter, steps);
    rewriter.replace(statement.piece.first, statement.piece.end - 1, &text, mention);
    rewriter.tag = Some(TagChange::Truncate);
    Ok(Decision::new(statement.outcome(rewriter, mention)?, Effect::None))
}

fn cascade(statement: &Statement<'_>) -> Option<usize> {
    (statement.piece.first..statement.piece.end).find(|&index| statement.keyword(index) == Some(Keyword::Cascade))
}

/// CASCADE empties every table that refers to those named, at any depth, registered ones among them.
fn check_cascade(statement: &Statement<'_>) -> Result<(), Refusal> {
    let names = statement.names;
    match cascade(statement) {
        Some(token) if names.registry.has_kept_relations() && !names.role.hard_deletes => {
            statement.refuse(Reason::TruncateForm { form: "… CASCADE" }, token)
        }
        _ => Ok(()),
    }
}

/// The tables that foreign keys lead to from `targets`: with CASCADE (whose token that is) they are emptied as well, all of
/// them or none; without, the server would truncate nothing.
fn followers<'a>(
    statement: &Statement<'a>,
    targets: &[Target<'a>],
    cascade: Option<usize>,
) -> Result<Vec<Target<'a>>, Refusal> {
    let registry = statement.names.registry;
    let snapshot = registry.snapshot();
    // Nobody knows yet which keys this transaction has made.
    if let Some(token) = cascade.filter(|_| statement.names.state.changes.keys) {
        return statement.refuse(Reason::TruncateForm { form: "… CASCADE" }, token);
    }
    let family = |oid: u32, only: bool| {
        let children = if only { Vec::new() } else { snapshot.descendants(oid) };
        std::iter::once(oid).chain(children.into_iter().map(|child| child.oid)).collect::<Vec<u32>>()
    };
    let entries = targets.iter().filter_map(|target| Some((target.entry?.relation.oid, target.only)));
    let mut open: Vec<u32> = entries.flat_map(|(oid, only)| family(oid, only)).collect();
    let mut emptied: HashSet<u32> = open.iter().copied().collect();
    if cascade.is_none() && targets.iter().all(|target| target.entry.is_some()) {
        check_referenced(&open, &emptied, snapshot)?;
    }
    let mut followers = Vec::new();
    let at = cascade.unwrap_or(targets[0].token);
    while let Some(relation) = open.pop().and_then(|oid| snapshot.by_oid(oid)) {
        let leaves = registry.by_oid(relation.oid).is_some_and(|entry| !is_soft(entry));
        for referencing in &relation.referencing {
            let (table, by) = (relation.display(), format!("{}.{}", referencing.schema, referencing.name));
            if leaves && registry.by_oid(referencing.oid).is_some_and(is_soft) {
                return statement.refuse(Reason::TruncateLeaves { table, by }, at);
            }
            if cascade.is_none() || !emptied.insert(referencing.oid) {
                continue;
            }
            let Some(entry) = registry.by_oid(referencing.oid).filter(|entry| entry.registered().is_some()) else {
                return statement.refuse(Reason::TruncateReach { table, by }, at);
            };
            followers.push((at, entry));
            open.push(referencing.oid);
        }
    }
    Ok(followers.into_iter().map(|(token, entry)| follower(entry, token)).collect())
}

/// Refuses as the server does what would leave references behind, and of the same pair of tables: the first that is
/// referred to, and what refers to it first.
fn check_referenced(relations: &[u32], emptied: &HashSet<u32>, snapshot: &Snapshot) -> Result<(), Refusal> {
    for relation in relations.iter().filter_map(|oid| snapshot.by_oid(*oid)) {
        let others = relation.referencing.iter().filter(|referencing| !emptied.contains(&referencing.oid));
        if let Some(first) = others.min_by_key(|referencing| referencing.oid) {
            let reason = Reason::TruncateReferenced { table: relation.name.clone(), by: first.name.clone() };
            return Err(Refusal { reason, offset: None });
        }
    }
    Ok(())
}

fn is_soft(entry: &Entry) -> bool {
    entry.registered().is_some_and(|policy| policy.strategy == Strategy::Soft)
}

/// A table that is not written.
fn follower(entry: &Entry, token: usize) -> Target<'_> {
    let name = quote_qualified(&entry.relation.schema, &entry.relation.name);
    Target { entry: Some(entry), source: name.clone(), name, only: false, token, temporary: false }
}

/// The tables, and the token behind the last one.
fn targets<'a>(statement: &Statement<'a>, rewriter: &mut Rewriter<'a>) -> Result<(Vec<Target<'a>>, usize), Refusal> {
    let mut index = statement.piece.first + 1;
    index += usize::from(statement.keyword(index) == Some(Keyword::Table));
    let mut targets = Vec::new();
    loop {
        let start = index;
        let only = statement.keyword(index) == Some(Keyword::Only);
        index += usize::from(only);
        let Some((parts, next)) = statement.name_parts(index) else {
            return statement.refuse(Reason::TruncateForm { form: "of this form" }, start.min(statement.piece.end - 1));
        };
        let name = Name { parts: (index..next).step_by(2).collect() };
        rewriter.target(&name)?;
        let (entry, temporary) = match statement.names.resolve(&parts) {
            Ok(Meaning::Relation(entry)) => (entry.filter(|entry| entry.registered().is_some()), false),
            Ok(Meaning::Temporary) => (None, true),
            Err(_) => (None, false),
        };
        let written = rewriter.source(name.first(), name.relation());
        index = next + usize::from(statement.kind(next) == Some(Kind::Star));
        targets.push(Target {
            entry,
            source: rewriter.source(start, index - 1),
            name: written,
            only,
            token: name.relation(),
            temporary,
        });
        if statement.kind(index) != Some(Kind::Comma) {
            return Ok((targets, index));
        }
        index += 1;
    }
}

/// CONTINUE IDENTITY and RESTRICT are what happens anyway, and CASCADE has been followed. RESTART IDENTITY would take a
/// sequence back that only ALTER can take back in a transaction: what is rolled back must not have restarted it.
fn check_options(statement: &Statement<'_>, mut index: usize) -> Result<(), Refusal> {
    while let Some(keyword) = statement.keyword(index) {
        let form = match keyword {
            Keyword::Continue => {
                index += 2;
                continue;
            }
            Keyword::Restrict | Keyword::Cascade => {
                index += 1;
                continue;
            }
            Keyword::Restart => "… RESTART IDENTITY",
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
    let live = policy.limit(Rows::Live, &target.name);
    let clause = |limit: Option<String>| limit.map(|limit| format!(" WHERE {limit}")).unwrap_or_default();
    if policy.strategy == Strategy::Archive {
        let inner = rewriter.fresh_name();
        let begun = rewriter.begins_event(entry);
        let limit = clause(conditions([live, begun.clone()]));
        let delete = format!("{inner} AS (DELETE FROM {}{limit} RETURNING {}.*)", target.source, target.name);
        return (vec![delete], rewriter.insert_statement(entry, &inner, &inner, begun.is_some()));
    }
    if policy.strategy == Strategy::Hard {
        let limit = clause(conditions([live, rewriter.begins_event(entry)]));
        return (Vec::new(), format!("DELETE FROM {}{limit}", target.source));
    }
    let set = rewriter.set_clause(entry, &target.name);
    (Vec::new(), format!("UPDATE {} SET {set}{}", target.source, clause(live)))
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
    let statement = if ctes.is_empty() { last } else { format!("WITH {} {last}", ctes.join(", ")) };
    if statement.matches(NEW_EVENT).count() < 2 {
        return statement;
    }
    // One statement of the client's is one event, whatever it empties.
    let name = rewriter.fresh_name();
    let event = format!("WITH {name} AS MATERIALIZED (SELECT {NEW_EVENT} AS event), ");
    let rest = statement.strip_prefix("WITH ").unwrap_or(&statement);
    event + &rest.replace(NEW_EVENT, &format!("(SELECT event FROM {name})"))
}
