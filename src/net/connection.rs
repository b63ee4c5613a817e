//! One client's connection from the moment its server is reached: relaying, what the session wants, and the end.

use std::convert::Infallible;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use mio::event::Event as Readiness;
use mio::{Registry, Token};
use tokio::runtime::Handle;
use tokio::sync::oneshot;
use tokio::time::{Instant, sleep, timeout_at};

use crate::catalog::RoleFacts;
use crate::net::cancel;
use crate::net::catalog::CatalogError;
use crate::net::client::{Place, Shared};
use crate::net::databases::Presence;
use crate::net::inbox::{Line, Order};
use crate::net::relay::{Event, Leg, Relay};
use crate::net::upstream::Upstream;
use crate::net::workers::Seat;
use crate::rewrite::Registry as TableRegistry;
use crate::session::Want;
use crate::wire::sqlstate::SqlState;

/// How often the catalog is read while a commit of DDL is under way: there is no event for it where more follows in the
/// same batch.
const COMMIT_PAUSE: Duration = Duration::from_millis(20);

/// How often the server is asked to cancel what it runs: the next statement may have been on its way to it already.
const CANCEL_PAUSE: Duration = Duration::from_millis(100);

/// How long a client may take to be told that it is late.
const FAREWELL: Duration = Duration::from_millis(20);

/// How far draining has gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Drain {
    No,
    /// Sessions between transactions end.
    Idle,
    /// Sessions for which the server does nothing end; what it does for the others is cancelled.
    Running,
    /// All sessions end.
    All,
}

impl Drain {
    /// Whether it is time for this connection to end.
    fn is_due(self, relay: &Relay) -> bool {
        match self {
            Self::No => false,
            Self::Idle => relay.is_idle(),
            Self::Running => !relay.session.is_running(),
            Self::All => true,
        }
    }
}

/// Who is asked for what the session wants, and about whom.
#[derive(Debug)]
pub(crate) struct Asked {
    pub(crate) shared: Arc<Shared>,
    /// Where the session's server is.
    pub(crate) upstream: Arc<Upstream>,
    pub(crate) database: String,
    pub(crate) user: String,
}

enum Answer {
    Role(RoleFacts, Arc<TableRegistry>, Presence),
    Refreshed(Option<(Arc<TableRegistry>, RoleFacts)>),
}

impl Asked {
    async fn ask(&self, want: Want) -> Result<Answer, CatalogError> {
        let uncovered = || CatalogError::new("no section covers it");
        let directory = &self.shared.directory;
        match want {
            Want::Refresh => {
                // It may have lost its section since: its sessions go on by the rules they had.
                let served = directory.opened(&self.database).ok_or_else(uncovered)?;
                // A GRANT or a new schema may have changed what the role can reach.
                let registry = served.refresh().await;
                let role = served.role_facts(self.user.clone()).await;
                Ok(Answer::Refreshed(registry.zip(role.ok().map(|(role, _)| role))))
            }
            Want::Role => {
                let served = directory.open(&self.database).await.unwrap_or_else(|| Err(uncovered()))?;
                // Entered first: from here on Sexton's own connection stays, and a registry newer than the answer is met.
                let presence = served.enter();
                let (role, registry) = served.role_facts(self.user.clone()).await?;
                Ok(Answer::Role(role, registry, presence))
            }
        }
    }
}

/// What follows from a connection's turn.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Turn {
    /// Nothing, until something happens to it.
    Waits,
    /// Another one, after the others have had theirs.
    Again,
    /// Its end.
    Over,
}

/// The connection, as its thread has it.
pub(super) struct Connection {
    /// `None` while a long statement is decided elsewhere.
    relay: Option<Box<Relay>>,
    /// What the relay is to do when it is back.
    deferred: Vec<Order>,
    asked: Arc<Asked>,
    /// When the client must have begun its session.
    deadline: Instant,
    /// Dropped when it has.
    starting: Option<oneshot::Sender<Infallible>>,
    /// Where everything is done that may take its time.
    runtime: Handle,
    _place: Place,
    _seat: Seat,
}

impl std::fmt::Debug for Connection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Connection").field("relay", &self.relay).field("asked", &self.asked).finish_non_exhaustive()
    }
}

impl Connection {
    /// A connection whose client must have begun its session by `deadline`. To be called within a runtime.
    pub(super) fn new(relay: Box<Relay>, asked: Asked, deadline: Instant, place: Place, seat: Seat) -> Self {
        Self {
            relay: Some(relay),
            deferred: Vec::new(),
            asked: Arc::new(asked),
            deadline,
            starting: None,
            runtime: Handle::current(),
            _place: place,
            _seat: seat,
        }
    }

    /// Has `registry` tell of its sockets.
    ///
    /// # Errors
    /// The system's.
    pub(super) fn register(&mut self, registry: &Registry, token: impl Fn(Leg) -> Token) -> io::Result<()> {
        self.relay.as_mut().map_or(Ok(()), |relay| relay.register(registry, token))
    }

    /// Takes up what has come already, and the time.
    pub(super) fn begin(&mut self, line: Line) {
        let (starting, begun) = oneshot::channel();
        self.starting = Some(starting);
        self.runtime.spawn(hurry(line, self.deadline, begun));
        if let Some(relay) = &mut self.relay {
            relay.take_up();
        }
    }

    /// Takes note of what is said of one of its sockets.
    pub(super) fn note(&mut self, leg: Leg, readiness: &Readiness) {
        if let Some(relay) = &mut self.relay {
            relay.note(leg, readiness);
        }
    }

