//! One consistent reading of the server's catalog, limited to what rewriting needs to know.

use std::collections::{HashMap, HashSet};

/// What kind of relation a `pg_class` row is (`relkind`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RelationKind {
    /// `r`
    Table,
    /// `p`
    PartitionedTable,
    /// `v`
    View,
    /// `m`
    MaterializedView,
    /// `f`
    ForeignTable,
    /// Indexes, sequences, composite types, TOAST.
    Other,
}

/// Whether row-level security has a say in what a role may delete, and in what it may mark.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum RowSecurity {
    /// It is off.
    #[default]
    Off,
    /// Its policies say the same of DELETE and UPDATE.
    Alike,
    /// Some speak of DELETE or UPDATE alone.
    Apart,
}

/// One column that is not dropped.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Column {
    /// The name as stored, unquoted.
    pub name: String,
    /// `format_type(atttypid, atttypmod)`, such as `timestamp with time zone`.
    pub type_name: String,
    /// NOT NULL.
    pub not_null: bool,
    /// The columns that its expression reads, where it is GENERATED ALWAYS AS (…) STORED or VIRTUAL.
    pub generated_from: Option<Vec<String>>,
    /// GENERATED ALWAYS AS IDENTITY: an INSERT gives it no value.
    pub is_identity_always: bool,
}

impl Column {
    /// True where it is generated, and may not be written.
    #[must_use]
    pub fn is_generated(&self) -> bool {
        self.generated_from.is_some()
    }

    /// True where it is generated from the column of that name.
    #[must_use]
    pub fn reads(&self, name: &str) -> bool {
        self.generated_from.iter().flatten().any(|read| read == name)
    }
}

/// A foreign key of a relation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ForeignKey {
    /// The constraint's name.
    pub name: String,
    /// The referencing columns, in key order.
    pub columns: Vec<String>,
    /// The referenced relation, as an oid.
    pub references: u32,
    /// The referenced columns, in the same order.
    pub referenced: Vec<String>,
}

/// A unique index over columns that is valid, the primary key's included.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UniqueIndex {
    /// The index's name, which a constraint shares.
    pub name: String,
    /// The columns it is unique over, quoted where needed.
    pub keys: Vec<String>,
    /// It has a WHERE clause.
    pub is_partial: bool,
    /// It stands for a constraint.
    pub is_constraint: bool,
}

/// A foreign key that points to a relation, and the table it is of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Referencing {
    /// The table's oid. The snapshot need not hold it.
    pub oid: u32,
    /// Its schema.
    pub schema: String,
    /// Its name.
    pub name: String,
    /// The constraint's name.
    pub key: String,
}

/// A trigger whose function lies in schema `sexton`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnTrigger {
    /// The table it is on, as an oid. The snapshot need not hold it.
    pub table: u32,
    /// That table's schema.
    pub schema: String,
    /// That table's name.
    pub table_name: String,
    /// The trigger's name.
    pub name: String,
    /// A constraint trigger that SET CONSTRAINTS may defer.
    pub is_deferrable: bool,
}

/// A function of schema `sexton`. It runs in the name of whoever calls it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnFunction {
    /// With its argument types, such as `event(boolean)`.
    pub signature: String,
    /// Its owner, as an oid.
    pub owner: u32,
    /// The owner is a superuser, the database's owner or Sexton's own login.
    pub is_trusted: bool,
}

/// What schema `sexton` holds, as far as statements are rewritten by it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OwnObjects {
    /// The triggers that its functions serve, in order of tables and names.
    pub triggers: Vec<OwnTrigger>,
    /// Its functions.
    pub functions: Vec<OwnFunction>,
}

impl OwnObjects {
    /// True where the schema is not there, or holds nothing that matters.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.triggers.is_empty() && self.functions.is_empty()
    }
}

/// One relation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Relation {
    /// `pg_class.oid`; 0 for a relation presumed to exist (offline).
    pub oid: u32,
    /// Schema name as stored.
    pub schema: String,
    /// Relation name as stored.
    pub name: String,
    /// Its kind.
    pub kind: RelationKind,
    /// Its owner, as an oid.
    pub owner: u32,
    /// Columns in attribute order.
    pub columns: Vec<Column>,
    /// Primary key columns in key order; empty without one, or where it is DEFERRABLE.
    pub primary_key: Vec<String>,
    /// Direct inheritance parents and the partitioned table it is a partition of, as oids.
    pub parents: Vec<u32>,
    /// For a view: the relations that its query reads, as oids, as far as the snapshot holds them.
    pub reads: Vec<u32>,
    /// Its foreign keys, in order of their names.
    pub foreign_keys: Vec<ForeignKey>,
    /// Its unique indexes over columns, in order of their names.
    pub unique_indexes: Vec<UniqueIndex>,
    /// The foreign keys that point to it, in order of their tables' oids and their names.
    pub referencing: Vec<Referencing>,
    /// Row-level security.
    pub row_security: RowSecurity,
}

impl Relation {
    /// A relation of which nothing is known but what it is.
    #[must_use]
    pub fn named(oid: u32, schema: &str, name: &str, kind: RelationKind) -> Self {
        Self {
            oid,
            schema: schema.to_owned(),
            name: name.to_owned(),
            kind,
            owner: 0,
            columns: Vec::new(),
            primary_key: Vec::new(),
            parents: Vec::new(),
            reads: Vec::new(),
            foreign_keys: Vec::new(),
            unique_indexes: Vec::new(),
            referencing: Vec::new(),
            row_security: RowSecurity::Off,
        }
    }

