//! One conversation as a state machine: frames in, bytes out. Knows no sockets.

mod batch;
mod bounded;
pub mod cache;
mod circumstances;
mod client;
mod complaint;
mod context;
pub mod figures;
mod names;
mod pending;
pub mod plan;
mod prepared;
mod replication;
mod server;
pub mod settings;
mod stale;
pub mod tally;

mod conversation;

pub use complaint::Complaint;
pub use conversation::{BeginFault, ClientStep, Planner, ServerStep, Session, Taken, Want};
