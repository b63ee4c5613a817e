//! One task a database that owns Sexton's connection to it: it reads the catalog, and answers what sessions ask about it.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::{Instant, sleep, sleep_until, timeout};

use crate::catalog::{RoleFacts, Snapshot};
use crate::config::Database;
use crate::net::catalog::{CatalogError, Reader};
use crate::net::login::Unverifiable;
use crate::net::setup::Setup;
use crate::net::standing::{Recorded, Standing, standings};
use crate::rewrite::registry::Bound;
use crate::rewrite::{Finding, Registry};
use crate::wire::scram::Verifier;

/// How often the catalog is read where nobody asks for it: DDL that did not come through Sexton.
const REFRESH_EVERY: Duration = Duration::from_secs(30);
/// How long the connection outlives the last session: whoever comes and goes all the time finds it there, and whoever
/// drops or copies the database, for which the server waits five seconds, hardly does.
const LINGER: Duration = Duration::from_millis(500);
/// How long one reading may take.
const READ_TIMEOUT: Duration = Duration::from_secs(10);

/// What sessions and the directory ask of a source.
pub(super) enum Question {
    Role { name: String, answer: oneshot::Sender<Result<(RoleFacts, Arc<Registry>), CatalogError>> },
    Verifier { name: String, answer: oneshot::Sender<Result<Option<Verifier>, Unverifiable>> },
    Refresh { done: oneshot::Sender<bool> },
    Propose { setup: Arc<Setup>, database: Arc<Database>, answer: oneshot::Sender<Proposed> },
    Adopt { done: oneshot::Sender<()> },
}

/// What became of a proposed configuration.
pub(super) struct Proposed {
    /// What the database lacks for it.
    pub(super) outcome: Result<Vec<Finding>, CatalogError>,
    /// Sessions decide by the registry.
    pub(super) is_followed: bool,
}

/// What the task owns.
pub(super) struct Source {
    setup: Arc<Setup>,
    name: String,
    database: Arc<Database>,
    reader: Option<Reader>,
    /// The registered tables by oid: a renamed table stays registered.
    bound: Bound,
    /// What has been said about the database already.
    findings: Vec<Finding>,
    generation: u64,
    /// When the catalog was last read, over the connection there is: over another one it may be another database's.
    read: Option<Instant>,
    /// There is no such database any more.
    is_absent: bool,
    /// What this one becomes, and the registry it then publishes, when a proposed configuration is adopted.
    proposed: Option<Box<(Source, Registry)>>,
    /// The configuration is in force, and what it scopes is noted in `sexton.tables`.
    records: bool,
    /// The catalog has been read since: what is noted may be out of date.
    is_record_due: bool,
    /// The names that stood there before: what they hid is hidden still, or is no more.
    looked_at: Vec<String>,
}

/// What a first look at the database gives.
pub(super) struct Begun {
    pub(super) registry: Registry,
    /// What the database lacks.
    pub(super) findings: Vec<Finding>,
    /// The tables whose deleted rows would be seen again: the configuration must not be served.
    pub(super) unhidden: Vec<Finding>,
}

impl Source {
    /// One that has not read anything yet.
    pub(super) fn new(setup: Arc<Setup>, name: String, database: Arc<Database>) -> Self {
        Self {
            setup,
            name,
            database,
            reader: None,
            bound: Bound::default(),
            findings: Vec::new(),
            generation: 1,
            read: None,
            is_absent: false,
            proposed: None,
            records: false,
            is_record_due: false,
            looked_at: Vec::new(),
        }
    }

    /// Answers questions until nobody can ask any more or the database is no more, and reads the catalog now and then
    /// while there are sessions. Without any, no connection is kept: it would be in the way of who drops the database.
    pub(super) async fn follow(
        mut self,
        mut asked: mpsc::Receiver<Question>,
        publish: Arc<watch::Sender<Arc<Registry>>>,
    ) {
        let mut questions = Vec::new();
        let mut tried = Instant::now();
        loop {
            let is_followed = publish.receiver_count() > 0;
            tokio::select! {
                biased;
                // Whoever asks while a reading runs is served by the next one: many askers, one reading.
                count = asked.recv_many(&mut questions, asked.max_capacity()) => if count == 0 { return },
                () = publish.closed(), if self.is_absent => return,
                () = left(&publish), if self.reader.is_some() => self.reader = None,
                () = sleep_until(tried + REFRESH_EVERY), if is_followed => {
                    self.refresh(&publish).await;
                    tried = Instant::now();
                }
            }
            let asked = questions.iter().any(|question| matches!(question, Question::Refresh { .. }));
            let is_read = asked && self.refresh(&publish).await;
            for question in questions.drain(..) {
                match question {
                    // Whoever asked may have gone meanwhile, which is no fault.
                    Question::Refresh { done } => drop(done.send(is_read)),
                    Question::Role { name, answer } => drop(answer.send(self.role(&name, &publish).await)),
                    Question::Verifier { name, answer } => drop(answer.send(self.verifier(&name).await)),
                    Question::Propose { setup, database, answer } => {
                        let outcome = self.propose(setup, database, &publish).await;
                        drop(answer.send(Proposed { outcome, is_followed: publish.receiver_count() > 0 }));
                    }
                    Question::Adopt { done } => {
                        self.adopt(&publish).await;
                        let _ = done.send(());
                    }
                }
            }
            // Nobody waits for it.
            if self.is_record_due {
                self.record(&publish).await;
            }
        }
    }

