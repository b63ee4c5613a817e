//! Changes to SQL texts: some that leave their meaning alone, and some that leave nothing certain.
//!
//! Cutting is left to the caller, who says where the tokens are: two lexers may then be held against each other.

use std::ops::Range;

use super::random::Random;

/// What may stand in any gap without a change of meaning. None holds a newline: two strings with one between them
/// are one string.
const BLANKS: [&str; 9] = [
    " ",
    "\t",
    "  ",
    "/**/",
    " /* FROM users; */ ",
    "/* ' */",
    "/* \" /* nested $$ */ */",
    " /*é*/ ",
    "/* WHERE deleted_at IS NULL -- */ ",
];

/// Words and signs that structure hangs on.
const POOL: &[&str] = &[
    "SELECT",
    "FROM",
    "WHERE",
    "JOIN",
    "LEFT JOIN",
    "FULL JOIN",
    "NATURAL JOIN",
    "CROSS JOIN",
    "ON",
    "USING",
    "(",
    ")",
    "[",
    "]",
    ",",
    ";",
    ".",
    "*",
    "AS",
    "ONLY",
    "LATERAL",
    "TABLE",
    "VALUES",
    "WITH",
    "RECURSIVE",
    "UNION",
    "UNION ALL",
    "EXCEPT",
    "INTERSECT",
    "ORDER BY",
    "GROUP BY",
    "HAVING",
    "WINDOW",
    "LIMIT",
    "OFFSET",
    "FETCH",
    "FOR UPDATE",
    "OF",
    "INSERT INTO",
    "UPDATE",
    "DELETE FROM",
    "MERGE INTO",
    "SET",
    "RETURNING",
    "CONFLICT",
    "DO",
    "CASE",
    "WHEN",
    "THEN",
    "ELSE",
    "END",
    "EXISTS",
    "IN",
    "ANY",
    "ARRAY",
    "NOT",
    "IS",
    "DISTINCT",
    "AND",
    "OR",
    "BETWEEN",
    "CURRENT OF",
    "EXPLAIN",
    "PREPARE",
    "DECLARE",
    "CURSOR",
    "COPY",
    "TO",
    "STDOUT",
    "CREATE",
    "VIEW",
    "TEMP",
    "INTO",
    "BEGIN",
    "ATOMIC",
    "users",
    "posts",
    "orders",
    "seats",
    "notes",
    "public.users",
    "billing.invoices",
    "\"users\"",
    "U&\"\\0075sers\"",
    "UESCAPE",
    "measurements",
    "measurements_2025",
    "u",
    "deleted_at",
    "1",
    "'a'",
    "E'\\''",
    "$1",
    "$$x$$",
    "-",
    "::",
    "=",
    "||",
    "<@",
    ">=",
    "TABLESAMPLE",
    "ROWS FROM",
    "ORDINALITY",
    "EXTRACT",
    "OVERLAPS",
    "COLLATE",
    "INTERVAL",
    "LEFT",
    "FILTER",
    "WITHIN",
    "GROUP",
    "OVER",
    "PARTITION BY",
    "SEARCH",
    "CYCLE",
    "TRUNCATE",
    "set_config('sexton.scope', 'all', false)",
    "set_config('sexton.as_of', '2026-01-01', false)",
    "SEMI",
    "REPLACE",
    "NULL",
    "DEFAULT",
    "true",
];

/// Bytes that lexers trip over.
const BITS: &[&str] = &[
    "'", "\"", "\\", "$", "$$", "$a$", "/*", "*/", "--", "\n", "\r", "\0", "é", "\u{a0}", "E'", "U&'", "U&\"", "x'",
    "b'", "n'", "0x", "1e", "1_", "..", ":=", "::", ":", ";", "(", ")", "[", "]", "+-", "@-", "<--", "*/*", "?", "`",
    "{", "#", "~", "!", "%", "^", "|", "&", "\u{feff}", "0b1", "1.", ".1", "$1", "$1a", "a$1", "_",
];

