//! What `sexton check` finds, and the steps of `sexton apply` that mend it.

use serde::Serialize;

/// How much a finding matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// `serve` refuses to start, or rows would be shown or lost.
    Error,
    /// Something behaves otherwise than a real DELETE would.
    Warning,
    /// Worth knowing.
    Note,
}

impl Level {
    /// `error`, `warning` or `note`.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Note => "note",
        }
    }
}

/// One thing that `sexton check` has to say.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// How much it matters.
    pub level: Level,
    /// The kind of finding, one word with hyphens, the same in every release: `unique-index`, `foreign-key` …
    pub kind: &'static str,
    /// What it is about, such as `public.users` or `index public.users_email_key`.
    pub object: String,
    /// What happens in practice, one sentence.
    pub what: String,
    /// What to do, in words or as TOML; `None` where `steps` does it.
    pub mend: Option<String>,
    /// The DDL of `sexton apply` that mends it, in order.
    pub steps: Vec<Step>,
}

/// One statement of a plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Step {
    /// What it is for, as a comment says it: one line.
    pub why: String,
    /// One statement without a semicolon at its end. It may be run again after it has succeeded, or failed half-way.
    pub sql: String,
    /// It may run in a transaction with others (CREATE INDEX CONCURRENTLY may not).
    pub is_transactional: bool,
}

impl Step {
    /// A step that may stand in a transaction.
    #[must_use]
    pub fn new(why: impl Into<String>, sql: impl Into<String>) -> Self {
        Self { why: why.into(), sql: sql.into(), is_transactional: true }
    }

    /// A step that must stand alone.
    #[must_use]
    pub fn alone(why: impl Into<String>, sql: impl Into<String>) -> Self {
        Self { is_transactional: false, ..Self::new(why, sql) }
    }
}

/// A number's digits in groups: `12431` as `12,431`.
#[must_use]
pub fn with_commas(digits: &str) -> String {
    let groups: Vec<&str> =
        digits.as_bytes().rchunks(3).rev().filter_map(|group| std::str::from_utf8(group).ok()).collect();
    groups.join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_in_groups() {
        assert_eq!(["1", "12431", "100000"].map(with_commas), ["1", "12,431", "100,000"]);
        for (digits, text) in
            [("0", "0"), ("999", "999"), ("1000", "1,000"), ("12431", "12,431"), ("1234567", "1,234,567")]
        {
            assert_eq!(with_commas(digits), text);
        }
    }
}
