//! `sexton serve`.

use std::process::ExitCode;

use clap::{Args, ValueEnum};

use crate::cli::Common;
use crate::cli::report::Failure;

/// What `serve` takes.
#[derive(Debug, Args)]
pub struct Arguments {
    /// How log lines are written
    #[arg(long, value_enum, default_value_t)]
    pub log_format: LogFormat,
}

/// For people or for programs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// Lines to read
    #[default]
    Text,
    /// One JSON object a line
    Json,
}

/// Runs the command.
///
/// # Errors
/// Always: the command is not here yet.
pub fn run(_arguments: &Arguments, _common: &Common) -> Result<ExitCode, Failure> {
    Err(Failure::new("`sexton serve` is not here yet"))
}
