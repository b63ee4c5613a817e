//! What the server sends: counted against what it owes, changed where the client is owed something else, passed on in runs.

use std::sync::Arc;

use bytes::BytesMut;

use crate::rewrite::outcome::{Effect, TagChange};
use crate::rewrite::state::SearchPath;
use crate::session::batch::is_risky;
use crate::session::complaint::{Complaint, Words, original_position, own_message};
use crate::session::context::OwnContext;
use crate::session::conversation::{ServerStep, Session, Taken, Want};
use crate::session::pending::Entry;
use crate::session::plan::Plan;
use crate::session::prepared::{Portal, Prepared};
use crate::sql::encoding::Encoding;
use crate::wire::backend::{self, Fields};
use crate::wire::frame::{HEADER_BYTES, Header, backend_header, whole_run};
use crate::wire::sqlstate::SqlState;
use crate::wire::tag;

/// Messages that are read whole stay far below this; a longer one is passed on without a look inside.
const READ_BYTES_MAX: usize = 16 * 1024 * 1024;

/// What is to be done with one message.
enum Give {
    /// It goes on as it came, as far as it is there.
    Stream,
    /// What has been written goes in its place, if anything.
    Instead,
    Wait,
    Cancelled,
}

/// Where what the client is owed is written, behind what goes on as it came.
struct Outlet<'a> {
    client: &'a mut BytesMut,
    run: &'a [u8],
}

impl Outlet<'_> {
    /// Has `put` write one message in place of the one at hand.
    fn instead(&mut self, put: impl FnOnce(&mut BytesMut)) -> Give {
        self.client.extend_from_slice(self.run);
        put(self.client);
        Give::Instead
    }

    /// Keeps back the message at hand, which the client did not ask for.
    fn nothing(&mut self) -> Give {
        self.instead(|_| ())
    }
}

impl Session {
    /// Takes what it can of `input`; what goes to the client is appended to `client`, or left as it is.
    pub fn server_bytes(&mut self, input: &[u8], client: &mut BytesMut) -> (Taken, ServerStep) {
        // What goes on as it came and has not been moved yet.
        let mut run = 0..0;
        let step = loop {
            if self.server_rest > 0 {
                let there = self.server_rest.min(input.len() - run.end);
                run.end += there;
                self.server_rest -= there;
                if self.server_rest > 0 {
                    break ServerStep::NeedMore;
                }
            }
            if self.want.is_some() {
                break ServerStep::Wait;
            }
            let rest = &input[run.end..];
            let header = match backend_header(rest) {
                Ok(Some(header)) => header,
                Ok(None) => break ServerStep::NeedMore,
                Err(fault) => break ServerStep::Fault(fault),
            };
            let body = match header.tag {
                b'C' | b'E' | b'K' | b'N' | b'S' | b'Z' if header.body_bytes <= READ_BYTES_MAX => {
                    match rest.get(HEADER_BYTES..header.frame_bytes()) {
                        Some(body) => body,
                        None => break ServerStep::NeedMore,
                    }
                }
                _ => &[],
            };
            let give = match header.tag {
                // Nothing is decided by rows, which are most of what comes.
                b'D' | b'd' => match whole_run(rest, header.tag) {
                    0 => Give::Stream,
                    bytes => {
                        run.end += bytes;
                        continue;
                    }
                },
                _ => self.give(header, body, &mut Outlet { client, run: &input[run.clone()] }),
            };
            match give {
                Give::Stream => {
                    run.end += HEADER_BYTES;
                    self.server_rest = header.body_bytes;
                }
                Give::Instead => {
                    run.end += header.frame_bytes();
                    run.start = run.end;
                }
                Give::Wait => break ServerStep::Wait,
                Give::Cancelled => break ServerStep::Cancelled,
            }
        };
        (Taken::up_to(run, input, client), step)
    }

