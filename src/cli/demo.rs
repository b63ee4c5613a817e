//! `sexton demo`.

use std::process::ExitCode;

use clap::Args;

use crate::cli::Common;
use crate::cli::report::Failure;

/// What `demo` takes.
#[derive(Debug, Args)]
pub struct Arguments {}

/// Runs the command.
///
/// # Errors
/// Always: the command is not here yet.
pub fn run(_arguments: &Arguments, _common: &Common) -> Result<ExitCode, Failure> {
    Err(Failure::new("`sexton demo` is not here yet"))
}
