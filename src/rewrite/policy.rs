//! What deletion means for one registered table, resolved against the columns it has.

use crate::catalog::{Column, ForeignKey, Relation, Snapshot};
use crate::config::{OnMention, Reference, Strategy, Table, TableName, Truncate};
use crate::rewrite::archive_fit;
use crate::rewrite::as_of::AsOf;
use crate::rewrite::state::Rows;
use crate::sql::ident::{quote, quote_qualified};
use crate::sql::predicate::Predicate;

/// What a column held before a deletion set it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Before {
    /// NULL, since only live rows are marked and a live row has it NULL.
    Null,
    /// `false`, for the same reason.
    False,
    /// Only the row itself tells.
    Unknown,
}

/// One column that a deletion sets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mark {
    /// Column name as stored.
    pub column: String,
    /// What it is set to.
    pub value: Predicate,
    /// What it held before.
    pub before: Before,
}

/// A foreign key through which deleted rows stay visible.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Through {
    /// The referencing relation, as an oid.
    pub table: u32,
    /// Its columns, in key order.
    pub columns: Vec<String>,
    /// The columns they point to, in the same order.
    pub referenced: Vec<String>,
}

/// Where deleted rows go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Archive {
    /// The archive table.
    pub table: TableName,
    /// Its columns as stored; empty where the catalog is not known.
    pub columns: Vec<String>,
}

/// The policy of one registered table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// The table as configured.
    pub table: TableName,
    /// The relation it is resolved against; 0 where there is none.
    pub oid: u32,
    /// What DELETE means.
    pub strategy: Strategy,
    /// What TRUNCATE means.
    pub truncate: Truncate,
    /// Holds for live rows; `None`: every row in the table is live.
    pub live: Option<Predicate>,
    /// Holds for deleted rows.
    pub deleted: Option<Predicate>,
    /// The marker column as stored.
    pub marker: Option<String>,
    /// The column that says when a row was deleted, where there is one.
    pub time: Option<String>,
    /// What a reference meets whose block tests the marker itself.
    pub on_mention: OnMention,
    /// The foreign keys through which a reference keeps deleted rows.
    pub through: Vec<Through>,
    /// What a soft deletion sets.
    pub marks: Vec<Mark>,
    /// Where an archived row goes.
    pub archive: Option<Archive>,
    /// What the database lacks; what depends on it is refused.
    pub fault: Option<Fault>,
}

/// The key that [`Fault`]s of archives concern: without one a table can be read, but not deleted from.
pub(crate) const ARCHIVE: &str = "archive";

/// Something the database lacks for a policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The key it concerns.
    pub key: &'static str,
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub mend: String,
}

/// What records a deletion.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Record {
    Event,
    Actor,
    Reason,
    Time,
    Transaction,
}

/// Columns that record a deletion wherever a table has them.
const RECORDS: &[(&str, Record)] =
    &[("deletion_id", Record::Event), ("deleted_by", Record::Actor), ("delete_reason", Record::Reason)];

/// The same for archive tables, with their types.
const ARCHIVE_RECORDS: &[(&str, &str, Record)] = &[
    ("archived_at", "timestamp with time zone", Record::Time),
    ("archived_by", "text", Record::Actor),
    ("archive_reason", "text", Record::Reason),
    ("archive_txid", "bigint", Record::Transaction),
    ("deletion_id", "uuid", Record::Event),
];

/// Columns that an archive has beside its table's own, with their types.
pub fn archive_records() -> impl Iterator<Item = (&'static str, &'static str)> {
    ARCHIVE_RECORDS.iter().map(|(name, type_name, _)| (*name, *type_name))
}

impl Record {
    /// False where `column` is of a type that takes no such value: it is the application's own, by the same name.
    fn fits(self, column: &Column) -> bool {
        /// The server's own types that are neither text nor uuid; domains and types of extensions are tried.
        const OTHERS: &[&str] = &[
            "smallint",
            "integer",
            "bigint",
            "numeric",
            "real",
            "double precision",
            "boolean",
            "date",
            "interval",
            "json",
            "jsonb",
            "bytea",
            "oid",
        ];
        let name = column.type_name.split('(').next().unwrap_or_default().trim();
        let is_other = OTHERS.contains(&name) || name.starts_with("time") || name.ends_with("[]");
        !is_other && (name != "uuid" || self == Self::Event)
    }

