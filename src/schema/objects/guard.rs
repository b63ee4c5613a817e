//! What stops a DELETE that did not come through Sexton: `sexton apply --guard`.

use crate::config::Strategy;
use crate::schema::objects::scene::{Kept, Scene, function_name};
use crate::schema::objects::wanted::{Returns, Wanted, Words, function};
use crate::sql::ident::literal;

/// The trigger's name.
const TRIGGER: &str = "sexton_guard";

/// The triggers, with the words for each: for all tables that keep rows, or only where they are already.
pub(super) fn wanted<'a>(scene: &Scene<'a>, with_guard: bool) -> Vec<(Wanted<'a>, Words)> {
    let survey = scene.subject.survey;
    let keeping = scene.all().filter(|kept| kept.policy.strategy != Strategy::Hard);
    let triggers = keeping.map(|kept| trigger(scene, &kept));
    triggers.filter(|(wanted, _)| with_guard || wanted.existing(survey).is_some()).collect()
}

fn trigger<'a>(scene: &Scene<'a>, kept: &Kept<'a>) -> (Wanted<'a>, Words) {
    let table = kept.table;
    let name = table.quoted();
    let message = literal(&format!("sexton: rows of {name} are deleted through Sexton only"));
    let body = format!(
        "BEGIN
    IF NOT sexton.has_event() THEN
        RAISE EXCEPTION USING ERRCODE = '42501', MESSAGE = {message},
            HINT = 'Connect through Sexton, or drop the trigger {TRIGGER} of the table.';
    END IF;
    RETURN OLD;
END"
    );
    let function_name = function_name(table, "guard");
    let wanted = Wanted::new(
        table,
        TRIGGER,
        "BEFORE DELETE",
        "FOR EACH ROW WHEN (pg_catalog.pg_trigger_depth() = 0)",
        vec![function(function_name, Returns::Trigger, &scene.search_path(&[]), &body)],
    );
    let what = "a DELETE past Sexton destroys rows that are to be kept".to_owned();
    (wanted, Words { kind: "guard", object: name, what })
}
