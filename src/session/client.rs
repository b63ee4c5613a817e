//! What the client sends: decided, counted, and passed on or replaced.

use std::sync::Arc;

use bytes::BytesMut;

use crate::config::Unscoped;
use crate::session::cache::Basis;
use crate::session::complaint::{Complaint, UNPARSABLE};
use crate::session::conversation::{ClientStep, Session, Taken};
use crate::session::names::Name;
use crate::session::pending::{Entry, Query};
use crate::session::plan::Plan;
use crate::session::prepared::{Origin, Prepared};
use crate::session::replication::is_replication_command;
use crate::wire::frame::{HEADER_BYTES, Header, frontend_header};
use crate::wire::frontend::{self, Target, TooLong};

/// `pg_proc` oids of lo_create, lo_open, lo_close, loread, lowrite, lo_lseek, lo_creat, lo_tell, lo_unlink, lo_truncate and
/// the 64-bit lo_lseek64, lo_tell64, lo_truncate64.
const LARGE_OBJECT_FUNCTIONS: [u32; 13] = [715, 952, 953, 954, 955, 956, 957, 958, 964, 1004, 3170, 3171, 3172];

/// What is to be done with one message.
pub(super) enum Take {
    /// It goes on as it came, as far as it is there, behind what has been written for it.
    Stream,
    /// What has been written goes in its place.
    Instead,
    NeedMore,
    Hold,
}

/// Where messages of Sexton's own are written, behind those that go on as they came.
pub(super) struct Outlet<'a> {
    upstream: &'a mut BytesMut,
    /// What goes on as it came and has not been moved yet.
    run: &'a [u8],
    /// Bytes that have arrived behind the message at hand.
    behind: usize,
    begun: bool,
}

impl Outlet<'_> {
    /// Has `put` write one message of about `bytes`; nothing is written where it fails.
    pub(super) fn write(
        &mut self,
        bytes: usize,
        put: impl FnOnce(&mut BytesMut) -> Result<(), TooLong>,
    ) -> Result<(), TooLong> {
        if !std::mem::replace(&mut self.begun, true) {
            // What follows is likely to go the same way.
            self.upstream.reserve(self.run.len() + bytes + self.behind);
            self.upstream.extend_from_slice(self.run);
        }
        let start = self.upstream.len();
        put(self.upstream).inspect_err(|_| self.upstream.truncate(start))
    }

    /// Writes a Query.
    fn query(&mut self, text: &[u8]) -> Result<(), TooLong> {
        self.write(HEADER_BYTES + text.len() + 1, |out| frontend::put_query(out, text))
    }

    /// Writes a Parse.
    pub(super) fn parse(&mut self, parse: frontend::Parse<'_>) -> Result<(), TooLong> {
        let bytes = HEADER_BYTES + parse.name.len() + parse.query.len() + parse.types.len() + 4;
        self.write(bytes, |out| frontend::put_parse(out, parse))
    }
}

impl Session {
    /// Takes what it can of `input`; what goes to the server is appended to `upstream`, or left as it is.
    ///
    /// After [`ClientStep::Hold`] it must be called again once the server has said more, with whatever is left of `input`.
    pub fn client_bytes(&mut self, input: &[u8], upstream: &mut BytesMut) -> (Taken, ClientStep) {
        // What goes on as it came and has not been moved yet.
        let mut run = 0..0;
        let step = loop {
            if self.client_rest > 0 {
                let there = self.client_rest.min(input.len() - run.end);
                run.end += there;
                self.client_rest -= there;
                if self.client_rest > 0 {
                    break ClientStep::NeedMore;
                }
            }
            let rest = &input[run.end..];
            let header = match frontend_header(rest) {
                Ok(Some(header)) => header,
                Ok(None) => break ClientStep::NeedMore,
                Err(fault) => break ClientStep::Fault(fault),
            };
            if self.must_wait(header.tag) {
                break self.hold(header.tag);
            }
            self.waits_for_answers = false;
            if self.mispredicted {
                self.predict_again();
            }
            let behind = rest.len().saturating_sub(header.frame_bytes());
            let mut outlet = Outlet { upstream, run: &input[run.clone()], behind, begun: false };
            let take = self.take(header, &rest[HEADER_BYTES..], &mut outlet);
            if outlet.begun {
                run.start = run.end;
            }
            match take {
                Take::Stream => {
                    run.end += HEADER_BYTES;
                    self.client_rest = header.body_bytes;
                }
                Take::Instead => {
                    run.end += header.frame_bytes();
                    run.start = run.end;
                }
                Take::NeedMore => break ClientStep::NeedMore,
                Take::Hold => {
                    self.waits_for_answers = true;
                    break self.hold(header.tag);
                }
            }
        };
        (Taken::up_to(run, input, upstream), step)
    }

