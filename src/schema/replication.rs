//! Logical replication: a soft deletion reaches subscribers as an UPDATE, where it can be published at all.

use crate::schema::{Finding, Level, Situation};
use crate::sql::ident::quote;

/// One finding for each publication that holds a soft table.
pub(crate) fn findings(situation: &Situation<'_>) -> Vec<Finding> {
    let (subject, survey) = (situation.subject, situation.subject.survey);
    let mut findings = Vec::new();
    for scoped in subject.soft() {
        let table = scoped.table;
        let has_key = survey.indexes.iter().any(|index| index.table == table.oid && index.is_primary);
        let is_identified = match table.replica_identity {
            'd' => has_key,
            identity => identity != 'n',
        };
        for publication in survey.publications.iter().filter(|publication| publication.table == table.oid) {
            let hidden: Vec<String> = publication.columns.as_ref().map_or_else(Vec::new, |columns| {
                scoped.live.columns().filter(|read| !columns.iter().any(|column| column == read)).map(quote).collect()
            });
            let (level, what, mend) = if publication.updates && !is_identified {
                (
                    Level::Warning,
                    "its rows cannot be deleted (55000): a deletion is an UPDATE, for which it has no replica identity"
                        .to_owned(),
                    Some(format!("give it a primary key, or ALTER TABLE {} REPLICA IDENTITY FULL", table.quoted())),
                )
            } else if publication.deletes && !publication.updates {
                (
                    Level::Warning,
                    "subscribers do not hear of deletions: they are UPDATEs, which it does not publish".to_owned(),
                    Some(format!(
                        "ALTER PUBLICATION {} SET (publish = 'insert, update, delete, truncate')",
                        quote(&publication.name)
                    )),
                )
            } else if !hidden.is_empty() {
                (
                    Level::Warning,
                    format!(
                        "subscribers keep deleted rows as if they lived: it does not publish {}",
                        hidden.join(", ")
                    ),
                    Some("publish these columns too".to_owned()),
                )
            } else {
                (Level::Note, "a deletion reaches subscribers as an UPDATE: they keep the row, marked".to_owned(), None)
            };
            findings.push(Finding {
                level,
                kind: "publication",
                object: format!("publication {} of {}", quote(&publication.name), table.display()),
                what,
                mend,
                steps: Vec::new(),
            });
        }
    }
    findings
}
