//! What a piece of SQL that is stored in the server does with registered tables, as far as its tokens tell.
//!
//! The text may be PL/pgSQL, so no parser reads it: a name counts where a table stands, and inside strings wherever it is.

use std::collections::BTreeMap;

use crate::rewrite::Registry;
use crate::rewrite::policy::Policy;
use crate::sql::ident::{identifier, plain_string};
use crate::sql::keyword::Keyword;
use crate::sql::lexer::{Kind, Token, lex};
use crate::sql::scan::table_positions;

/// What a text does with one registered table.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Mention {
    /// References that read it.
    pub(crate) reads: usize,
    /// Times its live predicate stands in the text.
    pub(crate) limits: usize,
    /// Some condition of the text names every column that the live predicate reads.
    pub(crate) tests_marker: bool,
    /// It deletes from it.
    pub(crate) deletes: bool,
    /// It truncates it.
    pub(crate) truncates: bool,
    /// A string names it.
    pub(crate) in_string: bool,
}

/// Which rows the references of a text see.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sight {
    /// It reads none.
    None,
    /// Live ones.
    Limited,
    /// Live ones by some references, all by others.
    Some,
    /// Those that its own conditions on the marker choose.
    Chosen,
    /// All.
    All,
}

impl Mention {
    /// Which rows its references see.
    pub(crate) fn sight(self) -> Sight {
        match self {
            Self { reads: 0, .. } => Sight::None,
            Self { reads, limits, .. } if limits >= reads => Sight::Limited,
            Self { limits: 1.., .. } => Sight::Some,
            Self { tests_marker: true, .. } => Sight::Chosen,
            Self { .. } => Sight::All,
        }
    }
}

/// What `source` does with each registered table that it names, by the table's name.
#[must_use]
pub(crate) fn mentions<'a>(source: &str, registry: &'a Registry) -> BTreeMap<String, (&'a Policy, Mention)> {
    let mut found = BTreeMap::new();
    // A text without an end is no text that the server runs.
    let Ok(tokens) = lex(source.as_bytes(), true) else { return found };
    let text = Text { source, tokens: &tokens };
    let said = Said { all: text.said(0), conditions: text.said(text.first_condition()) };
    for (index, verb) in text.tables() {
        let Some(policy) = text.named(index, registry) else { continue };
        let (_, mention) = entry(&mut found, policy, &said);
        match verb {
            Verb::Read => mention.reads += 1,
            Verb::Insert => {}
            Verb::Delete => mention.deletes = true,
            Verb::Truncate => mention.truncates = true,
        }
    }
    for token in &tokens {
        let Some(inner) = plain_string(source.as_bytes(), token).and_then(|bytes| String::from_utf8(bytes).ok()) else {
            continue;
        };
        let Ok(tokens) = lex(inner.as_bytes(), true) else { continue };
        let inside = Text { source: &inner, tokens: &tokens };
        // A name alone may be a key of some JSON; behind a word of SQL it is a table.
        let words = inside.tables().into_iter().filter(|_| tokens.len() > 1);
        for policy in words.filter_map(|(index, _)| inside.named(index, registry)) {
            entry(&mut found, policy, &said).1.in_string = true;
        }
    }
    found
}

/// What a text says, from its beginning and from its first condition on.
struct Said {
    all: Vec<String>,
    conditions: Vec<String>,
}

fn entry<'a, 'm>(
    found: &'m mut BTreeMap<String, (&'a Policy, Mention)>,
    policy: &'a Policy,
    said: &Said,
) -> &'m mut (&'a Policy, Mention) {
    found.entry(policy.table.to_string()).or_insert_with(|| {
        let mention = policy.live.as_ref().map_or_else(Mention::default, |live| {
            let plain = live.plain();
            let looked_for = lex(plain.as_bytes(), true)
                .map(|tokens| Text { source: &plain, tokens: &tokens }.said(0))
                .unwrap_or_default();
            let limits = said.all.windows(looked_for.len().max(1)).filter(|window| *window == looked_for).count();
            let tests_marker = live.columns().all(|column| said.conditions.iter().any(|word| word == column));
            Mention { limits, tests_marker, ..Mention::default() }
        });
        (policy, mention)
    })
}

/// True where `source` names one of `columns`.
#[must_use]
pub(crate) fn names_column<'a>(source: &str, mut columns: impl Iterator<Item = &'a str>) -> bool {
    let Ok(tokens) = lex(source.as_bytes(), true) else { return true };
    let text = Text { source, tokens: &tokens };
    let words: Vec<String> = (0..tokens.len()).filter_map(|index| text.word(index)).collect();
    columns.any(|column| words.iter().any(|word| word == column))
}

/// What a statement does with the table it names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verb {
    Read,
    Insert,
    Delete,
    Truncate,
}

struct Text<'a> {
    source: &'a str,
    tokens: &'a [Token],
}

impl<'a> Text<'a> {
    fn word(&self, index: usize) -> Option<String> {
        String::from_utf8(identifier(self.source.as_bytes(), self.tokens.get(index)?)?).ok()
    }

    fn keyword(&self, index: usize) -> Option<Keyword> {
        self.tokens.get(index)?.keyword
    }

    /// The words that stand where a table stands, in any list behind TRUNCATE too, with what is done there.
    fn tables(&self) -> Vec<(usize, Verb)> {
        let mut found: Vec<(usize, Verb)> = Vec::new();
        for start in (0..self.tokens.len()).filter(|&index| self.word(index).as_deref() == Some("truncate")) {
            let list = (start + 1..self.tokens.len()).take_while(|&index| {
                self.tokens[index].kind.is_word() || self.is(index, Kind::Comma) || self.is(index, Kind::Dot)
            });
            let names = list.filter(|&index| self.tokens[index].kind.is_word() && !self.is(index + 1, Kind::Dot));
            found.extend(names.map(|index| (index, Verb::Truncate)));
        }
        for index in table_positions(self.tokens, 0, self.tokens.len()) {
            if found.iter().all(|(known, _)| *known != index) {
                found.push((index, self.verb(index)));
            }
        }
        found
    }

