//! The shadow run: what Sexton answers against the same query, unrewritten, over views that leave deleted rows out.
//!
//! The views bear the tables' names in a schema that the search path puts first, so PostgreSQL itself does what
//! the rewriter claims to do. Rows (as multisets unless their order is fixed), column names and types must agree.
//! `SEXTON_SHADOW` sets the number of queries, `SEXTON_SEED` the seed. The same is done for a time in the past.

use std::fs;
use std::path::Path;

use crate::support::database::Database;
use crate::support::offline::number;
use crate::support::raw::{Raw, Reply};
use crate::support::sexton::Sexton;
use crate::support::{cluster, diff};
use crate::twin::generate::{Generator, Statement, simple};

/// Queries of a run when `SEXTON_SHADOW` does not say otherwise.
const QUERIES: u64 = 400;

/// Queries that must have run without an error, in percent.
const SUCCEEDED_PERCENT_MIN: u64 = 80;

/// The first oid that a database gives to its own objects, such as the row types of tables and views.
const FIRST_NORMAL_OID: u32 = 16_384;

/// The type of a row of a derived table: the past of an archive table is one.
const RECORD_OID: u32 = 2249;

/// Some rows of every kind deleted, and the views.
const GROUND: &str = "
    UPDATE users SET deleted_at = now() WHERE id % 3 = 0;
    UPDATE posts SET deleted = true WHERE id % 4 = 1;
    UPDATE seats SET state = 'void', voided_by = 'me' WHERE id % 5 = 2;
    WITH gone AS (DELETE FROM orders WHERE id % 4 = 0 RETURNING *)
        INSERT INTO archive.orders (id, user_id, note, cents, archived_at) SELECT *, now() FROM gone;
    CREATE SCHEMA shadow;
    CREATE VIEW shadow.users AS SELECT * FROM public.users WHERE deleted_at IS NULL;
    CREATE VIEW shadow.posts AS SELECT * FROM public.posts WHERE NOT deleted;
    CREATE VIEW shadow.seats AS SELECT * FROM public.seats WHERE state <> 'void';
    CREATE VIEW shadow.orders AS SELECT * FROM public.orders;
    CREATE VIEW shadow.items AS SELECT * FROM public.items;
";

/// The same for the past: every deletion leaves its time, some of them before the time that is asked for.
const PAST_GROUND: &str = "
    DO $$ BEGIN CREATE ROLE support LOGIN; EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$;
    ALTER TABLE posts ADD COLUMN deleted_at timestamptz;
    ALTER TABLE seats ADD COLUMN voided_at timestamp;
    SET TimeZone = 'UTC';
    UPDATE users SET deleted_at = timestamptz '2026-01-01Z' + id * interval '1 day' WHERE id % 3 = 0;
    UPDATE posts SET deleted = true, deleted_at = timestamptz '2026-01-01Z' + id * interval '1 day' WHERE id % 4 = 1;
    UPDATE seats SET state = 'void', voided_at = timestamp '2026-01-01' + id * interval '1 day' WHERE id % 5 = 2;
    WITH gone AS (DELETE FROM orders WHERE id % 4 = 0 RETURNING *)
        INSERT INTO archive.orders (id, user_id, note, cents, archived_at)
        SELECT *, timestamptz '2026-01-01Z' + id * interval '1 day' FROM gone;
    CREATE SCHEMA shadow;
    CREATE VIEW shadow.users AS SELECT * FROM public.users
        WHERE deleted_at IS NULL OR deleted_at > timestamptz '2026-01-16Z';
    CREATE VIEW shadow.posts AS SELECT * FROM public.posts WHERE NOT deleted OR deleted_at > timestamptz '2026-01-16Z';
    CREATE VIEW shadow.seats AS SELECT * FROM public.seats WHERE state <> 'void' OR voided_at > timestamp '2026-01-16';
    CREATE VIEW shadow.orders AS SELECT * FROM public.orders UNION ALL
        SELECT id, user_id, note, cents FROM archive.orders WHERE archived_at > timestamptz '2026-01-16Z';
    CREATE VIEW shadow.items AS SELECT * FROM public.items;
";

/// Marks that leave a time, in the place of those that do not.
const PAST_MARKS: &[(&str, &str)] = &[
    ("column = \"deleted\"", "live = \"NOT deleted\"\nmark = { deleted = \"true\", deleted_at = \"now()\" }"),
    ("voided_by = \"session_user\"", "voided_at = \"current_timestamp\""),
];

