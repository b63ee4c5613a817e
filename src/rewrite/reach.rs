//! The names that conditions know tables by: what a FROM list, or a part of it, brings into sight.

use crate::catalog::{Relation, RelationKind};
use crate::rewrite::registry::Entry;
use crate::rewrite::resolve::Meaning;
use crate::rewrite::rewriter::Rewriter;
use crate::sql::ident::quote;
use crate::sql::tree::{Alias, Join, TableRef};

/// One thing that a FROM list brings.
#[derive(Debug, Clone)]
pub(crate) struct Source<'a> {
    /// Its alias, or its own name; `None` where that cannot be told, as for a function without an alias.
    name: Option<String>,
    /// It has no alias: its schema may stand before its name.
    bare: bool,
    /// The token of the table's own name, which tells one reference from another.
    pub(crate) token: usize,
    /// What it certainly is; `None` for whatever is no table, or is not certain.
    pub(crate) relation: Option<&'a Relation>,
    /// The entry that its name is taken to mean.
    pub(crate) entry: Option<&'a Entry>,
    /// Its name is written with a schema.
    pub(crate) qualified: bool,
    /// ONLY is there.
    only: bool,
    /// The relation has inheritance children, whose rows no foreign key points to.
    inherited: bool,
}

impl Source<'_> {
    /// Something of that name whose columns are not known.
    pub(crate) fn opaque(name: Option<String>, token: usize) -> Self {
        Self { name, bare: false, token, relation: None, entry: None, qualified: false, only: false, inherited: false }
    }

    /// True where foreign keys may keep its deleted rows: it is the very table they point to.
    pub(crate) fn keeps_rows(&self) -> bool {
        let policy = self.entry.and_then(|entry| Some((entry, entry.policy()?)));
        policy.is_some_and(|(entry, policy)| {
            !policy.through.is_empty() && entry.relation.oid == policy.oid && (self.only || !self.inherited)
        })
    }

    fn has_column(&self, column: &str) -> Option<bool> {
        let relation = self.relation.filter(|relation| !relation.columns.is_empty())?;
        Some(relation.column(column).is_some())
    }
}

/// A column of a source.
#[derive(Debug, Clone)]
pub(crate) struct Field<'a> {
    pub(crate) source: Source<'a>,
    pub(crate) column: String,
}

/// What a FROM list, or a part of it, brings into sight.
#[derive(Debug, Default)]
pub(crate) struct Reach<'a> {
    sources: Vec<Source<'a>>,
    /// Columns merged by USING.
    merged: Vec<String>,
    /// NATURAL merges columns that nobody names.
    merged_unknown: bool,
}

impl<'a> Reach<'a> {
    pub(crate) fn of(source: Source<'a>) -> Self {
        Self { sources: vec![source], ..Self::default() }
    }

    pub(crate) fn bring(&mut self, source: Source<'a>) {
        self.sources.push(source);
    }

    pub(crate) fn join(&mut self, other: Self) {
        self.sources.extend(other.sources);
        self.merged.extend(other.merged);
        self.merged_unknown |= other.merged_unknown;
    }

    pub(crate) fn merge(&mut self, columns: Vec<String>) {
        self.merged.extend(columns);
    }

    pub(crate) fn merge_unknown(&mut self) {
        self.merged_unknown = true;
    }

    /// The names from the `start`th on, taken out.
    pub(crate) fn split_off(&mut self, start: usize) -> Vec<Source<'a>> {
        self.sources.split_off(start)
    }

    /// The number of names.
    pub(crate) fn count(&self) -> usize {
        self.sources.len()
    }

    pub(crate) fn tokens(&self) -> Vec<usize> {
        self.sources.iter().map(|source| source.token).collect()
    }

    /// The registered tables in it, with the tokens of their names.
    pub(crate) fn entries(&self) -> impl Iterator<Item = (usize, &'a Entry)> {
        self.sources.iter().filter_map(|source| Some((source.token, source.entry?)))
    }

    /// True where a column of that name may be one of a join rather than of a table.
    pub(crate) fn has_merged(&self, column: &str) -> bool {
        self.merged_unknown || self.merged.iter().any(|merged| merged == column)
    }

    /// The only source that `qualifier` names.
    pub(crate) fn qualified(&self, qualifier: &[String]) -> Option<&Source<'a>> {
        let names = |source: &&Source<'a>| match qualifier {
            [name] => source.name.as_ref() == Some(name),
            [schema, name] => {
                source.bare && source.relation.is_some_and(|found| found.schema == *schema && found.name == *name)
            }
            _ => false,
        };
        let mut found = self.sources.iter().filter(names);
        found.next().filter(|_| found.next().is_none())
    }

    /// The column that `parts` name: `Some(None)` where it is certainly not of this reach, `None` where nothing is certain.
    #[allow(clippy::option_option, reason = "not here, and not to be told, are two answers")]
    pub(crate) fn field(&self, parts: &[String]) -> Option<Option<Field<'a>>> {
        let (column, qualifier) = parts.split_last()?;
        if qualifier.is_empty() {
            return self.unqualified(column);
        }
        if let Some(source) = self.qualified(qualifier) {
            return (source.has_column(column)?)
                .then(|| Some(Field { source: source.clone(), column: column.clone() }));
        }
        let certain = |source: &Source<'a>| match (&source.name, qualifier) {
            (Some(name), [only]) => name != only,
            // With a schema only a table that is certain can be ruled out.
            (Some(_), _) => !source.bare || source.relation.is_some(),
            (None, _) => false,
        };
        self.sources.iter().all(certain).then_some(None)
    }

    #[allow(clippy::option_option, reason = "as for `field`")]
    fn unqualified(&self, column: &str) -> Option<Option<Field<'a>>> {
        if self.has_merged(column) {
            return None;
        }
        let mut found = None;
        for source in &self.sources {
            if source.has_column(column)? && found.replace(source).is_some() {
                return None;
            }
        }
        Some(found.map(|source| Field { source: source.clone(), column: column.to_owned() }))
    }

    /// The column of that name, where it is certainly one of this reach's own.
    pub(crate) fn alone(&self, column: &str) -> Option<Field<'a>> {
        self.unqualified(column).flatten()
    }
}

