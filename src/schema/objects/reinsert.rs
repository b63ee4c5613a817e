//! A live row takes the key of a dead one: what `reinsert` says happens to the dead row.
//!
//! Unique indexes that count live rows only have no part in it. For those that must count all, the primary key and what
//! foreign keys or the replica identity rest on, a BEFORE trigger looks for the dead row first, so that INSERT, ON
//! CONFLICT, COPY and MERGE find the key free. An UPDATE of the key does too, unless the server makes the keys
//! (identity, sequence, uuid) and no UPDATE is to be expected: a BEFORE UPDATE trigger has its price (see `lock`).
//!
//! Whether the new row really comes is not known then: ON CONFLICT may find another key taken, a later trigger may leave
//! it out. A dead row that goes to an archive is safe there. One that goes for good leaves its image in `sexton.exempt`,
//! from which the end of the statement puts it back where nothing has taken its place.

use crate::config::Reinsert;
use crate::schema::objects::archive::archive_name;
use crate::schema::objects::exempt;
use crate::schema::objects::keys::is_made;
use crate::schema::objects::lock;
use crate::schema::objects::scene::{Kept, Scene, function_name, only};
use crate::schema::objects::wanted::{Function, Returns, Wanted, Words, back, function};
use crate::schema::survey::Table;
use crate::schema::unique::obstacle;
use crate::sql::ident::{literal, quote};

/// The last of the BEFORE triggers: the key is then what it will be.
const TRIGGER: &str = "~sexton_reinsert";

/// The trigger at the end of the statement.
const SETTLE: &str = "~sexton_settle";

/// The triggers, with the words for each.
pub(super) fn wanted<'a>(scene: &Scene<'a>) -> Vec<(Wanted<'a>, Words)> {
    scene.all().flat_map(|kept| [trigger(scene, &kept), settle_trigger(scene, &kept)]).flatten().collect()
}

/// An UPDATE may take a dead row's key: one of the keys is not of the server's own making.
pub(super) fn fires_on_update<'a>(scene: &Scene<'a>, kept: &Kept<'a>) -> bool {
    let made = |name: &String| kept.table.column(name).is_some_and(is_made);
    applies(kept) && full_keys(scene, kept).iter().any(|key| !key.iter().any(made))
}

fn applies(kept: &Kept<'_>) -> bool {
    kept.has_dead() && kept.settings.reinsert != Reinsert::Error
}

/// The columns of the unique indexes that count dead rows and must.
fn full_keys<'a>(scene: &Scene<'a>, kept: &Kept<'a>) -> Vec<&'a [String]> {
    let Some(scoped) = kept.scoped() else { return Vec::new() };
    let survey = scene.subject.survey;
    let live_columns: Vec<&str> = kept.policy.live.iter().flat_map(|live| live.columns()).collect();
    let indexes = survey.indexes.iter().filter(|index| {
        index.table == kept.table.oid
            && index.is_unique
            && !index.is_exclusion
            && index.predicate.is_none()
            && !lock::is_lock(kept.table, index)
    });
    let keys = indexes.filter_map(|index| {
        let columns = index.columns.as_deref()?;
        // A key that holds the marker is free already.
        let holds_marker = columns.iter().any(|column| live_columns.contains(&column.as_str()));
        (obstacle(scoped, index).is_some() && !holds_marker).then_some(columns)
    });
    keys.collect()
}

