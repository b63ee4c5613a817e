//! Tables that nobody registered, whose rows a deletion takes along for good: ON DELETE CASCADE to a registered table.

use crate::config::Strategy;
use crate::schema::survey::Action;
use crate::schema::{Finding, Level, Situation};
use crate::sql::ident::quote;

/// One finding for each such foreign key. A child that is registered as `hard` is meant to be so.
pub(crate) fn findings(situation: &Situation<'_>) -> Vec<Finding> {
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
