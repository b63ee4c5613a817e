//! Triggers of the application's own on tables where a deletion is another statement than DELETE.

use crate::config::{Strategy, Truncate};
use crate::schema::situation::Scoped;
use crate::schema::survey::{Table, Trigger};
use crate::schema::{Finding, Level, Situation};
use crate::sql::ident::quote;

/// DELETE and UPDATE triggers of soft tables, and TRUNCATE triggers of tables whose TRUNCATE is rewritten.
pub(crate) fn findings(situation: &Situation<'_>) -> Vec<Finding> {
    let subject = situation.subject;
    let mut findings = Vec::new();
    for scoped in subject.soft() {
        for trigger in own_triggers(situation, scoped.table) {
            if trigger.on_delete {
                let what = format!(
                    "it does not fire when a row is deleted from {}: a deletion is an UPDATE",
                    scoped.table.display()
                );
                findings.push(finding(Level::Warning, trigger, scoped.table, what, Some(replacement(scoped, trigger))));
            } else if trigger.on_update {
                let what =
                    format!("it fires when a row is deleted from {}: a deletion is an UPDATE", scoped.table.display());
                findings.push(finding(Level::Note, trigger, scoped.table, what, None));
            }
        }
    }
    let truncated = subject.registered().filter_map(|(table, policy)| {
        let rewrites = policy.truncate == Truncate::Rewrite && policy.strategy != Strategy::Hard;
        rewrites.then_some((table, if policy.strategy == Strategy::Soft { "UPDATE" } else { "DELETE" }))
    });
    for (table, becomes) in truncated {
        for trigger in own_triggers(situation, table).filter(|trigger| trigger.on_truncate) {
            let what = format!("it does not fire when {} is truncated: TRUNCATE becomes {becomes}", table.display());
            let mend = "let a statement trigger do its work, or set truncate = \"refuse\"".to_owned();
            findings.push(finding(Level::Warning, trigger, table, what, Some(mend)));
        }
    }
    findings
}

/// The triggers on a table that are not Sexton's.
fn own_triggers<'a>(situation: &Situation<'a>, table: &'a Table) -> impl Iterator<Item = &'a Trigger> {
    let triggers = situation.subject.survey.triggers.iter();
    triggers.filter(|trigger| trigger.table == table.oid && trigger.is_enabled && trigger.function_schema != "sexton")
}

/// A trigger that does the same when a row is marked.
fn replacement(scoped: Scoped<'_>, trigger: &Trigger) -> String {
    let columns: Vec<String> = scoped.policy.marks.iter().map(|mark| quote(&mark.column)).collect();
    format!(
        "CREATE TRIGGER {} AFTER UPDATE OF {} ON {} FOR EACH ROW WHEN (({}) AND ({})) EXECUTE FUNCTION {}.{}(), \
         where that function does not ask for TG_OP",
        quote(&format!("{}_when_marked", trigger.name)),
        columns.join(", "),
        scoped.table.quoted(),
        scoped.live.render("OLD"),
        scoped.deleted.render("NEW"),
        quote(&trigger.function_schema),
        quote(&trigger.function),
    )
}

fn finding(level: Level, trigger: &Trigger, table: &Table, what: String, mend: Option<String>) -> Finding {
    let object = format!("trigger {} on {}", quote(&trigger.name), table.display());
    Finding { level, kind: "trigger", object, what, mend, steps: Vec::new() }
}