fn trigger<'a>(scene: &Scene<'a>, kept: &Kept<'a>) -> Option<(Wanted<'a>, Words)> {
    let keys = full_keys(scene, kept);
    if !applies(kept) || keys.is_empty() {
        return None;
    }
    let table = kept.table;
    let path = scene.search_path(&[table]);
    let ways: Vec<(Function, String)> =
        (0..).zip(&keys).filter_map(|(at, key)| statement(scene, kept, key, at, &path)).collect();
    let (mut functions, statements): (Vec<Function>, Vec<String>) = ways.into_iter().unzip();
    functions.extend(goes_for_good(kept).then(|| back_function(scene, kept)));
    let body = format!(
        "DECLARE\n    way record;\n    is_due boolean;\nBEGIN\n    IF {} THEN\n        RETURN NEW;\n    END IF;\n{}\n    RETURN \
         NEW;\nEND",
        kept.dead("NEW")?,
        statements.join("\n")
    );
    let mut columns: Vec<&String> = keys.iter().copied().flatten().collect();
    columns.extend(
        kept.policy
            .live
            .iter()
            .flat_map(|live| live.columns())
            .filter_map(|name| table.columns.iter().find(|column| column.name == name).map(|column| &column.name)),
    );
    columns.sort_unstable();
    columns.dedup();
    let columns: Vec<String> = columns.into_iter().map(|column| quote(column)).collect();
    // A plan that was made while the table was empty would be kept until the statement that fills it has ended. The
    // image of a row is read back as it was written.
    let settings = match goes_for_good(kept) {
        true => {
            " SET enable_seqscan = off SET datestyle = 'ISO, YMD' SET intervalstyle = postgres SET extra_float_digits = 1"
        }
        false => " SET enable_seqscan = off",
    };
    functions.push(function(function_name(table, "reinsert"), Returns::Trigger, &path, &body).with_settings(settings));
    let wanted = Wanted::new(
        table,
        TRIGGER,
        match fires_on_update(scene, kept) {
            true => format!("BEFORE INSERT OR UPDATE OF {}", columns.join(", ")),
            false => "BEFORE INSERT".to_owned(),
        },
        "FOR EACH ROW",
        functions,
    );
    let refused = "a row that takes the key of a deleted one is refused (23505)";
    let what = match (has_nowhere_to_go(kept), is_due(kept)) {
        (false, _) => refused.to_owned(),
        (true, Some(_)) => format!("{refused}, also where that is older than retain"),
        (true, None) => format!("{refused}, and not told that an archive or reinsert = \"revive\" would let it in"),
    };
    Some((wanted, Words { kind: "reinsert", object: table.quoted(), what }))
}

/// What decides at the end of the statement about rows that were to go for good.
fn settle_trigger<'a>(scene: &Scene<'a>, kept: &Kept<'a>) -> Option<(Wanted<'a>, Words)> {
    if !applies(kept) || full_keys(scene, kept).is_empty() || !goes_for_good(kept) {
        return None;
    }
    let wanted = Wanted::of_base(
        kept.table,
        SETTLE,
        match fires_on_update(scene, kept) {
            true => "AFTER INSERT OR UPDATE".to_owned(),
            false => "AFTER INSERT".to_owned(),
        },
        "FOR EACH STATEMENT",
        "settle",
    );
    let what = "a deleted row whose place nothing takes comes back at COMMIT only".to_owned();
    Some((wanted, Words { kind: "reinsert", object: kept.table.quoted(), what }))
}

/// A dead row whose key is taken goes nowhere, as long as its time is not over.
fn has_nowhere_to_go(kept: &Kept<'_>) -> bool {
    archive_name(kept).is_none() && kept.settings.reinsert != Reinsert::Revive
}

/// A dead row that gives way is not kept: the new one is its revival, or its time is over.
fn goes_for_good(kept: &Kept<'_>) -> bool {
    kept.settings.reinsert == Reinsert::Revive || archive_name(kept).is_none() && is_due(kept).is_some()
}

/// The condition that the time of the dead row `x` is over, where the configuration gives it one.
fn is_due(kept: &Kept<'_>) -> Option<String> {
    let (retain, time) = (kept.settings.retain.as_ref()?, kept.policy.time.as_ref()?);
    Some(format!("x.{} < now() - {}::interval", quote(time), literal(retain)))
}

/// How [`cannot_give_way`] begins.
const CANNOT: &str = "sexton: the deleted row of ";

/// What is said where a deleted row of `table` is held by others.
pub(super) fn cannot_give_way(table: &Table) -> String {
    format!("{CANNOT}{} that holds this key cannot give way", table.quoted())
}

/// An undelete finds no key taken by the row itself.
const ITSELF: &str = " AND (TG_OP = 'INSERT' OR x.ctid <> OLD.ctid)";

