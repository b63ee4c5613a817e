//! Whole conversations from `tests/traces/*.txt`, played against a session without any socket.
//!
//! A line is a message, in libpq's trace style:
//!
//! ```text
//! F  what the client sends        f  what arrives at the server
//! B  what the server sends        b  what arrives at the client
//! FF, BB                          sent, and arrives as it was sent
//! hold                            the client's next message waits
//! lost                            the client's next message ends the connection
//! refresh                         the session asked for a catalog reading, and gets a new registry
//! reload                          a new registry comes unasked
//! ```
//!
//! Each conversation is played twice: in whole messages, and cut at every byte. The rules are a small stand-in of this
//! file's, so that only the session is under test.

use std::path::Path;
use std::sync::Arc;

use bytes::{BufMut, BytesMut};
use sexton::catalog::{RoleFacts, Snapshot};
use sexton::config::Database;
use sexton::rewrite::outcome::{Effect, Setting, TagChange};
use sexton::rewrite::registry::Bound;
use sexton::rewrite::state::SearchPath;
use sexton::rewrite::{Reason, Refusal, Registry};
use sexton::session::cache::PlanCache;
use sexton::session::plan::{Plan, StatementPlan};
use sexton::session::settings::Settings;
use sexton::session::{ClientStep, ServerStep, Session, Want};
use sexton::sql::edit::{Edit, Edits};
use sexton::wire::startup::{First, first};

#[test]
fn conversations_go_as_written() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/traces");
    let mut played = 0;
    for entry in std::fs::read_dir(folder).expect("the folder is there") {
        let path = entry.expect("readable").path();
        let text = std::fs::read_to_string(&path).expect("UTF-8");
        for cut in [false, true] {
            let mut play = Play::new(cut);
            for (index, line) in text.lines().enumerate() {
                if let Err(fault) = play.line(line) {
                    panic!("{}:{} (cut: {cut}): {line}\n{fault}", path.display(), index + 1);
                }
            }
            play.quiet().unwrap_or_else(|fault| panic!("{} at its end (cut: {cut}): {fault}", path.display()));
        }
        played += 1;
    }
    assert!(played > 0, "no traces");
}

struct Play {
    cut: bool,
    session: Session,
    from_client: BytesMut,
    from_server: BytesMut,
    to_client: BytesMut,
    to_server: BytesMut,
    step: ClientStep,
    generation: u64,
}

impl Play {
    fn new(cut: bool) -> Self {
        let packet = b"\0\0\0\x15\0\x03\0\0user\0tester\0\0";
        let Ok(Some((First::Startup(startup), _))) = first(packet) else { panic!("a startup packet") };
        let mut play = Self {
            cut,
            session: Session::new(&startup, plan),
            from_client: BytesMut::new(),
            from_server: BytesMut::new(),
            to_client: BytesMut::new(),
            to_server: BytesMut::new(),
            step: ClientStep::NeedMore,
            generation: 1,
        };
        play.session
            .begin(RoleFacts::ordinary("tester"), play.registry(), Arc::new(PlanCache::default()))
            .expect("live scope");
        play
    }

    fn registry(&self) -> Arc<Registry> {
        let (registry, _) =
            Registry::build(&Database::default(), Arc::new(Snapshot::default()), &Bound::default(), self.generation);
        Arc::new(registry)
    }

    fn line(&mut self, line: &str) -> Result<(), String> {
        let line = line.trim();
        let (who, what) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
        match who {
            "" | "#" => {}
            "F" => self.client(&message(what, &FRONTEND)?)?,
            "B" => self.server(&message(what, &BACKEND)?)?,
            "f" => arrived(&mut self.to_server, &message(what, &FRONTEND)?)?,
            "b" => arrived(&mut self.to_client, &message(what, &BACKEND)?)?,
            "FF" => {
                let bytes = message(what, &FRONTEND)?;
                self.client(&bytes)?;
                arrived(&mut self.to_server, &bytes)?;
            }
            "BB" => {
                let bytes = message(what, &BACKEND)?;
                self.server(&bytes)?;
                arrived(&mut self.to_client, &bytes)?;
            }
            "hold" if self.step == ClientStep::Hold => {}
            "lost" if matches!(self.step, ClientStep::OutOfPlace(_)) => {}
            "refresh" if self.session.want() == Some(Want::Refresh) => {
                self.generation += 1;
                let registry = self.registry();
                self.session.refreshed(Some((registry, RoleFacts::ordinary("tester"))));
                self.take_server();
                self.take_client();
            }
            "reload" => {
                self.generation += 1;
                let registry = self.registry();
                self.session.set_registry(registry);
            }
            _ => return Err(format!("does not fit: step {:?}, want {:?}", self.step, self.session.want())),
        }
        Ok(())
    }