    /// Relays what there is. `space`: for what is read; `line`: leads here from elsewhere.
    pub(super) fn turn(&mut self, space: &mut [u8], drain: Drain, line: impl Fn() -> Line) -> Turn {
        loop {
            let Some(relay) = &mut self.relay else { return Turn::Waits };
            if drain.is_due(relay) {
                relay.shut_down();
            } else if drain == Drain::Running
                && let Some(request) = relay.cut()
            {
                self.runtime.spawn(cancel(line(), Arc::clone(&self.asked), request));
            }
            let event = relay.turn(space);
            if self.starting.is_some() && relay.session.has_begun() {
                self.starting = None;
            }
            match event {
                // Its transaction is over, or its statement.
                None if drain.is_due(relay) && !relay.is_closing() => {}
                None => return Turn::Waits,
                Some(Event::Done) => {
                    if relay.is_lost() {
                        self.asked.shared.lost.happens(&self.runtime);
                    }
                    return Turn::Over;
                }
                Some(Event::More) => return Turn::Again,
                Some(Event::Want(want)) => self.ask(want, line()),
                Some(Event::Committing) => self.follow_commit(line()),
                Some(Event::Long) => self.lend(line()),
            }
        }
    }

    /// Has the relay carry out `order`, now or when it is back.
    pub(super) fn order(&mut self, order: Order) {
        match &mut self.relay {
            Some(relay) => order(relay),
            None => self.deferred.push(order),
        }
    }

    /// Takes the relay back.
    pub(super) fn resume(&mut self, mut relay: Box<Relay>) {
        relay.ask_again();
        for order in std::mem::take(&mut self.deferred) {
            order(&mut relay);
        }
        self.relay = Some(relay);
    }

    /// Has what the session wants found out.
    #[cold]
    fn ask(&self, want: Want, line: Line) {
        let (asked, errand) = (Arc::clone(&self.asked), line.errand());
        self.runtime.spawn(async move {
            let answer = asked.ask(want).await;
            errand.tell(move |relay| match answer {
                Ok(answer) => satisfy(relay, answer),
                Err(error) => unread(relay, &asked.database, &error),
            });
        });
    }

    /// Has the catalog read again and again, as long as a commit of DDL is under way.
    #[cold]
    fn follow_commit(&self, line: Line) {
        self.runtime.spawn(reread(line));
    }

    /// Has a long statement decided on a thread of its own, while the other connections go on.
    #[cold]
    fn lend(&mut self, line: Line) {
        let Some(mut relay) = self.relay.take() else { return };
        let errand = line.errand();
        self.runtime.spawn_blocking(move || {
            relay.decide_long();
            errand.give_back(relay);
        });
    }
}

/// Ends the connection at its deadline, unless its session has `begun`.
async fn hurry(line: Line, deadline: Instant, begun: oneshot::Receiver<Infallible>) {
    if timeout_at(deadline, begun).await.is_ok() {
        return;
    }
    line.tell(|relay| {
        // What is asked about its role is not the client's delay. Of physical replication nobody is told when it begins.
        if !relay.session.has_begun() && relay.session.want().is_none() {
            relay.end(SqlState::PROTOCOL_VIOLATION, "sexton: startup took too long", None);
        }
    });
    sleep(FAREWELL).await;
    line.tell(|relay| {
        if !relay.session.has_begun() && relay.is_closing() {
            relay.abandon();
        }
    });
}

/// Has the catalog read again and again, until no commit of DDL is under way any more.
async fn reread(line: Line) {
    loop {
        sleep(COMMIT_PAUSE).await;
        if !holds(&line, |relay| relay.session.is_committing_schema()).await {
            return;
        }
        line.tell(|relay| relay.reread());
    }
}

/// Has the server cancel what it runs for the connection, again and again, until it runs nothing.
async fn cancel(line: Line, asked: Arc<Asked>, request: Vec<u8>) {
    loop {
        cancel::request(&request, &asked.upstream, &asked.shared.cancels).await;
        sleep(CANCEL_PAUSE).await;
        if !holds(&line, |relay| relay.session.is_running() && !relay.is_closing()).await {
            return;
        }
    }
}

/// Whether the connection is there still, and `true_of` it.
async fn holds(line: &Line, true_of: fn(&Relay) -> bool) -> bool {
    let (answer, answered) = oneshot::channel();
    line.tell(move |relay| {
        let _ = answer.send(true_of(relay));
    });
    answered.await.unwrap_or(false)
}

fn satisfy(relay: &mut Relay, answer: Answer) {
    match answer {
        Answer::Refreshed(read) => relay.session.refreshed(read),
        Answer::Role(role, registry, presence) => {
            tracing::debug!(role = role.name, search_path = ?role.search_path, role.sees_deleted, role.hard_deletes, "session begins");
            if let Err(fault) = relay.session.begin(role, registry, presence.served.plans()) {
                return relay.end_with(|out| fault.put(out));
            }
            relay.follow(presence);
        }
    }
    relay.satisfied();
}

fn unread(relay: &mut Relay, database: &str, error: &CatalogError) {
    tracing::error!(database, %error, "the catalog cannot be read");
    let message = "sexton: the catalog of this database cannot be read";
    relay.end(SqlState::CLIENT_UNABLE_TO_CONNECT, message, Some("Look into Sexton's log."));
}
