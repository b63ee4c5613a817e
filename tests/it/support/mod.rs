//! What the integration tests stand on: a server, databases, the real binary, a protocol client, case files, diffs.

pub mod case;
pub mod certificates;
pub mod cluster;
pub mod database;
pub mod diff;
pub mod ground;
pub mod hollow;
pub mod messages;
pub mod mutate;
pub mod offline;
pub mod random;
pub mod raw;
pub mod relay;
pub mod schema;
pub mod secure;
pub mod sexton;
