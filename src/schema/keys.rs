//! Registered tables whose rows cannot be told apart, and those that a deletion moves between partitions.

use crate::schema::{Finding, Level, Situation};

/// Tables without a primary key, and soft tables partitioned by a column that a deletion sets.
pub(crate) fn findings(situation: &Situation<'_>) -> Vec<Finding> {
    let (subject, survey) = (situation.subject, situation.subject.survey);
    let keyless = subject.registered().filter(|(table, policy)| {
        !policy.is_transparent() && !survey.indexes.iter().any(|index| index.table == table.oid && index.is_primary)
    });
    let keyless = keyless.map(|(table, _)| Finding {
        level: Level::Note,
        kind: "no-primary-key",
        object: table.display(),
        what: "it has no primary key: a deleted row cannot be named, to be restored or found again".to_owned(),
        mend: Some(format!("ALTER TABLE {} ADD PRIMARY KEY (…)", table.quoted())),
        steps: Vec::new(),
    });
    let moved = subject.soft().filter_map(|scoped| {
        let marked = scoped.policy.marks.iter().find(|mark| scoped.table.partition_key.contains(&mark.column))?;
        Some(Finding {
            level: Level::Warning,
            kind: "partition-key",
            object: scoped.table.display(),
            what: format!(
                "it is partitioned by {}, which a deletion sets: the row moves to another partition, and whoever waits for it gets 40001",
                marked.column
            ),
            mend: Some("partition it by columns that a deletion leaves alone".to_owned()),
            steps: Vec::new(),
        })
    });
    keyless.chain(moved).collect()
}
