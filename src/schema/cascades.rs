//! Rows that stand in the way of a parent, or go with it for good: those of tables that nobody registered, and deleted ones
//! that have no archive to go to.

use crate::config::{Reinsert, Strategy};
use crate::schema::survey::{Action, Table};
use crate::schema::{Finding, Level, Situation, Subject};
use crate::sql::ident::quote;

/// One finding for each such foreign key.
pub(crate) fn findings(situation: &Situation<'_>) -> Vec<Finding> {
    [unregistered(situation), without_archive(situation)].concat()
}

/// Deleted rows without an archive, below a row that may really leave.
fn without_archive(situation: &Situation<'_>) -> Vec<Finding> {
    let (subject, survey) = (situation.subject, situation.subject.survey);
    let found = survey.foreign_keys.iter().filter_map(|key| {
        let (parent, child) = (survey.table(key.parent)?, survey.table(key.child)?);
        let policy = subject.policy_of(child).filter(|policy| policy.live.is_some())?;
        if policy.strategy != Strategy::Soft || subject.section(policy)?.archive.is_some() {
            return None;
        }
        let (parent_name, child_name) = (parent.display(), child.display());
        let (level, what) = match (leaves(subject, parent)?, key.on_delete) {
            (_, Action::SetNull | Action::SetDefault) => return None,
            (Leaves::Deleted, Action::Cascade) => (Level::Warning, format!("deleting a row of {parent_name} is refused (0A000) while rows of {child_name} point to it, deleted ones too: they would be lost")),
            (Leaves::Deleted, _) => (Level::Note, format!("deleted rows of {child_name} stop the row of {parent_name} that they point to from being deleted (23503)")),
            (Leaves::Superseded, _) => (Level::Note, format!("no row takes the key of a deleted row of {parent_name} that deleted rows of {child_name} point to (23505)")),
        };
        let (schema, relation) = (&policy.table.schema, &policy.table.relation);
        Some(Finding {
            level,
            kind: "no-archive",
            object: format!("foreign key {} on {child_name}", quote(&key.name)),
            what,
            mend: Some(format!(
                "add to the configuration:\n{}\narchive = \"{relation}_archive\"",
                situation.section_of(schema, relation)
            )),
            steps: Vec::new(),
        })
    });
    found.collect()
}

/// How rows of a table come to leave it for good.
enum Leaves {
    /// A DELETE takes them.
    Deleted,
    /// Deleted ones, when a live row takes their key.
    Superseded,
}

fn leaves(subject: Subject<'_>, parent: &Table) -> Option<Leaves> {
    let Some(policy) = subject.policy_of(parent).filter(|policy| policy.strategy == Strategy::Soft) else {
        return Some(Leaves::Deleted);
    };
    let section = subject.section(policy)?;
    let gives_way = section.archive.is_some() || section.reinsert == Reinsert::Revive || section.retain.is_some();
    (gives_way && section.reinsert != Reinsert::Error).then_some(Leaves::Superseded)
}

/// Rows that go for good with a row that is kept. A child that is registered as `hard` is meant to be so.
fn unregistered(situation: &Situation<'_>) -> Vec<Finding> {
    let (subject, survey) = (situation.subject, situation.subject.survey);
    let keys = survey.foreign_keys.iter().filter(|key| key.on_delete == Action::Cascade);
    let found = keys.filter_map(|key| {
        let (parent, child) = (survey.table(key.parent)?, survey.table(key.child)?);
        let policy = subject.policy_of(parent)?;
        if policy.strategy == Strategy::Hard || subject.registry.find(&child.schema, &child.name).is_some() {
            return None;
        }
        Some(Finding {
            level: Level::Warning,
            kind: "cascade",
            object: format!("foreign key {} on {}", quote(&key.name), child.display()),
            what: format!(
                "deleting a row of {} keeps that row and really deletes those of {} that point to it, as nobody has registered them",
                parent.display(),
                child.display()
            ),
            mend: Some(format!("add to the configuration:\n{}\ndelete = \"soft\"  # or \"archive\", or \"hard\" where that is meant",
                situation.section_of(&child.schema, &child.name))),
            steps: Vec::new(),
        })
    });
    found.collect()
}