/// Queries that the generator does not make.
const QUERIES_BY_HAND: &[&str] = &[
    "SELECT * FROM users u JOIN posts p ON p.user_id = u.id JOIN seats s ON s.user_id = u.id",
    "SELECT * FROM users u LEFT JOIN (posts p JOIN seats s ON s.user_id = p.user_id) ON p.user_id = u.id",
    "SELECT * FROM users u LEFT JOIN posts p JOIN seats s ON s.id = p.id ON p.user_id = u.id",
    "SELECT * FROM (users u RIGHT JOIN posts p ON p.user_id = u.id) FULL JOIN seats s ON s.id = p.id",
    "SELECT * FROM (users NATURAL LEFT JOIN (SELECT id, title FROM posts) p) AS j (a, b)",
    "SELECT * FROM (users u JOIN posts p ON p.user_id = u.id) AS j (a, b, c) WHERE a > 2",
    "SELECT * FROM users LEFT JOIN posts USING (id) LEFT JOIN seats USING (id) FULL JOIN orders USING (id)",
    "SELECT * FROM users u, LATERAL (SELECT * FROM posts p WHERE p.user_id = u.id LIMIT 1) l ORDER BY u.id",
    "SELECT * FROM users u LEFT JOIN LATERAL (SELECT count(*) FROM posts p WHERE p.user_id = u.id) c ON true",
    "SELECT * FROM users u CROSS JOIN LATERAL ROWS FROM (generate_series(1, (SELECT count(*) FROM posts)), unnest(ARRAY[u.id])) r",
    "SELECT ARRAY(SELECT id FROM posts ORDER BY id), (SELECT count(*) FROM seats), EXISTS (TABLE users)",
    "SELECT (SELECT max(id) FROM users WHERE id < p.id) FROM posts p GROUP BY p.id HAVING count(*) = (SELECT 1 FROM users WHERE id = 1)",
    "SELECT id, count(*) OVER (ORDER BY (SELECT count(*) FROM seats), id) FROM users",
    "SELECT * FROM users ORDER BY (SELECT count(*) FROM posts WHERE user_id = users.id), id LIMIT (SELECT count(*) / 4 FROM posts)",
    "VALUES ((SELECT count(*) FROM users), (SELECT count(*) FROM posts)), (1, (SELECT max(id) FROM seats))",
    "TABLE users UNION ALL (TABLE users) EXCEPT SELECT * FROM users WHERE id < 5",
    "(SELECT id FROM users ORDER BY id LIMIT 3) UNION (SELECT id FROM posts ORDER BY id DESC LIMIT 3) ORDER BY id",
    "WITH users AS (SELECT * FROM users WHERE id < 9) SELECT * FROM users, posts WHERE posts.user_id = users.id",
    "WITH a AS (WITH users AS (SELECT 1 AS x) SELECT * FROM users) SELECT * FROM a, users",
    "WITH RECURSIVE users (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM users WHERE n < 4) SELECT * FROM users",
    "WITH RECURSIVE a AS (SELECT min(id) AS id FROM users UNION ALL SELECT (SELECT min(u.id) FROM users u WHERE u.id > a.id) FROM a WHERE a.id IS NOT NULL) SELECT * FROM a",
    "SELECT * FROM users WHERE (id, name) IN (SELECT user_id, 'user ' || user_id % 17 FROM posts)",
    "SELECT * FROM users WHERE id = ANY (SELECT user_id FROM posts) AND id <> ALL (SELECT user_id FROM seats WHERE user_id IS NOT NULL)",
    "SELECT CASE WHEN EXISTS (SELECT FROM posts WHERE user_id = u.id) THEN 'some' ELSE 'none' END, u.* FROM users AS u",
    "SELECT coalesce((SELECT title FROM posts p WHERE p.id = u.id), 'no') FROM users u WHERE u.name LIKE 'user%' OR true",
    "SELECT DISTINCT ON (user_id) user_id, id FROM posts ORDER BY user_id, id",
    "SELECT user_id, count(*) FILTER (WHERE id IN (SELECT id FROM users)) FROM posts GROUP BY ROLLUP (user_id)",
    "SELECT u.id, p.user_id FROM users u FULL JOIN posts p ON p.user_id = u.id WHERE u.id IS NULL OR p.id IS NULL",
    "SELECT count(*) FROM users a, users b, posts c WHERE a.id = b.id AND b.id = c.user_id",
    "SELECT string_agg(name, ',' ORDER BY id) FROM users",
    "SELECT x.id FROM ((users)) AS x",
    "SELECT * FROM (users CROSS JOIN posts) LEFT JOIN seats ON seats.id = users.id AND posts.id = seats.id WHERE posts.id < 4",
    "SELECT row_to_json(q) FROM (SELECT id, name FROM users) q",
    "SELECT * FROM (SELECT * FROM (SELECT * FROM users) a LEFT JOIN (SELECT * FROM posts) b USING (id)) c NATURAL JOIN seats",
];

