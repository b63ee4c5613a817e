//! The triggers that archive what leaves a table inside the server, or keep it from leaving.
//!
//! They look at transition tables, once a statement: one event, one actor, one look at the columns that there are; and a
//! row that an UPDATE moves to another partition is not in them. The server has none for foreign tables, for a parent by
//! inheritance its own columns only, and a single one for what a statement and its cascades delete of the same table:
//! there a trigger looks at each row.

use crate::catalog::column_type::keeps;
use crate::config::{Strategy, TableName};
use crate::rewrite::policy::quote_name;
use crate::schema::objects::archive::{archive_name, records, widens};
use crate::schema::objects::exempt::{TRIED, stays};
use crate::schema::objects::keys::{key_object, text};
use crate::schema::objects::scene::{Kept, Scene, function_name, names};
use crate::schema::objects::wanted::{Returns, Wanted, Words, function};
use crate::schema::survey::{Action, Column, Table};
use crate::sql::ident::{literal, quote};

/// The trigger's name.
const TRIGGER: &str = "sexton_archive";

/// The triggers, with the words for each.
pub(super) fn wanted<'a>(scene: &Scene<'a>) -> Vec<(Wanted<'a>, Words)> {
    // Statement triggers are not copied to partitions, and a function may name one.
    scene.subject.survey.tables.iter().filter_map(|table| trigger(scene, &scene.kept(table)?)).collect()
}

fn trigger<'a>(scene: &Scene<'a>, kept: &Kept<'a>) -> Option<(Wanted<'a>, Words)> {
    let table = kept.table;
    let gone = Gone::of(scene, kept);
    let inside = "pg_catalog.pg_trigger_depth() > 0";
    let (body, when) = match archive_name(kept) {
        Some(name) => (archiving(scene, kept, name, gone), format!("{inside} OR NOT sexton.has_event()")),
        // Nothing keeps the row, and a cascade would take it.
        None if kept.policy.strategy == Strategy::Soft && leaves_by_cascade(scene, kept) => {
            (refusing(scene, kept, gone), inside.to_owned())
        }
        None => return None,
    };
    let function_name = function_name(table, "archive");
    let path = scene.search_path(&[table]);
    let wanted = Wanted::new(
        table,
        TRIGGER,
        "AFTER DELETE",
        format!("{} WHEN ({when})", gone.clauses()),
        vec![function(function_name, Returns::Trigger, &path, &body)],
    );
    let what = "a row that a cascade deletes would be lost".to_owned();
    Some((wanted, Words { kind: "archive-trigger", object: table.quoted(), what }))
}

/// A foreign key with ON DELETE CASCADE takes its rows. Even where the row it points to is only marked: that row leaves
/// when a live one takes its key, or when it is purged.
fn leaves_by_cascade(scene: &Scene<'_>, kept: &Kept<'_>) -> bool {
    scene.references().any(|reference| {
        let child = reference.child.table.oid;
        reference.key.on_delete == Action::Cascade && (child == kept.table.oid || child == kept.policy.oid)
    })
}

/// How a trigger meets the rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Gone {
    /// Those of a statement, in a transition table.
    Together,
    /// One by one.
    EachRow,
}

impl Gone {
    fn of(scene: &Scene<'_>, kept: &Kept<'_>) -> Self {
        let table = kept.table;
        let inherits = |child: &Table| !child.is_partition && child.parents.contains(&table.oid);
        let is_inherited = scene.subject.survey.tables.iter().any(inherits);
        // What a cascade deletes of the very table would be in the transition table of the statement that began it,
        // whose own rows are archived already.
        let is_mixed = kept.policy.strategy == Strategy::Archive
            && !(table.kind == 'p' || table.is_partition)
            && scene.cascades_to_itself(table);
        match table.kind == 'f' || is_inherited || is_mixed {
            true => Self::EachRow,
            false => Self::Together,
        }
    }

    fn clauses(self) -> &'static str {
        match self {
            Self::Together => "REFERENCING OLD TABLE AS gone FOR EACH STATEMENT",
            Self::EachRow => "FOR EACH ROW",
        }
    }

    /// The rows, in a query of the function's own.
    fn rows(self) -> &'static str {
        match self {
            Self::Together => "gone",
            Self::EachRow => "(SELECT OLD.*)",
        }
    }

    /// The rows, in a query that EXECUTE runs USING [`Gone::argument`].
    fn rows_executed(self) -> &'static str {
        match self {
            Self::Together => "gone",
            Self::EachRow => "(SELECT ($1).*)",
        }
    }

    fn argument(self) -> &'static str {
        match self {
            Self::Together => "",
            Self::EachRow => " USING OLD",
        }
    }
}

