-- title: an archived row leaves the table
DELETE FROM orders WHERE id = 100; SELECT id FROM orders ORDER BY id;
-- rewritten:
WITH sexton_1 AS (DELETE FROM orders WHERE id = 100 RETURNING orders.*) INSERT INTO archive.orders (id, user_id, cents, archived_at, archived_by, archive_reason, archive_txid, deletion_id) SELECT sexton_1.id, sexton_1.user_id, sexton_1.cents, now(), coalesce(nullif(current_setting('sexton.actor', true), ''), session_user), nullif(current_setting('sexton.reason', true), ''), pg_current_xact_id()::text::bigint, (SELECT gen_random_uuid()) FROM sexton_1 UNION ALL SELECT sexton_1.*, NULL, NULL, NULL, NULL, NULL FROM sexton_1 WHERE false; SELECT id FROM orders ORDER BY id;
-- tag: DELETE 1, SELECT 3
-- rows:
-- 101
-- 102
-- 103

-- title: an archive delete answers its count
DELETE FROM orders WHERE user_id = 1;
-- rewritten:
WITH sexton_1 AS (DELETE FROM orders WHERE user_id = 1 RETURNING orders.*) INSERT INTO archive.orders (id, user_id, cents, archived_at, archived_by, archive_reason, archive_txid, deletion_id) SELECT sexton_1.id, sexton_1.user_id, sexton_1.cents, now(), coalesce(nullif(current_setting('sexton.actor', true), ''), session_user), nullif(current_setting('sexton.reason', true), ''), pg_current_xact_id()::text::bigint, (SELECT gen_random_uuid()) FROM sexton_1 UNION ALL SELECT sexton_1.*, NULL, NULL, NULL, NULL, NULL FROM sexton_1 WHERE false;
-- tag: DELETE 2

-- title: a second archive delete answers zero
DELETE FROM orders WHERE id = 100; DELETE FROM orders WHERE id = 100;
-- rewritten:
WITH sexton_1 AS (DELETE FROM orders WHERE id = 100 RETURNING orders.*) INSERT INTO archive.orders (id, user_id, cents, archived_at, archived_by, archive_reason, archive_txid, deletion_id) SELECT sexton_1.id, sexton_1.user_id, sexton_1.cents, now(), coalesce(nullif(current_setting('sexton.actor', true), ''), session_user), nullif(current_setting('sexton.reason', true), ''), pg_current_xact_id()::text::bigint, (SELECT gen_random_uuid()) FROM sexton_1 UNION ALL SELECT sexton_1.*, NULL, NULL, NULL, NULL, NULL FROM sexton_1 WHERE false; WITH sexton_1 AS (DELETE FROM orders WHERE id = 100 RETURNING orders.*) INSERT INTO archive.orders (id, user_id, cents, archived_at, archived_by, archive_reason, archive_txid, deletion_id) SELECT sexton_1.id, sexton_1.user_id, sexton_1.cents, now(), coalesce(nullif(current_setting('sexton.actor', true), ''), session_user), nullif(current_setting('sexton.reason', true), ''), pg_current_xact_id()::text::bigint, (SELECT gen_random_uuid()) FROM sexton_1 UNION ALL SELECT sexton_1.*, NULL, NULL, NULL, NULL, NULL FROM sexton_1 WHERE false;
-- tag: DELETE 1, DELETE 0

-- title: an archive delete of everything
DELETE FROM orders;
-- rewritten:
WITH sexton_1 AS (DELETE FROM orders RETURNING orders.*) INSERT INTO archive.orders (id, user_id, cents, archived_at, archived_by, archive_reason, archive_txid, deletion_id) SELECT sexton_1.id, sexton_1.user_id, sexton_1.cents, now(), coalesce(nullif(current_setting('sexton.actor', true), ''), session_user), nullif(current_setting('sexton.reason', true), ''), pg_current_xact_id()::text::bigint, (SELECT gen_random_uuid()) FROM sexton_1 UNION ALL SELECT sexton_1.*, NULL, NULL, NULL, NULL, NULL FROM sexton_1 WHERE false;
-- tag: DELETE 4

