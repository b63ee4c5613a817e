//! `sexton apply`: the DDL that mends what `sexton check` finds, as a script for psql or carried out.

use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use serde_json::{Value, json};

use crate::cli::check::{counts, sort, text};
use crate::cli::load::{Loaded, load};
use crate::cli::progress::Progress;
use crate::cli::report::{self, Failure};
use crate::cli::target::{Target, connect, examine, runtime, targets};
use crate::cli::waits;
use crate::cli::{COULD_NOT_RUN, Common, FINE, Format, REFUSED};
use crate::config::{Config, UpstreamSettings};
use crate::net::operator::{Operator, StatementError};
use crate::schema::plan::{Batch, one_line};
use crate::schema::{Finding, Plan, blocks};

/// How often a batch is tried that cannot get its locks.
const ATTEMPTS: u32 = 5;
/// How long it waits between attempts, doubled each time: what holds the lock may be about to end.
const FIRST_PAUSE: Duration = Duration::from_millis(500);

/// Its exit codes in `--help`.
pub(super) const EXIT_CODES: &str = "Without --execute nothing is changed: the script is for psql, as in `sexton apply | psql`.\n\n\
     Exit codes: 0 printed, or carried out and nothing left; 1 a step failed, or something is left that it cannot mend; 2 could not run.";

/// What `apply` takes.
#[derive(Debug, Args)]
pub struct Arguments {
    /// Carry it out instead of printing it
    #[arg(long)]
    pub execute: bool,
    /// Also refuse each DELETE and TRUNCATE that does not come through Sexton, by triggers on the tables that keep deleted
    /// rows (TRUNCATE not where `truncate = "pass"`)
    #[arg(long)]
    pub guard: bool,
    /// The role that carries it out, its password in PGPASSWORD [default: upstream.user]
    #[arg(long, value_name = "NAME")]
    pub user: Option<String>,
    /// The database to change [default: every one that the configuration names]
    #[arg(long, value_name = "NAME")]
    pub database: Option<String>,
    /// What all others take as well
    #[command(flatten)]
    pub common: Common,
}

/// Where a plan stopped, and why.
struct Stopped {
    batch: usize,
    attempts: u32,
    error: StatementError,
}

/// Prints the plan and exits 0; or carries it out and exits 0 where nothing is left that it could mend, 1 where something is.
///
/// # Errors
/// The configuration or the arguments. What keeps one database from being changed is told, and the next one's turn comes.
pub fn run(arguments: &Arguments) -> Result<ExitCode, Failure> {
    let Loaded { config, .. } = load(&arguments.common)?;
    let targets = targets(&config, arguments.database.as_deref())?;
    let runtime = runtime()?;
    let mut documents = Vec::new();
    let mut code = FINE;
    for target in &targets {
        match runtime.block_on(apply(arguments, &config, target, arguments.common.format)) {
            Ok(done) => {
                code = code.max(done.code);
                documents.extend(done.document);
            }
            Err(failure) => {
                code = COULD_NOT_RUN;
                match arguments.common.format {
                    Format::Text => report::failure(&failure, Format::Text),
                    Format::Json => documents.push(failure.of_database(&target.name)),
                }
            }
        }
    }
    if arguments.common.format == Format::Json {
        report::out(json!({ "databases": documents }).to_string().as_bytes());
    }
    Ok(ExitCode::from(code))
}

/// What one database came to.
struct Done {
    code: u8,
    document: Option<Value>,
}

async fn apply(arguments: &Arguments, config: &Config, target: &Target, format: Format) -> Result<Done, Failure> {
    let settings = login(config, arguments.user.as_deref());
    let connecting = async || {
        let connected = connect(&settings, &target.name).await;
        connected.map_err(|failure| match &arguments.user {
            Some(user) => failure.mend(format!(
                "correct the role's name where {user} is none, or give its password in PGPASSWORD if it needs one"
            )),
            None => failure,
        })
    };
    let mut operator = connecting().await?;
    if arguments.execute {
        hold(&operator, &target.name).await?;
    }
    let findings = examine(&mut operator, target, config, arguments.guard).await?;
    check_sections(target, &findings)?;
    let plan = Plan::new(&findings);
    if !arguments.execute {
        let document = match format {
            Format::Json => Some(json!({ "database": target.name, "batches": plan.batches })),
            Format::Text => {
                let user = arguments.user.as_deref();
                let commands = plan.script(&target.name, &settings.addresses, user);
                report::out(script(&target.name, &plan, &commands).as_bytes());
                None
            }
        };
        return Ok(Done { code: FINE, document });
    }
    let witness = connecting().await?;
    let stopped = carry_out(&operator, &witness, target, &plan, format).await?;
    let left = match &stopped {
        // The connection may be what failed.
        Some(_) => None,
        None => Some(sorted(examine(&mut operator, target, config, arguments.guard).await?)),
    };
    let is_fine = left.as_ref().is_some_and(|left| !left.iter().any(counts));
    let document = match format {
        Format::Json => Some(outcome(target, &plan, stopped.as_ref(), left.as_deref())),
        Format::Text => {
            told(target, &plan, stopped.as_ref(), left.as_deref(), &settings);
            None
        }
    };
    Ok(Done { code: if is_fine { FINE } else { REFUSED }, document })
}

