//! One connection's bytes: two directions in one task, each able to go on while the other is blocked (F11).
//!
//! Everything half done lives in the buffers here and in the session, never in a future (E19).

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Buf, BufMut, BytesMut};
use tokio::io::AsyncWrite;

use crate::net::databases::Presence;
use crate::net::spare;
use crate::net::stream::Stream;
use crate::session::{ClientStep, ServerStep, Session, Want};
use crate::wire::backend::FatalReport;
use crate::wire::frame::HEADER_BYTES;
use crate::wire::sqlstate::SqlState;

/// Space made for a read after one that filled what there was.
const BULK_READ_BYTES: usize = 64 * 1024;
/// No more is read for a direction that has this much to write.
const BUFFERED_BYTES_MAX: usize = 128 * 1024;
/// A longer statement is not decided on a thread that has other connections to serve (F12).
const INLINE_BYTES_MAX: usize = 256 * 1024;

/// What the task has to see to.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Event {
    /// The session waits for something from outside.
    Want(Want),
    /// [`Relay::decide_long`] is to be called where it may take its time.
    Long,
    /// A commit of DDL is under way: [`Relay::reread`] now and then, until it is over.
    Committing,
    /// Nothing is left to relay.
    Done,
}

/// Two sockets and the session between them.
#[derive(Debug)]
pub(crate) struct Relay {
    pub(crate) session: Session,
    client: Stream,
    upstream: Stream,
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

#[derive(Debug, Default)]
struct Inlet {
    buffer: BytesMut,
    ended: bool,
    bulk: bool,
    /// Nothing was there to be read in this turn of the task, which is woken once there is.
    waits: bool,
}

impl Inlet {
    /// Reads once, unless it has been said in this turn of the task that there is nothing yet.
    fn poll_read(&mut self, stream: &mut Stream, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.waits {
            return Poll::Pending;
        }
        let read = self.read(stream, cx);
        self.waits = read.is_pending();
        read
    }

