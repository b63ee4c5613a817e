//! CHECK constraints that a row may break when it is marked: a DELETE would not have asked them.

use crate::schema::mention::names_column;
use crate::schema::{Finding, Level, Situation};
use crate::sql::ident::quote;

/// Constraints that are NOT VALID, and those over columns that a deletion sets.
pub(crate) fn findings(situation: &Situation<'_>) -> Vec<Finding> {
    let subject = situation.subject;
    let mut findings = Vec::new();
    for scoped in subject.soft() {
        let marked: Vec<&str> = scoped.policy.marks.iter().map(|mark| mark.column.as_str()).collect();
        for check in subject.survey.checks.iter().filter(|check| check.table == scoped.table.oid) {
            let (table, name) = (scoped.table.quoted(), quote(&check.name));
            let reads_mark: Vec<&str> =
                marked.iter().copied().filter(|column| check.columns.iter().any(|read| read == column)).collect();
            // A constraint that asks for the live predicate first lets deleted rows be as they are.
            let exempts = names_column(&check.expression, scoped.live.columns())
                && check.expression.contains(" OR ")
                && reads_mark.iter().all(|column| scoped.live.columns().any(|read| read == *column));
            let (what, mend) = if !check.is_valid {
                (
                    "it is NOT VALID: a row that breaks it can be deleted by a DELETE, but not be marked (23514)"
                        .to_owned(),
                    format!("mend the rows, then ALTER TABLE {table} VALIDATE CONSTRAINT {name}"),
                )
            } else if !reads_mark.is_empty() && !exempts {
                (
                    format!(
                        "it reads {}, which a deletion sets: a row that breaks it then cannot be deleted (23514)",
                        reads_mark.join(", ")
                    ),
                    format!(
                        "let deleted rows be: ALTER TABLE {table} DROP CONSTRAINT {name}, ADD CONSTRAINT {name} CHECK (({}) OR ({})) NOT VALID, then VALIDATE it",
                        check.expression,
                        scoped.deleted.plain()
                    ),
                )
            } else {
                continue;
            };
            findings.push(Finding {
                level: Level::Warning,
                kind: "check",
                object: format!("CHECK constraint {name} on {}", scoped.table.display()),
                what,
                mend: Some(mend),
                steps: Vec::new(),
            });
        }
    }
    findings
}
