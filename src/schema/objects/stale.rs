//! Triggers and functions of schema `sexton` that nothing wants any more: a table was unregistered, a foreign key
//! dropped, a strategy changed.

use crate::schema::objects::base::is_base_function;
use crate::schema::objects::scene::qualified;
use crate::schema::objects::wanted::Wanted;
use crate::schema::survey::Survey;
use crate::schema::{Finding, Level, Step, Subject};
use crate::sql::ident::quote;

/// What is there and is wanted by none of the rules.
#[must_use]
pub fn findings(subject: &Subject<'_>, with_guard: bool) -> Vec<Finding> {
    stale(subject.survey, &super::wanted_triggers(subject, with_guard))
}

fn stale(survey: &Survey, wanted: &[Wanted<'_>]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for trigger in survey.triggers.iter().filter(|trigger| trigger.function_schema == "sexton") {
        let Some(table) = survey.table(trigger.table).filter(|table| table.schema != "sexton") else { continue };
        if wanted.iter().any(|wanted| wanted.table.oid == table.oid && wanted.name == trigger.name) {
            continue;
        }
        let (name, table) = (quote(&trigger.name), qualified(table));
        findings.push(finding(
            format!("trigger {name} on {table}"),
            "it enforces what the configuration no longer says",
            format!("DROP TRIGGER IF EXISTS {name} ON {table}"),
        ));
    }
    for routine in survey.own_routines.iter().filter(|routine| !is_base_function(&routine.name)) {
        if wanted.iter().flat_map(|wanted| &wanted.functions).any(|(name, _)| *name == routine.name) {
            continue;
        }
        let name = quote(&routine.name);
        findings.push(finding(
            format!("function sexton.{name}"),
            "nothing calls it any more",
            format!("DROP FUNCTION IF EXISTS sexton.{name}"),
        ));
    }
    findings
}

fn finding(object: String, what: &str, sql: String) -> Finding {
    let steps = vec![Step::new(format!("{object}: {what}"), sql)];
    Finding { level: Level::Warning, kind: "stale-object", object, what: what.to_owned(), mend: None, steps }
}
