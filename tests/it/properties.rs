//! What must hold for every statement, held against the cases' own statements and random changes to them.
//!
//! `SEXTON_PROPERTIES` sets how many changed statements each property meets, `SEXTON_SEED` where the run starts.

use std::ops::Range;
use std::sync::Arc;
use std::time::{Duration, Instant};

use sexton::rewrite::Effect;
use sexton::session::cache::PlanCache;
use sexton::session::plan::{Plan, StatementPlan};
use sexton::session::tally::Path;
use sexton::sql::lexer::{Kind, Token, lex};

use crate::support::mutate;
use crate::support::offline::{self, Offline, number};
use crate::support::random::Random;

/// Changed statements a property meets when `SEXTON_PROPERTIES` does not say otherwise.
const STATEMENTS: u64 = 3_000;

/// No text that a client may send in one message's worth of typing takes longer, in a debug build on a busy machine.
const PLAN_TIME_MAX: Duration = Duration::from_secs(10);

/// How deep the nesting goes: with the longest form this is 100 KB.
const DEPTHS: [usize; 5] = [10, 60, 300, 2_000, 9_000];

/// Forms that nest: what opens a level, the innermost, what closes a level.
const NESTINGS: &[(&str, &str, &str)] = &[
    ("(", "SELECT id FROM users", ")"),
    ("SELECT (", "SELECT id FROM users", ")"),
    ("SELECT * FROM (", "SELECT id FROM users", ") q"),
    ("SELECT 1 WHERE EXISTS (", "SELECT id FROM users", ")"),
    ("SELECT ARRAY[", "1 FROM users", "]"),
    ("SELECT [", "1 FROM users", "]"),
    ("SELECT f(", "1", ") FROM users"),
    ("SELECT * FROM users JOIN (", "posts", ")"),
    ("SELECT * FROM users u JOIN ", "posts", " ON true"),
    ("SELECT * FROM (users NATURAL JOIN ", "posts", ")"),
    ("users CROSS JOIN ", "posts", ""),
    ("SELECT * FROM users LEFT JOIN ", "posts", " USING (id)"),
    ("CASE WHEN ", "1 FROM users", " THEN 1 ELSE 2 END"),
    ("SELECT CASE ", "1 FROM users", " END"),
    ("SELECT 1 FROM users UNION ", "SELECT 2", ""),
    ("(SELECT 1 FROM users) EXCEPT (", "SELECT 2", ")"),
    ("WITH users AS (", "SELECT 1 FROM users", ") SELECT 1 FROM users"),
    ("EXPLAIN ", "SELECT 1 FROM users", ""),
    ("EXPLAIN (ANALYZE) ", "SELECT 1 FROM users", ""),
    ("PREPARE users AS ", "SELECT 1 FROM users", ""),
    ("DECLARE c CURSOR FOR ", "SELECT 1 FROM users", ""),
    ("COPY (", "SELECT 1 FROM users", ") TO STDOUT"),
    ("CREATE VIEW v AS ", "SELECT 1 FROM users", ""),
    ("CREATE FUNCTION f() RETURNS int BEGIN ATOMIC ", "SELECT 1 FROM users", "; END"),
    ("INSERT INTO users ", "SELECT 1 FROM users", " ON CONFLICT DO NOTHING"),
    ("DELETE FROM users WHERE id = (", "SELECT 1", ") RETURNING *"),
    ("UPDATE users SET id = (", "SELECT 1", ")"),
    ("SELECT 1 FROM users WHERE NOT ", "true", ""),
    ("SELECT 1 FROM users WHERE a AND ", "true", ""),
    ("/* users ", "", "*/"),
    ("users.", "users", ""),
    ("SELECT 1 FROM users;", "SELECT 1", ""),
    ("users, ", "users", ""),
    ("TABLE ", "users", ""),
    ("ONLY ", "users", ""),
    ("SELECT * FROM LATERAL ROWS FROM (", "users", ")"),
    ("MERGE INTO users USING (", "SELECT 1", ") s ON true WHEN MATCHED THEN DELETE"),
];

fn seed() -> u64 {
    number("SEXTON_SEED").unwrap_or(1)
}

fn count() -> u64 {
    number("SEXTON_PROPERTIES").unwrap_or(STATEMENTS)
}

fn ranges(tokens: &[Token]) -> Vec<Range<usize>> {
    tokens.iter().map(|token| token.start..token.end).collect()
}

