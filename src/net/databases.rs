//! The databases served: for each a registry that follows the catalog, and one task that owns Sexton's connection to it.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::{OnceCell, RwLock, mpsc, oneshot, watch};
use tokio::time::{Instant, sleep, sleep_until, timeout};

use crate::catalog::{RoleFacts, Snapshot};
use crate::config::{Access, Database};
use crate::net::catalog::{CatalogError, Reader};
use crate::net::login::Unverifiable;
use crate::net::server::ServeError;
use crate::net::setup::Setup;
use crate::rewrite::registry::Bound;
use crate::rewrite::{Finding, Registry};
use crate::session::cache::PlanCache;
use crate::wire::scram::Verifier;

/// How often the catalog is read where nobody asks for it: DDL that did not come through Sexton.
const REFRESH_EVERY: Duration = Duration::from_secs(30);
/// How long the connection outlives the last session: whoever comes and goes all the time finds it there, and whoever
/// drops or copies the database, for which the server waits five seconds, hardly does.
const LINGER: Duration = Duration::from_millis(500);
/// How long one reading may take.
const READ_TIMEOUT: Duration = Duration::from_secs(10);
/// Questions that may wait for the task.
const QUESTIONS_MAX: usize = 1024;

enum Question {
    Role { name: String, answer: oneshot::Sender<Result<(RoleFacts, Arc<Registry>), CatalogError>> },
    Verifier { name: String, answer: oneshot::Sender<Result<Option<Verifier>, Unverifiable>> },
    Refresh { done: oneshot::Sender<bool> },
    Propose { setup: Arc<Setup>, database: Arc<Database>, answer: oneshot::Sender<Proposed> },
    Adopt { done: oneshot::Sender<()> },
}

/// What became of a proposed configuration.
struct Proposed {
    /// What the database lacks for it.
    outcome: Result<Vec<Finding>, CatalogError>,
    /// Sessions decide by the registry.
    is_followed: bool,
}

/// One database.
#[derive(Debug)]
pub(crate) struct Served {
    questions: mpsc::Sender<Question>,
    /// Received from by the sessions that are in the database.
    registry: Arc<watch::Sender<Arc<Registry>>>,
    pub(crate) plans: Arc<PlanCache>,
    /// What the first reading found.
    pub(crate) findings: Vec<Finding>,
}

/// One session's place in its database: Sexton's own connection to it stays as long as there are any.
#[derive(Debug)]
pub(crate) struct Presence {
    pub(crate) served: Arc<Served>,
    registry: watch::Receiver<Arc<Registry>>,
}

impl Presence {
    /// The newest registry, where it is newer than the last one asked for.
    pub(crate) fn changed(&mut self) -> Option<Arc<Registry>> {
        let is_new = self.registry.has_changed().unwrap_or(false);
        is_new.then(|| Arc::clone(&self.registry.borrow_and_update()))
    }
}

impl Served {
    /// Takes a place: to be done before the first question, whose answer may be of any later registry.
    pub(crate) fn enter(self: &Arc<Self>) -> Presence {
        Presence { served: Arc::clone(self), registry: self.registry.subscribe() }
    }

    /// The facts about a role that has logged in, and the registry whose configuration they come from.
    pub(crate) async fn role_facts(&self, name: String) -> Result<(RoleFacts, Arc<Registry>), CatalogError> {
        self.ask(|answer| Question::Role { name, answer }).await?
    }

    /// What the role logs in with, where it is a SCRAM verifier.
    pub(crate) async fn verifier(&self, name: String) -> Result<Option<Verifier>, Unverifiable> {
        self.ask(|answer| Question::Verifier { name, answer }).await?
    }

    async fn ask<T>(&self, question: impl FnOnce(oneshot::Sender<T>) -> Question) -> Result<T, CatalogError> {
        let (answer, answered) = oneshot::channel();
        let gone = || CatalogError::new("the catalog is not being read any more");
        self.questions.send(question(answer)).await.map_err(|_| gone())?;
        answered.await.map_err(|_| gone())
    }

    /// Has the catalog read, and waits for nothing: one reading more or less is no matter.
    pub(crate) fn hasten(&self) {
        let (done, _) = oneshot::channel();
        drop(self.questions.try_send(Question::Refresh { done }));
    }

    /// A registry read after this was called; `None` where the catalog could not be read.
    pub(crate) async fn refresh(&self) -> Option<Arc<Registry>> {
        let (done, is_done) = oneshot::channel();
        self.questions.send(Question::Refresh { done }).await.ok()?;
        is_done.await.unwrap_or(false).then(|| Arc::clone(&self.registry.borrow()))
    }
}

