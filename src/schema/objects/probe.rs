//! Children that a transaction's snapshot does not show.
//!
//! In REPEATABLE READ and SERIALIZABLE a query inside the server sees the snapshot of the transaction. A child that was
//! committed since is not there for it, while the server's own foreign keys look past the snapshot. So they are asked:
//! the row is really deleted in a subtransaction that is always undone.
//!
//! Dead children, and dead rows that point to those, would be in the way: they are cleared away first, by `leave`'s trigger
//! at every depth. After that each foreign key is asked about the row itself before any is about rows that a cascade
//! takes along. A violation that speaks of those is therefore an answer: nothing points to the row itself.
//!
//! What forbids the attempt, such as a trigger that raises an error or that skips the row, leaves the question open. Then
//! the answer is 40001: to delete a row that a child still points to would be worse.

use crate::schema::objects::action::{gone, keeps_reference};
use crate::schema::objects::exempt::{CLEARED, TRY};
use crate::schema::objects::scene::{Reference, Scene, only};
use crate::schema::objects::wanted::{Function, Returns, back, function};
use crate::schema::survey::{Action, Table};
use crate::sql::ident::{literal, quote, quote_qualified};

/// What goes into a work function.
pub(super) struct Probe {
    /// Its DECLARE section.
    pub(super) declarations: String,
    /// Statements at its end.
    pub(super) statements: String,
    /// The functions that they call.
    pub(super) functions: Vec<Function>,
}

/// The SQLSTATE that undoes an attempt.
pub(super) const UNDO: &str = "SX000";

/// Asks the server's own foreign keys about the row whose key is in the record `gone`. `name` is that of the function that
/// tries to delete it.
pub(super) fn new(scene: &Scene<'_>, references: &[Reference<'_>], name: String) -> Probe {
    let first = &references[0];
    let parent = first.parent.table;
    let same = |alias: &str| first.same_parent(alias, |at| gone(&first.key.referenced[at]));
    let functions = attempts(scene, references, &name);
    // Those of other constraints would be in the way as well.
    let clears = clears(&scene.pointing_to(parent).collect::<Vec<_>>(), "gone");
    let is_clear = if clears.is_empty() { "true".to_owned() } else { clears.join(" AND ") };
    let at_once = at_once(references);
    // Where a live row has taken the key, children have a parent again, and it is not to be touched.
    let live = first.parent.live("y").map(|live| format!(" AND {live}")).unwrap_or_default();
    let known: Vec<String> = references.iter().map(violates).collect();
    Probe {
        declarations: "DECLARE\n    refused text; writes text; owner text; detail text; referencing regclass;\n    is_cleared boolean := \
                       false;\n    is_decided boolean := false;\n    obstacle text;\n"
            .to_owned(),
        statements: format!(
            "    IF current_setting('transaction_isolation') IN ('repeatable read', 'serializable')
        AND NOT EXISTS (SELECT FROM {} AS y WHERE {}{live}) THEN
        BEGIN
            {TRY}
            is_decided := {is_clear};
            IF is_decided THEN
                {CLEARED}
                is_cleared := true;
                is_decided := false;
{at_once}                is_decided := sexton.{}(gone);
            END IF;
            RAISE EXCEPTION USING ERRCODE = '{UNDO}';
        EXCEPTION
            WHEN SQLSTATE '{UNDO}' THEN
                NULL;
            WHEN foreign_key_violation OR restrict_violation THEN
                GET STACKED DIAGNOSTICS refused = CONSTRAINT_NAME, owner = SCHEMA_NAME, writes = TABLE_NAME,
                    detail = PG_EXCEPTION_DETAIL;
                referencing := to_regclass(format('%I.%I', owner, writes));
                IF {} THEN
                    RAISE;
                END IF;
                -- What is in the way of rows that a cascade takes along is found when they have their turn.
                is_decided := is_cleared;
                obstacle := SQLERRM;
            WHEN serialization_failure OR deadlock_detected OR query_canceled OR lock_not_available THEN
                RAISE;
            WHEN OTHERS THEN
                is_decided := false;
                obstacle := SQLERRM;
        END;
        IF NOT is_decided THEN
            RAISE serialization_failure USING
                MESSAGE = 'could not serialize access: rows that this transaction does not see may point to the row',
                DETAIL = coalesce('An attempt to really delete it failed: ' || obstacle, 'A trigger or a rule stops real deletions.'),
                HINT = 'Delete it in a READ COMMITTED transaction.';
        END IF;
    END IF;
",
            only(parent),
            same("y"),
            quote(&name),
            known.join(" OR "),
        ),
        functions,
    }
}

