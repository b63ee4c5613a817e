-- title: a row deleted later was there
-- role: support
-- not twin: deleted rows are asked for
SET LOCAL sexton.as_of = '2026-01-15 00:00Z'; SELECT id FROM drafts ORDER BY id;
-- rewritten:
SET LOCAL sexton.as_of = '2026-01-15 00:00Z'; SELECT id FROM drafts WHERE (drafts.deleted_at IS NULL OR drafts.deleted_at > timestamptz '2026-01-15 00:00Z') ORDER BY id;
-- tag: SET, SELECT 2
-- rows:
-- 1
-- 3

-- title: a row deleted before was not
-- role: support
-- not twin: deleted rows are asked for
SET LOCAL sexton.as_of = '2026-01-15 00:00Z'; SELECT id FROM users ORDER BY id;
-- rewritten:
SET LOCAL sexton.as_of = '2026-01-15 00:00Z'; SELECT id FROM users WHERE (users.deleted_at IS NULL OR users.deleted_at > timestamptz '2026-01-15 00:00Z') ORDER BY id;
-- tag: SET, SELECT 3
-- rows:
-- 1
-- 2
-- 3

-- title: a predicate whose mark keeps a time
-- role: support
-- not twin: deleted rows are asked for
SET LOCAL sexton.as_of = '2026-01-15 00:00Z'; SELECT id FROM tickets ORDER BY id;
-- rewritten:
SET LOCAL sexton.as_of = '2026-01-15 00:00Z'; SELECT id FROM tickets WHERE ((tickets.state <> 'void') OR tickets.voided_at > timestamptz '2026-01-15 00:00Z') ORDER BY id;
-- tag: SET, SELECT 2
-- rows:
-- 1
-- 3

-- title: a boolean marker knows no time
-- role: support
-- not twin: deleted rows are asked for
SET LOCAL sexton.as_of = '2026-01-15 00:00Z'; SELECT id FROM posts;
-- refused: past-unknown 0A000

-- title: a predicate without a time
-- role: support
-- not twin: deleted rows are asked for
SET LOCAL sexton.as_of = '2026-01-15 00:00Z'; SELECT id FROM seats;
-- refused: past-unknown 0A000

-- title: the nullable side of an outer join as of a time
-- role: support
-- not twin: deleted rows are asked for
SET LOCAL sexton.as_of = '2026-01-15 00:00Z'; SELECT l.id, d.id FROM lines l LEFT JOIN drafts d ON d.line_id = l.id ORDER BY 1, 2;
-- rewritten:
SET LOCAL sexton.as_of = '2026-01-15 00:00Z'; SELECT l.id, d.id FROM lines l LEFT JOIN drafts d ON (d.deleted_at IS NULL OR d.deleted_at > timestamptz '2026-01-15 00:00Z') AND (d.line_id = l.id) ORDER BY 1, 2;
-- tag: SET, SELECT 4
-- rows:
-- 1 | 1
-- 2 | 3
-- 3 | null
-- 4 | null

-- title: a full join as of a time
-- role: support
-- not twin: deleted rows are asked for
SET LOCAL sexton.as_of = '2026-01-15 00:00Z'; SELECT l.id, d.id FROM lines l FULL JOIN drafts d ON d.line_id = l.id ORDER BY 1, 2;
-- rewritten:
SET LOCAL sexton.as_of = '2026-01-15 00:00Z'; SELECT l.id, d.id FROM lines l FULL JOIN (SELECT * FROM drafts d WHERE (d.deleted_at IS NULL OR d.deleted_at > timestamptz '2026-01-15 00:00Z')) d ON d.line_id = l.id ORDER BY 1, 2;
-- tag: SET, SELECT 4
-- rows:
-- 1 | 1
-- 2 | 3
-- 3 | null
-- 4 | null

