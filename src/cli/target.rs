//! The databases that a command is about, and all that is known of one of them.

use std::sync::Arc;
use std::time::Duration;

use crate::cli::report::Failure;
use crate::cli::waits;
use crate::config::{Config, Database, UpstreamSettings, spelled};
use crate::net::Upstream;
use crate::net::catalog::CatalogError;
use crate::net::operator::{Operator, StatementError, Told};
use crate::rewrite::Registry;
use crate::rewrite::registry::Bound;
use crate::schema::{self, Answer, Answers, Finding, Readers, Rights, Situation, Subject, Survey};

/// How long the catalog may wait for a lock: what it says of an index or an expression takes one on the table.
const LOCK_TIMEOUT: &str = "5s";
/// How long one question about rows may take: the database has better things to do.
const QUESTION_TIMEOUT: Duration = Duration::from_secs(2);

/// One database by the name clients connect with, and its section.
#[derive(Debug, Clone)]
pub struct Target {
    /// The name clients connect with.
    pub name: String,
    /// Its section.
    pub database: Arc<Database>,
    /// That section's name as TOML spells it: `shop`, `"*"`.
    pub section: String,
}

/// The databases that `name` means: that one, or every one that the configuration names.
///
/// # Errors
/// No section covers it, or none is named.
pub fn targets(config: &Config, name: Option<&str>) -> Result<Vec<Target>, Failure> {
    let databases = &config.databases;
    if let Some(name) = name {
        let database = databases.find(name).ok_or_else(|| {
            Failure::new(format!("no section of the configuration covers the database \"{name}\""))
                .mend(format!("add [databases.{name}], or name another with --database"))
        })?;
        let section = if databases.named.contains_key(name) { spelled(name) } else { spelled("*") };
        return Ok(vec![Target { name: name.to_owned(), database: Arc::clone(database), section }]);
    }
    if databases.named.is_empty() {
        return Err(match databases.any {
            Some(_) => Failure::new("the configuration covers every database, and names none")
                .mend("name the one that is meant with --database"),
            None => Failure::new("the configuration covers no database").mend("add a section [databases.NAME]"),
        });
    }
    let named = databases.named.iter();
    Ok(named
        .map(|(name, database)| Target { name: name.clone(), database: Arc::clone(database), section: spelled(name) })
        .collect())
}

/// A runtime for the connection of a command.
///
/// # Errors
/// The system has no room for one.
pub fn runtime() -> Result<tokio::runtime::Runtime, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.map_err(|error| Failure::new(format!("the runtime cannot be started: {error}")))
}

/// Connects to a database by `settings`.
///
/// # Errors
/// Its files cannot be read, no address answers, or the login is refused.
pub async fn connect(settings: &UpstreamSettings, name: &str) -> Result<Operator, Failure> {
    let upstream = Upstream::new(settings, name)
        .map_err(|finding| Failure::new(format!("{}: {}", finding.key, finding.message)).mend(finding.mend))?;
    Operator::connect(&upstream, name)
        .await
        .map_err(|error| Failure::new(format!("database \"{name}\" cannot be reached: {error}")).mend(error.mend()))
}

/// Everything there is to say of a database.
///
/// # Errors
/// It cannot be read.
pub async fn examine(
    operator: &mut Operator,
    target: &Target,
    config: &Config,
    with_guard: bool,
) -> Result<Vec<Finding>, Failure> {
    let error = match read(operator, target, config, with_guard).await {
        Ok(findings) => return Ok(findings),
        Err(error) => error,
    };
    let failure = Failure::new(format!("database \"{}\" cannot be read: {error}", target.name));
    if !error.is_locked {
        return Err(failure.mend(format!("let the role {} connect to it and read its catalog", config.upstream.user)));
    }
    let locked = waits::locked(operator).await;
    let failure = locked.lines().fold(failure, |failure, line| failure.detail(format!("  locked: {line}")));
    Err(failure.mend("wait until that transaction has ended, or end it: SELECT pg_terminate_backend(PROCESS)"))
}

async fn read(
    operator: &mut Operator,
    target: &Target,
    config: &Config,
    with_guard: bool,
) -> Result<Vec<Finding>, CatalogError> {
    let (database, section, own_role) = (&*target.database, &*target.section, &config.upstream.user);
    // A step may have set others.
    operator.run(&format!("SET lock_timeout = '{LOCK_TIMEOUT}'; SET statement_timeout = 0")).await.map_err(unset)?;
    let snapshot = operator.snapshot(database).await?;
    let mut before = Survey::parse(&operator.text(schema::survey::QUERY, &[]).await?).map_err(unread)?;
    if before.has_notes()
        && let Told::Rows(rows) = operator.ask(schema::survey::NOTED, QUESTION_TIMEOUT).await?
    {
        before.noted = rows.lines().filter_map(|line| line.parse().ok()).collect();
    }
    let readers = Readers::parse(&operator.text(schema::readers::QUERY, &[]).await?).map_err(unread)?;
    let (_, unfit) = Registry::build(database, Arc::new(snapshot.clone()), &Bound::default(), 1);
    let (snapshot, survey) = schema::presume(database, snapshot, before.clone());
    let (registry, _) = Registry::build(database, snapshot, &Bound::default(), 1);
    let subject = Subject { database, registry: &registry, survey: &survey, own_role, access: &config.access };
    let tables = schema::rights::tables(subject);
    let rights = Rights::parse(&operator.text(schema::rights::QUERY, &[&tables, &own_role]).await?).map_err(unread)?;
    let answers = answers(operator, subject).await?;
    let situation = Situation {
        section,
        subject,
        with_guard,
        before: &before,
        unfit: &unfit,
        readers: &readers,
        rights: &rights,
        answers: &answers,
    };
    Ok(schema::findings(&situation))
}

async fn answers(operator: &Operator, subject: Subject<'_>) -> Result<Answers, CatalogError> {
    let mut answers = Answers::default();
    for question in schema::questions(subject) {
        let mut next = Some(question.sql);
        let mut then = question.then;
        while let Some(sql) = next {
            let answer = match operator.ask(&sql, QUESTION_TIMEOUT).await? {
                Told::Rows(text) => Answer::Text(text),
                Told::Late => Answer::Late,
                Told::Denied => Answer::Denied,
                Told::Failed(sqlstate, message) => Answer::Failed { sqlstate, message },
            };
            next = then.take().filter(|_| answer == Answer::Text("t".to_owned()));
            answers.insert(sql, answer);
        }
    }
    Ok(answers)
}

fn unset(error: StatementError) -> CatalogError {
    CatalogError::new(error.message)
}

fn unread(error: serde_json::Error) -> CatalogError {
    CatalogError::new(format!("its answer cannot be read: {error}"))
}
