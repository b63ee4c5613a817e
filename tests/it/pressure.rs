//! What is long, much or many: nothing is collected that can be passed on, and no direction waits for the other (F2, F11).
//!
//! The default sizes take seconds. `SEXTON_MEGABYTES` sets that of rows, statements and copies (1000: PostgreSQL's limit),
//! `SEXTON_IDLE` how many connections do nothing. What is measured is printed.

use std::io::Write;
use std::thread;
use std::time::{Duration, Instant};

use sexton::cli::demo::cluster::Cluster;

use crate::support::cluster;
use crate::support::database::Database;
use crate::support::ground::Ground;
use crate::support::hollow::{HOLLOW, HOLLOW_ROLE, hollow_server, welcome};
use crate::support::offline::number;
use crate::support::raw::{Raw, bind, execute, message, parse, query_bytes, run_text, sync};
use crate::support::sexton::Sexton;

const SCHEMA: &str = "
    CREATE TABLE users (id int PRIMARY KEY, name text, deleted_at timestamptz);
    INSERT INTO users VALUES (1, 'ann');
    CREATE TABLE lines (line text)";

const CONFIG: &str = "[listen]\nmax_connections = 20000\n[databases.\"*\".tables.users]\ndelete = \"soft\"\n";

const BINDS: usize = 100_000;

/// What is passed on may be in flight this much in each direction, buffers on their way back to the system included,
/// and pages of the program itself that are touched for the first time.
const PASSING_BYTES_MAX: usize = 8 << 20;
/// What a connection that does nothing may take.
const IDLE_BYTES_MAX: usize = 8 * 1024;
/// Sessions at work beside those, and how much each does.
const BUSY: usize = 16;
const QUERIES: usize = 200;
/// What other programs may add to the 99th percentile of what these take.
const NOISE: Duration = Duration::from_millis(20);

fn megabytes() -> usize {
    number("SEXTON_MEGABYTES").unwrap_or(48) as usize
}

fn ground(test: &str) -> Option<Ground> {
    Ground::new(test, SCHEMA, CONFIG)
}

/// Reads to ReadyForQuery; how many messages of each type there were, by type, and all their bytes.
fn counted(connection: &mut Raw) -> ([usize; 256], usize) {
    let (mut types, mut bytes) = ([0; 256], 0);
    loop {
        let (kind, body) = connection.read_message().expect("an answer");
        types[usize::from(kind)] += 1;
        bytes += body.len() + 5;
        if kind == b'Z' {
            return (types, bytes);
        }
    }
}

#[test]
fn a_hundred_thousand_binds_are_answered_to_a_client_that_reads_at_the_end() {
    let Some(ground) = ground("pressure::a_hundred_thousand_binds…") else { return };
    let mut connection = ground.connect();
    let one = bind("s", &[Some("1")], false);
    let all = [parse("s", "SELECT name FROM users WHERE id = $1"), one.repeat(BINDS), sync()].concat();
    connection.send(&all).expect("it can be written without reading");
    let (types, _) = counted(&mut connection);
    assert_eq!((types[usize::from(b'1')], types[usize::from(b'2')]), (1, BINDS));
    assert_eq!(connection.expect("SELECT name FROM users")[0].texts(), [["ann"]]);
}

#[test]
fn a_client_that_does_not_read_fills_nothing_but_the_ways_there() {
    let Some(ground) = ground("pressure::a_client_that_does_not_read…") else { return };
    let mut connection = ground.connect();
    connection.send(&[run_text("SELECT repeat('x', 500) FROM users"), sync()].concat()).expect("sent");
    counted(&mut connection);
    let before = ground.sexton.memory();
    // White space around a number is no part of it.
    let one = [bind("s", &[Some(&format!("1{}", " ".repeat(400)))], false), execute(0)].concat();
    let all = [parse("s", "SELECT repeat('x', 500) FROM users WHERE id = $1"), one.repeat(BINDS), sync()].concat();
    let mut writer = connection.second_handle();
    let writing = thread::spawn(move || writer.write_all(&all).expect("once it is read on, all of it is written"));
    // Until both ways are full, as they would be with the server alone.
    thread::sleep(Duration::from_secs(1));
    assert!(!writing.is_finished(), "more than the sockets hold was taken");
    let stalled = ground.sexton.memory().saturating_sub(before);
    let (types, bytes) = counted(&mut connection);
    writing.join().expect("written");
    assert_eq!((types[usize::from(b'2')], types[usize::from(b'D')]), (BINDS, BINDS));
    eprintln!("pressure: {bytes} bytes of answers held back in {stalled} bytes");
    assert!(stalled < 3 * PASSING_BYTES_MAX, "{stalled} bytes are held");
}