    /// `schema.name`, for messages.
    #[must_use]
    pub fn display(&self) -> String {
        format!("{}.{}", self.schema, self.name)
    }

    /// The column of that name, if there is one.
    #[must_use]
    pub fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.name == name)
    }
}

/// Relations by oid and by name.
///
/// The snapshot holds every relation whose name equals that of a registered table, an archive
/// table, a table named in `visible_through`, of one of their descendants (inheritance, partitions), or of an ancestor or a
/// view of any of these: what it does not hold cannot matter to a registered name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Snapshot {
    /// `server_version_num`, such as 150018.
    pub server_version: u32,
    /// What schema `sexton` holds.
    pub own: OwnObjects,
    relations: Vec<Relation>,
    by_name: HashMap<String, Vec<usize>>,
    by_oid: HashMap<u32, usize>,
    /// From a relation's oid to its children.
    children: HashMap<u32, Vec<usize>>,
    /// From a relation's oid to the views that read it.
    readers: HashMap<u32, Vec<usize>>,
}

impl Snapshot {
    /// Indexes `relations`.
    #[must_use]
    pub fn new(server_version: u32, relations: Vec<Relation>) -> Self {
        let mut by_name: HashMap<String, Vec<usize>> = HashMap::new();
        let mut by_oid = HashMap::new();
        let mut children: HashMap<u32, Vec<usize>> = HashMap::new();
        let mut readers: HashMap<u32, Vec<usize>> = HashMap::new();
        for (index, relation) in relations.iter().enumerate() {
            by_name.entry(relation.name.clone()).or_default().push(index);
            by_oid.insert(relation.oid, index);
            for parent in &relation.parents {
                children.entry(*parent).or_default().push(index);
            }
            for read in &relation.reads {
                readers.entry(*read).or_default().push(index);
            }
        }
        let own = OwnObjects::default();
        Self { server_version, own, relations, by_name, by_oid, children, readers }
    }

    /// The same, of a database whose schema `sexton` holds these.
    #[must_use]
    pub fn with_own(self, own: OwnObjects) -> Self {
        Self { own, ..self }
    }

    /// True where statements about `relation` may call the function of schema `sexton`, written with its argument types:
    /// its owner is trusted, or owns the relation, whose triggers run in everybody's name as well.
    #[must_use]
    pub fn has_function(&self, signature: &str, relation: &Relation) -> bool {
        let may_be_called = |function: &OwnFunction| function.is_trusted || function.owner == relation.owner;
        self.own.functions.iter().any(|function| function.signature == signature && may_be_called(function))
    }

    /// The triggers of schema `sexton` on the relation with this oid.
    pub fn triggers(&self, oid: u32) -> impl Iterator<Item = &OwnTrigger> {
        self.own.triggers.iter().filter(move |trigger| trigger.table == oid)
    }

    /// Every relation held.
    pub fn relations(&self) -> impl Iterator<Item = &Relation> {
        self.relations.iter()
    }

    /// The relation with this oid.
    #[must_use]
    pub fn by_oid(&self, oid: u32) -> Option<&Relation> {
        self.by_oid.get(&oid).map(|&index| &self.relations[index])
    }

    /// The relation `schema.name`.
    #[must_use]
    pub fn find(&self, schema: &str, name: &str) -> Option<&Relation> {
        self.named(name).find(|relation| relation.schema == schema)
    }

    /// Every relation called `name`, in any schema.
    pub fn named<'a>(&'a self, name: &str) -> impl Iterator<Item = &'a Relation> {
        self.by_name.get(name).into_iter().flatten().map(|&index| &self.relations[index])
    }

    /// The relations that inherit from `oid` or are partitions of it, at any depth, itself excluded.
    #[must_use]
    pub fn descendants(&self, oid: u32) -> Vec<&Relation> {
        self.closure(oid, &self.children)
    }

    /// `relation` and its descendants.
    pub fn family<'a>(&'a self, relation: &'a Relation) -> impl Iterator<Item = &'a Relation> {
        std::iter::once(relation).chain(self.descendants(relation.oid))
    }

    /// The views that read `oid`, through other views as well.
    #[must_use]
    pub fn views_over(&self, oid: u32) -> Vec<&Relation> {
        self.closure(oid, &self.readers)
    }

    /// The relations that follow from `oid` by `links`, at any depth, itself excluded.
    fn closure(&self, oid: u32, links: &HashMap<u32, Vec<usize>>) -> Vec<&Relation> {
        let mut seen = HashSet::from([oid]);
        let mut found = Vec::new();
        let mut open = vec![oid];
        while let Some(next) = open.pop() {
            for &index in links.get(&next).into_iter().flatten() {
                let relation = &self.relations[index];
                if seen.insert(relation.oid) {
                    found.push(relation);
                    open.push(relation.oid);
                }
            }
        }
        found
    }

    /// The relations `oid` inherits from, at any depth, itself excluded.
    #[must_use]
    pub fn ancestors(&self, oid: u32) -> Vec<&Relation> {
        let mut found: Vec<&Relation> = Vec::new();
        let mut children: Vec<u32> = vec![oid];
        while let Some(child) = children.pop() {
            for parent in self.by_oid(child).map(|relation| relation.parents.as_slice()).unwrap_or_default() {
                if let Some(relation) = self.by_oid(*parent)
                    && !found.iter().any(|seen| seen.oid == relation.oid)
                {
                    found.push(relation);
                    children.push(relation.oid);
                }
            }
        }
        found
    }
}
