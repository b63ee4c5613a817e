//! One connection's bytes: two directions served by one thread, each able to go on while the other is blocked (F11).
//!
//! Everything half done lives in the buffers here and in the session.

use std::io;

use bytes::BytesMut;
use mio::event::Event as Readiness;
use mio::{Registry, Token};

use crate::net::databases::Presence;
use crate::net::side::Side;
use crate::net::spare;
use crate::session::{ClientStep, ServerStep, Session, Want};
use crate::wire::backend::FatalReport;
use crate::wire::frame::HEADER_BYTES;
use crate::wire::sqlstate::SqlState;

/// Read at once after a read that filled what there was.
pub(super) const BULK_READ_BYTES: usize = 64 * 1024;
/// No more is read for a direction that has this much to write.
const BUFFERED_BYTES_MAX: usize = 128 * 1024;
/// A longer statement is not decided on a thread that has other connections to serve (F12).
const INLINE_BYTES_MAX: usize = 256 * 1024;

/// How often a connection goes back and forth before it is another's turn.
const TURN_ROUNDS: u32 = 32;

/// What has to be seen to.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Event {
    /// The session waits for something from outside.
    Want(Want),
    /// [`Relay::decide_long`] is to be called where it may take its time.
    Long,
    /// A commit of DDL is under way: [`Relay::reread`] now and then, until it is over.
    Committing,
    /// There is more to relay, after the others' turns.
    More,
    /// Nothing is left to relay.
    Done,
}

/// Two sockets and the session between them.
#[derive(Debug)]
pub(super) struct Relay {
    pub(super) session: Session,
    client: Side,
    upstream: Side,
    from_client: Inlet,
    from_upstream: Inlet,
    to_client: BytesMut,
    to_upstream: BytesMut,
    client_step: ClientStep,
    /// The session's place in its database, where the newest registry is found.
    presence: Option<Presence>,
    /// The client's next statement is too long to be decided here.
    long: bool,
    /// The session's want has been handed out and not yet been satisfied.
    wanting: bool,
    /// A commit of DDL that is under way has been told of.
    committing: bool,
    upstream_shut: bool,
    upstream_broken: bool,
    /// Only what is in `to_client` is still to go out.
    closing: bool,
}

/// Which of the two sockets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Leg {
    Client,
    Upstream,
}

#[derive(Debug, Default)]
struct Inlet {
    buffer: BytesMut,
    ended: bool,
    bulk: bool,
}

impl Inlet {
    /// Reads once; false where there is nothing yet.
    fn read(&mut self, side: &mut Side, space: &mut [u8]) -> io::Result<bool> {
        if self.ended || !side.is_readable() {
            return Ok(false);
        }
        let most = if self.bulk { space.len() } else { spare::BUFFER_BYTES };
        if self.buffer.capacity() == 0 {
            self.buffer = spare::take();
        }
        let Some(bytes) = side.read(&mut self.buffer, &mut space[..most])? else { return Ok(false) };
        self.ended = bytes == 0;
        self.bulk = bytes == most;
        Ok(true)
    }
}

impl Relay {
    /// A relay that has `to_upstream` to send first, and has read something from both sides already.
    pub(super) fn new(
        client: (Side, BytesMut),
        upstream: (Side, BytesMut),
        session: Session,
        to_upstream: BytesMut,
    ) -> Self {
        let inlet = |buffer| Inlet { buffer, ..Inlet::default() };
        Self {
            session,
            client: client.0,
            upstream: upstream.0,
            from_client: inlet(client.1),
            from_upstream: inlet(upstream.1),
            to_client: BytesMut::new(),
            to_upstream,
            client_step: ClientStep::Hold,
            presence: None,
            long: false,
            wanting: false,
            committing: false,
            upstream_shut: false,
            upstream_broken: false,
            closing: false,
        }
    }

    /// Has `registry` tell of both sockets, by a token for each.
    ///
    /// # Errors
    /// The system's.
    pub(super) fn register(&mut self, registry: &Registry, token: impl Fn(Leg) -> Token) -> io::Result<()> {
        self.client.register(registry, token(Leg::Client))?;
        self.upstream.register(registry, token(Leg::Upstream))
    }