    fn read(&mut self, stream: &mut Stream, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        // No memory is asked for before there is something to put into it.
        ready!(stream.poll_read_ready(cx))?;
        let most = if self.bulk { BULK_READ_BYTES } else { spare::BUFFER_BYTES };
        if self.buffer.capacity() == 0 {
            self.buffer = spare::take();
        }
        self.buffer.reserve(most);
        // Not all that fits: buffers change places with those they are written from, and would make one another grow.
        let mut space = (&mut self.buffer).limit(most);
        let bytes = ready!(stream.poll_read_buf(cx, &mut space))?;
        self.ended = bytes == 0;
        self.bulk = bytes == most;
        Poll::Ready(Ok(()))
    }
}

impl Relay {
    /// A relay that has `to_upstream` to send first, and has read `from_client` already.
    pub(crate) fn new(
        client: Stream,
        upstream: Stream,
        session: Session,
        from_client: BytesMut,
        to_upstream: BytesMut,
    ) -> Self {
        Self {
            session,
            client,
            upstream,
            from_client: Inlet { buffer: from_client, ..Inlet::default() },
            from_upstream: Inlet::default(),
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

    /// Takes up what both sides have sent already.
    pub(crate) fn take_up(&mut self, from_upstream: BytesMut) {
        self.from_upstream.buffer = from_upstream;
        self.take_from_upstream();
        self.take_from_client();
    }

    /// True for each side that is on TLS: client and upstream.
    pub(crate) fn is_encrypted(&self) -> (bool, bool) {
        (self.client.is_tls(), self.upstream.is_tls())
    }

    /// Decides by the newest registry of the database, from here on.
    pub(crate) fn follow(&mut self, presence: Presence) {
        self.presence = Some(presence);
    }

    /// Has the catalog of the session's database read, without waiting for it.
    pub(crate) fn reread(&self) {
        if let Some(presence) = &self.presence {
            presence.served.hasten();
        }
    }

    /// The session has got what it wanted.
    pub(crate) fn satisfied(&mut self) {
        self.wanting = false;
        self.take_from_upstream();
        self.take_from_client();
    }

    /// True where the connection can end without anybody missing anything.
    pub(crate) fn is_idle(&self) -> bool {
        self.session.is_idle() && self.from_client.buffer.is_empty() && self.to_client.is_empty()
    }

    /// True where only the last bytes to the client are still to go.
    pub(crate) fn is_closing(&self) -> bool {
        self.closing
    }

    /// Ends the connection with a FATAL, where one can be told between messages.
    pub(crate) fn end(&mut self, code: SqlState, message: &str, hint: Option<&str>) {
        if self.session.is_at_boundary() && !self.closing {
            FatalReport { hint, ..FatalReport::new(code, message) }.put(&mut self.to_client);
        }
        self.closing = true;
    }

    /// Ends the connection with what `put` writes.
    pub(crate) fn end_with(&mut self, put: impl FnOnce(&mut BytesMut)) {
        put(&mut self.to_client);
        self.closing = true;
    }

    /// Relays until something else is to be done.
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Event> {
        (self.from_client.waits, self.from_upstream.waits) = (false, false);
        loop {
            let mut moved = false;
            if self.closing {
                self.from_client.ended = true;
            } else {
                moved |= self.read_upstream(cx);
            }
            match self.write_client(cx) {
                Ok(wrote) => moved |= wrote,
                // The client has gone: closing the server's socket at once lets the server notice (X1).
                Err(error) => {
                    tracing::debug!(%error, "client gone");
                    return Poll::Ready(Event::Done);
                }
            }
            if self.to_client.is_empty() && (self.closing || self.from_upstream.ended) {
                return Poll::Ready(Event::Done);
            }
            if !self.closing {
                match self.read_client(cx) {
                    Ok(read) => moved |= read,
                    Err(error) => {
                        tracing::debug!(%error, "client gone");
                        return Poll::Ready(Event::Done);
                    }
                }
                if self.long {
                    return Poll::Ready(Event::Long);
                }
                moved |= self.write_upstream(cx);
                if let Some(want) = self.session.want()
                    && !std::mem::replace(&mut self.wanting, true)
                {
                    return Poll::Ready(Event::Want(want));
                }
                let committing = self.session.is_committing_schema();
                if !std::mem::replace(&mut self.committing, committing) && committing {
                    return Poll::Ready(Event::Committing);
                }
            }
            if !moved {
                self.give_back();
                return Poll::Pending;
            }
        }
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

    fn read_upstream(&mut self, cx: &mut Context<'_>) -> bool {
        if self.from_upstream.ended || self.session.want().is_some() || self.to_client.len() >= BUFFERED_BYTES_MAX {
            return false;
        }
        match self.from_upstream.poll_read(&mut self.upstream, cx) {
            Poll::Pending => return false,
            Poll::Ready(Ok(())) => {}
            Poll::Ready(Err(error)) => {
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

    fn read_client(&mut self, cx: &mut Context<'_>) -> io::Result<bool> {
        let full = match self.client_step {
            ClientStep::NeedMore => self.to_upstream.len() >= BUFFERED_BYTES_MAX || self.session.is_full(),
            // While it is held, reading on tells when the client goes away.
            ClientStep::Hold => self.from_client.buffer.len() >= BUFFERED_BYTES_MAX,
            ClientStep::OutOfPlace(_) | ClientStep::Fault(_) => true,
        };
        if full || self.from_client.ended {
            return Ok(false);
        }
        match self.from_client.poll_read(&mut self.client, cx)? {
            Poll::Pending => return Ok(false),
            Poll::Ready(()) => self.take_from_client(),
        }
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
    pub(crate) fn decide_long(&mut self) {
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

    fn write_client(&mut self, cx: &mut Context<'_>) -> io::Result<bool> {
        write(&mut self.client, &mut self.to_client, cx)
    }

    fn write_upstream(&mut self, cx: &mut Context<'_>) -> bool {
        let mut moved = false;
        if !self.upstream_broken {
            match write(&mut self.upstream, &mut self.to_upstream, cx) {
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
            match Pin::new(&mut self.upstream).poll_shutdown(cx) {
                Poll::Pending => {}
                Poll::Ready(_) => {
                    self.upstream_shut = true;
                    moved = true;
                }
            }
        }
        moved
    }
}

/// Writes what it can; true where something went.
fn write(stream: &mut Stream, buffer: &mut BytesMut, cx: &mut Context<'_>) -> io::Result<bool> {
    let mut moved = false;
    while !buffer.is_empty() {
        match Pin::new(&mut *stream).poll_write(cx, buffer)? {
            Poll::Pending => return Ok(moved),
            Poll::Ready(0) => return Err(io::ErrorKind::WriteZero.into()),
            Poll::Ready(bytes) => {
                buffer.advance(bytes);
                moved = true;
            }
        }
    }
    Ok(moved)
}
