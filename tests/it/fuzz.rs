//! Random and damaged bytes against the readers of what a peer sends, first packets, SCRAM, frames, tokens and plans, and
//! against a session between a client and a server of which neither keeps to the protocol.
//!
//! Each target takes any bytes and must return, quickly and without a panic, and keep what it promises about them.
//! The default run takes a few seconds; `tests/run --fuzz SECONDS` sets `SEXTON_FUZZ`, `SEXTON_SEED` chooses the seed.
//! Whether the tokens are PostgreSQL's own is held against its scanner in `tests/oracle`.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::{Buf, BytesMut};
use sexton::session::cache::PlanCache;
use sexton::session::plan::Plan;
use sexton::session::{ClientStep, ServerStep, Session, Want};
use sexton::sql::lexer::{Kind, lex};
use sexton::sql::split::statements;
use sexton::wire::authentication::{self, Request};
use sexton::wire::scram::{ClientFirst, Login, Verifier};
use sexton::wire::startup::{First, first};
use sexton::wire::{frame, frontend, proxy_protocol, startup};

use crate::support::offline::{self, Offline, number};
use crate::support::random::Random;
use crate::support::{mutate, raw};

/// How long each target runs when `SEXTON_FUZZ` does not say otherwise.
const SECONDS: u64 = 3;

/// One input may take this long, in a debug build on a busy machine.
const INPUT_TIME_MAX: Duration = Duration::from_secs(10);

/// Batches under way at once, and what it may take when all of them fail, in a debug build on a busy machine.
const DEEP: usize = 10_000;
const ERRORS_TIME_MAX: Duration = Duration::from_secs(2);

/// Longest text made.
const TEXT_BYTES_MAX: usize = 100_000;

/// A stream of frames in any state of repair: what is cut is cut the same whole and in pieces.
pub(crate) fn fuzz_frame(bytes: &[u8]) {
    for header in [frame::frontend_header, frame::backend_header] {
        let mut rest = bytes;
        while let Ok(Some(head)) = header(rest) {
            assert!(head.frame_bytes() >= frame::HEADER_BYTES);
            // Five bytes decide, and what follows them does not.
            assert_eq!(header(&rest[..frame::HEADER_BYTES]), Ok(Some(head)));
            let Some(frame) = rest.get(..head.frame_bytes()) else { break };
            fuzz_body(&frame[frame::HEADER_BYTES..]);
            rest = &rest[head.frame_bytes()..];
        }
    }
    fuzz_body(bytes);
}

/// Every reader of a body, over a body of any kind.
fn fuzz_body(body: &[u8]) {
    if let Some(text) = frontend::query(body) {
        assert!(text.len() < body.len() && !text.contains(&0));
    }
    if let Some(parse) = frontend::parse(body) {
        assert_eq!(parse.name.len() + parse.query.len() + 2 + parse.types.len(), body.len());
    }
    let _ = frontend::bind_names(body);
    let _ = frontend::target(body);
    let _ = frontend::execute(body);
}

/// First bytes of any kind: no byte of what follows a packet has a part in it.
pub(crate) fn fuzz_startup(bytes: &[u8]) {
    if let Ok(Some((first, taken))) = startup::first(bytes) {
        assert!((8..=bytes.len()).contains(&taken));
        assert_eq!(startup::first(&bytes[..taken]), Ok(Some((first.clone(), taken))));
        assert_eq!(startup::first(&bytes[..taken - 1]), Ok(None));
        if let startup::First::Startup(startup) = first {
            assert!(startup.user().len() <= startup::NAME_BYTES_MAX);
            let _ = (startup.setting("search_path"), startup.replication());
            startup.put_negotiation(&mut bytes::BytesMut::new());
        }
    }
    match proxy_protocol::header(bytes) {
        Ok(Some((_, taken))) => assert_eq!(proxy_protocol::header(&bytes[..taken - 1]), Ok(None)),
        Ok(None) => assert!(proxy_protocol::bytes_wanted(bytes) > 0),
        Err(_) => {}
    }
}

/// A SCRAM message of any kind, from a client and from a server (A3): nothing is proven by it.
pub(crate) fn fuzz_scram(bytes: &[u8]) {
    let verifier = "SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:\
                    wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=";
    let verifier = Verifier::read(verifier);
    let _ = authentication::sasl_initial_response(bytes);
    let _ = Request::read(bytes);
    let asked = Login::new("abc").challenged(b"r=abcdef,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096").map(|it| it.asked);
    if let (Ok(first), Ok(asked)) = (ClientFirst::read(bytes), &asked) {
        assert!(first.challenge("n", asked).message().starts_with("r="));
    }
    if let (Ok(first), Ok(asked)) = (ClientFirst::read(b"n,,n=,r=x"), &asked) {
        let proven = first.challenge("n", asked).verify(bytes, b"", verifier.as_ref());
        assert!(proven.is_err() || proven.is_ok_and(|proven| proven.is_none()));
    }
    if let Ok(challenged) = Login::new("abc").challenged(bytes) {
        assert!(verifier.is_none_or(|verifier| !challenged.is_server(bytes, &verifier)));
    }
    let _ = std::str::from_utf8(bytes).map(Verifier::read);
}

