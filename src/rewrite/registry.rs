//! The configuration resolved against a catalog snapshot: which relations are registered, and what deletion means there.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use aho_corasick::AhoCorasick;

use crate::catalog::{Relation, Snapshot};
use crate::config::{Database, OnMention, Strategy, TableName, Unscoped};
use crate::rewrite::bind::{Binding, bind};
use crate::rewrite::policy::Policy;

/// Something the database lacks, or has too much of, for the configuration.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Finding {
    /// Stops `serve`; otherwise a warning.
    pub fatal: bool,
    /// Line of the table's section in the configuration file.
    pub line: usize,
    /// The table and key at fault, such as `public.users: column`.
    pub key: String,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub mend: String,
}

/// A relation that a statement may not mention without a rule being applied.
#[derive(Debug)]
pub struct Entry {
    /// The relation; one without columns and with oid 0 where it is only configured.
    pub relation: Relation,
    /// Why it is here.
    pub kind: EntryKind,
}

/// Why a relation is in the registry.
#[derive(Debug)]
pub enum EntryKind {
    /// Registered, or a partition or inheritance child of a registered table.
    Registered(Arc<Policy>),
    /// Not registered, but its rows include those of a registered table, named here.
    Ancestor(String),
    /// A view that reads a registered table, named here: a DELETE through it would be a real one.
    View(String),
}

/// Which relations, by oid, each configured table has meant so far, with its partitions and children. A table that is
/// renamed keeps its oid, its rows and its policy, also when another takes its name; so does a partition that is detached.
pub type Bound = HashMap<TableName, BTreeSet<u32>>;

/// Everything rewriting knows about one database: configuration and catalog together, unchanging once built.
#[derive(Debug)]
pub struct Registry {
    /// Counts the snapshots: plans made under another generation are made again.
    pub generation: u64,
    /// Counts the configurations: what roles may do is asked anew under another.
    pub configuration: u64,
    /// `unscoped`
    pub unscoped: Unscoped,
    snapshot: Arc<Snapshot>,
    entries: Vec<Entry>,
    by_oid: HashMap<u32, usize>,
    by_name: HashMap<String, Vec<usize>>,
    bound: Bound,
    /// The names of tables in `visible_through`: not registered by that, but what they mean must be known.
    referencing: HashSet<String>,
    /// Some policy leaves it to the statement whether a reference is limited.
    choosing: bool,
    /// The names of configured tables and archives.
    configured: HashSet<String>,
    /// `None` would take every text for a mention: the safe answer should the automaton be too large to build.
    watch: Option<AhoCorasick>,
    /// The same, with the names of `referencing`.
    follow: Option<AhoCorasick>,
    /// [`WATCHED_WORDS`] and the functions that run SQL from strings.
    words: Option<AhoCorasick>,
}

/// Words that rewriting depends on besides table names: settings it follows, and functions that run SQL from strings.
const WATCHED_WORDS: &[&str] =
    &["sexton", "search_path", "set_config", "pg_settings", "standard_conforming_strings", "client_encoding", "u&\""];

impl Registry {
    /// Resolves `database` against `snapshot`; what does not fit is in the findings.
    #[must_use]
    pub fn build(
        database: &Database,
        snapshot: Arc<Snapshot>,
        before: &Bound,
        generation: u64,
    ) -> (Self, Vec<Finding>) {
        let Binding { entries, by_oid, findings, bound } = bind(database, &snapshot, before);
        (Self::index(database, snapshot, (entries, by_oid), bound, generation), findings)
    }

    /// The registry that the configuration alone describes: every table exists as configured.
    #[must_use]
    pub fn offline(database: &Database) -> (Self, Vec<Finding>) {
        let (registry, findings) = Self::build(database, Arc::new(Snapshot::default()), &Bound::default(), 0);
        (registry, findings.into_iter().filter(|finding| finding.fatal).collect())
    }

