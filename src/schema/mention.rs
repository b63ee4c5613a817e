//! What a piece of SQL that is stored in the server does with registered tables, as far as its tokens tell.
//!
//! The text may be PL/pgSQL, so no parser reads it: a name counts where a table stands, and inside strings wherever it is.

use std::collections::BTreeMap;
use std::ops::Range;

use crate::rewrite::Registry;
use crate::rewrite::policy::Policy;
use crate::schema::limits::{Seen, seen};
use crate::sql::ident::{identifier, plain_string};
use crate::sql::keyword::Keyword;
use crate::sql::lexer::{Kind, Token, lex};
use crate::sql::scan::table_positions;
use crate::sql::token::behind_group;

/// What a text does with one registered table.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Mention {
    /// References that read it.
    pub(crate) reads: usize,
    /// Those of them that see live rows.
    pub(crate) limited: usize,
    /// Those of them that choose by the marker what they see.
    pub(crate) chosen: usize,
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
            Self { reads, limited, .. } if limited == reads => Sight::Limited,
            Self { reads, limited, chosen, .. } if limited + chosen == reads => Sight::Chosen,
            Self { limited: 1.., .. } => Sight::Some,
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
    for (index, verb) in text.tables() {
        let Some(policy) = text.named(index, registry) else { continue };
        let mention = entry(&mut found, policy);
        match verb {
            Verb::Read => {
                mention.reads += 1;
                match policy.live.as_ref().map(|live| seen(&text, index, live)) {
                    Some(Seen::Live) => mention.limited += 1,
                    Some(Seen::Chosen) => mention.chosen += 1,
                    Some(Seen::All) | None => {}
                }
            }
            // What is not matched is seen as well.
            Verb::MergeDelete => {
                mention.reads += 1;
                mention.deletes = true;
            }
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
            entry(&mut found, policy).in_string = true;
        }
    }
    found
}

fn entry<'a, 'm>(found: &'m mut BTreeMap<String, (&'a Policy, Mention)>, policy: &'a Policy) -> &'m mut Mention {
    &mut found.entry(policy.table.to_string()).or_insert_with(|| (policy, Mention::default())).1
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
    /// It is the target of a MERGE that deletes.
    MergeDelete,
    Truncate,
}

/// A text and its tokens.
pub(super) struct Text<'a> {
    pub(super) source: &'a str,
    pub(super) tokens: &'a [Token],
}

impl<'a> Text<'a> {
    /// The name that stands there.
    pub(super) fn word(&self, index: usize) -> Option<String> {
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

    /// True where a token of that kind stands there.
    pub(super) fn is(&self, index: usize, kind: Kind) -> bool {
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
            (Some(Keyword::Into), Some(Keyword::Merge)) if self.merge_deletes(index) => Verb::MergeDelete,
            (Some(Keyword::Into), merge) if merge != Some(Keyword::Merge) => Verb::Insert,
            _ => Verb::Read,
        }
    }

    /// The MERGE whose target is at `target` has an action DELETE.
    fn merge_deletes(&self, target: usize) -> bool {
        let rest = (target..self.tokens.len()).take_while(|index| !self.is(*index, Kind::Semicolon));
        let mut actions = rest.filter(|index| self.clause(*index) == Some(Keyword::Then));
        actions.any(|then| self.clause(then + 1) == Some(Keyword::Delete))
    }

    /// The keyword that stands there, where it is not behind a dot.
    pub(super) fn clause(&self, index: usize) -> Option<Keyword> {
        self.keyword(index).filter(|_| index == 0 || !self.is(index - 1, Kind::Dot))
    }

    /// What stands in the innermost parentheses around token `index`.
    pub(super) fn group(&self, index: usize) -> Range<usize> {
        let mut depth = 0usize;
        for before in (0..index).rev() {
            match self.tokens[before].kind {
                Kind::Close => depth += 1,
                Kind::Open if depth == 0 => {
                    return before + 1..behind_group(self.tokens, before, self.tokens.len()).saturating_sub(1);
                }
                Kind::Open => depth -= 1,
                _ => {}
            }
        }
        0..self.tokens.len()
    }

