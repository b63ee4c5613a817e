//! A survey with the configuration laid over it: what is registered, and what deletion means there.

use crate::config;
use crate::rewrite::policy::{Mark, Policy, quote_name};
use crate::rewrite::registry::EntryKind;
use crate::schema::Subject;
use crate::schema::objects::action::is_check;
use crate::schema::objects::keys::text;
use crate::schema::situation::Scoped;
use crate::schema::survey::{Action, ForeignKey, Table};
use crate::sql::ident::{digest, literal, quote, suffixed};

/// A registered table of the database, or a partition or inheritance child of one.
#[derive(Debug, Clone, Copy)]
pub(super) struct Kept<'a> {
    /// The table as surveyed.
    pub(super) table: &'a Table,
    /// What deletion means there.
    pub(super) policy: &'a Policy,
    /// Its section of the configuration.
    pub(super) settings: &'a config::Table,
}

/// The subject, with what several rules ask of it.
#[derive(Debug)]
pub(super) struct Scene<'a> {
    pub(super) subject: &'a Subject<'a>,
    references: Vec<Reference<'a>>,
}

impl<'a> Scene<'a> {
    pub(super) fn new(subject: &'a Subject<'a>) -> Self {
        let mut scene = Self { subject, references: Vec::new() };
        let survey = subject.survey;
        let found = survey.foreign_keys.iter().filter_map(|key| {
            let (child, parent) = (survey.table(key.child)?, survey.table(key.parent)?);
            Some(Reference { key, child: Side::new(&scene, child), parent: Side::new(&scene, parent) })
        });
        scene.references = found.collect();
        scene
    }

