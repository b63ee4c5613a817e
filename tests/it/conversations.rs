//! The wire twin: whole conversations from `tests/conversations/*.txt`, sent to the server itself and to Sexton, and
//! answered in the same bytes, but for keys and process ids.
//!
//! A conversation starts with `== title` and has a connection of its own. A line is a message as `support/messages.rs`
//! reads it, or one of these:
//!
//! ```text
//! startup NAME VALUE      a parameter of the startup packet
//! until X                 sends nothing more before a message of that type has come that no earlier line waited for
//! asleep                  waits until the server runs pg_sleep
//! other SQL               another session, past Sexton, runs it; $pid is the server process of the conversation
//! only unregistered       said of a conversation that a registered table changes
//! ```
//!
//! At the end the client closes its direction and reads to the end of the answers (X2). Each conversation is sent to a Sexton
//! with nothing registered and to one with registered tables of which no row is deleted: in one write, cut in two at some
//! bytes (`SEXTON_CUTS=all`: at every byte), byte by byte, and with the server's answers coming byte by byte. So are
//! random conversations; `SEXTON_TALKS` says how many, `SEXTON_SEED` where they start.

use std::fmt::Write as _;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::path::Path;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use sexton::cli::demo::cluster::Cluster;

use crate::support::cluster;
use crate::support::database::Database;
use crate::support::messages::{FRONTEND, message};
use crate::support::offline::number;
use crate::support::random::Random;
use crate::support::raw::startup_packet;
use crate::support::sexton::Sexton;

/// What is waited for longer than this does not come.
const PATIENCE: Duration = Duration::from_secs(30);
/// Long enough for a reader on this machine to take what was written before the next write.
const BETWEEN_WRITES: Duration = Duration::from_millis(2);
const BETWEEN_BYTES: Duration = Duration::from_micros(100);
/// Places where a conversation is cut in two, unless `SEXTON_CUTS` says otherwise.
const CUTS: usize = 4;
/// Random conversations, unless `SEXTON_TALKS` says otherwise.
const TALKS: u64 = 300;
/// Messages shown of two that differ.
const SHOWN: usize = 3;
/// Conversations played at the same time.
const WORKERS: usize = 4;

const NOTHING: &str = "[databases.\"*\"]\n";
const REGISTERED: &str = "[databases.\"*\".tables.users]\ndelete = \"soft\"\n\n\
                          [databases.\"*\".tables.orders]\ndelete = \"archive\"\n";

const SCHEMA: &str = "
    CREATE TABLE users (id int PRIMARY KEY, name text, deleted_at timestamptz);
    INSERT INTO users VALUES (1, 'ann'), (2, 'bob'), (3, 'cid');
    CREATE TABLE orders (id int PRIMARY KEY, cents int);
    INSERT INTO orders VALUES (1, 100), (2, 200);
    CREATE TABLE orders_archive (LIKE orders, archived_at timestamptz);
    CREATE TABLE items (id int PRIMARY KEY, name text);
    INSERT INTO items VALUES (1, 'pen'), (2, 'ink');
    CREATE TABLE copied (id int, name text CHECK (name <> 'bad'));
    CREATE TABLE nothing ();
    INSERT INTO nothing DEFAULT VALUES;
    CREATE TABLE noisy (id int);
    CREATE FUNCTION say() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN RAISE NOTICE 'row %', NEW.id; RETURN NEW; END$$;
    CREATE TRIGGER say BEFORE INSERT ON noisy FOR EACH ROW EXECUTE FUNCTION say()";

mod random;

/// What a server says, message by message.
type Messages = Vec<Vec<u8>>;

enum Step {
    Send(Vec<u8>),
    Until(u8),
    Asleep,
    Other(String),
}

struct Conversation {
    title: String,
    startup: Vec<(String, String)>,
    steps: Vec<Step>,
    only_unregistered: bool,
    /// A refusal that `README.md` tells of: where it is answered nothing more is compared.
    may_refuse: Option<&'static [u8]>,
}

/// How the client's bytes are written.
#[derive(Debug, Clone, Copy)]
enum Writes {
    Whole,
    CutAt(usize),
    Bytewise,
}

