//! The databases served: for each a registry that follows the catalog, and one task that owns Sexton's connection to it.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{OnceCell, mpsc, oneshot, watch};
use tokio::time::timeout;

use crate::catalog::{RoleFacts, Snapshot};
use crate::config::{Access, Config, Database, UpstreamSettings};
use crate::net::catalog::{CatalogError, Reader};
use crate::rewrite::registry::Bound;
use crate::rewrite::{Finding, Registry};
use crate::session::cache::PlanCache;

/// How often the catalog is read where nobody asks for it: DDL that did not come through Sexton.
const REFRESH_EVERY: Duration = Duration::from_secs(30);
/// How long one reading may take.
const READ_TIMEOUT: Duration = Duration::from_secs(10);
/// Questions that may wait for the task.
const QUESTIONS_MAX: usize = 1024;

enum Question {
    Role { name: String, answer: oneshot::Sender<Result<RoleFacts, CatalogError>> },
    Refresh { done: oneshot::Sender<bool> },
}

/// One database.
#[derive(Debug)]
pub(crate) struct Served {
    questions: mpsc::Sender<Question>,
    pub(crate) registry: watch::Receiver<Arc<Registry>>,
    pub(crate) plans: Arc<PlanCache>,
    /// What the first reading found.
    pub(crate) findings: Vec<Finding>,
}

impl Served {
    /// The facts about a role that has logged in.
    pub(crate) async fn role_facts(&self, name: String) -> Result<RoleFacts, CatalogError> {
        let (answer, answered) = oneshot::channel();
        let gone = || CatalogError { message: "the catalog is not being read any more".to_owned() };
        self.questions.send(Question::Role { name, answer }).await.map_err(|_| gone())?;
        answered.await.unwrap_or_else(|_| Err(gone()))
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
    config: Arc<Config>,
    served: Mutex<HashMap<String, Arc<OnceCell<Arc<Served>>>>>,
}

impl Directory {
    pub(crate) fn new(config: Arc<Config>) -> Self {
        Self { config, served: Mutex::default() }
    }

    /// The database of that name; `None` where no section covers it.
    pub(crate) async fn open(&self, name: &str) -> Option<Result<Arc<Served>, CatalogError>> {
        let database = Arc::clone(self.config.databases.find(name)?);
        let cell = {
            let mut served = self.served.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(served.entry(name.to_owned()).or_default())
        };
        let opening = cell.get_or_try_init(|| open(Arc::clone(&self.config), name.to_owned(), database));
        Some(opening.await.cloned())
    }
}

async fn open(config: Arc<Config>, name: String, database: Arc<Database>) -> Result<Arc<Served>, CatalogError> {
    let (bound, findings) = (Bound::default(), Vec::new());
    let mut source = Source { config, name, database, reader: None, bound, findings, generation: 1 };
    let snapshot = source.read().await?;
    let (registry, findings) = source.build(snapshot);
    source.findings.clone_from(&findings);
    let (publish, watched) = watch::channel(Arc::new(registry));
    let (questions, asked) = mpsc::channel(QUESTIONS_MAX);
    tokio::spawn(source.follow(asked, publish));
    Ok(Arc::new(Served { questions, registry: watched, plans: Arc::default(), findings }))
}

/// What the task owns.
struct Source {
    config: Arc<Config>,
    name: String,
    database: Arc<Database>,
    reader: Option<Reader>,
    /// The registered tables by oid: a renamed table stays registered.
    bound: Bound,
    /// What has been said about the database already.
    findings: Vec<Finding>,
    generation: u64,
}

impl Source {
    /// Answers questions until nobody can ask any more, and reads the catalog now and then.
    async fn follow(mut self, mut asked: mpsc::Receiver<Question>, publish: watch::Sender<Arc<Registry>>) {
        let mut questions = Vec::new();
        loop {
            // Whoever asks while a reading runs is served by the next one: many askers, one reading.
            match timeout(REFRESH_EVERY, asked.recv_many(&mut questions, QUESTIONS_MAX)).await {
                Ok(0) => return,
                Ok(_) => {}
                Err(_) => {
                    self.refresh(&publish).await;
                }
            }
            let asked = questions.iter().any(|question| matches!(question, Question::Refresh { .. }));
            let is_read = asked && self.refresh(&publish).await;
            for question in questions.drain(..) {
                match question {
                    // Whoever asked may have gone meanwhile, which is no fault.
                    Question::Refresh { done } => drop(done.send(is_read)),
                    Question::Role { name, answer } => {
                        let relations = publish.borrow().kept_relations();
                        drop(answer.send(self.role_facts(&name, &relations).await));
                    }
                }
            }
        }
    }

    /// Reads the catalog and publishes a registry where it has changed; false where it cannot be read.
    async fn refresh(&mut self, publish: &watch::Sender<Arc<Registry>>) -> bool {
        match self.read().await {
            Ok(snapshot) => {
                if publish.borrow().snapshot() == &snapshot {
                    return true;
                }
                self.generation += 1;
                let (registry, findings) = self.build(snapshot);
                let known: HashSet<&Finding> = self.findings.iter().collect();
                for finding in findings.iter().filter(|finding| !known.contains(finding)) {
                    tracing::warn!(database = %self.name, key = %finding.key, "{}; {}", finding.message, finding.mend);
                }
                self.findings = findings;
                publish.send_replace(Arc::new(registry));
                true
            }
            Err(error) => {
                tracing::error!(database = %self.name, %error, "the catalog cannot be read; the last reading stays");
                false
            }
        }
    }

    fn build(&mut self, snapshot: Snapshot) -> (Registry, Vec<Finding>) {
        let (registry, findings) = Registry::build(&self.database, Arc::new(snapshot), &self.bound, self.generation);
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
        self.keep(result)
    }

    async fn role_facts(&mut self, name: &str, relations: &[u32]) -> Result<RoleFacts, CatalogError> {
        let access: Access = self.config.access.clone();
        let result = match self.reader().await {
            Ok(reader) => timeout(READ_TIMEOUT, reader.role_facts(name, &access, relations))
                .await
                .unwrap_or_else(|_| Err(timed_out())),
            Err(error) => Err(error),
        };
        self.keep(result)
    }

    /// The connection, made anew where it has ended.
    async fn reader(&mut self) -> Result<&mut Reader, CatalogError> {
        let upstream: &UpstreamSettings = &self.config.upstream;
        let reader = match self.reader.take().filter(|reader| !reader.is_closed()) {
            Some(reader) => reader,
            None => Reader::connect(upstream, &self.name).await?,
        };
        Ok(self.reader.insert(reader))
    }

    /// After a failure the connection's state is not known: the next question gets a new one.
    fn keep<T>(&mut self, result: Result<T, CatalogError>) -> Result<T, CatalogError> {
        if result.is_err() {
            self.reader = None;
        }
        result
    }
}

fn timed_out() -> CatalogError {
    CatalogError { message: format!("no answer within {} s", READ_TIMEOUT.as_secs()) }
}