    /// The expression that fills it: by a function of schema `sexton` where there is one, which knows what is said in
    /// the statement's comments, and tells the same event to whatever the deletion brings about.
    fn value(self, relation: &Relation, snapshot: &Snapshot) -> &'static str {
        match self {
            // One value a statement: a subquery without references is evaluated once.
            Self::Event if has_events(relation, snapshot) => NEW_EVENT,
            Self::Event => "(SELECT gen_random_uuid())",
            Self::Actor if snapshot.has_function("actor()", relation) => "(SELECT sexton.actor())",
            Self::Actor => "coalesce(nullif(current_setting('sexton.actor', true), ''), session_user)",
            Self::Reason if snapshot.has_function("reason()", relation) => "(SELECT sexton.reason())",
            Self::Reason => "nullif(current_setting('sexton.reason', true), '')",
            Self::Time => "now()",
            Self::Transaction => "pg_current_xact_id()::text::bigint",
        }
    }
}

/// Begins a deletion event, and gives its id.
pub const NEW_EVENT: &str = "(SELECT sexton.event(true))";
/// The id of the event that the statement has begun elsewhere.
pub const THIS_EVENT: &str = "(SELECT sexton.event(false))";

/// True where a deletion from `relation` can tell its event to triggers.
#[must_use]
pub fn has_events(relation: &Relation, snapshot: &Snapshot) -> bool {
    snapshot.has_function("event(boolean)", relation)
}

/// Expressions that give the time of the deletion.
const NOW: &[&str] =
    &["now()", "current_timestamp", "transaction_timestamp()", "statement_timestamp()", "clock_timestamp()"];

impl Archive {
    /// The columns of the archive that record a deletion from `relation` itself, with their expressions; those that it has
    /// as well are left out.
    pub fn records<'a>(
        &'a self,
        relation: &'a Relation,
        snapshot: &'a Snapshot,
    ) -> impl Iterator<Item = (&'static str, &'static str)> + 'a {
        let records = ARCHIVE_RECORDS
            .iter()
            .filter(|(name, ..)| self.columns.iter().any(|column| column == name) && relation.column(name).is_none());
        records.map(|(name, _, record)| (*name, record.value(relation, snapshot)))
    }
}

impl Policy {
    /// Resolves `table` against `relation`; `None` for a table that does not exist yet, or without a catalog,
    /// where the marker is taken to be a timestamp.
    #[must_use]
    pub fn resolve(table: &Table, relation: Option<&Relation>, snapshot: &Snapshot) -> Self {
        let mut policy = Self {
            table: table.name.clone(),
            oid: relation.map_or(0, |relation| relation.oid),
            strategy: table.delete,
            truncate: table.truncate,
            live: None,
            deleted: None,
            marker: table.marker().map(str::to_owned),
            time: None,
            on_mention: table.on_mention,
            through: through(table, relation, snapshot),
            marks: Vec::new(),
            archive: None,
            fault: None,
        };
        let resolved = policy
            .resolve_live(table, relation)
            .and_then(|()| policy.resolve_marks(table, relation, snapshot))
            .and_then(|()| policy.resolve_archive(table, relation, snapshot));
        policy.fault = resolved.err();
        policy.time = policy.deletion_time(table, relation);
        policy
    }

    /// What parent and child must have in common: each statement on the parent goes by the parent's, for the child's rows too.
    pub(super) fn rule(&self) -> (Option<&Predicate>, Strategy, Option<&TableName>) {
        (self.live.as_ref(), self.strategy, self.archive.as_ref().map(|archive| &archive.table))
    }

    /// The predicate that limits a reference to the rows that lived at `as_of`; `None` where nothing limits it.
    #[must_use]
    pub fn limit_as_of(&self, as_of: &AsOf, qualifier: &str) -> Option<String> {
        let live = self.live.as_ref()?.render(qualifier);
        Some(match &self.time {
            Some(time) => format!("({live} OR {qualifier}.{} > {})", quote(time), as_of.literal()),
            None => live,
        })
    }

    /// The column that a deletion sets to its time: a marker that is a time itself, or one that `mark` sets to now.
    fn deletion_time(&self, table: &Table, relation: Option<&Relation>) -> Option<String> {
        let is_time = |column: &str| match relation {
            Some(relation) => relation.column(column).is_some_and(|column| column.type_name.starts_with("timestamp")),
            None => true,
        };
        let own = table.marker().filter(|_| table.live.is_none());
        let set = self.marks.iter().filter(|mark| NOW.contains(&mark.value.plain().to_ascii_lowercase().as_str()));
        own.into_iter()
            .chain(set.map(|mark| mark.column.as_str()).filter(|_| own.is_none()))
            .find(|column| is_time(column))
            .map(str::to_owned)
    }

