//! One connection's bytes: two directions served by one thread, each able to go on while the other is blocked (F11).
//!
//! Everything half done lives in the buffers here and in the session.

use std::io;

use bytes::{Buf, BytesMut};
use mio::event::Event as Readiness;
use mio::{Registry, Token};

use crate::net::databases::Presence;
use crate::net::side::Side;
use crate::net::spare;
use crate::session::{ClientStep, ServerStep, Session, Taken, Want};
use crate::wire::backend::FatalReport;
use crate::wire::frame::{HEADER_BYTES, LengthFault};
use crate::wire::sqlstate::SqlState;
use crate::wire::startup::cancel_request;

/// PostgreSQL's own words for it, which clients know.
const SHUTDOWN: &str = "terminating connection due to administrator command";
/// 57P01 would say that nothing has happened.
const UNKNOWN: &str = "sexton: the proxy has stopped before the server has said what became of the statement";

/// Read at once after a read that filled what there was.
pub(super) const BULK_READ_BYTES: usize = 64 * 1024;
/// No more is read for a direction that has this much to write.
const BUFFERED_BYTES_MAX: usize = 128 * 1024;
/// A longer statement is not decided on a thread that has other connections to serve (F12).
const INLINE_BYTES_MAX: usize = 256 * 1024;

/// How often a connection goes back and forth before it is another's turn.
const TURN_ROUNDS: u32 = 8;

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
    client: Outlet,
    upstream: Outlet,
    from_client: Inlet,
    from_upstream: Inlet,
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
    /// Only what is in the client's buffer is still to go out.
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
    fn is_ready(&self, side: &Side) -> bool {
        !self.ended && side.is_readable()
    }

    /// Reads once; `None` where there is nothing yet.
    fn read<'s>(&mut self, side: &mut Side, space: &'s mut [u8]) -> io::Result<Option<&'s [u8]>> {
        let most = if self.bulk { space.len() } else { spare::BUFFER_BYTES };
        let Some(bytes) = side.read(&mut space[..most])? else { return Ok(None) };
        self.ended = bytes == 0;
        self.bulk = bytes == most;
        Ok(Some(&space[..bytes]))
    }

    /// Has `take` take what it can of what was left before, and of `fresh` behind that; what goes on as it came goes to
    /// `outlet`.
    fn offer<S>(
        &mut self,
        fresh: &[u8],
        outlet: &mut Outlet,
        take: impl FnOnce(&[u8], &mut BytesMut) -> (Taken, S),
    ) -> S {
        if !self.buffer.is_empty() {
            self.buffer.extend_from_slice(fresh);
            let (taken, step) = take(&self.buffer, &mut outlet.buffer);
            taken.settle(&mut self.buffer, &mut outlet.buffer);
            return step;
        }
        let (taken, step) = take(fresh, &mut outlet.buffer);
        outlet.pass(&fresh[taken.as_is]);
        if taken.bytes < fresh.len() {
            if self.buffer.capacity() == 0 {
                self.buffer = spare::take();
            }
            self.buffer.extend_from_slice(&fresh[taken.bytes..]);
        }
        step
    }
}

/// A side, and what is to be written to it.
#[derive(Debug)]
struct Outlet {
    side: Side,
    buffer: BytesMut,
    /// Nothing more can be sent.
    broken: bool,
    /// Why not, until it is told.
    error: Option<io::Error>,
}

impl Outlet {
    fn new(side: Side, buffer: BytesMut) -> Self {
        Self { side, buffer, broken: false, error: None }
    }

    /// Writes what it can; true where something went. An error comes once, and what is written behind it goes nowhere.
    fn write(&mut self) -> io::Result<bool> {
        if self.broken {
            self.buffer.clear();
            return self.error.take().map_or(Ok(false), Err);
        }
        if self.buffer.is_empty() && !self.side.wants_write() {
            return Ok(false);
        }
        match self.side.send(&self.buffer) {
            Ok(sent) => {
                self.buffer.advance(sent);
                Ok(sent > 0)
            }
            Err(error) => {
                self.broken = true;
                self.buffer.clear();
                Err(error)
            }
        }
    }