-- title: an archive is unioned in
-- role: support
-- not twin: deleted rows are asked for
SET LOCAL sexton.as_of = '2025-12-31 00:00Z'; SELECT id, cents FROM orders ORDER BY id;
-- rewritten:
SET LOCAL sexton.as_of = '2025-12-31 00:00Z'; SELECT id, cents FROM (SELECT id, user_id, cents FROM orders UNION ALL SELECT id, user_id, cents FROM archive.orders WHERE archived_at > timestamptz '2025-12-31 00:00Z') AS orders ORDER BY id;
-- tag: SET, SELECT 5
-- rows:
-- 90 | 100
-- 100 | 500
-- 101 | 700
-- 102 | 900
-- 103 | 1100

-- title: what was archived before that time is gone
-- role: support
-- not twin: deleted rows are asked for
SET LOCAL sexton.as_of = '2026-01-15 00:00Z'; SELECT o.id FROM orders o ORDER BY o.id;
-- rewritten:
SET LOCAL sexton.as_of = '2026-01-15 00:00Z'; SELECT o.id FROM (SELECT id, user_id, cents FROM orders UNION ALL SELECT id, user_id, cents FROM archive.orders WHERE archived_at > timestamptz '2026-01-15 00:00Z') o ORDER BY o.id;
-- tag: SET, SELECT 4
-- rows:
-- 100
-- 101
-- 102
-- 103

-- title: an archive in a left join
-- role: support
-- not twin: deleted rows are asked for
SET LOCAL sexton.as_of = '2025-12-31 00:00Z'; SELECT u.id, o.id FROM users u LEFT JOIN orders AS o ON o.user_id = u.id ORDER BY 1, 2;
-- rewritten:
SET LOCAL sexton.as_of = '2025-12-31 00:00Z'; SELECT u.id, o.id FROM users u LEFT JOIN (SELECT id, user_id, cents FROM orders UNION ALL SELECT id, user_id, cents FROM archive.orders WHERE archived_at > timestamptz '2025-12-31 00:00Z') AS o ON o.user_id = u.id WHERE (u.deleted_at IS NULL OR u.deleted_at > timestamptz '2025-12-31 00:00Z') ORDER BY 1, 2;
-- tag: SET, SELECT 7
-- rows:
-- 1 | 90
-- 1 | 100
-- 1 | 102
-- 2 | 101
-- 3 | null
-- 4 | 103
-- 5 | null

-- title: columns of an archive renamed
-- role: support
-- not twin: deleted rows are asked for
SET LOCAL sexton.as_of = '2025-12-31 00:00Z'; SELECT a FROM orders o (a, b) ORDER BY a;
-- rewritten:
SET LOCAL sexton.as_of = '2025-12-31 00:00Z'; SELECT a FROM (SELECT id, user_id, cents FROM orders UNION ALL SELECT id, user_id, cents FROM archive.orders WHERE archived_at > timestamptz '2025-12-31 00:00Z') o (a, b) ORDER BY a;
-- tag: SET, SELECT 5
-- rows:
-- 90
-- 100
-- 101
-- 102
-- 103

-- title: TABLE of an archive
-- role: support
-- not twin: deleted rows are asked for
SET LOCAL sexton.as_of = '2025-12-31 00:00Z'; TABLE orders ORDER BY 1;
-- rewritten:
SET LOCAL sexton.as_of = '2025-12-31 00:00Z'; SELECT * FROM (SELECT id, user_id, cents FROM orders UNION ALL SELECT id, user_id, cents FROM archive.orders WHERE archived_at > timestamptz '2025-12-31 00:00Z') AS orders ORDER BY 1;
-- tag: SET, SELECT 5
-- rows:
-- 90 | 1 | 100
-- 100 | 1 | 500
-- 101 | 2 | 700
-- 102 | 1 | 900
-- 103 | 4 | 1100

