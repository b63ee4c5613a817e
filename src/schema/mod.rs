//! What a database should hold for a configuration, and the difference to what it holds: as findings and as DDL.
//!
//! [`Situation`] is all that the rules look at; whoever has a connection brings it together (`cli::target`). Each rule
//! is a file with a function `findings`; [`findings`] asks them all, and [`Plan`] puts their steps in order.

mod access;
mod cascades;
mod checks;
mod condition;
pub mod finding;
mod index;
mod inside;
mod keys;
mod limits;
mod mention;
pub mod objects;
mod orphans;
pub mod plan;
mod policies;
mod presume;
mod privileges;
pub mod question;
pub mod readers;
mod registration;
mod replication;
pub mod rights;
pub mod situation;
pub mod survey;
mod triggers;
pub mod unique;
mod unregistered;

pub use finding::{Finding, Level, Step};
pub use plan::Plan;
pub use presume::presume;
pub use question::{Answer, Answers, Question};
pub use readers::Readers;
pub use registration::blocks;
pub use rights::Rights;
pub use situation::Situation;
pub use survey::Survey;

use crate::config::{Access, Database};
use crate::rewrite::Registry;

/// What the rules of this room look at: one database, what the configuration says of it, and what it holds.
#[derive(Debug, Clone, Copy)]
pub struct Subject<'a> {
    /// Its section.
    pub database: &'a Database,
    /// The section resolved against the catalog.
    pub registry: &'a Registry,
    /// What is there.
    pub survey: &'a Survey,
    /// Sexton's own login: `upstream.user`.
    pub own_role: &'a str,
    /// The roles with rights of their own.
    pub access: &'a Access,
}

/// What has to be asked before [`findings`] can be answered.
#[must_use]
pub fn questions(subject: Subject<'_>) -> Vec<Question> {
    [
        registration::questions(subject),
        unique::questions(subject),
        checks::questions(subject),
        unregistered::questions(subject),
        orphans::questions(subject),
        access::questions(subject),
    ]
    .concat()
}

/// Everything there is to say, in an order in which it can be mended: columns before what rests on them, Sexton's own
/// objects before indexes, and privileges, which may be on what came before, last.
#[must_use]
pub fn findings(situation: &Situation<'_>) -> Vec<Finding> {
    let rules = [
        registration::findings,
        |situation: &Situation<'_>| objects::findings(&situation.subject, situation.with_guard),
        unique::findings,
        cascades::findings,
        triggers::findings,
        checks::findings,
        policies::findings,
        inside::findings,
        unregistered::findings,
        orphans::findings,
        replication::findings,
        keys::findings,
        privileges::findings,
        access::findings,
    ];
    said_once(rules.iter().flat_map(|rule| rule(situation)))
}

/// Several triggers may be missing for one reason: it is said once, with the steps for all of them.
fn said_once(all: impl Iterator<Item = Finding>) -> Vec<Finding> {
    let mut findings: Vec<Finding> = Vec::new();
    for finding in all {
        let is_same = |other: &&mut Finding| {
            (other.level, other.kind, &other.object, &other.what, &other.mend)
                == (finding.level, finding.kind, &finding.object, &finding.what, &finding.mend)
        };
        match findings.iter_mut().find(is_same) {
            Some(said) => said.steps.extend(finding.steps),
            None => findings.push(finding),
        }
    }
    findings
}
