//! Schema `sexton`: its tables, and the functions that everything else and the rewritten statements call.

use crate::rewrite::policy::quote_name;
use crate::schema::objects::routines::{self, enclosing};
use crate::schema::objects::scene::{Scene, registered_name};
use crate::schema::objects::{keeper, tables};
use crate::schema::survey::{Survey, Trigger};
use crate::schema::{Finding, Step};
use crate::sql::ident::literal;

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

/// Schema `sexton`, where it is missing, not of this version, or somebody else's.
pub(super) fn findings(scene: &Scene<'_>) -> Vec<Finding> {
    let (subject, survey) = (scene.subject, scene.subject.survey);
    if scene.all().next().is_none() && !survey.has_own_schema {
        return Vec::new();
    }
    let mut steps = schema(survey);
    steps.extend(tables::steps(subject));
    if survey.find("sexton", "tables").is_none() {
        steps.extend(records(scene));
    }
    steps.extend(routines::others(survey));
    for (name, table) in LATE {
        let is_late = |trigger: &Trigger| trigger.name == *name && trigger.function_schema == "sexton";
        if tables::is_outdated(survey, table) || !survey.triggers.iter().any(is_late) {
            steps.push(Step::new("at COMMIT nothing is left to do", late(name, table)));
        }
    }
    let own = (!steps.is_empty()).then(|| keeper::own_schema(subject, steps));
    own.into_iter().chain(tables::findings(subject)).collect()
}

/// The schema, whose it is, and who may create objects in it; and the function that sees to that.
fn schema(survey: &Survey) -> Vec<Step> {
    let mut steps = Vec::new();
    let is_taken = survey.is_taken_over();
    if !survey.has_own_schema {
        steps.push(Step::new("a place for what Sexton keeps in the database", "CREATE SCHEMA IF NOT EXISTS sexton"));
    }
    if is_taken {
        steps.push(Step::new("whoever owns it may replace what is in it", "ALTER SCHEMA sexton OWNER TO CURRENT_USER"));
    }
    steps.extend(routines::first(survey));
    if !survey.has_own_schema || is_taken || !survey.own_creators.is_empty() {
        let enclose = format!("DO $step$\nBEGIN\n{}\nEND\n$step$", enclosing("pg_namespace", "sexton"));
        steps.push(Step::new("nobody else may create anything in it", enclose));
        steps.push(Step::new("everybody's statements call its functions", "GRANT USAGE ON SCHEMA sexton TO PUBLIC"));
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