fn cut(text: &str) -> Vec<Token> {
    lex(text.as_bytes(), true).unwrap_or_default()
}

/// The cases' statements, and then as many changed ones as the run is long.
fn statements() -> impl Iterator<Item = String> {
    let cases: Vec<String> = offline::cases().into_iter().map(|case| case.sql).collect();
    let mut random = Random::new(seed());
    let originals = cases.clone();
    let changed = (0..count()).map(move |_| {
        let mut text = random.pick(&originals).clone();
        for _ in 0..random.below(3) + 1 {
            text = match random.below(4) {
                0 => relaid(&text, &mut random),
                1 => mutate::nested(&text, &mut random),
                _ => mutate::tokens(&text, &ranges(&cut(&text)), random.below(4) + 1, &mut random),
            };
        }
        text
    });
    cases.into_iter().chain(changed)
}

fn relaid(text: &str, random: &mut Random) -> String {
    let tokens = cut(text);
    let words: Vec<usize> = tokens.iter().filter(|token| token.kind == Kind::Word).map(|token| token.start).collect();
    mutate::layout(text, &ranges(&tokens), |token| words.binary_search(&token.start).is_ok(), random)
}

/// The client's text, made again from what went upstream and the edits.
fn undone(plan: &Plan, upstream: &[u8]) -> Vec<u8> {
    let (mut out, mut at) = (Vec::new(), 0);
    for edit in plan.edits.iter() {
        let kept = edit.start - out.len();
        out.extend_from_slice(&upstream[at..at + kept]);
        at += kept;
        assert_eq!(&upstream[at..at + edit.text.len()], &*edit.text, "the edit stands where it says");
        at += edit.text.len();
        out.extend_from_slice(&plan.client_text[edit.start..edit.end]);
    }
    out.extend_from_slice(&upstream[at..]);
    out
}

/// The comments of a text, sorted: what its tokens leave, without white space.
fn comments(text: &[u8]) -> Vec<String> {
    let tokens = lex(text, true).expect("it was read before");
    let mut found = Vec::new();
    let mut at = 0;
    for (start, end) in tokens.iter().map(|token| (token.start, token.end)).chain([(text.len(), text.len())]) {
        let mut gap = String::from_utf8_lossy(&text[at..start]).trim().to_owned();
        while !gap.is_empty() {
            let rest = gap.split_off(comment_length(&gap));
            found.push(std::mem::replace(&mut gap, rest.trim().to_owned()).trim().to_owned());
        }
        at = end;
    }
    found.sort();
    found
}

/// Bytes of the comment that `gap` begins with.
fn comment_length(gap: &str) -> usize {
    if gap.starts_with("--") {
        return gap.find('\n').unwrap_or(gap.len());
    }
    let (mut depth, mut at) = (0, 0);
    while at < gap.len() {
        match &gap.as_bytes()[at..(at + 2).min(gap.len())] {
            b"/*" => depth += 1,
            b"*/" => depth -= 1,
            _ => {
                at += 1;
                continue;
            }
        }
        at += 2;
        if depth == 0 {
            return at;
        }
    }
    gap.len()
}

#[test]
fn edits_can_be_undone_and_positions_come_back() {
    let offline = Offline::cases();
    let mut rewritten = 0;
    for text in statements() {
        let plan = offline.plan(text.as_bytes());
        let Some(upstream) = plan.upstream_text.as_ref().filter(|_| plan.refusal.is_none()) else { continue };
        rewritten += 1;
        assert_eq!(String::from_utf8_lossy(&undone(&plan, upstream)), text, "undone");
        for offset in 0..text.len() {
            if plan.edits.iter().any(|edit| (edit.start..edit.end).contains(&offset)) {
                continue;
            }
            let there = plan.edits.edited_offset(offset);
            assert_eq!(upstream[there], text.as_bytes()[offset], "byte {offset} of {text}");
            assert_eq!(plan.edits.original_offset(there), offset, "byte {offset} of {text}");
        }
        for offset in 0..=upstream.len() {
            assert!(plan.edits.original_offset(offset) <= text.len(), "byte {offset} upstream of {text}");
        }
    }
    assert!(rewritten > 100, "only {rewritten} statements were rewritten");
}