    /// `body` is empty for messages that are not read.
    fn give(&mut self, header: Header, body: &[u8], out: &mut Outlet<'_>) -> Give {
        if self.is_physical() {
            self.is_open |= header.tag == b'Z';
            return Give::Stream;
        }
        match header.tag {
            b'1' => return self.parse_complete(out),
            b'2' => self.bind_complete(),
            b'3' => return self.close_complete(out),
            b'T' | b'n' => {
                if let Some(Entry::DescribeStatement { .. } | Entry::DescribePortal { .. }) = self.pending.head() {
                    self.pending.pop();
                }
            }
            b's' | b'I' => {
                if let Some(Entry::Execute { .. }) = self.pending.head() {
                    // A portal that stops at its row limit has run all the same.
                    self.executed(None);
                }
            }
            b'C' => return self.command_complete(body, out),
            b'G' => {
                if let Some(Entry::Execute { .. } | Entry::Query(_)) = self.pending.head() {
                    self.copying = true;
                    self.copy_in = !self.pending.drop_syncs_in_copy();
                }
            }
            b'E' => return self.error(body, out),
            b'K' => self.key = Box::from(body),
            b'N' => return self.notice(body, out),
            b'S' => self.parameter_status(body),
            b'Z' => return self.ready_for_query(body),
            // t, H, W, V and everything opaque or unknown: nothing is decided by them.
            _ => {}
        }
        Give::Stream
    }

    fn parse_complete(&mut self, out: &mut Outlet<'_>) -> Give {
        if let Some(Entry::Parse { .. }) = self.pending.head()
            && let Some(Entry::Parse { name, prepared, swallow, .. }) = self.pending.pop()
        {
            self.names.statements.insert(&name, prepared);
            if swallow {
                return out.nothing();
            }
        }
        Give::Stream
    }

    fn bind_complete(&mut self) {
        if let Some(Entry::Bind { .. }) = self.pending.head()
            && let Some(Entry::Bind { portal, statement }) = self.pending.pop()
        {
            match self.names.statements.get(&statement) {
                Some(prepared) => self.names.portals.insert(&portal, Portal::new(Arc::clone(prepared))),
                None => self.names.portals.remove(&portal),
            }
        }
    }

    fn close_complete(&mut self, out: &mut Outlet<'_>) -> Give {
        if !matches!(self.pending.head(), Some(Entry::CloseStatement { .. } | Entry::ClosePortal { .. })) {
            return Give::Stream;
        }
        match self.pending.pop() {
            Some(Entry::CloseStatement { name, swallow: false }) => {
                self.names.statements.remove(&name);
            }
            Some(Entry::CloseStatement { name, swallow: true }) => {
                // The client still has the statement; until the Parse behind this is confirmed the server has not.
                if let Some(prepared) = self.names.statements.get_mut(&name) {
                    *prepared = Arc::new(Prepared { absent: true, ..(**prepared).clone() });
                }
                return out.nothing();
            }
            Some(Entry::ClosePortal { portal }) => {
                self.names.portals.remove(&portal);
            }
            _ => {}
        }
        Give::Stream
    }

    fn command_complete(&mut self, body: &[u8], out: &mut Outlet<'_>) -> Give {
        let tag = backend::command_tag(body);
        self.end_copy();
        let change = match self.pending.head() {
            Some(Entry::Execute { .. }) => self.executed(tag),
            Some(Entry::Query(_)) => self.statement_done(tag),
            _ => None,
        };
        let (Some(tag), Some(change)) = (tag, change) else { return Give::Stream };
        let owed = match change {
            TagChange::Delete => tag::delete(tag),
            TagChange::Truncate => tag::truncate(),
            TagChange::DropTable => tag::drop_table(),
        };
        out.instead(|client| backend::put_command_complete(client, &owed))
    }

    fn executed(&mut self, tag: Option<&[u8]>) -> Option<TagChange> {
        let Some(Entry::Execute { portal: name }) = self.pending.pop() else { return None };
        let portal = self.names.portals.get(&name)?;
        if let Effect::None = portal.effect() {
            return portal.prepared.tag();
        }
        let portal = portal.clone();
        let portal = self.confirmed_inner(portal.effect()).map_or(portal, Portal::new);
        if is_risky(portal.effect()) {
            self.names.portals.insert(&name, portal.clone().after_run());
        }
        self.confirm_effect(portal.effect(), tag.unwrap_or_default(), &portal.prepared.made);
        portal.prepared.tag()
    }