    /// The facts about a role that comes in, and a registry that is no older than it may be where sessions are already.
    async fn role(
        &mut self,
        name: &str,
        publish: &watch::Sender<Arc<Registry>>,
    ) -> Result<(RoleFacts, Arc<Registry>), CatalogError> {
        self.reader().await.map(drop).or_else(|error| self.keep(Err(error)))?;
        if self.read.is_none_or(|read| read.elapsed() >= REFRESH_EVERY) {
            self.read_anew(publish).await?;
        }
        let registry = Arc::clone(&publish.borrow());
        let facts = self.role_facts(name, &registry.kept_relations()).await?;
        Ok((facts, registry))
    }

    /// Tries a configuration, over a connection of its own, and keeps what comes of it for [`Source::adopt`].
    async fn propose(
        &mut self,
        setup: Arc<Setup>,
        database: Arc<Database>,
        publish: &watch::Sender<Arc<Registry>>,
    ) -> Result<Vec<Finding>, CatalogError> {
        let before = standings(&publish.borrow(), &self.database);
        let mut next = Source {
            bound: self.bound.clone(),
            generation: self.generation + 1,
            ..Source::new(setup, self.name.clone(), database)
        };
        let Begun { registry, findings, unhidden } = next.begin(before).await?;
        // It may never be adopted.
        next.reader = None;
        self.proposed = Some(Box::new((next, registry)));
        Ok([findings, unhidden].concat())
    }

    /// The configuration is in force: the proposed one, or the first.
    async fn adopt(&mut self, publish: &watch::Sender<Arc<Registry>>) {
        if let Some(proposed) = self.proposed.take() {
            self.turn_into(*proposed, publish).await;
        }
        self.record(publish).await;
    }

    async fn turn_into(
        &mut self,
        (mut next, mut registry): (Source, Registry),
        publish: &watch::Sender<Arc<Registry>>,
    ) {
        let is_late = next.generation <= self.generation;
        next.generation = self.generation + 1;
        registry.generation = next.generation;
        *self = next;
        publish.send_replace(Arc::new(registry));
        if is_late {
            // The catalog has changed between the proposal and now.
            self.refresh(publish).await;
        }
    }

    /// Notes what is scoped now, for the next start: a table may be called otherwise now, and another proxy that does not
    /// register it may have forgotten it.
    async fn record(&mut self, publish: &watch::Sender<Arc<Registry>>) {
        let scoped = standings(&publish.borrow(), &self.database);
        let others = std::mem::take(&mut self.looked_at);
        let kept = self
            .ask(async |reader| match reader.recorded().await? {
                // The connection is as good as before.
                Recorded::Rows { .. } => Ok(reader.record(&scoped, &others).await.err().map(|error| error.to_string())),
                Recorded::Unknown(why) => Ok(Some(why.to_owned()).filter(|_| !scoped.is_empty())),
            })
            .await;
        let why = kept.unwrap_or_else(|error| Some(error.to_string()));
        if let Some(error) = why
            && !self.records
        {
            tracing::warn!(
                database = %self.name,
                %error,
                "sexton.tables cannot be kept: the next start cannot tell which tables have been scoped; run `sexton apply`"
            );
        }
        self.records = true;
        self.is_record_due = false;
    }

    /// Reads the catalog and publishes a registry where it has changed; false where it cannot be read.
    async fn refresh(&mut self, publish: &watch::Sender<Arc<Registry>>) -> bool {
        let outcome = self.read_anew(publish).await;
        if let Err(error) = &outcome {
            tracing::error!(database = %self.name, %error, "the catalog cannot be read; the last reading stays");
        }
        outcome.is_ok()
    }

