//! Children that a transaction's snapshot does not show.
//!
//! In REPEATABLE READ and SERIALIZABLE a query inside the server sees the snapshot of the transaction. A child that was
//! committed since is not there for it, while the server's own foreign keys look past the snapshot. So they are asked:
//! the row is really deleted, with those of its children that are dead, in a subtransaction that is always undone.

use crate::schema::objects::exempt::TRY;
use crate::schema::objects::scene::{Reference, literal, only, qualified};
use crate::schema::survey::Action;
use crate::sql::ident::quote;

/// What goes into a work function.
pub(super) struct Probe {
    /// Its DECLARE section, or nothing.
    pub(super) declarations: String,
    /// Statements at its end.
    pub(super) statements: String,
}

/// The SQLSTATE that undoes an attempt.
pub(super) const UNDO: &str = "SX000";

/// Asks the server's own foreign keys about the row whose key columns `of` gives.
pub(super) fn statements(references: &[Reference<'_>], of: impl Fn(&str) -> String) -> Probe {
    let Some(first) = references.first() else {
        return Probe { declarations: String::new(), statements: String::new() };
    };
    let parent = first.parent.table;
    let mut dead = String::new();
    for reference in
        references.iter().filter(|reference| matches!(reference.key.on_delete, Action::NoAction | Action::Restrict))
    {
        let points = reference.child_matches("x", |at| of(&reference.key.referenced[at]));
        dead.push_str(&format!("            DELETE FROM {} AS x WHERE {points};\n", only(reference.child.table)));
    }
    let deferred = references.iter().filter(|reference| reference.key.is_deferrable);
    let names = deferred
        .map(|reference| format!("{}.{}", quote(&reference.child.table.schema), quote(&reference.key.name)))
        .collect::<Vec<_>>()
        .join(", ");
    let at_once = if names.is_empty() { names } else { format!("            SET CONSTRAINTS {names} IMMEDIATE;\n") };
    let itself = first.parent_matches("x", |at| of(&first.key.referenced[at]));
    // Where a live row has taken the key, children have a parent again, and it is not to be touched.
    let replaced = first.parent_matches("y", |at| of(&first.key.referenced[at]));
    let live = first.parent.live("y").map(|live| format!(" AND {live}")).unwrap_or_default();
    let known: Vec<String> = references
        .iter()
        .map(|reference| {
            let (name, child) = (literal(&reference.key.name), literal(&qualified(reference.child.table)));
            let key: Vec<String> = reference.key.referenced.iter().map(|column| of(column)).collect();
            // The attempt cascades; what is in the way of other rows is found when they have their turn.
            let own = format!("strpos(detail, ')=(' || concat_ws(', ', {}) || ') ') > 0", key.join(", "));
            format!("(refused = {name} AND referencing = {child}::regclass AND (detail NOT LIKE 'Key (%' OR {own}))")
        })
        .collect();
    Probe {
        declarations: "DECLARE\n    refused text; writes text; owner text; detail text; referencing regclass;\n"
            .to_owned(),
        statements: format!(
            "    IF current_setting('transaction_isolation') IN ('repeatable read', 'serializable')
        AND NOT EXISTS (SELECT FROM {0} AS y WHERE {replaced}{live}) THEN
        BEGIN
            {TRY}
{dead}            DELETE FROM {0} AS x WHERE {itself};
{at_once}            RAISE EXCEPTION USING ERRCODE = '{UNDO}';
        EXCEPTION
            WHEN foreign_key_violation OR restrict_violation THEN
                GET STACKED DIAGNOSTICS refused = CONSTRAINT_NAME, owner = SCHEMA_NAME, writes = TABLE_NAME,
                    detail = PG_EXCEPTION_DETAIL;
                referencing := format('%I.%I', owner, writes)::regclass;
                IF {1} THEN
                    RAISE;
                END IF;
            WHEN serialization_failure OR deadlock_detected OR query_canceled OR lock_not_available THEN
                RAISE;
            WHEN OTHERS THEN
                -- '{UNDO}', or something in the way of a real deletion that does not concern this one.
                NULL;
        END;
    END IF;
",
            only(parent),
            known.join(" OR "),
        ),
    }
}
