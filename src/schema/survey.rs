//! What one database holds, as far as deletion is concerned: tables, keys, foreign keys, triggers, Sexton's own objects.
//!
//! One query answers with one JSON text; whoever has a connection sends it. Names are as stored, oids are the server's.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::sql::ident::quote_qualified;

/// The query. Its one row has one column of type `text`, for [`Survey::parse`].
pub const QUERY: &str = include_str!("survey.sql");

/// Which tables the proxies of a database have noted, where `sexton.tables` is there: one oid a line.
pub const NOTED: &str = "SELECT coalesce((pg_catalog.to_jsonb(t) ->> 'oid')::pg_catalog.oid, \
                         pg_catalog.to_regclass(t.relation)::pg_catalog.oid) FROM sexton.tables t";

/// A survey of one database.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Survey {
    /// `server_version_num`, such as 150018.
    pub server_version: u32,
    /// Every permanent table outside the system's schemas, partitioned ones and partitions among them, by schema and name.
    pub tables: Vec<Table>,
    /// Every index of those tables.
    pub indexes: Vec<Index>,
    /// Every foreign key of those tables.
    pub foreign_keys: Vec<ForeignKey>,
    /// Every CHECK constraint that a table has of its own.
    pub checks: Vec<Check>,
    /// Which tables are in which publications.
    pub publications: Vec<Publication>,
    /// Every trigger on those tables that belongs to no constraint of the server's own.
    pub triggers: Vec<Trigger>,
    /// Who may create objects in each schema, superusers left out.
    pub creators: BTreeMap<String, Vec<String>>,
    /// Roles that may do everything.
    pub superusers: Vec<String>,
    /// Whoever asks.
    pub asker: String,
    /// The role that the database belongs to.
    pub database_owner: String,
    /// The role that schema `sexton` and what is in it belong to, or will.
    pub own_owner: String,
    /// The role that the schema belongs to now; where it is not there, as [`Survey::own_owner`].
    pub own_holder: String,
    /// Whoever asks is that role, or a member of it.
    pub is_member: bool,
    /// Who else is granted CREATE on the schema; `public` is everybody.
    pub own_creators: Vec<String>,
    /// The tables, sequences and whatever else has a row in `pg_class` in schema `sexton`.
    pub own_relations: Vec<OwnRelation>,
    /// The functions in schema `sexton`.
    pub own_routines: Vec<Routine>,
    /// Whoever asks is a superuser.
    pub is_superuser: bool,
    /// Schema `sexton` is there.
    pub has_own_schema: bool,
    /// The tables that `sexton.tables` names, for [`NOTED`] to say.
    #[serde(default)]
    pub noted: Vec<u32>,
}

/// A table.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Table {
    /// `pg_class.oid`
    pub oid: u32,
    /// Schema name.
    pub schema: String,
    /// Table name.
    pub name: String,
    /// `pg_class.relkind`: `r`, `p` or `f`.
    pub kind: char,
    /// Role that owns it.
    pub owner: String,
    /// It is a partition.
    pub is_partition: bool,
    /// Tables it inherits from or is a partition of, directly.
    pub parents: Vec<u32>,
    /// In attribute order.
    pub columns: Vec<Column>,
    /// The columns it is partitioned by, expressions left out; empty for any other table.
    pub partition_key: Vec<String>,
    /// `pg_class.relreplident`
    pub replica_identity: char,
    /// Row-level security is on.
    pub row_security: bool,
    /// It holds for the owner too.
    pub forces_row_security: bool,
    /// It hides rows from the functions of schema `sexton`, or would: their owner cannot bypass it.
    pub hides_rows: bool,
    /// The planner's estimate; negative where it has none.
    pub rows_estimate: i64,
}

/// A column that is not dropped.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// `format_type`, such as `timestamp with time zone`.
    pub type_name: String,
    /// The type without a length and the like; of a domain, what it is made of.
    pub base_type: String,
    /// That type is the server's own.
    pub is_builtin: bool,
    /// Where that type's operators are, unless in `pg_catalog`.
    pub type_schema: Option<String>,
    /// NOT NULL.
    pub not_null: bool,
    /// GENERATED ALWAYS AS (…).
    pub generated: bool,
    /// GENERATED … AS IDENTITY.
    pub identity: bool,
    /// The DEFAULT expression.
    pub default: Option<String>,
}

