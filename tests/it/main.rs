//! The one integration test binary.

#[allow(dead_code, unreachable_pub, reason = "a toolbox: not every tool is in use at every moment")]
mod support;

/// Case files: the text that reaches the server, and what comes back.
mod cases;
/// The command line: exit codes and messages.
mod cli;
/// Two sessions at once.
mod concurrency;
/// Good and bad configuration files.
mod config;
/// The guided tour.
mod demo;
/// The examples that open the rule files.
mod headers;
/// The code against its own rules.
mod tidy;
/// Whole conversations against the session, as text.
mod traces;
/// Random statements against a database with real deletes.
mod twin;
/// What reaches the server, and the tags that come back.
mod wire;
