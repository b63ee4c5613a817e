//! Sockets and time: listener, TLS, login, relay, upstream, cancel, catalog loading, reload.

mod cancel;
pub mod catalog;
mod certificate;
mod client;
mod connection;
mod databases;
mod event_loop;
mod inbox;
mod listener;
mod login;
pub mod operator;
mod own_login;
mod questions;
mod relay;
mod roles;
mod seldom;
pub mod server;
mod setup;
mod side;
mod source;
mod spare;
mod standing;
mod startup;
mod stream;
mod tls;
pub mod upstream;
mod verifiers;
mod verify;
mod workers;

pub use server::{Observer, Reloaded, Reloader, ServeError, Server};
pub use upstream::Upstream;