    /// Takes note of what is said of one of the sockets.
    pub(super) fn note(&mut self, leg: Leg, readiness: &Readiness) {
        match leg {
            Leg::Client => self.client.note(readiness),
            Leg::Upstream => self.upstream.note(readiness),
        }
    }

    /// What was said of the sockets meanwhile has been missed.
    pub(super) fn ask_again(&mut self) {
        self.client.ask_again();
        self.upstream.ask_again();
    }

    /// Takes up what has been read from both sides.
    pub(super) fn take_up(&mut self) {
        self.take_from_upstream();
        self.take_from_client();
    }

    /// Decides by the newest registry of the database, from here on.
    pub(super) fn follow(&mut self, presence: Presence) {
        self.presence = Some(presence);
    }

    /// Has the catalog of the session's database read, without waiting for it.
    pub(super) fn reread(&self) {
        if let Some(presence) = &self.presence {
            presence.served.hasten();
        }
    }

    /// The session has got what it wanted.
    pub(super) fn satisfied(&mut self) {
        self.wanting = false;
        self.take_up();
    }

    /// True where the connection can end without anybody missing anything.
    pub(super) fn is_idle(&self) -> bool {
        self.session.is_idle() && self.from_client.buffer.is_empty() && self.to_client.is_empty()
    }

    /// True where only the last bytes to the client are still to go.
    pub(super) fn is_closing(&self) -> bool {
        self.closing
    }

    /// Ends the connection with a FATAL, where one can be told between messages.
    pub(super) fn end(&mut self, code: SqlState, message: &str, hint: Option<&str>) {
        if self.session.is_at_boundary() && !self.closing {
            FatalReport { hint, ..FatalReport::new(code, message) }.put(&mut self.to_client);
        }
        self.closing = true;
    }

    /// Ends the connection with what `put` writes.
    pub(super) fn end_with(&mut self, put: impl FnOnce(&mut BytesMut)) {
        put(&mut self.to_client);
        self.closing = true;
    }

    /// Ends the connection, whatever is still to go out.
    pub(super) fn abandon(&mut self) {
        self.to_client.clear();
        self.closing = true;
    }

    /// Relays what there is; `None` where only the sockets are waited for.
    pub(super) fn turn(&mut self, space: &mut [u8]) -> Option<Event> {
        for _ in 0..TURN_ROUNDS {
            match self.round(space) {
                Ok(true) => {}
                Ok(false) => {
                    self.give_back();
                    return None;
                }
                Err(event) => return Some(event),
            }
        }
        Some(Event::More)
    }

    /// Each socket's turn, once; true where another round may find something to do.
    fn round(&mut self, space: &mut [u8]) -> Result<bool, Event> {
        let mut moved = false;
        if self.closing {
            self.from_client.ended = true;
        } else {
            moved |= self.read_upstream(space);
        }
        // The client has gone: closing the server's socket at once lets the server notice (X1).
        let gone = |error: io::Error| {
            tracing::debug!(%error, "client gone");
            Event::Done
        };
        moved |= self.client.write(&mut self.to_client).map_err(gone)?;
        if self.to_client.is_empty() && (self.closing || self.from_upstream.ended) {
            return Err(Event::Done);
        }
        if self.closing {
            return Ok(moved);
        }
        moved |= self.read_client(space).map_err(gone)?;
        if self.long {
            return Err(Event::Long);
        }
        moved |= self.write_upstream();
        if let Some(want) = self.session.want()
            && !std::mem::replace(&mut self.wanting, true)
        {
            return Err(Event::Want(want));
        }
        let committing = self.session.is_committing_schema();
        if !std::mem::replace(&mut self.committing, committing) && committing {
            return Err(Event::Committing);
        }
        // What was written has made room for nothing but reads.
        Ok(moved && (self.client.is_readable() || self.upstream.is_readable()))
    }

    /// Between transactions, no buffer is kept: most connections do nothing most of the time (F10).
    fn give_back(&mut self) {
        if !self.session.is_idle() {
            return;
        }
        let inlets = [&mut self.from_client.buffer, &mut self.from_upstream.buffer];
        for buffer in inlets.into_iter().chain([&mut self.to_client, &mut self.to_upstream]) {
            if buffer.is_empty() && buffer.capacity() > 0 {
                spare::give(std::mem::take(buffer));
            }
        }
    }

