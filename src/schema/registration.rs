//! Whether the tables fit their sections: what is not there, and what live, mark and defaults come to.

use crate::schema::presume::missing_marker;
use crate::schema::situation::Scoped;
use crate::schema::survey::Column;
use crate::schema::{Answer, Finding, Level, Question, Situation, Step, Subject};
use crate::sql::ident::quote;
use crate::sql::lexer::{Kind, Token, lex};

/// A function that is not there, or not in the search path.
const UNDEFINED_FUNCTION: &str = "42883";

/// One finding for each of the registry's, which alone decides what is wrong; archives are [`super::objects::archive`]'s.
pub(crate) fn findings(situation: &Situation<'_>) -> Vec<Finding> {
    let own = situation.unfit.iter().filter(|unfit| !unfit.key.ends_with(": archive"));
    let unreadable = written(situation.subject).filter_map(|scoped| unreadable(situation, scoped));
    let unmarked = written(situation.subject).filter_map(|scoped| unmarked(situation, scoped));
    let stillborn = situation.subject.scoped().filter_map(|scoped| stillborn(situation, scoped));
    own.map(|unfit| finding(situation, unfit)).chain(unreadable).chain(unmarked).chain(stillborn).collect()
}

/// True for what keeps `apply` from doing anything: what a deletion should do to some table cannot be told, or would lose
/// something, and what the others' triggers do to its rows rests on that.
#[must_use]
pub fn blocks(finding: &Finding) -> bool {
    let is_about_sections =
        ["marker-column", "live-predicate", "mark", "visible-through", "table"].contains(&finding.kind);
    finding.level == Level::Error && finding.steps.is_empty() && is_about_sections
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

/// The columns that decide whether a row is live.
fn deciding(scoped: Scoped<'_>) -> Vec<&Column> {
    let mut names: Vec<&str> = scoped.live.columns().collect();
    names.sort_unstable();
    names.dedup();
    names.into_iter().filter_map(|name| scoped.table.column(name)).collect()
}

/// Whether a row is live, given the `value` of each column that decides it; `None` where that of one is not known. No
/// function is called by it that `live` and the values do not name, as that of a domain's CHECK: it would run as whoever asks.
fn living(scoped: Scoped<'_>, value: impl Fn(&Column) -> Option<String>) -> Option<Question> {
    let cast = |column: &Column| Some(format!("({})::{} AS {}", value(column)?, column.base_type, quote(&column.name)));
    let values: Option<Vec<String>> = deciding(scoped).into_iter().map(cast).collect();
    let (values, live) = (values?.join(", "), scoped.live.plain());
    Some(Question::new(format!("SELECT ({live}) IS TRUE FROM (SELECT {values}) AS one_row")))
}

/// What a column holds that nobody has set; `None` where it must be set.
fn unset(column: &Column) -> Option<String> {
    (!column.not_null).then(|| "NULL".to_owned())
}

/// Whether a row that is NULL elsewhere is live once a deletion has marked it: where the marks are constants, and no other
/// column that `live` reads is NOT NULL.
fn marking(scoped: Scoped<'_>) -> Option<Question> {
    let marks = &scoped.policy.marks;
    let marked = |column: &Column| match marks.iter().find(|mark| mark.column == column.name) {
        Some(mark) if mark.value.columns().next().is_some() => None,
        Some(mark) => Some(mark.value.plain()),
        None => unset(column),
    };
    living(scoped, marked).filter(|_| !marks.is_empty())
}

/// Words of a default that is a constant, or the time.
const PLAIN: &[&str] = &[
    "true",
    "false",
    "null",
    "now",
    "current_timestamp",
    "current_date",
    "localtimestamp",
    // In the names of their types.
    "text",
    "character",
    "varying",
    "boolean",
    "integer",
    "bigint",
    "smallint",
    "date",
    "timestamp",
    "with",
    "without",
    "time",
    "zone",
];

/// True for a default that calls nothing of anybody's own.
fn is_plain(default: &str) -> bool {
    let is_plain = |token: &Token| match token.kind {
        Kind::Word => PLAIN.contains(&&*default[token.start..token.end].to_ascii_lowercase()),
        Kind::String | Kind::Number | Kind::Typecast | Kind::Open | Kind::Close => true,
        _ => false,
    };
    lex(default.as_bytes(), true).is_ok_and(|tokens| tokens.iter().all(is_plain))
}

/// Whether a row is live that was inserted with the defaults of what decides it, where there are any.
fn inserting(scoped: Scoped<'_>) -> Option<Question> {
    let default = |column: &Column| match (column.generated || column.identity, &column.default) {
        (true, _) => None,
        (false, Some(default)) => is_plain(default).then(|| default.clone()),
        (false, None) => unset(column),
    };
    let has_default = deciding(scoped).iter().any(|column| column.default.is_some());
    living(scoped, default).filter(|_| has_default && scoped.policy.oid == scoped.table.oid)
}

/// What has to be asked: whether the server understands that SQL, whether a deletion deletes, and whether an INSERT does.
#[must_use]
pub(crate) fn questions(subject: Subject<'_>) -> Vec<Question> {
    let of_sections = written(subject).flat_map(|scoped| [Some(reading(scoped)), setting(scoped), marking(scoped)]);
    of_sections.chain(subject.scoped().map(inserting)).flatten().collect()
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

/// Defaults under which a new row is a deleted one.
fn stillborn(situation: &Situation<'_>, scoped: Scoped<'_>) -> Option<Finding> {
    let is_deleted = situation.answers.text(&inserting(scoped)?.sql) == Some("f");
    let default = |column: &Column| Some(format!("{} DEFAULT {}", quote(&column.name), column.default.as_ref()?));
    let defaults: Vec<String> = deciding(scoped).into_iter().filter_map(default).collect();
    is_deleted.then(|| Finding {
        level: Level::Warning,
        kind: "default",
        object: scoped.table.display(),
        what: format!("a row inserted with its defaults is a deleted one: {}", defaults.join(", ")),
        mend: Some(format!("ALTER TABLE {} … DROP DEFAULT, or another default", scoped.table.quoted())),
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
