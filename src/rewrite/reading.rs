//! What a statement must be asked before any rule: whether its text can be read with certainty, and what it mentions.

use crate::rewrite::refusal::{Reason, Refusal};
use crate::rewrite::schema_change::create_head;
use crate::rewrite::statement::Statement;
use crate::sql::ident::{escaped_identifier, plain_string};
use crate::sql::keyword::Keyword;
use crate::sql::lexer::Kind;
use crate::sql::split::Piece;

impl Statement<'_> {
    /// The first token that names, or may name, a watched relation.
    pub(crate) fn mention(&self) -> Option<usize> {
        (self.piece.first..self.piece.end).find(|&index| match self.tokens[index].kind {
            Kind::Word | Kind::QuotedWord => {
                self.name_at(index).is_some_and(|name| self.names.registry.is_watched(&name))
            }
            // A name that cannot be decoded may say anything, where there is anything it may say.
            Kind::UnicodeWord if self.names.registry.is_empty() => false,
            Kind::UnicodeWord => self.unicode_name(index).is_none_or(|name| self.names.registry.is_watched(&name)),
            _ => false,
        })
    }

    /// The name that `U&"…"` at `index` says, a UESCAPE clause behind it included.
    pub(crate) fn unicode_name(&self, index: usize) -> Option<String> {
        if self.word(index + 1).as_deref() != Some("uescape") {
            return self.name_at(index);
        }
        self.kind(index + 2)?;
        let escape = plain_string(self.text, &self.tokens[index + 2])?;
        let [escape] = escape.as_slice() else { return None };
        let name = escaped_identifier(self.text, &self.tokens[index], *escape)?;
        String::from_utf8(name).ok()
    }

    /// Refuses what cannot be read with certainty, whatever it is: where nothing is registered nothing depends on it.
    pub(crate) fn check_reading(&self) -> Result<(), Refusal> {
        let registry = self.names.registry;
        let Piece { first, end } = self.piece;
        if registry.is_empty() {
            return Ok(());
        }
        let bytes = &self.text[self.tokens[first].start..self.tokens[end - 1].end];
        if self.names.state.strings_unknown && bytes.contains(&b'\\') {
            return self.refuse(Reason::Encoding, first);
        }
        let is_query = self.is_query();
        if !self.names.state.fresh.is_empty() && (is_query || self.creates_body()) {
            self.check_fresh()?;
        }
        // What it spells may be any name that a rule looks for; behind AS it names a column of the result.
        let spells = |index: &usize| {
            self.has_unicode_escape_at(*index)
                && !(is_query && *index > first && self.keyword(index - 1) == Some(Keyword::As))
        };
        match (first..end).find(spells) {
            Some(token) => {
                self.refuse(Reason::Unreadable { what: "UESCAPE, where the name itself could stand" }, token)
            }
            None => Ok(()),
        }
    }

    /// A CREATE that carries statements of its own.
    fn creates_body(&self) -> bool {
        if self.keyword(self.piece.first) != Some(Keyword::Create) {
            return false;
        }
        let head = create_head(self);
        match self.keyword(head.noun) {
            Some(
                Keyword::Function
                | Keyword::Procedure
                | Keyword::Rule
                | Keyword::Policy
                | Keyword::View
                | Keyword::Schema,
            ) => true,
            Some(Keyword::Table) => self.outside_groups(head.name, Keyword::As).is_some(),
            _ => false,
        }
    }

    /// The first name of a fresh relation in the statement.
    pub(crate) fn fresh_name(&self) -> Option<(usize, String)> {
        if self.names.state.fresh.is_empty() {
            return None;
        }
        (self.piece.first..self.piece.end).find_map(|index| {
            let name = self.name_at(index)?;
            self.names.state.fresh.contains_key(&name).then_some((index, name))
        })
    }

    /// Until the catalog is read again nobody knows whose rows a relation holds that this transaction put under a
    /// registered table, or over it as a view: rows of the one are not read, rows of neither are deleted, or written into
    /// where they are met.
    fn check_fresh(&self) -> Result<(), Refusal> {
        let Piece { first, end } = self.piece;
        let inserts = self.keyword(first) == Some(Keyword::Insert);
        // What is inserted into is not read; what stands behind it may be, where there is a query.
        let target = if inserts { self.name_parts(first + 2).map_or(first, |(_, next)| next - 1) } else { first };
        let only_writes = inserts && !self.has(Keyword::Select) && !self.has(Keyword::Table);
        let deletes = self.has(Keyword::Delete) || self.has(Keyword::Truncate);
        let meets = self.has(Keyword::Conflict);
        for index in (first..end).filter(|index| !inserts || meets || *index != target) {
            let Some(name) = self.name_at(index) else { continue };
            match self.names.state.fresh.get(&name) {
                Some(_) if meets => return self.refuse(Reason::Fresh { name }, index),
                Some(fresh) if fresh.view && deletes => return self.refuse(Reason::Fresh { name }, index),
                Some(fresh) if !fresh.view && !only_writes => return self.refuse(Reason::Fresh { name }, index),
                _ => {}
            }
        }
        Ok(())
    }

    /// A statement that reads or writes rows by a query.
    fn is_query(&self) -> bool {
        let first = self.piece.first;
        self.kind(first) == Some(Kind::Open)
            || self.keyword(first).is_some_and(|keyword| {
                keyword.starts_query()
                    || matches!(
                        keyword,
                        Keyword::Copy | Keyword::Truncate | Keyword::Explain | Keyword::Declare | Keyword::Prepare
                    )
            })
    }

    pub(crate) fn has_unicode_escape(&self) -> bool {
        (self.piece.first..self.piece.end).any(|index| self.has_unicode_escape_at(index))
    }

    pub(crate) fn has_unicode_escape_at(&self, index: usize) -> bool {
        self.tokens[index].kind == Kind::UnicodeWord && self.word(index + 1).as_deref() == Some("uescape")
    }
}