/// Any text: tokens are in order, do not overlap, leave only white space and comments, and pieces are made of them.
pub(crate) fn fuzz_lex(bytes: &[u8]) {
    for standard_conforming_strings in [true, false] {
        let Ok(tokens) = lex(bytes, standard_conforming_strings) else { continue };
        let mut at = 0;
        for token in &tokens {
            assert!(at <= token.start && token.start < token.end && token.end <= bytes.len(), "{token:?}");
            assert!(token.keyword.is_none() || token.kind == Kind::Word, "{token:?}");
            at = token.end;
        }
        for piece in statements(&tokens) {
            assert!(piece.first < piece.end && piece.end <= tokens.len());
        }
        // A gap alone is no token.
        let gaps = tokens.windows(2).map(|pair| &bytes[pair[0].end..pair[1].start]);
        for gap in gaps {
            assert_eq!(
                lex(gap, standard_conforming_strings).map(|tokens| tokens.len()),
                Ok(0),
                "{}",
                gap.escape_ascii()
            );
        }
    }
}

/// Any text, planned: twice the same, and undone to what it was.
pub(crate) fn fuzz_plan(bytes: &[u8], offline: &Offline) {
    let plan = offline.plan(bytes);
    assert_eq!(plan.client_text, bytes);
    if let Some(upstream) = &plan.upstream_text
        && plan.refusal.is_none()
    {
        assert_eq!(plan.edits.apply(bytes), *upstream);
        assert!(!plan.edits.is_empty());
    }
    if let Some(refusal) = &plan.refusal {
        assert!(refusal.offset.is_none_or(|offset| offset <= bytes.len()));
        assert!(refusal.message().starts_with("sexton:"));
    }
    for offset in [0, bytes.len() / 2, bytes.len()] {
        let there = plan.edits.edited_offset(offset);
        assert!(plan.edits.original_offset(there) <= bytes.len());
    }
}

/// What Sexton may add of its own to one message, besides what the rules put into a statement.
const ADDED_BYTES_MAX: usize = 2048;

/// Pieces of a client's and a server's bytes in turn, each with who sent it and its length in front: the session takes them
/// all, holds back no more than one message, and makes no more of them than there were.
pub(crate) fn fuzz_session(bytes: &[u8], offline: &Offline) {
    let packet = b"\0\0\0\x12\0\x03\0\0user\0app\0\0";
    let Ok(Some((First::Startup(startup), _))) = first(packet) else { panic!("a startup packet") };
    let mut session = Session::new(&startup, Plan::new);
    let (mut inputs, mut outputs) = ([BytesMut::new(), BytesMut::new()], [BytesMut::new(), BytesMut::new()]);
    let (mut sent, mut made, mut messages) = ([0, 0], [0, 0], 0);
    let mut rest = bytes;
    let mut ended = false;
    while rest.len() >= 3 && !ended {
        let side = usize::from(rest.get_u8() & 1);
        let length = usize::from(rest.get_u16()).min(rest.len());
        let (piece, behind) = rest.split_at(length);
        rest = behind;
        inputs[side].extend_from_slice(piece);
        sent[side] += length;
        messages += length / frame::HEADER_BYTES + 1;
        let [from_client, from_server] = &mut inputs;
        let [to_client, to_server] = &mut outputs;
        // A relay goes on after each step until nothing moves.
        loop {
            let before = (from_client.len(), from_server.len(), session.want());
            let (taken, step) = session.server_bytes(from_server, to_client);
            taken.settle(from_server, to_client);
            ended |= matches!(step, ServerStep::Fault(_));
            let (taken, step) = session.client_bytes(from_client, to_server);
            taken.settle(from_client, to_server);
            ended |= matches!(step, ClientStep::Fault(_) | ClientStep::OutOfPlace(_));
            match session.want() {
                Some(Want::Role) => {
                    let begun = session.begin(
                        offline.role.clone(),
                        Arc::clone(&offline.registry),
                        Arc::new(PlanCache::default()),
                    );
                    assert!(begun.is_ok(), "scope live is everybody's");
                }
                Some(Want::Refresh) => session.refreshed(None),
                None => {}
            }
            if ended || before == (from_client.len(), from_server.len(), session.want()) {
                break;
            }
        }
        for (made, output) in made.iter_mut().zip(&mut outputs) {
            *made += output.len();
            output.clear();
        }
    }
    let grown = |side: usize| sent[side] + messages * ADDED_BYTES_MAX;
    assert!(made[0] <= grown(1), "{} bytes became {} for the client", sent[1], made[0]);
    // A predicate is put in for every reference, of which there is at most one every two bytes.
    assert!(made[1] <= sent[0] * ADDED_BYTES_MAX / 2 + grown(0), "{} bytes became {} for the server", sent[0], made[1]);
}

