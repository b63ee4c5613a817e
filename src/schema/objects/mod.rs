//! What a database should hold beside its own tables: schema `sexton`, archive tables, and the triggers that complete
//! what constraints mean once deleted rows stay.
//!
//! Each rule looks at the subject and gives findings whose steps install, replace or drop what is not as it should be.
//! Functions and triggers are generated, one set of static SQL for each table or foreign key; the comment on a trigger
//! holds a digest of what was generated, so that a changed configuration or table is noticed.

mod action;
mod archive;
mod archiving;
mod audit;
mod base;
mod child;
mod exempt;
mod foreign_key;
mod guard;
mod keeper;
mod keys;
mod leave;
pub mod lock;
mod owner;
mod parent;
mod probe;
mod reinsert;
mod routines;
mod scene;
mod tables;
mod wanted;

use crate::schema::objects::routines::{is_named_so, is_of_base};
use crate::schema::objects::scene::Scene;
use crate::schema::objects::wanted::{Wanted, Words};
use crate::schema::survey::Table;
use crate::schema::{Finding, Level, Step, Subject};
use crate::sql::ident::quote;

/// Everything that is missing or different, in the order in which it is to be mended. With `with_guard` also the
/// triggers that refuse deletions past Sexton; without, those that are there are kept up to date.
#[must_use]
pub fn findings(subject: &Subject<'_>, with_guard: bool) -> Vec<Finding> {
    if let Some(obstacle) = keeper::obstacle(subject) {
        return vec![obstacle];
    }
    let scene = Scene::new(subject);
    let wanted = wanted(&scene, with_guard);
    let base = base::findings(&scene);
    let triggers: Vec<Finding> =
        wanted.iter().filter_map(|(trigger, words)| trigger.finding(subject.survey, words)).collect();
    let stale = stale(&scene, &wanted);
    if let Some(barred) = keeper::barred(subject)
        && [&base, &triggers, &stale].iter().any(|findings| !findings.is_empty())
    {
        return vec![barred];
    }
    let (owner, keeper) = (owner::findings(&scene, &wanted), keeper::findings(subject));
    [base, archive::findings(&scene), lock::findings(&scene), triggers, stale, owner, keeper].concat()
}

/// Triggers and functions of schema `sexton` that nothing wants any more: a table was unregistered, a foreign key
/// dropped, a strategy changed.
fn stale(scene: &Scene<'_>, wanted: &[(Wanted<'_>, Words)]) -> Vec<Finding> {
    let survey = scene.subject.survey;
    let others = others(scene);
    let mut findings = Vec::new();
    for trigger in survey.triggers.iter().filter(|trigger| trigger.function_schema == "sexton") {
        let Some(table) = survey.table(trigger.table).filter(|table| table.schema != "sexton") else { continue };
        let is_wanted = |(wanted, _): &(Wanted<'_>, _)| wanted.table.oid == table.oid && wanted.name == trigger.name;
        if others.contains(&table.oid) || wanted.iter().any(is_wanted) {
            continue;
        }
        let (name, table) = (quote(&trigger.name), table.quoted());
        let sql = format!("DROP TRIGGER IF EXISTS {name} ON {table}");
        let what = "it enforces what the configuration no longer says";
        findings.push(stale_finding(format!("trigger {name} on {table}"), what, sql));
    }
    // A function's name does not say which configuration it is for, but whether it could be called for one of the base.
    let routines = survey.own_routines.iter().filter(|routine| others.is_empty() || is_named_so(routine));
    for routine in routines.filter(|routine| !is_of_base(routine)) {
        if wanted.iter().flat_map(|(wanted, _)| &wanted.functions).any(|function| function.is(routine)) {
            continue;
        }
        let name = format!("{}({})", quote(&routine.name), routine.arguments);
        let sql = format!("DROP FUNCTION IF EXISTS sexton.{name}");
        findings.push(stale_finding(format!("function sexton.{name}"), "nothing calls it any more", sql));
    }
    findings
}

/// The tables that some other configuration has noted, which another proxy serves, and those that share rows or foreign keys
/// with them.
fn others(scene: &Scene<'_>) -> Vec<u32> {
    let survey = scene.subject.survey;
    let is_other = |table: &&Table| survey.noted.contains(&table.oid) && scene.kept(table).is_none();
    let noted: Vec<u32> = survey.tables.iter().filter(is_other).map(|table| table.oid).collect();
    let keys = survey.foreign_keys.iter().filter(|key| noted.contains(&key.parent) || noted.contains(&key.child));
    let ends = keys.flat_map(|key| [key.parent, key.child]).chain(noted.iter().copied());
    let tables = ends.filter_map(|oid| survey.table(oid)).flat_map(|table| scene.named_as(table));
    tables.map(|table| table.oid).collect()
}

fn stale_finding(object: String, what: &str, sql: String) -> Finding {
    let steps = vec![Step::new(format!("{object}: {what}"), sql)];
    Finding { level: Level::Warning, kind: "stale-object", object, what: what.to_owned(), mend: None, steps }
}

/// Every trigger that should be there, with what happens without it.
fn wanted<'a>(scene: &Scene<'a>, with_guard: bool) -> Vec<(Wanted<'a>, Words)> {
    [
        archiving::wanted(scene),
        lock::wanted(scene),
        child::wanted(scene),
        parent::wanted(scene),
        leave::wanted(scene),
        reinsert::wanted(scene),
        audit::wanted(scene),
        guard::wanted(scene, with_guard),
    ]
    .concat()
}