-- title: an archive delete returns the row
DELETE FROM orders WHERE id = 100 RETURNING *;
-- rewritten:
WITH sexton_1 AS (DELETE FROM orders WHERE id = 100 RETURNING orders.*), sexton_2 AS (INSERT INTO archive.orders (id, user_id, cents, archived_at, archived_by, archive_reason, archive_txid, deletion_id) SELECT sexton_1.id, sexton_1.user_id, sexton_1.cents, now(), coalesce(nullif(current_setting('sexton.actor', true), ''), session_user), nullif(current_setting('sexton.reason', true), ''), pg_current_xact_id()::text::bigint, (SELECT gen_random_uuid()) FROM sexton_1 UNION ALL SELECT sexton_1.*, NULL, NULL, NULL, NULL, NULL FROM sexton_1 WHERE false) SELECT * FROM sexton_1 AS orders;
-- tag: DELETE 1
-- rows:
-- 100 | 1 | 500

-- title: an archive delete returns expressions in their order
DELETE FROM orders o WHERE o.id < 102 RETURNING o.cents * 2 AS double, o.id;
-- rewritten:
WITH sexton_1 AS (DELETE FROM orders o WHERE o.id < 102 RETURNING o.*), sexton_2 AS (INSERT INTO archive.orders (id, user_id, cents, archived_at, archived_by, archive_reason, archive_txid, deletion_id) SELECT sexton_1.id, sexton_1.user_id, sexton_1.cents, now(), coalesce(nullif(current_setting('sexton.actor', true), ''), session_user), nullif(current_setting('sexton.reason', true), ''), pg_current_xact_id()::text::bigint, (SELECT gen_random_uuid()) FROM sexton_1 UNION ALL SELECT sexton_1.*, NULL, NULL, NULL, NULL, NULL FROM sexton_1 WHERE false) SELECT o.cents * 2 AS double, o.id FROM sexton_1 AS o;
-- tag: DELETE 2
-- rows:
-- 1000 | 100
-- 1400 | 101

-- title: an archive delete with using a soft table
DELETE FROM orders USING users WHERE users.id = orders.user_id;
-- rewritten:
WITH sexton_1 AS (DELETE FROM orders USING users WHERE users.deleted_at IS NULL AND (users.id = orders.user_id) RETURNING orders.*) INSERT INTO archive.orders (id, user_id, cents, archived_at, archived_by, archive_reason, archive_txid, deletion_id) SELECT sexton_1.id, sexton_1.user_id, sexton_1.cents, now(), coalesce(nullif(current_setting('sexton.actor', true), ''), session_user), nullif(current_setting('sexton.reason', true), ''), pg_current_xact_id()::text::bigint, (SELECT gen_random_uuid()) FROM sexton_1 UNION ALL SELECT sexton_1.*, NULL, NULL, NULL, NULL, NULL FROM sexton_1 WHERE false;
-- tag: DELETE 3

-- title: an archive delete with using and returning both
DELETE FROM orders o USING users u WHERE u.id = o.user_id AND u.name = 'ann' RETURNING o.id, u.name;
-- rewritten:
WITH sexton_1 AS (DELETE FROM orders o USING users u WHERE u.deleted_at IS NULL AND (u.id = o.user_id AND u.name = 'ann') RETURNING o, u), sexton_2 AS (INSERT INTO archive.orders (id, user_id, cents, archived_at, archived_by, archive_reason, archive_txid, deletion_id) SELECT (sexton_1.o).id, (sexton_1.o).user_id, (sexton_1.o).cents, now(), coalesce(nullif(current_setting('sexton.actor', true), ''), session_user), nullif(current_setting('sexton.reason', true), ''), pg_current_xact_id()::text::bigint, (SELECT gen_random_uuid()) FROM sexton_1 UNION ALL SELECT (sexton_1.o).*, NULL, NULL, NULL, NULL, NULL FROM sexton_1 WHERE false) SELECT o.id, u.name FROM sexton_1, LATERAL (SELECT (sexton_1.o).*) AS o, LATERAL (SELECT (sexton_1.u).*) AS u;
-- tag: DELETE 2
-- rows:
-- 100 | ann
-- 102 | ann