    /// The predicate that limits a reference to `rows`, for `qualifier`; `None` where nothing limits it.
    #[must_use]
    pub fn limit(&self, rows: Rows, qualifier: &str) -> Option<String> {
        let predicate = match rows {
            Rows::All => return None,
            Rows::Live => self.live.as_ref()?,
            // No live predicate: no row in the table is a deleted one.
            Rows::Deleted => match &self.deleted {
                Some(predicate) => predicate,
                None => return Some("false".to_owned()),
            },
        };
        Some(predicate.render(qualifier))
    }

    /// The columns that say whether a row is live, and those that a deletion sets.
    pub fn marker_columns(&self) -> impl Iterator<Item = &str> {
        let live = self.live.iter().flat_map(|live| live.columns());
        let marks = self.marks.iter().map(|mark| mark.column.as_str());
        self.marker.as_deref().into_iter().chain(live).chain(marks)
    }

    /// True where the other policy asks the same of every statement. An archive is always another.
    #[must_use]
    pub fn is_like(&self, other: &Self) -> bool {
        let Self {
            table: _,
            oid: _,
            strategy,
            truncate,
            live,
            deleted,
            marker,
            marks,
            archive,
            fault,
            time,
            on_mention,
            through,
        } = self;
        (strategy, truncate, live, deleted, marker, marks)
            == (&other.strategy, &other.truncate, &other.live, &other.deleted, &other.marker, &other.marks)
            && (time, on_mention, through) == (&other.time, &other.on_mention, &other.through)
            && archive.is_none()
            && other.archive.is_none()
            && fault == &other.fault
    }

    /// True where neither reads nor DELETE change.
    #[must_use]
    pub fn is_transparent(&self) -> bool {
        self.strategy == Strategy::Hard && self.live.is_none() && self.fault.is_none()
    }

    fn resolve_live(&mut self, table: &Table, relation: Option<&Relation>) -> Result<(), Fault> {
        let (live, deleted) = if let Some(live) = &table.live {
            (live.within("(", ")"), live.within("(", ") IS NOT TRUE"))
        } else if let Some(marker) = table.marker() {
            let column = Predicate::column(marker);
            match marker_kind(table, relation, marker)? {
                MarkerKind::Time => (column.within("", " IS NULL"), column.within("", " IS NOT NULL")),
                MarkerKind::Flag => (column.within("NOT ", ""), column),
                MarkerKind::NullableFlag => (column.within("", " IS NOT TRUE"), column.within("", " IS TRUE")),
            }
        } else {
            return Ok(());
        };
        check_columns("live", live.columns(), relation)?;
        self.live = Some(live);
        self.deleted = Some(deleted);
        Ok(())
    }

    fn resolve_marks(&mut self, table: &Table, relation: Option<&Relation>, snapshot: &Snapshot) -> Result<(), Fault> {
        if table.delete != Strategy::Soft {
            return Ok(());
        }
        for assignment in &table.mark {
            self.marks.push(Mark {
                column: assignment.column.clone(),
                value: assignment.expression.clone(),
                before: self.before_live_null(&assignment.column, table),
            });
        }
        if table.mark.is_empty()
            && let Some(marker) = table.marker()
        {
            let (value, before) = match marker_kind(table, relation, marker)? {
                MarkerKind::Time => ("now()", Before::Null),
                MarkerKind::Flag => ("true", Before::False),
                MarkerKind::NullableFlag => ("true", Before::Unknown),
            };
            self.marks.push(Mark { column: marker.to_owned(), value: Predicate::without_columns(value), before });
        }
        check_columns("mark", self.marks.iter().map(|mark| mark.column.as_str()), relation)?;
        for (column, record) in RECORDS {
            let is_filled = |relation: &&Relation| relation.column(column).is_some_and(|column| record.fits(column));
            if let Some(relation) = relation.filter(is_filled)
                && !self.marks.iter().any(|mark| mark.column == *column)
            {
                let value = Predicate::without_columns(record.value(relation, snapshot));
                self.marks.push(Mark { column: (*column).to_owned(), value, before: Before::Unknown });
            }
        }
        Ok(())
    }

