//! How far long work has come: a bar on a terminal, lines elsewhere, nothing where a program reads the result.

use std::io::IsTerminal;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use crate::cli::Format;
use crate::cli::report;

/// How often a bar shows that it is alive.
const TICK: Duration = Duration::from_millis(200);

/// Steps that are counted.
#[derive(Debug)]
pub struct Progress {
    bar: Option<ProgressBar>,
    lines: bool,
}

impl Progress {
    /// For so many steps, on stderr.
    #[must_use]
    pub fn new(steps: usize, format: Format) -> Self {
        if format == Format::Json {
            return Self { bar: None, lines: false };
        }
        if !std::io::stderr().is_terminal() {
            return Self { bar: None, lines: true };
        }
        let bar = ProgressBar::new(steps as u64);
        let style = ProgressStyle::with_template("{bar:24} {pos}/{len} {elapsed} {wide_msg}");
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        bar.enable_steady_tick(TICK);
        Self { bar: Some(bar), lines: false }
    }

    /// A step begins.
    pub fn begin(&self, what: &str) {
        match &self.bar {
            Some(bar) => bar.set_message(what.to_owned()),
            None => self.say(what),
        }
    }

    /// So many steps are done.
    pub fn done(&self, steps: usize) {
        if let Some(bar) = &self.bar {
            bar.inc(steps as u64);
        }
    }

    /// A line that stays.
    pub fn say(&self, line: &str) {
        match &self.bar {
            Some(bar) => bar.println(line),
            None if self.lines => report::err(line),
            None => {}
        }
    }

    /// It is over.
    pub fn end(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
