//! The parent's side of a foreign key: a row that turns dead takes its children along as ON DELETE says.
//!
//! One trigger for each parent does it for the foreign keys that cannot be deferred; one that can, with NO ACTION, has a
//! trigger of its own under its own name.
//!
//! Order is the server's, level by level: what children start in their turn goes to `sexton.queue`, and the end of
//! the statement that began it all works that off (`sexton.drain`). Otherwise the check between two children
//! of the same parent would run before the second of them is deleted.

use crate::config::Strategy;
use crate::schema::objects::probe;
use crate::schema::objects::scene::{
    Reference, Scene, function_name, literal, names, only, qualified, text_array, values,
};
use crate::schema::objects::wanted::{Function, Returns, Wanted, Words, function};
use crate::schema::survey::{Action, Table};
use crate::sql::ident::{quote, suffixed};

/// What the name of the trigger of a deferrable foreign key ends with, behind the constraint's.
const SUFFIX: &str = "_sexton_p";

/// The trigger for the foreign keys that cannot be deferred.
const TRIGGER: &str = "sexton_delete";

/// The trigger at the end of the statement.
const DRAIN: &str = "~sexton_drain";

/// The triggers, with the words for each.
pub(super) fn wanted<'a>(scene: &Scene<'a>) -> Vec<(Wanted<'a>, Words)> {
    let mut triggers = Vec::new();
    for parent in parents(scene) {
        let (checks, at_once): (Vec<_>, Vec<_>) = references_to(scene, parent).partition(is_deferrable_check);
        triggers.extend(checks.iter().map(|reference| check_trigger(scene, reference)));
        if !at_once.is_empty() {
            triggers.push(delete_trigger(scene, parent, &at_once));
        }
        triggers.extend(drain_trigger(scene, parent));
    }
    triggers
}

/// The tables with dead rows that foreign keys point to.
fn parents<'a>(scene: &Scene<'a>) -> Vec<&'a Table> {
    let mut parents: Vec<&Table> = Vec::new();
    for reference in scene.references().filter(|reference| reference.parent.has_dead()) {
        if !parents.iter().any(|table| table.oid == reference.parent.table.oid) {
            parents.push(reference.parent.table);
        }
    }
    parents
}

/// The foreign keys to `parent`, those of tables that refer to others of them first: a row should go before the row
/// that it points to.
fn references_to<'a>(scene: &Scene<'a>, parent: &'a Table) -> impl Iterator<Item = Reference<'a>> {
    let mut open: Vec<Reference<'a>> =
        scene.references().filter(|reference| reference.parent.table.oid == parent.oid).collect();
    let mut sorted = Vec::new();
    while !open.is_empty() {
        let referred = |child: u32| {
            scene.references().any(|between| {
                between.parent.table.oid == child
                    && between.child.table.oid != child
                    && open.iter().any(|other| other.child.table.oid == between.child.table.oid)
            })
        };
        // A circle is cut anywhere.
        let next = open.iter().position(|reference| !referred(reference.child.table.oid)).unwrap_or(0);
        sorted.push(open.remove(next));
    }
    // Checks come last, in the server's order: what they look for may go with another foreign key.
    let place = |reference: &Reference<'_>| is_check(reference.key.on_delete).then_some(reference.key.oid);
    sorted.sort_by_key(place);
    sorted.into_iter()
}

fn is_deferrable_check(reference: &Reference<'_>) -> bool {
    reference.key.is_deferrable && reference.key.on_delete == Action::NoAction
}

/// Every column of `parent` that one of `references` points to.
fn referenced_columns(references: &[Reference<'_>]) -> Vec<String> {
    let mut columns: Vec<String> = Vec::new();
    for column in references.iter().flat_map(|reference| &reference.key.referenced) {
        if !columns.contains(column) {
            columns.push(column.clone());
        }
    }
    columns
}

/// The column's value out of the texts that the work function is called with.
fn argument(parent: &Table, columns: &[String], column: &str) -> String {
    let place = columns.iter().position(|other| other == column).unwrap_or_default() + 1;
    let type_name = parent.column(column).map_or("text", |column| column.type_name.as_str());
    format!("$1[{place}]::{type_name}")
}

fn delete_trigger<'a>(scene: &Scene<'a>, parent: &'a Table, references: &[Reference<'a>]) -> (Wanted<'a>, Words) {
    let columns = referenced_columns(references);
    let work = function_name(parent, "gone");
    let actions: Vec<String> = references.iter().map(|reference| action(reference, &columns)).collect();
    let has_actions = references.iter().any(|reference| !is_check(reference.key.on_delete));
    let mut functions = vec![work_function(scene, &work, references, &columns, &actions.join("\n"))];
    let call = function_name(parent, "dead");
    let path = scene.search_path(&[parent]);
    let body = calling(&work, &columns, has_actions);
    functions.push(function(call.clone(), Returns::Trigger, &path, &body));
    let wanted = Wanted {
        table: parent,
        name: TRIGGER.to_owned(),
        create: "CREATE TRIGGER",
        event: "AFTER UPDATE".to_owned(),
        clauses: format!("FOR EACH ROW WHEN ({})", dies(references)),
        functions,
        function: call,
    };
    let keys: Vec<String> = references.iter().map(Reference::object).collect();
    let what = "deleting a row leaves its live children as they are".to_owned();
    (wanted, Words { kind: "foreign-key", object: keys.join(", "), what })
}