-- title: COPY of an archive
-- role: support
-- not twin: deleted rows are asked for
SET LOCAL sexton.as_of = '2025-12-31 00:00Z'; COPY orders TO STDOUT;
-- rewritten:
SET LOCAL sexton.as_of = '2025-12-31 00:00Z'; COPY (SELECT id, user_id, cents FROM (SELECT id, user_id, cents FROM orders UNION ALL SELECT id, user_id, cents FROM archive.orders WHERE archived_at > timestamptz '2025-12-31 00:00Z') AS orders) TO STDOUT;
-- tag: SET, COPY 5
-- rows:
-- 100	1	500
-- 101	2	700
-- 102	1	900
-- 103	4	1100
-- 90	1	100

-- title: COPY of a soft table
-- role: support
-- not twin: deleted rows are asked for
SET LOCAL sexton.as_of = '2026-01-15 00:00Z'; COPY drafts (id) TO STDOUT;
-- rewritten:
SET LOCAL sexton.as_of = '2026-01-15 00:00Z'; COPY (SELECT id FROM ONLY drafts WHERE (drafts.deleted_at IS NULL OR drafts.deleted_at > timestamptz '2026-01-15 00:00Z')) TO STDOUT;
-- tag: SET, COPY 2
-- rows:
-- 1
-- 3

-- title: an archive sampled
-- role: support
-- not twin: deleted rows are asked for
SET LOCAL sexton.as_of = '2026-01-15 00:00Z'; SELECT count(*) FROM orders TABLESAMPLE system (100);
-- refused: sampled 0A000

-- title: partitions as of a time
-- role: support
-- not twin: deleted rows are asked for
SET LOCAL sexton.as_of = '2026-03-01 00:00Z'; SELECT id FROM measurements ORDER BY id;
-- rewritten:
SET LOCAL sexton.as_of = '2026-03-01 00:00Z'; SELECT id FROM measurements WHERE (measurements.deleted_at IS NULL OR measurements.deleted_at > timestamptz '2026-03-01 00:00Z') ORDER BY id;
-- tag: SET, SELECT 3
-- rows:
-- 1
-- 3
-- 4

-- title: a test of the marker is not respected in the past
-- role: support
-- not twin: deleted rows are asked for
SET LOCAL sexton.as_of = '2026-01-15 00:00Z'; SELECT id FROM drafts WHERE deleted_at IS NOT NULL ORDER BY id;
-- rewritten:
SET LOCAL sexton.as_of = '2026-01-15 00:00Z'; SELECT id FROM drafts WHERE (drafts.deleted_at IS NULL OR drafts.deleted_at > timestamptz '2026-01-15 00:00Z') AND (deleted_at IS NOT NULL) ORDER BY id;
-- tag: SET, SELECT 1
-- rows:
-- 3

-- title: a reference seen through a foreign key keeps its rows in the past
-- role: support
-- not twin: deleted rows are asked for
SET LOCAL sexton.as_of = '2026-01-15 00:00Z'; SELECT l.id, p.name FROM lines l JOIN products p ON p.id = l.product_id ORDER BY l.id;
-- rewritten:
SET LOCAL sexton.as_of = '2026-01-15 00:00Z'; SELECT l.id, p.name FROM public.lines l JOIN products p ON p.id = l.product_id ORDER BY l.id;
-- tag: SET, SELECT 3
-- rows:
-- 1 | pen
-- 2 | dead ink
-- 3 | cap

-- title: an insert while looking at the past
-- role: support
-- not twin: deleted rows are asked for
SET LOCAL sexton.as_of = '2026-01-15 00:00Z'; INSERT INTO users (id, name) VALUES (9, 'x');
-- refused: past-write 25006

-- title: an update while looking at the past
-- role: support
-- not twin: deleted rows are asked for
SET LOCAL sexton.as_of = '2026-01-15 00:00Z'; UPDATE users SET name = 'x';
-- refused: past-write 25006