/// All databases, each opened when first asked for.
#[derive(Debug)]
pub(crate) struct Directory {
    /// Locked for writing while another configuration is tried: nothing is opened under the old one meanwhile.
    setup: RwLock<Arc<Setup>>,
    served: Mutex<HashMap<String, Cell>>,
    /// Where catalogs are read: not on the threads that serve clients, which a large one would hold up.
    runtime: Handle,
}

type Cell = Arc<OnceCell<Arc<Served>>>;

impl Directory {
    /// A directory whose catalogs are read on the runtime this is called on.
    pub(crate) fn new(setup: Arc<Setup>) -> Self {
        Self { setup: RwLock::new(setup), served: Mutex::default(), runtime: Handle::current() }
    }

    /// The database of that name; `None` where no section covers it.
    pub(crate) async fn open(&self, name: &str) -> Option<Result<Arc<Served>, CatalogError>> {
        let setup = self.setup.read().await;
        let database = Arc::clone(setup.config.databases.find(name)?);
        let cell = Arc::clone(self.served().entry(name.to_owned()).or_default());
        let opening = cell.get_or_try_init(|| async {
            let opening = self.runtime.spawn(open(Arc::clone(&setup), name.to_owned(), database));
            opening.await.unwrap_or_else(|error| Err(CatalogError::new(error.to_string())))
        });
        let opened = opening.await.cloned();
        if opened.is_err() {
            // Anybody may ask for any name.
            self.served().retain(|other, cell| other != name || cell.initialized());
        }
        Some(opened)
    }

    /// The database of that name, where it has been opened, whether or not a section covers it still.
    pub(crate) fn opened(&self, name: &str) -> Option<Arc<Served>> {
        self.served().get(name)?.get().cloned()
    }

    /// Serves every database by `setup`, all of them or, after an error, none. Those that it does not cover keep the
    /// rules they had, for the sessions that are still there.
    pub(crate) async fn adopt(&self, setup: &Arc<Setup>) -> Result<Vec<Finding>, ServeError> {
        let mut running = self.setup.write().await;
        let databases = &setup.config.databases;
        let opened: Vec<(String, Arc<Served>)> =
            self.served().iter().filter_map(|(name, cell)| Some((name.clone(), Arc::clone(cell.get()?)))).collect();
        let (mut warnings, mut proposed, mut fresh, mut gone) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for (name, served) in &opened {
            let Some(database) = databases.find(name) else { continue };
            let answer =
                |answer| Question::Propose { setup: Arc::clone(setup), database: Arc::clone(database), answer };
            match served.ask(answer).await.map_err(|error| unreachable(name, error))? {
                Proposed { outcome: Ok(findings), .. } => {
                    warnings.extend(fitting(name, findings)?);
                    proposed.push(served);
                }
                // Dropped since, perhaps: it is looked at again when somebody asks for it.
                Proposed { outcome: Err(_), is_followed: false } if !databases.named.contains_key(name) => {
                    gone.push(name)
                }
                Proposed { outcome: Err(error), .. } => return Err(unreachable(name, error)),
            }
        }
        for (name, database) in
            databases.named.iter().filter(|(name, _)| opened.iter().all(|(other, _)| other != *name))
        {
            let served = open(Arc::clone(setup), name.clone(), Arc::clone(database)).await;
            let served = served.map_err(|error| unreachable(name, error))?;
            warnings.extend(fitting(name, served.findings.clone())?);
            fresh.push((name.clone(), Arc::new(OnceCell::new_with(Some(served)))));
        }
        for served in proposed {
            // A task that has ended meanwhile has no sessions that could miss it.
            drop(served.ask(|done| Question::Adopt { done }).await);
        }
        let mut served = self.served();
        served.retain(|name, _| !gone.contains(&name));
        served.extend(fresh);
        *running = Arc::clone(setup);
        Ok(warnings)
    }

    /// What is opened or being opened, without the databases that are found to be no more.
    fn served(&self) -> MutexGuard<'_, HashMap<String, Cell>> {
        let mut served = self.served.lock().unwrap_or_else(PoisonError::into_inner);
        served.retain(|_, cell| cell.get().is_none_or(|served| !served.questions.is_closed()));
        served
    }
}

fn unreachable(database: &str, error: CatalogError) -> ServeError {
    ServeError::Unreachable { database: database.to_owned(), message: error.message }
}

/// The findings, where none of them is fatal.
fn fitting(database: &str, findings: Vec<Finding>) -> Result<Vec<Finding>, ServeError> {
    match findings.iter().any(|finding| finding.fatal) {
        true => Err(ServeError::Unfit { database: database.to_owned(), findings }),
        false => Ok(findings),
    }
}

