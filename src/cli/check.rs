//! `sexton check`: what the databases hold against what the configuration means, every finding with its mend.

use std::process::ExitCode;

use clap::Args;
use serde_json::{Value, json};

use crate::cli::load::{Loaded, load};
use crate::cli::report::{self, Failure};
use crate::cli::target::{Target, connect, examine, runtime, targets};
use crate::cli::{COULD_NOT_RUN, Common, FINE, Format, REFUSED};
use crate::config::Config;
use crate::schema::{Finding, Level};

/// Its exit codes in `--help`.
pub(super) const EXIT_CODES: &str =
    "Exit codes: 0 nothing but notes, 1 errors or warnings, 2 a database could not be read.";

/// What `check` takes.
#[derive(Debug, Args)]
pub struct Arguments {
    /// The database to look at [default: every one that the configuration names]
    #[arg(long, value_name = "NAME")]
    pub database: Option<String>,
    /// Also print the statements by which `sexton apply` mends a finding (JSON always has them)
    #[arg(long)]
    pub verbose: bool,
    /// What all others take as well
    #[command(flatten)]
    pub common: Common,
}

/// Prints every finding: 0 where there are none but notes, 1 where there are, 2 where a database could not be read.
///
/// # Errors
/// What keeps all of them from being read: the configuration, or the arguments.
pub fn run(arguments: &Arguments) -> Result<ExitCode, Failure> {
    let Loaded { config, .. } = load(&arguments.common)?;
    let targets = targets(&config, arguments.database.as_deref())?;
    let runtime = runtime()?;
    let read: Vec<(Target, Result<Vec<Finding>, Failure>)> = targets
        .into_iter()
        .map(|target| {
            let findings = runtime.block_on(look(&config, &target));
            (target, findings)
        })
        .collect();
    match arguments.common.format {
        Format::Text => read.iter().for_each(|(Target { name, .. }, findings)| match findings {
            Ok(findings) => report::out(text(name, findings, arguments.verbose).as_bytes()),
            Err(failure) => report::failure(failure, Format::Text),
        }),
        Format::Json => report::out(as_json(&read).to_string().as_bytes()),
    }
    let has_findings = |(_, findings): &(Target, Result<Vec<Finding>, Failure>)| {
        findings.as_ref().is_ok_and(|findings| findings.iter().any(counts))
    };
    Ok(ExitCode::from(match read.iter().any(|(_, findings)| findings.is_err()) {
        true => COULD_NOT_RUN,
        false if read.iter().any(has_findings) => REFUSED,
        false => FINE,
    }))
}

/// Errors first, then by object.
pub(super) fn sort(findings: &mut [Finding]) {
    findings.sort_by(|one, other| (one.level, &one.object).cmp(&(other.level, &other.object)));
}

/// Notes are worth knowing, and no reason to stop a deployment.
pub(super) fn counts(finding: &Finding) -> bool {
    finding.level != Level::Note
}

async fn look(config: &Config, target: &Target) -> Result<Vec<Finding>, Failure> {
    let mut operator = connect(&config.upstream, &target.name).await?;
    let mut findings = examine(&mut operator, target, config, false).await?;
    sort(&mut findings);
    Ok(findings)
}

/// The findings of one database, those of an object together, and how many there are; with the statements of `sexton apply`
/// where they are asked for.
pub(super) fn text(database: &str, findings: &[Finding], verbose: bool) -> String {
    let mut out = format!("database {database}\n");
    let mut objects: Vec<&str> = Vec::new();
    for finding in findings {
        if !objects.contains(&finding.object.as_str()) {
            objects.push(&finding.object);
        }
    }
    for object in objects {
        out.push_str(&format!("\n{object}\n"));
        for finding in findings.iter().filter(|finding| finding.object == object) {
            out.push_str(&format!("  {:<7}  {}\n", finding.level.word(), finding.what));
            if let Some(mend) = &finding.mend {
                out.push_str(&format!("           mend: {}\n", mend.replace('\n', "\n             ")));
            }
            match finding.steps.len() {
                0 => {}
                1 => out.push_str("           mend: sexton apply (1 step)\n"),
                steps => out.push_str(&format!("           mend: sexton apply ({steps} steps)\n")),
            }
            for step in finding.steps.iter().filter(|_| verbose) {
                out.push_str(&format!("             {}\n", first_line(&step.sql)));
            }
        }
    }
    out.push_str(&format!("\n{}\n", summary(findings)));
    out
}

/// A statement, or where it is long its beginning: `sexton apply` prints it whole.
fn first_line(sql: &str) -> String {
    match sql.split_once('\n') {
        Some((first, _)) => format!("{first} …"),
        None => format!("{sql};"),
    }
}

/// `2 errors, 1 warning, no notes; sexton apply mends 2 of them`
fn summary(findings: &[Finding]) -> String {
    let counted = [Level::Error, Level::Warning, Level::Note].map(|level| {
        let word = level.word();
        match findings.iter().filter(|finding| finding.level == level).count() {
            0 => format!("no {word}s"),
            1 => format!("1 {word}"),
            more => format!("{more} {word}s"),
        }
    });
    let mended = match findings.iter().filter(|finding| !finding.steps.is_empty()).count() {
        0 => String::new(),
        mended => format!("; sexton apply mends {mended} of them"),
    };
    format!("{}{mended}", counted.join(", "))
}

fn as_json(read: &[(Target, Result<Vec<Finding>, Failure>)]) -> Value {
    let databases: Vec<Value> = read
        .iter()
        .map(|(Target { name, .. }, findings)| match findings {
            Ok(findings) => json!({ "database": name, "findings": findings }),
            Err(failure) => failure.of_database(name),
        })
        .collect();
    json!({ "databases": databases })
}
