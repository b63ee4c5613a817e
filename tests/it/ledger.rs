//! The ledger: while rows come and go, proxies and sessions are killed. Every row ever committed is live, marked or
//! archived afterwards, once, and no live row points to a deleted one.
//!
//! `SEXTON_LEDGER` sets the seconds, `SEXTON_SEED` the seed.

use std::collections::BTreeMap;
use std::io;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use ::sexton::cli::demo::cluster::Cluster;

use crate::support::cluster;
use crate::support::database::Database;
use crate::support::random::Random;
use crate::support::raw::{Raw, Reply};
use crate::support::sexton::{Sexton, apply};

/// Seconds of a run when `SEXTON_LEDGER` does not say otherwise.
const SECONDS: u64 = 4;

const WORKERS: usize = 6;

const PROXIES: usize = 2;

/// Killed proxies and sessions come at most this often.
const KILL_EVERY: Duration = Duration::from_millis(60);

const SCHEMA: &str = "
    CREATE TABLE accounts (
        id int PRIMARY KEY, boss_id int REFERENCES accounts ON DELETE CASCADE, email text UNIQUE, deleted_at timestamptz);
    CREATE TABLE orders (id int PRIMARY KEY, account_id int REFERENCES accounts ON DELETE CASCADE);
    CREATE TABLE lines (
        id int PRIMARY KEY, order_id int REFERENCES orders ON DELETE CASCADE, deleted boolean NOT NULL DEFAULT false);
    CREATE TABLE notes (
        id int PRIMARY KEY, account_id int REFERENCES accounts ON DELETE SET NULL, deleted_at timestamptz);
    CREATE TABLE badges (
        id int PRIMARY KEY, account_id int REFERENCES accounts DEFERRABLE INITIALLY DEFERRED, deleted_at timestamptz);";

const CONFIG: &str = r#"
[databases."*".tables.accounts]
delete = "soft"
archive = "archive.accounts"
[databases."*".tables.orders]
delete = "archive"
archive = "archive.orders"
[databases."*".tables.lines]
delete = "soft"
column = "deleted"
archive = "archive.lines"
[databases."*".tables.notes]
delete = "soft"
archive = "archive.notes"
[databases."*".tables.badges]
delete = "soft"
archive = "archive.badges"
"#;

/// A table, the column that refers to another one, that table, and what holds for its own live rows.
const TABLES: [(&str, &str, &str, &str); 5] = [
    ("accounts", "boss_id", "accounts", "deleted_at IS NULL"),
    ("orders", "account_id", "accounts", "true"),
    ("lines", "order_id", "orders", "NOT deleted"),
    ("notes", "account_id", "accounts", "deleted_at IS NULL"),
    ("badges", "account_id", "accounts", "deleted_at IS NULL"),
];

/// What became of an inserted row's transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Committed,
    /// The connection was lost before the answer came.
    Unknown,
}

/// A row: its table's place in [`TABLES`] and its id.
type Row = (usize, usize);

/// What all threads share.
struct Ground {
    database: Database,
    config: String,
    proxies: [Mutex<Sexton>; PROXIES],
    /// The ids given out so far.
    ids: AtomicUsize,
    over: AtomicBool,
    ledger: Mutex<BTreeMap<Row, Fate>>,
}

impl Ground {
    fn connect(&self, random: &mut Random) -> io::Result<Raw> {
        let port = self.proxies[random.below(PROXIES)].lock().unwrap_or_else(PoisonError::into_inner).port;
        Raw::connect(port, Cluster::SUPERUSER, &self.database.name)
    }

    fn enter(&self, rows: &[Row], fate: Fate) {
        let mut ledger = self.ledger.lock().unwrap_or_else(PoisonError::into_inner);
        ledger.extend(rows.iter().map(|row| (*row, fate)));
    }

    /// Transactions until it is over. Connections are lost, and made again.
    fn work(&self, mut random: Random) {
        let mut connection: Option<Raw> = None;
        while !self.over.load(Ordering::Relaxed) {
            let Some(open) = connection.as_mut() else {
                connection = self.connect(&mut random).ok();
                thread::sleep(Duration::from_millis(5));
                continue;
            };
            let (statements, inserted) = self.transaction(&mut random);
            match run(open, &statements, random.chance(40)) {
                Ended::Committed => self.enter(&inserted, Fate::Committed),
                Ended::RolledBack => {}
                Ended::LostBefore => connection = None,
                Ended::LostAtCommit => {
                    self.enter(&inserted, Fate::Unknown);
                    connection = None;
                }
            }
        }
    }

