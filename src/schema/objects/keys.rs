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

/// The key of the row `alias` as a JSON object; of a table without one, the whole row.
pub(super) fn key_object(columns: Option<&[String]>, alias: &str) -> String {
    match columns {
        None => format!("to_jsonb({alias}.*)"),
        Some(columns) => {
            let pairs = columns.iter().map(|column| format!("{}, {alias}.{}", literal(column), quote(column)));
            format!("jsonb_build_object({})", pairs.collect::<Vec<_>>().join(", "))
        }
    }
}
