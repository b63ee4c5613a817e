//! Whether the roles are there to whom `[access]` gives rights.

use crate::schema::{Finding, Level, Question, Situation, Subject};
use crate::sql::ident::{literal, quote};

/// The keys of the section with the roles that they name.
fn named<'a>(subject: Subject<'a>) -> impl Iterator<Item = (&'static str, &'a str)> {
    let access = subject.access;
    [("see_deleted", &access.see_deleted), ("hard_delete", &access.hard_delete)]
        .into_iter()
        .flat_map(|(key, roles)| roles.iter().map(move |role| (key, role.as_str())))
}

fn question(role: &str) -> Question {
    Question::new(format!("SELECT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = {})", literal(role)))
}

/// Whether there are such roles.
#[must_use]
pub(crate) fn questions(subject: Subject<'_>) -> Vec<Question> {
    named(subject).map(|(_, role)| question(role)).collect()
}

/// One finding for each role that is not there.
pub(crate) fn findings(situation: &Situation<'_>) -> Vec<Finding> {
    let missing = named(situation.subject).filter(|(_, role)| situation.answers.text(&question(role).sql) == Some("f"));
    missing
        .map(|(key, role)| Finding {
            level: Level::Note,
            kind: "access",
            object: format!("access.{key}"),
            what: format!("there is no role {}", quote(role)),
            mend: Some("correct the name, or create the role".to_owned()),
            steps: Vec::new(),
        })
        .collect()
}