    /// Statements that belong together, and the rows they insert.
    fn transaction(&self, random: &mut Random) -> (Vec<String>, Vec<Row>) {
        let (mut statements, mut inserted) = (Vec::new(), Vec::new());
        for _ in 0..=random.below(3) {
            let number = random.below(TABLES.len());
            let (table, reference, _, _) = TABLES[number];
            let newest = self.ids.load(Ordering::Relaxed);
            // Rows of late, which others are at work on too.
            let recent = newest.saturating_sub(random.below(60));
            if random.chance(65) {
                let id = self.ids.fetch_add(1, Ordering::Relaxed) + 1;
                let (more, value) = match number {
                    0 => (", email", format!(", 'e{}'", random.below(400))),
                    _ => ("", String::new()),
                };
                let parent = if number == 0 && random.chance(60) { "NULL".to_owned() } else { recent.to_string() };
                let parent = match TABLES[number].2 {
                    // Whatever there is, so that most inserts find a parent.
                    parents if parent != "NULL" => format!("(SELECT max(id) FROM {parents} WHERE id <= {parent})"),
                    _ => parent,
                };
                statements.push(format!("INSERT INTO {table} (id, {reference}{more}) VALUES ({id}, {parent}{value})"));
                inserted.push((number, id));
            } else if random.chance(50) {
                statements
                    .push(format!("DELETE FROM {table} WHERE id = (SELECT max(id) FROM {table} WHERE id <= {recent})"));
            } else {
                statements.push(format!("DELETE FROM {table} WHERE {reference} = {recent}"));
            }
        }
        (statements, inserted)
    }

    /// Kills proxies and sessions until it is over; answers with how many of each.
    fn kill(&self, mut random: Random) -> (usize, usize) {
        let (mut proxies, mut sessions) = (0, 0);
        let mut server = self.database.direct();
        while !self.over.load(Ordering::Relaxed) {
            thread::sleep(KILL_EVERY);
            if random.chance(30) {
                let mut proxy = self.proxies[random.below(PROXIES)].lock().unwrap_or_else(PoisonError::into_inner);
                proxy.kill();
                *proxy = started(&self.database, &self.config);
                proxies += 1;
            } else {
                let victim = server.expect(
                    "SELECT count(pg_terminate_backend(pid)) FROM (SELECT pid FROM pg_stat_activity \
                     WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend' \
                     ORDER BY random() LIMIT 1) one",
                );
                sessions += victim[0].texts()[0][0].parse::<usize>().expect("a count");
            }
        }
        (proxies, sessions)
    }
}

/// How a transaction ended.
enum Ended {
    Committed,
    RolledBack,
    /// Before anything could be committed.
    LostBefore,
    LostAtCommit,
}

/// Runs the statements in one transaction: one message, or a message each.
fn run(connection: &mut Raw, statements: &[String], at_once: bool) -> Ended {
    let failed = |replies: &[Reply]| replies.iter().any(|reply| reply.error.is_some());
    let committed = |replies: io::Result<Vec<Reply>>| match replies {
        Ok(replies)
            if failed(&replies) || replies.last().and_then(|reply| reply.tag.as_deref()) == Some("ROLLBACK") =>
        {
            // A session that is being ended says so in an error and does not commit.
            Ended::RolledBack
        }
        Ok(_) => Ended::Committed,
        Err(_) => Ended::LostAtCommit,
    };
    if at_once {
        return committed(connection.try_simple(&statements.join("; ")));
    }
    for statement in [vec!["BEGIN".to_owned()], statements.to_vec()].concat() {
        match connection.try_simple(&statement) {
            Err(_) => return Ended::LostBefore,
            Ok(replies) if failed(&replies) => {
                return if connection.try_simple("ROLLBACK").is_ok() { Ended::RolledBack } else { Ended::LostBefore };
            }
            Ok(_) => {}
        }
    }
    committed(connection.try_simple("COMMIT"))
}

fn ids(server: &mut Raw, query: &str) -> Vec<usize> {
    server.expect(query)[0].texts().iter().map(|row| row[0].parse().expect("an id")).collect()
}

