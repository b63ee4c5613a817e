//! What every rule works with: the statement's tokens, the names in scope, and the edits made so far.

use std::collections::{BTreeMap, HashSet};

use crate::catalog::Relation;
use crate::config::Strategy;
use crate::rewrite::outcome::TagChange;
use crate::rewrite::policy::ARCHIVE;
use crate::rewrite::reach::Reach;
use crate::rewrite::refusal::{Reason, Refusal};
use crate::rewrite::registry::{Entry, EntryKind};
use crate::rewrite::resolve::{Meaning, Names};
use crate::rewrite::state::{Rows, Scope};
use crate::rewrite::statement::Statement;
use crate::sql::edit::Edit;
use crate::sql::ident::identifier;
use crate::sql::lexer::Token;
use crate::sql::split::Piece;
use crate::sql::tree::{Name, TableRef};

/// What names of our own begin with.
const OWN_NAME: &str = "sexton_";
/// Digits of a number that may be exceeded by one.
const OWN_NUMBER_MAX: usize = 18;

/// The greatest number that stands behind [`OWN_NAME`] in the text, in either case.
fn last_of_ours(text: &[u8]) -> u64 {
    let digits = |at: usize| {
        let number = &text[at + OWN_NAME.len()..];
        let length = number.iter().take(OWN_NUMBER_MAX).take_while(|byte| byte.is_ascii_digit()).count();
        std::str::from_utf8(&number[..length]).ok()?.parse::<u64>().ok()
    };
    memchr::memchr2_iter(b's', b'S', text)
        .filter(|at| {
            text[*at..].get(..OWN_NAME.len()).is_some_and(|name| name.eq_ignore_ascii_case(OWN_NAME.as_bytes()))
        })
        .filter_map(digits)
        .max()
        .unwrap_or(0)
}

/// One statement being rewritten.
pub(crate) struct Rewriter<'a> {
    pub(crate) text: &'a [u8],
    /// Where the statement stands in it.
    piece: Piece,
    pub(crate) tokens: &'a [Token],
    pub(crate) names: Names<'a>,
    pub(crate) scope: Scope,
    pub(crate) edits: Vec<Edit>,
    /// Tokens that the tree says name a relation: what the witnesses are held against.
    pub(crate) claims: Vec<usize>,
    /// CTE names in scope, innermost last.
    pub(crate) ctes: Vec<String>,
    /// How the statement's own tag is brought back.
    pub(crate) tag: Option<TagChange>,
    /// The number of the CTE added last; `None` before the first.
    added: Option<u64>,
    /// The references that keep their deleted rows, by the token of their name.
    pub(crate) kept: HashSet<usize>,
    /// The unqualified names, by their token, that these rely on to mean a table of that schema.
    pub(crate) relied: BTreeMap<usize, String>,
    /// The names that the open blocks have brought so far, innermost last: what subqueries may refer to.
    pub(crate) frames: Vec<Reach<'a>>,
}

impl<'a> Rewriter<'a> {
    /// One for `statement`, with no edits yet.
    pub(crate) fn new(statement: &Statement<'a>) -> Self {
        let Statement { text, tokens, piece, names, ref scope, .. } = *statement;
        Self {
            text,
            piece,
            tokens,
            names,
            scope: scope.clone(),
            edits: Vec::new(),
            claims: Vec::new(),
            ctes: Vec::new(),
            tag: None,
            added: None,
            kept: HashSet::new(),
            relied: BTreeMap::new(),
            frames: Vec::new(),
        }
    }

    pub(crate) fn refuse<T>(&self, reason: Reason, token: usize) -> Result<T, Refusal> {
        Err(Refusal { reason, offset: self.tokens.get(token).map(|token| token.start) })
    }

    /// The source of tokens `first..=last`.
    pub(crate) fn source(&self, first: usize, last: usize) -> String {
        String::from_utf8_lossy(&self.text[self.tokens[first].start..self.tokens[last].end]).into_owned()
    }