    fn statement_done(&mut self, tag: Option<&[u8]>) -> Option<TagChange> {
        let Some(Entry::Query(query)) = self.pending.head() else { return None };
        let next = query.next;
        query.next += 1;
        let statement = query.plan.statements.get(next)?;
        if let Effect::None = statement.effect {
            return statement.tag;
        }
        let (plan, generation) = (Arc::clone(&query.plan), query.generation);
        let statement = plan.statements.get(next)?;
        match &statement.effect {
            effect @ Effect::Execute(_) => {
                let inner = self.confirmed_inner(effect)?;
                self.confirm_effect(inner.effect(), tag.unwrap_or_default(), &inner.made);
                return inner.tag();
            }
            effect => {
                let made = self.confirmed_circumstances(generation)?;
                self.confirm_effect(effect, tag.unwrap_or_default(), &made);
            }
        }
        statement.tag
    }

    /// A copy ends with the server's word, not with the client's (K1).
    fn end_copy(&mut self) {
        if std::mem::take(&mut self.copying) {
            self.pending.drop_copy_end();
        }
        self.copy_in = false;
    }

    fn ready_for_query(&mut self, body: &[u8]) -> Give {
        let status = body.first().copied().unwrap_or(b'I');
        if self.ground.is_none() {
            self.want = Some(Want::Role);
            return Give::Wait;
        }
        if self.schema_changed && (status == b'I' || self.schema_committed) {
            self.status = status;
            self.want = Some(Want::Refresh);
            return Give::Wait;
        }
        self.ready(status);
        Give::Stream
    }

    #[cold]
    fn error(&mut self, body: &[u8], out: &mut Outlet<'_>) -> Give {
        let Some(mut fields) = Fields::read(body) else {
            self.fail(b"");
            return Give::Stream;
        };
        let code = fields.get(b'C').unwrap_or_default();
        if self.is_cut && code == SqlState::QUERY_CANCELED.0.as_bytes() && self.pending.ends() <= 1 {
            return Give::Cancelled;
        }
        let encoding = self.confirmed.current().client_encoding;
        let (plan, complaint) = self.blamed();
        // Anything but the syntax error that was asked for is the server's own affair: a cancel, a shutdown.
        let words: Option<Words> = match complaint {
            Some(complaint) if code == b"42601" && complaint.is_met(plan.as_deref(), &fields, encoding) => {
                Some(complaint.words(plan.as_deref(), encoding))
            }
            None if code == b"22P02" => Complaint::dead_key(plan.as_deref(), &fields)
                .map(|complaint| complaint.words(plan.as_deref(), encoding)),
            _ => None,
        };
        let context = OwnContext::of(&fields, self.runs_block()).filter(|_| words.is_none());
        self.fail(code);
        let position = match &words {
            Some(_) => None,
            None => carried(plan.as_deref(), &fields, encoding),
        };
        let message = match &words {
            Some(_) => None,
            None => own_message(plan.as_deref(), &fields),
        };
        if let Some(words) = &words {
            words.put_into(&mut fields);
        } else if position.is_none() && message.is_none() && context.is_none() {
            return Give::Stream;
        }
        if let Some(context) = &context {
            context.put_into(&mut fields);
        }
        for (code, text) in [(b'P', position.as_deref().map(str::as_bytes)), (b'M', message.as_deref())] {
            if let Some(text) = text {
                fields.set(code, text);
            }
        }
        out.instead(|client| fields.put(client, b'E'))
    }

    #[cold]
    fn notice(&mut self, body: &[u8], out: &mut Outlet<'_>) -> Give {
        let encoding = self.confirmed.current().client_encoding;
        let (Some(mut fields), (plan, _)) = (Fields::read(body), self.blamed()) else { return Give::Stream };
        let position = carried(plan.as_deref(), &fields, encoding);
        let context = OwnContext::of(&fields, self.runs_block());
        if position.is_none() && context.is_none() {
            return Give::Stream;
        }
        if let Some(position) = &position {
            fields.set(b'P', position.as_bytes());
        }
        if let Some(context) = &context {
            context.put_into(&mut fields);
        }
        out.instead(|client| fields.put(client, b'N'))
    }

