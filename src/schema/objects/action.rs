//! What ON DELETE says of the children of a row that turned dead.
//!
//! A check runs as the owner of schema `sexton`. An action fires the child's own triggers and evaluates its
//! expressions, so it runs as the owner of the child, as the server's own actions do.

use crate::config::Strategy;
use crate::schema::objects::keys::{key_object, object};
use crate::schema::objects::scene::{Reference, Scene, names, only, values};
use crate::schema::objects::wanted::{Function, Returns, back, function};
use crate::schema::survey::Action;
use crate::sql::ident::{literal, quote};

/// NO ACTION and RESTRICT change nothing.
pub(super) fn is_check(action: Action) -> bool {
    matches!(action, Action::NoAction | Action::Restrict)
}

/// Children that the action leaves pointing to the row, or points to it anew: those that were dead already.
pub(super) fn keeps_reference(action: Action) -> bool {
    is_check(action) || action == Action::SetDefault
}

/// A cascade marks the child's rows; under any other strategy it really deletes them.
pub(super) fn is_marked(reference: &Reference<'_>) -> bool {
    reference.child.kept.is_some_and(|kept| kept.policy.strategy == Strategy::Soft)
}

/// The value of a referenced column in the record that the functions are called with.
pub(super) fn gone(column: &str) -> String {
    format!("gone.{}", quote(column))
}

/// The live children of `gone`, called `x`.
fn condition(reference: &Reference<'_>) -> String {
    let points = reference.child_matches("x", |at| gone(&reference.key.referenced[at]));
    let live = reference.child.live("x").map(|live| format!(" AND {live}")).unwrap_or_default();
    format!("{points}{live}")
}

/// The function that changes children, where ON DELETE changes any.
pub(super) fn function_of(scene: &Scene<'_>, reference: &Reference<'_>) -> Option<Function> {
    let (child, condition) = (only(reference.child.table), condition(reference));
    let set = |value: &str| {
        let set: Vec<String> =
            reference.key.columns_set().iter().map(|column| format!("{} = {value}", quote(column))).collect();
        let key = key_object(scene.subject.survey, reference.child.table, "x");
        format!("RETURN QUERY UPDATE {child} AS x SET {} WHERE {condition} RETURNING {key}", set.join(", "))
    };
    let (returns, statement) = match reference.key.on_delete {
        Action::NoAction | Action::Restrict => return None,
        Action::SetNull => (Returns::Keys, set("NULL")),
        Action::SetDefault => (Returns::Keys, set("DEFAULT")),
        Action::Cascade => match reference.child.kept.filter(|_| is_marked(reference)) {
            Some(kept) => (Returns::Action, format!("UPDATE {child} AS x SET {} WHERE {condition}", kept.marks("x"))),
            None => (Returns::Action, format!("DELETE FROM {child} AS x WHERE {condition}")),
        },
    };
    let path = scene.writing_path(reference.child.table, &[reference.child.table, reference.parent.table]);
    let body = format!("BEGIN\n    {statement};\nEND");
    Some(function(reference.function_name("act"), returns, &path, &body).run_as(reference.child.table))
}

/// What ON DELETE says, as statements of a function with the search path `path`.
pub(super) fn statements(reference: &Reference<'_>, path: &str) -> String {
    let act = quote(&reference.function_name("act"));
    let on_delete = reference.key.on_delete;
    let changes = match on_delete {
        Action::NoAction | Action::Restrict => None,
        Action::Cascade => Some(format!("    PERFORM sexton.{act}(gone);")),
        Action::SetNull | Action::SetDefault => Some(note(reference, &act)),
    };
    let changes = changes.map(|changes| format!("{changes}\n    {}", back(path)));
    // The default may be the very key that is gone.
    let checks = (is_check(on_delete) || on_delete == Action::SetDefault).then(|| check(reference));
    let statements: Vec<String> = changes.into_iter().chain(checks).collect();
    format!("{}{}", reference.expected(), statements.join("\n"))
}

/// Raises the server's error where a live row still points here. With NO ACTION a live row of the same key will do.
///
/// The server's own check takes FOR KEY SHARE, which waits for a DELETE of the child. Its mark is an UPDATE that does not
/// conflict with that, so this takes FOR SHARE.
fn check(reference: &Reference<'_>) -> String {
    let (key, parent) = (reference.key, reference.parent.table);
    let restricts = key.on_delete == Action::Restrict;
    let replaced = match restricts {
        true => String::new(),
        false => {
            let same = reference.same_parent("y", |at| gone(&key.referenced[at]));
            let live = reference.parent.live("y").map(|live| format!(" AND {live}")).unwrap_or_default();
            format!(" AND NOT EXISTS (SELECT FROM {} AS y WHERE {same}{live})", only(parent))
        }
    };
    format!(
        "    PERFORM FROM {} AS x WHERE {}{replaced} FOR SHARE OF x;
    IF FOUND THEN
        PERFORM sexton.refuse_referenced({}, {}::regclass, here,
            {}, {}, {restricts});
    END IF;",
        only(reference.child.table),
        condition(reference),
        literal(&key.name),
        literal(&reference.child.table.quoted()),
        names(&key.referenced),
        values(&key.referenced, "gone"),
    )
}

/// SET NULL and SET DEFAULT; what stood there is noted for whoever restores the parent.
fn note(reference: &Reference<'_>, act: &str) -> String {
    let key = reference.key;
    let before = object(reference.child.table, key.columns_set(), |column| {
        let place = key.columns.iter().position(|other| other == column);
        place.map_or("NULL".to_owned(), |place| gone(&key.referenced[place]))
    });
    format!(
        "    INSERT INTO sexton.nulled (event, relation, key, columns)
    SELECT sexton.event(false), {}, changed.key, {before} FROM sexton.{act}(gone) AS changed (key);",
        literal(&reference.child.table.quoted()),
    )
}
