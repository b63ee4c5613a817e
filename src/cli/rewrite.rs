//! `sexton rewrite`: shows what a statement becomes, decided exactly as a session would.

use std::io::{IsTerminal, Read};
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use clap::Args;
use serde_json::{Value, json};

use crate::catalog::RoleFacts;
use crate::cli::load::{Loaded, load};
use crate::cli::report::{self, Failure};
use crate::cli::target::runtime;
use crate::cli::{Common, FINE, Format, REFUSED};
use crate::config::{Access, Config, Database, Problem, UpstreamSettings};
use crate::net::Upstream;
use crate::net::catalog::{CatalogError, Reader};
use crate::rewrite::as_of::AsOf;
use crate::rewrite::registry::Bound;
use crate::rewrite::state::{Scope, State};
use crate::rewrite::{Finding, Refusal, Registry, TagChange};
use crate::session::plan::Plan;
use crate::session::settings::Settings;
use crate::sql::encoding::Encoding;

/// The role answered for when none is named.
const ANYONE: &str = "anyone";

/// The search path `--offline` starts with: there is no server to ask.
const OFFLINE_SEARCH_PATH: &str = "public";

/// What `rewrite` takes.
#[derive(Debug, Args)]
pub struct Arguments {
    /// The statements, joined by spaces; without any, stdin is read
    #[arg(value_name = "SQL")]
    pub sql: Vec<String>,
    /// Ask no database: take the catalog to be what the configuration says
    #[arg(long)]
    pub offline: bool,
    /// sexton.scope of the session: live, all or deleted; without --role, the right to it is assumed
    #[arg(long, value_name = "SCOPE")]
    pub scope: Option<String>,
    /// sexton.as_of of the session, such as '2026-01-31 12:00Z'; without --role, the right to it is assumed
    #[arg(long, value_name = "TIME")]
    pub as_of: Option<String>,
    /// The role that sends the statement [default: one without special rights]
    #[arg(long, value_name = "NAME")]
    pub role: Option<String>,
    /// The database it is sent to [default: the only one configured]
    #[arg(long, value_name = "NAME")]
    pub database: Option<String>,
    /// search_path of the session [default: the role's own; offline: public]
    #[arg(long, value_name = "PATH")]
    pub search_path: Option<String>,
    /// What all others take as well
    #[command(flatten)]
    pub common: Common,
}

/// Prints what the statements become to stdout, or why they are refused to stderr.
///
/// # Errors
/// What keeps the question from being answered: configuration, database or arguments.
pub fn run(arguments: &Arguments) -> Result<ExitCode, Failure> {
    let Loaded { path, config } = load(&arguments.common)?;
    let asked = [
        ("sexton.scope", arguments.scope.as_deref().map(checked_scope).transpose()?),
        ("sexton.as_of", arguments.as_of.as_deref().map(checked_as_of).transpose()?),
    ];
    let (name, database) = database(arguments.database.as_deref(), &config)?;
    let text = text(&arguments.sql)?;
    let (registry, findings, mut role) = if arguments.offline {
        let (registry, findings) = Registry::offline(database);
        (registry, findings, offline_role(arguments.role.as_deref(), &config.access))
    } else {
        online(&config.upstream, name, database, arguments.role.as_deref(), &config.access)?
    };
    report_findings(&path, &findings)?;
    if let Some(path) = &arguments.search_path {
        role.search_path = Some(path.clone());
    }
    if arguments.role.is_none() && asked.iter().any(|(_, value)| value.is_some()) {
        role.sees_deleted = true;
        role.hard_deletes = true;
    }
    let plan = plan(&text, &asked, &role, &registry);
    match arguments.common.format {
        Format::Json => report::out(as_json(&plan).to_string().as_bytes()),
        Format::Text => as_text(&plan),
    }
    Ok(ExitCode::from(if plan.refusal.is_some() { REFUSED } else { FINE }))
}

/// The plan of `text` for a session that starts with the settings `asked`. They go the way every session's
/// do, by SET, so that a role without the right to them is refused in the same words.
fn plan(text: &[u8], asked: &[(&str, Option<&str>)], role: &RoleFacts, registry: &Registry) -> Plan {
    let mut settings = Settings::new(State::new(role.search_path.as_deref()));
    for (name, value) in asked.iter().filter_map(|(name, value)| Some((name, (*value)?))) {
        let set = Plan::new(format!("SET {name} = '{value}'").as_bytes(), &settings, role, registry);
        if set.refusal.is_some() {
            return set;
        }
        for statement in set.statements.iter() {
            settings.apply(&statement.effect);
        }
        settings.end_batch(true);
    }
    Plan::new(text, &settings, role, registry)
}

