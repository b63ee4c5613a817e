//! The scenario, for the drivers of Rust.

/// A line of the scenario.
pub struct Line {
    /// The answer is rows, not a count.
    pub rows: bool,
    /// How many.
    pub expected: u64,
    /// What to run.
    pub sql: String,
}

impl Line {
    /// Holds an answer against what is expected.
    pub fn check(&self, found: u64) {
        assert_eq!(found, self.expected, "{}", self.sql);
    }
}

/// All lines.
pub fn statements() -> Vec<Line> {
    let text = std::fs::read_to_string(std::env::var("SCENARIO").expect("SCENARIO")).expect("the scenario");
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    let parts = lines.map(|line| line.splitn(3, ' ').collect::<Vec<_>>());
    parts
        .map(|parts| Line { rows: parts[0] == "rows", expected: parts[1].parse().expect("a number"), sql: parts[2].into() })
        .collect()
}

/// The first id of this run.
pub fn first_id() -> i32 {
    std::env::var("FIRST_ID").expect("FIRST_ID").parse().expect("a number")
}

/// Where Sexton listens.
pub fn port() -> String {
    std::env::var("SEXTON_PORT").expect("SEXTON_PORT")
}
