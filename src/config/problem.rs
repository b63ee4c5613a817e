//! One fault of a configuration file, and the one way it is printed.

/// What is wrong, where, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Line of the file, 1-based; 0 where it is about what the file does not say.
    pub line: usize,
    /// Character of the line, 1-based, where a key alone does not lead there: faults in the TOML itself.
    pub column: Option<usize>,
    /// The key as it would be written in one piece, such as `databases.shop.tables.users.live`;
    /// `None` for faults in the TOML itself.
    pub key: Option<String>,
    /// What is wrong: a clause without a full stop.
    pub message: String,
    /// What to do about it, likewise.
    pub mend: String,
}

impl Problem {
    /// Two lines, without a newline at the end: `FILE:LINE: KEY: what is wrong` and `  mend: …`.
    #[must_use]
    pub fn render(&self, path: &str) -> String {
        let column = self.column.map(|column| format!(":{column}")).unwrap_or_default();
        let key = self.key.as_ref().map(|key| format!("{key}: ")).unwrap_or_default();
        let line = if self.line == 0 { String::new() } else { format!(":{}", self.line) };
        format!("{path}{line}{column}: {key}{}\n  mend: {}", self.message, self.mend)
    }
}