    fn quiet(&self) -> Result<(), String> {
        if self.to_server.is_empty() && self.to_client.is_empty() {
            return Ok(());
        }
        Err(format!("not foreseen: to server {:?}, to client {:?}", self.to_server, self.to_client))
    }

    fn client(&mut self, bytes: &[u8]) -> Result<(), String> {
        self.quiet()?;
        for part in bytes.chunks(if self.cut { 1 } else { bytes.len() }) {
            self.from_client.extend_from_slice(part);
            self.take_client();
        }
        Ok(())
    }

    fn server(&mut self, bytes: &[u8]) -> Result<(), String> {
        self.quiet()?;
        for part in bytes.chunks(if self.cut { 1 } else { bytes.len() }) {
            self.from_server.extend_from_slice(part);
            self.take_server();
            self.take_client();
        }
        Ok(())
    }

    fn take_client(&mut self) {
        self.step = self.session.client_bytes(&mut self.from_client, &mut self.to_server);
        assert!(!matches!(self.step, ClientStep::Fault(_)));
    }

    fn take_server(&mut self) {
        let step = self.session.server_bytes(&mut self.from_server, &mut self.to_client);
        assert!(!matches!(step, ServerStep::Fault(_)));
    }
}

fn arrived(buffer: &mut BytesMut, expected: &[u8]) -> Result<(), String> {
    let there = buffer.split_to(expected.len().min(buffer.len()));
    if there == expected {
        return Ok(());
    }
    let rest = buffer.clone();
    Err(format!("expected {:?}\narrived  {there:?} {rest:?}", BytesMut::from(expected)))
}