/// An index.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Index {
    /// `pg_class.oid`
    pub oid: u32,
    /// The table.
    pub table: u32,
    /// Its name; its schema is its table's.
    pub name: String,
    /// Key columns as `pg_get_indexdef` writes them: quoted names, or expressions in parentheses.
    pub keys: Vec<String>,
    /// The names of the key columns, where none is an expression.
    pub columns: Option<Vec<String>>,
    /// UNIQUE.
    pub is_unique: bool,
    /// It belongs to the primary key.
    pub is_primary: bool,
    /// False after a CREATE INDEX CONCURRENTLY that failed.
    pub is_valid: bool,
    /// NULLS NOT DISTINCT.
    pub nulls_not_distinct: bool,
    /// The WHERE clause.
    pub predicate: Option<String>,
    /// The constraint it stands for, of the same name.
    pub is_constraint: bool,
    /// `pg_get_constraintdef` of that constraint.
    pub constraint_definition: Option<String>,
    /// That constraint is DEFERRABLE.
    pub is_deferrable: bool,
    /// That constraint is an exclusion constraint.
    pub is_exclusion: bool,
    /// Some foreign key points to it.
    pub is_referenced: bool,
    /// REPLICA IDENTITY USING INDEX names it.
    pub is_replica_identity: bool,
    /// It is the copy of a partitioned table's index.
    pub is_partition: bool,
    /// Its tablespace, where it is not the database's own.
    pub tablespace: Option<String>,
    /// COMMENT ON CONSTRAINT, or ON INDEX
    pub comment: Option<String>,
    /// `pg_get_indexdef`
    pub definition: String,
}

/// What a foreign key does when the row it points to is deleted, or changes its key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub enum Action {
    /// NO ACTION
    #[serde(rename = "a")]
    NoAction,
    /// RESTRICT
    #[serde(rename = "r")]
    Restrict,
    /// CASCADE
    #[serde(rename = "c")]
    Cascade,
    /// SET NULL
    #[serde(rename = "n")]
    SetNull,
    /// SET DEFAULT
    #[serde(rename = "d")]
    SetDefault,
}

impl Action {
    /// `pg_constraint.confdeltype`
    #[must_use]
    pub fn letter(self) -> char {
        match self {
            Self::NoAction => 'a',
            Self::Restrict => 'r',
            Self::Cascade => 'c',
            Self::SetNull => 'n',
            Self::SetDefault => 'd',
        }
    }
}

/// A foreign key; those that the server copies to partitions are left out.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ForeignKey {
    /// `pg_constraint.oid`: the server checks a row's foreign keys in this order.
    pub oid: u32,
    /// The constraint's name.
    pub name: String,
    /// The referencing table.
    pub child: u32,
    /// The referenced table.
    pub parent: u32,
    /// The referencing columns, in key order.
    pub columns: Vec<String>,
    /// The referenced columns, in the same order.
    pub referenced: Vec<String>,
    /// The operators that compare a referenced column, on the left, with its referencing one: `OPERATOR(pg_catalog.=)`.
    pub equals_child: Vec<String>,
    /// Those that compare a referenced column with itself.
    pub equals_parent: Vec<String>,
    /// ON DELETE
    pub on_delete: Action,
    /// ON UPDATE
    pub on_update: Action,
    /// The columns named in ON DELETE SET NULL (…) or SET DEFAULT (…); empty: all.
    pub set_columns: Vec<String>,
    /// MATCH FULL
    pub match_full: bool,
    /// DEFERRABLE
    pub is_deferrable: bool,
    /// INITIALLY DEFERRED
    pub is_deferred: bool,
    /// False where it is NOT VALID.
    pub is_valid: bool,
}

/// A CHECK constraint.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Check {
    /// The table.
    pub table: u32,
    /// Its name.
    pub name: String,
    /// The columns it reads, in attribute order.
    pub columns: Vec<String>,
    /// What must hold.
    pub expression: String,
    /// To test it calls nothing that anybody but the server has made, and nothing that could.
    pub is_plain: bool,
    /// False where it is NOT VALID.
    pub is_valid: bool,
}

/// A table in a publication.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Publication {
    /// The table.
    pub table: u32,
    /// The publication's name.
    pub name: String,
    /// It publishes UPDATE.
    pub updates: bool,
    /// It publishes DELETE.
    pub deletes: bool,
    /// The columns it publishes, where it does not publish all.
    pub columns: Option<Vec<String>>,
}

