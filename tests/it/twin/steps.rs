//! Sessions that go in lock step: each step is sent to both sides, and where one waits for a lock, so must the other.
//!
//! A session that does not answer is asked about in the lock tables. Nothing goes on before every session has either
//! answered or waits, so that both sides see the steps in the same order, as in PostgreSQL's isolation tester.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use super::generate::Statement;
use super::harness::{answer, shown};
use crate::support::raw::{Raw, Reply, ServerError};

/// A session waits for at least that long before it counts as waiting: by then it has looked for a deadlock, so that only
/// the step that closes a circle is its victim.
const WAITED: Duration = Duration::from_millis(5);

/// What every session sets: see [`WAITED`].
const SETTINGS: &str = "SET deadlock_timeout = '1ms'";

/// A side that has not come to rest by then hangs.
const REST_TIMEOUT: Duration = Duration::from_secs(20);

/// What a step came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Outcome {
    /// All that must agree.
    pub(super) text: String,
    /// The error, if there was one.
    pub(super) error: Option<ServerError>,
    /// The session's transaction status after it.
    pub(super) status: u8,
}

/// One session, which a thread of its own waits for.
struct Session {
    process: u32,
    statements: Sender<Statement>,
    outcomes: Receiver<(Vec<Reply>, Outcome)>,
    /// Since when the server knows it waits; `None` while nothing is known.
    waits_since: Option<Instant>,
    is_busy: bool,
}

impl Session {
    fn start(mut connection: Raw) -> Self {
        connection.expect(SETTINGS);
        let process = connection.process();
        let (statements, asked) = channel::<Statement>();
        let (answered, outcomes) = channel();
        thread::spawn(move || {
            for statement in asked {
                let replies = answer(&mut connection, &statement);
                let outcome = Outcome {
                    text: shown(&replies, &statement, connection.status),
                    error: replies.iter().find_map(|reply| reply.error.clone()),
                    status: connection.status,
                };
                if answered.send((replies, outcome)).is_err() {
                    return;
                }
            }
        });
        Self { process, statements, outcomes, waits_since: None, is_busy: false }
    }
}

/// One side: its sessions, and one that watches them.
pub(super) struct Side {
    sessions: Vec<Session>,
    watcher: Raw,
}

/// Where a side has come to rest.
#[derive(Debug, Default)]
pub(super) struct Rest {
    /// Sessions that have answered, with their answers.
    pub(super) answered: Vec<(usize, Outcome)>,
    /// Sessions that wait for a lock.
    pub(super) waiting: Vec<usize>,
    /// Replies by session, in the order of `answered`.
    pub(super) replies: Vec<Vec<Reply>>,
}

impl Side {
    /// `count` sessions of `connect`; `watcher` is a connection to the server itself.
    pub(super) fn start(count: usize, connect: &dyn Fn() -> Raw, watcher: Raw) -> Self {
        Self { sessions: (0..count).map(|_| Session::start(connect())).collect(), watcher }
    }

    /// Sends a statement to a session that does not wait.
    pub(super) fn send(&mut self, session: usize, statement: &Statement) {
        let session = &mut self.sessions[session];
        assert!(!session.is_busy, "a step is sent to a session that has answered");
        session.is_busy = true;
        session.statements.send(statement.clone()).expect("the session lives");
    }

    /// Waits until every session has answered or waits for another one.
    pub(super) fn rest(&mut self) -> Rest {
        let mut rest = Rest::default();
        let deadline = Instant::now() + REST_TIMEOUT;
        let mut pause = Duration::from_micros(200);
        loop {
            for (number, session) in self.sessions.iter_mut().enumerate().filter(|(_, session)| session.is_busy) {
                if let Ok((replies, outcome)) = session.outcomes.try_recv() {
                    (session.is_busy, session.waits_since) = (false, None);
                    rest.answered.push((number, outcome));
                    rest.replies.push(replies);
                }
            }
            if self.sessions.iter().all(|session| !session.is_busy) || self.all_wait() {
                rest.waiting = (0..self.sessions.len()).filter(|number| self.sessions[*number].is_busy).collect();
                return rest;
            }
            assert!(Instant::now() < deadline, "sessions neither answer nor wait:\n{}", self.activity());
            thread::sleep(pause);
            pause = (pause * 2).min(WAITED);
        }
    }

    /// True where every session that has not answered waits, and for none that waits for it.
    fn all_wait(&mut self) -> bool {
        let busy: Vec<String> =
            self.sessions.iter().filter(|session| session.is_busy).map(|session| session.process.to_string()).collect();
        let query =
            format!("SELECT pid, unnest(pg_blocking_pids(pid)) FROM unnest('{{{}}}'::int[]) pid", busy.join(","));
        let blocked: Vec<(u32, u32)> = self.watcher.expect(&query)[0]
            .texts()
            .iter()
            .map(|row| (row[0].parse().expect("a process"), row[1].parse().expect("a process")))
            .collect();
        let now = Instant::now();
        let mut all = true;
        for session in self.sessions.iter_mut().filter(|session| session.is_busy) {
            if !blocked.iter().any(|(waiter, _)| *waiter == session.process) {
                session.waits_since = None;
                all = false;
                continue;
            }
            let since = *session.waits_since.get_or_insert(now);
            all &= now - since >= WAITED && !is_circle(&blocked, session.process);
        }
        all
    }

    /// What the server says its sessions do.
    fn activity(&mut self) -> String {
        let rows = self.watcher.expect(
            "SELECT pid, state, wait_event_type, wait_event, pg_blocking_pids(pid), query FROM pg_stat_activity \
             WHERE datname = current_database()",
        );
        rows[0].texts().iter().map(|row| row.join(" | ")).collect::<Vec<_>>().join("\n")
    }
}

/// True where a process waits, through others, for itself.
fn is_circle(blocked: &[(u32, u32)], process: u32) -> bool {
    let mut reached = vec![process];
    let mut at = 0;
    while let Some(waiter) = reached.get(at).copied() {
        for (_, blocker) in blocked.iter().filter(|(other, _)| *other == waiter) {
            if *blocker == process {
                return true;
            }
            if !reached.contains(blocker) {
                reached.push(*blocker);
            }
        }
        at += 1;
    }
    false
}