#[test]
fn conversations_are_answered_in_the_servers_own_bytes() {
    let Some(twins) = Twins::start("conversations::conversations_are_answered…") else { return };
    twins.compare(&read(), |conversation, random| {
        let mut writes = vec![Writes::Whole, Writes::Bytewise];
        writes.extend(cuts(conversation.bytes(), random).into_iter().map(Writes::CutAt));
        writes
    });
}

#[test]
fn random_conversations_are_answered_in_the_servers_own_bytes() {
    let Some(twins) = Twins::start("conversations::random_conversations_are_answered…") else { return };
    let first = number("SEXTON_SEED").unwrap_or(1) << 32;
    let count = number("SEXTON_TALKS").unwrap_or(TALKS);
    let conversations: Vec<_> = (first..first + count).map(random::conversation).collect();
    twins.compare(&conversations, |_, _| vec![Writes::Whole]);
}

/// The server, and the Sextons that must not differ from it.
struct Twins {
    cluster: &'static Cluster,
    unregistered: Sexton,
    registered: Sexton,
    /// Registered, and the server's answers come byte by byte.
    slow: Sexton,
}

impl Twins {
    fn start(test: &str) -> Option<Self> {
        let cluster = cluster::shared(test)?;
        Some(Self {
            cluster,
            unregistered: Sexton::start(cluster.port(), NOTHING),
            registered: Sexton::start(cluster.port(), REGISTERED),
            slow: Sexton::start(bytewise_relay(cluster.port()), REGISTERED),
        })
    }

    fn compare(
        &self,
        conversations: &[Conversation],
        writes: impl Fn(&Conversation, &mut Random) -> Vec<Writes> + Sync,
    ) {
        let queue = Mutex::new(conversations.iter());
        let faults = Mutex::new(Vec::new());
        std::thread::scope(|scope| {
            for _ in 0..WORKERS {
                scope.spawn(|| {
                    let database = Database::create(self.cluster, "conversation");
                    database.run(SCHEMA);
                    let mut random = Random::new(1);
                    while let Some(conversation) = { queue.lock().expect("no panic").next() } {
                        let writes = writes(conversation, &mut random);
                        let found = self.differences(conversation, &database, &writes);
                        faults.lock().expect("no panic").extend(found);
                    }
                });
            }
        });
        let faults = faults.into_inner().expect("no panic");
        assert!(faults.is_empty(), "{} differences\n{}", faults.len(), faults.join("\n"));
    }

    fn differences(&self, conversation: &Conversation, database: &Database, writes: &[Writes]) -> Vec<String> {
        let expected = conversation.play(database.port, database, Writes::Whole);
        let mut ways: Vec<(&str, &Sexton, Writes)> = Vec::new();
        ways.extend(writes.iter().map(|writes| ("nothing registered", &self.unregistered, *writes)));
        if !conversation.only_unregistered {
            ways.extend(writes.iter().map(|writes| ("registered", &self.registered, *writes)));
            ways.push(("registered, answers byte by byte", &self.slow, Writes::Whole));
        }
        ways.into_iter()
            .filter_map(|(what, sexton, writes)| {
                let found = conversation.play(sexton.port, database, writes);
                let refused = conversation.may_refuse.is_some_and(|words| {
                    found.iter().any(|message| message.windows(words.len()).any(|part| part == words))
                });
                let fault = (found != expected && !refused).then(|| difference(&expected, &found))?;
                Some(format!("== {} ({what}, {writes:?})\n{fault}", conversation.title))
            })
            .collect()
    }
}

fn cuts(bytes: usize, random: &mut Random) -> Vec<usize> {
    match std::env::var("SEXTON_CUTS").as_deref() {
        Ok("all") => (1..bytes).collect(),
        _ => (0..CUTS).map(|_| random.below(bytes.max(2) - 1) + 1).collect(),
    }
}

fn read() -> Vec<Conversation> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/conversations");
    let mut conversations: Vec<Conversation> = Vec::new();
    for entry in std::fs::read_dir(folder).expect("the folder is there") {
        let path = entry.expect("readable").path();
        for (index, line) in std::fs::read_to_string(&path).expect("UTF-8").lines().enumerate() {
            let line = line.trim();
            if let Some(title) = line.strip_prefix("== ") {
                let title = title.to_owned();
                let (startup, steps) = (Vec::new(), Vec::new());
                conversations.push(Conversation { title, startup, steps, only_unregistered: false, may_refuse: None });
            } else if !line.is_empty() && !line.starts_with('#') {
                let read = conversations.last_mut().ok_or("no title above".to_owned()).and_then(|it| it.line(line));
                read.unwrap_or_else(|fault| panic!("{}:{}: {fault}", path.display(), index + 1));
            }
        }
    }
    assert!(!conversations.is_empty(), "no conversations");
    conversations
}

