//! What a thread that serves clients is told by all others: new connections, orders for the ones it has, and its end.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use mio::Waker;

use crate::net::connection::{Connection, Drain};
use crate::net::relay::Relay;

/// The messages that wait for the thread.
#[derive(Debug)]
pub(super) struct Inbox {
    /// `None` once the thread reads no more.
    messages: Mutex<Option<Vec<Message>>>,
    waker: Waker,
}

/// What a connection is to do, on its own thread.
pub(super) type Order = Box<dyn FnOnce(&mut Relay) + Send>;

pub(super) enum Message {
    Serve(Connection),
    Order(Key, Order),
    /// The relay comes back from where a long statement was decided.
    Return(Key, Box<Relay>),
    /// The connection has nothing to hope for.
    End(Key),
    Drain(Drain),
    Stop,
}

/// A connection among those that the thread has had.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Key {
    pub(super) slot: usize,
    /// Slots are used again, numbers are not.
    pub(super) number: u64,
}

impl std::fmt::Debug for Message {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Serve(_) => f.write_str("Serve"),
            Self::Order(key, _) => f.debug_tuple("Order").field(key).finish(),
            Self::Return(key, _) => f.debug_tuple("Return").field(key).finish(),
            Self::End(key) => f.debug_tuple("End").field(key).finish(),
            Self::Drain(drain) => f.debug_tuple("Drain").field(drain).finish(),
            Self::Stop => f.write_str("Stop"),
        }
    }
}

impl Inbox {
    /// An empty one; `waker` wakes the thread.
    pub(super) fn new(waker: Waker) -> Self {
        Self { messages: Mutex::new(Some(Vec::new())), waker }
    }

    /// Leaves a message, which is dropped where nobody reads it any more.
    pub(super) fn send(&self, message: Message) {
        let is_first = match &mut *self.messages() {
            Some(messages) => {
                messages.push(message);
                messages.len() == 1
            }
            None => false,
        };
        if is_first && let Err(error) = self.waker.wake() {
            tracing::error!(%error, "a thread that serves clients cannot be woken");
        }
    }

    /// All messages, in order.
    pub(super) fn take(&self) -> Vec<Message> {
        self.messages().as_mut().map(std::mem::take).unwrap_or_default()
    }

    /// Drops the messages there are, and all that come.
    pub(super) fn close(&self) {
        let left = self.messages().take();
        drop(left);
    }

    /// True where nobody reads the messages any more.
    pub(super) fn is_closed(&self) -> bool {
        self.messages().is_none()
    }

    fn messages(&self) -> MutexGuard<'_, Option<Vec<Message>>> {
        self.messages.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The way to one connection from outside its thread.
#[derive(Debug, Clone)]
pub(super) struct Line {
    inbox: Arc<Inbox>,
    key: Key,
}

impl Line {
    /// The line to the connection of that key.
    pub(super) fn new(inbox: &Arc<Inbox>, key: Key) -> Self {
        Self { inbox: Arc::clone(inbox), key }
    }

    /// Has `order` carried out by the connection, unless it has ended.
    pub(super) fn tell(&self, order: impl FnOnce(&mut Relay) + Send + 'static) {
        self.inbox.send(Message::Order(self.key, Box::new(order)));
    }

    /// An errand for the connection, which has to end if nothing comes of it.
    pub(super) fn errand(self) -> Errand {
        Errand { line: self, is_done: false }
    }
}

/// Something done elsewhere that a connection waits for.
#[derive(Debug)]
pub(super) struct Errand {
    line: Line,
    is_done: bool,
}

impl Errand {
    /// What came of it, for the connection to carry out.
    pub(super) fn tell(mut self, order: impl FnOnce(&mut Relay) + Send + 'static) {
        self.is_done = true;
        self.line.tell(order);
    }

    /// The relay that was lent for it.
    pub(super) fn give_back(mut self, relay: Box<Relay>) {
        self.is_done = true;
        self.line.inbox.send(Message::Return(self.line.key, relay));
    }
}

impl Drop for Errand {
    fn drop(&mut self) {
        if !self.is_done {
            tracing::error!("a connection ends: what it waits for has failed");
            self.line.inbox.send(Message::End(self.line.key));
        }
    }
}