/// A trigger.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Trigger {
    /// The table.
    pub table: u32,
    /// Its name.
    pub name: String,
    /// Schema of its function.
    pub function_schema: String,
    /// Name of its function.
    pub function: String,
    /// It fires on DELETE.
    pub on_delete: bool,
    /// It fires on UPDATE.
    pub on_update: bool,
    /// It fires on TRUNCATE.
    pub on_truncate: bool,
    /// It fires before each row.
    pub is_before_row: bool,
    /// Its function has a search path of its own.
    pub sets_path: bool,
    /// It is enabled in an ordinary session.
    pub is_enabled: bool,
    /// COMMENT ON TRIGGER
    pub comment: Option<String>,
    /// `pg_get_triggerdef`
    pub definition: String,
}

/// A relation of schema `sexton`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OwnRelation {
    /// Its name.
    pub name: String,
    /// `pg_class.relkind`
    pub kind: char,
    /// Role that owns it.
    pub owner: String,
    /// What Sexton gives none of its tables, such as `trigger audit`: it may have others' code run.
    pub strange: Vec<String>,
    /// Privileges on it or its columns, but for its owner's.
    pub grants: Vec<Grant>,
}

/// A privilege that somebody has been granted.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Grant {
    /// The role; `public` is everybody.
    pub role: String,
    /// Such as `INSERT`.
    pub privilege: String,
}

/// A function of schema `sexton`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Routine {
    /// Its name.
    pub name: String,
    /// The types of its parameters, as `oidvectortypes` writes them.
    pub arguments: String,
    /// Role that owns it.
    pub owner: String,
    /// Its body.
    pub source: String,
    /// Everybody may call it.
    pub is_public: bool,
    /// The roles to which EXECUTE is granted, the owner among them.
    pub callers: Vec<String>,
    /// It runs as its owner.
    pub is_definer: bool,
    /// The search path that it sets.
    pub search_path: Option<String>,
}

impl Survey {
    /// Reads the answer to [`QUERY`].
    ///
    /// # Errors
    /// The text is not what the query gives.
    pub fn parse(text: &str) -> Result<Self, serde_json::Error> {
        serde_json::from_str(text)
    }

    /// Nobody may create objects in `schema` but superusers, the owner of schema `sexton`, and `others`.
    #[must_use]
    pub fn is_trusted(&self, schema: &str, others: &[&str]) -> bool {
        let is_known = |role: &String| *role == self.own_owner || others.contains(&role.as_str());
        self.creators.get(schema).is_some_and(|creators| creators.iter().all(is_known))
    }

    /// Whoever applies takes schema `sexton` over.
    #[must_use]
    pub fn is_taken_over(&self) -> bool {
        self.own_holder != self.own_owner
    }

    /// What is in schema `sexton` may belong to `role`: to whom the schema will, or to a superuser as that one is.
    #[must_use]
    pub fn is_ours(&self, role: &str) -> bool {
        let is_superuser = |role: &str| self.superusers.iter().any(|superuser| superuser == role);
        role == self.own_owner || is_superuser(role) && is_superuser(&self.own_owner)
    }

    /// `sexton.tables` is there, and to read it runs nobody's code but that of who may be trusted with it.
    #[must_use]
    pub fn has_notes(&self) -> bool {
        let notes = self.own_relations.iter().filter(|own| own.name == "tables" && matches!(own.kind, 'r' | 'p'));
        let is_safe = |own: &OwnRelation| self.is_ours(&own.owner) || own.strange.is_empty();
        notes.into_iter().any(is_safe)
    }

    /// The table with this oid.
    #[must_use]
    pub fn table(&self, oid: u32) -> Option<&Table> {
        self.tables.iter().find(|table| table.oid == oid)
    }

    /// The table `schema.name`.
    #[must_use]
    pub fn find(&self, schema: &str, name: &str) -> Option<&Table> {
        self.tables.iter().find(|table| table.schema == schema && table.name == name)
    }
}

impl ForeignKey {
    /// The columns that SET NULL and SET DEFAULT set.
    #[must_use]
    pub fn columns_set(&self) -> &[String] {
        if self.set_columns.is_empty() { &self.columns } else { &self.set_columns }
    }
}

impl Table {
    /// `schema.name`, for messages.
    #[must_use]
    pub fn display(&self) -> String {
        format!("{}.{}", self.schema, self.name)
    }

    /// `schema.name`, quoted where needed.
    #[must_use]
    pub fn quoted(&self) -> String {
        quote_qualified(&self.schema, &self.name)
    }

    /// The column of that name, if there is one.
    #[must_use]
    pub fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.name == name)
    }
}
