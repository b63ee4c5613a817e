//! What the operator types and reads: the command line, one file for each command.

pub mod apply;
pub mod check;
pub mod demo;
pub mod load;
pub mod progress;
pub mod report;
pub mod rewrite;
pub mod serve;
pub mod target;
mod waits;

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand, ValueEnum};

/// Nothing to say against it.
const FINE: u8 = 0;

/// Findings, or a refused statement.
const REFUSED: u8 = 1;

/// The command could not do its work.
const COULD_NOT_RUN: u8 = 2;

/// A PostgreSQL proxy that enforces what deletion means, table by table.
#[derive(Debug, Parser)]
#[command(name = "sexton", version, after_help = "Exit codes: 0 fine, 1 findings or refused, 2 could not run.")]
#[command(disable_help_subcommand = true)]
struct Line {
    #[command(subcommand)]
    command: Command,
}

/// What every command takes that works by a configuration.
#[derive(Debug, Args)]
pub struct Common {
    /// The configuration file [default: ./sexton.toml, then /etc/sexton/sexton.toml]
    #[arg(long, env = "SEXTON_CONFIG", value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// How results are printed
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
}

/// For people or for programs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// Lines to read
    #[default]
    Text,
    /// One JSON object
    Json,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the proxy: SIGHUP has the configuration read again, SIGTERM and SIGINT drain
    Serve(serve::Arguments),
    /// A database, sample data, the proxy and a guided tour, with nothing else installed
    Demo(demo::Arguments),
    /// The configuration against the live databases: every finding with its mend
    #[command(after_help = check::EXIT_CODES)]
    Check(check::Arguments),
    /// The DDL that mends what check finds: prints it as a script for psql, or runs it
    #[command(after_help = apply::EXIT_CODES)]
    Apply(apply::Arguments),
    /// Show what a statement becomes
    Rewrite(rewrite::Arguments),
    /// Print this, or the help of a command
    Help {
        /// The command
        command: Option<String>,
    },
}

impl Command {
    fn format(&self) -> Format {
        match self {
            Self::Serve(arguments) => arguments.common.format,
            Self::Check(arguments) => arguments.common.format,
            Self::Apply(arguments) => arguments.common.format,
            Self::Rewrite(arguments) => arguments.common.format,
            Self::Demo(_) | Self::Help { .. } => Format::Text,
        }
    }
}

/// Runs the command line and answers with its exit code: 0 fine, 1 findings or refused, 2 could not run.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let line = match Line::try_parse_from(arguments) {
        Ok(line) => line,
        Err(error) => return answer(&error),
    };
    let result = match &line.command {
        Command::Serve(arguments) => serve::run(arguments),
        Command::Demo(arguments) => demo::run(arguments),
        Command::Check(arguments) => check::run(arguments),
        Command::Apply(arguments) => apply::run(arguments),
        Command::Rewrite(arguments) => rewrite::run(arguments),
        Command::Help { command } => return help(command.as_deref()),
    };
    result.unwrap_or_else(|failure| {
        report::failure(&failure, line.command.format());
        ExitCode::from(COULD_NOT_RUN)
    })
}

/// What `--help` of the command says.
fn help(command: Option<&str>) -> ExitCode {
    match Line::try_parse_from([Some("sexton"), command, Some("--help")].into_iter().flatten()) {
        Ok(_) => ExitCode::from(FINE),
        Err(error) => answer(&error),
    }
}

/// Help and version come as errors too, to stdout. A closed pipe is nobody's fault.
fn answer(error: &clap::Error) -> ExitCode {
    let _ = error.print();
    ExitCode::from(if error.use_stderr() { COULD_NOT_RUN } else { FINE })
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        Line::command().debug_assert();
    }
}
