//! Sockets and time: listener, relay, upstream, cancel, catalog loading.

mod cancel;
pub mod catalog;
mod connection;
mod databases;
mod listener;
mod relay;
mod roles;
pub mod server;
mod startup;
mod stream;
mod upstream;

pub use server::{ServeError, Server};
