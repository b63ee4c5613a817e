//! What stops a DELETE or TRUNCATE that did not come through Sexton: `sexton apply --guard`.

use crate::config::{Strategy, Truncate};
use crate::schema::objects::scene::{Kept, Scene, function_name};
use crate::schema::objects::wanted::{Returns, Wanted, Words, function};
use crate::schema::survey::Trigger;
use crate::sql::ident::literal;

/// The trigger that sees rows leave.
const ON_DELETE: &str = "sexton_guard";

/// The trigger that sees all of them leave.
const ON_TRUNCATE: &str = "sexton_guard_truncate";

/// The triggers, with the words for each: for all tables that keep rows, or only where they are already.
pub(super) fn wanted<'a>(scene: &Scene<'a>, with_guard: bool) -> Vec<(Wanted<'a>, Words)> {
    let survey = scene.subject.survey;
    let is_wanted = |kept: &Kept<'a>| {
        let table = scene.registered(kept).oid;
        let is_guard = |trigger: &Trigger| trigger.name == ON_DELETE && trigger.table == table;
        kept.policy.strategy != Strategy::Hard && (with_guard || survey.triggers.iter().any(is_guard))
    };
    let deletes = scene.all().filter(is_wanted).map(|kept| {
        let clauses = "FOR EACH ROW WHEN (pg_catalog.pg_trigger_depth() = 0)";
        trigger(scene, &kept, (ON_DELETE, "BEFORE DELETE", clauses), "DELETE")
    });
    // A statement may name a partition, and fires its statement triggers only. Foreign ones have none of these before 16.
    let named = survey.tables.iter().filter(|table| table.kind != 'f').filter_map(|table| scene.kept(table));
    let truncates = named.filter(|kept| kept.policy.truncate != Truncate::Pass && is_wanted(kept)).map(|kept| {
        let clauses = "FOR EACH STATEMENT WHEN (pg_catalog.pg_trigger_depth() = 0)";
        trigger(scene, &kept, (ON_TRUNCATE, "BEFORE TRUNCATE", clauses), "TRUNCATE")
    });
    deletes.chain(truncates).collect()
}

fn trigger<'a>(
    scene: &Scene<'a>,
    kept: &Kept<'a>,
    (name, event, clauses): (&str, &str, &str),
    verb: &str,
) -> (Wanted<'a>, Words) {
    let table = kept.table;
    let object = table.quoted();
    let message = literal(&format!("sexton: rows of {object} are deleted through Sexton only"));
    let body = format!(
        "BEGIN
    IF NOT sexton.has_event() THEN
        RAISE EXCEPTION USING ERRCODE = '42501', MESSAGE = {message},
            HINT = 'Connect through Sexton, or drop the trigger {name} of the table.';
    END IF;
    RETURN OLD;
END"
    );
    let short = if name == ON_DELETE { "guard" } else { "guard_truncate" };
    let functions = vec![function(function_name(table, short), Returns::Trigger, &scene.search_path(&[]), &body)];
    let wanted = Wanted::new(table, name, event, clauses, functions);
    let what = format!("a {verb} past Sexton destroys rows that are to be kept");
    (wanted, Words { kind: "guard", object, what })
}