fn check_trigger<'a>(scene: &Scene<'a>, reference: &Reference<'a>) -> (Wanted<'a>, Words) {
    let parent = reference.parent.table;
    let columns = reference.key.referenced.clone();
    let of_key = |what: &str| function_name(reference.child.table, &format!("{}_{what}", reference.key.name));
    let (work, call) = (of_key("p"), of_key("pt"));
    let one = std::slice::from_ref(reference);
    let path = scene.search_path(&[parent]);
    let wanted = Wanted {
        table: parent,
        name: suffixed(&reference.key.name, SUFFIX),
        create: "CREATE CONSTRAINT TRIGGER",
        event: "AFTER UPDATE".to_owned(),
        clauses: format!("{} FOR EACH ROW WHEN ({})", reference.deferrability(), dies(one)),
        functions: vec![
            work_function(scene, &work, one, &columns, &action(reference, &columns)),
            function(call.clone(), Returns::Trigger, &path, &calling(&work, &columns, false)),
        ],
        function: call,
    };
    let what = "deleting a row leaves its live children as they are".to_owned();
    (wanted, Words { kind: "foreign-key", object: reference.object(), what })
}

/// The end of the statement, for a parent whose children have work of their own to do.
fn drain_trigger<'a>(scene: &Scene<'a>, parent: &'a Table) -> Option<(Wanted<'a>, Words)> {
    let starts = references_to(scene, parent).any(|reference| {
        reference.key.on_delete == Action::Cascade
            && is_marked(&reference)
            && scene.references().any(|next| next.parent.table.oid == reference.child.table.oid)
    });
    let kept = scene.kept(parent).filter(|_| starts)?;
    let mut columns: Vec<String> = kept.policy.live.iter().flat_map(|live| live.columns()).map(quote).collect();
    columns.sort_unstable();
    columns.dedup();
    let wanted = Wanted {
        table: parent,
        name: DRAIN.to_owned(),
        create: "CREATE TRIGGER",
        event: format!("AFTER UPDATE OF {}", columns.join(", ")),
        clauses: "FOR EACH STATEMENT".to_owned(),
        functions: Vec::new(),
        function: "drain".to_owned(),
    };
    let what = "a cascade ends only at COMMIT".to_owned();
    Some((wanted, Words { kind: "foreign-key", object: qualified(parent), what }))
}

