//! What the registry found when it was built: tables, markers, archives and foreign keys that are not there.

use crate::schema::presume::missing_marker;
use crate::schema::situation::Scoped;
use crate::schema::{Answer, Finding, Level, Question, Situation, Step, Subject};
use crate::sql::ident::quote;

/// A function that is not there, or not in the search path.
const UNDEFINED_FUNCTION: &str = "42883";

/// One finding for each of the registry's, which alone decides what is wrong; archives are [`super::objects::archive`]'s.
pub(crate) fn findings(situation: &Situation<'_>) -> Vec<Finding> {
    let own = situation.unfit.iter().filter(|unfit| !unfit.key.ends_with(": archive"));
    let unreadable = written(situation.subject).filter_map(|scoped| unreadable(situation, scoped));
    let unmarked = written(situation.subject).filter_map(|scoped| unmarked(situation, scoped));
    own.map(|unfit| finding(situation, unfit)).chain(unreadable).chain(unmarked).collect()
}

/// The tables whose section says in SQL what lives, or what a deletion sets.
fn written<'a>(subject: Subject<'a>) -> impl Iterator<Item = Scoped<'a>> {
    subject.scoped().filter(move |scoped| {
        let section = subject.section(scoped.policy).filter(|_| scoped.policy.oid == scoped.table.oid);
        section.is_some_and(|section| section.live.is_some() || !section.mark.is_empty())
    })
}

fn reading(scoped: Scoped<'_>) -> Question {
    let values: Vec<String> = scoped.policy.marks.iter().map(|mark| format!("({})", mark.value.plain())).collect();
    let (table, live) = (scoped.table.quoted(), scoped.live.plain());
    Question::new(format!("EXPLAIN (COSTS OFF) SELECT {} FROM {table} WHERE {live}", values.join(", ")))
}

/// Whether the marks are of the types of their columns.
fn setting(scoped: Scoped<'_>) -> Option<Question> {
    let set: Vec<String> =
        scoped.policy.marks.iter().map(|mark| format!("{} = {}", quote(&mark.column), mark.value.plain())).collect();
    let (table, set) = (scoped.table.quoted(), set.join(", "));
    (!set.is_empty()).then(|| Question::new(format!("EXPLAIN (COSTS OFF) UPDATE {table} SET {set}")))
}

/// Whether a row that is NULL elsewhere is live once a deletion has marked it: where the marks are constants, and no other
/// column that `live` reads is NOT NULL.
fn marking(scoped: Scoped<'_>) -> Option<Question> {
    let mut names: Vec<&str> = scoped.live.columns().collect();
    names.sort_unstable();
    names.dedup();
    let values: Option<Vec<String>> = names
        .iter()
        .map(|name| {
            let column = scoped.table.column(name)?;
            let value = match scoped.policy.marks.iter().find(|mark| mark.column == *name) {
                Some(mark) if mark.value.columns().next().is_some() => return None,
                Some(mark) => mark.value.plain(),
                None if column.not_null => return None,
                None => "NULL".to_owned(),
            };
            Some(format!("({value})::{} AS {}", column.type_name, quote(name)))
        })
        .collect();
    let (values, live) = (values.filter(|_| !scoped.policy.marks.is_empty())?.join(", "), scoped.live.plain());
    Some(Question::new(format!("SELECT ({live}) IS TRUE FROM (SELECT {values}) AS marked")))
}

/// What has to be asked: whether the server understands that SQL, and whether a deletion deletes.
#[must_use]
pub(crate) fn questions(subject: Subject<'_>) -> Vec<Question> {
    written(subject)
        .flat_map(|scoped| [Some(reading(scoped)), setting(scoped), marking(scoped)].into_iter().flatten())
        .collect()
}

/// Marks after which the row still lives.
fn unmarked(situation: &Situation<'_>, scoped: Scoped<'_>) -> Option<Finding> {
    let is_live = situation.answers.text(&marking(scoped)?.sql) == Some("t");
    let section = situation.section_of(&scoped.table.schema, &scoped.table.name);
    is_live.then(|| Finding {
        level: Level::Error,
        kind: "mark",
        object: scoped.table.display(),
        what: format!("a DELETE leaves the row live: {} holds for what its mark sets", scoped.live.plain()),
        mend: Some(format!("let mark in {section} set what makes live false")),
        steps: Vec::new(),
    })
}

/// SQL in a section that the server does not understand.
fn unreadable(situation: &Situation<'_>, scoped: Scoped<'_>) -> Option<Finding> {
    let asked = [Some(reading(scoped)), setting(scoped)].into_iter().flatten();
    let (sqlstate, message) =
        asked.filter_map(|question| situation.answers.get(&question.sql)).find_map(|answer| match answer {
            Answer::Failed { sqlstate, message } => Some((sqlstate, message)),
            Answer::Text(_) | Answer::Late | Answer::Denied => None,
        })?;
    let is_unqualified = sqlstate == UNDEFINED_FUNCTION;
    Some(Finding {
        level: if is_unqualified { Level::Warning } else { Level::Error },
        kind: "live-predicate",
        object: scoped.table.display(),
        what: match is_unqualified {
            true => format!("what its live and mark say depends on search_path: {message} ({sqlstate})"),
            false => format!(
                "statements on it fail, as the server does not understand its live and mark: {message} ({sqlstate})"
            ),
        },
        mend: Some(match is_unqualified {
            true => "write the schema before the function, in live and in mark".to_owned(),
            false => {
                format!("correct live and mark in {}", situation.section_of(&scoped.table.schema, &scoped.table.name))
            }
        }),
        steps: Vec::new(),
    })
}

fn finding(situation: &Situation<'_>, unfit: &crate::rewrite::Finding) -> Finding {
    let subject = situation.subject;
    let (object, key) = unfit.key.rsplit_once(": ").unwrap_or((&unfit.key, "table"));
    let section = subject.database.tables.iter().find(|table| table.line == unfit.line);
    let marker = section.filter(|_| key == "column").and_then(|section| {
        let table = subject.survey.find(&section.name.schema, &section.name.relation)?;
        let marker = missing_marker(section, situation.before)?;
        let sql = format!("ALTER TABLE {} ADD COLUMN IF NOT EXISTS {} timestamptz", table.quoted(), quote(marker));
        Some(Step::new(format!("{object}: the column that marks a deleted row"), sql))
    });
    Finding {
        level: if unfit.fatal { Level::Error } else { Level::Warning },
        kind: match key {
            "column" => "marker-column",
            "live" => "live-predicate",
            "mark" => "mark",
            "visible_through" => "visible-through",
            _ => "table",
        },
        object: object.to_owned(),
        what: unfit.message.clone(),
        mend: marker.is_none().then(|| unfit.mend.clone()),
        steps: marker.into_iter().collect(),
    }
}