fn refusing(scene: &Scene<'_>, kept: &Kept<'_>, gone: Gone) -> String {
    let table = kept.table.quoted();
    let message = literal(&format!("sexton: a cascade would destroy a row of {table}"));
    let hint = literal(&format!("Name an archive for {table} in the configuration, and run sexton apply."));
    format!(
        "BEGIN
    IF EXISTS (SELECT FROM {} AS o WHERE {}) THEN
        RAISE EXCEPTION USING ERRCODE = '0A000', MESSAGE = {message},
            DETAIL = 'Deleted rows of the table are to be kept, and it has no archive.',
            HINT = {hint};
    END IF;
    RETURN NULL;
END",
        gone.rows(),
        stays(scene, kept, "o")
    )
}

/// What is said of a deletion beside the row itself. A row that was dead before it left was deleted by whoever marked it,
/// then; what its own columns and the audit do not know of that stays open.
struct Said {
    /// What the audit knows, as a join; or nothing.
    join: String,
    at: String,
    by: String,
    reason: String,
    event: String,
}

impl Said {
    fn new(scene: &Scene<'_>, kept: &Kept<'_>) -> Self {
        let now = |what: &str| format!("(SELECT sexton.{what})");
        let Some(dead) = kept.dead("o") else {
            let (by, reason, event) = (now("actor()"), now("reason()"), now("event(false)"));
            return Self { join: String::new(), at: "now()".to_owned(), by, reason, event };
        };
        let time = kept.policy.time.as_deref().map(|time| format!("o.{}", quote(time)));
        let audited = time.as_ref().filter(|_| kept.settings.audit);
        let join = audited.map(|time| {
            format!(
                " LEFT JOIN LATERAL (SELECT d.event, d.actor, d.reason FROM sexton.deletions AS d
            WHERE {dead} AND d.at = {time} AND d.relation = {} AND d.keys @> jsonb_build_array({})
            ORDER BY d.id LIMIT 1) AS was ON true",
                literal(&scene.registered(kept).quoted()),
                key_object(scene.subject.survey, kept.table, "o")
            )
        });
        let known = |column: &str, recorded: &str, otherwise: &str| {
            let own = kept.table.column(column).map(|found| match (found.is_builtin, quote(&found.name)) {
                (true, name) => format!("o.{name}::text"),
                (false, name) => text(&format!("o.{name}")),
            });
            let audit = join.as_ref().map(|_| format!("was.{recorded}"));
            let ways: Vec<String> = own.into_iter().chain(audit).chain([otherwise.to_owned()]).collect();
            format!("coalesce({})", ways.join(", "))
        };
        let either = |was: String, is: String| format!("CASE WHEN {dead} THEN {was} ELSE {is} END");
        let event = join.as_ref().map_or("gen_random_uuid()", |_| "coalesce(was.event, gen_random_uuid())");
        Self {
            at: either(format!("coalesce({}, now())", time.as_deref().unwrap_or("NULL")), "now()".to_owned()),
            by: either(known("deleted_by", "actor", "NULL::text"), now("actor()")),
            reason: either(known("delete_reason", "reason", "NULL::text"), now("reason()")),
            event: either(event.to_owned(), now("event(false)")),
            join: join.unwrap_or_default(),
        }
    }

    fn value(&self, record: &str) -> &str {
        match record {
            "archived_at" => &self.at,
            "archived_by" => &self.by,
            "archive_reason" => &self.reason,
            "deletion_id" => &self.event,
            _ => "pg_current_xact_id()::text::bigint",
        }
    }
}

/// The columns of the table with their types, in the order of their names, as the function reads them: of a type that is
/// not the server's own, without it. Empty where the archive does not keep every value, and will not.
fn kept_columns(scene: &Scene<'_>, table: &Table, archive: &TableName) -> Vec<String> {
    let there = scene.subject.survey.find(&archive.schema, &archive.relation);
    let is_cut = |column: &Column| {
        let pair = there.and_then(|there| Some((there, there.column(&column.name)?)));
        pair.is_some_and(|(there, archived)| {
            !keeps(&archived.type_name, &column.type_name) && !widens(there, archived, &column.type_name)
        })
    };
    if table.columns.iter().any(is_cut) {
        return Vec::new();
    }
    let mut sorted: Vec<&Column> = table.columns.iter().collect();
    sorted.sort_unstable_by_key(|column| &column.name);
    let typed = sorted.into_iter().map(|Column { name, type_name, .. }| match type_name.contains('.') {
        true => format!("{name} "),
        false => format!("{name} {type_name}"),
    });
    typed.collect()
}

