//! Counts of decided texts: which of the four paths knew them, and what became of them.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::session::plan::Plan;

/// The way that knew a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Path {
    /// As it is.
    Exact,
    /// But for its constants.
    Shape,
    /// It was read, and nothing in it named what is registered.
    Negative,
    /// It was read and decided.
    Parse,
}

/// What became of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Became {
    /// It went on as it came.
    Unchanged,
    /// It was changed.
    Rewritten,
    /// It was refused.
    Refused,
}

const PATHS: [Path; 4] = [Path::Exact, Path::Shape, Path::Negative, Path::Parse];
const OUTCOMES: [Became; 3] = [Became::Unchanged, Became::Rewritten, Became::Refused];

/// The counts, one for each path and outcome: one addition a text.
#[derive(Debug, Default)]
pub struct Tally([[AtomicU64; OUTCOMES.len()]; PATHS.len()]);

impl Path {
    /// Its name in metrics.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::Exact => "exact",
            Self::Shape => "shape",
            Self::Negative => "negative",
            Self::Parse => "parse",
        }
    }
}

impl Became {
    /// Its name in metrics.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::Unchanged => "unchanged",
            Self::Rewritten => "rewritten",
            Self::Refused => "refused",
        }
    }

    fn of(plan: &Plan) -> Self {
        match (&plan.refusal, &plan.upstream_text) {
            (Some(_), _) => Self::Refused,
            (None, Some(_)) => Self::Rewritten,
            (None, None) => Self::Unchanged,
        }
    }
}

impl Tally {
    /// Counts one text that `path` knew.
    pub(super) fn count(&self, path: Path, plan: &Plan) {
        self.0[path as usize][Became::of(plan) as usize].fetch_add(1, Ordering::Relaxed);
    }

    /// The counts so far.
    pub fn counts(&self) -> impl Iterator<Item = (Path, Became, u64)> {
        PATHS.into_iter().flat_map(move |path| {
            OUTCOMES
                .into_iter()
                .map(move |became| (path, became, self.0[path as usize][became as usize].load(Ordering::Relaxed)))
        })
    }

    /// How many texts `path` knew.
    #[must_use]
    pub fn path(&self, path: Path) -> u64 {
        self.counts().filter(|(other, _, _)| *other == path).map(|(_, _, count)| count).sum()
    }
}
