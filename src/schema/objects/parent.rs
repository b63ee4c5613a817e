//! The parent's side of a foreign key: a row that turns dead takes its children along as ON DELETE says.
//!
//! One trigger for each parent does it for the foreign keys that cannot be deferred; one that can, with NO ACTION, has a
//! trigger of its own under its own name.
//!
//! Order is the server's, level by level: what children start in their turn goes to `sexton.queue`, and the end of
//! the statement that began it all works that off (`sexton.drain`). Otherwise the check between two children
//! of the same parent would run before the second of them is deleted.

use crate::rewrite::constraints::PARENT_SUFFIX;
use crate::schema::objects::scene::{Reference, Scene, function_name, values};
use crate::schema::objects::wanted::{Function, Returns, Wanted, Words, function};
use crate::schema::objects::{action, probe};
use crate::schema::survey::{Action, Table};
use crate::sql::ident::{literal, quote, suffixed};

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
        triggers.extend(drain_triggers(scene, parent));
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
    let mut open: Vec<Reference<'a>> = scene.pointing_to(parent).collect();
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
    let place = |reference: &Reference<'_>| action::is_check(reference.key.on_delete).then_some(reference.key.oid);
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

fn delete_trigger<'a>(scene: &Scene<'a>, parent: &'a Table, references: &[Reference<'a>]) -> (Wanted<'a>, Words) {
    let name = |what: &str| function_name(parent, what);
    let has_actions = references.iter().any(|reference| !action::is_check(reference.key.on_delete));
    let functions = functions(scene, references, name, has_actions);
    let wanted =
        Wanted::new(parent, TRIGGER, "AFTER UPDATE", format!("FOR EACH ROW WHEN ({})", dies(references)), functions);
    let keys: Vec<String> = references.iter().map(Reference::object).collect();
    let what = "deleting a row leaves its live children as they are".to_owned();
    (wanted, Words { kind: "foreign-key", object: keys.join(", "), what })
}

fn check_trigger<'a>(scene: &Scene<'a>, reference: &Reference<'a>) -> (Wanted<'a>, Words) {
    let functions =
        functions(scene, std::slice::from_ref(reference), |what| reference.function_name(&format!("p_{what}")), false);
    let wanted = Wanted::new(
        reference.parent.table,
        suffixed(&reference.key.name, PARENT_SUFFIX),
        "AFTER UPDATE",
        format!("{} FOR EACH ROW WHEN ({})", reference.deferrability(), dies(std::slice::from_ref(reference))),
        functions,
    )
    .constraint();
    let what = "deleting a row leaves its live children as they are".to_owned();
    (wanted, Words { kind: "foreign-key", object: reference.object(), what })
}

/// Everything that the trigger calls for `references`; the last is what it calls itself.
fn functions<'a>(
    scene: &Scene<'a>,
    references: &[Reference<'a>],
    name: impl Fn(&str) -> String,
    has_actions: bool,
) -> Vec<Function> {
    let parent = references[0].parent.table;
    // Of every constraint that points to the row: to ask about one, the dead children of all are cleared away.
    let columns = referenced_columns(&scene.pointing_to(parent).collect::<Vec<_>>());
    let path = scene.search_path(&[parent]);
    let (work, texts, row, later, call) = (name("gone"), name("texts"), name("row"), name("later"), name("dead"));
    let mut functions: Vec<Function> =
        references.iter().filter_map(|reference| action::function_of(scene, reference)).collect();
    let look = probe::new(scene, references, name("tried"));
    let work_path = scene.comparing_path(parent, references);
    let actions: Vec<String> = references.iter().map(|reference| action::statements(reference, &work_path)).collect();
    let body = format!("{}BEGIN\n{}\n{}END", look.declarations, actions.join("\n"), look.statements);
    functions.extend(look.functions);
    functions.push(function(work.clone(), Returns::Work, &work_path, &body));
    let body = format!("BEGIN\n    RETURN {};\nEND", values(&columns, "gone"));
    functions.push(function(texts.clone(), Returns::Texts, &path, &body));
    functions.push(function(row.clone(), Returns::Row, &path, &reading(parent, &columns)));
    let body = format!("BEGIN\n    PERFORM sexton.{}(sexton.{}(key), here);\nEND", quote(&work), quote(&row));
    functions.push(function(later.clone(), Returns::Later, &path, &body));
    functions.push(function(call, Returns::Trigger, &path, &calling(&work, &texts, &later, has_actions)));
    functions
}