/// Messages of either side, mostly in an order that makes sense, in any state of repair.
fn conversations() -> impl FnMut(&mut Random) -> Vec<u8> {
    let mut text = texts();
    move |random| {
        let mut script = Vec::new();
        let login = [raw::message(b'R', &[0, 0, 0, 0]), raw::message(b'Z', b"I")].concat();
        script.extend(piece(1, &login));
        for _ in 0..random.below(30) {
            let side = random.below(2);
            let mut sent = Vec::new();
            for _ in 0..=random.below(4) {
                sent.extend(if side == 0 { of_client(random, &mut text) } else { of_server(random) });
            }
            if random.chance(15) {
                sent = mutate::bytes(&sent, random);
            }
            let cut = random.below(sent.len() + 1);
            for part in [&sent[..cut], &sent[cut..]] {
                script.extend(piece(side as u8, part));
            }
        }
        if random.chance(10) { mutate::bytes(&script, random) } else { script }
    }
}

fn piece(side: u8, bytes: &[u8]) -> Vec<u8> {
    bytes
        .chunks(usize::from(u16::MAX))
        .flat_map(|part| [&[side], (part.len() as u16).to_be_bytes().as_slice(), part].concat())
        .collect()
}

fn of_client(random: &mut Random, text: &mut impl FnMut(&mut Random) -> Vec<u8>) -> Vec<u8> {
    let name = *random.pick(&["", "s", "t"]);
    match random.below(16) {
        0..=2 => raw::query_bytes(&text(random)),
        3 => raw::query(random.pick::<&str>(&[
            "BEGIN",
            "COMMIT",
            "SET search_path = billing",
            "DISCARD ALL",
            "DEALLOCATE s",
        ])),
        4 | 5 => raw::parse(name, &String::from_utf8_lossy(&text(random)).replace('\0', "")),
        6 | 7 => raw::bind(name, &[], random.chance(50)),
        8 => raw::execute(random.below(3) as u32),
        9 => raw::describe_portal(),
        10 => raw::message(b'C', format!("{}{name}\0", random.pick(&["S", "P"])).as_bytes()),
        11 | 12 => raw::sync(),
        13 => raw::message(*random.pick(b"dcfH"), b""),
        14 => raw::message(b'F', &[0, 0, 0, 177, 0, 0, 0, 0, 0, 0]),
        _ => raw::message((random.bits() & 0xff) as u8, &vec![0; random.below(20)]),
    }
}

fn of_server(random: &mut Random) -> Vec<u8> {
    match random.below(12) {
        0 => raw::message(b'1', b""),
        1 => raw::message(b'2', b""),
        2 | 3 => {
            raw::message(b'C', random.pick(&["UPDATE 1\0", "SET\0", "CREATE TABLE\0", "COMMIT\0", "x"]).as_bytes())
        }
        4 | 5 => raw::message(b'Z', random.pick(&["I", "T", "E", ""]).as_bytes()),
        6 => {
            let code = random.pick(&["42601", "08P01", "22P02", "57P01"]);
            raw::message(b'E', format!("SERROR\0C{code}\0Mno \n;)\0P{}\0\0", random.below(99)).as_bytes())
        }
        7 => raw::message(*random.pick(b"GHW"), &[0, 0, 0]),
        8 => raw::message(*random.pick(b"3nstITDdcANV"), &vec![0; random.below(20)]),
        9 => raw::message(b'S', random.pick(&["client_encoding\0SJIS\0", "search_path\0other\0", "x"]).as_bytes()),
        _ => raw::message((random.bits() & 0xff) as u8, &vec![1; random.below(20)]),
    }
}

