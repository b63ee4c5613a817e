//! The database as it will be once `apply` has added the marker columns: the plan for everything else rests on them.

use std::sync::Arc;

use crate::catalog::{self, Snapshot};
use crate::config::{Database, Strategy, Table};
use crate::schema::survey::{self, Survey};

/// The type of a marker column that `apply` adds.
pub(crate) const MARKER_TYPE: &str = "timestamp with time zone";

/// The marker that a soft table of the configuration lacks and that `apply` can add: one whose type says what live means.
pub(crate) fn missing_marker<'a>(table: &'a Table, survey: &Survey) -> Option<&'a str> {
    let there = survey.find(&table.name.schema, &table.name.relation)?;
    let marker = table.marker().filter(|_| table.delete == Strategy::Soft && table.live.is_none())?;
    there.column(marker).is_none().then_some(marker)
}

/// Adds the missing marker columns to both readings of the catalog.
#[must_use]
pub fn presume(database: &Database, snapshot: Snapshot, mut survey: Survey) -> (Arc<Snapshot>, Survey) {
    let missing: Vec<(u32, &str)> = database
        .tables
        .iter()
        .filter_map(|table| {
            let there = survey.find(&table.name.schema, &table.name.relation)?;
            Some((there.oid, missing_marker(table, &survey)?))
        })
        .collect();
    if missing.is_empty() {
        return (Arc::new(snapshot), survey);
    }
    let mut relations: Vec<catalog::Relation> = snapshot.relations().cloned().collect();
    for (oid, marker) in missing {
        let mut family: Vec<u32> = snapshot.descendants(oid).iter().map(|relation| relation.oid).collect();
        family.push(oid);
        for relation in relations.iter_mut().filter(|relation| family.contains(&relation.oid)) {
            relation.columns.push(catalog::Column {
                name: marker.to_owned(),
                type_name: MARKER_TYPE.to_owned(),
                ..catalog::Column::default()
            });
        }
        for table in survey.tables.iter_mut().filter(|table| family.contains(&table.oid)) {
            let type_name = MARKER_TYPE.to_owned();
            table.columns.push(survey::Column { name: marker.to_owned(), type_name, ..survey::Column::default() });
        }
    }
    (Arc::new(Snapshot::new(snapshot.server_version, relations)), survey)
}
