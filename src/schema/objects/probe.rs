//! Children that a transaction's snapshot does not show.
//!
//! In REPEATABLE READ and SERIALIZABLE a query inside the server sees the snapshot of the transaction. A child that was
//! committed since is not there for it, while the server's own foreign keys look past the snapshot. So they are asked:
//! the row is really deleted, with those of its children that are dead, in a subtransaction that is always undone.
//!
//! What forbids the attempt, such as a trigger that raises an error or that skips the row, leaves the question open. Then
//! the answer is 40001: to delete a row that a child still points to would be worse.

use crate::schema::objects::action::{gone, is_check};
use crate::schema::objects::exempt::TRY;
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
    let (functions, tries) = attempts(scene, references, name);
    // Actions are never deferred.
    let deferred = references
        .iter()
        .filter(|reference| reference.key.is_deferrable && reference.key.on_delete == Action::NoAction);
    let names = deferred
        .map(|reference| quote_qualified(&reference.child.table.schema, &reference.key.name))
        .collect::<Vec<_>>()
        .join(", ");
    let at_once = if names.is_empty() { names } else { format!("            SET CONSTRAINTS {names} IMMEDIATE;\n") };
    // Where a live row has taken the key, children have a parent again, and it is not to be touched.
    let live = first.parent.live("y").map(|live| format!(" AND {live}")).unwrap_or_default();
    let known: Vec<String> = references.iter().map(violates).collect();
    Probe {
        declarations: "DECLARE\n    refused text; writes text; owner text; detail text; referencing regclass;\n    is_decided boolean := \
                       false;\n    obstacle text;\n"
            .to_owned(),
        statements: format!(
            "    IF current_setting('transaction_isolation') IN ('repeatable read', 'serializable')
        AND NOT EXISTS (SELECT FROM {} AS y WHERE {}{live}) THEN
        BEGIN
            {TRY}
            is_decided := {};
{at_once}            RAISE EXCEPTION USING ERRCODE = '{UNDO}';
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
                -- The attempt cascades; what is in the way of other rows is found when they have their turn.
                is_decided := true;
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
            tries.join(" AND "),
            known.join(" OR "),
        ),
        functions,
    }
}

/// The violation at hand is of this foreign key, and speaks of the row itself.
fn violates(reference: &Reference<'_>) -> String {
    let (name, child) = (literal(&reference.key.name), literal(&reference.child.table.quoted()));
    let key: Vec<String> = reference.key.referenced.iter().map(|column| gone(column)).collect();
    // Of a row that goes along it says nothing of this one.
    let own = format!("strpos(detail, ')=(' || concat_ws(', ', {}) || ') ') > 0", key.join(", "));
    format!("(refused = {name} AND referencing = {child}::regclass AND (detail NOT LIKE 'Key (%' OR {own}))")
}

/// What is to be deleted, children first, and the calls that do it.
fn attempts(scene: &Scene<'_>, references: &[Reference<'_>], name: String) -> (Vec<Function>, Vec<String>) {
    let first = &references[0];
    let mut functions = Vec::new();
    let mut tries = Vec::new();
    for reference in references.iter().filter(|reference| is_check(reference.key.on_delete)) {
        let points = reference.child_matches("x", |at| gone(&reference.key.referenced[at]));
        let name = reference.function_name("tried");
        tries.push(format!("sexton.{}(gone)", quote(&name)));
        functions.push(attempt(scene, name, reference.child.table, &points));
    }
    tries.push(format!("sexton.{}(gone)", quote(&name)));
    functions.push(attempt(
        scene,
        name,
        first.parent.table,
        &first.same_parent("x", |at| gone(&first.key.referenced[at])),
    ));
    (functions, tries)
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