    /// True where `input` starts with a whole statement of more than `bytes_max` bytes.
    #[must_use]
    pub fn starts_with_statement(&self, input: &[u8], bytes_max: usize) -> bool {
        if self.client_rest > 0 || input.len() <= bytes_max {
            return false;
        }
        matches!(frontend_header(input), Ok(Some(header @ Header { tag: b'Q' | b'P', .. }))
            if header.frame_bytes() > bytes_max && header.frame_bytes() <= input.len())
    }

    /// True for a message that must not be decided yet. Copy data and Flush decide nothing and are never held.
    fn must_wait(&self, tag: u8) -> bool {
        if self.is_physical() {
            return false;
        }
        if self.want.is_some() || self.ground.is_none() {
            return tag != b'p' && tag != b'X';
        }
        match tag {
            b'd' | b'c' | b'f' | b'H' | b'X' | b'p' => false,
            b'S' if self.copy_in => false,
            // What was decided once must not be decided again at every reply: it may be long.
            _ => self.pending.holds() || (self.waits_for_answers && self.pending.ends() > 0),
        }
    }

    /// The server reads nothing but copy data until the copy ends: no wait for its answer would end before the client does.
    fn hold(&self, tag: u8) -> ClientStep {
        if self.copy_in { ClientStep::OutOfPlace(tag) } else { ClientStep::Hold }
    }

    /// `there`: what has arrived behind the header.
    fn take(&mut self, header: Header, there: &[u8], out: &mut Outlet<'_>) -> Take {
        if self.is_physical() {
            return Take::Stream;
        }
        let whole = there.get(..header.body_bytes);
        match (header.tag, whole) {
            (b'Q' | b'P' | b'D' | b'C' | b'E', None) => Take::NeedMore,
            (b'Q', Some(body)) => self.take_query(body, out),
            (b'P', Some(body)) => self.take_parse(body, out),
            (b'B', _) => self.take_bind(whole.unwrap_or(there), whole.is_some(), out),
            (b'D', Some(body)) => self.take_describe(body, out),
            (b'E', Some(body)) => self.take_execute(body, out),
            (b'C', Some(body)) => self.take_close(body),
            (b'S', _) => self.take_sync(),
            (b'F', _) => self.take_function_call(there, whole.is_some(), out),
            (b'H', _) if header.body_bytes > 0 => {
                // No Flush: the server raises an error and discards what follows up to Sync (F4).
                self.push(Entry::DescribePortal { portal: Name::new() }, false);
                Take::Stream
            }
            (b'c' | b'f', _) => {
                self.copy_in = false;
                self.push(Entry::CopyEnd, false);
                Take::Stream
            }
            (b'X', _) => {
                self.is_leaving = true;
                Take::Stream
            }
            _ => Take::Stream,
        }
    }

    fn take_query(&mut self, body: &[u8], out: &mut Outlet<'_>) -> Take {
        let generation = self.generation();
        let Some(text) = frontend::query(body) else {
            // Two strings, or none: the server raises 08P01 before it does anything, even drops the unnamed statement (F4).
            self.push(Entry::FunctionCall, false);
            return Take::Stream;
        };
        let plan = self.decide(text);
        let risky = plan.statements.iter().any(|statement| self.predicts_risk(&statement.effect));
        if risky && self.pending.ends() > 0 {
            return Take::Hold;
        }
        let mut complaint = self.hindrance(&plan);
        let mut take = Take::Stream;
        if complaint.is_none()
            && let Some(text) = &plan.upstream_text
        {
            take = Take::Instead;
            complaint = out.query(text).err().map(|TooLong(bytes)| Complaint::TooLong { bytes });
        }
        if complaint.is_some() {
            take = fixed(out.query(UNPARSABLE));
        }
        let complaint = complaint.map(Box::new);
        // It drops the unnamed statement (E8).
        let risky = risky || self.may_leave(b"");
        self.push(Entry::Query(Query { plan, complaint, next: 0, generation }), risky);
        take
    }

    fn take_parse(&mut self, body: &[u8], out: &mut Outlet<'_>) -> Take {
        let Some(frontend::Parse { name, query, types }) = frontend::parse(body) else {
            // The server raises 08P01 before it makes or drops anything (F4).
            self.push(Entry::DescribePortal { portal: Name::new() }, false);
            return Take::Stream;
        };
        let plan = self.decide(query);
        // A Parse of a name that is taken fails: messages behind that batch would meet the old statement.
        let risky = !name.is_empty() && self.overlay.statement(&self.names, name).is_some();
        if risky && self.pending.ends() > 0 {
            return Take::Hold;
        }
        let mut complaint = None;
        let mut take = Take::Stream;
        if let Some(text) = &plan.upstream_text {
            take = match out.parse(frontend::Parse { name, query: text, types }) {
                Ok(()) => Take::Instead,
                Err(TooLong(bytes)) => {
                    complaint = Some(Complaint::TooLong { bytes });
                    fixed(out.parse(frontend::Parse { name, query: UNPARSABLE, types }))
                }
            };
        }
        let types = if types == [0, 0] { &[] } else { types };
        let Some(made) = self.basis.as_ref().map(Basis::circumstances) else { return Take::Hold };
        let prepared = match self.overlay.statement(&self.names, name) {
            Some(held) if held.is_made_of(&plan, types, made) => Arc::clone(held),
            _ => {
                let origin = Origin::Message { plan, types: types.into() };
                Arc::new(Prepared { origin, made: made.clone(), absent: false })
            }
        };
        let risky = risky || self.may_leave(name);
        let (name, complaint) = (Name::from_slice(name), complaint.map(Box::new));
        self.push(Entry::Parse { name, prepared, complaint, swallow: false }, risky);
        take
    }

