//! A row that really leaves while dead rows of other tables still point to it: they give way to their archive.
//!
//! To the server they are rows like others: with NO ACTION or RESTRICT they would stop what nothing visible stands in the
//! way of. Under CASCADE they go with the row, and the trigger on their own table archives them. What an archived
//! parent's SET NULL or SET DEFAULT takes from its children is noted, as for one that is marked.

use crate::config::Strategy;
use crate::schema::objects::action::{gone, is_check};
use crate::schema::objects::archive::archive_name;
use crate::schema::objects::exempt::{CLEARS, TRIED};
use crate::schema::objects::keys::{is_made, key_object, object};
use crate::schema::objects::lock;
use crate::schema::objects::probe;
use crate::schema::objects::reinsert::cannot_give_way;
use crate::schema::objects::scene::{Reference, Scene, function_name, only};
use crate::schema::objects::wanted::{Function, Returns, Wanted, Words, back, function};
use crate::schema::survey::{Action, Survey, Table};
use crate::sql::ident::{literal, quote};

/// The trigger's name: AFTER triggers of a row fire by name, and it goes before the server's own, `RI_ConstraintTrigger…`.
/// A BEFORE trigger could take rows from under the very statement that it fires in.
const TRIGGER: &str = "!sexton_leave";

/// The trigger for rows that leave their key.
const ON_UPDATE: &str = "sexton_rekey";

/// The triggers, with the words for each.
pub(super) fn wanted<'a>(scene: &Scene<'a>) -> Vec<(Wanted<'a>, Words)> {
    let mut done: Vec<u32> = Vec::new();
    let mut triggers = Vec::new();
    for reference in scene.references() {
        let parent = reference.parent.table;
        if !done.contains(&parent.oid) {
            done.push(parent.oid);
            triggers.extend(trigger(scene, parent));
            triggers.extend(rekey_trigger(scene, parent));
        }
    }
    triggers
}

fn trigger<'a>(scene: &Scene<'a>, parent: &'a Table) -> Option<(Wanted<'a>, Words)> {
    let references: Vec<Reference<'a>> = scene.pointing_to(parent).collect();
    let path = scene.comparing_path(parent, &references);
    let statements: Vec<String> =
        references.iter().filter_map(|reference| statement(scene.subject.survey, reference, &path)).collect();
    let ahead = ahead(scene, parent, &references);
    let tried = tried(scene, parent, &references, &path);
    let only_tried = statements.is_empty() && ahead.is_empty();
    if only_tried && tried.is_empty() {
        return None;
    }
    let body = format!(
        "BEGIN
    IF {TRIED} THEN
{tried}        RETURN NULL;
    END IF;
{ahead}{}
    RETURN NULL;
END",
        statements.join("\n")
    );
    // Of another name than what an older version's BEFORE trigger calls, which stands until the end of `apply`.
    let function_name = function_name(parent, "left");
    let removing = references.iter().filter(|reference| reference.key.on_delete != Action::Cascade);
    let mut functions: Vec<Function> = removing.filter_map(|reference| removal_function(scene, reference)).collect();
    functions.push(function(function_name, Returns::Trigger, &path, &body));
    let wanted = Wanted::new(parent, TRIGGER, "AFTER DELETE", "FOR EACH ROW", functions);
    let what = match only_tried {
        true => "in REPEATABLE READ and SERIALIZABLE, dead rows that point to a row stop its parent from being deleted",
        false => "dead rows that point to a row stop it from being deleted, or lose what they pointed to",
    };
    Some((wanted, Words { kind: "foreign-key", object: parent.quoted(), what: what.to_owned() }))
}

/// A deletion that is only tried asks about one row: whatever points to what goes before it goes as well.
fn tried(scene: &Scene<'_>, parent: &Table, references: &[Reference<'_>], path: &str) -> String {
    let clears = probe::clears(references, "OLD");
    if clears.is_empty() || !scene.kept(parent).is_some_and(|kept| kept.has_dead()) {
        return String::new();
    }
    let clears = clears.join(", ");
    format!("        IF {CLEARS} THEN\n            PERFORM {clears};\n            {}\n        END IF;\n", back(path))
}

/// Live rows may point to a dead one for a moment: inserted by the same statement, or with a check that is deferred. What
/// ON DELETE says would be done to them when it leaves, at whatever level of a cascade.
fn ahead(scene: &Scene<'_>, parent: &Table, references: &[Reference<'_>]) -> String {
    let Some(dead) = scene.kept(parent).and_then(|kept| kept.dead("OLD")) else { return String::new() };
    let refusal = |reference: &Reference<'_>| {
        let points = reference.child_matches("c", |at| format!("OLD.{}", quote(&reference.key.referenced[at])));
        let live = reference.child.live("c").map(|live| format!(" AND {live}")).unwrap_or_default();
        let child = reference.child.table;
        format!(
            "    IF {dead} AND EXISTS (SELECT FROM {} AS c WHERE {points}{live}) THEN
        RAISE EXCEPTION USING ERRCODE = '0A000', MESSAGE = {}, DETAIL = {},
            HINT = 'Insert the row before those that point to it.';
    END IF;
",
            only(child),
            literal(&cannot_give_way(parent)),
            literal(&format!(
                "Live rows of {} point to it already, and would go along as ON DELETE says.",
                child.quoted()
            )),
        )
    };
    references.iter().filter(|reference| !is_check(reference.key.on_delete)).map(refusal).collect()
}

