//! How rows of a table are told apart: the primary key, or what comes nearest.

use crate::schema::survey::{Column, Survey, Table};
use crate::sql::ident::{literal, quote};

/// The columns of the primary key, or of a unique index whose columns are all NOT NULL.
pub(super) fn identity<'a>(survey: &'a Survey, table: &Table) -> Option<&'a [String]> {
    let not_null =
        |columns: &Vec<String>| columns.iter().all(|column| table.column(column).is_some_and(|column| column.not_null));
    let unique = survey.indexes.iter().filter(|index| {
        index.table == table.oid
            && index.is_unique
            && index.is_valid
            && !index.is_exclusion
            && index.predicate.is_none()
    });
    let candidates: Vec<_> = unique.filter(|index| index.columns.as_ref().is_some_and(not_null)).collect();
    let best = candidates.iter().find(|index| index.is_primary).or_else(|| candidates.first())?;
    best.columns.as_deref()
}

/// Its values are the server's own making: an UPDATE of them is not to be expected.
pub(super) fn is_made(column: &Column) -> bool {
    let default = column.default.as_deref().unwrap_or_default();
    column.identity
        || ["nextval(", "gen_random_uuid(", "uuid_generate_", "uuidv"].iter().any(|made| default.contains(made))
}

/// The key of the row `alias` of `table` as a JSON object; without a key, the whole row.
pub(super) fn key_object(survey: &Survey, table: &Table, alias: &str) -> String {
    let all: Vec<String> = table.columns.iter().map(|column| column.name.clone()).collect();
    object(table, identity(survey, table).unwrap_or(&all), |column| format!("{alias}.{}", quote(column)))
}

/// The text of `value`, by its type's output function, not by a cast; NULL stays NULL. A composite value with a NULL in it
/// is neither NULL nor NOT NULL.
pub(super) fn text(value: &str) -> String {
    format!("CASE WHEN num_nulls({value}) = 0 THEN format('%s', {value}) END")
}

/// A JSON object of `columns` of `table` and what `value` says they hold. A value of somebody's own type is a text: JSON
/// functions call the casts that its owner has made.
pub(super) fn object(table: &Table, columns: &[String], value: impl Fn(&str) -> String) -> String {
    let pairs = columns.iter().map(|column| {
        let is_builtin = table.column(column).is_some_and(|column| column.is_builtin);
        let value = value(column);
        match is_builtin {
            true => format!("{}, {value}", literal(column)),
            false => format!("{}, {}", literal(column), text(&value)),
        }
    });
    // A function takes a hundred arguments at most.
    let pairs: Vec<String> = pairs.collect();
    let parts = pairs.chunks(50).map(|chunk| format!("jsonb_build_object({})", chunk.join(", ")));
    parts.collect::<Vec<_>>().join(" || ")
}