#[test]
fn comments_survive() {
    let offline = Offline::cases();
    let mut random = Random::new(seed());
    let mut met = 0;
    for text in statements() {
        // TRUNCATE is replaced as a whole, with what stands inside it; DROP TABLE goes into a string.
        if ["truncate", "drop"].iter().any(|verb| text.to_lowercase().contains(verb)) {
            continue;
        }
        let text = relaid(&text, &mut random);
        let plan = offline.plan(text.as_bytes());
        let Some(upstream) = plan.upstream_text.as_ref().filter(|_| plan.refusal.is_none()) else { continue };
        // DROP TABLE goes on inside a block of ours, which is a string.
        let unwrapped = String::from_utf8_lossy(upstream).replace("$sexton$", " ");
        let (before, after) = (comments(text.as_bytes()), comments(unwrapped.as_bytes()));
        met += usize::from(!before.is_empty());
        // A name that is said twice brings its comments twice.
        let mut left = after.clone();
        for comment in &before {
            let place = left.iter().position(|kept| kept == comment);
            let Some(place) = place else {
                panic!("{comment} is lost of\n{text}\nin\n{}", String::from_utf8_lossy(upstream));
            };
            left.remove(place);
        }
    }
    assert!(met > 100, "only {met} rewritten statements had comments");
}

/// Case, blanks and comments change nothing but themselves.
#[test]
fn layout_decides_nothing() {
    let offline = Offline::cases();
    let mut random = Random::new(seed());
    for text in statements() {
        let other = relaid(&text, &mut random);
        let (plan, laid) = (offline.plan(text.as_bytes()), offline.plan(other.as_bytes()));
        let reason = |plan: &Plan| plan.refusal.as_ref().map(|refusal| refusal.reason.name());
        assert_eq!(reason(&plan), reason(&laid), "{text}\n{other}");
        assert_eq!(shape(&plan), shape(&laid), "{text}\n{other}");
        assert_eq!(without_layout(&plan), without_layout(&laid), "{text}\n{other}");
    }
}

/// The statements of a plan but for the texts that PREPARE remembers, which are as the client laid them out.
fn without_layout(plan: &Plan) -> Vec<StatementPlan> {
    let mut statements = plan.statements.to_vec();
    for statement in &mut statements {
        if let Effect::Prepare { source, sent, .. } = &mut statement.effect {
            source.clear();
            sent.clear();
        }
    }
    statements
}

/// The edits without what they copy from the client's text.
fn shape(plan: &Plan) -> Vec<String> {
    let spelled = |text: &str| {
        let tokens = cut(text);
        let parts: Vec<String> = tokens.iter().map(|token| text[token.start..token.end].to_lowercase()).collect();
        parts.join(" ")
    };
    // A comment between two words that go splits one edit in two.
    plan.edits
        .iter()
        .map(|edit| spelled(std::str::from_utf8(&edit.text).expect("UTF-8")))
        .filter(|text| !text.is_empty())
        .collect()
}

/// Constants that a rule might look at, or that an edit might copy.
const CONSTANTS: &[(Kind, &[&str])] = &[
    (Kind::Number, &["0", "1", "2", "5.25", "1e3", "0x1F", "99999999999999999999"]),
    (
        Kind::String,
        &["''", "'users'", "'search_path'", "'sexton.scope'", "'all'", "'SELECT * FROM users'", "'it''s'", "'!'"],
    ),
    (Kind::EscapeString, &["E''", r"E'\'users'", r"E'search\x5fpath'"]),
    (Kind::UnicodeString, &["U&'users'", r"U&'\0061'"]),
    (Kind::BitString, &["B'1'", "X'1f'"]),
    (Kind::DollarString, &["$$users$$", "$a$ SELECT '1' FROM users $a$"]),
];

/// Whatever way a text goes, the answer is the one it gets when it is read: with any constants, and any blanks and
/// comments around it.
#[test]
fn a_cached_plan_is_a_fresh_plan() {
    let offline = Offline::cases();
    let cache = PlanCache::default();
    let basis = cache.basis(1, offline.settings.current(), &Arc::new(offline.role.clone()));
    let mut random = Random::new(seed());
    for text in statements() {
        for time in 0..5 {
            let text = if time < 2 { text.clone() } else { with_other_constants(&text, &mut random) };
            let fresh = offline.plan(text.as_bytes());
            let held = cache.plan(text.as_bytes(), &basis, |text| offline.plan(text));
            // A constant may be all that a text seems to depend by: that it does is the safe answer.
            assert!(held.depends || !fresh.depends, "{text}");
            let (depends, is_blind_to_constants) = (held.depends, held.is_blind_to_constants);
            assert_eq!(*held, Plan { depends, is_blind_to_constants, ..fresh }, "{text}");
        }
    }
    let [exact, shape] = [Path::Exact, Path::Shape].map(|path| cache.tally.path(path));
    eprintln!("properties: {:?}", cache.tally);
    assert!(exact > 1_000 && shape > 1_000, "the ways are hardly gone");
}

