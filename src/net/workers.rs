//! The threads that serve clients: one a core, and a connection stays on the one it was given.

use std::convert::Infallible;
use std::io;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use tokio::sync::mpsc;

use crate::net::connection::{Connection, Drain};
use crate::net::event_loop::EventLoop;
use crate::net::inbox::{Inbox, Message};
use crate::sql::second_parser;

/// The threads; they end when this is dropped.
#[derive(Debug)]
pub(crate) struct Workers {
    workers: Vec<Worker>,
    /// Held by every seat: nothing is ever sent.
    seated: mpsc::Sender<Infallible>,
    all_gone: mpsc::Receiver<Infallible>,
}

#[derive(Debug)]
struct Worker {
    inbox: Arc<Inbox>,
    connections: Arc<AtomicUsize>,
}

/// A connection's seat on a thread, counted until it is dropped.
#[derive(Debug)]
pub(crate) struct Seat {
    inbox: Arc<Inbox>,
    connections: Arc<AtomicUsize>,
    _seated: mpsc::Sender<Infallible>,
}

/// How many there are: one for each core.
pub(crate) fn count() -> usize {
    thread::available_parallelism().map_or(1, NonZeroUsize::get)
}

impl Workers {
    /// Starts one thread for each core.
    ///
    /// # Errors
    /// The system's, where a thread or its event queue cannot be had.
    pub(crate) fn start() -> io::Result<Self> {
        let (seated, all_gone) = mpsc::channel(1);
        let workers = (0..count()).map(Worker::start).collect::<io::Result<Vec<Worker>>>()?;
        Ok(Self { workers, seated, all_gone })
    }

    /// A seat on the thread with the fewest connections.
    pub(crate) fn seat(&self) -> Seat {
        let load = |worker: &&Worker| (worker.inbox.is_closed(), worker.connections.load(Ordering::Relaxed));
        let least = self.workers.iter().min_by_key(load);
        // There is a thread for each core, and a machine has one.
        let Worker { inbox, connections } = least.unwrap_or(&self.workers[0]);
        connections.fetch_add(1, Ordering::Relaxed);
        Seat { inbox: Arc::clone(inbox), connections: Arc::clone(connections), _seated: self.seated.clone() }
    }

    /// Seats that are taken.
    pub(crate) fn seats_taken(&self) -> usize {
        self.workers.iter().map(|worker| worker.connections.load(Ordering::Relaxed)).sum()
    }

    /// Has connections end as `drain` says.
    pub(crate) fn drain(&self, drain: Drain) {
        for worker in &self.workers {
            worker.inbox.send(Message::Drain(drain));
        }
    }

    /// Waits until every seat is given back; none can be taken any more.
    pub(crate) async fn all_gone(&mut self) {
        // The sender that seats are given from would keep the channel open.
        self.seated = mpsc::channel(1).0;
        let _ = self.all_gone.recv().await;
    }
}

impl Worker {
    fn start(number: usize) -> io::Result<Self> {
        let (event_loop, inbox) = EventLoop::new()?;
        let thread = thread::Builder::new().name(format!("sexton-{number}")).stack_size(second_parser::STACK_BYTES);
        thread.spawn(|| event_loop.run())?;
        Ok(Self { inbox, connections: Arc::default() })
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.inbox.send(Message::Stop);
    }
}

impl Seat {
    /// Has the connection served that `take` makes of the seat.
    pub(super) fn serve(self, take: impl FnOnce(Self) -> Connection) {
        let inbox = Arc::clone(&self.inbox);
        inbox.send(Message::Serve(take(self)));
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.connections.fetch_sub(1, Ordering::Relaxed);
    }
}
