//! One conversation as a state machine: frames in, bytes out. Knows no sockets.

pub mod plan;
pub mod settings;
