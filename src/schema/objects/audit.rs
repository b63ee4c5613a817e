//! `audit = true`: each statement that deletes adds a row to `sexton.deletions`, in its transaction.
//!
//! Statement triggers with transition tables see what the statement has done: rows that an UPDATE has turned dead, rows
//! that a DELETE has taken. A cascade's statements are statements like others, under the same event.

use crate::schema::objects::keys::{identity, key_object};
use crate::schema::objects::scene::{Kept, Scene, function_name, literal, qualified};
use crate::schema::objects::wanted::{Returns, Wanted, Words, function};
use crate::sql::ident::quote;

/// The trigger that sees real deletions.
const ON_DELETE: &str = "sexton_audit_delete";

/// The trigger that sees marks.
const ON_UPDATE: &str = "sexton_audit_update";

/// The triggers, with the words for each.
pub(super) fn wanted<'a>(scene: &Scene<'a>) -> Vec<(Wanted<'a>, Words)> {
    let audited = scene.all().filter(|kept| kept.settings.audit);
    audited.flat_map(|kept| [Some(deletes(scene, &kept)), marks(scene, &kept)]).flatten().collect()
}

fn deletes<'a>(scene: &Scene<'a>, kept: &Kept<'a>) -> (Wanted<'a>, Words) {
    let key = key_object(identity(scene.subject.survey, kept.table), "o");
    let gone = format!("SELECT {key} AS key FROM gone AS o");
    let clauses = "REFERENCING OLD TABLE AS gone FOR EACH STATEMENT";
    trigger(scene, kept, (ON_DELETE, "AFTER DELETE", clauses, "ad"), &insert(kept, "DELETE", &gone))
}

fn marks<'a>(scene: &Scene<'a>, kept: &Kept<'a>) -> Option<(Wanted<'a>, Words)> {
    let (was, is) = (kept.live("o")?, kept.dead("n")?);
    let columns = identity(scene.subject.survey, kept.table);
    let marked = match columns {
        Some(columns) => {
            let same: Vec<String> = columns.iter().map(|column| format!("o.{0} = n.{0}", quote(column))).collect();
            format!(
                "SELECT {} AS key FROM gone AS o JOIN marked AS n ON {} WHERE {was} AND {is}",
                key_object(Some(columns), "o"),
                same.join(" AND ")
            )
        }
        // Without a key the rows cannot be paired: as many are dead now as were not before.
        None => format!(
            "SELECT to_jsonb(n.*) AS key FROM marked AS n WHERE {is} LIMIT greatest(0,
            (SELECT count(*) FROM marked AS n WHERE {is}) - (SELECT count(*) FROM gone AS o WHERE NOT {was}))"
        ),
    };
    let clauses = "REFERENCING OLD TABLE AS gone NEW TABLE AS marked FOR EACH STATEMENT";
    Some(trigger(scene, kept, (ON_UPDATE, "AFTER UPDATE", clauses, "au"), &insert(kept, "DELETE", &marked)))
}

/// The row of the audit, over the keys that `rows` gives.
fn insert(kept: &Kept<'_>, action: &str, rows: &str) -> String {
    format!(
        "BEGIN
    IF current_setting('sexton.unkept', true) = 'on' THEN
        RETURN NULL;
    END IF;
    INSERT INTO sexton.deletions (event, actor, role, application_name, client_address, relation, action, rows, keys,
        reason, fingerprint, trace, txid)
    SELECT sexton.event(false), sexton.actor(), sexton.caller(), current_setting('application_name'), inet_client_addr(),
        {}, '{action}', found.rows, found.keys, sexton.reason(), sexton.fingerprint(), sexton.tag('traceparent'),
        pg_current_xact_id()::text::bigint
    FROM (SELECT count(*) AS rows, jsonb_agg(deleted.key) AS keys FROM ({rows}) AS deleted) AS found
    WHERE found.rows > 0;
    RETURN NULL;
END",
        literal(&qualified(kept.table))
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
    let wanted = Wanted {
        table,
        name: name.to_owned(),
        create: "CREATE TRIGGER",
        event: event.to_owned(),
        clauses: clauses.to_owned(),
        functions: vec![function(function_name.clone(), Returns::Trigger, &scene.search_path(&[table]), body)],
        function: function_name,
    };
    let what = "deletions from it are not recorded".to_owned();
    (wanted, Words { kind: "audit", object: qualified(table), what })
}
