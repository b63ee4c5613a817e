//! How messages look: what is wrong, where, and the mend. Nothing here ends in a backtrace.

use std::fmt;
use std::io::Write;

use serde_json::{Value, json};

use crate::cli::Format;

/// Why a command could not run. Exit code 2.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    what: String,
    details: Vec<String>,
    mend: Option<String>,
}

impl Failure {
    /// `what` is a clause without a full stop.
    #[must_use]
    pub fn new(what: impl Into<String>) -> Self {
        Self { what: what.into(), details: Vec::new(), mend: None }
    }

    /// Adds a line below: a place, a fact, one of several findings.
    #[must_use]
    pub fn detail(mut self, detail: impl Into<String>) -> Self {
        self.details.push(detail.into());
        self
    }

    /// Says what to do about it.
    #[must_use]
    pub fn mend(mut self, mend: impl Into<String>) -> Self {
        self.mend = Some(mend.into());
        self
    }

    /// Each thing it says on a line of its own, as a log has it.
    pub fn lines(&self) -> impl Iterator<Item = String> {
        let said = std::iter::once(&self.what).chain(&self.details).map(|said| one_line(said));
        said.chain(self.mend.iter().map(|mend| format!("mend: {}", one_line(mend))))
    }

    /// As programs read it, among the results for other databases.
    #[must_use]
    pub fn of_database(&self, name: &str) -> Value {
        let mut value = self.to_json();
        value["database"] = json!(name);
        value
    }

    fn to_json(&self) -> Value {
        json!({ "error": { "message": self.what, "details": self.details, "mend": self.mend } })
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "error: {}", self.what)?;
        for detail in &self.details {
            write!(f, "\n{detail}")?;
        }
        match &self.mend {
            Some(mend) => write!(f, "\n  mend: {mend}"),
            None => Ok(()),
        }
    }
}

/// What a log has on one line.
#[must_use]
pub fn one_line(text: &str) -> String {
    text.lines().map(str::trim).collect::<Vec<_>>().join("; ")
}

/// Tells the operator that the command could not run: in words on stderr, or as an object on stdout
/// for a program that waits for one.
pub fn failure(failure: &Failure, format: Format) {
    match format {
        Format::Text => err(&failure.to_string()),
        Format::Json => out(failure.to_json().to_string().as_bytes()),
    }
}

/// Writes to stdout, and ends the line. A reader that has gone away is no fault of the command.
pub fn out(bytes: &[u8]) {
    let mut stdout = std::io::stdout().lock();
    let _ = stdout.write_all(bytes);
    if !bytes.ends_with(b"\n") {
        let _ = stdout.write_all(b"\n");
    }
    let _ = stdout.flush();
}

/// Writes a line to stderr.
pub fn err(line: &str) {
    let _ = writeln!(std::io::stderr().lock(), "{line}");
}
