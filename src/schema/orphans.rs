//! Live rows that point to a deleted one: a real DELETE would have taken them along, or been refused. `apply` lets no new
//! ones in; these were there before.

use crate::rewrite::policy::Through;
use crate::schema::finding::with_commas;
use crate::schema::situation::Scoped;
use crate::schema::survey::{ForeignKey, Table};
use crate::schema::{Answer, Finding, Level, Question, Situation, Subject};
use crate::sql::ident::{quote, quote_qualified};

/// The foreign keys that point to tables with deleted rows, those left out through which these stay visible.
fn candidates<'a>(subject: Subject<'a>) -> impl Iterator<Item = (&'a ForeignKey, &'a Table, Scoped<'a>)> {
    let survey = subject.survey;
    survey.foreign_keys.iter().filter_map(move |key| {
        let (child, parent) = (survey.table(key.child)?, survey.table(key.parent)?);
        let scoped = Scoped::new(parent, subject.policy_of(parent)?)?;
        let is_shown = |through: &Through| through.table == key.child && through.columns == key.columns;
        (!scoped.policy.through.iter().any(is_shown)).then_some((key, child, scoped))
    })
}

/// What follows SELECT … for such rows of `child`, called `c`.
fn rows(subject: Subject<'_>, key: &ForeignKey, child: &Table, parent: Scoped<'_>) -> String {
    let pairs = key.referenced.iter().zip(&key.columns).zip(&key.equals_child);
    let same: Vec<String> =
        pairs.map(|((own, other), equals)| format!("p.{} {equals} c.{}", quote(own), quote(other))).collect();
    let live = subject.policy_of(child).and_then(|policy| policy.live.as_ref());
    let live = live.map(|live| format!(" AND ({})", live.render("c"))).unwrap_or_default();
    format!(
        "FROM {} AS c JOIN {} AS p ON {} WHERE ({}){live}",
        child.quoted(),
        parent.table.quoted(),
        same.join(" AND "),
        parent.deleted.render("p")
    )
}

/// Whether there are such rows, and how many.
#[must_use]
pub(crate) fn questions(subject: Subject<'_>) -> Vec<Question> {
    candidates(subject).map(|(key, child, parent)| Question::of_rows(&rows(subject, key, child, parent))).collect()
}

/// One finding for each foreign key with such rows, and for each table of which that cannot be seen.
pub(crate) fn findings(situation: &Situation<'_>) -> Vec<Finding> {
    let subject = situation.subject;
    let found = candidates(subject).filter_map(|(key, child, parent)| {
        let rows = rows(subject, key, child, parent);
        let Question { sql, then } = Question::of_rows(&rows);
        let finding =
            |level, object, what, mend| Finding { level, kind: "orphans", object, what, mend, steps: Vec::new() };
        let parent = parent.table.display();
        if let Some(silence) = situation.answers.silence(&sql, subject.own_role) {
            let what = format!("whether live rows point to deleted ones {silence}");
            return Some(finding(Level::Note, parent, what, None));
        }
        if situation.answers.text(&sql) != Some("t") {
            return None;
        }
        let count = then.and_then(|count| situation.answers.get(&count));
        let (count, verb) = match count {
            Some(Answer::Text(count)) if count == "1" => ("1 live row".to_owned(), "points"),
            Some(Answer::Text(count)) => (format!("{} live rows", with_commas(count)), "point"),
            _ => ("some live rows".to_owned(), "point"),
        };
        let mend = format!("delete, change or undelete one end of each:\nSELECT c.* {rows}");
        let object = format!("foreign key {} on {}", quote(&key.name), quote_qualified(&child.schema, &child.name));
        Some(finding(Level::Warning, object, format!("{count} {verb} to a deleted row of {parent}"), Some(mend)))
    });
    found.collect()
}