    /// Sends `bytes` from where they are, behind nothing; what cannot be sent now is kept, an error for the next write.
    fn pass(&mut self, bytes: &[u8]) {
        if bytes.is_empty() || self.broken {
            return;
        }
        match self.side.send(bytes) {
            Ok(sent) => self.buffer.extend_from_slice(&bytes[sent..]),
            Err(error) => (self.broken, self.error) = (true, Some(error)),
        }
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
            client: Outlet::new(client.0, BytesMut::new()),
            upstream: Outlet::new(upstream.0, to_upstream),
            from_client: inlet(client.1),
            from_upstream: inlet(upstream.1),
            client_step: ClientStep::Hold,
            presence: None,
            long: false,
            wanting: false,
            committing: false,
            upstream_shut: false,
            closing: false,
        }
    }

    /// True for each side that is on TLS: client and upstream.
    pub(super) fn is_encrypted(&self) -> (bool, bool) {
        (self.client.side.is_tls(), self.upstream.side.is_tls())
    }

    /// Has `registry` tell of both sockets, by a token for each.
    ///
    /// # Errors
    /// The system's.
    pub(super) fn register(&mut self, registry: &Registry, token: impl Fn(Leg) -> Token) -> io::Result<()> {
        self.client.side.register(registry, token(Leg::Client))?;
        self.upstream.side.register(registry, token(Leg::Upstream))
    }

    /// Takes note of what is said of one of the sockets.
    pub(super) fn note(&mut self, leg: Leg, readiness: &Readiness) {
        match leg {
            Leg::Client => self.client.side.note(readiness),
            Leg::Upstream => self.upstream.side.note(readiness),
        }
    }

    /// What was said of the sockets meanwhile has been missed.
    pub(super) fn ask_again(&mut self) {
        self.client.side.ask_again();
        self.upstream.side.ask_again();
    }

    /// Takes up what has been read from both sides.
    pub(super) fn take_up(&mut self) {
        self.take_from_upstream(&[]);
        self.take_from_client(&[]);
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
        self.session.is_idle() && self.from_client.buffer.is_empty() && self.client.buffer.is_empty()
    }

    /// True where only the last bytes to the client are still to go.
    pub(super) fn is_closing(&self) -> bool {
        self.closing
    }

    /// Takes nothing more from the client, and answers with the CancelRequest for what the server runs: once, and where
    /// there can be one.
    #[cold]
    pub(super) fn cut(&mut self) -> Option<Vec<u8>> {
        let is_new = !self.session.is_cut() && !self.session.key().is_empty();
        self.session.cut();
        is_new.then(|| cancel_request(self.session.key()))
    }

    /// Ends the connection because the proxy stops.
    #[cold]
    pub(super) fn shut_down(&mut self) {
        match self.session.is_running() {
            true => self.end(SqlState::TRANSACTION_RESOLUTION_UNKNOWN, UNKNOWN, None),
            false => self.end(SqlState::ADMIN_SHUTDOWN, SHUTDOWN, None),
        }
    }

    /// True where the server has ended a session that nobody else wanted to end.
    pub(super) fn is_lost(&self) -> bool {
        let is_wanted = self.closing || self.from_client.ended || self.session.is_leaving();
        self.from_upstream.ended && self.session.has_begun() && !is_wanted
    }

    /// Ends the connection with a FATAL, where one can be told between messages.
    #[cold]
    pub(super) fn end(&mut self, code: SqlState, message: &str, hint: Option<&str>) {
        if self.session.is_at_boundary() && !self.closing {
            FatalReport { hint, ..FatalReport::new(code, message) }.put(&mut self.client.buffer);
        }
        self.closing = true;
    }

    /// Ends the connection with what `put` writes.
    pub(super) fn end_with(&mut self, put: impl FnOnce(&mut BytesMut)) {
        put(&mut self.client.buffer);
        self.closing = true;
    }

    /// Ends the connection, whatever is still to go out.
    pub(super) fn abandon(&mut self) {
        self.client.buffer.clear();
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
            note_end("client gone", &error);
            Event::Done
        };
        moved |= self.client.write().map_err(gone)?;
        if self.client.buffer.is_empty() && (self.closing || self.from_upstream.ended) {
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
        Ok(moved && (self.client.side.is_readable() || self.upstream.side.is_readable()))
    }

    /// Between transactions, no buffer is kept: most connections do nothing most of the time (F10).
    fn give_back(&mut self) {
        if !self.session.is_idle() {
            return;
        }
        let inlets = [&mut self.from_client.buffer, &mut self.from_upstream.buffer];
        for buffer in inlets.into_iter().chain([&mut self.client.buffer, &mut self.upstream.buffer]) {
            if buffer.is_empty() && buffer.capacity() > 0 {
                spare::give(std::mem::take(buffer));
            }
        }
    }

    fn read_upstream(&mut self, space: &mut [u8]) -> bool {
        let full = self.session.want().is_some() || self.client.buffer.len() >= BUFFERED_BYTES_MAX;
        if full || !self.from_upstream.is_ready(&self.upstream.side) {
            return false;
        }
        let fresh = match self.from_upstream.read(&mut self.upstream.side, space) {
            Ok(None) => return false,
            Ok(Some(fresh)) => fresh,
            Err(error) => {
                note_end("upstream gone", &error);
                self.from_upstream.ended = true;
                &[]
            }
        };
        self.take_from_upstream(fresh);
        if self.client_step == ClientStep::Hold {
            self.take_from_client(&[]);
        }
        true
    }

    fn take_from_upstream(&mut self, fresh: &[u8]) {
        let session = &mut self.session;
        let take = |input: &[u8], out: &mut BytesMut| session.server_bytes(input, out);
        match self.from_upstream.offer(fresh, &mut self.client, take) {
            ServerStep::NeedMore | ServerStep::Wait => {}
            ServerStep::Cancelled => self.end(SqlState::ADMIN_SHUTDOWN, SHUTDOWN, None),
            ServerStep::Fault(fault) => self.lose_server(fault),
        }
    }

    #[cold]
    fn lose_server(&mut self, fault: LengthFault) {
        tracing::warn!(tag = fault.tag, length = fault.length, "the server sent a malformed message");
        self.closing = true;
    }

    fn read_client(&mut self, space: &mut [u8]) -> io::Result<bool> {
        let full = match self.client_step {
            ClientStep::NeedMore => self.upstream.buffer.len() >= BUFFERED_BYTES_MAX || self.session.is_full(),
            // While it is held, reading on tells when the client goes away.
            ClientStep::Hold => self.from_client.buffer.len() >= BUFFERED_BYTES_MAX,
            ClientStep::OutOfPlace(_) | ClientStep::Fault(_) => true,
        };
        if full || self.session.is_cut() || !self.from_client.is_ready(&self.client.side) {
            return Ok(false);
        }
        let Some(fresh) = self.from_client.read(&mut self.client.side, space)? else { return Ok(false) };
        self.take_from_client(fresh);
        Ok(true)
    }

    fn take_from_client(&mut self, fresh: &[u8]) {
        if self.closing || self.session.is_cut() {
            return;
        }
        if let Some(registry) = self.presence.as_mut().and_then(Presence::changed) {
            self.session.set_registry(registry);
        }
        if self.from_client.buffer.len() + fresh.len() > INLINE_BYTES_MAX {
            self.from_client.buffer.extend_from_slice(fresh);
            self.long = self.session.starts_with_statement(&self.from_client.buffer, INLINE_BYTES_MAX);
            if !self.long {
                self.decide(&[]);
            }
        } else {
            self.decide(fresh);
        }
    }

    /// Decides what the client has sent, however long it takes.
    pub(super) fn decide_long(&mut self) {
        self.long = false;
        self.decide(&[]);
    }

    fn decide(&mut self, fresh: &[u8]) {
        if self.upstream.buffer.capacity() == 0 {
            self.upstream.buffer = spare::take();
        }
        let session = &mut self.session;
        let take = |input: &[u8], out: &mut BytesMut| session.client_bytes(input, out);
        self.client_step = self.from_client.offer(fresh, &mut self.upstream, take);
        match self.client_step {
            ClientStep::NeedMore | ClientStep::Hold => {}
            ClientStep::OutOfPlace(_) | ClientStep::Fault(_) => self.hand_over_header(),
        }
    }

    /// The server finds the fault of the message at hand in its header, and ends the connection in its own way (F1, K1).
    #[cold]
    fn hand_over_header(&mut self) {
        match self.client_step {
            ClientStep::OutOfPlace(tag) => tracing::info!(tag, "a client sent a message out of place during COPY"),
            ClientStep::Fault(LengthFault { tag, length }) => {
                tracing::info!(tag, length, "a client sent a malformed message")
            }
            ClientStep::NeedMore | ClientStep::Hold => {}
        }
        let header = self.from_client.buffer.len().min(HEADER_BYTES);
        self.upstream.buffer.extend_from_slice(&self.from_client.buffer[..header]);
        self.from_client.buffer.clear();
        self.from_client.ended = true;
    }

    fn write_upstream(&mut self) -> bool {
        let mut moved = false;
        match self.upstream.write() {
            Ok(wrote) => moved = wrote,
            // It may have said why before it closed: reading goes on to its end (X3).
            Err(error) => note_end("upstream takes no more", &error),
        }
        // The client's end of stream, after everything whole it sent; a partial message never goes (X2, X4).
        let sent = self.upstream.buffer.is_empty() && self.client_step != ClientStep::Hold;
        if self.from_client.ended && (sent || !self.session.has_begun()) && !self.upstream_shut {
            self.upstream_shut = self.upstream.side.shut();
            moved |= self.upstream_shut;
        }
        moved
    }
}

#[cold]
fn note_end(what: &str, error: &io::Error) {
    tracing::debug!(%error, "{what}");
}