    /// The tokens of `range` that stand in no parentheses and no CASE of their own; of these, the first.
    pub(super) fn top(&self, range: &Range<usize>) -> Vec<usize> {
        let (mut found, mut cases, mut index) = (Vec::new(), 0usize, range.start);
        while index < range.end {
            if self.clause(index) == Some(Keyword::End) {
                cases = cases.saturating_sub(1);
            } else if cases == 0 {
                found.push(index);
            }
            cases += usize::from(self.clause(index) == Some(Keyword::Case));
            index = match self.tokens[index].kind {
                Kind::Open => behind_group(self.tokens, index, range.end),
                _ => index + 1,
            };
        }
        found
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

    fn sight(source: &str) -> Sight {
        mention(source, "public.users").sight()
    }

    #[test]
    fn a_reference_is_limited_by_a_condition_of_its_own() {
        for limited in [
            " SELECT users.id FROM public.users WHERE (users.deleted_at IS NULL)",
            "SELECT FROM users u WHERE id > 0 AND ((u.deleted_at IS NULL) AND name BETWEEN 'a' AND 'b')",
            "SELECT FROM posts p LEFT JOIN users u ON u.id = p.user_id AND u.deleted_at IS NULL WHERE p.id > 0",
            "SELECT FROM users u RIGHT JOIN posts p ON u.deleted_at IS NULL",
            "SELECT FROM (users u JOIN posts p ON u.deleted_at IS NULL) LEFT JOIN c ON true",
            "SELECT FROM a, users JOIN b USING (id) WHERE users.deleted_at IS NULL GROUP BY a.id",
            "SELECT FROM x WHERE EXISTS (SELECT FROM users WHERE deleted_at IS NULL AND users.id = x.id) OR x.id > 0",
            "SELECT FROM users WHERE deleted_at IS NULL UNION ALL SELECT FROM users u WHERE u.deleted_at IS NULL",
            "BEGIN FOR r IN SELECT id FROM users WHERE deleted_at IS NULL LOOP PERFORM 1; END LOOP; END",
            "UPDATE users SET a = 1, b = 2 WHERE deleted_at IS NULL",
        ] {
            assert_eq!(sight(limited), Sight::Limited, "{limited}");
        }
        let cast = "SELECT FROM seats s WHERE ((s.state)::character varying <> 'void'::text)";
        assert_eq!(mention(cast, "public.seats").sight(), Sight::Limited);
    }

    #[test]
    fn a_condition_elsewhere_limits_nothing() {
        for open in [
            "SELECT p.id FROM posts p LEFT JOIN users u ON u.id = p.user_id WHERE p.deleted_at IS NULL",
            "SELECT id FROM users WHERE deleted_at IS NULL OR id > 0",
            "SELECT count(*) FILTER (WHERE deleted_at IS NULL), count(*) FROM users",
            "SELECT id, deleted_at IS NULL AS alive FROM users",
            "SELECT FROM users, (SELECT NULL::timestamptz AS deleted_at) x WHERE x.deleted_at IS NULL",
            "SELECT FROM users, posts WHERE deleted_at IS NULL",
            "SELECT FROM users u LEFT JOIN posts p ON u.deleted_at IS NULL",
            "SELECT FROM users u FULL JOIN posts p ON u.deleted_at IS NULL",
            "SELECT FROM users WHERE CASE WHEN a AND deleted_at IS NULL AND b THEN c END",
            "SELECT FROM users u (deleted_at, id) WHERE u.deleted_at IS NULL",
            "SELECT FROM users WHERE id IN (SELECT id FROM posts WHERE deleted_at IS NULL)",
            "SELECT FROM users; SELECT FROM posts WHERE deleted_at IS NULL",
            "INSERT INTO x SELECT id FROM users ON CONFLICT (id) DO UPDATE SET n = 1 WHERE deleted_at IS NULL",
            "MERGE INTO x USING users u ON u.deleted_at IS NULL WHEN NOT MATCHED THEN INSERT VALUES (1)",
        ] {
            assert_eq!(sight(open), Sight::All, "{open}");
        }
        let half = "SELECT FROM users a JOIN users b ON a.id = b.id WHERE a.deleted_at IS NULL";
        assert_eq!(sight(half), Sight::Some);
        for chosen in [
            "SELECT FROM users WHERE deleted_at IS NOT NULL",
            "SELECT FROM users WHERE NOT (deleted_at IS NULL)",
            "SELECT FROM users WHERE (deleted_at IS NULL) = false",
            "SELECT FROM users u, posts WHERE u.deleted_at > now() OR u.deleted_at IS NULL",
        ] {
            assert_eq!(sight(chosen), Sight::Chosen, "{chosen}");
        }
    }

    #[test]
    fn deletions_are_seen_in_plpgsql_too() {
        let body =
            "BEGIN FOR r IN SELECT id FROM users LOOP DELETE FROM ONLY public.users u WHERE u.id = r.id; END LOOP; END";
        let found = mention(body, "public.users");
        assert!(found.deletes && found.reads == 1 && !found.truncates);
        let merged = mention("MERGE INTO users USING other ON true WHEN MATCHED THEN DELETE", "public.users");
        assert!(merged.deletes && merged.reads == 1);
        let updated = mention("MERGE INTO users USING o ON true WHEN MATCHED THEN UPDATE SET a = 1", "public.users");
        assert!(!updated.deletes && updated.reads == 1);
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