/// Nothing is done halfway: what a table is taken for decides what becomes of its rows when those of another are deleted.
fn check_sections(target: &Target, findings: &[Finding]) -> Result<(), Failure> {
    let blocking: Vec<&Finding> = findings.iter().filter(|finding| blocks(finding)).collect();
    if blocking.is_empty() {
        return Ok(());
    }
    let failure =
        Failure::new(format!("the configuration does not fit database \"{}\": nothing is applied", target.name));
    let told = blocking.iter().fold(failure, |failure, found| {
        let mend = found.mend.as_deref().unwrap_or("run sexton check");
        failure.detail(format!("  {}: {}; mend: {mend}", found.object, found.what))
    });
    Err(told.mend("mend that first"))
}

fn sorted(mut findings: Vec<Finding>) -> Vec<Finding> {
    sort(&mut findings);
    findings
}

/// Sexton's own login, or the one that is named.
fn login(config: &Config, user: Option<&str>) -> UpstreamSettings {
    let mut settings = config.upstream.clone();
    if let Some(user) = user {
        user.clone_into(&mut settings.user);
        settings.password = std::env::var("PGPASSWORD").ok();
    }
    settings
}

fn script(database: &str, plan: &Plan, commands: &str) -> String {
    let shown = one_line(database);
    match plan.is_empty() {
        true => format!("-- database {shown}: nothing to do\n"),
        false => format!(
            "-- database {shown}: {} steps. Pipe this into psql, or let `sexton apply --execute` do it; either may be\n\
             -- interrupted and started again.\n{commands}",
            plan.len(),
        ),
    }
}

/// Keeps others from changing the database as long as `operator` is connected: what they do meanwhile would not be in
/// the plan.
async fn hold(operator: &Operator, database: &str) -> Result<(), Failure> {
    match operator.lock().await {
        Ok(true) => Ok(()),
        Ok(false) => Err(Failure::new(format!("another sexton command is changing the database \"{database}\""))
            .mend("wait until it has ended: an interrupted one is noticed by the server within seconds")),
        Err(error) => Err(Failure::new(format!("database \"{database}\": {error}"))),
    }
}

/// Runs the plan; `Some` where it had to stop.
async fn carry_out(
    operator: &Operator,
    witness: &Operator,
    target: &Target,
    plan: &Plan,
    format: Format,
) -> Result<Option<Stopped>, Failure> {
    let database = &target.name;
    let pid = operator.text("SELECT pg_catalog.pg_backend_pid()::pg_catalog.text", &[]).await;
    let pid = pid.map_err(|error| Failure::new(format!("database \"{database}\": {error}")))?;
    let progress = Progress::new(plan.len(), format);
    for (index, batch) in plan.batches.iter().enumerate() {
        for step in &batch.steps {
            progress.begin(&step.why);
        }
        let mut attempts = 1;
        loop {
            let outcome = tokio::select! {
                outcome = run_batch(operator, batch) => outcome,
                () = waits::tell(witness, &pid, &progress) => Ok(()),
            };
            let Err(error) = outcome else { break };
            if !is_worth_another(&error) || attempts == ATTEMPTS {
                progress.end();
                return Ok(Some(Stopped { batch: index, attempts, error }));
            }
            let pause = FIRST_PAUSE * 2_u32.pow(attempts - 1);
            progress.say(&format!("{}: {error}; again in {:.1} s", batch.steps[0].why, pause.as_secs_f32()));
            tokio::time::sleep(pause).await;
            attempts += 1;
        }
        progress.done(batch.steps.len());
    }
    progress.end();
    Ok(None)
}