/// The key out of its texts, as a record with the columns' names. Its types have no length that could cut a value, and
/// are no domains, whose checks are other people's code. A text becomes a value of somebody's own type as a literal does,
/// which calls no cast.
fn reading(parent: &Table, columns: &[String]) -> String {
    let found = |name: &String| parent.column(name);
    let is_builtin = columns.iter().all(|name| found(name).is_some_and(|column| column.is_builtin));
    let read = |value: &dyn Fn(usize) -> String| {
        let types =
            columns.iter().map(|name| (found(name).map_or("text", |column| column.base_type.as_str()), quote(name)));
        let list = (1..).zip(types).map(|(at, (type_name, name))| format!("{}::{type_name} AS {name}", value(at)));
        format!("SELECT {}", list.collect::<Vec<_>>().join(", "))
    };
    let statement = match is_builtin {
        true => format!("{} INTO key", read(&|at| format!("$1[{at}]"))),
        false => {
            let query = literal(&read(&|_| "\u{1}".to_owned()).replace('%', "%%").replace('\u{1}', "%L"));
            format!("EXECUTE format({query}, VARIADIC $1) INTO key")
        }
    };
    format!("DECLARE\n    key record;\nBEGIN\n    {statement};\n    RETURN key;\nEND")
}

/// The end of the statement, for a parent whose children have work of their own to do. A statement may name a partition.
fn drain_triggers<'a>(scene: &Scene<'a>, parent: &'a Table) -> Vec<(Wanted<'a>, Words)> {
    let starts = references_to(scene, parent).any(|reference| {
        reference.key.on_delete == Action::Cascade
            && action::is_marked(&reference)
            && scene.references().any(|next| next.parent.table.oid == reference.child.table.oid)
    });
    let Some(kept) = scene.kept(parent).filter(|_| starts) else { return Vec::new() };
    let mut columns: Vec<String> = kept.policy.live.iter().flat_map(|live| live.columns()).map(quote).collect();
    columns.sort_unstable();
    columns.dedup();
    let trigger = |table: &'a Table| {
        Wanted::of_base(table, DRAIN, format!("AFTER UPDATE OF {}", columns.join(", ")), "FOR EACH STATEMENT", "drain")
    };
    let what = "a cascade ends only at COMMIT".to_owned();
    let words = |table: &Table| Words { kind: "foreign-key", object: table.quoted(), what: what.clone() };
    scene.named_as(parent).into_iter().map(|table| (trigger(table), words(table))).collect()
}

/// The row was live and is no longer.
fn dies(references: &[Reference<'_>]) -> String {
    let kept = references.iter().find_map(|reference| reference.parent.kept);
    let was = kept.and_then(|kept| kept.live("OLD")).unwrap_or_default();
    let is = kept.and_then(|kept| kept.dead("NEW")).unwrap_or_default();
    format!("{was} AND {is}")
}

/// The trigger's function: at once for the statement's own rows, later for those of a cascade. Beside the key stands the
/// table that the row is in, a partition perhaps.
fn calling(work: &str, texts: &str, later: &str, has_actions: bool) -> String {
    let call = format!("PERFORM sexton.{}(OLD, TG_RELID);", quote(work));
    let at_once = match has_actions {
        true => format!(
            "PERFORM set_config('sexton.cascade', 'on', true);
        {call}
        PERFORM set_config('sexton.cascade', '', true);
        IF current_setting('sexton.late', true) = 'on' THEN
            PERFORM sexton.drain_all();
        END IF;"
        ),
        false => call,
    };
    format!(
        "BEGIN
    IF current_setting('sexton.cascade', true) = 'on' THEN
        INSERT INTO sexton.queue (call, key, relation) VALUES ({}, sexton.{}(OLD), TG_RELID);
    ELSE
        {at_once}
    END IF;
    RETURN NULL;
END",
        literal(later),
        quote(texts)
    )
}
