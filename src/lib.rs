//! Sexton is a PostgreSQL proxy that enforces what deletion means, table by table.
//!
//! Through Sexton a session observes exactly what it would observe had every deletion
//! been a real DELETE, while the rows the configuration says to keep are kept.
//!
//! ```text
//! client ──bytes──▶ net ──frames──▶ session ──statement text──▶ rewrite ──edits──▶ session ──bytes──▶ PostgreSQL
//! client ◀─bytes─── net ◀─frames─── session ◀── replies owed a change (tag, position) ◀─────────────── PostgreSQL
//! ```
//!
//! # Rooms
//!
//! Imports go downward only; `tests/it/tidy.rs` reads this table and holds the code to it.
//!
//! ```text
//! 7  main
//! 6  cli
//! 5  net   admin
//! 4  session   schema
//! 3  rewrite
//! 2  config
//! 1  catalog
//! 0  sql   wire
//! ```
//!
//! | room | what lives there | must not know |
//! | --- | --- | --- |
//! | [`sql`] | PostgreSQL's tokens and clause structure, text edits, the door to the second parser | soft deletion, IO |
//! | [`wire`] | protocol 3 frames and the few messages Sexton reads or writes | SQL, sockets |
//! | [`catalog`] | what the server says its relations are, and how a name finds one | sockets |
//! | [`config`] | TOML text to checked settings, all faults at once | sockets, paths |
//! | [`rewrite`] | the rules: one statement in, an outcome out | tokio, clocks, locks |
//! | [`session`] | one conversation as a state machine: bytes in, bytes out | sockets |
//! | [`schema`] | what a database should hold for a configuration; the difference as findings and DDL | the proxy, sockets |
//! | [`net`] | sockets, upstream, relay, cancel, catalog loading | SQL rules |
//! | [`admin`] | metrics and health over HTTP | SQL rules |
//! | [`cli`] | what the operator types and reads | |

pub mod admin;
pub mod catalog;
pub mod cli;
pub mod config;
pub mod net;
pub mod rewrite;
pub mod schema;
pub mod session;
pub mod sql;
pub mod wire;
