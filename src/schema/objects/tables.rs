//! The tables of schema `sexton`, and what others may do with them.

use std::collections::BTreeMap;

use crate::schema::objects::routines::enclosing;
use crate::schema::policies::grantee;
use crate::schema::survey::{OwnRelation, Survey, Table};
use crate::schema::{Finding, Level, Step, Subject};
use crate::sql::ident::quote;

/// A table of the schema.
struct Own {
    name: &'static str,
    /// What it is for.
    why: &'static str,
    ddl: &'static str,
    /// Columns that the functions of this version write, where it is empty between transactions.
    passing: &'static [&'static str],
    /// What Sexton's own login does with it.
    login: &'static [&'static str],
}

const TABLES: &[Own] = &[
    Own {
        name: "tables",
        why: "which tables have been registered, for the guard against unregistering them",
        ddl: include_str!("sql/tables.sql"),
        passing: &[],
        login: &["SELECT", "INSERT", "UPDATE", "DELETE"],
    },
    Own {
        name: "deletions",
        why: "the audit rows",
        ddl: include_str!("sql/deletions.sql"),
        passing: &[],
        login: &["SELECT", "INSERT", "DELETE"],
    },
    Own {
        name: "nulled",
        why: "references that deletions have set to null or default",
        ddl: include_str!("sql/nulled.sql"),
        passing: &[],
        login: &["SELECT", "INSERT", "DELETE"],
    },
    Own {
        name: "queue",
        why: "what a cascade has left to do inside one statement; empty between transactions",
        ddl: include_str!("sql/queue.sql"),
        passing: &["txid", "relation"],
        login: &[],
    },
    Own {
        name: "exempt",
        why: "rows whose leaving is no deletion; empty between transactions",
        ddl: include_str!("sql/exempt.sql"),
        passing: &["back"],
        login: &[],
    },
];

/// The table is there, but as another version has made it.
pub(super) fn is_outdated(survey: &Survey, name: &str) -> bool {
    let columns = TABLES.iter().find(|own| own.name == name).map_or(&[][..], |own| own.passing);
    survey.find("sexton", name).is_some_and(|table| columns.iter().any(|column| table.column(column).is_none()))
}

/// The tables that are there, under their names.
pub(super) fn there(survey: &Survey) -> impl Iterator<Item = &OwnRelation> {
    survey.own_relations.iter().filter(|relation| TABLES.iter().any(|own| own.name == relation.name))
}

/// The steps for those that are missing, of another version, or somebody else's.
pub(super) fn steps(subject: &Subject<'_>) -> Vec<Step> {
    let survey = subject.survey;
    let mut steps = Vec::new();
    for own in TABLES {
        let name = format!("sexton.{}", own.name);
        let (is_outdated, is_missing) = (is_outdated(survey, own.name), survey.find("sexton", own.name).is_none());
        let is_strange = there(survey).any(|table| table.name == own.name && !survey.is_ours(&table.owner));
        if is_outdated {
            steps.push(Step::new("it is made anew; nothing is in it", format!("DROP TABLE IF EXISTS {name}")));
        }
        if is_outdated || is_missing || is_strange {
            let enclose = enclosing("pg_class", &name);
            let sql = format!("DO $step$\nBEGIN\n{};\n{enclose}\nEND\n$step$", own.ddl.trim_end());
            steps.push(Step::new(own.why, sql));
            if !own.login.is_empty() {
                let sql = format!("GRANT {} ON {name} TO {}", own.login.join(", "), quote(subject.own_role));
                steps.push(Step::new("Sexton's own login notes, restores and purges by it", sql));
            }
        }
    }
    let is_older = |table: &Table| table.columns.iter().all(|column| column.name != "oid");
    if survey.find("sexton", "tables").is_some_and(is_older) {
        let sql = "ALTER TABLE sexton.tables ADD COLUMN IF NOT EXISTS oid oid";
        steps.push(Step::new("a renamed table is found again", sql));
    }
    steps
}

/// What `role` may do with the relation, and nothing else: others may read what is kept, where somebody grants it.
fn is_meant(subject: &Subject<'_>, relation: &OwnRelation, role: &str, privilege: &str) -> bool {
    let own = TABLES.iter().find(|own| own.name == relation.name);
    let is_kept = own.is_none_or(|own| !own.login.is_empty());
    let is_login = role == subject.own_role && own.is_some_and(|own| own.login.contains(&privilege));
    is_login || privilege == "SELECT" && is_kept && relation.kind != 'S'
}

/// Roles that may do more with the tables and their sequences than they are meant to.
pub(super) fn findings(subject: &Subject<'_>) -> Vec<Finding> {
    let survey = subject.survey;
    let is_own = |relation: &&OwnRelation| {
        let is_table = || relation.kind == 'r' && TABLES.iter().any(|own| own.name == relation.name);
        survey.is_ours(&relation.owner) && (relation.kind == 'S' || is_table())
    };
    let mut findings = Vec::new();
    for relation in survey.own_relations.iter().filter(is_own) {
        let mut found: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for grant in &relation.grants {
            if !is_meant(subject, relation, &grant.role, &grant.privilege) {
                found.entry(&grant.role).or_default().push(&grant.privilege);
            }
        }
        let kind = if relation.kind == 'S' { "sequence" } else { "table" };
        let object = format!("{kind} sexton.{}", relation.name);
        for (role, privileges) in found {
            let (role, privileges) = (grantee(role), privileges.join(", "));
            let sql = format!("REVOKE {privileges} ON {object} FROM {role} CASCADE");
            findings.push(Finding {
                level: Level::Warning,
                kind: "own-privilege",
                object: object.clone(),
                what: format!("{role} has {privileges} on it: what it holds is for Sexton's functions to write"),
                mend: None,
                steps: vec![Step::new(format!("{object}: nobody else's to change"), sql)],
            });
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rewrite::own_objects::OWN_TABLES;

    #[test]
    fn the_rewriter_knows_the_tables() {
        let mut names: Vec<&str> = TABLES.iter().map(|own| own.name).collect();
        names.sort_unstable();
        assert_eq!(names, OWN_TABLES);
    }
}
