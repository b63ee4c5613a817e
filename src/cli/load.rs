//! Finding and reading the configuration file.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use crate::cli::Common;
use crate::cli::report::Failure;
use crate::config::{self, Config};

/// Where the file is looked for when nothing names it, in this order.
const PLACES: [&str; 2] = ["./sexton.toml", "/etc/sexton/sexton.toml"];

/// A configuration, and the file it came from.
#[derive(Debug)]
pub struct Loaded {
    /// The file.
    pub path: PathBuf,
    /// What it says.
    pub config: Config,
}

/// Finds the file that `common` means, and reads it.
///
/// # Errors
/// One failure that names every place looked at, or every problem of the file.
pub fn load(common: &Common) -> Result<Loaded, Failure> {
    let places: Vec<&Path> = match &common.config {
        Some(path) => vec![path],
        None => PLACES.iter().map(Path::new).collect(),
    };
    for path in &places {
        match std::fs::read_to_string(path) {
            Ok(text) => return parse(path, &text).map(|config| Loaded { path: path.to_path_buf(), config }),
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(unreadable(path, &error)),
        }
    }
    let listed: Vec<_> = places.iter().map(|path| path.display().to_string()).collect();
    Err(Failure::new(format!("there is no configuration file at {}", listed.join(" or at ")))
        .mend("name it with --config FILE or in SEXTON_CONFIG; a minimal one is config/sexton.minimal.toml"))
}

/// Reads the file at `path` again.
///
/// # Errors
/// The file cannot be read, or has problems: all of them.
pub fn reload(path: &Path) -> Result<Config, Failure> {
    let text = std::fs::read_to_string(path).map_err(|error| unreadable(path, &error))?;
    parse(path, &text)
}

fn unreadable(path: &Path, error: &std::io::Error) -> Failure {
    Failure::new(format!("the configuration file {} cannot be read: {error}", path.display())).mend(
        match error.kind() {
            ErrorKind::NotFound => "put it back",
            ErrorKind::InvalidData => "make it a UTF-8 text file",
            _ => "make it a file that this user may read",
        },
    )
}

fn parse(path: &Path, text: &str) -> Result<Config, Failure> {
    let name = path.display().to_string();
    let mut config = config::parse(text, &|name| std::env::var(name).ok()).map_err(|problems| {
        let number = match problems.len() {
            1 => "1 problem".to_owned(),
            more => format!("{more} problems"),
        };
        let start = Failure::new(format!("the configuration cannot be used: {number}"));
        problems.iter().fold(start, |failure, problem| failure.detail(problem.render(&name)))
    })?;
    config.seen_from(path.parent().unwrap_or(Path::new("")));
    Ok(config)
}