/// `scope` if it is one that can stand between quotes.
fn checked_scope(scope: &str) -> Result<&str, Failure> {
    let failure = |why: String| {
        Failure::new(format!("--scope: {why}"))
            .mend("write live, all or deleted, with single tables apart: 'live, items=all'")
    };
    if scope.contains(['\'', '\\']) {
        return Err(failure("a scope holds no quotes".to_owned()));
    }
    Scope::parse(scope).map(|_| scope).map_err(failure)
}

/// `time` if it is one.
fn checked_as_of(time: &str) -> Result<&str, Failure> {
    AsOf::parse(time).map(|_| time).map_err(|why| {
        Failure::new(format!("--as-of: {why}")).mend("write it in ISO form, such as '2026-01-31 12:00Z'")
    })
}

/// The section that covers `name`, or the only one there is, under the name clients connect with.
fn database<'a>(name: Option<&'a str>, config: &'a Config) -> Result<(&'a str, &'a Arc<Database>), Failure> {
    let databases = &config.databases;
    let mut named = databases.named.iter();
    match (name, named.next(), named.next(), &databases.any) {
        (Some(name), _, _, _) => databases.find(name).map(|database| (name, database)).ok_or_else(|| {
            Failure::new(format!("no section of the configuration covers the database \"{name}\""))
                .mend(format!("add [databases.{name}], or name another with --database"))
        }),
        (None, Some((name, database)), None, None) => Ok((name, database)),
        (None, None, None, Some(database)) => Ok(("postgres", database)),
        (None, _, _, _) => {
            let names: Vec<_> = databases.named.keys().map(String::as_str).collect();
            Err(Failure::new("the configuration covers several databases")
                .mend(format!("choose one with --database: {}", names.join(", "))))
        }
    }
}

fn text(sql: &[String]) -> Result<Vec<u8>, Failure> {
    if !sql.is_empty() {
        return Ok(sql.join(" ").into_bytes());
    }
    let mut stdin = std::io::stdin();
    if stdin.is_terminal() {
        return Err(Failure::new("there is no statement to rewrite").mend("write it behind the command, or pipe it in"));
    }
    let mut text = Vec::new();
    stdin.read_to_end(&mut text).map_err(|error| Failure::new(format!("stdin cannot be read: {error}")))?;
    Ok(text)
}

/// The facts the configuration alone gives: membership in its roles by name.
fn offline_role(name: Option<&str>, access: &Access) -> RoleFacts {
    let listed = |roles: &[String]| name.is_some_and(|name| roles.iter().any(|role| role == name));
    RoleFacts {
        search_path: Some(OFFLINE_SEARCH_PATH.to_owned()),
        sees_deleted: listed(&access.see_deleted),
        hard_deletes: listed(&access.hard_delete),
        ..RoleFacts::ordinary(name.unwrap_or(ANYONE))
    }
}

/// Registry and role as the live database has them.
fn online(
    upstream: &UpstreamSettings,
    name: &str,
    database: &Arc<Database>,
    role: Option<&str>,
    access: &Access,
) -> Result<(Registry, Vec<Finding>, RoleFacts), Failure> {
    let runtime = runtime()?;
    let upstream = Upstream::new(upstream, name)
        .map_err(|finding| Failure::new(format!("{}: {}", finding.key, finding.message)).mend(finding.mend))?;
    let asking = async {
        let mut reader = Reader::connect(&upstream, name).await?;
        let snapshot = reader.snapshot(database, &Bound::default()).await?;
        let (registry, findings) = Registry::build(database, Arc::new(snapshot), &Bound::default(), 1);
        Ok::<_, CatalogError>((reader, registry, findings))
    };
    let (mut reader, registry, findings) = runtime.block_on(asking).map_err(|error| {
        Failure::new(format!("database \"{name}\" cannot be read: {error}"))
            .mend("look at upstream in the configuration, or add --offline")
    })?;
    let Some(role) = role else { return Ok((registry, findings, RoleFacts::ordinary(ANYONE))) };
    let facts = runtime.block_on(reader.role_facts(role, access, &registry.kept_relations())).map_err(|error| {
        Failure::new(format!("--role: {error}")).mend("name a role of the server, or add --offline")
    })?;
    Ok((registry, findings, facts))
}

