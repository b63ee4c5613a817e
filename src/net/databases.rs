//! The databases served: for each a registry that follows the catalog, and a source that is asked about it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use thread_local::ThreadLocal;
use tokio::runtime::Handle;
use tokio::sync::{OnceCell, RwLock, mpsc, oneshot, watch};

use crate::catalog::RoleFacts;
use crate::config::Database;
use crate::net::catalog::CatalogError;
use crate::net::login::Unverifiable;
use crate::net::server::ServeError;
use crate::net::setup::Setup;
use crate::net::source::{Begun, Proposed, Question, Source};
use crate::net::workers;
use crate::rewrite::{Finding, Registry};
use crate::session::cache::{CACHE_BYTES_MAX, PlanCache};
use crate::session::figures::DatabaseFigures;
use crate::wire::scram::Verifier;

/// Questions that may wait for the task.
const QUESTIONS_MAX: usize = 1024;

/// One database.
#[derive(Debug)]
pub(crate) struct Served {
    questions: mpsc::Sender<Question>,
    /// Received from by the sessions that are in the database.
    registry: Arc<watch::Sender<Arc<Registry>>>,
    /// One cache for each thread that serves clients: what they shared would go from core to core with every text.
    plans: ThreadLocal<Arc<PlanCache>>,
    /// What the first reading found.
    pub(crate) findings: Vec<Finding>,
    /// What keeps it from being served: deleted rows that would be seen again.
    unhidden: Vec<Finding>,
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

    /// The decided texts of the thread that this is called on.
    pub(crate) fn plans(&self) -> Arc<PlanCache> {
        Arc::clone(self.plans.get_or(|| Arc::new(PlanCache::new(CACHE_BYTES_MAX / workers::count()))))
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

    /// Says that the configuration is in force, and waits for nothing.
    fn take_force(&self) {
        let (done, _) = oneshot::channel();
        drop(self.questions.try_send(Question::Adopt { done }));
    }

    /// A registry read after this was called; `None` where the catalog could not be read.
    pub(crate) async fn refresh(&self) -> Option<Arc<Registry>> {
        let is_read = self.ask(|done| Question::Refresh { done }).await.unwrap_or(false);
        is_read.then(|| Arc::clone(&self.registry.borrow()))
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
            let opened = opening.await.unwrap_or_else(|error| Err(CatalogError::new(error.to_string())))?;
            match opened.unhidden.first() {
                Some(finding) => Err(CatalogError::new(finding.message.clone())),
                None => Ok(opened),
            }
        });
        let is_new = !cell.initialized();
        let opened = opening.await.cloned();
        if let (Ok(served), true) = (&opened, is_new) {
            served.take_force();
        }
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
            warnings.extend(fitting(name, [served.findings.as_slice(), &served.unhidden].concat())?);
            fresh.push((name.clone(), Arc::new(OnceCell::new_with(Some(served)))));
        }
        let begun = fresh.iter().filter_map(|(_, cell)| cell.get());
        for served in proposed.into_iter().chain(begun) {
            // A task that has ended meanwhile has no sessions that could miss it.
            drop(served.ask(|done| Question::Adopt { done }).await);
        }
        let mut served = self.served();
        served.retain(|name, _| !gone.contains(&name));
        served.extend(fresh);
        *running = Arc::clone(setup);
        Ok(warnings)
    }

    /// How the databases are that have been opened.
    pub(crate) fn figures(&self) -> Vec<DatabaseFigures> {
        let served = self.served();
        let opened = served.iter().filter_map(|(name, cell)| Some((name.clone(), cell.get()?)));
        let mut figures: Vec<DatabaseFigures> = opened
            .map(|(name, served)| DatabaseFigures { name, plans: served.plans.iter().cloned().collect() })
            .collect();
        figures.sort_by(|left, right| left.name.cmp(&right.name));
        figures
    }

    /// What is opened or being opened, without the databases that are found to be no more.
    fn served(&self) -> MutexGuard<'_, HashMap<String, Cell>> {
        let mut served = self.served.lock().unwrap_or_else(PoisonError::into_inner);
        served.retain(|_, cell| cell.get().is_none_or(|served| !served.questions.is_closed()));
        served
    }
}

fn unreachable(database: &str, error: CatalogError) -> ServeError {
    ServeError::Unreachable { database: database.to_owned(), source: error }
}

/// The findings, where none of them is fatal.
fn fitting(database: &str, findings: Vec<Finding>) -> Result<Vec<Finding>, ServeError> {
    match findings.iter().any(|finding| finding.fatal) {
        true => Err(ServeError::Unfit { database: database.to_owned(), findings }),
        false => Ok(findings),
    }
}

async fn open(setup: Arc<Setup>, name: String, database: Arc<Database>) -> Result<Arc<Served>, CatalogError> {
    let mut source = Source::new(setup, name, database);
    let Begun { registry, findings, unhidden } = source.begin(Vec::new()).await?;
    let registry = Arc::new(watch::Sender::new(Arc::new(registry)));
    let (questions, asked) = mpsc::channel(QUESTIONS_MAX);
    tokio::spawn(source.follow(asked, Arc::clone(&registry)));
    Ok(Arc::new(Served { questions, registry, plans: ThreadLocal::new(), findings, unhidden }))
}