    fn index(
        database: &Database,
        snapshot: Arc<Snapshot>,
        (entries, by_oid): (Vec<Entry>, HashMap<u32, usize>),
        bound: Bound,
        generation: u64,
    ) -> Self {
        let mut by_name: HashMap<String, Vec<usize>> = HashMap::new();
        for (index, entry) in entries.iter().enumerate() {
            by_name.entry(entry.relation.name.clone()).or_default().push(index);
        }
        let words: Vec<&str> = WATCHED_WORDS.iter().chain(super::opaque::FUNCTIONS).copied().collect();
        let mut patterns: Vec<String> = by_name.keys().map(|name| written(name)).collect();
        patterns.extend(words.iter().map(|word| (*word).to_owned()));
        let watch = automaton(&patterns);
        let references = database.tables.iter().flat_map(|table| &table.visible_through);
        let referencing: HashSet<String> = references.map(|reference| reference.table.relation.clone()).collect();
        patterns.extend(referencing.iter().map(|name| written(name)));
        // SET CONSTRAINTS may have to name triggers that complete foreign keys.
        let defers = snapshot.own.triggers.iter().any(|trigger| trigger.is_deferrable);
        patterns.extend(defers.then(|| "constraints".to_owned()));
        let follow = if referencing.is_empty() && !defers { watch.clone() } else { automaton(&patterns) };
        let words = automaton(&words);
        let respected = database.tables.iter().any(|table| table.on_mention == OnMention::Respect);
        Self {
            generation,
            configuration: 0,
            unscoped: database.unscoped,
            snapshot,
            entries,
            by_oid,
            by_name,
            bound,
            configured: database.relation_names().map(str::to_owned).collect(),
            choosing: respected || !referencing.is_empty(),
            referencing,
            watch,
            follow,
            words,
        }
    }

    /// The catalog it was built on.
    #[must_use]
    pub fn snapshot(&self) -> &Snapshot {
        &self.snapshot
    }

    /// True where some DELETE or TRUNCATE becomes something else.
    #[must_use]
    pub fn has_kept_relations(&self) -> bool {
        self.entries.iter().any(Entry::keeps_rows)
    }

    /// The relations that the configured tables have meant so far.
    #[must_use]
    pub fn bound(&self) -> &Bound {
        &self.bound
    }

    /// The tables that reads are limited in, with their policies; not those whose rows they share as partitions or children.
    pub fn scoped(&self) -> impl Iterator<Item = (&Relation, &Policy)> {
        let registered = self.entries.iter().filter_map(|entry| Some((&entry.relation, entry.registered()?.as_ref())));
        registered.filter(|(relation, policy)| relation.oid != 0 && relation.oid == policy.oid && policy.live.is_some())
    }

    /// The tables of the configuration.
    pub fn configured_tables(&self) -> impl Iterator<Item = &TableName> {
        self.entries.iter().filter_map(Entry::registered).map(|policy| &policy.table)
    }

    /// The oids of the relations whose DELETE and TRUNCATE become something else.
    #[must_use]
    pub fn kept_relations(&self) -> Vec<u32> {
        self.entries.iter().filter(|entry| entry.keeps_rows()).map(|entry| entry.relation.oid).collect()
    }

    /// True where nothing is registered.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// False where no registered name and no other word that matters occurs anywhere in `text`.
    #[must_use]
    pub fn may_mention(&self, text: &[u8]) -> bool {
        self.watch.as_ref().is_none_or(|watch| watch.is_match(text))
    }

    /// False where nothing in `text` could concern this session: no registered name, no name of a table in
    /// `visible_through`, and no other word that matters.
    #[must_use]
    pub fn may_concern(&self, text: &[u8]) -> bool {
        self.follow.as_ref().is_none_or(|follow| follow.is_match(text))
    }

    /// True where a temporary table of that name would change what statements mean.
    #[must_use]
    pub fn is_followed(&self, name: &str) -> bool {
        self.is_watched(name) || self.is_referencing(name)
    }

    /// True where `visible_through` names a table of that name.
    #[must_use]
    pub fn is_referencing(&self, name: &str) -> bool {
        self.referencing.contains(name)
    }

    /// True where some table has `on_mention = "respect"` or `visible_through`.
    #[must_use]
    pub fn is_choosing(&self) -> bool {
        self.choosing
    }

    /// False where no rule looks at the value of a constant in `text`: it sets nothing, and runs no SQL from a string.
    #[must_use]
    pub fn reads_constants(&self, text: &[u8]) -> bool {
        self.words.as_ref().is_none_or(|words| words.is_match(text))
    }

