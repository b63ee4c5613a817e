//! Schema `sexton`: its tables, and the functions that everything else and the rewritten statements call.

use crate::rewrite::policy::quote_name;
use crate::schema::objects::scene::{Scene, registered_name};
use crate::schema::survey::{Routine, Survey, Table, Trigger};
use crate::schema::{Finding, Level, Step};
use crate::sql::ident::{literal, quote};

/// A table of the schema: name, what it is for, DDL.
const TABLES: &[(&str, &str, &str)] = &[
    (
        "tables",
        "which tables have been registered, for the guard against unregistering them",
        include_str!("sql/tables.sql"),
    ),
    ("deletions", "the audit rows", include_str!("sql/deletions.sql")),
    ("nulled", "references that deletions have set to null or default", include_str!("sql/nulled.sql")),
    (
        "queue",
        "what a cascade has left to do inside one statement; empty between transactions",
        include_str!("sql/queue.sql"),
    ),
    ("exempt", "rows whose leaving is no deletion; empty between transactions", include_str!("sql/exempt.sql")),
];

/// A function of the schema: name, what it is for, DDL. Each that is not [`PRIVATE`] may be called by everybody.
const FUNCTIONS: &[(&str, &str, &str)] = &[
    ("event", "the event of a deletion", include_str!("sql/event.sql")),
    ("has_event", "whether this client message deletes through Sexton", include_str!("sql/has_event.sql")),
    ("tag", "tags in a statement's comments", include_str!("sql/tag.sql")),
    ("actor", "who deletes", include_str!("sql/actor.sql")),
    ("reason", "why", include_str!("sql/reason.sql")),
    ("caller", "the role that the client acts as", include_str!("sql/caller.sql")),
    ("fingerprint", "what statements of one shape share", include_str!("sql/fingerprint.sql")),
    ("shown_key", "a key as error details show it", include_str!("sql/shown_key.sql")),
    ("constraint_name", "a constraint's name between partitions", include_str!("sql/constraint_name.sql")),
    ("expect_partition", "the table that a trigger was made for", include_str!("sql/expect_partition.sql")),
    ("refuse_row_security", "the error where rows are hidden", include_str!("sql/refuse_row_security.sql")),
    ("refuse_key", "the error of a foreign key that is gone", include_str!("sql/refuse_key.sql")),
    ("refuse_absent", "the error of a row that points to none", include_str!("sql/refuse_absent.sql")),
    ("refuse_referenced", "the error of a row that others point to", include_str!("sql/refuse_referenced.sql")),
    ("take", "what is in the queue", include_str!("sql/take.sql")),
    ("drain_all", "does what cascades have left to do", include_str!("sql/drain_all.sql")),
    ("drain", "the same at the end of a statement", include_str!("sql/drain.sql")),
    ("drain_late", "the same at COMMIT", include_str!("sql/drain_late.sql")),
    ("settle", "gives a dead row its place back that nothing has taken", include_str!("sql/settle.sql")),
];

/// The functions that only triggers call: they run as their owner.
const PRIVATE: &[&str] = &["take", "drain_all", "drain", "drain_late", "settle"];

/// The triggers that do at COMMIT what no statement's end has done: name, which is its function's too, and table.
const LATE: &[(&str, &str)] = &[("drain_late", "queue"), ("settle", "exempt")];

fn late(name: &str, table: &str) -> String {
    format!(
        "DO $sexton$
BEGIN
    DROP TRIGGER IF EXISTS {name} ON sexton.{table};
    CREATE CONSTRAINT TRIGGER {name} AFTER INSERT ON sexton.{table} DEFERRABLE INITIALLY DEFERRED
        FOR EACH ROW EXECUTE FUNCTION sexton.{name}();
END
$sexton$"
    )
}

/// True where `name` is a function of the base.
pub(super) fn is_base_function(name: &str) -> bool {
    FUNCTIONS.iter().any(|(known, _, _)| *known == name)
}

/// Tables that are empty between transactions, and columns that the functions of this version write in them.
const PASSING: &[(&str, &[&str])] = &[("queue", &["txid", "relation"]), ("exempt", &["back"])];

/// The table is there, but as another version has made it.
fn is_outdated(survey: &Survey, name: &str) -> bool {
    let columns = PASSING.iter().find(|(passing, _)| *passing == name).map_or(&[][..], |(_, columns)| *columns);
    survey.find("sexton", name).is_some_and(|table| columns.iter().any(|column| table.column(column).is_none()))
}

