//! What follows from whom the functions of schema `sexton` belong to: rows they do not see, code they run, and schemas
//! they must not look into.

use std::collections::BTreeMap;

use crate::schema::objects::action::is_check;
use crate::schema::objects::scene::Scene;
use crate::schema::objects::wanted::{Wanted, Words};
use crate::schema::survey::{Survey, Table};
use crate::schema::{Finding, Level, Subject};
use crate::sql::ident::quote;

/// All of it, where `wanted` are the triggers that should be there.
pub(super) fn findings(scene: &Scene<'_>, wanted: &[(Wanted<'_>, Words)]) -> Vec<Finding> {
    [hidden(scene), strangers(scene.subject.survey, wanted), unpathed(scene), types(scene.subject)].concat()
}

fn finding(level: Level, kind: &'static str, object: String, what: String, mend: String) -> Finding {
    Finding { level, kind, object, what, mend: Some(mend), steps: Vec::new() }
}

/// Tables of references, and tables with dead rows, of which row security hides rows. Before there are functions, nobody
/// knows whose they will be.
fn hidden(scene: &Scene<'_>) -> Vec<Finding> {
    if !scene.subject.survey.has_own_schema {
        return Vec::new();
    }
    let references = scene.references().filter(|reference| reference.parent.has_dead() || reference.child.has_dead());
    let mut tables: Vec<&Table> =
        references.flat_map(|reference| [reference.parent.table, reference.child.table]).collect();
    tables.extend(scene.all().filter(|kept| kept.has_dead()).map(|kept| kept.table));
    tables.retain(|table| table.hides_rows);
    tables.sort_unstable_by_key(|table| table.oid);
    tables.dedup_by_key(|table| table.oid);
    let found = tables.into_iter().map(|table| {
        let what = "row-level security hides rows of it from the functions of schema sexton, as their owner cannot bypass \
                    it: deletions that need them fail (42501)";
        let mend = "let the owner of schema sexton bypass it: ALTER ROLE … BYPASSRLS, or run sexton apply as a superuser";
        finding(Level::Error, "row-security", table.quoted(), what.to_owned(), mend.to_owned())
    });
    found.collect()
}

/// Tables whose triggers and expressions run as another role than their owner when a foreign key writes them.
fn strangers(survey: &Survey, wanted: &[(Wanted<'_>, Words)]) -> Vec<Finding> {
    let mut found: BTreeMap<String, &str> = BTreeMap::new();
    for function in wanted.iter().flat_map(|(wanted, _)| &wanted.functions) {
        let Some(written) = function.written(survey) else { continue };
        let there = survey.own_routines.iter().find(|routine| function.is(routine));
        // A superuser's apply gives it away.
        let stays = |owner: &str| owner != written.owner && (!survey.is_superuser || written.forces_row_security);
        if let Some(routine) = there.filter(|routine| stays(&routine.owner)) {
            found.insert(written.quoted(), &routine.owner);
        }
    }
    let found = found.into_iter().map(|(table, owner)| {
        let what = format!(
            "when a foreign key's action writes it, its triggers and expressions run as {}, and not as its owner",
            quote(owner)
        );
        let mend = "run sexton apply as a superuser, and do without FORCE ROW LEVEL SECURITY on it; or trust its owner as \
                    that role";
        finding(Level::Warning, "function-owner", table, what, mend.to_owned())
    });
    found.collect()
}

/// Tables that a foreign key's action reaches and whose triggers may not look where others may create objects: there and
/// for the schemas of their functions.
fn unpathed(scene: &Scene<'_>) -> Vec<Finding> {
    let survey = scene.subject.survey;
    let mut found: BTreeMap<String, &str> = BTreeMap::new();
    for reference in
        scene.references().filter(|reference| reference.parent.has_dead() && !is_check(reference.key.on_delete))
    {
        let table = reference.child.table;
        let is_open = |schema: &String| !survey.is_trusted(schema, &[&table.owner]);
        let own =
            survey.triggers.iter().filter(|trigger| trigger.table == table.oid && trigger.function_schema != "sexton");
        for trigger in own.filter(|trigger| (trigger.on_update || trigger.on_delete) && !trigger.sets_path) {
            if let Some(schema) = [&table.schema, &trigger.function_schema].into_iter().find(|schema| is_open(schema)) {
                found.insert(table.quoted(), schema);
            }
        }
    }
    let found = found.into_iter().map(|(table, schema)| {
        let schema = quote(schema);
        let what = format!(
            "others may create objects in schema {schema}, so when a foreign key's action reaches the table its triggers do not \
             look there: a name without a schema is not found, or is a temporary table of the session's"
        );
        let mend = format!(
            "REVOKE CREATE ON SCHEMA {schema} from whoever need not create there, or give the triggers' functions a path: ALTER \
             FUNCTION … SET search_path = {schema}, pg_temp"
        );
        finding(Level::Warning, "trigger-path", table, what, mend)
    });
    found.collect()
}

/// Predicates and unique keys over types whose operators are where others may add some.
fn types(subject: &Subject<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for scoped in subject.scoped() {
        let named: Vec<&str> = scoped.live.columns().chain(scoped.deleted.columns()).collect();
        let is_key = |name: &String| {
            let mut indexes =
                subject.survey.indexes.iter().filter(|index| index.table == scoped.table.oid && index.is_unique);
            indexes.any(|index| index.columns.as_ref().is_some_and(|columns| columns.contains(name)))
        };
        for column in &scoped.table.columns {
            let schema = column.type_schema.as_ref().filter(|schema| !subject.survey.is_trusted(schema, &[]));
            let Some(schema) = schema else { continue };
            let is_named = named.contains(&column.name.as_str());
            if !is_named && !is_key(&column.name) {
                continue;
            }
            let what = format!(
                "its column {} is of a type whose operators are in schema {}, where others may create objects: triggers do \
                 not use them, and compare otherwise or fail",
                quote(&column.name),
                quote(schema)
            );
            let level = if is_named { Level::Error } else { Level::Warning };
            let mend = format!("leave CREATE on schema {} to superusers", quote(schema));
            findings.push(finding(level, "type-schema", scoped.table.quoted(), what, mend));
        }
    }
    findings
}
