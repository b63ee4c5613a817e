//! One client's connection from the moment its server is reached: relaying, what the session wants, and the end.

use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;

use crate::catalog::RoleFacts;
use crate::net::catalog::CatalogError;
use crate::net::clock::{sleep, sleep_until};
use crate::net::databases::{Directory, Presence};
use crate::net::relay::{Event, Relay};
use crate::net::seldom::Seldom;
use crate::rewrite::Registry;
use crate::session::Want;
use crate::wire::sqlstate::SqlState;

/// PostgreSQL's own words for it, which clients know.
const SHUTDOWN: &str = "terminating connection due to administrator command";
/// How often a draining session is looked at: there is no event for being idle.
const DRAIN_PAUSE: Duration = Duration::from_millis(20);

/// How often the catalog is read while a commit of DDL is under way: there is no event for it where more follows in the
/// same batch.
const COMMIT_PAUSE: Duration = Duration::from_millis(20);

/// How far draining has gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Drain {
    No,
    /// Sessions between transactions end.
    Idle,
    /// All sessions end.
    All,
}

/// Who is asked for what the session wants, and about whom.
pub(crate) struct Asked<'a> {
    pub(crate) directory: &'a Directory,
    pub(crate) database: &'a str,
    pub(crate) user: &'a str,
}

enum Answer {
    Role(RoleFacts, Arc<Registry>, Presence),
    Refreshed(Option<(Arc<Registry>, RoleFacts)>),
}

type Asking<'a> = Pin<Box<dyn Future<Output = Result<Answer, CatalogError>> + Send + 'a>>;

impl Asked<'_> {
    async fn ask(&self, want: Want) -> Result<Answer, CatalogError> {
        let uncovered = || CatalogError::new("no section covers it");
        match want {
            Want::Refresh => {
                // It may have lost its section since: its sessions go on by the rules they had.
                let served = self.directory.opened(self.database).ok_or_else(uncovered)?;
                // A GRANT or a new schema may have changed what the role can reach.
                let registry = served.refresh().await;
                let role = served.role_facts(self.user.to_owned()).await;
                Ok(Answer::Refreshed(registry.zip(role.ok().map(|(role, _)| role))))
            }
            Want::Role => {
                let served = self.directory.open(self.database).await.unwrap_or_else(|| Err(uncovered()))?;
                // Entered first: from here on Sexton's own connection stays, and a registry newer than the answer is met.
                let presence = served.enter();
                let (role, registry) = served.role_facts(self.user.to_owned()).await?;
                Ok(Answer::Role(role, registry, presence))
            }
        }
    }
}

/// What happens to a connection besides bytes that come and go.
enum Incident {
    Answer(Box<Result<Answer, CatalogError>>),
    /// The startup has taken too long.
    Late,
    /// DDL may have been committed meanwhile.
    Commit,
    /// Draining has gone on, or a draining session is to be looked at again.
    Drain,
}

/// Relays until one side is done, the client is late with its startup, or the proxy drains.
pub(crate) async fn run(
    mut relay: Box<Relay>,
    asked: &Asked<'_>,
    mut draining: watch::Receiver<Drain>,
    deadline: Instant,
) {
    let mut deadline = deadline;
    let mut asking: Option<Asking<'_>> = None;
    loop {
        let stage = *draining.borrow_and_update();
        if stage == Drain::All || (stage == Drain::Idle && relay.is_idle()) {
            relay.end(SqlState::ADMIN_SHUTDOWN, SHUTDOWN, None);
        }
        let due = (!relay.session.has_begun() && asking.is_none()).then_some(deadline);
        let event = {
            let committing = relay.session.is_committing_schema();
            let incident = pin!(incident(&mut asking, due, committing, stage, &mut draining));
            let mut incident = Seldom::new(incident);
            poll_fn(|cx| match relay.poll(cx) {
                Poll::Ready(event) => Poll::Ready(Ok(event)),
                Poll::Pending => incident.poll(cx).map(Err),
            })
            .await
        };
        match event {
            Ok(Event::Done) => return,
            Ok(Event::Want(want)) => asking = Some(Box::pin(asked.ask(want))),
            Ok(Event::Committing) => {}
            Ok(Event::Long) => match decide_long(relay).await {
                Some(decided) => relay = decided,
                None => return,
            },
            Err(Incident::Answer(answer)) => {
                asking = None;
                match *answer {
                    Ok(answer) => satisfy(&mut relay, answer),
                    Err(error) => unread(&mut relay, asked.database, &error),
                }
            }
            Err(Incident::Late) if relay.is_closing() => return,
            // Of physical replication nobody is told when it begins.
            Err(Incident::Late) if relay.session.has_begun() => {}
            Err(Incident::Late) => {
                relay.end(SqlState::PROTOCOL_VIOLATION, "sexton: startup took too long", None);
                deadline = Instant::now() + DRAIN_PAUSE;
            }
            Err(Incident::Commit) => relay.reread(),
            Err(Incident::Drain) => {}
        }
    }
}

async fn incident(
    asking: &mut Option<Asking<'_>>,
    due: Option<Instant>,
    committing: bool,
    stage: Drain,
    draining: &mut watch::Receiver<Drain>,
) -> Incident {
    tokio::select! {
        biased;
        answer = answered(asking) => Incident::Answer(Box::new(answer)),
        () = sleep_until(due.unwrap_or_else(Instant::now)), if due.is_some() => Incident::Late,
        () = sleep(COMMIT_PAUSE), if committing => Incident::Commit,
        () = sleep(DRAIN_PAUSE), if stage == Drain::Idle => Incident::Drain,
        Ok(()) = draining.changed() => Incident::Drain,
    }
}

/// Has a long statement decided on a thread of its own, while the other connections go on.
async fn decide_long(mut relay: Box<Relay>) -> Option<Box<Relay>> {
    let deciding = tokio::task::spawn_blocking(move || {
        relay.decide_long();
        relay
    });
    deciding.await.inspect_err(|error| tracing::error!(%error, "a connection's task failed")).ok()
}

async fn answered(asking: &mut Option<Asking<'_>>) -> Result<Answer, CatalogError> {
    match asking {
        Some(asking) => asking.await,
        None => std::future::pending().await,
    }
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