fn with_other_constants(text: &str, random: &mut Random) -> String {
    let mut out = String::from(["", " ", "\n", "/* a comment */ ", "-- 'one'\n"][random.below(5)]);
    let mut at = 0;
    for token in cut(text) {
        out += &text[at..token.start];
        let choices = CONSTANTS.iter().find(|(kind, _)| *kind == token.kind).map(|(_, choices)| *choices);
        out += match choices {
            Some(choices) if random.chance(80) => choices[random.below(choices.len())],
            _ => &text[token.start..token.end],
        };
        at = token.end;
    }
    out += &text[at..];
    out + ["", " ", "/*traceparent='00-4bf9'*/", " -- others"][random.below(4)]
}

#[test]
fn with_nothing_registered_every_text_goes_through_byte_for_byte() {
    let offline = Offline::nothing_registered();
    for text in statements() {
        // Sexton's own settings are its own with and without tables, however the name is written.
        if text.to_lowercase().contains("exton") {
            continue;
        }
        let plan = offline.plan(text.as_bytes());
        assert_eq!((plan.refusal, plan.upstream_text), (None, None), "{text}");
    }
}

/// A string of many statements costs what its statements cost, wherever the first registered name stands.
#[test]
fn many_statements_end_quickly() {
    let offline = Offline::cases();
    for statement in ["SELECT 1;", "SELECT * FROM users;", "DELETE FROM orders;", ";", "BEGIN;", "SET search_path = a;"]
    {
        let text = format!("{} SELECT * FROM users", statement.repeat(100_000 / statement.len()));
        let started = Instant::now();
        drop(offline.plan(text.as_bytes()));
        let taken = started.elapsed();
        eprintln!("properties: {taken:?} for 100 KB of {statement}");
        assert!(taken < PLAN_TIME_MAX, "{taken:?} for 100 KB of {statement}");
    }
}

/// One statement of many names: none is a reason to read it all again.
#[test]
fn a_statement_of_many_names_ends_quickly() {
    let offline = Offline::cases();
    let heads = [
        "ALTER TABLE users ",
        "ALTER TABLE other ADD (",
        "SELECT * FROM users WHERE ",
        "DROP TABLE ",
        "CREATE VIEW v AS ",
    ];
    let units =
        ["users ", "users, ", "a.", "column ", "drop column deleted_at, ", "(users", "union select * from users "];
    for (head, unit) in heads.into_iter().flat_map(|head| units.map(|unit| (head, unit))) {
        let text = format!("{head}{}", unit.repeat(100_000 / unit.len()));
        let started = Instant::now();
        drop(offline.plan(text.as_bytes()));
        let taken = started.elapsed();
        assert!(taken < PLAN_TIME_MAX, "{taken:?} for 100 KB of {head}{unit}");
    }
}

#[test]
fn every_nesting_ends_quickly_however_deep() {
    let offline = Offline::cases();
    let mut slowest = (Duration::ZERO, String::new());
    for (open, innermost, close) in NESTINGS {
        for depth in DEPTHS {
            let depth = depth.min(100_000 / (open.len() + close.len()));
            // Closed, left open, and closed too often.
            for (closed, name) in [(depth, "closed"), (0, "open"), (depth + 1, "closed too often")] {
                let text = format!("{}{innermost}{}", open.repeat(depth), close.repeat(closed));
                let started = Instant::now();
                let plan = offline.plan(text.as_bytes());
                let taken = started.elapsed();
                assert!(taken < PLAN_TIME_MAX, "{open}…{close}, {depth} deep, {name}: {taken:?}");
                if taken > slowest.0 {
                    slowest = (taken, format!("{open}…{close}, {depth} deep, {name}"));
                }
                drop(plan);
            }
        }
    }
    eprintln!("properties: slowest nesting {:?}: {}", slowest.0, slowest.1);
}