    /// What is registered for `table`; `None` where nothing is, or where its marker is at fault: that is mended first.
    pub(super) fn kept(&self, table: &'a Table) -> Option<Kept<'a>> {
        let entry = self.subject.registry.find(&table.schema, &table.name)?;
        let EntryKind::Registered(policy) = &entry.kind else { return None };
        if policy.fault.as_ref().is_some_and(|fault| fault.key != "archive") {
            return None;
        }
        let settings = self.subject.section(policy)?;
        Some(Kept { table, policy, settings })
    }

    /// Every registered table that has triggers of its own: a partition gets those of its parent from the server.
    pub(super) fn all(&self) -> impl Iterator<Item = Kept<'a>> + '_ {
        let own = self.subject.survey.tables.iter().filter(|table| {
            let inherited = table.is_partition
                && table.parents.iter().filter_map(|oid| self.subject.survey.table(*oid)).any(|parent| {
                    match (self.kept(parent), self.kept(table)) {
                        (Some(parent), Some(child)) => parent.settings.name == child.settings.name,
                        _ => false,
                    }
                });
            !inherited
        });
        own.filter_map(|table| self.kept(table))
    }

    /// The registered table that a partition is of; any other is its own.
    pub(super) fn registered(&self, kept: &Kept<'a>) -> &'a Table {
        self.subject.survey.table(kept.policy.oid).filter(|_| kept.table.is_partition).unwrap_or(kept.table)
    }

    /// `table` and its partitions, at any depth: a statement may name any of them, and fires its statement triggers only.
    pub(super) fn named_as(&self, table: &'a Table) -> Vec<&'a Table> {
        closure(table, |above| {
            let below = self.subject.survey.tables.iter();
            below.filter(|table| table.is_partition && table.parents.contains(&above.oid)).collect()
        })
    }

    /// The foreign keys, with their child and parent.
    pub(super) fn references(&self) -> impl Iterator<Item = Reference<'a>> + '_ {
        self.references.iter().copied()
    }

    /// Those that point to `table`.
    pub(super) fn pointing_to(&self, table: &Table) -> impl Iterator<Item = Reference<'a>> + '_ {
        let oid = table.oid;
        self.references().filter(move |reference| reference.parent.table.oid == oid)
    }

    /// `search_path` of a generated function: the system's, and of the schemas of types that the columns of `tables` have
    /// those that nobody else may add an operator to. A predicate or a unique key may need one; foreign keys have operators
    /// of their own.
    pub(super) fn search_path(&self, tables: &[&Table]) -> String {
        path(self.trusted_types(tables))
    }

    /// The same for a function that compares rows of `parent` with their children by `references`.
    pub(super) fn comparing_path(&self, parent: &Table, references: &[Reference<'_>]) -> String {
        let tables: Vec<&Table> = references.iter().map(|reference| reference.child.table).chain([parent]).collect();
        self.search_path(&tables)
    }

    /// The same for a function that writes `table`, whose triggers and expressions run in it, and those of the tables that
    /// the server's own actions reach from there: also of the schemas of these tables and of their triggers' functions
    /// those that nobody may add to but the owner of `table`, as whom it runs, or who is trusted as whom it runs.
    ///
    /// It is not the session's. AFTER triggers, which the server's own actions leave to the session's role, run as the
    /// owner here: what they name without a schema must not be for the session to choose.
    pub(super) fn writing_path(&self, table: &Table, tables: &[&Table]) -> String {
        let survey = self.subject.survey;
        let schemas = self.reached(table, |action| !is_check(action)).into_iter().flat_map(|table| {
            let triggers = survey.triggers.iter().filter(|trigger| trigger.table == table.oid);
            [&table.schema].into_iter().chain(triggers.map(|trigger| &trigger.function_schema))
        });
        let trusted = schemas.filter(|schema| *schema != "sexton" && survey.is_trusted(schema, &[&table.owner]));
        path(trusted.chain(self.trusted_types(tables)))
    }

    /// `table` and the tables that ON DELETE leads to from it, at any depth, by the actions that `follows` says.
    fn reached<'s>(&'s self, table: &'s Table, follows: impl Fn(Action) -> bool) -> Vec<&'s Table> {
        closure(table, |parent| {
            let followed = self.pointing_to(parent).filter(|reference| follows(reference.key.on_delete));
            followed.map(|reference| reference.child.table).collect()
        })
    }

    /// A cascade that begins with a row of `table` may come back to it.
    pub(super) fn cascades_to_itself(&self, table: &Table) -> bool {
        let reached = self.reached(table, |action| action == Action::Cascade);
        reached
            .into_iter()
            .flat_map(|parent| self.pointing_to(parent))
            .any(|reference| reference.key.on_delete == Action::Cascade && reference.child.table.oid == table.oid)
    }

    fn trusted_types<'s>(&'s self, tables: &'s [&Table]) -> impl Iterator<Item = &'s String> {
        let columns = tables.iter().flat_map(|table| &table.columns);
        columns
            .filter_map(|column| column.type_schema.as_ref())
            .filter(|schema| self.subject.survey.is_trusted(schema, &[]))
    }
}

/// `first`, and what `next` gives for it and for each that it has given, once.
fn closure<'t>(first: &'t Table, next: impl Fn(&Table) -> Vec<&'t Table>) -> Vec<&'t Table> {
    let mut found = vec![first];
    let mut at = 0;
    while let Some(table) = found.get(at) {
        for below in next(table) {
            if found.iter().all(|known| known.oid != below.oid) {
                found.push(below);
            }
        }
        at += 1;
    }
    found
}

/// A `search_path` of these schemas, the system's before them and that of temporary objects behind.
fn path<'s>(schemas: impl Iterator<Item = &'s String>) -> String {
    let mut names: Vec<String> = Vec::new();
    for schema in schemas.map(|schema| format!("{}, ", quote(schema))) {
        if !names.contains(&schema) {
            names.push(schema);
        }
    }
    format!("pg_catalog, {}pg_temp", names.concat())
}

/// One side of a foreign key.
#[derive(Debug, Clone, Copy)]
pub(super) struct Side<'a> {
    pub(super) table: &'a Table,
    pub(super) kept: Option<Kept<'a>>,
}

impl<'a> Side<'a> {
    fn new(scene: &Scene<'a>, table: &'a Table) -> Self {
        Self { table, kept: scene.kept(table) }
    }

    /// The condition that a row of it, called `alias`, is live; `None` where every row is.
    pub(super) fn live(&self, alias: &str) -> Option<String> {
        self.kept.and_then(|kept| kept.live(alias))
    }

    /// It may hold dead rows.
    pub(super) fn has_dead(&self) -> bool {
        self.kept.is_some_and(|kept| kept.has_dead())
    }
}

/// A foreign key between two tables.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reference<'a> {
    pub(super) key: &'a ForeignKey,
    pub(super) child: Side<'a>,
    pub(super) parent: Side<'a>,
}

impl Reference<'_> {
    /// `VALUE(0) = alias.a AND VALUE(1) = alias.b` over the referencing columns, the values being those of a parent.
    pub(super) fn child_matches(&self, alias: &str, value: impl Fn(usize) -> String) -> String {
        let key = self.key;
        let column = |at: usize| format!("{alias}.{}", quote(&key.columns[at]));
        terms(&key.equals_child, |at, equals| format!("{} {equals} {}", value(at), column(at)))
    }

