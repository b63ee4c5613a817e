//! Archive tables, and the trigger that fills them where a row leaves inside the server.
//!
//! A client's own DELETE is archived by its rewritten statement, which has begun an event. Whatever else takes a row is
//! not seen by the rewriter: a cascade, a live row that takes the key, a function. There a trigger archives it, one a
//! statement: its transition table has what was deleted, and not what an UPDATE has moved to another partition.

use crate::catalog::column_type::keeps;
use crate::config::{Strategy, TableName};
use crate::rewrite::policy::{Fault, archive_records, quote_name};
use crate::schema::objects::scene::{Kept, Scene};
use crate::schema::survey::{Column, Table};
use crate::schema::{Finding, Level, Step};
use crate::sql::ident::quote;

/// Archive tables that are missing or lack something, and the triggers that fill them.
pub(super) fn findings(scene: &Scene<'_>) -> Vec<Finding> {
    let mut findings: Vec<Finding> = Vec::new();
    for kept in scene.all() {
        let Some(name) = archive_name(&kept) else { continue };
        findings.extend(table_findings(scene, &kept, name));
    }
    findings
}

/// Where rows of the table go that leave it.
pub(super) fn archive_name<'a>(kept: &Kept<'a>) -> Option<&'a TableName> {
    kept.settings.archive.as_ref().filter(|_| kept.policy.strategy != Strategy::Hard)
}

/// The columns of the table that the archive must have, and those that record the deletion.
fn columns_wanted(table: &Table) -> Vec<(&str, &str)> {
    let own = table.columns.iter().map(|column| (column.name.as_str(), column.type_name.as_str()));
    own.chain(records(table).map(|(name, type_name): (&str, &str)| (name, type_name))).collect()
}

/// Those of them that the table has not.
pub(super) fn records(table: &Table) -> impl Iterator<Item = (&'static str, &'static str)> {
    archive_records().filter(move |(name, _)| table.column(name).is_none())
}

fn table_findings(scene: &Scene<'_>, kept: &Kept<'_>, name: &TableName) -> Vec<Finding> {
    let (table, archive) = (kept.table.quoted(), quote_name(name));
    let finding = |level, what: String, steps: Vec<Step>| Finding {
        level,
        kind: "archive",
        object: archive.clone(),
        what,
        mend: None,
        steps,
    };
    let level = if kept.policy.strategy == Strategy::Archive { Level::Error } else { Level::Warning };
    let Some(there) = scene.subject.survey.find(&name.schema, &name.relation) else {
        return vec![finding(level, format!("rows that leave {table} have nowhere to go"), create(kept.table, name))];
    };
    let mut findings: Vec<Finding> = stranger(scene, kept, there, &archive).into_iter().collect();
    let mut missing = Vec::new();
    for (column, type_name) in columns_wanted(kept.table) {
        match there.column(column) {
            None => missing.push((column, type_name)),
            Some(archived) => {
                findings.extend(other_type(kept, there, archived, type_name));
                findings.extend(not_null(kept, there, archived, &archive));
            }
        }
    }
    let (own, recorded): (Vec<_>, Vec<_>) =
        missing.into_iter().partition(|(name, _)| kept.table.column(name).is_some());
    let lost = format!("a deletion from {table} would lose that, so it fails");
    let unsaid =
        format!("a DELETE from {table} does not record that, and what is archived inside the server needs it (42703)");
    for (level, missing, what) in [(level, own, lost), (Level::Warning, recorded, unsaid)] {
        findings.extend(lacking(kept, there, &missing).map(|(names, mend, steps)| Finding {
            mend,
            ..finding(level, format!("it lacks {names}: {what}"), steps)
        }));
    }
    findings.extend(unique(scene, there, &archive));
    let is_said = kept.policy.oid != kept.table.oid || findings.iter().any(|found| found.level == level);
    findings.extend(kept.policy.fault.as_ref().filter(|_| !is_said).map(|fault| unfit(kept, fault)));
    findings
}

/// What nothing else here says of an archive that does not fit.
fn unfit(kept: &Kept<'_>, fault: &Fault) -> Finding {
    Finding {
        level: Level::Error,
        kind: "table",
        object: kept.table.display(),
        what: fault.message.clone(),
        mend: Some(fault.mend.clone()),
        steps: Vec::new(),
    }
}

/// The names of the columns that are `missing`, and what adds them, in words where no step can; `None` where none is.
fn lacking(kept: &Kept<'_>, there: &Table, missing: &[(&str, &str)]) -> Option<(String, Option<String>, Vec<Step>)> {
    let archive = there.quoted();
    let names: Vec<&str> = missing.iter().map(|(column, _)| *column).collect();
    let add = |(column, type_name): &(&str, &str)| {
        let sql = format!("ALTER TABLE {archive} ADD COLUMN IF NOT EXISTS {} {type_name}", quote(column));
        Step::new(format!("{archive} keeps what {} has", kept.table.quoted()), sql)
    };
    let (mend, steps) = match there.kind {
        'f' => (Some(format!("add the columns where the foreign table {archive} lives, and to it")), Vec::new()),
        _ => (None, missing.iter().map(add).collect()),
    };
    (!missing.is_empty()).then(|| (names.join(", "), mend, steps))
}