impl<'a> Rewriter<'a> {
    /// What a table reference brings.
    pub(crate) fn source_of(&self, table: &TableRef) -> Source<'a> {
        let token = table.name.relation();
        let name = self.identifier(table.known_as()).ok();
        let parts: Option<Vec<String>> = table.name.parts.iter().map(|part| self.identifier(*part).ok()).collect();
        let renamed = table.alias.as_ref().is_some_and(|alias| alias.columns);
        let Some(parts) = parts.filter(|_| !renamed) else { return Source::opaque(name, token) };
        if matches!(parts.as_slice(), [only] if self.ctes.contains(only)) {
            return Source::opaque(name, token);
        }
        let entry = match self.names.resolve(&parts) {
            Ok(Meaning::Relation(entry)) => entry,
            Ok(Meaning::Temporary) | Err(_) => return Source::opaque(name, token),
        };
        let relation = self.names.certain(&parts);
        let inherited = entry.is_some_and(|entry| {
            entry.relation.kind != RelationKind::PartitionedTable
                && !self.names.registry.snapshot().descendants(entry.relation.oid).is_empty()
        });
        let bare = table.alias.is_none();
        let qualified = parts.len() > 1;
        Source { name, bare, token, relation, entry, qualified, only: table.only, inherited }
    }

    /// The table as a derived one reads it: with its schema where some other reference may rely on what it is.
    pub(crate) fn read_as(&self, table: &TableRef) -> String {
        let token = table.name.relation();
        let read = self.source(table.first, table.name_last);
        match self.source_of(table) {
            Source { relation: Some(relation), qualified: false, .. }
                if self.names.registry.is_referencing(&relation.name) =>
            {
                let before = self.tokens[token].start - self.tokens[table.first].start;
                format!("{}{}.{}", &read[..before], quote(&relation.schema), &read[before..])
            }
            _ => read,
        }
    }

    /// Writes the schema before the names that kept references rely on: should a temporary table have such a name
    /// without Sexton's knowledge, it is not read in the table's place.
    pub(crate) fn write_schemas(&mut self) {
        for (token, schema) in std::mem::take(&mut self.relied) {
            let at = self.tokens[token].start;
            // Derived tables hold it already.
            if !self.edits.iter().any(|edit| edit.start <= at && at < edit.end) {
                self.insert_before(token, &format!("{}.", quote(&schema)), token);
            }
        }
    }

    /// What anything else brings, known by its alias alone.
    pub(crate) fn source_named(&self, alias: Option<&Alias>) -> Source<'a> {
        // No token of the text: it is no reference.
        let token = alias.map_or(usize::MAX, |alias| alias.name);
        Source::opaque(alias.and_then(|alias| self.identifier(alias.name).ok()), token)
    }

    /// Adds what a FROM list brings to the names that later subqueries of its block see.
    pub(crate) fn bring(&mut self, sources: impl IntoIterator<Item = Source<'a>>) {
        if let Some(frame) = self.frames.last_mut() {
            sources.into_iter().for_each(|source| frame.bring(source));
        }
    }

    /// What USING, NATURAL and their alias make of the names of a join.
    pub(crate) fn bring_merged(&mut self, join: &Join) {
        if let Some(mut frame) = self.frames.pop() {
            self.merge_columns(join, &mut frame);
            self.frames.push(frame);
        }
    }

    /// An alias hides what stands in its parentheses, the names from the `start`th on.
    pub(crate) fn hide_behind(&mut self, start: usize, alias: Source<'a>) {
        if let Some(frame) = self.frames.last_mut() {
            frame.split_off(start);
            frame.bring(alias);
        }
    }

    /// How many names the block has brought so far.
    pub(crate) fn brought(&self) -> usize {
        self.frames.last().map_or(0, Reach::count)
    }

    /// Runs `walk` while the block's names up to the `end`th are out of sight.
    pub(crate) fn without_names<T>(&mut self, end: usize, walk: impl FnOnce(&mut Self) -> T) -> T {
        let mut kept = Vec::new();
        if let Some(frame) = self.frames.last_mut() {
            let visible = frame.split_off(end);
            kept = frame.split_off(0);
            visible.into_iter().for_each(|source| frame.bring(source));
        }
        let result = walk(self);
        if let Some(frame) = self.frames.last_mut() {
            let visible = frame.split_off(0);
            kept.into_iter().chain(visible).for_each(|source| frame.bring(source));
        }
        result
    }
}