/// The row was live and is no longer.
fn dies(references: &[Reference<'_>]) -> String {
    let kept = references.iter().find_map(|reference| reference.parent.kept);
    let was = kept.and_then(|kept| kept.live("OLD")).unwrap_or_default();
    let is = kept.and_then(|kept| kept.dead("NEW")).unwrap_or_default();
    format!("{was} AND {is}")
}

fn is_check(action: Action) -> bool {
    matches!(action, Action::NoAction | Action::Restrict)
}

/// A cascade marks the child's rows; under any other strategy it really deletes them.
fn is_marked(reference: &Reference<'_>) -> bool {
    reference.child.kept.is_some_and(|kept| kept.policy.strategy == Strategy::Soft)
}

fn work_function(
    scene: &Scene<'_>,
    name: &str,
    references: &[Reference<'_>],
    columns: &[String],
    actions: &str,
) -> Function {
    let tables: Vec<&Table> =
        references.iter().flat_map(|reference| [reference.parent.table, reference.child.table]).collect();
    let look = probe::statements(references, |column| argument(references[0].parent.table, columns, column));
    let body = format!("{}BEGIN\n{actions}\n{}END", look.declarations, look.statements);
    function(name.to_owned(), Returns::Work, &scene.search_path(&tables), &body)
}

/// The trigger's function: at once for the statement's own rows, later for those of a cascade. Behind the key stands the
/// table that the row is in, a partition perhaps.
fn calling(work: &str, columns: &[String], has_actions: bool) -> String {
    let key = format!("{} || TG_RELID::text", values(columns, "OLD"));
    let call = format!("PERFORM sexton.{}({key});", quote(work));
    let at_once = match has_actions {
        true => format!(
            "PERFORM set_config('sexton.cascade', 'on', true);
        {call}
        PERFORM set_config('sexton.cascade', '', true);"
        ),
        false => call,
    };
    format!(
        "BEGIN
    IF current_setting('sexton.cascade', true) = 'on' THEN
        INSERT INTO sexton.queue (call, key) VALUES ({}, {key});
    ELSE
        {at_once}
    END IF;
    RETURN NULL;
END",
        literal(work)
    )
}

/// What ON DELETE says, as statements.
fn action(reference: &Reference<'_>, columns: &[String]) -> String {
    let (key, parent) = (reference.key, reference.parent.table);
    let of = |column: &str| argument(parent, columns, column);
    let points = reference.child_matches("x", |at| of(&key.referenced[at]));
    let live = reference.child.live("x").map(|live| format!(" AND {live}")).unwrap_or_default();
    let condition = format!("{points}{live}");
    let child = only(reference.child.table);
    match key.on_delete {
        Action::NoAction | Action::Restrict => check(reference, columns, &condition),
        Action::Cascade => match reference.child.kept {
            Some(kept) if is_marked(reference) => {
                format!("    UPDATE {child} AS x SET {} WHERE {condition};", kept.marks("x"))
            }
            _ => format!("    DELETE FROM {child} AS x WHERE {condition};"),
        },
        Action::SetNull => set(reference, &condition, "NULL", of),
        // The default may be the very key that is gone.
        Action::SetDefault => {
            format!("{}\n{}", set(reference, &condition, "DEFAULT", of), check(reference, columns, &condition))
        }
    }
}

/// Raises the server's error where a live row still points here. With NO ACTION a live row of the same key will do.
///
/// The server's own check takes FOR KEY SHARE, which waits for a DELETE of the child. Its mark is an UPDATE that does not
/// conflict with that, so this takes FOR SHARE.
fn check(reference: &Reference<'_>, columns: &[String], condition: &str) -> String {
    let (key, parent) = (reference.key, reference.parent.table);
    let of = |column: &str| argument(parent, columns, column);
    let restricts = key.on_delete == Action::Restrict;
    let replaced = match restricts {
        true => String::new(),
        false => {
            let same = reference.parent_matches("y", |at| of(&key.referenced[at]));
            let live = reference.parent.live("y").map(|live| format!(" AND {live}")).unwrap_or_default();
            format!(" AND NOT EXISTS (SELECT FROM {} AS y WHERE {same}{live})", only(parent))
        }
    };
    let texts = text_array(key.referenced.iter().map(|column| {
        let place = columns.iter().position(|other| other == column).unwrap_or_default() + 1;
        format!("$1[{place}]")
    }));
    let here = columns.len() + 1;
    format!(
        "    PERFORM FROM {} AS x WHERE {condition}{replaced} FOR SHARE OF x;
    IF FOUND THEN
        PERFORM sexton.refuse_referenced({}, {}::regclass, $1[{here}]::oid,
            {}, {texts}, {restricts});
    END IF;",
        only(reference.child.table),
        literal(&key.name),
        literal(&qualified(reference.child.table)),
        names(&key.referenced),
    )
}

/// SET NULL and SET DEFAULT; what stood there is noted for whoever restores the parent.
fn set(reference: &Reference<'_>, condition: &str, value: &str, of: impl Fn(&str) -> String) -> String {
    let (key, child) = (reference.key, reference.child.table);
    let columns = if key.set_columns.is_empty() { &key.columns } else { &key.set_columns };
    let set: Vec<String> = columns.iter().map(|column| format!("{} = {value}", quote(column))).collect();
    let before = columns.iter().filter_map(|column| {
        let place = key.columns.iter().position(|other| other == column)?;
        Some(format!("{}, {}", literal(column), of(&key.referenced[place])))
    });
    let before: Vec<String> = before.collect();
    format!(
        "    WITH nulled AS (UPDATE {} AS x SET {} WHERE {condition} RETURNING {} AS key)
        INSERT INTO sexton.nulled (event, relation, key, columns)
        SELECT sexton.event(false), {}, nulled.key, jsonb_build_object({}) FROM nulled;",
        only(child),
        set.join(", "),
        super::keys::key_object(reference.child.identity, "x"),
        literal(&qualified(child)),
        before.join(", "),
    )
}