-- title: an archive delete with a soft subquery
DELETE FROM orders WHERE user_id IN (SELECT id FROM users) RETURNING id;
-- rewritten:
WITH sexton_1 AS (DELETE FROM orders WHERE user_id IN (SELECT id FROM users WHERE users.deleted_at IS NULL) RETURNING orders.*), sexton_2 AS (INSERT INTO archive.orders (id, user_id, cents, archived_at, archived_by, archive_reason, archive_txid, deletion_id) SELECT sexton_1.id, sexton_1.user_id, sexton_1.cents, now(), coalesce(nullif(current_setting('sexton.actor', true), ''), session_user), nullif(current_setting('sexton.reason', true), ''), pg_current_xact_id()::text::bigint, (SELECT gen_random_uuid()) FROM sexton_1 UNION ALL SELECT sexton_1.*, NULL, NULL, NULL, NULL, NULL FROM sexton_1 WHERE false) SELECT id FROM sexton_1 AS orders;
-- tag: DELETE 3
-- rows:
-- 100
-- 101
-- 102

-- title: an archive delete inside a cte
WITH gone AS (DELETE FROM orders WHERE user_id = 1 RETURNING id, cents) SELECT sum(cents) FROM gone;
-- rewritten:
WITH sexton_1 AS (DELETE FROM orders WHERE user_id = 1 RETURNING orders.*), sexton_2 AS (INSERT INTO archive.orders (id, user_id, cents, archived_at, archived_by, archive_reason, archive_txid, deletion_id) SELECT sexton_1.id, sexton_1.user_id, sexton_1.cents, now(), coalesce(nullif(current_setting('sexton.actor', true), ''), session_user), nullif(current_setting('sexton.reason', true), ''), pg_current_xact_id()::text::bigint, (SELECT gen_random_uuid()) FROM sexton_1 UNION ALL SELECT sexton_1.*, NULL, NULL, NULL, NULL, NULL FROM sexton_1 WHERE false), gone AS ( SELECT id, cents FROM sexton_1 AS orders) SELECT sum(cents) FROM gone;
-- rows:
-- 1400

-- title: an archive delete with a cte in front
WITH doomed AS (SELECT 100 AS id) DELETE FROM orders USING doomed WHERE orders.id = doomed.id RETURNING orders.id;
-- rewritten:
WITH doomed AS (SELECT 100 AS id) , sexton_1 AS (DELETE FROM orders USING doomed WHERE orders.id = doomed.id RETURNING orders, doomed), sexton_2 AS (INSERT INTO archive.orders (id, user_id, cents, archived_at, archived_by, archive_reason, archive_txid, deletion_id) SELECT (sexton_1.orders).id, (sexton_1.orders).user_id, (sexton_1.orders).cents, now(), coalesce(nullif(current_setting('sexton.actor', true), ''), session_user), nullif(current_setting('sexton.reason', true), ''), pg_current_xact_id()::text::bigint, (SELECT gen_random_uuid()) FROM sexton_1 UNION ALL SELECT (sexton_1.orders).*, NULL, NULL, NULL, NULL, NULL FROM sexton_1 WHERE false) SELECT orders.id FROM sexton_1, LATERAL (SELECT (sexton_1.orders).*) AS orders, LATERAL (SELECT (sexton_1.doomed).*) AS doomed;
-- tag: DELETE 1
-- rows:
-- 100

-- title: an archive delete that finds nothing
DELETE FROM orders WHERE id = 0;
-- rewritten:
WITH sexton_1 AS (DELETE FROM orders WHERE id = 0 RETURNING orders.*) INSERT INTO archive.orders (id, user_id, cents, archived_at, archived_by, archive_reason, archive_txid, deletion_id) SELECT sexton_1.id, sexton_1.user_id, sexton_1.cents, now(), coalesce(nullif(current_setting('sexton.actor', true), ''), session_user), nullif(current_setting('sexton.reason', true), ''), pg_current_xact_id()::text::bigint, (SELECT gen_random_uuid()) FROM sexton_1 UNION ALL SELECT sexton_1.*, NULL, NULL, NULL, NULL, NULL FROM sexton_1 WHERE false;
-- tag: DELETE 0