    fn is(&self, index: usize, kind: Kind) -> bool {
        self.tokens.get(index).is_some_and(|token| token.kind == kind)
    }

    /// The first word of the name that ends at `index`.
    fn start(&self, index: usize) -> usize {
        if index >= 2 && self.is(index - 1, Kind::Dot) { index - 2 } else { index }
    }

    /// The policy of the table that the name ending at `index` may mean: without a schema, of whatever schema.
    fn named<'r>(&self, index: usize, registry: &'r Registry) -> Option<&'r Policy> {
        let name = self.word(index)?;
        let start = self.start(index);
        let entry = match (start < index).then(|| self.word(start)) {
            Some(schema) => registry.find(&schema?, &name),
            None => registry.named(&name).find(|entry| entry.policy().is_some()),
        };
        entry?.policy().map(|policy| &**policy)
    }

    /// By the words in front of the name that ends at `index`.
    fn verb(&self, index: usize) -> Verb {
        let start = self.start(index);
        let before = |distance: usize| start.checked_sub(distance).and_then(|index| self.keyword(index));
        let at = if before(1) == Some(Keyword::Only) { 2 } else { 1 };
        match (before(at), before(at + 1)) {
            (Some(Keyword::From), Some(Keyword::Delete)) => Verb::Delete,
            (Some(Keyword::Into), merge) if merge != Some(Keyword::Merge) => Verb::Insert,
            _ => Verb::Read,
        }
    }

    fn first_condition(&self) -> usize {
        let starts = |index: &usize| matches!(self.keyword(*index), Some(Keyword::Where | Keyword::On));
        (0..self.tokens.len()).find(starts).unwrap_or(self.tokens.len())
    }

    /// What is said from token `first` on, without what only the server's spelling adds: parentheses, casts, qualifiers.
    fn said(&self, first: usize) -> Vec<String> {
        /// Words that belong to the name of a type.
        const TYPE: &[&str] = &["varying", "precision", "with", "without", "time", "zone"];
        let mut said = Vec::new();
        let mut index = first;
        while let Some(token) = self.tokens.get(index) {
            match token.kind {
                Kind::Open | Kind::Close => {}
                Kind::Typecast => {
                    index += 1;
                    while self.word(index + 1).is_some_and(|word| TYPE.contains(&word.as_str())) {
                        index += 1;
                    }
                }
                kind if kind.is_word() && self.is(index + 1, Kind::Dot) => index += 1,
                kind if kind.is_word() => said.push(self.word(index).unwrap_or_default()),
                _ => said.push(self.source[token.start..token.end].to_owned()),
            }
            index += 1;
        }
        said
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config;

    fn registry() -> Registry {
        let text = "[upstream]\naddress = 'h:1'\nuser = 'u'\n[databases.d.tables.users]\ndelete = 'soft'\n\
                    [databases.d.tables.seats]\ndelete = 'soft'\nlive = \"state <> 'void'\"\nmark = { state = \"'void'\" }\n";
        let config = config::parse(text, &|_| None).expect("it reads");
        Registry::offline(config.databases.find("d").expect("it is there")).0
    }

    fn mention(source: &str, table: &str) -> Mention {
        mentions(source, &registry()).get(table).map(|(_, mention)| *mention).unwrap_or_default()
    }

    #[test]
    fn references_are_limited_where_the_predicate_stands_as_often() {
        let limited = mention(" SELECT users.id FROM public.users WHERE (users.deleted_at IS NULL)", "public.users");
        assert_eq!(limited.sight(), Sight::Limited);
        let half = "SELECT FROM users a JOIN users b ON a.id = b.id WHERE a.deleted_at IS NULL";
        assert_eq!(mention(half, "public.users").sight(), Sight::Some);
        let cast = "SELECT FROM seats s WHERE ((s.state)::character varying <> 'void'::text)";
        assert_eq!(mention(cast, "public.seats").sight(), Sight::Limited);
        let graves = mention("SELECT FROM users WHERE deleted_at IS NOT NULL", "public.users");
        assert_eq!(graves.sight(), Sight::Chosen);
        assert_eq!(mention("SELECT deleted_at FROM users", "public.users").sight(), Sight::All);
    }

    #[test]
    fn deletions_are_seen_in_plpgsql_too() {
        let body =
            "BEGIN FOR r IN SELECT id FROM users LOOP DELETE FROM ONLY public.users u WHERE u.id = r.id; END LOOP; END";
        let found = mention(body, "public.users");
        assert!(found.deletes && found.reads == 1 && !found.truncates);
        assert_eq!(mention("MERGE INTO users USING other ON true WHEN MATCHED THEN DELETE", "public.users").reads, 1);
        assert_eq!(mention("INSERT INTO users SELECT 1", "public.users").reads, 0);
        assert!(mention("BEGIN TRUNCATE other, users; END", "public.users").truncates);
        assert_eq!(mention("BEGIN users := 1; RETURN new.users; END", "public.users"), Mention::default());
    }

    #[test]
    fn a_name_in_a_string_counts_where_the_string_is_sql() {
        assert!(mention("EXECUTE 'DELETE FROM users WHERE id = ' || n", "public.users").in_string);
        assert!(!mention("SELECT x ->> 'users'", "public.users").in_string);
    }
}
