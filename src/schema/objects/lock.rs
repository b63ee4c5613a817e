//! A deletion that is an UPDATE must lock its row as a DELETE does, or a child in flight slips past it.
//!
//! The server takes that lock by itself for an UPDATE that changes a column of a full unique index. So the marker is put
//! into one, beside the key: every other UPDATE locks as before, and nobody who waits holds what another needs.
//!
//! Two kinds of tables have a BEFORE trigger instead, which takes the lock for deletions only. Where live rows are told by
//! columns that change without a deletion, the index would make those changes wait for children in flight. And where any
//! BEFORE UPDATE trigger stands on the table, the server locks before it knows whether a column that the statement names
//! will change: a program that writes all columns of a row would wait, and two of them deadlock. The trigger has
//! a price of its own: the deletion has locked the row as an UPDATE does before it waits for the child, and if
//! that child's session then updates the parent, the two deadlock, where a DELETE would have let it pass.

use crate::config::Strategy;
use crate::schema::objects::probe::UNDO;
use crate::schema::objects::reinsert;
use crate::schema::objects::scene::{Kept, Scene, function_name, only};
use crate::schema::objects::wanted::{Returns, Wanted, Words, function};
use crate::schema::survey::{Index, Table, Trigger};
use crate::schema::{Finding, Level, Step};
use crate::sql::ident::{quote, suffixed};

/// The last of the BEFORE triggers but one: what others have made of the row is then known.
const TRIGGER: &str = "~sexton_lock";

/// What the index's name ends with, behind the table's.
const SUFFIX: &str = "_sexton_lock";

/// The indexes that are missing or broken.
pub(super) fn findings(scene: &Scene<'_>) -> Vec<Finding> {
    scene.all().filter_map(|kept| index_finding(scene, &kept)).collect()
}

/// True where `index` has the marker in it so that an UPDATE of it locks like a DELETE; it counts dead rows on purpose.
#[must_use]
pub fn is_lock(table: &Table, index: &Index) -> bool {
    index.table == table.oid && index.name == suffixed(&table.name, SUFFIX)
}

/// The triggers, with the words for each.
pub(super) fn wanted<'a>(scene: &Scene<'a>) -> Vec<(Wanted<'a>, Words)> {
    let parents = scene.all().filter(|kept| is_parent(scene, kept) && indexed(scene, kept).is_none());
    parents.filter_map(|kept| trigger(scene, &kept)).collect()
}

/// Its rows are marked, and foreign keys point to them.
fn is_parent(scene: &Scene<'_>, kept: &Kept<'_>) -> bool {
    kept.has_dead()
        && kept.policy.strategy == Strategy::Soft
        && scene.references().any(|reference| is_within(scene, kept.table, reference.parent.table))
}

/// `table` is `other`, or an ancestor of that partition.
fn is_within(scene: &Scene<'_>, table: &Table, other: &Table) -> bool {
    table.oid == other.oid
        || other.is_partition
            && other
                .parents
                .iter()
                .filter_map(|oid| scene.subject.survey.table(*oid))
                .any(|parent| is_within(scene, table, parent))
}

/// The marker, where an index with it takes the lock.
fn indexed<'a>(scene: &Scene<'a>, kept: &Kept<'a>) -> Option<&'a str> {
    let is_before = |trigger: &Trigger| {
        let is_others = trigger.table == kept.table.oid && trigger.function_schema != "sexton";
        is_others && trigger.on_update && trigger.is_before_row
    };
    let has_before = scene.subject.survey.triggers.iter().any(is_before) || reinsert::fires_on_update(scene, kept);
    marker(kept).filter(|_| !has_before)
}

/// The one column that tells live rows, where it is one that nothing but a deletion changes.
fn marker<'a>(kept: &Kept<'a>) -> Option<&'a str> {
    let mut columns = kept.policy.live.as_ref()?.columns();
    let first = columns.next()?;
    if columns.any(|column| column != first) {
        return None;
    }
    let type_name = &kept.table.column(first)?.type_name;
    let is_marker = type_name.starts_with("timestamp") || type_name == "date" || type_name == "boolean";
    is_marker.then_some(first)
}