-- title: an archive delete with a volatile condition takes each row once
DELETE FROM orders WHERE random() >= 0;
-- rewritten:
WITH sexton_1 AS (DELETE FROM orders WHERE random() >= 0 RETURNING orders.*) INSERT INTO archive.orders (id, user_id, cents, archived_at, archived_by, archive_reason, archive_txid, deletion_id) SELECT sexton_1.id, sexton_1.user_id, sexton_1.cents, now(), coalesce(nullif(current_setting('sexton.actor', true), ''), session_user), nullif(current_setting('sexton.reason', true), ''), pg_current_xact_id()::text::bigint, (SELECT gen_random_uuid()) FROM sexton_1 UNION ALL SELECT sexton_1.*, NULL, NULL, NULL, NULL, NULL FROM sexton_1 WHERE false;
-- tag: DELETE 4

-- title: a select of an archived table needs no predicate
SELECT id FROM orders;
-- unchanged
-- rows:
-- 100
-- 101
-- 102
-- 103

-- title: an update of an archived table needs no predicate
UPDATE orders SET cents = cents + 1 WHERE id = 100;
-- unchanged
-- tag: UPDATE 1

-- title: the archive holds the row and who deleted it
-- not twin: the archive is the point
DELETE FROM orders WHERE id = 100; SELECT id, user_id, cents, archived_at = now() AS now, archived_by, deletion_id IS NOT NULL AS event FROM archive.orders WHERE id = 100;
-- rewritten:
WITH sexton_1 AS (DELETE FROM orders WHERE id = 100 RETURNING orders.*) INSERT INTO archive.orders (id, user_id, cents, archived_at, archived_by, archive_reason, archive_txid, deletion_id) SELECT sexton_1.id, sexton_1.user_id, sexton_1.cents, now(), coalesce(nullif(current_setting('sexton.actor', true), ''), session_user), nullif(current_setting('sexton.reason', true), ''), pg_current_xact_id()::text::bigint, (SELECT gen_random_uuid()) FROM sexton_1 UNION ALL SELECT sexton_1.*, NULL, NULL, NULL, NULL, NULL FROM sexton_1 WHERE false; SELECT id, user_id, cents, archived_at = now() AS now, archived_by, deletion_id IS NOT NULL AS event FROM archive.orders WHERE id = 100;
-- tag: DELETE 1, SELECT 1
-- rows:
-- 100 | 1 | 500 | t | app | t

-- title: the rows of one delete share one event
-- not twin: the archive is the point
DELETE FROM orders WHERE user_id = 1; SELECT count(*), count(DISTINCT deletion_id), count(DISTINCT archive_txid) FROM archive.orders WHERE id >= 100;
-- rewritten:
WITH sexton_1 AS (DELETE FROM orders WHERE user_id = 1 RETURNING orders.*) INSERT INTO archive.orders (id, user_id, cents, archived_at, archived_by, archive_reason, archive_txid, deletion_id) SELECT sexton_1.id, sexton_1.user_id, sexton_1.cents, now(), coalesce(nullif(current_setting('sexton.actor', true), ''), session_user), nullif(current_setting('sexton.reason', true), ''), pg_current_xact_id()::text::bigint, (SELECT gen_random_uuid()) FROM sexton_1 UNION ALL SELECT sexton_1.*, NULL, NULL, NULL, NULL, NULL FROM sexton_1 WHERE false; SELECT count(*), count(DISTINCT deletion_id), count(DISTINCT archive_txid) FROM archive.orders WHERE id >= 100;
-- tag: DELETE 2, SELECT 1
-- rows:
-- 2 | 1 | 1