/// Schema `sexton`, where it is missing or not of this version.
pub(super) fn findings(scene: &Scene<'_>) -> Vec<Finding> {
    let survey = scene.subject.survey;
    if scene.all().next().is_none() && !survey.has_own_schema {
        return Vec::new();
    }
    let mut steps = Vec::new();
    if !survey.has_own_schema {
        steps.push(Step::new("a place for what Sexton keeps in the database", "CREATE SCHEMA IF NOT EXISTS sexton"));
        steps.push(Step::new("everybody's statements call its functions", "GRANT USAGE ON SCHEMA sexton TO PUBLIC"));
    }
    let missing = |name: &str| survey.find("sexton", name).is_none();
    for (name, why, sql) in TABLES {
        if is_outdated(survey, name) {
            steps.push(Step::new("it is made anew; nothing is in it", format!("DROP TABLE IF EXISTS sexton.{name}")));
        }
        if missing(name) || is_outdated(survey, name) {
            steps.push(Step::new(*why, sql.trim_end()));
        }
    }
    let is_older = |table: &Table| table.columns.iter().all(|column| column.name != "oid");
    if survey.find("sexton", "tables").is_some_and(is_older) {
        let sql = "ALTER TABLE sexton.tables ADD COLUMN IF NOT EXISTS oid oid";
        steps.push(Step::new("a renamed table is found again", sql));
    }
    let role = quote(scene.subject.own_role);
    if missing("tables") {
        let sql = format!("GRANT SELECT, INSERT, UPDATE, DELETE ON sexton.tables TO {role}");
        steps.push(Step::new("`serve` notes there what it has registered", sql));
        steps.extend(records(scene));
    }
    for name in ["deletions", "nulled"].into_iter().filter(|name| missing(name)) {
        let sql = format!("GRANT SELECT, INSERT, DELETE ON sexton.{name} TO {role}");
        steps.push(Step::new("Sexton's own login restores and purges by it", sql));
    }
    steps.extend(functions(survey));
    for (name, table) in LATE {
        let is_late = |trigger: &Trigger| trigger.name == *name && trigger.function_schema == "sexton";
        if is_outdated(survey, table) || !survey.triggers.iter().any(is_late) {
            steps.push(Step::new("at COMMIT nothing is left to do", late(name, table)));
        }
    }
    if steps.is_empty() {
        return Vec::new();
    }
    let what = match survey.has_own_schema {
        false => {
            "without it, foreign keys, re-used keys and deletion events are not what a real DELETE would make of them"
        }
        true => "it is of another version of Sexton, or incomplete",
    };
    vec![Finding {
        level: Level::Warning,
        kind: "own-schema",
        object: "schema sexton".to_owned(),
        what: what.to_owned(),
        mend: None,
        steps,
    }]
}

/// The functions that are missing, of another version, or open to everybody without need.
fn functions(survey: &Survey) -> Vec<Step> {
    let mut steps = Vec::new();
    for (name, why, sql) in FUNCTIONS {
        let body = sql.split("$sexton$").nth(1);
        let is_private = PRIVATE.contains(name);
        let is_right =
            |own: &Routine| own.name == *name && Some(own.source.as_str()) == body && !(is_private && own.is_public);
        if !survey.own_routines.iter().any(is_right) {
            let create = sql.trim_end();
            steps.push(match is_private {
                // Nobody else may call it at any time.
                true => Step::new(
                    *why,
                    format!(
                        "DO $step$\nBEGIN\n{create};\nREVOKE ALL ON FUNCTION sexton.{name} FROM PUBLIC;\nEND\n$step$"
                    ),
                ),
                false => Step::new(*why, create),
            });
        }
    }
    steps
}

/// Notes in `sexton.tables` what is registered with a live predicate.
fn records(scene: &Scene<'_>) -> Vec<Step> {
    let registered = scene.all().filter(|kept| kept.table.oid == kept.policy.oid);
    let rows = registered.filter_map(|kept| {
        let live = kept.policy.live.as_ref()?.plain();
        let strategy = kept.policy.strategy.word();
        let archive = kept.settings.archive.as_ref().map_or("NULL".to_owned(), |archive| literal(&quote_name(archive)));
        let name = registered_name(&kept);
        let sql = format!(
            "INSERT INTO sexton.tables (relation, live, strategy, archive) VALUES ({}, {}, '{strategy}', {archive}) ON \
             CONFLICT (relation) DO UPDATE SET live = excluded.live, strategy = excluded.strategy, archive = \
             excluded.archive, recorded_at = pg_catalog.now()",
            literal(&name),
            literal(&live)
        );
        Some(Step::new(format!("{name} may hold deleted rows from now on"), sql))
    });
    rows.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rewrite::own_objects::OWN_TABLES;

    #[test]
    fn the_rewriter_knows_the_tables() {
        let mut names: Vec<&str> = TABLES.iter().map(|(name, ..)| *name).collect();
        names.sort_unstable();
        assert_eq!(names, OWN_TABLES);
    }
}
