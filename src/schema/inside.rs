//! What reads or deletes registered tables inside the server, where Sexton does not look: views, rules, policies, functions.

use crate::config::Strategy;
use crate::rewrite::policy::Policy;
use crate::schema::mention::{Sight, mentions};
use crate::schema::readers::{Routine, Rule, TablePolicy, View};
use crate::schema::survey::Table;
use crate::schema::{Finding, Level, Situation};
use crate::sql::ident::{quote, quote_qualified};

/// One finding for each view, rule, policy or routine and each registered table it sees more of than it should.
pub(crate) fn findings(situation: &Situation<'_>) -> Vec<Finding> {
    let readers = situation.readers;
    let views = readers.views.iter().flat_map(|view| view_findings(situation, view));
    let rules = readers.rules.iter().flat_map(|rule| rule_findings(situation, rule));
    let policies = readers.policies.iter().flat_map(|policy| policy_findings(situation, policy));
    let routines = readers.routines.iter().flat_map(|routine| routine_findings(situation, routine));
    views.chain(rules).chain(policies).chain(routines).collect()
}

fn view_findings(situation: &Situation<'_>, view: &View) -> Vec<Finding> {
    let subject = situation.subject;
    let noun = if view.is_materialized { "materialized view" } else { "view" };
    let name = quote_qualified(&view.schema, &view.name);
    let mentioned = mentions(&view.definition, subject.registry);
    let read = subject.scoped().filter(|scoped| view.reads.contains(&scoped.table.oid));
    let findings = read.filter_map(|scoped| {
        let table = scoped.policy.table.to_string();
        let mention = mentioned.get(&table).map(|(_, mention)| *mention).unwrap_or_default();
        let (level, what) = match mention.sight() {
            Sight::Limited => return None,
            Sight::Chosen => (Level::Note, format!("it chooses by itself which rows of {table} it shows")),
            // A view whose text names the table in no way that is seen here reads it all the same.
            Sight::None | Sight::All => (Level::Warning, format!("it shows deleted rows of {table}")),
            Sight::Some => (Level::Warning, format!("it shows deleted rows of {table} where it reads it once more")),
        };
        let live = scoped.live.plain();
        let mend = match view.is_materialized {
            true => format!("drop it and create it through Sexton, which adds {live} to it"),
            false => {
                let definition = view.definition.trim();
                // What OR REPLACE is not told it takes away.
                let options = match view.options.join(", ") {
                    none if none.is_empty() => none,
                    options => format!(" WITH ({options})"),
                };
                format!("run this through Sexton, which adds {live}:\nCREATE OR REPLACE VIEW {name}{options} AS\n{definition}")
            }
        };
        Some(finding(level, noun, &name, what, Some(mend).filter(|_| level != Level::Note)))
    });
    findings.collect()
}

fn rule_findings(situation: &Situation<'_>, rule: &Rule) -> Vec<Finding> {
    let object = format!("{} ON {}.{}", quote(&rule.name), quote(&rule.schema), quote(&rule.relation_name));
    let subject = situation.subject;
    let on: Option<(&Table, &Policy)> = subject.with_policy().find(|(table, _)| table.oid == rule.relation);
    let mut findings = Vec::new();
    if let Some((_, policy)) = on {
        let what = match (policy.strategy, rule.on_delete, rule.on_update) {
            (Strategy::Soft, true, _) => Some("it does not act: a deletion is an UPDATE"),
            (Strategy::Soft, _, true) => {
                Some("it acts on deletions too, which are UPDATEs, and may change what they do")
            }
            (Strategy::Archive, true, _) => {
                Some("it acts within the statement that archives, which may then archive nothing")
            }
            _ => None,
        };
        let mend = "make it a trigger, or drop it".to_owned();
        findings.extend(what.map(|what| finding(Level::Warning, "rule", &object, what.to_owned(), Some(mend))));
    }
    findings.extend(body_findings(situation, "rule", &object, actions(&rule.definition)));
    findings
}

/// The actions of a rule: what stands behind DO. Its own table stands before.
fn actions(definition: &str) -> &str {
    definition.find(" DO ").map_or(definition, |at| &definition[at..])
}

fn policy_findings(situation: &Situation<'_>, policy: &TablePolicy) -> Vec<Finding> {
    let name = format!("{} on {}.{}", quote(&policy.name), quote(&policy.schema), quote(&policy.table));
    body_findings(situation, "policy", &name, &policy.conditions)
}

fn routine_findings(situation: &Situation<'_>, routine: &Routine) -> Vec<Finding> {
    let noun = if routine.is_procedure { "procedure" } else { "function" };
    let name = format!("{}.{}({})", quote(&routine.schema), quote(&routine.name), routine.arguments);
    let name = match routine.triggers.split_first() {
        None => name,
        Some((first, [])) => format!("{name} of trigger {first}"),
        Some((first, more)) => format!("{name} of trigger {first} and {} more", more.len()),
    };
    body_findings(situation, noun, &name, &routine.source)
}

fn body_findings(situation: &Situation<'_>, noun: &'static str, name: &str, source: &str) -> Vec<Finding> {
    let mentioned = mentions(source, situation.subject.registry);
    let findings = mentioned.into_iter().flat_map(|(table, (policy, mention))| {
        let keeps = policy.strategy != Strategy::Hard;
        let live = policy.live.as_ref().map(|live| live.plain());
        let deletes = (keeps && (mention.deletes || mention.truncates)).then(|| {
            let verb = if mention.deletes { "deletes" } else { "truncates" };
            let mend = match &live {
                Some(_) if policy.strategy == Strategy::Soft => {
                    let marks: Vec<String> = policy
                        .marks
                        .iter()
                        .map(|mark| format!("{} = {}", quote(&mark.column), mark.value.plain()))
                        .collect();
                    format!("let it UPDATE {table} SET {}, or let the application send the DELETE", marks.join(", "))
                }
                _ => "let the application send the DELETE".to_owned(),
            };
            (Level::Warning, format!("it really {verb} rows of {table}"), Some(mend))
        });
        let reads = live.as_ref().and_then(|live| {
            let add = format!("add {live} where it reads or updates {table}");
            match mention.sight() {
                Sight::None | Sight::Limited => None,
                Sight::Chosen => {
                    Some((Level::Note, format!("it chooses by itself which rows of {table} it sees"), None))
                }
                Sight::All | Sight::Some => {
                    Some((Level::Warning, format!("it sees deleted rows of {table}"), Some(add)))
                }
            }
        });
        let hidden = mention.in_string.then(|| {
            let mend = "look at the SQL it builds: nothing else sees what it reads and deletes".to_owned();
            (Level::Warning, format!("it builds SQL in strings that names {table}"), Some(mend))
        });
        [deletes, reads, hidden].into_iter().flatten()
    });
    findings.map(|(level, what, mend)| finding(level, noun, name, what, mend)).collect()
}

fn finding(level: Level, noun: &'static str, name: &str, what: String, mend: Option<String>) -> Finding {
    let kind = match noun {
        "materialized view" => "materialized-view",
        noun => noun,
    };
    Finding { level, kind, object: format!("{noun} {name}"), what, mend, steps: Vec::new() }
}
