//! Whose schema `sexton` is. Its functions run as their owner, or as whoever calls them, and whoever owns the schema, or
//! something in it, may put others in their place.
//!
//! A superuser who applies takes over what is not a superuser's. Anybody else works in the schema of a role that
//! it is a member of, for that role.

use std::collections::BTreeSet;

use crate::schema::objects::routines::is_of_base;
use crate::schema::objects::tables;
use crate::schema::survey::Survey;
use crate::schema::{Finding, Level, Step, Subject};
use crate::sql::ident::quote;

const OBJECT: &str = "schema sexton";

fn finding(level: Level, kind: &'static str, what: String, mend: Option<String>, steps: Vec<Step>) -> Finding {
    Finding { level, kind, object: OBJECT.to_owned(), what, mend, steps }
}

/// A role that may make what runs in everybody's sessions: it can do as much without the schema.
fn is_trusted(subject: &Subject<'_>, role: &str) -> bool {
    let survey = subject.survey;
    let owns_tables = || subject.registered().any(|(table, _)| table.owner == role);
    survey.superusers.iter().any(|superuser| superuser == role)
        || role == survey.database_owner
        || role == subject.own_role
        || owns_tables()
}

/// What is not as it should be in the schema, mended by `steps`.
pub(super) fn own_schema(subject: &Subject<'_>, steps: Vec<Step>) -> Finding {
    let survey = subject.survey;
    let replaces = "who may replace what is in it, and what is in it runs as others";
    let strangers = strangers(survey);
    if survey.is_taken_over() {
        let level = if is_trusted(subject, &survey.own_holder) { Level::Warning } else { Level::Error };
        let what = format!("it belongs to {}, {replaces}", quote(&survey.own_holder));
        return finding(level, "schema-owner", what, None, steps);
    }
    if !strangers.is_empty() {
        let what = format!("something in it belongs to {}, {replaces}", strangers.join(", "));
        return finding(Level::Error, "schema-owner", what, None, steps);
    }
    if !survey.own_creators.is_empty() {
        let creators: Vec<String> =
            survey.own_creators.iter().map(|role| crate::schema::policies::grantee(role)).collect();
        let what = format!("{} may create objects in it, which others then run", creators.join(", "));
        return finding(Level::Error, "schema-owner", what, None, steps);
    }
    let what = match survey.has_own_schema {
        false => {
            "without it, foreign keys, re-used keys and deletion events are not what a real DELETE would make of them"
        }
        true => "it is of another version of Sexton, or incomplete",
    };
    finding(Level::Warning, "own-schema", what.to_owned(), None, steps)
}

/// The roles to which tables and functions of the schema belong that are not theirs.
fn strangers(survey: &Survey) -> Vec<String> {
    let routines = survey.own_routines.iter().filter(|routine| is_of_base(routine)).map(|routine| &routine.owner);
    let owners = tables::there(survey).map(|table| &table.owner).chain(routines);
    let owners: BTreeSet<String> = owners.filter(|owner| !survey.is_ours(owner)).map(|owner| quote(owner)).collect();
    owners.into_iter().collect()
}

/// What keeps everything else from being installed: the schema is for somebody else to mend, or for somebody to look at.
pub(super) fn obstacle(subject: &Subject<'_>) -> Option<Finding> {
    let survey = subject.survey;
    let error = |what: String, mend: String| finding(Level::Error, "schema-owner", what, Some(mend), Vec::new());
    if !survey.has_own_schema {
        return None;
    }
    let holder = quote(&survey.own_holder);
    if !survey.is_taken_over() && !is_trusted(subject, &survey.own_holder) && survey.asker != survey.own_holder {
        return Some(error(unknown(&holder), mend().to_owned()));
    }
    let strange = tables::there(survey).find(|table| !survey.is_ours(&table.owner) && !table.strange.is_empty())?;
    let (name, owner) = (format!("sexton.{}", quote(&strange.name)), quote(&strange.owner));
    Some(error(
        format!("{name} belongs to {owner}, and has what Sexton does not give it: {}", strange.strange.join(", ")),
        format!("look at it, since its code would run as others, drop that or {name}, and run sexton apply again"),
    ))
}

/// The schema belongs to a role that nothing else is known of, and that has applied itself.
pub(super) fn findings(subject: &Subject<'_>) -> Vec<Finding> {
    let survey = subject.survey;
    let is_known = !survey.has_own_schema || survey.is_taken_over() || is_trusted(subject, &survey.own_holder);
    let what = (!is_known).then(|| unknown(&quote(&survey.own_holder)));
    what.into_iter()
        .map(|what| finding(Level::Error, "schema-owner", what, Some(mend().to_owned()), Vec::new()))
        .collect()
}

fn unknown(holder: &str) -> String {
    format!(
        "it belongs to {holder}, which is neither a superuser nor the owner of the database or of a registered table, and may \
         replace what runs as others"
    )
}

fn mend() -> &'static str {
    "run sexton apply as a superuser, which takes it over"
}

/// What is to be done is not for whoever runs `apply` to do.
pub(super) fn barred(subject: &Subject<'_>) -> Option<Finding> {
    let survey = subject.survey;
    // Sexton's own login only says what is to be done: others carry it out.
    let is_barred =
        survey.has_own_schema && !survey.is_superuser && !survey.is_member && survey.asker != subject.own_role;
    is_barred.then(|| {
        let holder = quote(&survey.own_holder);
        let what = format!("it belongs to {holder}: {} cannot change what is in it", quote(&survey.asker));
        let mend = format!("run sexton apply as {holder} or as a superuser");
        finding(Level::Error, "schema-owner", what, Some(mend), Vec::new())
    })
}