/// Whoever owns the archive reads what is in it, and its triggers run as the owner of schema `sexton`.
fn stranger(scene: &Scene<'_>, kept: &Kept<'_>, there: &Table, archive: &str) -> Option<Finding> {
    let (survey, owner) = (scene.subject.survey, &there.owner);
    if *owner == survey.own_owner || survey.superusers.contains(owner) {
        return None;
    }
    let table = kept.table.quoted();
    let what =
        format!("it belongs to {}: rows that a cascade takes from {table} do not go there (42501)", quote(owner));
    let mend = format!("ALTER TABLE {archive} OWNER TO {}", quote(&survey.own_owner));
    let object = archive.to_owned();
    Some(Finding { level: Level::Error, kind: "archive", object, what, mend: Some(mend), steps: Vec::new() })
}

fn create(table: &Table, name: &TableName) -> Vec<Step> {
    let (archive, schema) = (quote_name(name), quote(&name.schema));
    let own: Vec<String> = table.columns.iter().map(|column| quote(&column.name)).collect();
    let records = records(table).map(|(column, type_name)| format!("NULL::{type_name} AS {column}"));
    let columns: Vec<String> = own.into_iter().chain(records).collect();
    let sql = format!(
        "CREATE TABLE IF NOT EXISTS {archive} AS SELECT {} FROM {} WITH NO DATA",
        columns.join(", "),
        table.quoted()
    );
    let mut steps = Vec::new();
    if name.schema != table.schema {
        steps.push(Step::new("the archive's schema", format!("CREATE SCHEMA IF NOT EXISTS {schema}")));
    }
    steps.push(Step::new(format!("where rows of {} go", table.quoted()), sql));
    steps
}

/// A step may give the column `archived` of the archive `there` that type: what is in it already loses nothing.
pub(super) fn widens(there: &Table, archived: &Column, type_name: &str) -> bool {
    there.kind != 'f' && keeps(type_name, &archived.type_name)
}

/// What a deletion assigns to the archive's column `archived` is of type `type_name`, of the table's own columns or one that
/// records the deletion; `None` where nothing of it is lost there.
fn other_type(kept: &Kept<'_>, there: &Table, archived: &Column, type_name: &str) -> Option<Finding> {
    if keeps(&archived.type_name, type_name) {
        return None;
    }
    let (archive, column) = (there.quoted(), quote(&archived.name));
    let alter = format!("ALTER TABLE {archive} ALTER COLUMN {column} TYPE");
    let widens = widens(there, archived, type_name);
    let is_own = kept.table.column(&archived.name).is_some();
    Some(Finding {
        level: if is_own { Level::Error } else { Level::Warning },
        kind: "archive",
        object: archive,
        what: format!(
            "its {column} is of type {}, which does not keep every value of {type_name}, {}",
            archived.type_name,
            match is_own {
                true => format!("the type in {}", kept.table.quoted()),
                false => "which a deletion writes there".to_owned(),
            }
        ),
        mend: (!widens).then(|| format!("give it by hand a type that keeps every value of both: {alter} …")),
        steps: match widens {
            true => vec![Step::new(
                format!("{} loses nothing when it is archived", kept.table.quoted()),
                format!("{alter} {type_name}"),
            )],
            false => Vec::new(),
        },
    })
}

fn not_null(kept: &Kept<'_>, archive: &Table, archived: &Column, name: &str) -> Option<Finding> {
    let may_be_null = kept.table.column(&archived.name).is_some_and(|column| !column.not_null);
    if !archived.not_null || !may_be_null || archive.kind == 'f' {
        return None;
    }
    let column = quote(&archived.name);
    Some(Finding {
        level: Level::Warning,
        kind: "archive",
        object: name.to_owned(),
        what: format!(
            "its {column} is NOT NULL, that of {} is not: such a row cannot be archived",
            kept.table.quoted()
        ),
        mend: None,
        steps: vec![Step::new(
            "a row without a value can be archived",
            format!("ALTER TABLE {name} ALTER COLUMN {column} DROP NOT NULL"),
        )],
    })
}

/// A key that is used, deleted and used again comes to the archive twice.
fn unique(scene: &Scene<'_>, archive: &Table, name: &str) -> Vec<Finding> {
    let unique = scene.subject.survey.indexes.iter().filter(|index| index.table == archive.oid && index.is_unique);
    let found = unique.map(|index| Finding {
        level: Level::Warning,
        kind: "archive",
        object: name.to_owned(),
        what: format!("its unique index {} stops the second deletion of a key that was used again", quote(&index.name)),
        mend: Some(match index.is_constraint {
            true => format!("ALTER TABLE {name} DROP CONSTRAINT {}", quote(&index.name)),
            false => format!("DROP INDEX {}.{}", quote(&archive.schema), quote(&index.name)),
        }),
        steps: Vec::new(),
    });
    found.collect()
}