    fn read_upstream(&mut self, space: &mut [u8]) -> bool {
        if self.session.want().is_some() || self.to_client.len() >= BUFFERED_BYTES_MAX {
            return false;
        }
        match self.from_upstream.read(&mut self.upstream, space) {
            Ok(false) => return false,
            Ok(true) => {}
            Err(error) => {
                tracing::debug!(%error, "upstream gone");
                self.from_upstream.ended = true;
            }
        }
        self.take_from_upstream();
        if self.client_step == ClientStep::Hold {
            self.take_from_client();
        }
        true
    }

    fn take_from_upstream(&mut self) {
        match self.session.server_bytes(&mut self.from_upstream.buffer, &mut self.to_client) {
            ServerStep::NeedMore | ServerStep::Wait => {}
            ServerStep::Fault(fault) => {
                tracing::warn!(tag = fault.tag, length = fault.length, "the server sent a malformed message");
                self.closing = true;
            }
        }
    }

    fn read_client(&mut self, space: &mut [u8]) -> io::Result<bool> {
        let full = match self.client_step {
            ClientStep::NeedMore => self.to_upstream.len() >= BUFFERED_BYTES_MAX || self.session.is_full(),
            // While it is held, reading on tells when the client goes away.
            ClientStep::Hold => self.from_client.buffer.len() >= BUFFERED_BYTES_MAX,
            ClientStep::OutOfPlace(_) | ClientStep::Fault(_) => true,
        };
        if full || !self.from_client.read(&mut self.client, space)? {
            return Ok(false);
        }
        self.take_from_client();
        Ok(true)
    }

    fn take_from_client(&mut self) {
        if self.closing {
            return;
        }
        if let Some(registry) = self.presence.as_mut().and_then(Presence::changed) {
            self.session.set_registry(registry);
        }
        self.long = self.session.starts_with_statement(&self.from_client.buffer, INLINE_BYTES_MAX);
        if !self.long {
            self.decide();
        }
    }

    /// Decides what the client has sent, however long it takes.
    pub(super) fn decide_long(&mut self) {
        self.long = false;
        self.decide();
    }

    fn decide(&mut self) {
        if self.to_upstream.capacity() == 0 {
            self.to_upstream = spare::take();
        }
        self.client_step = self.session.client_bytes(&mut self.from_client.buffer, &mut self.to_upstream);
        if self.upstream_broken {
            self.to_upstream.clear();
        }
        match self.client_step {
            ClientStep::NeedMore | ClientStep::Hold => {}
            ClientStep::OutOfPlace(tag) => {
                tracing::info!(tag, "a client sent a message out of place during COPY");
                self.hand_over_header();
            }
            ClientStep::Fault(fault) => {
                tracing::info!(tag = fault.tag, length = fault.length, "a client sent a malformed message");
                self.hand_over_header();
            }
        }
    }

    /// The server finds the fault of the message at hand in its header, and ends the connection in its own way (F1, K1).
    fn hand_over_header(&mut self) {
        let header = self.from_client.buffer.len().min(HEADER_BYTES);
        self.to_upstream.extend_from_slice(&self.from_client.buffer[..header]);
        self.from_client.buffer.clear();
        self.from_client.ended = true;
    }

    fn write_upstream(&mut self) -> bool {
        let mut moved = false;
        if !self.upstream_broken {
            match self.upstream.write(&mut self.to_upstream) {
                Ok(wrote) => moved = wrote,
                // It may have said why before it closed: reading goes on to its end (X3).
                Err(error) => {
                    tracing::debug!(%error, "upstream takes no more");
                    self.upstream_broken = true;
                    self.to_upstream.clear();
                }
            }
        }
        // The client's end of stream, after everything whole it sent; a partial message never goes (X2, X4).
        let sent = self.to_upstream.is_empty() && self.client_step != ClientStep::Hold;
        if self.from_client.ended && (sent || !self.session.has_begun()) && !self.upstream_shut {
            self.upstream_shut = self.upstream.shut();
            moved |= self.upstream_shut;
        }
        moved
    }
}