-- title: a delete while looking at the past
-- role: support
-- not twin: deleted rows are asked for
SET LOCAL sexton.as_of = '2026-01-15 00:00Z'; DELETE FROM orders;
-- refused: past-write 25006

-- title: a delete in a CTE while looking at the past
-- role: support
-- not twin: deleted rows are asked for
SET LOCAL sexton.as_of = '2026-01-15 00:00Z'; WITH d AS (DELETE FROM users RETURNING id) SELECT * FROM d;
-- refused: past-write 25006

-- title: a merge while looking at the past
-- role: support
-- since: 15
-- not twin: deleted rows are asked for
SET LOCAL sexton.as_of = '2026-01-15 00:00Z'; MERGE INTO users u USING items i ON i.id = u.id WHEN MATCHED THEN DO NOTHING;
-- refused: past-write 25006

-- title: a truncate while looking at the past
-- role: support
-- not twin: deleted rows are asked for
SET LOCAL sexton.as_of = '2026-01-15 00:00Z'; TRUNCATE users;
-- refused: past-write 25006

-- title: COPY FROM while looking at the past
-- role: support
-- not twin: deleted rows are asked for
SET LOCAL sexton.as_of = '2026-01-15 00:00Z'; COPY users FROM STDIN;
-- refused: past-write 25006

-- title: a write through a view while looking at the past
-- role: support
-- not twin: deleted rows are asked for
SET LOCAL sexton.as_of = '2026-01-15 00:00Z'; UPDATE everybody SET name = 'x';
-- refused: past-write 25006

-- title: a lock while looking at the past
-- role: support
-- not twin: deleted rows are asked for
SET LOCAL sexton.as_of = '2026-01-15 00:00Z'; SELECT id FROM users FOR NO KEY UPDATE;
-- refused: past-lock 25006

-- title: a write to another table from the past
-- role: support
-- not twin: deleted rows are asked for
SET LOCAL sexton.as_of = '2026-01-15 00:00Z'; INSERT INTO items (id, name) SELECT id + 10, title FROM drafts RETURNING id;
-- rewritten:
SET LOCAL sexton.as_of = '2026-01-15 00:00Z'; INSERT INTO items (id, name) SELECT id + 10, title FROM drafts WHERE (drafts.deleted_at IS NULL OR drafts.deleted_at > timestamptz '2026-01-15 00:00Z') RETURNING id;
-- tag: SET, INSERT 0 2
-- rows:
-- 11
-- 13

-- title: scope deleted is the present
-- role: support
-- not twin: deleted rows are asked for
SET LOCAL sexton.as_of = '2026-01-15 00:00Z'; SET LOCAL sexton.scope = 'deleted'; SELECT id FROM drafts ORDER BY id;
-- rewritten:
SET LOCAL sexton.as_of = '2026-01-15 00:00Z'; SET LOCAL sexton.scope = 'deleted'; SELECT id FROM drafts WHERE drafts.deleted_at IS NOT NULL ORDER BY id;
-- tag: SET, SET, SELECT 2
-- rows:
-- 2
-- 3

-- title: one table named apart from the past
-- role: support
-- not twin: deleted rows are asked for
SET LOCAL sexton.as_of = '2026-01-15 00:00Z'; SET LOCAL sexton.scope = 'live, users=all'; SELECT (SELECT count(*) FROM users), (SELECT count(*) FROM drafts);
-- rewritten:
SET LOCAL sexton.as_of = '2026-01-15 00:00Z'; SET LOCAL sexton.scope = 'live, users=all'; SELECT (SELECT count(*) FROM users), (SELECT count(*) FROM drafts WHERE (drafts.deleted_at IS NULL OR drafts.deleted_at > timestamptz '2026-01-15 00:00Z'));
-- tag: SET, SET, SELECT 1
-- rows:
-- 5 | 2