impl Conversation {
    fn line(&mut self, line: &str) -> Result<(), String> {
        match line.split_once(' ').unwrap_or((line, "")) {
            ("startup", rest) => {
                let (name, value) = rest.split_once(' ').ok_or("startup NAME VALUE")?;
                self.startup.push((name.to_owned(), value.to_owned()));
            }
            ("until", kind) => self.steps.push(Step::Until(*kind.as_bytes().first().ok_or("until what?")?)),
            ("asleep", "") => self.steps.push(Step::Asleep),
            ("other", sql) => self.steps.push(Step::Other(sql.to_owned())),
            ("only", "unregistered") => self.only_unregistered = true,
            _ => {
                let bytes = message(line, &FRONTEND)?;
                match self.steps.last_mut() {
                    Some(Step::Send(sent)) => sent.extend(bytes),
                    _ => self.steps.push(Step::Send(bytes)),
                }
            }
        }
        Ok(())
    }

    fn bytes(&self) -> usize {
        self.steps.iter().map(|step| if let Step::Send(bytes) = step { bytes.len() } else { 0 }).sum()
    }

    /// Everything the server says after the startup packet, message by message.
    fn play(&self, port: u16, database: &Database, writes: Writes) -> Messages {
        self.try_play(port, database, writes).unwrap_or_else(|(heard, error)| {
            panic!("== {} ({writes:?}): {error}, after\n{}", self.title, shown(&heard))
        })
    }

    fn try_play(&self, port: u16, database: &Database, writes: Writes) -> Result<Messages, (Messages, io::Error)> {
        let mut line = Line::open(port, &database.name, &self.startup).map_err(|error| (Vec::new(), error))?;
        let mut sent = 0;
        for step in &self.steps {
            let done = match step {
                Step::Send(bytes) => {
                    line.send(bytes, sent, writes);
                    sent += bytes.len();
                    Ok(())
                }
                Step::Until(kind) => line.until(*kind),
                Step::Asleep => {
                    let waiting =
                        format!("SELECT FROM pg_stat_activity WHERE pid = {} AND wait_event = 'PgSleep'", line.pid);
                    let mut direct = database.direct();
                    let deadline = Instant::now() + PATIENCE;
                    while direct.expect(&waiting)[0].rows.is_empty() && Instant::now() < deadline {
                        std::thread::sleep(BETWEEN_WRITES);
                    }
                    Ok(())
                }
                Step::Other(sql) => {
                    database.direct().expect(&sql.replace("$pid", &line.pid.to_string()));
                    Ok(())
                }
            };
            done.map_err(|error| (std::mem::take(&mut line.heard), error))?;
        }
        // Where the server has closed already there is nothing left to close.
        let _ = line.stream.shutdown(Shutdown::Write);
        line.read_to_the_end().map_err(|error| (std::mem::take(&mut line.heard), error))?;
        Ok(line.heard)
    }
}

/// One connection, and what has been heard on it.
struct Line {
    stream: TcpStream,
    unread: Vec<u8>,
    heard: Messages,
    /// Messages that have been waited for, or came before one that was.
    awaited: usize,
    pid: u32,
}

impl Line {
    fn open(port: u16, database: &str, more: &[(String, String)]) -> io::Result<Self> {
        let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        let mut line = Self { stream, unread: Vec::new(), heard: Vec::new(), awaited: 0, pid: 0 };
        let mut parameters = vec![("user", "postgres"), ("database", database)];
        parameters.extend(more.iter().map(|(name, value)| (name.as_str(), value.as_str())));
        line.stream.write_all(&startup_packet(&parameters))?;
        line.until(b'Z')?;
        Ok(line)
    }