/// An UPDATE of the key is stopped by dead rows in the same way, or sets their reference. Keys that the server makes are not updated.
fn rekey_trigger<'a>(scene: &Scene<'a>, parent: &'a Table) -> Option<(Wanted<'a>, Words)> {
    let is_made = |name: &String| parent.column(name).is_some_and(is_made);
    let references: Vec<Reference<'a>> = scene
        .pointing_to(parent)
        .filter(|reference| reference.key.on_update != Action::Cascade && !reference.key.referenced.iter().any(is_made))
        .collect();
    let path = scene.comparing_path(parent, &references);
    let statements: Vec<String> = references.iter().filter_map(|reference| removal(reference, &path)).collect();
    if statements.is_empty() {
        return None;
    }
    let mut columns: Vec<String> =
        references.iter().flat_map(|reference| &reference.key.referenced).map(|column| quote(column)).collect();
    columns.sort_unstable();
    columns.dedup();
    let changed: Vec<String> =
        columns.iter().map(|column| format!("NEW.{column} IS DISTINCT FROM OLD.{column}")).collect();
    let body = format!("BEGIN\n{}\n    RETURN NEW;\nEND", statements.join("\n"));
    let function_name = function_name(parent, "rekey");
    let mut functions: Vec<Function> =
        references.iter().filter_map(|reference| removal_function(scene, reference)).collect();
    functions.push(function(function_name, Returns::Trigger, &path, &body));
    let wanted = Wanted::new(
        parent,
        ON_UPDATE,
        format!("BEFORE UPDATE OF {}", columns.join(", ")),
        format!("FOR EACH ROW WHEN ({})", changed.join(" OR ")),
        functions,
    );
    let what = "dead rows that point to a row stop its key from being changed".to_owned();
    Some((wanted, Words { kind: "foreign-key", object: parent.quoted(), what }))
}

/// What sends the dead rows that point to OLD to their archive.
fn removal(reference: &Reference<'_>, path: &str) -> Option<String> {
    reference.child.kept.filter(|kept| archive_name(kept).is_some() && kept.has_dead())?;
    let away = quote(&reference.function_name("away"));
    Some(format!("{}    PERFORM sexton.{away}(OLD);\n    {}", reference.expected(), back(path)))
}

/// The function for it. A deletion of one that is in flight is waited for, as the server's check would wait for it. One
/// that has died since the transaction's snapshot cannot be told from a live one there: to lock it is to fail with 40001,
/// after which the transaction may be tried again.
fn removal_function(scene: &Scene<'_>, reference: &Reference<'_>) -> Option<Function> {
    let points = reference.child_matches("x", |at| gone(&reference.key.referenced[at]));
    let kept = reference.child.kept.filter(|kept| archive_name(kept).is_some())?;
    let (child, dead) = (only(reference.child.table), kept.dead("x")?);
    let live = format!("{child} AS x WHERE {points} AND NOT ({dead})");
    let body = format!(
        "BEGIN
    IF EXISTS (SELECT FROM {live}) THEN
{}
    END IF;
    DELETE FROM {child} AS x WHERE {points} AND {dead};
END",
        lock::wait(&live)
    );
    let path = scene.writing_path(reference.child.table, &[reference.child.table]);
    Some(function(reference.function_name("away"), Returns::Action, &path, &body).run_as(reference.child.table))
}

fn statement(survey: &Survey, reference: &Reference<'_>, path: &str) -> Option<String> {
    match reference.key.on_delete {
        Action::NoAction | Action::Restrict => removal(reference, path),
        Action::SetNull | Action::SetDefault => {
            let statements: Vec<String> =
                [removal(reference, path), note(survey, reference)].into_iter().flatten().collect();
            (!statements.is_empty()).then(|| statements.join("\n"))
        }
        Action::Cascade => None,
    }
}

/// What stands in the rows whose reference is about to be set: those that are restored with an archived parent, and dead
/// ones that have no archive to go to.
fn note(survey: &Survey, reference: &Reference<'_>) -> Option<String> {
    let (key, child) = (reference.key, reference.child.table);
    let is_archived = reference.parent.kept.is_some_and(|kept| kept.policy.strategy == Strategy::Archive);
    let dead = match is_archived {
        true => String::new(),
        false => format!(" AND {}", reference.child.kept.filter(|kept| archive_name(kept).is_none())?.dead("x")?),
    };
    let points = reference.child_matches("x", |at| format!("OLD.{}", quote(&key.referenced[at])));
    let before = object(child, key.columns_set(), |column| format!("x.{}", quote(column)));
    Some(format!(
        "    INSERT INTO sexton.nulled (event, relation, key, columns)
        SELECT sexton.event(false), {}, {}, {before} FROM {} AS x WHERE {points}{dead};",
        literal(&child.quoted()),
        key_object(survey, child, "x"),
        only(child)
    ))
}
