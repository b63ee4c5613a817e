//! `sexton apply` on a system that is in use: others' locks, killed runs, scripts.

use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use sexton::cli::demo::cluster::{Cluster, Options};

use super::Ground;
use crate::support::cluster;

const USERS: &str = "[databases.NAME.tables.users]\ndelete = \"soft\"\n";
const SCHEMA: &str = "CREATE TABLE users (id serial PRIMARY KEY, email text UNIQUE, name text, deleted_at timestamptz);
    CREATE UNIQUE INDEX users_name ON users (name);
    INSERT INTO users (email, name) SELECT n, n FROM generate_series(1, 5000) n";

#[test]
fn the_printed_script_does_what_execute_does_and_may_be_run_again() {
    let Some(cluster) = cluster::shared("check::the_printed_script…") else { return };
    let ground = Ground::new(cluster, "postgres", USERS);
    ground.database.run(SCHEMA);
    let script = ground.sexton(&["apply"]);
    assert_eq!(script.code, Some(0), "{}", script.err);
    let elsewhere = Cluster::start_with(cluster.binaries(), &Options::default()).expect("another server");
    for run in ["first", "second"] {
        // It connects to the right server and database by itself.
        let mut psql = Command::new("psql")
            .args(["-X", "-q", "-h", "127.0.0.1", "-U", "postgres", "-d", "postgres", "-p"])
            .arg(elsewhere.port().to_string())
            .stdin(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("psql runs");
        psql.stdin.take().expect("its input").write_all(script.out.as_bytes()).expect("it reads");
        let output = psql.wait_with_output().expect("psql ends");
        assert!(output.status.success(), "{run}: {}", String::from_utf8_lossy(&output.stderr));
        assert!(ground.findings(true).is_empty(), "{run}");
    }
    let indexes =
        ground.database.direct().expect("SELECT indexdef FROM pg_indexes WHERE tablename = 'users' ORDER BY 1");
    assert_eq!(
        indexes[0].texts().concat(),
        [
            "CREATE UNIQUE INDEX users_email_key ON public.users USING btree (email) WHERE (deleted_at IS NULL)",
            "CREATE UNIQUE INDEX users_name ON public.users USING btree (name) WHERE (deleted_at IS NULL)",
            "CREATE UNIQUE INDEX users_pkey ON public.users USING btree (id)",
        ]
    );
}

#[test]
fn a_killed_run_is_finished_by_the_next() {
    let Some(cluster) = cluster::shared("check::a_killed_run…") else { return };
    let ground = Ground::new(cluster, "postgres", USERS);
    ground.database.run("CREATE TABLE users (id serial PRIMARY KEY, email text, name text, deleted_at timestamptz)");
    assert_eq!(ground.apply(), [], "all but the indexes");
    ground.database.run("CREATE UNIQUE INDEX ON users (email); CREATE UNIQUE INDEX ON users (name); INSERT INTO users (name) VALUES ('a')");
    // CREATE INDEX CONCURRENTLY waits for this transaction with the index half built.
    let mut holder = ground.database.direct();
    holder.expect("BEGIN");
    holder.expect("UPDATE users SET name = name WHERE id = 1");
    let mut run = ground.command(&["apply", "--execute"]);
    let mut killed = run.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("sexton runs");
    let mut direct = ground.database.direct();
    wait_for(|| direct.expect("SELECT count(*) FROM pg_index WHERE NOT indisvalid")[0].texts() == [["1"]]);
    let other = ground.sexton(&["apply", "--execute"]);
    assert_eq!(other.code, Some(2));
    assert!(other.err.contains("another sexton command is changing the database"), "{}", other.err);
    killed.kill().expect("it is killed");
    killed.wait().expect("it ends");
    // The server notices by itself.
    wait_for(|| {
        let sql = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND database = \
                   (SELECT oid FROM pg_database WHERE datname = current_database())";
        direct.expect(sql)[0].texts() == [["0"]]
    });
    holder.expect("COMMIT");
    assert_eq!(ground.apply(), []);
    let sql = "SELECT count(*) FROM pg_indexes WHERE tablename = 'users'";
    assert_eq!(direct.expect(sql)[0].texts(), [["3"]]);
}

#[test]
fn a_table_that_somebody_has_locked_is_named_within_seconds() {
    let Some(cluster) = cluster::shared("check::a_table_that…") else { return };
    let ground = Ground::new(cluster, "postgres", USERS);
    ground.database.run("CREATE TABLE users (id serial PRIMARY KEY, deleted_at timestamptz)");
    let mut holder = ground.database.direct();
    holder.expect("BEGIN; LOCK TABLE users");
    let pid = holder.expect("SELECT pg_backend_pid()")[0].texts().concat().concat();
    let began = Instant::now();
    for arguments in [&["check"][..], &["apply", "--execute"]] {
        let ran = ground.sexton(arguments);
        assert_eq!(ran.code, Some(2), "{}", ran.out);
        let expected = format!("locked: public.users by process {pid} (postgres, idle in transaction, since 20");
        assert!(ran.err.contains("due to lock timeout") && ran.err.contains(&expected), "{}", ran.err);
    }
    assert!(began.elapsed() < Duration::from_secs(20), "{:?}", began.elapsed());
    holder.expect("COMMIT");
    assert_eq!(ground.apply(), []);
}

#[test]
fn who_keeps_a_step_waiting_is_told() {
    let Some(cluster) = cluster::shared("check::who_keeps…") else { return };
    let ground = Ground::new(cluster, "postgres", USERS);
    ground.database.run("CREATE TABLE users (id serial PRIMARY KEY, email text, deleted_at timestamptz)");
    assert_eq!(ground.apply(), [], "all but the index");
    ground.database.run("CREATE UNIQUE INDEX ON users (email); INSERT INTO users (email) VALUES ('a')");
    let mut holder = ground.database.direct();
    holder.expect("BEGIN; UPDATE users SET email = 'b'");
    let pid = holder.expect("SELECT pg_backend_pid()")[0].texts().concat().concat();
    let mut run = ground.command(&["apply", "--execute"]);
    let mut running = run.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().expect("sexton runs");
    let told = BufReader::new(running.stderr.take().expect("its words")).lines().map_while(Result::ok);
    let line = told.into_iter().find(|line| line.contains("waits for")).expect("it says so");
    let expected = format!("  waits for the transaction of process {pid} (postgres, idle in transaction, since 20");
    assert!(line.starts_with(&expected), "{line}");
    holder.expect("COMMIT");
    assert!(running.wait().expect("it ends").success());
}

#[test]
fn a_lock_that_others_hold_is_given_up_and_tried_again() {
    let Some(cluster) = cluster::shared("check::a_lock_that…") else { return };
    let ground = Ground::new(cluster, "postgres", USERS);
    ground.database.run("CREATE TABLE users (id serial PRIMARY KEY)");
    let mut holder = ground.database.direct();
    holder.expect("BEGIN");
    holder.expect("SELECT FROM users");
    let mut reader = ground.database.direct();
    let (ran, slowest) = thread::scope(|scope| {
        let run = scope.spawn(|| ground.sexton(&["apply", "--execute"]));
        let started = Instant::now();
        let mut slowest = Duration::ZERO;
        while !run.is_finished() {
            let asked = Instant::now();
            reader.expect("SELECT FROM users");
            slowest = slowest.max(asked.elapsed());
            if started.elapsed() > Duration::from_secs(3) && holder.status == b'T' {
                holder.expect("COMMIT");
            }
            thread::sleep(Duration::from_millis(5));
        }
        (run.join().expect("it ends"), slowest)
    });
    assert_eq!(ran.code, Some(0), "{}{}", ran.out, ran.err);
    assert!(ran.err.contains("canceling statement due to lock timeout; again in 0.5 s"), "{}", ran.err);
    assert!(ran.out.contains(" steps done; nothing is left"), "{}", ran.out);
    // lock_timeout is two seconds: nobody waits longer behind it.
    assert!(slowest < Duration::from_secs(3), "a query waited for {slowest:?}");
}

#[test]
fn indexes_are_replaced_while_others_read_and_write() {
    let Some(cluster) = cluster::shared("check::indexes_are_replaced…") else { return };
    let ground = Ground::new(cluster, "postgres", USERS);
    ground.database.run(SCHEMA);
    let is_done = AtomicBool::new(false);
    let (left, slowest) = thread::scope(|scope| {
        let run = scope.spawn(|| {
            let left = ground.apply();
            is_done.store(true, Ordering::Relaxed);
            left
        });
        let writers: Vec<_> = (0..2)
            .map(|writer| {
                let (is_done, mut session) = (&is_done, ground.database.direct());
                scope.spawn(move || {
                    let mut slowest = Duration::ZERO;
                    let mut number = 0;
                    while !is_done.load(Ordering::Relaxed) || number < 50 {
                        number += 1;
                        let asked = Instant::now();
                        session.expect(&format!(
                            "INSERT INTO users (email, name) VALUES ('{writer}-{number}', '{writer}-{number}')"
                        ));
                        session
                            .expect(&format!("UPDATE users SET deleted_at = now() WHERE email = '{writer}-{number}'"));
                        slowest = slowest.max(asked.elapsed());
                    }
                    slowest
                })
            })
            .collect();
        let slowest = writers.into_iter().map(|writer| writer.join().expect("it writes")).max();
        (run.join().expect("it ends"), slowest.unwrap_or_default())
    });
    assert_eq!(left, []);
    assert!(slowest < Duration::from_secs(3), "a statement waited for {slowest:?}");
}

fn wait_for(mut condition: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(30);
    while !condition() {
        assert!(Instant::now() < deadline, "it does not come true");
        thread::sleep(Duration::from_millis(20));
    }
}