-- title: two deletes are two events
-- not twin: the archive is the point
DELETE FROM orders WHERE id = 100; DELETE FROM orders WHERE id = 101; SELECT count(DISTINCT deletion_id) FROM archive.orders WHERE id >= 100;
-- rewritten:
WITH sexton_1 AS (DELETE FROM orders WHERE id = 100 RETURNING orders.*) INSERT INTO archive.orders (id, user_id, cents, archived_at, archived_by, archive_reason, archive_txid, deletion_id) SELECT sexton_1.id, sexton_1.user_id, sexton_1.cents, now(), coalesce(nullif(current_setting('sexton.actor', true), ''), session_user), nullif(current_setting('sexton.reason', true), ''), pg_current_xact_id()::text::bigint, (SELECT gen_random_uuid()) FROM sexton_1 UNION ALL SELECT sexton_1.*, NULL, NULL, NULL, NULL, NULL FROM sexton_1 WHERE false; WITH sexton_1 AS (DELETE FROM orders WHERE id = 101 RETURNING orders.*) INSERT INTO archive.orders (id, user_id, cents, archived_at, archived_by, archive_reason, archive_txid, deletion_id) SELECT sexton_1.id, sexton_1.user_id, sexton_1.cents, now(), coalesce(nullif(current_setting('sexton.actor', true), ''), session_user), nullif(current_setting('sexton.reason', true), ''), pg_current_xact_id()::text::bigint, (SELECT gen_random_uuid()) FROM sexton_1 UNION ALL SELECT sexton_1.*, NULL, NULL, NULL, NULL, NULL FROM sexton_1 WHERE false; SELECT count(DISTINCT deletion_id) FROM archive.orders WHERE id >= 100;
-- tag: DELETE 1, DELETE 1, SELECT 1
-- rows:
-- 2

-- title: returning of an archived row as a value
DELETE FROM orders o WHERE id = 100 RETURNING o, pg_typeof(o), o.*;
-- rewritten:
WITH sexton_1 AS (DELETE FROM orders o WHERE id = 100 RETURNING o.*), sexton_2 AS (INSERT INTO archive.orders (id, user_id, cents, archived_at, archived_by, archive_reason, archive_txid, deletion_id) SELECT sexton_1.id, sexton_1.user_id, sexton_1.cents, now(), coalesce(nullif(current_setting('sexton.actor', true), ''), session_user), nullif(current_setting('sexton.reason', true), ''), pg_current_xact_id()::text::bigint, (SELECT gen_random_uuid()) FROM sexton_1 UNION ALL SELECT sexton_1.*, NULL, NULL, NULL, NULL, NULL FROM sexton_1 WHERE false) SELECT o, pg_typeof(o), o.* FROM (SELECT ROW(id, user_id, cents)::public.orders AS sexton_row FROM sexton_1) AS sexton_1_row, LATERAL unnest(ARRAY[sexton_1_row.sexton_row]) AS o;
-- tag: DELETE 1
-- rows:
-- (100,1,500) | orders | 100 | 1 | 500

-- title: returning star of an archive with using
DELETE FROM orders o USING users u WHERE u.id = o.user_id AND o.id = 100 RETURNING *;
-- rewritten:
WITH sexton_1 AS (DELETE FROM orders o USING users u WHERE u.deleted_at IS NULL AND (u.id = o.user_id AND o.id = 100) RETURNING o, u), sexton_2 AS (INSERT INTO archive.orders (id, user_id, cents, archived_at, archived_by, archive_reason, archive_txid, deletion_id) SELECT (sexton_1.o).id, (sexton_1.o).user_id, (sexton_1.o).cents, now(), coalesce(nullif(current_setting('sexton.actor', true), ''), session_user), nullif(current_setting('sexton.reason', true), ''), pg_current_xact_id()::text::bigint, (SELECT gen_random_uuid()) FROM sexton_1 UNION ALL SELECT (sexton_1.o).*, NULL, NULL, NULL, NULL, NULL FROM sexton_1 WHERE false) SELECT o.*, u.* FROM sexton_1, LATERAL (SELECT (sexton_1.o).*) AS o, LATERAL (SELECT (sexton_1.u).*) AS u;
-- tag: DELETE 1
-- rows:
-- 100 | 1 | 500 | 1 | ann | ann@example.com | null