/// Every row is where it should be.
fn check(ground: &Ground) {
    let ledger = ground.ledger.lock().unwrap_or_else(PoisonError::into_inner);
    let mut server = ground.database.direct();
    let deadline = Instant::now() + Duration::from_secs(20);
    let others = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND state <> 'idle' \
                  AND backend_type = 'client backend' AND pid <> pg_backend_pid()";
    while server.expect(others)[0].texts()[0][0] != "0" {
        assert!(Instant::now() < deadline, "what was left behind goes on");
        thread::sleep(Duration::from_millis(20));
    }
    for (number, (table, reference, parents, live)) in TABLES.into_iter().enumerate() {
        let alive = ids(&mut server, &format!("SELECT id FROM {table} WHERE {live}"));
        let marked = ids(&mut server, &format!("SELECT id FROM {table} WHERE NOT ({live})"));
        let archived = ids(&mut server, &format!("SELECT id FROM archive.{table}"));
        eprintln!("ledger: {table}: {} live, {} marked, {} archived", alive.len(), marked.len(), archived.len());
        let mut found: BTreeMap<usize, usize> = BTreeMap::new();
        for id in alive.iter().chain(&marked).chain(&archived) {
            *found.entry(*id).or_default() += 1;
        }
        for (id, count) in &found {
            assert!(*count == 1, "{table} {id} is there {count} times");
            assert!(ledger.contains_key(&(number, *id)), "{table} {id} is there and was rolled back");
        }
        for ((_, id), fate) in ledger.range((number, 0)..(number + 1, 0)) {
            assert!(found.contains_key(id) || *fate == Fate::Unknown, "{table} {id} was committed and is lost");
        }
        let parents_live = TABLES.iter().find(|(name, ..)| *name == parents).map_or("true", |table| table.3);
        let orphans = ids(
            &mut server,
            &format!(
                "SELECT id FROM {table} WHERE {live} AND {reference} IS NOT NULL \
                 AND {reference} NOT IN (SELECT id FROM {parents} WHERE {parents_live})"
            ),
        );
        assert!(orphans.is_empty(), "{table} {orphans:?} are live and point to no live row of {parents}");
    }
}

/// A proxy that serves: it listens before it has read the catalog, and ends where that connection is ended.
fn started(database: &Database, config: &str) -> Sexton {
    let proxy = Sexton::start(database.port, config);
    drop(proxy.connect(Cluster::SUPERUSER, &database.name));
    proxy
}

#[test]
fn every_row_ever_committed_is_somewhere() {
    let Some(cluster) = cluster::shared("ledger::every_row_ever_committed_is_somewhere") else { return };
    let number = |variable: &str| std::env::var(variable).ok().map(|text| text.parse::<u64>().expect("a number"));
    let (seed, seconds) = (number("SEXTON_SEED").unwrap_or(1), number("SEXTON_LEDGER").unwrap_or(SECONDS));
    let database = Database::create(cluster, "ledger");
    database.run(SCHEMA);
    let config = CONFIG.replace("\"*\"", &database.name);
    apply(database.port, &config);
    let proxies = [(); PROXIES].map(|()| Mutex::new(started(&database, &config)));
    let (ids, over, ledger) = (AtomicUsize::new(0), AtomicBool::new(false), Mutex::new(BTreeMap::new()));
    let ground = Ground { database, config, proxies, ids, over, ledger };
    let (proxies, sessions) = thread::scope(|scope| {
        for worker in 0..WORKERS {
            let ground = &ground;
            scope.spawn(move || ground.work(Random::new(seed * 100 + worker as u64)));
        }
        let killer = scope.spawn(|| ground.kill(Random::new(seed)));
        thread::sleep(Duration::from_secs(seconds));
        ground.over.store(true, Ordering::Relaxed);
        killer.join().expect("the killer ends")
    });
    let unknown = |ledger: &BTreeMap<Row, Fate>| ledger.values().filter(|fate| **fate == Fate::Unknown).count();
    {
        let ledger = ground.ledger.lock().unwrap_or_else(PoisonError::into_inner);
        eprintln!(
            "ledger: seed {seed}, {seconds} s: {} rows committed, {} of unknown fate, {proxies} proxies and {sessions} sessions killed",
            ledger.len() - unknown(&ledger),
            unknown(&ledger)
        );
        assert!(ledger.len() > 100 && proxies > 0 && sessions > 0, "the run tested little");
    }
    check(&ground);
}
