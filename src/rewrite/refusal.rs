//! Why a statement is refused: a closed list, and the one place that turns it into SQLSTATE, message, detail and hint.

use crate::wire::sqlstate::SqlState;

/// A refusal, and the place in the statement that caused it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// Why.
    pub reason: Reason,
    /// Byte offset in the client's text, where there is one.
    pub offset: Option<usize>,
}

/// The reasons.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reason {}

impl Refusal {
    /// The SQLSTATE the client gets.
    #[must_use]
    pub fn sqlstate(&self) -> SqlState {
        match self.reason {}
    }

    /// What happened; starts with `sexton:`.
    #[must_use]
    pub fn message(&self) -> String {
        match self.reason {}
    }

    /// The facts behind it.
    #[must_use]
    pub fn detail(&self) -> Option<String> {
        match self.reason {}
    }

    /// How to write it instead.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self.reason {}
    }
}
