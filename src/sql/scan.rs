//! The token witness: where, by its neighbours alone, a name looks like a table. Shares nothing with the reader.

use crate::sql::keyword::Keyword;
use crate::sql::lexer::{Kind, Token};

/// What is known of one bracket level.
#[derive(Clone, Copy)]
struct Level {
    /// A clause keyword belongs to a query here, not to a function's arguments.
    query: bool,
    /// Between FROM and the next clause: a comma starts a table.
    from: bool,
}

/// The words of `tokens[first..end]` that stand where a table stands: the last part of each name behind FROM, JOIN,
/// INTO, UPDATE, ONLY, TABLE, a DELETE's USING, or a comma of a FROM list.
#[must_use]
pub fn table_positions(tokens: &[Token], first: usize, end: usize) -> Vec<usize> {
    let mut found = Vec::new();
    let mut levels = vec![Level { query: true, from: false }];
    let mut expects = false;
    let mut index = first;
    while index < end {
        let token = &tokens[index];
        let level = levels.len() - 1;
        match token.kind {
            Kind::Open | Kind::OpenBracket => {
                let query = opens_query(tokens, index);
                // A parenthesis where a table is expected holds a join, whose first word is one too, or a query: a comma
                // of its WITH starts no table.
                let with = tokens.get(index + 1).is_some_and(|next| next.keyword == Some(Keyword::With));
                expects &= !with;
                levels.push(Level { query: query || expects, from: expects });
                index += 1;
                continue;
            }
            Kind::Close | Kind::CloseBracket => {
                if levels.len() > 1 {
                    levels.pop();
                }
                expects = false;
            }
            Kind::Comma => expects = levels[level].from,
            Kind::Word | Kind::QuotedWord | Kind::UnicodeWord => {
                if tokens.get(index + 1).is_some_and(|next| next.kind == Kind::Dot) && index + 2 < end {
                    index += 2;
                    continue;
                }
                let behind_dot = index > first && tokens[index - 1].kind == Kind::Dot;
                match token.keyword.filter(|_| !behind_dot).map(|keyword| clause(tokens, first, index, keyword)) {
                    Some(Clause::Table) if levels[level].query => {
                        // What follows a comma behind INTO or UPDATE is a column.
                        levels[level].from |= !matches!(token.keyword, Some(Keyword::Into | Keyword::Update));
                        expects = true;
                    }
                    Some(Clause::Modifier) => {}
                    Some(Clause::Other) => {
                        levels[level].from = false;
                        expects = false;
                    }
                    _ => {
                        if expects {
                            found.push(index);
                        }
                        expects = false;
                    }
                }
            }
            _ => expects = false,
        }
        index += 1;
    }
    found
}

/// True where the bracket at `open` may enclose a query, or another that does.
fn opens_query(tokens: &[Token], open: usize) -> bool {
    tokens.get(open + 1).is_some_and(|next| match next.keyword {
        Some(
            Keyword::Select
            | Keyword::With
            | Keyword::Table
            | Keyword::Values
            | Keyword::Delete
            | Keyword::Insert
            | Keyword::Update
            | Keyword::Merge,
        ) => true,
        _ => next.kind == Kind::Open,
    })
}

enum Clause {
    /// A table follows.
    Table,
    /// Stands between such a word and the table.
    Modifier,
    /// Ends a FROM list.
    Other,
    /// No clause: a name like any other.
    Name,
}

