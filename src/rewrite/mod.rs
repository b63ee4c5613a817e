//! The rules: one statement, a registry and the session's state in; an outcome out. No IO, no clock, no lock.

pub mod outcome;
pub mod refusal;
pub mod registry;
pub mod state;

pub use outcome::{Effect, Outcome, TagChange};
pub use refusal::{Reason, Refusal};
pub use registry::{Finding, Registry};