-- title: RESET goes back to the present
-- role: support
-- not twin: deleted rows are asked for
SET LOCAL sexton.as_of = '2026-01-15 00:00Z'; SELECT count(*) FROM drafts; RESET sexton.as_of; SELECT count(*) FROM drafts;
-- rewritten:
SET LOCAL sexton.as_of = '2026-01-15 00:00Z'; SELECT count(*) FROM drafts WHERE (drafts.deleted_at IS NULL OR drafts.deleted_at > timestamptz '2026-01-15 00:00Z'); RESET sexton.as_of; SELECT count(*) FROM drafts WHERE drafts.deleted_at IS NULL;
-- tag: SET, SELECT 1, RESET, SELECT 1
-- rows:
-- 2
-- 1

-- title: an empty time is the present
-- role: support
-- not twin: deleted rows are asked for
SET LOCAL sexton.as_of = '2026-01-15 00:00Z'; SELECT count(*) FROM drafts; SET sexton.as_of = ''; SELECT count(*) FROM drafts;
-- rewritten:
SET LOCAL sexton.as_of = '2026-01-15 00:00Z'; SELECT count(*) FROM drafts WHERE (drafts.deleted_at IS NULL OR drafts.deleted_at > timestamptz '2026-01-15 00:00Z'); SET sexton.as_of = ''; SELECT count(*) FROM drafts WHERE drafts.deleted_at IS NULL;
-- tag: SET, SELECT 1, SET, SELECT 1
-- rows:
-- 2
-- 1

-- title: as of by set_config
-- role: support
-- not twin: deleted rows are asked for
SELECT set_config('sexton.as_of', '2026-01-15', true); SELECT count(*) FROM drafts;
-- rewritten:
SELECT set_config('sexton.as_of', '2026-01-15', true); SELECT count(*) FROM drafts WHERE (drafts.deleted_at IS NULL OR drafts.deleted_at > timestamptz '2026-01-15');
-- rows:
-- 2026-01-15
-- 2

-- title: as of with a computed value
-- role: support
-- not twin: deleted rows are asked for
SELECT set_config('sexton.as_of', now()::text, true);
-- refused: as-of-value 22023

-- title: as of rolled back to a savepoint
-- role: support
-- not twin: deleted rows are asked for
SAVEPOINT s; SET sexton.as_of = '2026-01-15 00:00Z'; SELECT count(*) FROM drafts; ROLLBACK TO s; SELECT count(*) FROM drafts;
-- rewritten:
SAVEPOINT s; SET sexton.as_of = '2026-01-15 00:00Z'; SELECT count(*) FROM drafts WHERE (drafts.deleted_at IS NULL OR drafts.deleted_at > timestamptz '2026-01-15 00:00Z'); ROLLBACK TO s; SELECT count(*) FROM drafts WHERE drafts.deleted_at IS NULL;
-- tag: SAVEPOINT, SET, SELECT 1, ROLLBACK, SELECT 1
-- rows:
-- 2
-- 1

-- title: as of by a comment
-- role: support
-- not twin: deleted rows are asked for
SELECT /* sexton: as_of=2026-01-15 00:00Z */ count(*) FROM drafts; SELECT count(*) FROM drafts;
-- rewritten:
SELECT /* sexton: as_of=2026-01-15 00:00Z */ count(*) FROM drafts WHERE (drafts.deleted_at IS NULL OR drafts.deleted_at > timestamptz '2026-01-15 00:00Z'); SELECT count(*) FROM drafts WHERE drafts.deleted_at IS NULL;
-- rows:
-- 2
-- 1

-- title: scope and as of by two comments
-- role: support
-- not twin: deleted rows are asked for
SELECT /* sexton: scope=live, users=all */ /* sexton: as_of=2026-01-15 00:00Z */ count(*), (SELECT count(*) FROM users) FROM drafts;
-- rewritten:
SELECT /* sexton: scope=live, users=all */ /* sexton: as_of=2026-01-15 00:00Z */ count(*), (SELECT count(*) FROM users) FROM drafts WHERE (drafts.deleted_at IS NULL OR drafts.deleted_at > timestamptz '2026-01-15 00:00Z');
-- rows:
-- 2 | 5

