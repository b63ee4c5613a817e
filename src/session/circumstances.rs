//! Everything but its text that a decision depends on (R13).

use std::sync::Arc;

use crate::catalog::RoleFacts;
use crate::rewrite::state::State;

/// The circumstances a text was decided under: whatever differs here may change the decision.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Circumstances {
    /// The registry's.
    pub(crate) generation: u64,
    pub(crate) state: Arc<State>,
    /// Which schemas it may use decides what a name means.
    pub(crate) role: Arc<RoleFacts>,
}

impl Circumstances {
    pub(crate) fn new(generation: u64, state: &Arc<State>, role: &Arc<RoleFacts>) -> Self {
        Self { generation, state: Arc::clone(state), role: Arc::clone(role) }
    }

    /// True where they are made of these very values, which is found out at once.
    pub(crate) fn are(&self, generation: u64, state: &Arc<State>, role: &Arc<RoleFacts>) -> bool {
        self.generation == generation && Arc::ptr_eq(&self.state, state) && Arc::ptr_eq(&self.role, role)
    }

    /// True for the very same.
    pub(crate) fn is(&self, other: &Self) -> bool {
        self.are(other.generation, &other.state, &other.role)
    }

    /// True where `text` may say something else `now`.
    pub(crate) fn reads_otherwise(&self, now: &Self, text: &[u8]) -> bool {
        (self.state.client_encoding != now.state.client_encoding && !text.is_ascii())
            || (self.state.standard_conforming_strings != now.state.standard_conforming_strings
                && text.contains(&b'\\'))
    }
}