/// Warnings go to stderr; what would stop `serve` stops here too.
fn report_findings(path: &Path, findings: &[Finding]) -> Result<(), Failure> {
    let path = path.display().to_string();
    let lines = |fatal: bool| {
        findings.iter().filter(move |finding| finding.fatal == fatal).map(|finding| {
            Problem {
                line: finding.line,
                column: None,
                key: Some(finding.key.clone()),
                message: finding.message.clone(),
                mend: finding.mend.clone(),
            }
            .render(&path)
        })
    };
    for warning in lines(false) {
        report::err(&format!("warning: {warning}"));
    }
    let failure = Failure::new("the configuration does not fit the database");
    match lines(true).collect::<Vec<_>>() {
        fatal if fatal.is_empty() => Ok(()),
        fatal => Err(fatal.into_iter().fold(failure, Failure::detail)),
    }
}

fn as_text(plan: &Plan) {
    match &plan.refusal {
        Some(refusal) => report::err(&refusal_text(&plan.client_text, refusal)),
        None => report::out(plan.upstream_text.as_ref().unwrap_or(&plan.client_text)),
    }
}

/// A refusal as psql shows an error: with its line and a caret under the place.
fn refusal_text(text: &[u8], refusal: &Refusal) -> String {
    let mut lines = vec![format!("ERROR:  {}: {}", refusal.sqlstate().0, refusal.message())];
    if let Some(offset) = refusal.offset {
        let offset = offset.min(text.len());
        let start = text[..offset].iter().rposition(|byte| *byte == b'\n').map_or(0, |newline| newline + 1);
        let end = text[offset..].iter().position(|byte| *byte == b'\n').map_or(text.len(), |length| offset + length);
        let number = text[..offset].iter().filter(|byte| **byte == b'\n').count() + 1;
        let shown = format!("LINE {number}: ");
        let before = shown.len() + String::from_utf8_lossy(&text[start..offset]).chars().count();
        lines.push(shown + &String::from_utf8_lossy(&text[start..end]).replace('\t', " "));
        lines.push(" ".repeat(before) + "^");
    }
    lines.extend(refusal.detail().map(|detail| format!("DETAIL:  {detail}")));
    lines.extend(refusal.hint().map(|hint| format!("HINT:  {hint}")));
    lines.join("\n")
}

fn as_json(plan: &Plan) -> Value {
    let (outcome, text) = match (&plan.refusal, &plan.upstream_text) {
        (Some(_), _) => ("refused", None),
        (None, Some(text)) => ("rewritten", Some(text)),
        (None, None) => ("unchanged", Some(&plan.client_text)),
    };
    let edits: Vec<_> = plan
        .edits
        .iter()
        .map(|edit| json!({ "start": edit.start, "end": edit.end, "text": String::from_utf8_lossy(&edit.text) }))
        .collect();
    let statements: Vec<_> = plan
        .statements
        .iter()
        .map(|statement| {
            let tag = statement.tag.map(|tag| match tag {
                TagChange::Delete => "DELETE",
                TagChange::Truncate => "TRUNCATE TABLE",
                TagChange::DropTable => "DROP TABLE",
            });
            json!({ "tag": tag })
        })
        .collect();
    json!({
        "outcome": outcome,
        "text": text.map(|text| String::from_utf8_lossy(text)),
        "edits": edits,
        "statements": statements,
        "refusal": plan.refusal.as_ref().map(|refusal| refusal_json(&plan.client_text, refusal)),
    })
}

fn refusal_json(text: &[u8], refusal: &Refusal) -> Value {
    let position = refusal
        .offset
        .and_then(|offset| Encoding::Utf8.count_characters(&text[..offset.min(text.len())]))
        .map(|before| before + 1);
    json!({
        "reason": refusal.reason.name(),
        "sqlstate": refusal.sqlstate().0,
        "message": refusal.message(),
        "detail": refusal.detail(),
        "hint": refusal.hint(),
        "position": position,
    })
}