fn read(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/twin").join(name);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

#[test]
fn sexton_answers_as_views_without_deleted_rows_do() {
    let Some(cluster) = cluster::shared("shadow::sexton_answers_as_views_without_deleted_rows_do") else { return };
    let database = Database::named(cluster, "shadow");
    database.run(&read("schema.sql"));
    database.run(GROUND);
    let sexton = Sexton::start(cluster.port(), &read("sexton.toml"));
    run(sexton.connect("postgres", &database.name), database.direct());
}

#[test]
fn sexton_reads_the_past_as_views_of_it_do() {
    let Some(cluster) = cluster::shared("shadow::sexton_reads_the_past_as_views_of_it_do") else { return };
    let database = Database::named(cluster, "shadow_past");
    database.run(&read("schema.sql"));
    database.run(PAST_GROUND);
    let config = PAST_MARKS.iter().fold(read("sexton.toml"), |config, (from, to)| {
        assert!(config.contains(from), "{from}");
        config.replace(from, to)
    });
    let sexton = Sexton::start(cluster.port(), &config);
    let (mut through, mut beside) = (sexton.connect("postgres", &database.name), database.direct());
    through.expect("SET sexton.as_of = '2026-01-16 00:00Z'");
    through.expect("SET TimeZone = 'UTC'");
    beside.expect("SET TimeZone = 'UTC'");
    run(through, beside);
}

/// The same queries through Sexton and beside it.
fn run(mut through: Raw, mut beside: Raw) {
    beside.expect("SET search_path = shadow, public");
    let seed = number("SEXTON_SEED").unwrap_or(1);
    let mut generator = Generator::new(seed);
    let queries = number("SEXTON_SHADOW").unwrap_or(QUERIES);
    let by_hand = QUERIES_BY_HAND.iter().map(|sql| Statement { ordered: false, ..simple(sql) });
    let generated = (0..queries).map(|_| generator.query());
    let (mut succeeded, mut asked) = (0, 0);
    for statement in by_hand.chain(generated) {
        // Views have no children: what ONLY leaves out is not the rows' matter here. They take names with a schema past them too.
        if statement.sql.contains("public.") || statement.sql.contains("ONLY ") {
            continue;
        }
        asked += 1;
        succeeded += u64::from(compare(&mut through, &mut beside, &statement, seed));
    }
    eprintln!("shadow: seed {seed}, {asked} queries, {succeeded} without error");
    assert!(succeeded * 100 >= asked * SUCCEEDED_PERCENT_MIN, "only {succeeded} of {asked} queries succeeded");
}

/// True where both sides gave rows.
fn compare(through: &mut Raw, beside: &mut Raw, statement: &Statement, seed: u64) -> bool {
    let (ours, theirs) = (through.simple(&statement.sql), beside.simple(&statement.sql));
    let failed = |replies: &[Reply]| replies.iter().any(|reply| reply.error.is_some());
    // A view has no primary key, so GROUP BY the key fails beside and not through Sexton: no answer to compare.
    if failed(&theirs) && grouping_error(&theirs) {
        return false;
    }
    let (ours_shown, theirs_shown) = (shown(&ours, statement), shown(&theirs, statement));
    assert!(
        ours_shown == theirs_shown,
        "seed {seed}: the views (-) and sexton (+) differ\n{}\nin: {}\n",
        diff::lines(&theirs_shown, &ours_shown),
        statement.sql
    );
    !failed(&ours)
}

fn grouping_error(replies: &[Reply]) -> bool {
    replies.iter().filter_map(|reply| reply.error.as_ref()).any(|error| error.sqlstate == "42803")
}

/// Columns, rows and SQLSTATE, as text.
fn shown(replies: &[Reply], statement: &Statement) -> String {
    let mut out = String::new();
    for reply in replies {
        for column in &reply.columns {
            let own = column.type_oid >= FIRST_NORMAL_OID || column.type_oid == RECORD_OID;
            let type_oid = if own { "own type".to_owned() } else { column.type_oid.to_string() };
            out.push_str(&format!("{}:{type_oid}:{} ", column.name, column.type_modifier));
        }
        let mut rows: Vec<String> = reply.texts().iter().map(|row| row.join(" | ")).collect();
        if !statement.ordered {
            rows.sort();
        }
        out.push_str(&format!("\n{}\n", rows.join("\n")));
        if let Some(error) = &reply.error {
            out.push_str(&format!("error: {}\n", error.sqlstate));
        }
    }
    out
}