    /// With `mark` given but `live` left to the marker, a live row still has the marker NULL.
    fn before_live_null(&self, column: &str, table: &Table) -> Before {
        let is_null = self.live.as_ref().is_some_and(|live| live.plain() == format!("{} IS NULL", quote(column)));
        if table.live.is_none() && is_null { Before::Null } else { Before::Unknown }
    }

    fn resolve_archive(
        &mut self,
        table: &Table,
        relation: Option<&Relation>,
        snapshot: &Snapshot,
    ) -> Result<(), Fault> {
        let (Strategy::Archive, Some(name)) = (table.delete, &table.archive) else { return Ok(()) };
        let archive = snapshot.find(&name.schema, &name.relation);
        let there = archive.map_or(&[][..], |archive| &archive.columns);
        let columns: Vec<String> = there.iter().map(|column| column.name.clone()).collect();
        let Some(relation) = relation else {
            self.archive = Some(Archive { table: name.clone(), columns });
            return Ok(());
        };
        archive_fit::check(&table.name, relation, (name, archive), snapshot)?;
        self.archive = Some(Archive { table: name.clone(), columns });
        Ok(())
    }
}

/// The foreign keys that `visible_through` names, as the catalog has them.
fn through(table: &Table, relation: Option<&Relation>, snapshot: &Snapshot) -> Vec<Through> {
    let keys = table.visible_through.iter().flat_map(|reference| foreign_keys(reference, relation, snapshot));
    let resolved = keys.map(|(referencing, key)| Through {
        table: referencing.oid,
        columns: key.columns.clone(),
        referenced: key.referenced.clone(),
    });
    resolved.collect()
}

/// The foreign keys with the column of `reference` that point to `relation`.
pub fn foreign_keys<'a>(
    reference: &'a Reference,
    relation: Option<&'a Relation>,
    snapshot: &'a Snapshot,
) -> impl Iterator<Item = (&'a Relation, &'a ForeignKey)> {
    let referencing = snapshot.find(&reference.table.schema, &reference.table.relation);
    let keys = referencing
        .into_iter()
        .flat_map(|referencing| referencing.foreign_keys.iter().map(move |key| (referencing, key)));
    keys.filter(move |(_, key)| {
        key.columns.contains(&reference.column) && relation.is_some_and(|relation| relation.oid == key.references)
    })
}

enum MarkerKind {
    Time,
    Flag,
    NullableFlag,
}

fn marker_kind(table: &Table, relation: Option<&Relation>, marker: &str) -> Result<MarkerKind, Fault> {
    let Some(relation) = relation else { return Ok(MarkerKind::Time) };
    let Some(column) = relation.column(marker) else {
        return Err(Fault {
            key: "column",
            message: format!("the marker column \"{marker}\" does not exist"),
            mend: format!(
                "ALTER TABLE {} ADD COLUMN {} timestamptz, or name another with column = \"…\"",
                quote_name(&table.name),
                quote(marker)
            ),
        });
    };
    let base = column.type_name.split('(').next().unwrap_or_default();
    match (base.trim(), column.not_null) {
        ("date", _) => Ok(MarkerKind::Time),
        (name, _) if name.starts_with("timestamp") => Ok(MarkerKind::Time),
        ("boolean", true) => Ok(MarkerKind::Flag),
        ("boolean", false) => Ok(MarkerKind::NullableFlag),
        _ => Err(Fault {
            key: "column",
            message: format!(
                "the marker column \"{marker}\" is of type {}, which does not say what live means",
                column.type_name
            ),
            mend: "give live = \"…\" and mark = { … } for it".to_owned(),
        }),
    }
}

fn check_columns<'a>(
    key: &'static str,
    columns: impl Iterator<Item = &'a str>,
    relation: Option<&Relation>,
) -> Result<(), Fault> {
    let Some(relation) = relation else { return Ok(()) };
    for column in columns {
        if relation.column(column).is_none() {
            return Err(Fault {
                key,
                message: format!("{}.{} has no column \"{column}\"", relation.schema, relation.name),
                mend: "use a column that the table has".to_owned(),
            });
        }
    }
    Ok(())
}

/// `schema.relation`, quoted where needed.
#[must_use]
pub fn quote_name(name: &TableName) -> String {
    quote_qualified(&name.schema, &name.relation)
}