-- title: as of without the right
-- not twin: deleted rows are asked for
SET sexton.as_of = '2026-01-15';
-- refused: scope 42501

-- title: as of by a comment without the right
-- not twin: deleted rows are asked for
SELECT /* sexton: as_of=2026-01-15 */ count(*) FROM drafts;
-- refused: scope 42501

-- title: the present needs no right
-- not twin: deleted rows are asked for
SET sexton.as_of = ''; RESET sexton.as_of; SELECT count(*) FROM drafts;
-- rewritten:
SET sexton.as_of = ''; RESET sexton.as_of; SELECT count(*) FROM drafts WHERE drafts.deleted_at IS NULL;
-- tag: SET, RESET, SELECT 1
-- rows:
-- 1

-- title: a time that is none
-- role: support
-- not twin: deleted rows are asked for
SET sexton.as_of = 'yesterday';
-- refused: as-of-value 22023

-- title: a day that is none
-- role: support
-- not twin: deleted rows are asked for
SET sexton.as_of = '2026-02-30';
-- refused: as-of-value 22023

-- title: infinity is no time
-- role: support
-- not twin: deleted rows are asked for
SET sexton.as_of = 'infinity';
-- refused: as-of-value 22023

-- title: a time with a quote in it
-- role: support
-- not twin: deleted rows are asked for
SET sexton.as_of = '2026-01-15 00:00Z'' OR true';
-- refused: as-of-value 22023

-- title: a time zone by name
-- role: support
-- not twin: deleted rows are asked for
SET LOCAL sexton.as_of = '2026-01-15 10:00:00.5 Europe/Berlin'; SELECT count(*) FROM drafts;
-- rewritten:
SET LOCAL sexton.as_of = '2026-01-15 10:00:00.5 Europe/Berlin'; SELECT count(*) FROM drafts WHERE (drafts.deleted_at IS NULL OR drafts.deleted_at > timestamptz '2026-01-15 10:00:00.5 Europe/Berlin');
-- tag: SET, SELECT 1
-- rows:
-- 2

-- title: a time zone that the server does not know
-- role: support
-- not twin: deleted rows are asked for
SET LOCAL sexton.as_of = '2026-01-15 10:00 Nowhere/Town'; SELECT count(*) FROM drafts;
-- rewritten:
SET LOCAL sexton.as_of = '2026-01-15 10:00 Nowhere/Town'; SELECT count(*) FROM drafts WHERE (drafts.deleted_at IS NULL OR drafts.deleted_at > timestamptz '2026-01-15 10:00 Nowhere/Town');
-- tag: SET
-- error: 22023

-- title: a time without a zone is read in the session's
-- role: support
-- not twin: deleted rows are asked for
SET LOCAL TimeZone = 'UTC'; SET LOCAL sexton.as_of = '2026-01-15T00:00'; SELECT count(*) FROM drafts;
-- rewritten:
SET LOCAL TimeZone = 'UTC'; SET LOCAL sexton.as_of = '2026-01-15T00:00'; SELECT count(*) FROM drafts WHERE (drafts.deleted_at IS NULL OR drafts.deleted_at > timestamptz '2026-01-15T00:00');
-- tag: SET, SET, SELECT 1
-- rows:
-- 2

-- title: DISCARD and RESET ALL go back to the present
-- role: support
-- not twin: deleted rows are asked for
SET sexton.as_of = '2026-01-15'; RESET ALL; SELECT count(*) FROM drafts;
-- rewritten:
SET sexton.as_of = '2026-01-15'; RESET ALL; SELECT count(*) FROM drafts WHERE drafts.deleted_at IS NULL;
-- tag: SET, RESET, SELECT 1
-- rows:
-- 1