/// Runs `target` on one input after the other for as long as the run is; answers how many there were.
fn run(name: &str, mut input: impl FnMut(&mut Random) -> Vec<u8>, mut target: impl FnMut(&[u8])) {
    let seed = number("SEXTON_SEED").unwrap_or(1);
    let mut random = Random::new(seed);
    let end = Instant::now() + Duration::from_secs(number("SEXTON_FUZZ").unwrap_or(SECONDS));
    let mut inputs = 0u64;
    let mut slowest = Duration::ZERO;
    while Instant::now() < end {
        let bytes = input(&mut random);
        let started = Instant::now();
        let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| target(&bytes)));
        let taken = started.elapsed();
        slowest = slowest.max(taken);
        assert!(outcome.is_ok(), "{name}, seed {seed}, input {inputs}: {}", bytes.escape_ascii());
        assert!(taken < INPUT_TIME_MAX, "{name}, seed {seed}, input {inputs}, {taken:?}: {}", bytes.escape_ascii());
        inputs += 1;
    }
    eprintln!("fuzz: {name}: seed {seed}, {inputs} inputs, slowest {slowest:?}");
}

/// Statements of the cases in any state of repair; now and then a long one.
fn texts() -> impl FnMut(&mut Random) -> Vec<u8> {
    let cases: Vec<String> = offline::cases().into_iter().map(|case| case.sql).collect();
    move |random| match random.below(10) {
        0..=2 => mutate::soup(random, 60).into_bytes(),
        3 => (0..random.below(200)).map(|_| (random.bits() & 0xff) as u8).collect(),
        4 if random.chance(3) => {
            let text = format!("{} ", random.pick::<String>(&cases));
            let times = random.below(TEXT_BYTES_MAX / text.len() + 1);
            mutate::bytes(text.repeat(times).as_bytes(), random)
        }
        _ => mutate::bytes(random.pick::<String>(&cases).as_bytes(), random),
    }
}

#[test]
fn first_packets_of_any_bytes() {
    let whole: [&[u8]; 6] = [
        b"\0\0\0\x26\0\x03\0\0user\0ann\0options\0-c a=b\0_pq_.x\0\0\0",
        b"\0\0\0\x08\x04\xd2\x16\x2f",
        b"\0\0\0\x10\x04\xd2\x16\x2eaaaabbbb",
        b"PROXY TCP4 10.9.8.7 127.0.0.1 257 5432\r\n",
        b"PROXY TCP6 ::1 ::1 257 5432\r\n",
        b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0caaaabbbbccdd",
    ];
    let input = |random: &mut Random| mutate::bytes(random.pick::<&[u8]>(&whole), random);
    run("startup", input, fuzz_startup);
}

#[test]
fn scram_of_any_bytes() {
    let whole: [&[u8]; 7] = [
        b"n,,n=,r=rOprNGfwEbeRWgbNEkqO",
        b"p=tls-server-end-point,,n=user,r=x",
        b"r=abcdef,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096",
        b"c=biws,r=xn,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=",
        b"v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=",
        b"SCRAM-SHA-256\0\0\0\0\x09n,,n=,r=x",
        b"SCRAM-SHA-256$4096:AAAA$WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:AAAA",
    ];
    let input = |random: &mut Random| mutate::bytes(random.pick::<&[u8]>(&whole), random);
    run("scram", input, fuzz_scram);
}

#[test]
fn frames_of_any_bytes() {
    let input = |random: &mut Random| {
        let mut stream = Vec::new();
        for _ in 0..random.below(5) {
            stream.extend(match random.below(4) {
                0 => raw::query(&mutate::soup(random, 8)),
                1 => raw::parse("s", &mutate::soup(random, 8)),
                2 => raw::bind("s", &[None, Some("x")], random.chance(50)),
                _ => raw::execute(random.below(9) as u32),
            });
        }
        if random.chance(70) { mutate::bytes(&stream, random) } else { stream }
    };
    run("frame", input, fuzz_frame);
}

#[test]
fn tokens_of_any_bytes() {
    run("lex", texts(), fuzz_lex);
}

#[test]
fn plans_of_any_bytes() {
    let offline = Offline::cases();
    run("plan", texts(), |bytes| fuzz_plan(bytes, &offline));
}

#[test]
fn sessions_between_any_bytes() {
    let offline = Offline::cases();
    run("session", conversations(), |bytes| fuzz_session(bytes, &offline));
}

/// Errors in a deep pipeline: what is still owed behind one is no reason to go through it all again.
#[test]
fn many_errors_end_quickly() {
    let offline = Offline::cases();
    let begun = [raw::message(b'R', &[0; 4]), raw::message(b'Z', b"I")].concat();
    let asked = [raw::execute(0), raw::sync()].concat();
    let answered = [raw::message(b'E', b"SERROR\0C42P01\0Mno\0\0"), raw::message(b'Z', b"I")].concat();
    let bytes = [piece(1, &begun), piece(0, &asked.repeat(DEEP)), piece(1, &answered.repeat(DEEP))].concat();
    let started = Instant::now();
    fuzz_session(&bytes, &offline);
    let taken = started.elapsed();
    assert!(taken < ERRORS_TIME_MAX, "{taken:?} for {DEEP} errors");
}