#[test]
fn long_rows_and_copies_pass_through_a_small_memory() {
    let Some(ground) = ground("pressure::long_rows_and_copies…") else { return };
    let bytes = megabytes() << 20;
    let mut connection = ground.connect();
    connection.expect("SELECT 1");
    let before = ground.sexton.memory();
    let measured = |what: &str| {
        let most = ground.sexton.most_memory().saturating_sub(before);
        eprintln!("pressure: {what} of {bytes} bytes: at most {most} bytes more");
    };
    let row = format!("SELECT repeat('x', {bytes}) FROM users");
    connection.send(&query_bytes(row.as_bytes())).expect("sent");
    assert!(counted(&mut connection).1 > bytes);
    measured("a row");
    connection
        .send(&query_bytes(b"COPY (SELECT repeat('x', 1000) FROM generate_series(1, 50000)) TO STDOUT"))
        .expect("sent");
    assert!(counted(&mut connection).1 > 50_000_000);
    measured("a row and a copy out");
    connection.send(&query_bytes(b"BEGIN; COPY lines FROM STDIN")).expect("sent");
    let line = message(b'd', &[vec![b'y'; 65_000], vec![b'\n']].concat());
    for _ in 0..bytes / line.len() {
        connection.send(&line).expect("sent");
    }
    connection.send(&[message(b'c', b""), query_bytes(b"ROLLBACK")].concat()).expect("sent");
    counted(&mut connection);
    counted(&mut connection);
    measured("a row and a copy each way");
    // A long parameter.
    let mut body = b"\0s\0\0\0\0\x01".to_vec();
    body.extend((bytes as u32).to_be_bytes());
    body.resize(body.len() + bytes, b'z');
    body.extend([0, 0]);
    let batch = [parse("s", "SELECT length($1::text) FROM users"), message(b'B', &body), execute(0), sync()].concat();
    connection.send(&batch).expect("sent");
    assert_eq!(counted(&mut connection).0[usize::from(b'D')], 1);
    let most = ground.sexton.most_memory().saturating_sub(before);
    measured("a row, a copy each way, and a parameter");
    assert!(most < 4 * PASSING_BYTES_MAX, "{most} bytes");
}

#[test]
fn a_long_statement_takes_a_bounded_multiple_of_its_length() {
    let Some(ground) = ground("pressure::a_long_statement…") else { return };
    let bytes = (megabytes() << 20) - 100;
    let literal = format!("SELECT length('{}') FROM users", "x".repeat(bytes));
    let values = format!("SELECT count(*) FROM users, (VALUES (1){}) v", ",(1)".repeat(bytes / 64));
    for (what, sql, times) in [("one literal", literal, 6), ("many tokens", values, 80)] {
        let mut connection = ground.connect();
        let patience = Duration::from_secs(30 + megabytes() as u64);
        connection.second_handle().set_read_timeout(Some(patience)).expect("a timeout can be set");
        let before = ground.sexton.memory();
        let started = Instant::now();
        connection.send(&query_bytes(sql.as_bytes())).expect("sent");
        let answered = counted(&mut connection).0;
        let most = ground.sexton.most_memory().saturating_sub(before);
        eprintln!("pressure: {what} of {} bytes: at most {most} bytes more, {:?}", sql.len(), started.elapsed());
        assert!(most < sql.len() * times + 2 * PASSING_BYTES_MAX, "{what}: {most} bytes");
        // The server itself takes no literal of more than half a gigabyte.
        let mut direct = ground.database.direct();
        direct.second_handle().set_read_timeout(Some(patience)).expect("a timeout can be set");
        direct.send(&query_bytes(sql.as_bytes())).expect("sent");
        assert_eq!(answered, counted(&mut direct).0, "{what}");
        assert!(megabytes() > 500 || answered[usize::from(b'D')] == 1, "{what}");
    }
    for _ in 0..20 {
        ground.connect().expect("SELECT name FROM users");
        thread::sleep(Duration::from_millis(50));
    }
    eprintln!("pressure: afterwards {} bytes", ground.sexton.memory());
}

#[test]
fn connections_that_do_nothing_take_next_to_nothing() {
    let Some(cluster) = cluster::shared("pressure::connections_that_do_nothing…") else { return };
    let database = Database::create(cluster, "idle");
    database.run("CREATE TABLE users (id int, deleted_at timestamptz)");
    database.run(HOLLOW_ROLE);
    let sexton = Sexton::start(hollow_server(cluster.port(), welcome()), CONFIG);
    let idle = number("SEXTON_IDLE").unwrap_or(1_500) as usize;
    let open = |count: usize| -> Vec<Raw> { (0..count).map(|_| sexton.connect(HOLLOW, &database.name)).collect() };
    rlimit::increase_nofile_limit(rlimit::INFINITY).expect("open files up to the hard limit");
    // Memory comes in steps of 2 MiB: with fewer connections one step more or less would decide.
    let warm = open(50);
    let alone = slowest_percent(&sexton, &database);
    let before = sexton.memory();
    let held = open(idle);
    let each = sexton.memory().saturating_sub(before) / idle;
    let beside = slowest_percent(&sexton, &database);
    eprintln!(
        "pressure: {idle} idle connections, {each} bytes each; p99 of busy ones {alone:?}, beside them {beside:?}"
    );
    assert!(each <= IDLE_BYTES_MAX, "{each} bytes each");
    assert!(beside <= 2 * alone + NOISE, "{alone:?}, {beside:?}");
    drop((warm, held));
}

/// The 99th percentile of what a query takes, over [`BUSY`] sessions at once.
fn slowest_percent(sexton: &Sexton, database: &Database) -> Duration {
    let mut times: Vec<Duration> = thread::scope(|scope| {
        let busy = || {
            let mut connection = sexton.connect(Cluster::SUPERUSER, &database.name);
            let ask = |_| {
                let started = Instant::now();
                connection.expect("SELECT id FROM users");
                started.elapsed()
            };
            (0..QUERIES).map(ask).collect::<Vec<_>>()
        };
        let threads: Vec<_> = (0..BUSY).map(|_| scope.spawn(busy)).collect();
        threads.into_iter().flat_map(|thread| thread.join().expect("every query is answered")).collect()
    });
    times.sort_unstable();
    times[times.len() * 99 / 100]
}
