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

use bytes::BytesMut;
use sexton::catalog::{RoleFacts, Snapshot};
use sexton::config::Database;
use sexton::rewrite::outcome::{Effect, Setting, TagChange};
use sexton::rewrite::registry::Bound;
use sexton::rewrite::state::{Changes, SearchPath};
use sexton::rewrite::{Reason, Refusal, Registry};
use sexton::session::cache::PlanCache;
use sexton::session::plan::{Plan, StatementPlan};
use sexton::session::settings::Settings;
use sexton::session::{ClientStep, Planner, ServerStep, Session, Want};
use sexton::sql::edit::{Edit, Edits};
use sexton::wire::frame::LengthFault;
use sexton::wire::startup::{First, first};

use crate::support::messages::{BACKEND, FRONTEND, message};

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
        Self::with(cut, plan)
    }

    fn with(cut: bool, planner: Planner) -> Self {
        let packet = b"\0\0\0\x15\0\x03\0\0user\0tester\0\0";
        let Ok(Some((First::Startup(startup), _))) = first(packet) else { panic!("a startup packet") };
        let mut play = Self {
            cut,
            session: Session::new(&startup, planner),
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
        let (taken, step) = self.session.client_bytes(&self.from_client, &mut self.to_server);
        taken.settle(&mut self.from_client, &mut self.to_server);
        self.step = step;
        assert!(!matches!(self.step, ClientStep::Fault(_)));
    }

    fn take_server(&mut self) {
        let (taken, step) = self.session.server_bytes(&self.from_server, &mut self.to_client);
        taken.settle(&mut self.from_server, &mut self.to_client);
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

/// The stand-in for the rules: `users` is registered while the search path is not `other`.
fn plan(text: &[u8], settings: &Settings, _role: &RoleFacts, _registry: &Registry) -> Plan {
    let source = std::str::from_utf8(text).expect("UTF-8");
    let mut settings = settings.clone();
    let mut plan = Plan {
        client_text: text.to_vec(),
        upstream_text: None,
        edits: Edits::default(),
        refusal: None,
        statements: Arc::default(),
        depends: source.contains("users"),
        is_blind_to_constants: false,
        is_planned: false,
    };
    if let Some(offset) = source.find("FORBIDDEN") {
        return plan.refused(Refusal { reason: Reason::Encoding, offset: Some(offset) });
    }
    let (mut edits, mut statements) = (Vec::new(), Vec::new());
    let mut start = 0;
    for part in source.split(';') {
        if !part.trim().is_empty() {
            let at = start + part.len() - part.trim_start().len();
            let statement = decide(part.trim(), at, &settings, &mut edits);
            settings.apply(&statement.effect);
            statements.push(statement);
        }
        start += part.len() + 1;
    }
    plan.statements = statements.into();
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
        edits.push(Edit {
            start: at + start,
            end: at + start + length,
            text: text.as_bytes().into(),
            cause: at + start,
        });
    };
    let name = |index: usize| words.get(index).map_or(String::new(), |word| (*word).to_owned());
    let path = |local| Effect::Set { local, setting: Setting::SearchPath(words.last().map(|word| (*word).to_owned())) };
    let (tag, effect) = match words[0] {
        "BEGIN" => (None, Effect::Begin),
        "COMMIT" => (None, Effect::Commit { chain: text.ends_with("AND CHAIN") }),
        "ROLLBACK" => (None, Effect::Rollback { chain: false }),
        "SET" if words[1] == "LOCAL" => (None, path(true)),
        "SET" => (None, path(false)),
        "CREATE" => (None, Effect::Schema(Changes::of_everything())),
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

#[test]
fn a_reply_that_is_kept_back_has_no_body() {
    // Whether it has arrived or not.
    for body in [&b""[..], b"x"] {
        let mut play = Play::new(false);
        for line in [
            "F Parse \"s\" \"DELETE FROM users\"",
            "f Parse \"s\" \"UPDATE users SET gone\"",
            "FF Sync",
            "BB ParseComplete",
            "BB ReadyForQuery I",
            "FF Query \"SET search_path = other\"",
            "BB CommandComplete \"SET\"",
            "BB ReadyForQuery I",
            "F Bind \"\" \"s\"",
            "f Close S \"s\"",
            "f Parse \"s\" \"DELETE FROM users\"",
            "f Bind \"\" \"s\"",
        ] {
            play.line(line).expect("as written");
        }
        play.from_server.extend_from_slice(&[b"3\0\0\0\x05", body].concat());
        let (_, step) = play.session.server_bytes(&play.from_server, &mut play.to_client);
        assert_eq!(step, ServerStep::Fault(LengthFault { tag: b'3', length: 5 }));
    }
}

thread_local! {
    static DECIDED: std::cell::Cell<usize> = const { std::cell::Cell::new(0) };
}

fn counted(text: &[u8], settings: &Settings, role: &RoleFacts, registry: &Registry) -> Plan {
    DECIDED.set(DECIDED.get() + 1);
    plan(text, settings, role, registry)
}

#[test]
fn a_long_statement_that_must_wait_is_not_decided_at_each_reply() {
    let mut play = Play::with(false, counted);
    let long = format!("Query \"SET search_path = other -- {}\"", "x".repeat(100_000));
    for line in ["FF Query \"SELECT 1\"", &format!("F {long}"), "hold"] {
        play.line(line).expect("as written");
    }
    let before = DECIDED.get();
    for _ in 0..100 {
        play.line("BB DataRow").expect("as written");
    }
    assert_eq!(DECIDED.get(), before);
    for line in ["BB CommandComplete \"SELECT 100\"", "B ReadyForQuery I", "b ReadyForQuery I", &format!("f {long}")] {
        play.line(line).expect("as written");
    }
}