    /// `alias.a = VALUE(0) AND …` over the referenced columns, the values being those of a child.
    pub(super) fn parent_matches(&self, alias: &str, value: impl Fn(usize) -> String) -> String {
        let column = |at: usize| format!("{alias}.{}", quote(&self.key.referenced[at]));
        terms(&self.key.equals_child, |at, equals| format!("{} {equals} {}", column(at), value(at)))
    }

    /// The same, the values being those of another row of the parent.
    pub(super) fn same_parent(&self, alias: &str, value: impl Fn(usize) -> String) -> String {
        let column = |at: usize| format!("{alias}.{}", quote(&self.key.referenced[at]));
        terms(&self.key.equals_parent, |at, equals| format!("{} {equals} {}", column(at), value(at)))
    }
}

/// A term for each operator of a foreign key.
fn terms(operators: &[String], term: impl Fn(usize, &str) -> String) -> String {
    operators.iter().enumerate().map(|(at, equals)| term(at, equals)).collect::<Vec<_>>().join(" AND ")
}

impl<'a> Kept<'a> {
    /// It may hold dead rows.
    pub(super) fn has_dead(&self) -> bool {
        self.policy.live.is_some()
    }

    /// It as the rules of `check` have it; `None` where every row is live.
    pub(super) fn scoped(&self) -> Option<Scoped<'a>> {
        Scoped::new(self.table, self.policy)
    }

    /// The condition that the row `alias` is live.
    pub(super) fn live(&self, alias: &str) -> Option<String> {
        self.policy.live.as_ref().map(|live| format!("({})", live.render(alias)))
    }

    /// The condition that it is dead.
    pub(super) fn dead(&self, alias: &str) -> Option<String> {
        self.policy.deleted.as_ref().map(|dead| format!("({})", dead.render(alias)))
    }

    /// What a soft deletion inside the server sets; expressions read the row `alias`.
    pub(super) fn marks(&self, alias: &str) -> String {
        let set = |mark: &Mark| {
            let own = self.settings.mark.iter().any(|assignment| assignment.column == mark.column);
            let value = match mark.column.as_str() {
                "deletion_id" if !own => "(SELECT sexton.event(false))".to_owned(),
                "deleted_by" if !own => "(SELECT sexton.actor())".to_owned(),
                "delete_reason" if !own => "(SELECT sexton.reason())".to_owned(),
                _ => mark.value.render(alias),
            };
            format!("{} = {value}", quote(&mark.column))
        };
        self.policy.marks.iter().map(set).collect::<Vec<_>>().join(", ")
    }
}

/// The table as a query of the server's own on behalf of a foreign key names it: without inheritance children, with
/// partitions.
pub(super) fn only(table: &Table) -> String {
    if table.kind == 'p' { table.quoted() } else { format!("ONLY {}", table.quoted()) }
}

/// The name of the function that does `what` for `table`: readable, and different for tables of the same name.
pub(super) fn function_name(table: &Table, what: &str) -> String {
    suffixed(&format!("{}_{what}", table.name), &format!("_{}", digest(&table.quoted())))
}

/// `ARRAY['a', 'b']::text[]`
pub(super) fn text_array(items: impl Iterator<Item = String>) -> String {
    format!("ARRAY[{}]::text[]", items.collect::<Vec<_>>().join(", "))
}

/// The columns as an array of their names.
pub(super) fn names(columns: &[String]) -> String {
    text_array(columns.iter().map(|column| literal(column)))
}

/// The values of `columns` in the record `row`, as an array of texts as an error message shows them.
pub(super) fn values(columns: &[String], row: &str) -> String {
    text_array(columns.iter().map(|column| text(&format!("{row}.{}", quote(column)))))
}

/// The name of the registered table, as `sexton.tables` and messages have it.
pub(super) fn registered_name(kept: &Kept<'_>) -> String {
    quote_name(&kept.settings.name)
}