    /// The identifier at `token`, as stored.
    pub(crate) fn identifier(&self, token: usize) -> Result<String, Refusal> {
        match identifier(self.text, &self.tokens[token]).map(String::from_utf8) {
            Some(Ok(name)) => Ok(name),
            // No registered name can equal what is not UTF-8 or not decodable; the server judges the name itself.
            Some(Err(bytes)) => Ok(String::from_utf8_lossy(bytes.as_bytes()).into_owned()),
            None => self.refuse(Reason::Unreadable { what: "a name that cannot be decoded" }, token),
        }
    }

    /// The entry that `name` means, unless a CTE of that name is in scope.
    pub(crate) fn reference(&mut self, name: &Name) -> Result<Option<&'a Entry>, Refusal> {
        let parts = self.parts(name)?;
        if let [only] = parts.as_slice()
            && self.ctes.contains(only)
        {
            return Ok(None);
        }
        self.resolve(&parts, name)
    }

    /// The entry that the target of a data-modifying statement means: CTEs are never targets.
    pub(crate) fn target(&mut self, name: &Name) -> Result<Option<&'a Entry>, Refusal> {
        let parts = self.parts(name)?;
        self.check_present(&parts, name.relation())?;
        self.resolve(&parts, name)
    }

    /// The same for a target whose rows are deleted: a view would really delete them.
    pub(crate) fn delete_target(&mut self, name: &Name) -> Result<Option<&'a Entry>, Refusal> {
        if !self.names.role.hard_deletes {
            self.check_view(name, "a deletion", "would really delete rows")?;
        }
        self.target(name)
    }

    /// Refuses what a view would do to rows of the table below it that the statement must not reach.
    pub(crate) fn check_view(&self, name: &Name, what: &'static str, does: &'static str) -> Result<(), Refusal> {
        if let Ok(Meaning::Relation(Some(entry))) = self.names.resolve(&self.spelled(name)?)
            && let EntryKind::View(table) = &entry.kind
        {
            let reason = Reason::View { what, does, view: entry.display(), table: table.clone() };
            return self.refuse(reason, name.relation());
        }
        Ok(())
    }

    fn parts(&mut self, name: &Name) -> Result<Vec<String>, Refusal> {
        self.claims.push(name.relation());
        self.spelled(name)
    }

    fn spelled(&self, name: &Name) -> Result<Vec<String>, Refusal> {
        name.parts.iter().map(|part| self.identifier(*part)).collect()
    }

    fn resolve(&mut self, parts: &[String], name: &Name) -> Result<Option<&'a Entry>, Refusal> {
        let entry = match self.names.resolve(parts) {
            Ok(Meaning::Relation(entry)) => entry,
            Ok(Meaning::Temporary) => {
                self.insert_before(name.first(), "pg_temp.", name.first());
                return Ok(None);
            }
            Err(reason) => return self.refuse(reason, name.relation()),
        };
        match entry {
            Some(Entry { relation, kind: EntryKind::Ancestor(registered) }) => self.refuse(
                Reason::Ancestor { table: relation.display(), registered: registered.clone() },
                name.relation(),
            ),
            Some(entry) if entry.policy().is_some() => Ok(Some(entry)),
            _ => Ok(None),
        }
    }

    /// Refuses what the database is not ready for, and what cannot be read as of another time.
    pub(crate) fn check_fault(&self, entry: &Entry, token: usize) -> Result<(), Refusal> {
        self.check_faults(entry, token, true)
    }

    /// The same for a statement that deletes nothing: in the present it has no need of an archive.
    pub(crate) fn check_readable(&self, entry: &Entry, token: usize) -> Result<(), Refusal> {
        self.check_faults(entry, token, self.scope.as_of.is_some())
    }

    fn check_faults(&self, entry: &Entry, token: usize, needs_archive: bool) -> Result<(), Refusal> {
        let fault = entry.policy().and_then(|policy| policy.fault.as_ref());
        match fault.filter(|fault| needs_archive || fault.key != ARCHIVE) {
            Some(fault) => self.refuse(Reason::Broken { table: entry.display(), fault: fault.message.clone() }, token),
            None => self.check_past(entry, token),
        }
    }

    /// Refuses what is written by the columns of a relation that are not those of the catalog any more.
    pub(crate) fn check_shape(&self, relation: &Relation, token: usize) -> Result<(), Refusal> {
        match self.names.state.changes.columns.contains_key(&relation.name) {
            true => self.refuse(Reason::Reshaped { table: relation.display() }, token),
            false => Ok(()),
        }
    }

    /// The rows that a reference to `entry` sees.
    pub(crate) fn rows(&self, entry: &Entry) -> Rows {
        entry.policy().map_or(Rows::All, |policy| self.scope.rows(&policy.table))
    }

    /// How columns of `table` are qualified in its block: the alias, or the name as written.
    pub(crate) fn qualifier(&self, table: &TableRef) -> String {
        match &table.alias {
            Some(alias) => self.source(alias.name, alias.name),
            None => self.source(table.name.first(), table.name.relation()),
        }
    }

    /// The predicate that limits `table` to `rows`.
    pub(crate) fn limit(&self, entry: &Entry, rows: Rows, table: &TableRef) -> Option<String> {
        let qualifier = &self.qualifier(table);
        let policy = entry.policy()?;
        match (&self.scope.as_of, rows) {
            (_, Rows::Live) if self.kept.contains(&table.name.relation()) => None,
            (Some(as_of), Rows::Live) => policy.limit_as_of(as_of, qualifier),
            _ => policy.limit(rows, qualifier),
        }
    }

    /// What DELETE from `entry` means.
    pub(crate) fn strategy(&self, entry: &Entry) -> Strategy {
        entry.policy().map_or(Strategy::Hard, |policy| policy.strategy)
    }

    /// A name for a CTE of our own, unlike any in the text.
    pub(crate) fn fresh_name(&mut self) -> String {
        let own = || last_of_ours(&self.text[self.tokens[self.piece.first].start..self.tokens[self.piece.end - 1].end]);
        let added = self.added.unwrap_or_else(own) + 1;
        self.added = Some(added);
        format!("{OWN_NAME}{added}")
    }

    /// Puts `text` before `token`.
    pub(crate) fn insert_before(&mut self, token: usize, text: &str, cause: usize) {
        let at = self.tokens[token].start;
        self.edit(at, at, text, cause);
    }

    /// Puts `text` behind `token`.
    pub(crate) fn insert_after(&mut self, token: usize, text: &str, cause: usize) {
        let at = self.tokens[token].end;
        self.edit(at, at, text, cause);
    }

    /// Replaces tokens `first..=last`, and what stands between them.
    pub(crate) fn replace(&mut self, first: usize, last: usize, text: &str, cause: usize) {
        self.edit(self.tokens[first].start, self.tokens[last].end, text, cause);
    }

    /// Adds an edit, with a space wherever two words would otherwise run together.
    fn edit(&mut self, start: usize, end: usize, text: &str, cause: usize) {
        let glues = |byte: Option<&u8>| {
            byte.is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte >= 0x80 || b"_$\"'".contains(byte))
        };
        let before = start.checked_sub(1).and_then(|at| self.text.get(at));
        let mut padded = String::with_capacity(text.len() + 2);
        if glues(before) && glues(text.as_bytes().first()) {
            padded.push(' ');
        }
        padded.push_str(text);
        if glues(text.as_bytes().last()) && glues(self.text.get(end)) {
            padded.push(' ');
        }
        self.edits.push(Edit { start, end, text: padded.into_bytes().into(), cause: self.tokens[cause].start });
    }
}
