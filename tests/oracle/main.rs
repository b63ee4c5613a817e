//! PostgreSQL's own scanner and grammar (libpg_query) as a witness against Sexton's lexer, reader and edits.
//!
//! It is built only with the feature `oracle`, which needs libclang: `tests/run --oracle`. It reads the cases, the
//! statements of `tests/corpus`, every `*.sql` below the directories in `SEXTON_CORPUS` (separated by colons), such as
//! an unpacked PostgreSQL source tree, and as many changed statements as `SEXTON_ORACLE` says.

#[allow(dead_code, unreachable_pub, reason = "a toolbox shared with the other test binary")]
#[path = "../it/support/mod.rs"]
mod support;

/// Texts to check.
mod corpus;
/// The tree that the edits must lead to.
mod expected;
/// libpg_query's trees as JSON.
mod grammar;
/// Table references as the reader sees them.
mod references;
/// The checks.
mod verdict;

use std::collections::BTreeMap;

use sexton::sql::lexer::lex;

use support::mutate;
use support::offline::number;
use support::random::Random;
use verdict::{Verdict, judge};

/// Changed statements of a run when `SEXTON_ORACLE` does not say otherwise.
const STATEMENTS: u64 = 20_000;

/// Differences shown before a run gives up.
const SHOWN_MAX: usize = 20;

/// libpg_query's parser, the conversion to JSON and the walks over it recurse.
const STACK_BYTES: usize = 256 << 20;

/// How often each verdict was given, and the texts that speak against Sexton.
#[derive(Debug, Default)]
struct Tally {
    verdicts: BTreeMap<String, usize>,
    differences: Vec<String>,
    /// Statements refused because Sexton cannot read them, or reads them in two ways.
    unread: Vec<String>,
}

impl Tally {
    fn add(&mut self, text: &str, verdicts: Vec<Verdict>) {
        for verdict in verdicts {
            if let Verdict::Differs(what) = &verdict {
                self.differences.push(format!("{what}\n{text}"));
                assert!(self.differences.len() < SHOWN_MAX, "{}", self.differences.join("\n\n"));
            }
            if let Verdict::Refused(reason @ ("unreadable" | "witness")) = &verdict
                && self.unread.len() < SHOWN_MAX
            {
                self.unread.push(format!("{reason}: {text}"));
            }
            *self.verdicts.entry(verdict.name()).or_default() += 1;
        }
    }

    fn finish(self, name: &str) {
        for (verdict, count) in &self.verdicts {
            eprintln!("oracle: {name}: {count:>8} {verdict}");
        }
        for text in &self.unread {
            eprintln!("oracle: {name}: {text}");
        }
        assert!(self.differences.is_empty(), "\n{}", self.differences.join("\n\n"));
    }
}

fn on_a_large_stack(run: impl FnOnce() + Send + 'static) {
    let thread = std::thread::Builder::new().stack_size(STACK_BYTES).spawn(run).expect("a thread");
    if let Err(panic) = thread.join() {
        std::panic::resume_unwind(panic);
    }
}

#[test]
fn every_statement_of_the_corpus_is_read_as_postgresql_reads_it() {
    on_a_large_stack(|| {
        let mut tally = Tally::default();
        for text in corpus::statements() {
            tally.add(&text, judge(&text));
        }
        tally.finish("corpus");
    });
}

#[test]
fn changed_statements_are_read_as_postgresql_reads_them() {
    on_a_large_stack(|| {
        let mut random = Random::new(number("SEXTON_SEED").unwrap_or(1));
        let statements = corpus::statements();
        let mut tally = Tally::default();
        for _ in 0..number("SEXTON_ORACLE").unwrap_or(STATEMENTS) {
            let text = changed(random.pick::<String>(&statements), &mut random);
            tally.add(&text, judge(&text));
        }
        tally.finish("changed");
    });
}

#[test]
fn changed_bytes_are_cut_as_postgresql_cuts_them() {
    on_a_large_stack(|| {
        let mut random = Random::new(number("SEXTON_SEED").unwrap_or(1));
        let statements = corpus::statements();
        let mut tally = Tally::default();
        for _ in 0..number("SEXTON_ORACLE").unwrap_or(STATEMENTS) * 5 {
            let text = match random.below(3) {
                0 => mutate::soup(&mut random, 40),
                _ => {
                    let bytes = mutate::bytes(random.pick::<String>(&statements).as_bytes(), &mut random);
                    String::from_utf8_lossy(&bytes).into_owned()
                }
            };
            tally.add(&text, vec![verdict::cuts(&text)]);
        }
        tally.finish("bytes");
    });
}

/// One change or two: more would leave little that PostgreSQL can parse.
fn changed(text: &str, random: &mut Random) -> String {
    let mut text = text.to_owned();
    for _ in 0..=random.below(2) {
        let Ok(tokens) = lex(text.as_bytes(), true) else { return text };
        let ranges: Vec<_> = tokens.iter().map(|token| token.start..token.end).collect();
        text = match random.below(5) {
            0 => mutate::nested(&text, random),
            1 => mutate::layout(&text, &ranges, |_| false, random),
            _ => mutate::tokens(&text, &ranges, 1, random),
        };
    }
    text
}