    fn take_bind(&mut self, there: &[u8], whole: bool, out: &mut Outlet<'_>) -> Take {
        let (portal, statement) = match frontend::bind_names(there) {
            Some(names) => names,
            None if whole => (b"".as_slice(), b"".as_slice()),
            None => return Take::NeedMore,
        };
        let take = self.freshen(statement, out);
        self.push(Entry::Bind { portal: Name::from_slice(portal), statement: Name::from_slice(statement) }, false);
        take
    }

    fn take_describe(&mut self, body: &[u8], out: &mut Outlet<'_>) -> Take {
        match frontend::target(body) {
            Some(Target::Statement(name)) => {
                let take = self.freshen(name, out);
                self.push(Entry::DescribeStatement { name: Name::from_slice(name) }, false);
                take
            }
            Some(Target::Portal(portal)) => {
                self.push(Entry::DescribePortal { portal: Name::from_slice(portal) }, false);
                Take::Stream
            }
            None => {
                self.push(Entry::DescribePortal { portal: Name::new() }, false);
                Take::Stream
            }
        }
    }

    fn take_execute(&mut self, body: &[u8], out: &mut Outlet<'_>) -> Take {
        let portal = frontend::execute(body).unwrap_or_default();
        let met = self.overlay.portal(&self.names, portal);
        let risky = met.is_some_and(|met| self.predicts_risk(met.effect()));
        if risky && self.pending.ends() > 0 {
            return Take::Hold;
        }
        let take = match self.portal_hindrance(portal) {
            Some((prepared, complaint)) => self.fail_here(UNPARSABLE, prepared, complaint, out),
            None => Take::Stream,
        };
        self.push(Entry::Execute { portal: Name::from_slice(portal) }, risky);
        take
    }

    fn take_close(&mut self, body: &[u8]) -> Take {
        match frontend::target(body) {
            Some(Target::Statement(name)) => {
                let risky = self.may_leave(name);
                self.push(Entry::CloseStatement { name: Name::from_slice(name), swallow: false }, risky);
            }
            Some(Target::Portal(portal)) => self.push(Entry::ClosePortal { portal: Name::from_slice(portal) }, false),
            None => self.push(Entry::ClosePortal { portal: Name::new() }, false),
        }
        Take::Stream
    }

    /// A function call by oid carries no SQL to read; it may run some. Where anything is registered only the functions
    /// for large objects pass, which is what drivers use the message for (E15).
    fn take_function_call(&mut self, there: &[u8], whole: bool, out: &mut Outlet<'_>) -> Take {
        let passes = self
            .ground
            .as_ref()
            .is_none_or(|ground| ground.registry.is_empty() || ground.registry.unscoped == Unscoped::Pass);
        match frontend::function_oid(there) {
            _ if passes => {}
            Some(oid) if LARGE_OBJECT_FUNCTIONS.contains(&oid) => {}
            None if whole => {}
            Some(_) if whole => {
                let generation = self.generation();
                let complaint = Some(Box::new(Complaint::FunctionCall));
                // A failing Query is answered by the same messages.
                let take = fixed(out.query(UNPARSABLE));
                let query = Query { plan: Arc::new(nothing()), complaint, next: 0, generation };
                let risky = self.may_leave(b"");
                self.push(Entry::Query(query), risky);
                return take;
            }
            _ => return Take::NeedMore,
        }
        self.push(Entry::FunctionCall, false);
        Take::Stream
    }

    fn take_sync(&mut self) -> Take {
        if !self.copy_in {
            self.skipping = false;
            self.push(Entry::Sync, false);
        }
        Take::Stream
    }

    pub(super) fn decide(&mut self, text: &[u8]) -> Arc<Plan> {
        // Finds the one of this moment.
        self.basis();
        let (Some(ground), Some(basis)) = (&self.ground, &self.basis) else { return Arc::new(nothing()) };
        if self.replication.is_some() && is_replication_command(text) {
            return Arc::new(Plan::unchanged(text));
        }
        ground.cache.plan(text, basis, |text| (self.planner)(text, &self.predicted, &ground.role, &ground.registry))
    }
}

/// The plan for a message that the server will not read.
fn nothing() -> Plan {
    Plan::unchanged(b"")
}

/// A message of Sexton's own short text fits in any case.
fn fixed(written: Result<(), TooLong>) -> Take {
    if written.is_ok() { Take::Instead } else { Take::Hold }
}