/// Message names with their tags, and how their arguments are laid out.
type Vocabulary = [(&'static str, u8, Layout)];

#[derive(Clone, Copy)]
enum Layout {
    /// Each argument as a string with its NUL.
    Strings,
    /// Each argument as it is.
    Raw,
    /// Strings, and behind them bytes that are the same every time.
    Tail(&'static [u8]),
    /// A kind letter, then a string.
    Kind,
    /// Pairs of a field's letter and its value.
    Fields,
}

const FRONTEND: [(&str, u8, Layout); 12] = [
    ("Query", b'Q', Layout::Strings),
    ("Parse", b'P', Layout::Tail(&[0, 0])),
    ("Bind", b'B', Layout::Tail(&[0, 0, 0, 0, 0, 0])),
    ("Describe", b'D', Layout::Kind),
    ("Execute", b'E', Layout::Tail(&[0, 0, 0, 0])),
    ("Close", b'C', Layout::Kind),
    ("Sync", b'S', Layout::Raw),
    ("Flush", b'H', Layout::Raw),
    ("CopyData", b'd', Layout::Raw),
    ("CopyDone", b'c', Layout::Raw),
    ("CopyFail", b'f', Layout::Strings),
    ("FunctionCall", b'F', Layout::Raw),
];

const BACKEND: [(&str, u8, Layout); 18] = [
    ("ParseComplete", b'1', Layout::Raw),
    ("BindComplete", b'2', Layout::Raw),
    ("CloseComplete", b'3', Layout::Raw),
    ("NoData", b'n', Layout::Raw),
    ("ParameterDescription", b't', Layout::Tail(&[0, 0])),
    ("RowDescription", b'T', Layout::Tail(&[0, 0])),
    ("DataRow", b'D', Layout::Raw),
    ("CommandComplete", b'C', Layout::Strings),
    ("EmptyQueryResponse", b'I', Layout::Raw),
    ("PortalSuspended", b's', Layout::Raw),
    ("ReadyForQuery", b'Z', Layout::Raw),
    ("ErrorResponse", b'E', Layout::Fields),
    ("NoticeResponse", b'N', Layout::Fields),
    ("ParameterStatus", b'S', Layout::Strings),
    ("CopyInResponse", b'G', Layout::Tail(&[0, 0, 0])),
    ("CopyOutResponse", b'H', Layout::Tail(&[0, 0, 0])),
    ("NotificationResponse", b'A', Layout::Raw),
    ("FunctionCallResponse", b'V', Layout::Raw),
];

fn message(text: &str, vocabulary: &Vocabulary) -> Result<Vec<u8>, String> {
    let mut words = words(text)?.into_iter();
    let name = words.next().ok_or("a message is missing")?;
    let found = vocabulary.iter().find(|(other, _, _)| other.as_bytes() == name);
    let (_, tag, layout) = found.ok_or_else(|| format!("no such message: {}", String::from_utf8_lossy(&name)))?;
    let mut body = Vec::new();
    for (index, word) in words.enumerate() {
        body.extend(&word);
        match layout {
            Layout::Strings | Layout::Tail(_) => body.push(0),
            Layout::Kind | Layout::Fields if index % 2 == 1 => body.push(0),
            Layout::Kind | Layout::Fields | Layout::Raw => {}
        }
    }
    match layout {
        Layout::Tail(tail) => body.extend(*tail),
        Layout::Fields => body.push(0),
        Layout::Strings | Layout::Kind | Layout::Raw => {}
    }
    let mut frame = vec![*tag];
    frame.put_u32(u32::try_from(body.len() + 4).expect("short"));
    frame.extend(body);
    Ok(frame)
}

/// Words, and texts in double quotes, or in tildes where they hold a double quote; `\n` is a line feed.
fn words(text: &str) -> Result<Vec<Vec<u8>>, String> {
    let mut words = Vec::new();
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        if let Some(quote @ ('"' | '~')) = rest.chars().next() {
            let quoted = &rest[1..];
            let end = quoted.find(quote).ok_or("a quote is missing")?;
            words.push(quoted[..end].replace("\\n", "\n").into_bytes());
            rest = quoted[end + 1..].trim_start();
        } else {
            let end = rest.find(char::is_whitespace).unwrap_or(rest.len());
            words.push(rest.as_bytes()[..end].to_vec());
            rest = rest[end..].trim_start();
        }
    }
    Ok(words)
}

/// The stand-in for the rules: `users` is registered while the search path is not `other`.
fn plan(text: &[u8], settings: &Settings, _role: &RoleFacts, _registry: &Registry) -> Plan {
    let source = std::str::from_utf8(text).expect("UTF-8");
    let mut settings = settings.clone();
    let mut plan = Plan {
        client_text: text.to_vec(),
        upstream_text: None,
        edits: Edits::default(),
        refusal: None,
        statements: Vec::new(),
        depends: source.contains("users"),
        is_blind_to_constants: false,
    };
    if let Some(offset) = source.find("FORBIDDEN") {
        return plan.refused(Refusal { reason: Reason::Encoding, offset: Some(offset) });
    }
    let mut edits = Vec::new();
    let mut start = 0;
    for part in source.split(';') {
        if !part.trim().is_empty() {
            let at = start + part.len() - part.trim_start().len();
            let statement = decide(part.trim(), at, &settings, &mut edits);
            settings.apply(&statement.effect);
            plan.statements.push(statement);
        }
        start += part.len() + 1;
    }
    plan.edits = Edits::new(edits).expect("disjoint");
    if !plan.edits.is_empty() {
        plan.upstream_text = Some(plan.edits.apply(text));
    }
    plan
}

fn decide(text: &str, at: usize, settings: &Settings, edits: &mut Vec<Edit>) -> StatementPlan {
    let words: Vec<&str> = text.split_whitespace().collect();
    let registered = settings.current().search_path != SearchPath::Known("other".into());
    let mut change = |start: usize, length: usize, text: &str| {
        edits.push(Edit { start: at + start, end: at + start + length, text: text.into(), cause: at + start });
    };
    let name = |index: usize| words.get(index).map_or(String::new(), |word| (*word).to_owned());
    let path = |local| Effect::Set { local, setting: Setting::SearchPath(words.last().map(|word| (*word).to_owned())) };
    let (tag, effect) = match words[0] {
        "BEGIN" => (None, Effect::Begin),
        "COMMIT" => (None, Effect::Commit { chain: false }),
        "ROLLBACK" => (None, Effect::Rollback { chain: false }),
        "SET" if words[1] == "LOCAL" => (None, path(true)),
        "SET" => (None, path(false)),
        "CREATE" => (None, Effect::Schema),
        "EXECUTE" => (None, Effect::Execute(name(1))),
        "DEALLOCATE" => (None, Effect::Deallocate(Some(name(1)).filter(|name| name != "ALL"))),
        "DISCARD" => (None, Effect::DiscardAll),
        "PREPARE" => {
            let from = text.find(" AS ").expect("PREPARE name AS") + 4;
            let before = edits.len();
            let inner = decide(&text[from..], at + from, settings, edits);
            let here = |edit: &Edit| Edit { start: edit.start - at, end: edit.end - at, ..edit.clone() };
            let own = Edits::new(edits[before..].iter().map(here).collect()).expect("disjoint");
            (
                None,
                Effect::Prepare {
                    name: name(1),
                    tag: inner.tag,
                    mentions: text.contains("users"),
                    unsettles: false,
                    source: text.into(),
                    sent: own.apply(text.as_bytes()),
                },
            )
        }
        "DELETE" if registered && text.contains("users") => {
            change(0, 11, "UPDATE");
            change(17, 0, " SET gone");
            (Some(TagChange::Delete), Effect::None)
        }
        "TRUNCATE" if registered && text.contains("users") => {
            change(0, text.len(), "UPDATE users SET gone");
            (Some(TagChange::Truncate), Effect::None)
        }
        "SELECT" if registered && text.contains("users") => {
            change(text.find("users").expect("there") + 5, 0, " /* live */");
            (None, Effect::None)
        }
        _ => (None, Effect::None),
    };
    StatementPlan { tag, effect }
}
