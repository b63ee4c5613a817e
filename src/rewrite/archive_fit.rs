//! Whether an archive table keeps every row that a deletion would put there, whole.

use crate::catalog::column_type::keeps;
use crate::catalog::{Column, Relation, Snapshot};
use crate::config::TableName;
use crate::rewrite::policy::{ARCHIVE, Fault, quote_name};
use crate::sql::ident::quote;

/// Holds the archive `name`, as far as it is there, against the table `relation` called `table`.
///
/// # Errors
/// What would be lost, or keeps rows from going there.
pub(super) fn check(
    table: &TableName,
    relation: &Relation,
    (name, archive): (&TableName, Option<&Relation>),
    snapshot: &Snapshot,
) -> Result<(), Fault> {
    let fault = |message: String, mend: String| Err(Fault { key: ARCHIVE, message, mend });
    let quoted = quote_name(name);
    let Some(archive) = archive else {
        let mend = format!("CREATE TABLE {quoted} (LIKE {})", quote_name(table));
        return fault(format!("the archive table {name} does not exist"), mend);
    };
    let missing: Vec<&Column> =
        relation.columns.iter().filter(|column| archive.column(&column.name).is_none()).collect();
    if !missing.is_empty() {
        let add = missing.iter().map(|column| format!("ADD COLUMN {} {}", quote(&column.name), column.type_name));
        let mend = format!("ALTER TABLE {quoted} {}", add.collect::<Vec<_>>().join(", "));
        let names: Vec<&str> = missing.iter().map(|column| column.name.as_str()).collect();
        return fault(format!("the archive table {name} lacks the column(s) {}", names.join(", ")), mend);
    }
    let both = relation.columns.iter().filter_map(|own| Some((own, archive.column(&own.name)?)));
    for (own, archived) in both {
        if !keeps(&archived.type_name, &own.type_name) {
            let message = format!(
                "the column {} of the archive table {name} is of type {}, which does not keep every value of {}",
                own.name, archived.type_name, own.type_name
            );
            return fault(message, "run sexton check, which says how to widen it".to_owned());
        }
        let generated = match (archived.is_generated(), archived.is_identity_always) {
            (true, _) => Some("EXPRESSION"),
            (false, true) => Some("IDENTITY"),
            (false, false) => None,
        };
        if let Some(generated) = generated {
            let message =
                format!("the column {} of the archive table {name} is generated, and takes no value", own.name);
            let mend = format!("ALTER TABLE {quoted} ALTER COLUMN {} DROP {generated}", quote(&own.name));
            return fault(message, mend);
        }
    }
    for child in snapshot.descendants(relation.oid) {
        if let Some(own) = child.columns.iter().find(|column| relation.column(&column.name).is_none()) {
            let message = format!(
                "{} inherits from it and has a column {} of its own, which a deletion from {table} would lose",
                child.display(),
                own.name
            );
            return fault(message, "let the table itself have that column, or delete = \"soft\"".to_owned());
        }
    }
    Ok(())
}