async fn open(setup: Arc<Setup>, name: String, database: Arc<Database>) -> Result<Arc<Served>, CatalogError> {
    let mut source = Source {
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
    };
    let (registry, findings) = source.begin().await?;
    let registry = Arc::new(watch::Sender::new(Arc::new(registry)));
    let (questions, asked) = mpsc::channel(QUESTIONS_MAX);
    tokio::spawn(source.follow(asked, Arc::clone(&registry)));
    Ok(Arc::new(Served { questions, registry, plans: Arc::default(), findings }))
}

/// What the task owns.
struct Source {
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
}

impl Source {
    /// Answers questions until nobody can ask any more or the database is no more, and reads the catalog now and then
    /// while there are sessions. Without any, no connection is kept: it would be in the way of who drops the database.
    async fn follow(mut self, mut asked: mpsc::Receiver<Question>, publish: Arc<watch::Sender<Arc<Registry>>>) {
        let mut questions = Vec::new();
        let mut tried = Instant::now();
        loop {
            let is_followed = publish.receiver_count() > 0;
            tokio::select! {
                biased;
                // Whoever asks while a reading runs is served by the next one: many askers, one reading.
                count = asked.recv_many(&mut questions, QUESTIONS_MAX) => if count == 0 { return },
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
                        let outcome = self.propose(setup, database).await;
                        drop(answer.send(Proposed { outcome, is_followed: publish.receiver_count() > 0 }));
                    }
                    Question::Adopt { done } => {
                        self.adopt(&publish).await;
                        let _ = done.send(());
                    }
                }
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
    async fn propose(&mut self, setup: Arc<Setup>, database: Arc<Database>) -> Result<Vec<Finding>, CatalogError> {
        let mut next = Source {
            setup,
            name: self.name.clone(),
            database,
            reader: None,
            bound: self.bound.clone(),
            findings: Vec::new(),
            generation: self.generation + 1,
            read: None,
            is_absent: false,
            proposed: None,
        };
        let (registry, findings) = next.begin().await?;
        // It may never be adopted.
        next.reader = None;
        self.proposed = Some(Box::new((next, registry)));
        Ok(findings)
    }

    async fn adopt(&mut self, publish: &watch::Sender<Arc<Registry>>) {
        let Some(proposed) = self.proposed.take() else { return };
        let (mut next, mut registry) = *proposed;
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
        if publish.borrow().snapshot() == &snapshot {
            return Ok(());
        }
        self.generation += 1;
        let (registry, findings) = self.build(snapshot);
        let known: HashSet<&Finding> = self.findings.iter().collect();
        for finding in findings.iter().filter(|finding| !known.contains(finding)) {
            tracing::warn!(database = %self.name, key = %finding.key, "{}; {}", finding.message, finding.mend);
        }
        self.findings = findings;
        publish.send_replace(Arc::new(registry));
        Ok(())
    }

    /// The first registry, and all that is to be said.
    async fn begin(&mut self) -> Result<(Registry, Vec<Finding>), CatalogError> {
        let snapshot = self.read().await?;
        let (registry, mut findings) = self.build(snapshot);
        self.findings.clone_from(&findings);
        let (setup, name) = (Arc::clone(&self.setup), self.name.clone());
        let missed = self.reader().await?.verifiers_missed(&setup, &name).await;
        findings.extend(self.keep(missed)?);
        Ok((registry, findings))
    }

    fn build(&mut self, snapshot: Snapshot) -> (Registry, Vec<Finding>) {
        let (mut registry, findings) =
            Registry::build(&self.database, Arc::new(snapshot), &self.bound, self.generation);
        registry.configuration = self.setup.number;
        self.bound = registry.bound().clone();
        (registry, findings)
    }

    async fn read(&mut self) -> Result<Snapshot, CatalogError> {
        let database = Arc::clone(&self.database);
        let bound = self.bound.clone();
        let result = match self.reader().await {
            Ok(reader) => {
                timeout(READ_TIMEOUT, reader.snapshot(&database, &bound)).await.unwrap_or_else(|_| Err(timed_out()))
            }
            Err(error) => Err(error),
        };
        let snapshot = self.keep(result)?;
        self.read = Some(Instant::now());
        Ok(snapshot)
    }

    async fn role_facts(&mut self, name: &str, relations: &[u32]) -> Result<RoleFacts, CatalogError> {
        let access: Access = self.setup.config.access.clone();
        let result = match self.reader().await {
            Ok(reader) => timeout(READ_TIMEOUT, reader.role_facts(name, &access, relations))
                .await
                .unwrap_or_else(|_| Err(timed_out())),
            Err(error) => Err(error),
        };
        self.keep(result)
    }

    async fn verifier(&mut self, name: &str) -> Result<Option<Verifier>, Unverifiable> {
        let result = match self.reader().await {
            Ok(reader) => timeout(READ_TIMEOUT, reader.verifier(name)).await.unwrap_or_else(|_| Err(timed_out())),
            Err(error) => Err(error),
        };
        self.keep(result)?
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