/// The key beside which the marker stands.
fn key<'a>(scene: &Scene<'a>, kept: &Kept<'a>) -> Option<&'a [String]> {
    let of_table = |oid: u32| oid == kept.table.oid;
    let reference = scene.references().find(|reference| of_table(reference.parent.table.oid));
    super::keys::identity(scene.subject.survey, kept.table)
        .or_else(|| reference.map(|reference| reference.key.referenced.as_slice()))
}

fn index_finding(scene: &Scene<'_>, kept: &Kept<'_>) -> Option<Finding> {
    let table = kept.table;
    let name = suffixed(&table.name, SUFFIX);
    let (index, schema) = (quote(&name), quote(&table.schema));
    let is_partitioned = table.kind == 'p';
    let concurrently = if is_partitioned { "" } else { "CONCURRENTLY " };
    let step = |why: &str, sql: String| if is_partitioned { Step::new(why, sql) } else { Step::alone(why, sql) };
    let drop = |why: &str| step(why, format!("DROP INDEX {concurrently}IF EXISTS {schema}.{index}"));
    let finding = |what: &str, steps: Vec<Step>| Finding {
        level: Level::Warning,
        kind: "lock-index",
        object: table.quoted(),
        what: what.to_owned(),
        mend: None,
        steps,
    };
    let mut own = scene.subject.survey.indexes.iter().filter(|index| is_lock(table, index));
    let Some(marker) = indexed(scene, kept).filter(|_| is_parent(scene, kept)) else {
        own.next()?;
        let what =
            "its index makes statements wait that need not: a trigger takes the lock now, or nothing points to it";
        return Some(finding(what, vec![drop("nothing needs it any more")]));
    };
    let key = key(scene, kept)?;
    let indexes = || scene.subject.survey.indexes.iter().filter(|index| index.table == table.oid);
    let takes_lock = |index: &Index| {
        let columns = index.columns.as_deref().unwrap_or_default();
        index.is_unique && index.is_valid && index.predicate.is_none() && columns.iter().any(|column| column == marker)
    };
    if indexes().any(takes_lock) {
        return None;
    }
    let columns: Vec<String> = key.iter().map(String::as_str).chain([marker]).map(quote).collect();
    let mut steps = Vec::new();
    if own.next().is_some() {
        steps.push(drop("what an interrupted attempt has left"));
    }
    let why = match is_partitioned {
        true => "a deletion locks its row as a DELETE does; writes wait while it is built",
        false => "a deletion locks its row as a DELETE does",
    };
    let sql = format!(
        "CREATE UNIQUE INDEX {concurrently}IF NOT EXISTS {index} ON {} ({})",
        table.quoted(),
        columns.join(", ")
    );
    steps.push(step(why, sql));
    Some(finding("a child that is being inserted while its parent is deleted stays, without a parent", steps))
}

fn trigger<'a>(scene: &Scene<'a>, kept: &Kept<'a>) -> Option<(Wanted<'a>, Words)> {
    let table = kept.table;
    let body = format!(
        "BEGIN\n    PERFORM FROM {} AS x WHERE x.ctid = OLD.ctid AND x.tableoid = TG_RELID FOR UPDATE OF x;\n    RETURN \
         NEW;\nEND",
        only(table)
    );
    let function_name = function_name(table, "lock");
    let wanted = Wanted::new(
        table,
        TRIGGER,
        "BEFORE UPDATE",
        format!("FOR EACH ROW WHEN ({} AND {})", kept.live("OLD")?, kept.dead("NEW")?),
        vec![function(function_name, Returns::Trigger, &scene.search_path(&[table]), &body)],
    );
    let what = "a child that is being inserted while its parent is deleted stays, without a parent".to_owned();
    Some((wanted, Words { kind: "lock-trigger", object: table.quoted(), what }))
}

/// A block that waits until nobody is about to change `rows`, called `x`, and lets them go again: a deletion in flight is
/// an UPDATE, for which the server's own checks would not wait, and who only looks should not hold others up.
pub(super) fn wait(rows: &str) -> String {
    format!(
        "            BEGIN
                PERFORM FROM {rows} FOR SHARE OF x;
                RAISE EXCEPTION USING ERRCODE = '{UNDO}';
            EXCEPTION WHEN SQLSTATE '{UNDO}' THEN
                NULL;
            END;"
    )
}
