//! TOML text to checked settings. Every fault of a file is reported in one run.
//!
//! `raw` reads the TOML tree against the table of keys in `keys`, with variables expanded by `expand`;
//! `check` turns that into `settings` with the readers of `value`; a fault on the way is a `problem`.

mod check;
mod expand;
mod keys;
mod network;
mod problem;
mod raw;
pub mod settings;
mod value;

pub use keys::patterns;
pub use network::{Network, NoNetwork};
pub use problem::Problem;
pub use raw::spelled;
pub use settings::{
    Access, Admin, Assignment, ClientTls, Config, Database, Databases, FileName, ListenSettings, OnMention, Reference,
    Reinsert, Strategy, Table, TableName, Target, Truncate, Unscoped, UpstreamAddress, UpstreamSettings, UpstreamTls,
};

/// Reads a configuration file's `text`; `environment` looks up the variables it names.
///
/// # Errors
/// Every problem of the file, in file order; never an empty list.
pub fn parse(text: &str, environment: &dyn Fn(&str) -> Option<String>) -> Result<Config, Vec<Problem>> {
    let mut problems = Vec::new();
    let root = raw::read(text, environment, &mut problems)?;
    let config = check::config(&root, &mut problems);
    if problems.is_empty() {
        return Ok(config);
    }
    problems.sort_by_key(|problem| problem.line);
    Err(problems)
}
