//! The rules: one statement, a registry and the session's state in; an outcome out. No IO, no clock, no lock.

mod archive;
pub mod as_of;
mod attach;
mod block;
mod body;
mod comment;
mod copy;
mod ddl;
mod delete;
pub mod insert;
mod merge;
pub mod opaque;
pub mod outcome;
mod past;
pub mod policy;
mod query;
mod reach;
mod reading;
pub mod refusal;
pub mod registry;
pub mod resolve;
mod returning;
mod rewriter;
mod schema_change;
pub mod search_path;
mod settings;
pub mod state;
pub mod statement;
mod truncate;
mod update;
mod witness;

pub use outcome::{Effect, Outcome, TagChange};
pub use refusal::{Reason, Refusal};
pub use registry::{Finding, Registry};
pub use resolve::Names;
pub use statement::{Decision, decide};