/// The statement by which deferred checks are asked as early as the others. Actions are never deferred.
fn at_once(references: &[Reference<'_>]) -> String {
    let deferred = references
        .iter()
        .filter(|reference| reference.key.is_deferrable && reference.key.on_delete == Action::NoAction);
    let names: Vec<String> =
        deferred.map(|reference| quote_qualified(&reference.child.table.schema, &reference.key.name)).collect();
    match names.is_empty() {
        true => String::new(),
        false => format!("                SET CONSTRAINTS {} IMMEDIATE;\n", names.join(", ")),
    }
}

/// The violation at hand is of this foreign key, which has a name of its own between partitions, and speaks of the row
/// itself.
fn violates(reference: &Reference<'_>) -> String {
    let (name, child) = (literal(&reference.key.name), literal(&reference.child.table.quoted()));
    let exact = format!("sexton.constraint_name({name}, {child}::regclass, referencing, here)");
    let key: Vec<String> = reference.key.referenced.iter().map(|column| gone(column)).collect();
    // Of a row that goes along it says nothing of this one.
    let own = format!("strpos(detail, ')=(' || concat_ws(', ', {}) || ') ') > 0", key.join(", "));
    let here = format!(
        "(referencing = {child}::regclass OR EXISTS (SELECT FROM pg_partition_tree({child}) AS part WHERE part.relid = referencing))"
    );
    format!("({here} AND refused = {exact} AND (detail NOT LIKE 'Key (%' OR {own}))")
}

/// The calls that clear away what points to the row `record` and would stop its deletion. Each is true
/// where nothing is left.
pub(super) fn clears(references: &[Reference<'_>], record: &str) -> Vec<String> {
    let keeping = references.iter().filter(|reference| keeps_reference(reference.key.on_delete));
    keeping.map(|reference| format!("sexton.{}({record})", quote(&reference.function_name("tried")))).collect()
}

/// The functions that clear away, and the one called `name`, which deletes the row itself.
fn attempts(scene: &Scene<'_>, references: &[Reference<'_>], name: &str) -> Vec<Function> {
    let first = &references[0];
    let itself = |reference: &Reference<'_>| reference.same_parent("x", |at| gone(&reference.key.referenced[at]));
    let keeping = references.iter().filter(|reference| keeps_reference(reference.key.on_delete));
    let clearing = keeping.map(|reference| {
        let points = reference.child_matches("x", |at| gone(&reference.key.referenced[at]));
        // The row itself comes last.
        let others = match reference.child.table.oid == reference.parent.table.oid {
            true => format!(" AND ({}) IS NOT TRUE", itself(reference)),
            false => String::new(),
        };
        attempt(scene, reference.function_name("tried"), reference.child.table, &format!("{points}{others}"))
    });
    let row = attempt(scene, name.to_owned(), first.parent.table, &itself(first));
    clearing.chain([row]).collect()
}

/// Deletes what `condition` says of the rows `x`, as the owner of the table; true where nothing of it is left.
fn attempt(scene: &Scene<'_>, name: String, table: &Table, condition: &str) -> Function {
    let (from, path) = (only(table), scene.writing_path(table, &[table]));
    let body = format!(
        "BEGIN\n    DELETE FROM {from} AS x WHERE {condition};\n    {}\n    RETURN NOT EXISTS (SELECT FROM {from} AS x WHERE \
         {condition});\nEND",
        back(&path)
    );
    function(name, Returns::Attempt, &path, &body).run_as(table)
}