async fn run_batch(operator: &Operator, batch: &Batch) -> Result<(), StatementError> {
    let (lock_timeout, statement_timeout) = batch.timeouts();
    operator
        .run(&format!("SET lock_timeout = '{lock_timeout}'; SET statement_timeout = '{statement_timeout}'"))
        .await?;
    let statements: Vec<&str> = batch.steps.iter().map(|step| step.sql.as_str()).collect();
    match batch.is_transactional {
        true => operator.run(&format!("BEGIN;\n{};\nCOMMIT", statements.join(";\n"))).await,
        // CONCURRENTLY stands for itself in a message.
        false => operator.run(&statements.concat()).await,
    }
}

/// Locks that were not to be had (55P03) or were given up in favour of others' (40P01).
fn is_worth_another(error: &StatementError) -> bool {
    matches!(error.sqlstate.as_deref(), Some("55P03" | "40P01"))
}

fn told(
    target: &Target,
    plan: &Plan,
    stopped: Option<&Stopped>,
    left: Option<&[Finding]>,
    settings: &UpstreamSettings,
) {
    let database = &target.name;
    if let Some(stopped) = stopped {
        report::failure(&failure(database, plan, stopped, settings), Format::Text);
    }
    let Some(left) = left else { return };
    let done = match plan.len() {
        0 => "nothing to do".to_owned(),
        1 => "1 step done".to_owned(),
        more => format!("{more} steps done"),
    };
    let left = match left.is_empty() {
        true => "nothing is left".to_owned(),
        false => format!("what is left:\n\n{}", text(database, left, false)),
    };
    report::out(format!("database {database}: {done}; {left}").as_bytes());
}

/// What an operator needs after a step has failed: which one, why, and what to do.
fn failure(database: &str, plan: &Plan, stopped: &Stopped, settings: &UpstreamSettings) -> Failure {
    let Stopped { batch, attempts, error } = stopped;
    let done: usize = plan.batches[..*batch].iter().map(|batch| batch.steps.len()).sum();
    let failed = &plan.batches[*batch];
    let sqlstate = error.sqlstate.as_ref().map(|sqlstate| format!(" ({sqlstate})")).unwrap_or_default();
    let mut failure = Failure::new(format!("database \"{database}\": {}: {error}{sqlstate}", failed.steps[0].why));
    let told = error.detail.iter().map(|detail| format!("detail: {detail}"));
    for line in told.chain(error.hint.iter().map(|hint| format!("hint: {hint}"))) {
        failure = failure.detail(format!("  {line}"));
    }
    for step in &failed.steps {
        failure = failure.detail(format!("  {}", step.sql.replace('\n', "\n  ")));
    }
    failure = failure.detail(format!("  {done} of {} steps are done and stay so", plan.len()));
    failure.mend(match error.sqlstate.as_deref() {
        Some("55P03" | "40P01") => format!(
            "{attempts} attempts found the table locked: look at pg_stat_activity for what holds it, and run this again"
        ),
        Some("42501") => {
            format!("run it as the tables' owner: sexton apply --execute --user NAME (this was {})", settings.user)
        }
        Some("23505") => "make the rows unique among those that live, and run this again".to_owned(),
        None => "the connection was lost; run this again".to_owned(),
        Some(_) => "mend that, and run this again".to_owned(),
    })
}

fn outcome(target: &Target, plan: &Plan, stopped: Option<&Stopped>, left: Option<&[Finding]>) -> Value {
    let reached = stopped.map_or(plan.batches.len(), |stopped| stopped.batch);
    let steps: Vec<Value> = plan
        .batches
        .iter()
        .enumerate()
        .flat_map(|(index, batch)| {
            let outcome = match (index < reached, index == reached) {
                (true, _) => "done",
                (_, true) => "failed",
                _ => "not reached",
            };
            batch.steps.iter().map(move |step| json!({ "why": step.why, "sql": step.sql, "outcome": outcome }))
        })
        .collect();
    let error = stopped.map(|Stopped { error, attempts, .. }| {
        json!({
            "sqlstate": error.sqlstate, "message": error.message, "detail": error.detail, "hint": error.hint,
            "attempts": attempts,
        })
    });
    json!({ "database": target.name, "steps": steps, "error": error, "left": left })
}