    /// The text that an error or notice arriving now is about, and why Sexton made it fail, if it did.
    fn blamed(&mut self) -> (Option<Arc<Plan>>, Option<Complaint>) {
        let refused = |plan: Option<&Arc<Plan>>| plan.and_then(|plan| plan.refusal.clone()).map(Complaint::Refused);
        let names = &self.names;
        let of_statement = |name: &[u8]| names.statements.get(name).and_then(|it| it.plan().cloned());
        let of_portal = |name: &[u8]| names.portals.get(name).and_then(|it| it.prepared.plan().cloned());
        match self.pending.head() {
            Some(Entry::Parse { prepared, complaint, .. }) => {
                let plan = prepared.plan();
                (plan.cloned(), complaint.as_deref().cloned().or_else(|| refused(plan)))
            }
            Some(Entry::Query(query)) => {
                let complaint = query.complaint.as_deref().cloned().or_else(|| refused(Some(&query.plan)));
                (Some(Arc::clone(&query.plan)), complaint)
            }
            Some(Entry::Bind { statement: name, .. } | Entry::DescribeStatement { name }) => (of_statement(name), None),
            Some(Entry::Execute { portal } | Entry::DescribePortal { portal }) => (of_portal(portal), None),
            _ => (None, None),
        }
    }

    /// What the statement that runs does to the session, and how its tag is brought back.
    fn running(&mut self) -> Option<(&Effect, Option<TagChange>)> {
        match self.pending.head()? {
            Entry::Query(query) => query.plan.statements.get(query.next).map(|it| (&it.effect, it.tag)),
            Entry::Execute { portal } => self.names.portals.get(portal).map(|it| (it.effect(), it.prepared.tag())),
            _ => None,
        }
    }

    /// True where the statement that runs is one of the client's inside a block of ours.
    fn runs_block(&mut self) -> bool {
        matches!(self.running(), Some((_, Some(TagChange::DropTable))))
    }

    /// What an ErrorResponse does to the queue.
    fn fail(&mut self, code: &[u8]) {
        self.batch_failed = true;
        // Of all that it may do, it may have committed some before it failed.
        self.may_have_committed |= matches!(self.running(), Some((Effect::Unsettled { .. }, _)));
        let copying = std::mem::take(&mut self.copying);
        self.copy_in = false;
        match self.pending.head() {
            None | Some(Entry::Sync | Entry::FunctionCall) => {}
            Some(Entry::Query(_)) => {
                if copying && code == b"08P01" {
                    self.pending.drop_offender_in_copy();
                } else if copying {
                    self.pending.drop_copy_end();
                }
            }
            Some(_) => self.skipping = !self.pending.skip_to_sync(),
        }
        self.mispredicted = true;
    }

    /// The reported values have the last word on what they are (R7, R14).
    fn parameter_status(&mut self, body: &[u8]) {
        let Some((name, value)) = backend::parameter_status(body) else { return };
        let start = self.ground.is_none();
        let Ok(value) = std::str::from_utf8(value) else { return };
        match name {
            b"standard_conforming_strings" => {
                let on = value == "on";
                if start || self.confirmed.current().standard_conforming_strings != on {
                    self.report(start, |state| state.standard_conforming_strings = on);
                }
            }
            b"client_encoding" => {
                let encoding = Encoding::from_name(value);
                if start || self.confirmed.current().client_encoding != encoding {
                    self.report(start, |state| state.client_encoding = encoding);
                }
            }
            b"search_path" => {
                let path = SearchPath::Known(value.to_owned());
                if start || self.confirmed.current().search_path != path {
                    self.report(start, |state| state.search_path = path.clone());
                }
            }
            _ => {}
        }
    }
}

/// The position to give in place of the server's.
fn carried(plan: Option<&Plan>, fields: &Fields<'_>, encoding: Encoding) -> Option<String> {
    original_position(plan?, fields.get(b'P')?, encoding)
}
