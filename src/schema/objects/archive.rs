//! Archive tables, and the trigger that fills them where a row leaves inside the server.
//!
//! A client's own DELETE is archived by its rewritten statement. A row that leaves by a cascade, or because a live row
//! takes its key, is not seen by the rewriter: an AFTER DELETE trigger archives it, at any depth but the client's own.

use crate::config::{Strategy, TableName};
use crate::rewrite::policy::quote_name;
use crate::schema::objects::scene::{Kept, Scene, function_name, literal, names, qualified};
use crate::schema::objects::wanted::{Returns, Wanted, Words, function};
use crate::schema::survey::{Action, Column, Table};
use crate::schema::{Finding, Level, Step, Subject};
use crate::sql::ident::quote;

/// Columns that an archive has beside its table's own: name, type, and what fills it in a trigger.
const RECORDS: &[(&str, &str, &str)] = &[
    ("archived_at", "timestamp with time zone", "now()"),
    ("archived_by", "text", "sexton.actor()"),
    ("archive_reason", "text", "sexton.reason()"),
    ("archive_txid", "bigint", "pg_current_xact_id()::text::bigint"),
    ("deletion_id", "uuid", "sexton.event(false)"),
];

/// The trigger's name.
const TRIGGER: &str = "sexton_archive";

/// Archive tables that are missing or lack something, and the triggers that fill them.
#[must_use]
pub fn findings(subject: &Subject<'_>) -> Vec<Finding> {
    let scene = Scene::new(subject);
    let mut findings: Vec<Finding> = Vec::new();
    for kept in scene.all() {
        let Some(name) = archive_name(&kept) else { continue };
        findings.extend(table_findings(&scene, &kept, name));
    }
    findings
}

/// The triggers, with the words for each.
pub(super) fn wanted<'a>(scene: &Scene<'a>) -> Vec<(Wanted<'a>, Words)> {
    scene.all().filter_map(|kept| trigger(scene, &kept)).collect()
}

/// Where rows of the table go that leave it.
pub(super) fn archive_name<'a>(kept: &Kept<'a>) -> Option<&'a TableName> {
    kept.settings.archive.as_ref().filter(|_| kept.policy.strategy != Strategy::Hard)
}

/// The columns of the table that the archive must have, and those that record the deletion.
fn columns_wanted(table: &Table) -> Vec<(&str, &str)> {
    let own = table.columns.iter().map(|column| (column.name.as_str(), column.type_name.as_str()));
    own.chain(records(table).map(|(name, type_name, _)| (name, type_name))).collect()
}

fn records(table: &Table) -> impl Iterator<Item = (&'static str, &'static str, &'static str)> {
    RECORDS.iter().copied().filter(|(name, _, _)| table.column(name).is_none())
}

fn table_findings(scene: &Scene<'_>, kept: &Kept<'_>, name: &TableName) -> Vec<Finding> {
    let (table, archive) = (qualified(kept.table), quote_name(name));
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
    let mut findings = Vec::new();
    let mut missing = Vec::new();
    for (column, type_name) in columns_wanted(kept.table) {
        match there.column(column) {
            None => missing.push((column, type_name)),
            Some(archived) if archived.type_name != type_name => {
                findings.push(changed_type(kept, name, archived, type_name));
            }
            Some(archived) => findings.extend(not_null(kept, there, archived, &archive)),
        }
    }
    if !missing.is_empty() {
        let columns: Vec<&str> = missing.iter().map(|(column, _)| *column).collect();
        let what = format!("it lacks {}: a deletion from {table} would lose that, so it fails", columns.join(", "));
        let add = |(column, type_name): &(&str, &str)| {
            let sql = format!("ALTER TABLE {archive} ADD COLUMN IF NOT EXISTS {} {type_name}", quote(column));
            Step::new(format!("{archive} keeps what {table} has"), sql)
        };
        let steps = if there.kind == 'f' { Vec::new() } else { missing.iter().map(add).collect() };
        let mut found = finding(level, what, steps);
        if there.kind == 'f' {
            found.mend = Some(format!("add the columns where the foreign table {archive} lives, and to it"));
        }
        findings.push(found);
    }
    findings.extend(unique(scene, there, &archive));
    findings
}

fn create(table: &Table, name: &TableName) -> Vec<Step> {
    let (archive, schema) = (quote_name(name), quote(&name.schema));
    let own: Vec<String> = table.columns.iter().map(|column| quote(&column.name)).collect();
    let records = records(table).map(|(column, type_name, _)| format!("NULL::{type_name} AS {column}"));
    let columns: Vec<String> = own.into_iter().chain(records).collect();
    let sql = format!(
        "CREATE TABLE IF NOT EXISTS {archive} AS SELECT {} FROM {} WITH NO DATA",
        columns.join(", "),
        qualified(table)
    );
    let mut steps = Vec::new();
    if name.schema != table.schema {
        steps.push(Step::new("the archive's schema", format!("CREATE SCHEMA IF NOT EXISTS {schema}")));
    }
    steps.push(Step::new(format!("where rows of {} go", qualified(table)), sql));
    steps
}