/// The same statement, written differently: letters of words in another case, blanks and comments in the gaps.
pub fn layout(
    text: &str,
    tokens: &[Range<usize>],
    is_word: impl Fn(&Range<usize>) -> bool,
    random: &mut Random,
) -> String {
    let mut out = String::new();
    let mut at = 0;
    for token in tokens {
        out.push_str(&text[at..token.start]);
        if random.chance(60) {
            out.push(' ');
            out.push_str(random.pick::<&str>(&BLANKS));
            out.push(' ');
        }
        let source = &text[token.clone()];
        if is_word(token) {
            out.extend(source.chars().map(|letter| match random.below(2) {
                0 => letter.to_ascii_uppercase(),
                _ => letter.to_ascii_lowercase(),
            }));
        } else {
            out.push_str(source);
        }
        at = token.end;
    }
    out.push_str(&text[at..]);
    out
}

/// Changes to the tokens, `changes` of them, after which the text may mean anything or nothing.
pub fn tokens(text: &str, tokens: &[Range<usize>], changes: usize, random: &mut Random) -> String {
    let mut parts: Vec<String> = tokens.iter().map(|token| text[token.clone()].to_owned()).collect();
    for _ in 0..changes {
        change(&mut parts, random);
    }
    let blank =
        |random: &mut Random| if random.chance(90) { " " } else { *random.pick(&["", "\n", "/**/", " -- x\n"]) };
    let mut out = String::new();
    for part in parts {
        out.push_str(&part);
        out.push_str(blank(random));
    }
    out
}

fn change(parts: &mut Vec<String>, random: &mut Random) {
    if parts.is_empty() {
        parts.push((*random.pick(POOL)).to_owned());
    }
    let (at, other) = (random.below(parts.len()), random.below(parts.len()));
    match random.below(9) {
        0 => {
            parts.remove(at);
        }
        1 => parts.insert(at, parts[at].clone()),
        2 => parts.swap(at, other),
        3 => parts.insert(at, parts[other].clone()),
        4..=5 => parts.insert(at, (*random.pick(POOL)).to_owned()),
        6 => parts[at] = (*random.pick(POOL)).to_owned(),
        7 => {
            let (first, last) = (at.min(other), at.max(other));
            let copied = parts[first..=last].to_vec();
            let place = random.below(parts.len());
            parts.splice(place..place, copied);
        }
        _ => {
            let (first, last) = (at.min(other), at.max(other));
            parts.drain(first..=last);
        }
    }
}

/// The statement inside another.
pub fn nested(text: &str, random: &mut Random) -> String {
    let inner = text.trim().trim_end_matches(';');
    match random.below(12) {
        0 => format!("SELECT * FROM ({inner}) AS q"),
        1 => format!("WITH c AS ({inner}) SELECT * FROM c"),
        2 => format!("EXPLAIN (COSTS OFF) {inner}"),
        3 => format!("({inner}) UNION ALL ({inner})"),
        4 => format!("SELECT 1 WHERE EXISTS ({inner})"),
        5 => format!("PREPARE p AS {inner}"),
        6 => format!("DECLARE c CURSOR FOR {inner}"),
        7 => format!("CREATE VIEW v AS {inner}"),
        8 => format!("INSERT INTO posts (id, user_id, title) {inner}"),
        9 => format!("{inner}; {inner}"),
        10 => format!("COPY ({inner}) TO STDOUT"),
        _ => format!("SELECT (SELECT count(*) FROM ({inner}) AS a), u.* FROM users u LEFT JOIN ({inner}) AS b ON true"),
    }
}

/// Bytes changed without regard to tokens; not always UTF-8 afterwards.
pub fn bytes(text: &[u8], random: &mut Random) -> Vec<u8> {
    let mut out = text.to_vec();
    for _ in 0..=random.below(6) {
        let at = random.below(out.len() + 1);
        match random.below(5) {
            0 if at < out.len() => {
                out.remove(at);
            }
            1 if at < out.len() => out[at] = (random.bits() & 0xff) as u8,
            2 => {
                let end = (at + random.below(20)).min(out.len());
                let copied = out[at..end].to_vec();
                let place = random.below(out.len() + 1);
                out.splice(place..place, copied);
            }
            _ => {
                let bit = random.pick(BITS).as_bytes();
                out.splice(at..at, bit.iter().copied());
            }
        }
    }
    out
}

/// A text of signs and words in any order.
pub fn soup(random: &mut Random, parts_max: usize) -> String {
    let mut out = String::new();
    for _ in 0..random.below(parts_max) + 1 {
        out.push_str(if random.chance(60) { random.pick::<&str>(BITS) } else { random.pick::<&str>(POOL) });
        if random.chance(40) {
            out.push(' ');
        }
    }
    out
}
