//! Which relations of a snapshot each configured table means, and what else shows or holds their rows.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use crate::catalog::{Relation, RelationKind, Snapshot};
use crate::config::{Database, Table, TableName};
use crate::rewrite::policy::{Fault, Policy, foreign_keys, quote_name};
use crate::rewrite::registry::{Bound, Entry, EntryKind, Finding};
use crate::sql::ident::quote;

/// What the configured tables mean.
pub(super) struct Binding {
    /// In the order in which they were found.
    pub(super) entries: Vec<Entry>,
    /// The place of each among `entries`.
    pub(super) by_oid: HashMap<u32, usize>,
    /// What does not fit.
    pub(super) findings: Vec<Finding>,
    /// What they have meant so far, this time included.
    pub(super) bound: Bound,
}

/// Finds what the tables of `database` mean in `snapshot`, having meant `before`.
pub(super) fn bind(database: &Database, snapshot: &Snapshot, before: &Bound) -> Binding {
    let mut builder =
        Builder { snapshot, entries: Vec::new(), by_oid: HashMap::new(), findings: Vec::new(), bound: before.clone() };
    for table in &database.tables {
        builder.register(table);
    }
    for table in &database.tables {
        builder.look_up(table);
    }
    let Builder { snapshot: _, entries, by_oid, findings, bound } = builder;
    Binding { entries, by_oid, findings, bound }
}

struct Builder<'a> {
    snapshot: &'a Snapshot,
    entries: Vec<Entry>,
    by_oid: HashMap<u32, usize>,
    findings: Vec<Finding>,
    bound: Bound,
}

