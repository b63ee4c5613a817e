//! What a thread that serves clients does: it waits for sockets and messages, and gives each connection its turn.
//!
//! A relay is nearly all system calls, and what is run between them is cold every time. So there is little of it: no
//! future, waker or timer, and what happens seldom is left to the runtime, which sends a message.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use mio::event::Event as Readiness;
use mio::{Events, Poll, Token, Waker};
use slab::Slab;

use crate::net::connection::{Connection, Drain, Turn};
use crate::net::inbox::{Inbox, Key, Line, Message};
use crate::net::relay::{BULK_READ_BYTES, Leg};

/// Sockets told of at once.
const EVENTS_MAX: usize = 256;
/// Tells of messages.
const INBOX: Token = Token(usize::MAX);

/// The loop's state.
#[derive(Debug)]
pub(super) struct EventLoop {
    poll: Poll,
    inbox: Arc<Inbox>,
    connections: Slab<Seated>,
    /// Connections that there have been.
    number: u64,
    /// Those that have more to do, without being told by a socket.
    again: Vec<usize>,
    drain: Drain,
    /// What is read comes here first, whosever it is: it stays in the nearest cache.
    space: Box<[u8]>,
}

#[derive(Debug)]
struct Seated {
    connection: Connection,
    number: u64,
    /// It has its turn with the next look at the queue.
    again: bool,
}

impl Seated {
    /// Queues it for another turn, once.
    fn queue(&mut self, slot: usize, again: &mut Vec<usize>) {
        if !std::mem::replace(&mut self.again, true) {
            again.push(slot);
        }
    }
}

/// The token of a connection's socket.
fn token(slot: usize, leg: Leg) -> Token {
    Token(slot << 1 | usize::from(leg == Leg::Upstream))
}

impl EventLoop {
    /// A loop without connections, and where it is sent messages.
    ///
    /// # Errors
    /// The system's, where an event queue cannot be had.
    pub(super) fn new() -> io::Result<(Self, Arc<Inbox>)> {
        let poll = Poll::new()?;
        let inbox = Arc::new(Inbox::new(Waker::new(poll.registry(), INBOX)?));
        let event_loop = Self {
            poll,
            inbox: Arc::clone(&inbox),
            connections: Slab::new(),
            number: 0,
            again: Vec::new(),
            drain: Drain::No,
            space: vec![0; BULK_READ_BYTES].into_boxed_slice(),
        };
        Ok((event_loop, inbox))
    }

    /// Serves until it is told to stop, or can serve no more; connections that there are then end.
    pub(super) fn run(mut self) {
        let inbox = Arc::clone(&self.inbox);
        if catch_unwind(AssertUnwindSafe(move || self.serve_all())).is_err() {
            tracing::error!("a thread that serves clients has failed");
        }
        inbox.close();
    }

    fn serve_all(&mut self) {
        let mut events = Events::with_capacity(EVENTS_MAX);
        loop {
            let patience = if self.again.is_empty() { None } else { Some(Duration::ZERO) };
            match self.poll.poll(&mut events, patience) {
                Ok(()) => {}
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return tracing::error!(%error, "a thread that serves clients ends"),
            }
            for slot in std::mem::take(&mut self.again) {
                if let Some(seated) = self.connections.get_mut(slot) {
                    seated.again = false;
                    self.turn(slot);
                }
            }
            for event in &events {
                if event.token() != INBOX {
                    self.socket(event);
                } else if !self.messages() {
                    return;
                }
            }
        }
    }

    /// Something has happened to a socket: of a connection that has ended since, perhaps, or by its slot of another.
    fn socket(&mut self, event: &Readiness) {
        let Token(number) = event.token();
        let leg = if number & 1 == 0 { Leg::Client } else { Leg::Upstream };
        if let Some(seated) = self.connections.get_mut(number >> 1) {
            seated.connection.note(leg, event);
            // Its turn comes anyway, when the others have had theirs.
            if !seated.again {
                self.turn(number >> 1);
            }
        }
    }

    /// Reads the messages; false for the end.
    #[cold]
    fn messages(&mut self) -> bool {
        for message in self.inbox.take() {
            match message {
                Message::Serve(connection) => self.serve(connection),
                Message::Order(key, order) => self.with(key, |connection| connection.order(order)),
                Message::Return(key, relay) => self.with(key, |connection| connection.resume(relay)),
                Message::End(key) => {
                    if self.seated(key).is_some() {
                        self.end(key.slot);
                    }
                }
                Message::Drain(drain) => {
                    self.drain = drain;
                    for (slot, seated) in &mut self.connections {
                        seated.queue(slot, &mut self.again);
                    }
                }
                Message::Stop => return false,
            }
        }
        true
    }

    fn serve(&mut self, mut connection: Connection) {
        let entry = self.connections.vacant_entry();
        let slot = entry.key();
        if let Err(error) = connection.register(self.poll.registry(), |leg| token(slot, leg)) {
            return tracing::error!(%error, "a connection cannot be served");
        }
        self.number += 1;
        let key = Key { slot, number: self.number };
        entry.insert(Seated { connection, number: key.number, again: false });
        let line = Line::new(&self.inbox, key);
        self.with(key, |connection| connection.begin(line));
    }

    /// The connection of that key, unless it has ended.
    fn seated(&mut self, key: Key) -> Option<&mut Seated> {
        self.connections.get_mut(key.slot).filter(|seated| seated.number == key.number)
    }

    fn with(&mut self, key: Key, change: impl FnOnce(&mut Connection)) {
        let Some(seated) = self.seated(key) else { return };
        match catch_unwind(AssertUnwindSafe(|| change(&mut seated.connection))) {
            Ok(()) => self.turn(key.slot),
            Err(_) => self.failed(key.slot),
        }
    }

    fn turn(&mut self, slot: usize) {
        let Some(seated) = self.connections.get_mut(slot) else { return };
        let (inbox, key) = (&self.inbox, Key { slot, number: seated.number });
        let (space, drain) = (&mut self.space[..], self.drain);
        let turn = || seated.connection.turn(space, drain, || Line::new(inbox, key));
        // One connection's fault is not the others'.
        match catch_unwind(AssertUnwindSafe(turn)) {
            Ok(Turn::Waits) => {}
            Ok(Turn::Again) => seated.queue(slot, &mut self.again),
            Ok(Turn::Over) => self.end(slot),
            Err(_) => self.failed(slot),
        }
    }

    #[cold]
    fn failed(&mut self, slot: usize) {
        tracing::error!("a connection's task failed");
        self.end(slot);
    }

    #[cold]
    fn end(&mut self, slot: usize) {
        let seated = self.connections.try_remove(slot);
        // Encryption has a last word, which may fail where something has failed before.
        let _ = catch_unwind(AssertUnwindSafe(|| drop(seated)));
    }
}