fn clause(tokens: &[Token], first: usize, index: usize, keyword: Keyword) -> Clause {
    let before = |distance: usize| (index >= first + distance).then(|| tokens[index - distance].keyword).flatten();
    match keyword {
        Keyword::From
            if before(1) == Some(Keyword::Distinct)
                && matches!(before(2), Some(Keyword::Is | Keyword::Not))
                && !(index >= first + 3 && matches!(tokens[index - 3].kind, Kind::Dot | Kind::Typecast)) =>
        {
            Clause::Name
        }
        Keyword::From | Keyword::Join | Keyword::Into | Keyword::Table => Clause::Table,
        // FOR [NO KEY] UPDATE, DO UPDATE and THEN UPDATE name no table.
        Keyword::Update if !matches!(before(1), Some(Keyword::For | Keyword::Key | Keyword::Do | Keyword::Then)) => Clause::Table,
        // JOIN … USING (columns), ORDER BY … USING < and USING OPERATOR(…) name no table.
        // CYCLE … SET mark [TO value DEFAULT value] USING path names a column.
        Keyword::Using if matches!(before(2), Some(Keyword::Set | Keyword::Default)) => Clause::Name,
        Keyword::Using if names_a_table(tokens, index + 1) => Clause::Table,
        Keyword::Only | Keyword::Lateral => Clause::Modifier,
        _ if keyword.continues_query() => Clause::Other,
        Keyword::Where
        | Keyword::Group
        | Keyword::Having
        | Keyword::Window
        | Keyword::Returning
        | Keyword::Select
        // A column of UPDATE … SET may be called like its table.
        | Keyword::Set
        | Keyword::Values => Clause::Other,
        _ => Clause::Name,
    }
}

fn names_a_table(tokens: &[Token], index: usize) -> bool {
    let is_call = tokens.get(index + 1).is_some_and(|next| next.kind == Kind::Open);
    tokens.get(index).is_some_and(|token| match token.kind {
        Kind::Word => token.keyword != Some(Keyword::Operator) || !is_call,
        Kind::QuotedWord | Kind::UnicodeWord => true,
        _ => false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sql::lexer::lex;

    fn positions(text: &str) -> Vec<&str> {
        let tokens = lex(text.as_bytes(), true).expect("lexes");
        table_positions(&tokens, 0, tokens.len())
            .into_iter()
            .map(|index| &text[tokens[index].start..tokens[index].end])
            .collect()
    }

    #[test]
    fn tables_are_where_their_neighbours_say() {
        assert_eq!(positions("SELECT a, b FROM t, public.u AS x JOIN ONLY v ON x.a = v.a, w"), ["t", "u", "v", "w"]);
        assert_eq!(positions("SELECT extract(year FROM t), c FROM (a JOIN b ON true), d"), ["a", "b", "d"]);
        assert_eq!(
            positions("SELECT a IS NOT DISTINCT FROM b, c FROM t WHERE (a, b) IN (SELECT x, y FROM u)"),
            ["t", "u"]
        );
        assert_eq!(positions("SELECT q.is distinct FROM t, u"), ["t", "u"]);
        assert_eq!(positions("SELECT 1::is distinct FROM t, u"), ["t", "u"]);
        assert_eq!(positions("DELETE FROM t USING u, w WHERE t.a = u.a"), ["t", "u", "w"]);
        assert_eq!(positions("INSERT INTO t (a[(VALUES (0) UNION SELECT b FROM u)]) VALUES (1)"), ["t", "u"]);
        assert_eq!(positions("INSERT INTO t (a, b) SELECT a, b FROM s ON CONFLICT DO UPDATE SET a = 1"), ["t", "s"]);
        assert_eq!(positions("UPDATE t SET a = 1, b = 2 FROM u, w WHERE t.a = u.a"), ["t", "u", "w"]);
        assert_eq!(positions("SELECT a FROM t ORDER BY a USING <, b USING OPERATOR(pg_catalog.>), c"), ["t"]);
        assert_eq!(positions("SELECT * FROM (WITH a AS (SELECT 1), b AS (SELECT 2) TABLE b) q, t"), ["b", "t"]);
        assert_eq!(
            positions("UPDATE price SET active = true, price = i.price FROM input i, t"),
            ["price", "input", "t"]
        );
        assert_eq!(positions("SELECT 1 FROM t FOR NO KEY UPDATE NOWAIT"), ["t"]);
        assert_eq!(positions("SELECT 1 UNION TABLE t ORDER BY a, b FOR UPDATE"), ["t"]);
        assert_eq!(positions("WITH RECURSIVE r AS (SELECT 1) CYCLE a SET c USING p SELECT 1 FROM r"), ["r"]);
        assert_eq!(positions("WITH r AS (TABLE t) CYCLE a SET c TO 1 DEFAULT 0 USING p SELECT 1 FROM r"), ["t", "r"]);
    }
}