impl Builder<'_> {
    fn register(&mut self, table: &Table) {
        let name = &table.name;
        let named = self.snapshot.find(&name.schema, &name.relation);
        let oids = self.bound.entry(name.clone()).or_default();
        oids.extend(named.map(|relation| relation.oid));
        oids.retain(|oid| self.snapshot.by_oid(*oid).is_some());
        let below = oids.iter().flat_map(|oid| self.snapshot.descendants(*oid));
        let children: HashSet<u32> = below.map(|child| child.oid).collect();
        oids.extend(&children);
        let tops = oids.iter().filter(|oid| !children.contains(oid));
        let bound: Vec<&Relation> = tops.filter_map(|oid| self.snapshot.by_oid(*oid)).collect();
        if bound.is_empty() {
            let policy = self.policy(table, None);
            self.find(
                table,
                false,
                "table",
                "the table does not exist yet",
                "create it through Sexton, or correct the name",
            );
            self.entries.push(Entry { relation: presumed(name), kind: EntryKind::Registered(Arc::new(policy)) });
        }
        for relation in bound {
            self.bind(table, relation);
        }
    }

    fn policy(&mut self, table: &Table, relation: Option<&Relation>) -> Policy {
        let policy = Policy::resolve(table, relation, self.snapshot);
        if let Some(fault) = &policy.fault {
            self.find(table, true, fault.key, &fault.message, &fault.mend);
        }
        policy
    }

    /// Registers `relation`, with its children, under `table`'s policy.
    fn bind(&mut self, table: &Table, relation: &Relation) {
        let policy = self.policy(table, Some(relation));
        if !matches!(relation.kind, RelationKind::Table | RelationKind::PartitionedTable | RelationKind::ForeignTable) {
            self.find(table, true, "table", "it is not a table", "register the tables it reads instead");
        }
        self.check_through(table, relation);
        let transparent = policy.is_transparent();
        let policy = Arc::new(policy);
        for member in self.snapshot.family(relation) {
            self.add(member, EntryKind::Registered(Arc::clone(&policy)));
            for view in self.snapshot.views_over(member.oid).into_iter().filter(|_| !transparent) {
                self.add(view, EntryKind::View(table.name.to_string()));
            }
        }
    }

    /// Whoever reads what `table` and its children inherit from reads their rows: under the same rule, or not at all.
    fn look_up(&mut self, table: &Table) {
        let bound: Vec<&Relation> =
            self.bound[&table.name].iter().filter_map(|oid| self.snapshot.by_oid(*oid)).collect();
        let mut said = HashSet::new();
        for relation in bound {
            let Some(policy) = self.registered(relation).cloned() else { continue };
            for ancestor in self.snapshot.ancestors(relation.oid) {
                let above = self.registered(ancestor);
                let is_faulty = policy.fault.is_some() || above.is_some_and(|above| above.fault.is_some());
                let hides_alike = match above {
                    Some(above) => above.rule() == policy.rule(),
                    None => policy.is_transparent(),
                };
                if is_faulty || hides_alike {
                    continue;
                }
                let is_registered = above.is_some();
                if said.insert(ancestor.oid) {
                    self.find_ancestor(table, relation, ancestor, is_registered);
                }
                if is_registered {
                    let message = format!("{} and {} are registered otherwise", relation.display(), ancestor.display());
                    self.break_off(relation, &message);
                    self.break_off(ancestor, &message);
                } else {
                    self.add(ancestor, EntryKind::Ancestor(table.name.to_string()));
                    for view in self.snapshot.views_over(ancestor.oid) {
                        self.add(view, EntryKind::View(table.name.to_string()));
                    }
                }
            }
        }
    }

    /// Has nothing read from `relation`, or deleted.
    fn break_off(&mut self, relation: &Relation, message: &str) {
        let mend = "give both the same rule".to_owned();
        let fault = Fault { key: "table", message: message.to_owned(), mend };
        if let Some(policy) = self.registered(relation) {
            let broken = Policy { fault: Some(fault), ..Policy::clone(policy) };
            self.entries[self.by_oid[&relation.oid]].kind = EntryKind::Registered(Arc::new(broken));
        }
    }

    fn find_ancestor(&mut self, table: &Table, relation: &Relation, ancestor: &Relation, is_registered: bool) {
        let (above, own) = (ancestor.display(), relation.display());
        let whose = match own == table.name.to_string() {
            true => "its rows".to_owned(),
            false => format!("the rows of {own}, a child of it,"),
        };
        let (message, mend) = match is_registered {
            true => (
                format!("{whose} are also read through {above}, which is registered otherwise"),
                "give both the same rule, or leave the section of the child out".to_owned(),
            ),
            false => (
                format!("{whose} are also read through {above}"),
                format!("register {above} instead, or take {own} out of it (ALTER TABLE … NO INHERIT)"),
            ),
        };
        self.find(table, true, "table", &message, &mend);
    }

    fn registered(&self, relation: &Relation) -> Option<&Arc<Policy>> {
        self.entries[*self.by_oid.get(&relation.oid)?].registered()
    }

    /// `visible_through` must name foreign keys that are there; a table that is not there yet may still be created.
    fn check_through(&mut self, table: &Table, relation: &Relation) {
        for reference in &table.visible_through {
            let Some(referencing) = self.snapshot.find(&reference.table.schema, &reference.table.relation) else {
                let message = format!("the table of {reference} does not exist yet");
                self.find(table, false, "visible_through", &message, "create it through Sexton, or correct the name");
                continue;
            };
            if foreign_keys(reference, Some(relation), self.snapshot).next().is_some() {
                continue;
            }
            let column = quote(&reference.column);
            let (message, mend) = match referencing.column(&reference.column) {
                Some(_) => (
                    format!("{reference} has no foreign key that points to the table"),
                    format!(
                        "ALTER TABLE {} ADD FOREIGN KEY ({column}) REFERENCES {}, or correct visible_through",
                        quote_name(&reference.table),
                        quote_name(&table.name)
                    ),
                ),
                None => (format!("{reference} does not exist"), "correct visible_through".to_owned()),
            };
            self.find(table, true, "visible_through", &message, &mend);
        }
    }

    /// Adds an entry; a table's own section stands before what it would inherit from a parent's.
    fn add(&mut self, relation: &Relation, kind: EntryKind) {
        let own = |kind: &EntryKind| match kind {
            EntryKind::Registered(policy) => {
                policy.table.schema == relation.schema && policy.table.relation == relation.name
            }
            EntryKind::Ancestor(_) | EntryKind::View(_) => false,
        };
        match self.by_oid.get(&relation.oid).map(|&index| &mut self.entries[index]) {
            Some(entry) if own(&entry.kind) => {}
            Some(entry) if own(&kind) || matches!(entry.kind, EntryKind::Registered(_)) => entry.kind = kind,
            Some(_) => {}
            None => {
                self.by_oid.insert(relation.oid, self.entries.len());
                self.entries.push(Entry { relation: relation.clone(), kind });
            }
        }
    }

    fn find(&mut self, table: &Table, fatal: bool, key: &str, message: &str, mend: &str) {
        self.findings.push(Finding {
            fatal,
            line: table.line,
            key: format!("{}: {key}", table.name),
            message: message.to_owned(),
            mend: mend.to_owned(),
        });
    }
}

fn presumed(name: &TableName) -> Relation {
    Relation::named(0, &name.schema, &name.relation, RelationKind::Table)
}