/// The dead row of that key gives way: into the archive, or, with `revive`, to the row that takes its place.
fn statement(scene: &Scene<'_>, kept: &Kept<'_>, key: &[String], at: usize, path: &str) -> Option<(Function, String)> {
    let table = kept.table;
    let same = key.iter().map(|column| format!("x.{0} = NEW.{0}", quote(column))).collect::<Vec<_>>().join(" AND ");
    let changed: Vec<String> =
        key.iter().map(|column| format!("NEW.{0} IS DISTINCT FROM OLD.{0}", quote(column))).collect();
    let (from, dead) = (only(table), kept.dead("x")?);
    let rows = format!("{from} AS x WHERE {same} AND {dead}{ITSELF}");
    let let_go = match goes_for_good(kept) {
        true => {
            format!("                    {}\n", exempt::let_go(scene, kept, "x", &rows, &function_name(table, "back")))
        }
        false => String::new(),
    };
    let message = literal(&cannot_give_way(table));
    let way = function_name(table, &format!("way{at}"));
    let row: Vec<String> = key.iter().map(|column| format!("NEW.{0} AS {0}", quote(column))).collect();
    // Of most keys there is no row at all, and one look is all it takes. Where somebody may be about to delete the row of
    // that key, the server's unique check would wait for the outcome, and so must this; the lock is given back at once.
    let statement = format!(
        "    IF TG_OP = 'INSERT' OR {changed} OR {was_dead} THEN
        SELECT x.xmax::text <> '0' AND NOT ({dead}) INTO is_due FROM {from} AS x WHERE {same}{itself};
        IF FOUND AND is_due THEN
{wait}
        END IF;
        IF is_due IS NOT NULL THEN
            PERFORM FROM {rows};
            IF FOUND THEN
{check}                BEGIN
{let_go}                    SELECT {row}, CASE WHEN TG_OP = 'UPDATE' THEN OLD.ctid END AS \"sexton: itself\" INTO way;
                    PERFORM sexton.{way}(way);
                    {back}
                EXCEPTION WHEN foreign_key_violation OR restrict_violation OR feature_not_supported THEN
                    IF starts_with(SQLERRM, '{CANNOT}') THEN
                        RAISE;
                    END IF;
                    RAISE EXCEPTION USING ERRCODE = '23505', MESSAGE = {message}, DETAIL = SQLERRM,
                        HINT = 'Name an archive for the table whose deleted rows point to it, and run sexton apply.';
                END;
            END IF;
        END IF;
    END IF;",
        changed = changed.join(" OR "),
        was_dead = kept.dead("OLD")?,
        check = due_check(kept, &rows),
        wait = lock::wait(&format!("{from} AS x WHERE {same}{ITSELF}")),
        itself = ITSELF,
        row = row.join(", "),
        way = quote(&way),
        back = back(path),
    );
    Some((way_function(scene, kept, key, way)?, statement))
}

/// Without an archive, the row among `rows` goes for good only when its time is over.
fn due_check(kept: &Kept<'_>, rows: &str) -> String {
    if !has_nowhere_to_go(kept) {
        return String::new();
    }
    let due = is_due(kept).unwrap_or_else(|| "false".to_owned());
    let name = kept.table.quoted();
    let message =
        literal(&format!("sexton: a deleted row of {name} holds this key, and nothing says where to keep it"));
    format!(
        "        SELECT {due} INTO is_due FROM {rows};
        IF NOT is_due THEN
            RAISE EXCEPTION USING ERRCODE = '23505', MESSAGE = {message},
                HINT = 'Name an archive for the table, or write reinsert = \"revive\", and run sexton apply.';
        END IF;
"
    )
}

/// Removes the dead row of the key in the record `gone`, but for the row at `gone."sexton: itself"`.
fn way_function(scene: &Scene<'_>, kept: &Kept<'_>, key: &[String], name: String) -> Option<Function> {
    let (table, dead) = (kept.table, kept.dead("x")?);
    let same = key.iter().map(|column| format!("x.{0} = gone.{0}", quote(column))).collect::<Vec<_>>().join(" AND ");
    let body = format!(
        "BEGIN
    DELETE FROM {} AS x WHERE {same} AND {dead} AND (gone.\"sexton: itself\" IS NULL OR x.ctid <> gone.\"sexton: itself\");
END",
        only(table)
    );
    Some(function(name, Returns::Action, &scene.writing_path(table, &[table]), &body).run_as(table))
}

/// Puts a row back out of its image, with whatever columns the table has by now, unless something has taken its place.
fn back_function(scene: &Scene<'_>, kept: &Kept<'_>) -> Function {
    let table = kept.table;
    let body = include_str!("sql/back.sql").replace("THE_TABLE", &literal(&table.quoted()));
    let path = scene.writing_path(table, &[table]);
    function(function_name(table, "back"), Returns::Image, &path, body.trim_end()).run_as(table)
}