    /// Writes `bytes`, before which `before` have been written. A server that has closed is noticed in reading.
    fn send(&mut self, bytes: &[u8], before: usize, writes: Writes) {
        let _ = match writes {
            Writes::CutAt(at) if (before + 1..before + bytes.len()).contains(&at) => {
                let (first, second) = bytes.split_at(at - before);
                self.stream.write_all(first).and_then(|()| {
                    std::thread::sleep(BETWEEN_WRITES);
                    self.stream.write_all(second)
                })
            }
            Writes::Whole | Writes::CutAt(_) => self.stream.write_all(bytes),
            Writes::Bytewise => bytes.iter().try_for_each(|byte| {
                std::thread::sleep(BETWEEN_BYTES);
                self.stream.write_all(&[*byte])
            }),
        };
    }

    fn until(&mut self, kind: u8) -> io::Result<()> {
        loop {
            while self.awaited < self.heard.len() {
                self.awaited += 1;
                if self.heard[self.awaited - 1][0] == kind {
                    return Ok(());
                }
            }
            if self.read()? == 0 {
                return Err(io::Error::other(format!("the connection ended before {}", char::from(kind))));
            }
        }
    }

    fn read_to_the_end(&mut self) -> io::Result<()> {
        while self.read()? > 0 {}
        // Half a message is shown as what it is.
        let rest = std::mem::take(&mut self.unread);
        self.heard.extend(Some(rest).filter(|rest| !rest.is_empty()));
        Ok(())
    }

    fn read(&mut self) -> io::Result<usize> {
        let mut buffer = [0; 16 * 1024];
        let bytes = match self.stream.read(&mut buffer) {
            // A server that closes with bytes unread resets the connection: the end all the same.
            Err(error) if error.kind() == ErrorKind::ConnectionReset => 0,
            read => read?,
        };
        self.unread.extend(&buffer[..bytes]);
        while let Some(length) = self.unread.get(1..5) {
            let length = u32::from_be_bytes([length[0], length[1], length[2], length[3]]) as usize + 1;
            if self.unread.len() < length {
                break;
            }
            let mut message: Vec<u8> = self.unread.drain(..length).collect();
            match message[0] {
                b'K' => {
                    self.pid = u32::from_be_bytes([message[5], message[6], message[7], message[8]]);
                    message[5..].fill(0);
                }
                b'A' => message[5..9].fill(0),
                _ => {}
            }
            self.heard.push(message);
        }
        Ok(bytes)
    }
}

fn shown(messages: &[Vec<u8>]) -> String {
    let mut text = String::new();
    for message in messages {
        let long = message.len() > 400;
        let (start, rest) = message.split_at(message.len().min(400));
        let _ = writeln!(
            text,
            "   {}{}",
            start.escape_ascii(),
            if long { format!("… and {}", rest.len()) } else { String::new() }
        );
    }
    text
}

fn difference(expected: &[Vec<u8>], found: &[Vec<u8>]) -> String {
    let same = expected.iter().zip(found).take_while(|(one, other)| one == other).count();
    let next = |all: &[Vec<u8>]| shown(&all[same..all.len().min(same + SHOWN)]);
    format!("after {same} messages the server says\n{}and Sexton\n{}", next(expected), next(found))
}

/// Stands in front of the server and passes its answers on byte by byte; the other direction as it comes.
fn bytewise_relay(server_port: u16) -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
    let port = listener.local_addr().expect("a bound port").port();
    std::thread::spawn(move || {
        for client in listener.incoming().flatten() {
            let Ok(server) = TcpStream::connect((Ipv4Addr::LOCALHOST, server_port)) else { continue };
            let both =
                [(client.try_clone(), server.try_clone(), false), (server.try_clone(), client.try_clone(), true)];
            for (from, to, bytewise) in both {
                let (Ok(from), Ok(to)) = (from, to) else { continue };
                std::thread::spawn(move || carry(from, to, bytewise));
            }
        }
    });
    port
}

fn carry(mut from: TcpStream, mut to: TcpStream, bytewise: bool) -> io::Result<()> {
    to.set_nodelay(true)?;
    let mut buffer = [0; 16 * 1024];
    loop {
        let bytes = from.read(&mut buffer)?;
        if bytes == 0 {
            return to.shutdown(Shutdown::Write);
        }
        // Long results are for the other twins.
        let step = if bytewise && bytes < 4096 { 1 } else { bytes };
        buffer[..bytes].chunks(step).try_for_each(|part| to.write_all(part))?;
    }
}