fn changed_type(kept: &Kept<'_>, name: &TableName, archived: &Column, type_name: &str) -> Finding {
    let (table, archive, column) = (qualified(kept.table), quote_name(name), quote(&archived.name));
    let sql = format!("ALTER TABLE {archive} ALTER COLUMN {column} TYPE {type_name} USING {column}::{type_name}");
    Finding {
        level: Level::Warning,
        kind: "archive",
        object: archive.clone(),
        what: format!(
            "its {column} is of type {}, that of {table} is {type_name}: a value may not fit",
            archived.type_name
        ),
        mend: None,
        steps: vec![Step::new(format!("{archive} keeps what {table} has"), sql)],
    }
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
            qualified(kept.table)
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

fn trigger<'a>(scene: &Scene<'a>, kept: &Kept<'a>) -> Option<(Wanted<'a>, Words)> {
    let body = match archive_name(kept) {
        Some(name) => archiving(kept, name),
        // Nothing keeps the row, and nothing but a cascade takes it.
        None if kept.policy.strategy == Strategy::Soft && leaves_by_cascade(scene, kept.table) => refusing(kept),
        None => return None,
    };
    let table = kept.table;
    let function_name = function_name(table, "archive");
    let path = scene.search_path(&[table]);
    let wanted = Wanted {
        table,
        name: TRIGGER.to_owned(),
        create: "CREATE TRIGGER",
        event: "AFTER DELETE".to_owned(),
        clauses: "FOR EACH ROW WHEN (pg_catalog.pg_trigger_depth() > 0)".to_owned(),
        functions: vec![function(function_name.clone(), Returns::Trigger, &path, &body)],
        function: function_name,
    };
    let what = "a row that a cascade deletes would be lost".to_owned();
    Some((wanted, Words { kind: "archive-trigger", object: qualified(table), what }))
}

/// A foreign key with ON DELETE CASCADE takes its rows, and the row it points to may really leave.
fn leaves_by_cascade(scene: &Scene<'_>, table: &Table) -> bool {
    scene.references().any(|reference| {
        reference.child.table.oid == table.oid
            && reference.key.on_delete == Action::Cascade
            && reference.parent.kept.is_none_or(|parent| parent.policy.strategy != Strategy::Soft)
    })
}

/// Rows that are removed on purpose, and those of a deletion that is only tried, are not archived.
const EXEMPT: &str = "    IF current_setting('sexton.unkept', true) = 'on' THEN
        RETURN NULL;
    END IF;";

fn refusing(kept: &Kept<'_>) -> String {
    let table = qualified(kept.table);
    let message = literal(&format!("sexton: a cascade would destroy a row of {table}"));
    let hint = literal(&format!("Name an archive for {table} in the configuration, and run sexton apply."));
    format!(
        "BEGIN\n{EXEMPT}\n    RAISE EXCEPTION USING ERRCODE = '0A000', MESSAGE = {message},\n        DETAIL = 'Deleted \
         rows of the table are to be kept, and it has no archive.',\n        HINT = {hint};\nEND"
    )
}

/// The column list is static. A table that has other columns by now takes a slower way, by the names it has.
fn archiving(kept: &Kept<'_>, name: &TableName) -> String {
    let table = kept.table;
    let archive = quote_name(name);
    let mut sorted: Vec<String> = table.columns.iter().map(|column| column.name.clone()).collect();
    sorted.sort_unstable();
    let columns: Vec<String> = table.columns.iter().map(|column| quote(&column.name)).collect();
    let values = table.columns.iter().map(|column| match column.name.as_str() {
        "deletion_id" => "coalesce(OLD.deletion_id, sexton.event(false))".to_owned(),
        name => format!("OLD.{}", quote(name)),
    });
    let values: Vec<String> = values.chain(records(table).map(|(_, _, value)| value.to_owned())).collect();
    let record_names: Vec<&str> = records(table).map(|(name, _, _)| name).collect();
    let all = columns.iter().cloned().chain(record_names.iter().map(|name| (*name).to_owned()));
    let insert =
        format!("INSERT INTO {archive} ({}) VALUES ({})", all.collect::<Vec<_>>().join(", "), values.join(", "));
    let record_values: Vec<&str> = records(table).map(|(_, _, value)| value).collect();
    let extra_names: String = record_names.iter().map(|name| format!(", {name}")).collect();
    let extra_values: String = record_values.iter().map(|value| format!(", {value}")).collect();
    format!(
        "DECLARE
    here constant text[] := ARRAY(
        SELECT attname::text FROM pg_attribute WHERE attrelid = TG_RELID AND attnum > 0 AND NOT attisdropped
        ORDER BY attname COLLATE \"C\");
    lacking text;
BEGIN
{EXEMPT}
    IF here = {} THEN
        {insert};
        RETURN NULL;
    END IF;
    SELECT string_agg(column_name, ', ') INTO lacking FROM unnest(here) AS column_name WHERE NOT EXISTS (
        SELECT FROM pg_attribute WHERE attrelid = {}::regclass AND attname = column_name AND NOT attisdropped);
    IF lacking IS NOT NULL THEN
        RAISE EXCEPTION USING ERRCODE = '42703',
            MESSAGE = format({}, lacking),
            HINT = 'Run sexton apply, which adds it.';
    END IF;
    EXECUTE format('INSERT INTO %s (%s{extra_names}) SELECT %s{}', {},
        (SELECT string_agg(quote_ident(column_name), ', ') FROM unnest(here) AS column_name),
        (SELECT string_agg(CASE column_name
            WHEN 'deletion_id' THEN 'coalesce(($1).deletion_id, sexton.event(false))'
            ELSE '($1).' || quote_ident(column_name) END, ', ') FROM unnest(here) AS column_name)) USING OLD;
    RETURN NULL;
END",
        names(&sorted),
        literal(&archive),
        literal(&format!("sexton: the archive table {} lacks the column(s) %s", archive.replace('%', "%%"))),
        extra_values.replace('\'', "''"),
        literal(&archive),
    )
}
