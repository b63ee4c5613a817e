//! `audit = true`: each statement that deletes adds a row to `sexton.deletions`, in its transaction.
//!
//! Statement triggers with transition tables see what the statement has done: rows that an UPDATE has turned dead, rows
//! that a DELETE has taken. A cascade's statements are statements like others, under the same event.

use crate::schema::objects::exempt::stays;
use crate::schema::objects::keys::{identity, key_object};
use crate::schema::objects::scene::{Kept, Scene, function_name};
use crate::schema::objects::wanted::{Returns, Wanted, Words, function};
use crate::sql::ident::{literal, quote};

/// How many keys a row of the audit holds at most. A deletion of more has none there: the server's limit for a value is
/// some millions, and long before that the audit costs more than the deletion.
const KEYS_MAX: u32 = 10_000;

/// The trigger that sees real deletions.
const ON_DELETE: &str = "sexton_audit_delete";

/// The trigger that sees marks.
const ON_UPDATE: &str = "sexton_audit_update";

/// The triggers, with the words for each.
pub(super) fn wanted<'a>(scene: &Scene<'a>) -> Vec<(Wanted<'a>, Words)> {
    // A statement may name a partition, and fires its statement triggers only. Foreign ones have no transition tables.
    let tables = scene.subject.survey.tables.iter().filter(|table| !(table.is_partition && table.kind == 'f'));
    let audited = tables.filter_map(|table| scene.kept(table)).filter(|kept| kept.settings.audit);
    audited.flat_map(|kept| [Some(deletes(scene, &kept)), marks(scene, &kept)]).flatten().collect()
}

fn deletes<'a>(scene: &Scene<'a>, kept: &Kept<'a>) -> (Wanted<'a>, Words) {
    let key = key_object(scene.subject.survey, kept.table, "o");
    // A row that was dead before it left has been deleted, and recorded, before.
    let action = match kept.dead("o") {
        Some(dead) => format!("CASE WHEN pg_trigger_depth() > 1 AND {dead} THEN 'SUPERSEDE' ELSE 'DELETE' END"),
        None => "'DELETE'".to_owned(),
    };
    let gone = format!("SELECT {action} AS action, {key} AS key FROM gone AS o WHERE {}", stays(scene, kept, "o"));
    let clauses = "REFERENCING OLD TABLE AS gone FOR EACH STATEMENT";
    trigger(scene, kept, (ON_DELETE, "AFTER DELETE", clauses, "ad"), &insert(scene, kept, &gone))
}

fn marks<'a>(scene: &Scene<'a>, kept: &Kept<'a>) -> Option<(Wanted<'a>, Words)> {
    let (was, is) = (kept.live("o")?, kept.dead("n")?);
    let columns = identity(scene.subject.survey, kept.table);
    let marked = match columns {
        Some(columns) => {
            let same: Vec<String> = columns.iter().map(|column| format!("o.{0} = n.{0}", quote(column))).collect();
            format!(
                "SELECT 'DELETE' AS action, {} AS key FROM gone AS o JOIN marked AS n ON {} WHERE {was} AND {is}",
                key_object(scene.subject.survey, kept.table, "o"),
                same.join(" AND ")
            )
        }
        // Without a key the rows cannot be paired: as many are dead now as were not before.
        None => format!(
            "SELECT 'DELETE' AS action, {} AS key FROM marked AS n WHERE {is} LIMIT greatest(0,
            (SELECT count(*) FROM marked AS n WHERE {is}) - (SELECT count(*) FROM gone AS o WHERE NOT {was}))",
            key_object(scene.subject.survey, kept.table, "n")
        ),
    };
    let clauses = "REFERENCING OLD TABLE AS gone NEW TABLE AS marked FOR EACH STATEMENT";
    Some(trigger(scene, kept, (ON_UPDATE, "AFTER UPDATE", clauses, "au"), &insert(scene, kept, &marked)))
}

/// The rows of the audit, over the actions and keys that `rows` gives.
fn insert(scene: &Scene<'_>, kept: &Kept<'_>, rows: &str) -> String {
    format!(
        "BEGIN
    INSERT INTO sexton.deletions (event, actor, role, application_name, client_address, relation, action, rows, keys,
        reason, fingerprint, trace, txid)
    SELECT CASE action WHEN 'DELETE' THEN sexton.event(false) ELSE gen_random_uuid() END, sexton.actor(), sexton.caller(),
        current_setting('application_name'), inet_client_addr(), {}, action, rows, CASE WHEN all_rows <= {KEYS_MAX} THEN keys END,
        sexton.reason(), sexton.fingerprint(), sexton.tag('traceparent'), pg_current_xact_id()::text::bigint
    FROM (
        SELECT action, count(*) AS rows, jsonb_agg(key) FILTER (WHERE place <= {KEYS_MAX}) AS keys,
            sum(count(*)) OVER () AS all_rows
        FROM (SELECT action, key, row_number() OVER () AS place FROM ({rows}) AS deleted) AS placed
        GROUP BY action) AS found;
    RETURN NULL;
END",
        literal(&scene.registered(kept).quoted())
    )
}

fn trigger<'a>(
    scene: &Scene<'a>,
    kept: &Kept<'a>,
    (name, event, clauses, short): (&str, &str, &str, &str),
    body: &str,
) -> (Wanted<'a>, Words) {
    let table = kept.table;
    let function_name = function_name(table, short);
    let wanted = Wanted::new(
        table,
        name,
        event,
        clauses,
        vec![function(function_name, Returns::Trigger, &scene.search_path(&[table]), body)],
    );
    let what = "deletions from it are not recorded".to_owned();
    (wanted, Words { kind: "audit", object: table.quoted(), what })
}