    /// True where the catalog has shown a relation called `name`, in whatever schema.
    #[must_use]
    pub fn is_shown(&self, name: &str) -> bool {
        self.snapshot.named(name).next().is_some()
    }

    /// True where `name` is the name of some entry, in whatever schema.
    #[must_use]
    pub fn is_watched(&self, name: &str) -> bool {
        self.by_name.contains_key(name)
    }

    /// True where some watched name or its schema is not ASCII, so that only UTF-8 text can be compared with it.
    #[must_use]
    pub fn has_non_ascii_names(&self) -> bool {
        self.entries.iter().any(|entry| !entry.relation.name.is_ascii() || !entry.relation.schema.is_ascii())
    }

    /// Every entry called `name`.
    pub fn named<'a>(&'a self, name: &str) -> impl Iterator<Item = &'a Entry> {
        self.by_name.get(name).into_iter().flatten().map(|&index| &self.entries[index])
    }

    /// The entry `schema.name`.
    #[must_use]
    pub fn find(&self, schema: &str, name: &str) -> Option<&Entry> {
        self.named(name).find(|entry| entry.relation.schema == schema)
    }

    /// The entry of the relation with this oid.
    #[must_use]
    pub fn by_oid(&self, oid: u32) -> Option<&Entry> {
        self.by_oid.get(&oid).map(|&index| &self.entries[index])
    }

    /// True where `schema.name` is a relation of the catalog that is no entry.
    #[must_use]
    pub fn is_unregistered(&self, schema: &str, name: &str) -> bool {
        self.snapshot.find(schema, name).is_some_and(|relation| !self.by_oid.contains_key(&relation.oid))
    }

    /// True where some relation of that name is no entry.
    #[must_use]
    pub fn has_unregistered(&self, name: &str) -> bool {
        self.snapshot.named(name).any(|relation| !self.by_oid.contains_key(&relation.oid))
    }

    /// True where the snapshot holds a relation called `name`, or would if it existed.
    #[must_use]
    pub fn concerns(&self, name: &str) -> bool {
        self.configured.contains(name) || self.is_shown(name) || self.is_watched(name)
    }

    /// True where a registered table lies in `schema`.
    #[must_use]
    pub fn has_schema(&self, schema: &str) -> bool {
        self.entries.iter().any(|entry| entry.relation.schema == schema)
    }
}

fn automaton(patterns: &[impl AsRef<[u8]>]) -> Option<AhoCorasick> {
    AhoCorasick::builder().ascii_case_insensitive(true).build(patterns).ok()
}

/// A name that holds quotes is written with each of them doubled.
fn written(name: &str) -> String {
    name.replace('"', "\"\"")
}

impl Entry {
    /// `schema.name`, for messages.
    #[must_use]
    pub fn display(&self) -> String {
        self.relation.display()
    }

    /// True where statements over this entry and over `other` are changed in the same way.
    #[must_use]
    pub fn is_like(&self, other: &Self) -> bool {
        self.relation.oid == other.relation.oid && self.relation.oid != 0
            || matches!((&self.kind, &other.kind), (EntryKind::Registered(one), EntryKind::Registered(two)) if one.is_like(two))
    }

    /// True where DELETE keeps the row.
    #[must_use]
    pub fn keeps_rows(&self) -> bool {
        self.policy().is_some_and(|policy| policy.strategy != Strategy::Hard)
    }

    /// True where it is registered without effect.
    #[must_use]
    pub fn is_transparent(&self) -> bool {
        self.registered().is_some_and(|policy| policy.is_transparent())
    }

    /// Its policy, where it is registered, with effect or without.
    #[must_use]
    pub fn registered(&self) -> Option<&Arc<Policy>> {
        match &self.kind {
            EntryKind::Registered(policy) => Some(policy),
            EntryKind::Ancestor(_) | EntryKind::View(_) => None,
        }
    }

    /// Its policy, where it is registered with effect: soft, archive, or read through a live predicate.
    #[must_use]
    pub fn policy(&self) -> Option<&Arc<Policy>> {
        self.registered().filter(|policy| !policy.is_transparent())
    }
}