    async fn read_anew(&mut self, publish: &watch::Sender<Arc<Registry>>) -> Result<(), CatalogError> {
        let snapshot = self.read().await?;
        if publish.borrow().snapshot() != &snapshot {
            self.publish(snapshot, publish);
        }
        self.is_record_due = self.records;
        Ok(())
    }

    fn publish(&mut self, snapshot: Snapshot, publish: &watch::Sender<Arc<Registry>>) {
        self.generation += 1;
        let (registry, findings) = self.build(snapshot);
        let known: HashSet<&Finding> = self.findings.iter().collect();
        for finding in findings.iter().filter(|finding| !known.contains(finding)) {
            tracing::warn!(database = %self.name, key = %finding.key, "{}; {}", finding.message, finding.mend);
        }
        self.findings = findings;
        publish.send_replace(Arc::new(registry));
    }

    /// The first registry, and all that is to be said; `before`: what has been scoped until now.
    pub(super) async fn begin(&mut self, mut before: Vec<Standing>) -> Result<Begun, CatalogError> {
        let snapshot = self.read().await?;
        let (registry, mut findings) = self.build(snapshot);
        self.findings.clone_from(&findings);
        let (setup, name) = (Arc::clone(&self.setup), self.name.clone());
        let missed = self.reader().await?.verifiers_missed(&setup, &name).await;
        findings.extend(self.keep(missed)?);
        if let Recorded::Rows { standings, relations } = self.ask(async |reader| reader.recorded().await).await? {
            before.extend(standings);
            self.looked_at = relations;
        }
        before.sort_unstable();
        before.dedup_by(|one, other| one.is_like(other));
        let database = Arc::clone(&self.database);
        // It has limits of its own, longer ones.
        let unhidden = self.reader().await?.unhidden(&before, &registry, &database, &name).await;
        let unhidden = self.keep(unhidden)?;
        Ok(Begun { registry, findings, unhidden })
    }

    fn build(&mut self, snapshot: Snapshot) -> (Registry, Vec<Finding>) {
        let (mut registry, findings) =
            Registry::build(&self.database, Arc::new(snapshot), &self.bound, self.generation);
        registry.configuration = self.setup.number;
        self.bound = registry.bound().clone();
        (registry, findings)
    }

    async fn read(&mut self) -> Result<Snapshot, CatalogError> {
        let (database, bound) = (Arc::clone(&self.database), self.bound.clone());
        let snapshot = self.ask(async |reader| reader.snapshot(&database, &bound).await).await?;
        self.read = Some(Instant::now());
        Ok(snapshot)
    }

    async fn role_facts(&mut self, name: &str, relations: &[u32]) -> Result<RoleFacts, CatalogError> {
        let setup = Arc::clone(&self.setup);
        self.ask(async |reader| reader.role_facts(name, &setup.config.access, relations).await).await
    }

    async fn verifier(&mut self, name: &str) -> Result<Option<Verifier>, Unverifiable> {
        self.ask(async |reader| reader.verifier(name).await).await?
    }

    /// Asks the server `question`, within [`READ_TIMEOUT`].
    async fn ask<T>(
        &mut self,
        question: impl AsyncFnOnce(&mut Reader) -> Result<T, CatalogError>,
    ) -> Result<T, CatalogError> {
        let result = match self.reader().await {
            Ok(reader) => timeout(READ_TIMEOUT, question(reader)).await.unwrap_or_else(|_| Err(timed_out())),
            Err(error) => Err(error),
        };
        self.keep(result)
    }

    /// The connection, made anew where it has ended.
    async fn reader(&mut self) -> Result<&mut Reader, CatalogError> {
        let upstream = &self.setup.upstream;
        let reader = match self.reader.take().filter(|reader| !reader.is_closed()) {
            Some(reader) => reader,
            None => {
                self.read = None;
                Reader::connect(upstream, &self.name).await?
            }
        };
        Ok(self.reader.insert(reader))
    }

    /// After a failure the connection's state is not known: the next question gets a new one.
    fn keep<T>(&mut self, result: Result<T, CatalogError>) -> Result<T, CatalogError> {
        self.is_absent = result.as_ref().is_err_and(|error| error.is_absent);
        if result.is_err() {
            self.reader = None;
        }
        result
    }
}

/// The last session has left, a while ago.
async fn left(publish: &watch::Sender<Arc<Registry>>) {
    loop {
        publish.closed().await;
        sleep(LINGER).await;
        if publish.receiver_count() == 0 {
            return;
        }
    }
}

fn timed_out() -> CatalogError {
    CatalogError::new(format!("no answer within {} s", READ_TIMEOUT.as_secs()))
}
