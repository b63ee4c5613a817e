//! The threads that serve clients: one runtime a core, and a connection stays on the one it was given.
//!
//! A relay is nearly all system calls. A runtime that moves tasks between threads pays a futex for many of the wake-ups,
//! which cost more than an even load brings (`bench/README.md` has the measurement).

use std::io;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use tokio::runtime::{Builder, Handle};

use crate::net::clock::Clock;
use crate::net::own_thread::OwnThread;
use crate::sql::second_parser;

/// The threads; they end when this is dropped.
#[derive(Debug)]
pub(crate) struct Workers {
    workers: Vec<Worker>,
}

#[derive(Debug)]
struct Worker {
    thread: OwnThread,
    connections: Arc<AtomicUsize>,
}

/// A connection's seat on a thread, counted until it is dropped.
#[derive(Debug)]
pub(crate) struct Seat {
    pub(crate) runtime: Handle,
    connections: Arc<AtomicUsize>,
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
        let clock = Clock::start()?;
        let workers = (0..count()).map(|number| Worker::start(number, &clock)).collect::<io::Result<Vec<Worker>>>()?;
        Ok(Self { workers })
    }

    /// A seat on the thread with the fewest connections.
    pub(crate) fn seat(&self) -> Seat {
        let least = self.workers.iter().min_by_key(|worker| worker.connections.load(Ordering::Relaxed));
        // There is a thread for each core, and a machine has one.
        let Worker { thread, connections } = least.unwrap_or(&self.workers[0]);
        connections.fetch_add(1, Ordering::Relaxed);
        Seat { runtime: thread.runtime.clone(), connections: Arc::clone(connections) }
    }
}

impl Worker {
    fn start(number: usize, clock: &Clock) -> io::Result<Self> {
        let runtime = Builder::new_current_thread().enable_io().build()?;
        let thread = thread::Builder::new().name(format!("sexton-{number}")).stack_size(second_parser::STACK_BYTES);
        let clock = clock.clone();
        let thread = OwnThread::start(thread, runtime, || clock.keep_for_this_thread())?;
        Ok(Self { thread, connections: Arc::default() })
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.connections.fetch_sub(1, Ordering::Relaxed);
    }
}
