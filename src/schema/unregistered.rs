//! Tables with deleted rows that every query sees: nobody registered them, or their section does not say what lives.

use crate::schema::finding::with_commas;
use crate::schema::survey::{Column, Table};
use crate::schema::{Answer, Finding, Level, Question, Situation, Subject};
use crate::sql::ident::quote;

/// Names of columns by which applications mark deleted rows, in lower case and without underscores.
const MARKERS: &[&str] = &[
    "deletedat",
    "deletedon",
    "datedeleted",
    "deletedtime",
    "deletiontime",
    "deletedate",
    "archivedat",
    "discardedat",
    "removedat",
    "trashedat",
    "isdeleted",
    "deleted",
    "softdeleted",
    "isdiscarded",
    "discarded",
    "istrashed",
    "trashed",
    "isremoved",
    "removed",
    "isarchived",
    "archived",
];

/// The marker-like columns of tables that no live predicate covers, each with the condition for a deleted row.
fn candidates<'a>(subject: Subject<'a>) -> impl Iterator<Item = (&'a Table, &'a Column, String)> {
    let archives: Vec<&Table> = subject
        .database
        .tables
        .iter()
        .filter_map(|table| table.archive.as_ref())
        .filter_map(|archive| subject.survey.find(&archive.schema, &archive.relation))
        .collect();
    let tables = subject.survey.tables.iter().filter(move |table| {
        let is_scoped = subject.policy_of(table).is_some_and(|policy| policy.live.is_some());
        let is_archive = archives.iter().any(|archive| archive.oid == table.oid);
        !is_scoped && !is_archive && !table.is_partition && table.schema != "sexton" && table.kind != 'f'
    });
    tables.filter_map(|table| {
        let marked = table.columns.iter().find_map(|column| {
            let name = column.name.to_ascii_lowercase().replace('_', "");
            if !MARKERS.contains(&name.as_str()) {
                return None;
            }
            let name = quote(&column.name);
            match column.type_name.split('(').next()?.trim() {
                "boolean" => Some((column, name)),
                "date" => Some((column, format!("{name} IS NOT NULL"))),
                other if other.starts_with("timestamp") => Some((column, format!("{name} IS NOT NULL"))),
                _ => None,
            }
        });
        marked.map(|(column, deleted)| (table, column, deleted))
    })
}

fn question(table: &Table, deleted: &str) -> Question {
    Question::of_rows(&format!("FROM {} WHERE {deleted}", table.quoted()))
}

/// Whether there are such rows, and how many.
#[must_use]
pub(crate) fn questions(subject: Subject<'_>) -> Vec<Question> {
    candidates(subject).map(|(table, _, deleted)| question(table, &deleted)).collect()
}

/// One finding for each table with such rows.
pub(crate) fn findings(situation: &Situation<'_>) -> Vec<Finding> {
    let subject = situation.subject;
    let found = candidates(subject).filter_map(|(table, column, deleted)| {
        let question = question(table, &deleted);
        let count = question.then.as_ref().and_then(|count| situation.answers.get(count));
        let registered = subject
            .database
            .tables
            .iter()
            .find(|known| (&known.name.schema, &known.name.relation) == (&table.schema, &table.name));
        let (level, mend) = match registered {
            Some(_) => (
                Level::Error,
                format!(
                    "add to the configuration:\n{}\ncolumn = \"{}\"",
                    situation.section_of(&table.schema, &table.name),
                    column.name
                ),
            ),
            None => (
                Level::Warning,
                format!(
                    "add to the configuration:\n{}\ndelete = \"soft\"\ncolumn = \"{}\"",
                    situation.section_of(&table.schema, &table.name),
                    column.name
                ),
            ),
        };
        let (level, what) = match (situation.answers.get(&question.sql)?, count) {
            (Answer::Text(exists), count) if exists == "t" => {
                let count = match count {
                    Some(Answer::Text(count)) => with_commas(count),
                    _ if table.rows_estimate > 0 => {
                        format!("some of about {}", with_commas(&table.rows_estimate.to_string()))
                    }
                    _ => "some".to_owned(),
                };
                (
                    level,
                    match count.as_str() {
                        "1" => format!("1 row is marked in {}, and every query sees it", quote(&column.name)),
                        _ => format!("{count} rows are marked in {}, and every query sees them", quote(&column.name)),
                    },
                )
            }
            (Answer::Text(_), _) => return None,
            _ => {
                let silence = situation.answers.silence(&question.sql, subject.own_role)?;
                (Level::Note, format!("whether rows are marked in {} {silence}", quote(&column.name)))
            }
        };
        Some(Finding {
            level,
            kind: "unregistered",
            object: table.display(),
            what,
            mend: Some(mend),
            steps: Vec::new(),
        })
    });
    found.collect()
}
