//! What `sexton apply` would do to a database, done by the library's own findings.

use std::sync::Arc;

use sexton::cli::demo::cluster::Cluster;
use sexton::config::{self, Config};
use sexton::net::catalog::Reader;
use sexton::net::upstream::Upstream;
use sexton::rewrite::Registry;
use sexton::rewrite::registry::Bound;
use sexton::schema::{Finding, Subject, Survey, objects, survey};

use super::database::Database;
use super::raw::Raw;

/// Rounds until nothing is left to find: what one round makes may be what the next looks at.
const ROUNDS_MAX: usize = 3;

/// Everything that `objects` finds in `database` for the tables in `rest`, a configuration without `[upstream]`.
pub fn findings(database: &Database, rest: &str, with_guard: bool) -> Vec<Finding> {
    findings_as(Cluster::SUPERUSER, database, rest, with_guard)
}

/// What they are where `role` runs `apply`.
pub fn findings_as(role: &str, database: &Database, rest: &str, with_guard: bool) -> Vec<Finding> {
    let upstream = format!("[upstream]\naddress = \"127.0.0.1:{}\"\nuser = \"postgres\"\n", database.port);
    let config: Config = config::parse(&format!("{upstream}\n{rest}"), &|_| None)
        .unwrap_or_else(|problems| panic!("{problems:?}\n{rest}"));
    let section = config.databases.find(&database.name).expect("the database has a section");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let snapshot = runtime.block_on(async {
        let upstream = Upstream::new(&config.upstream, &database.name).expect("an upstream");
        let mut reader = Reader::connect(&upstream, &database.name).await.expect("a reader");
        reader.snapshot(section, &Bound::default()).await.expect("a snapshot")
    });
    let (registry, _) = Registry::build(section, Arc::new(snapshot), &Bound::default(), 1);
    let mut direct = database.direct();
    direct.expect(&format!("SET search_path = ''; SET ROLE {role}"));
    let text = direct.expect(survey::QUERY)[0].texts()[0][0].clone();
    let survey = Survey::parse(&text).expect("the survey reads");
    let (own_role, access) = (Cluster::SUPERUSER, &config.access);
    let subject = Subject { database: section, registry: &registry, survey: &survey, own_role, access };
    objects::findings(&subject, with_guard)
}

/// Runs the steps of every finding, until none is left; each step is run twice.
pub fn apply(database: &Database, rest: &str, with_guard: bool) {
    let mut direct: Raw = database.direct();
    for _ in 0..ROUNDS_MAX {
        let found = findings(database, rest, with_guard);
        if found.iter().all(|finding| finding.steps.is_empty()) {
            return;
        }
        for step in found.iter().flat_map(|finding| &finding.steps) {
            direct.expect(&step.sql);
            direct.expect(&step.sql);
        }
    }
    panic!("findings remain: {:#?}", findings(database, rest, with_guard));
}
