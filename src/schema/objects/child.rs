//! The child's side of a foreign key: a live row must point to a live one.
//!
//! The server's own trigger is content with a dead row. This one looks again, with the lock that the server's takes, and
//! raises the server's error.

use crate::rewrite::constraints::CHILD_SUFFIX;
use crate::schema::objects::archive::archive_name;
use crate::schema::objects::scene::{Reference, Scene, function_name, names, only, values};
use crate::schema::objects::wanted::{Returns, Wanted, Words, function};
use crate::sql::ident::{literal, quote, suffixed};

/// What the trigger's name ends with, behind the constraint's, where a trigger of its own sees updates.
const UPDATE_SUFFIX: &str = "_sexton_u";

/// The same of the trigger for rows that point to none.
const ORPHAN_SUFFIX: &str = "_sexton_o";

/// The triggers, with the words for each.
pub(super) fn wanted<'a>(scene: &Scene<'a>) -> Vec<(Wanted<'a>, Words)> {
    let looking = scene.references().filter(|reference| reference.parent.has_dead());
    let mut triggers: Vec<_> = looking.flat_map(|reference| triggers_for(scene, &reference)).collect();
    triggers.extend(scene.references().filter_map(|reference| orphan_trigger(scene, &reference)));
    triggers
}

/// A deferrable foreign key lets a row point to none until COMMIT. One that is deleted before is no fault of its, but
/// the server would find it: it leaves for its archive at once.
fn orphan_trigger<'a>(scene: &Scene<'a>, reference: &Reference<'a>) -> Option<(Wanted<'a>, Words)> {
    let (key, table, parent) = (reference.key, reference.child.table, reference.parent.table);
    let kept = reference.child.kept.filter(|kept| kept.has_dead() && archive_name(kept).is_some())?;
    if !key.is_deferrable {
        return None;
    }
    let set = key.columns.iter().map(|column| format!("NEW.{} IS NOT NULL", quote(column)));
    let dies: Vec<String> = [kept.live("OLD")?, kept.dead("NEW")?].into_iter().chain(set).collect();
    let matches = reference.parent_matches("x", |at| format!("NEW.{}", quote(&key.columns[at])));
    let body = format!(
        "DECLARE
    orphan record;
BEGIN
    PERFORM FROM {} AS x WHERE {matches};
    IF NOT FOUND THEN
        SELECT NEW.ctid AS place, TG_RELID AS relation INTO orphan;
        PERFORM sexton.{}(orphan);
    END IF;
    RETURN NULL;
END",
        only(parent),
        quote(&reference.function_name("orphan")),
    );
    let away = format!(
        "BEGIN\n    DELETE FROM {} AS x WHERE x.ctid = gone.place AND x.tableoid = gone.relation;\nEND",
        table.quoted()
    );
    let path = scene.writing_path(table, &[table]);
    let away = function(reference.function_name("orphan"), Returns::Action, &path, &away).run_as(table);
    let function_name = function_name(table, &format!("{}_o", key.name));
    let wanted = Wanted::new(
        table,
        suffixed(&key.name, ORPHAN_SUFFIX),
        "AFTER UPDATE",
        format!("FOR EACH ROW WHEN ({})", dies.join(" AND ")),
        vec![away, function(function_name, Returns::Trigger, &scene.search_path(&[table, parent]), &body)],
    );
    let what = "a row that points to none and is deleted before COMMIT is refused there".to_owned();
    Some((wanted, Words { kind: "foreign-key", object: reference.object(), what }))
}

/// A deferrable foreign key has one trigger, which SET CONSTRAINTS names. Any other has one for each event, since only
/// that for UPDATE can compare with the old row before it is called: most updates change no reference.
fn triggers_for<'a>(scene: &Scene<'a>, reference: &Reference<'a>) -> Vec<(Wanted<'a>, Words)> {
    let (key, table) = (reference.key, reference.child.table);
    let function_name = function_name(table, &format!("{}_c", key.name));
    let path = scene.search_path(&[table, reference.parent.table]);
    let wanted = |suffix: &str, event: &str, condition: String| {
        Wanted::new(
            table,
            suffixed(&key.name, suffix),
            event,
            format!("{} FOR EACH ROW WHEN ({condition})", reference.deferrability()),
            vec![function(function_name.clone(), Returns::Trigger, &path, &body(reference))],
        )
        .constraint()
    };
    let what = format!("a row can be written that points to a deleted row of {}", reference.parent.table.quoted());
    let words = Words { kind: "foreign-key", object: reference.object(), what };
    let points = points(reference);
    if key.is_deferrable {
        return vec![(wanted(CHILD_SUFFIX, "AFTER INSERT OR UPDATE", points), words)];
    }
    let anew = format!("{points} AND NOT ({})", as_before(reference));
    vec![
        (wanted(CHILD_SUFFIX, "AFTER INSERT", points), words.clone()),
        (wanted(UPDATE_SUFFIX, "AFTER UPDATE", anew), words),
    ]
}

/// The row was live before, and pointed to the same.
fn as_before(reference: &Reference<'_>) -> String {
    let columns = reference.key.columns.iter();
    let same = columns.map(|column| format!("NEW.{0} IS NOT DISTINCT FROM OLD.{0}", quote(column)));
    same.chain(reference.child.live("OLD")).collect::<Vec<_>>().join(" AND ")
}

/// The new row is live and points somewhere. MATCH FULL with some columns NULL is refused by the server.
fn points(reference: &Reference<'_>) -> String {
    let set = reference.key.columns.iter().map(|column| format!("NEW.{} IS NOT NULL", quote(column)));
    reference.child.live("NEW").into_iter().chain(set).collect::<Vec<_>>().join(" AND ")
}

fn body(reference: &Reference<'_>) -> String {
    let (key, child, parent) = (reference.key, reference.child.table, reference.parent.table);
    // Of a row that this transaction has written the check may still be due, and only this event will see the row.
    let unchanged = match key.is_deferrable {
        true => format!(
            "    IF TG_OP = 'UPDATE' THEN
        IF {} AND age(OLD.xmin) > 0 THEN
            RETURN NULL;
        END IF;
    END IF;
",
            as_before(reference)
        ),
        false => String::new(),
    };
    let matches = reference.parent_matches("x", |at| format!("NEW.{}", quote(&key.columns[at])));
    let live = reference.parent.live("x").map(|live| format!(" AND {live}")).unwrap_or_default();
    format!(
        "BEGIN
{unchanged}    PERFORM FROM {} AS x WHERE {matches}{live} FOR KEY SHARE OF x;
    IF NOT FOUND THEN
        -- A row that is gone or has changed again is judged by its own event.
        PERFORM FROM {} AS x WHERE x.ctid = NEW.ctid AND x.tableoid = TG_RELID;
        IF FOUND THEN
{}            PERFORM sexton.refuse_absent({}, {}::regclass, TG_RELID, {}::regclass,
                {}, {});
        END IF;
    END IF;
    RETURN NULL;
END",
        only(parent),
        child.quoted(),
        reference.expected(),
        literal(&key.name),
        literal(&child.quoted()),
        literal(&parent.quoted()),
        names(&key.columns),
        values(&key.columns, "NEW"),
    )
}