/// The column list is static. A table that has other columns by now takes a slower way, by the names it has, where the
/// archive has them of the very types.
fn archiving(scene: &Scene<'_>, kept: &Kept<'_>, name: &TableName, gone: Gone) -> String {
    let (table, archive) = (kept.table, quote_name(name));
    let said = Said::new(scene, kept);
    let columns: Vec<String> = table.columns.iter().map(|column| quote(&column.name)).collect();
    let event = format!("coalesce(o.deletion_id, {})", said.event);
    let values = table.columns.iter().map(|column| match column.name.as_str() {
        "deletion_id" => event.clone(),
        name => format!("o.{}", quote(name)),
    });
    let extra_names: String = records(table).map(|(name, _)| format!(", {name}")).collect();
    let extra_values: String = records(table).map(|(name, _)| format!(", {}", said.value(name))).collect();
    let insert = |columns: &str, values: &str, rows: &str| {
        format!(
            "INSERT INTO {archive} ({columns}{extra_names})
            SELECT {values}{extra_values} FROM {rows} AS o{} WHERE {}",
            said.join,
            stays(scene, kept, "o")
        )
    };
    let executed = insert("\u{1}", "\u{1}", gone.rows_executed()).replace('%', "%%").replace('\u{1}', "%s");
    format!(
        "DECLARE
    here constant text[] := ARRAY(
        SELECT attname::text FROM pg_attribute WHERE attrelid = TG_RELID AND attnum > 0 AND NOT attisdropped
        ORDER BY attname COLLATE \"C\");
    typed constant text[] := ARRAY(
        SELECT format('%s %s', a.attname,
            CASE t.typnamespace WHEN 'pg_catalog'::regnamespace THEN format_type(a.atttypid, a.atttypmod) END)
        FROM pg_attribute AS a JOIN pg_type AS t ON t.oid = a.atttypid
        WHERE a.attrelid = TG_RELID AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attname COLLATE \"C\");
    lacking text;
BEGIN
    IF NOT EXISTS (SELECT FROM {0} AS o) OR {TRIED} THEN
        RETURN NULL;
    END IF;
    IF EXISTS (SELECT FROM pg_class AS c JOIN pg_roles AS r ON r.oid = c.relowner
            WHERE c.oid = {3}::regclass AND NOT r.rolsuper AND r.rolname <> current_user) THEN
        RAISE insufficient_privilege USING MESSAGE = {8}, HINT = 'sexton check says whose it may be.';
    END IF;
    IF typed = {1} THEN
        {2};
        RETURN NULL;
    END IF;
{4}
    EXECUTE format({5},
        (SELECT string_agg(quote_ident(column_name), ', ') FROM unnest(here) AS column_name),
        (SELECT string_agg(CASE column_name
            WHEN 'deletion_id' THEN {6}
            ELSE 'o.' || quote_ident(column_name) END, ', ') FROM unnest(here) AS column_name)){7};
    RETURN NULL;
END",
        gone.rows(),
        names(&kept_columns(scene, table, name)),
        insert(&columns.join(", "), &values.collect::<Vec<_>>().join(", "), gone.rows()),
        literal(&archive),
        losing(&archive),
        literal(&executed),
        literal(&event),
        gone.argument(),
        literal(&format!("sexton: the archive table {archive} belongs to somebody else")),
    )
}

/// Refuses what the archive has no column for, or one of another type.
fn losing(archive: &str) -> String {
    let message = |what: &str| literal(&format!("sexton: the archive table {} {what} %s", archive.replace('%', "%%")));
    let (table, lacks, cuts) =
        (literal(archive), message("lacks the column(s)"), message("may not keep every value of"));
    format!(
        "    SELECT string_agg(column_name, ', ') INTO lacking FROM unnest(here) AS column_name WHERE NOT EXISTS (
        SELECT FROM pg_attribute WHERE attrelid = {table}::regclass AND attname = column_name AND NOT attisdropped);
    IF lacking IS NOT NULL THEN
        RAISE EXCEPTION USING ERRCODE = '42703',
            MESSAGE = format({lacks}, lacking),
            HINT = 'Run sexton apply, which adds it.';
    END IF;
    SELECT string_agg(o.attname, ', ' ORDER BY o.attnum) INTO lacking
    FROM pg_attribute AS o JOIN pg_attribute AS a ON a.attname = o.attname AND a.attrelid = {table}::regclass
    WHERE o.attrelid = TG_RELID AND o.attnum > 0 AND NOT o.attisdropped AND NOT a.attisdropped
        AND (o.atttypid, o.atttypmod) <> (a.atttypid, a.atttypmod);
    IF lacking IS NOT NULL THEN
        RAISE EXCEPTION USING ERRCODE = '42804',
            MESSAGE = format({cuts}, lacking),
            HINT = 'Run sexton apply, or look at what sexton check says of the archive.';
    END IF;"
    )
}
