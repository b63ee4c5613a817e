//! The one integration test binary.

#[allow(dead_code, unreachable_pub, reason = "a toolbox: not every tool is in use at every moment")]
mod support;

/// Metrics and health.
mod admin;
/// What an archive must keep.
mod archives;
/// Case files: the text that reaches the server, and what comes back.
mod cases;
/// `sexton check` and `sexton apply`.
mod check;
/// The command line: exit codes and messages.
mod cli;
/// Two sessions at once.
mod concurrency;
/// Good and bad configuration files.
mod config;
/// Whole conversations with the server and with Sexton.
mod conversations;
/// What is refused of the statements of real applications.
mod corpus;
/// The guided tour.
mod demo;
mod detours;
/// Client encodings.
mod encodings;
/// Random and damaged bytes.
mod fuzz;
/// The examples that open the rule files.
mod headers;
/// Message sequences that once showed a deleted row.
mod hostile;
/// Keys and references inside the server.
mod keys;
/// Every row that was ever committed, through killed proxies and sessions.
mod ledger;
/// How sessions end.
mod life;
/// What `serve` writes to stderr.
mod log;
/// A client's first bytes.
mod opening;
/// What schema `sexton` does inside the server.
mod own_schema;
/// What is long, much or many.
mod pressure;
/// What must hold for every statement, and for every change to it.
mod properties;
/// Another configuration while it runs.
mod reload;
/// Replication connections.
mod replication;
/// Sessions with another scope or time, and references that keep deleted rows.
mod scopes;
/// Queries against filtered views.
mod shadow;
/// Random joins against the promise of `visible_through`.
mod through;
/// The code against its own rules.
mod tidy;
/// TLS on both legs, and authentication across it.
mod tls;
/// Whole conversations against the session, as text.
mod traces;
/// Random statements against a database with real deletes.
mod twin;
/// Configurations under which deleted rows would be seen again.
mod unregister;
/// Which of several servers is connected to.
mod upstream;
/// What reaches the server, and the tags that come back.
mod wire;
