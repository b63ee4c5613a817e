-- title: a deletion begins its event
-- database: installed
DELETE FROM accounts WHERE id = 4;
-- rewritten:
UPDATE accounts SET deleted_at = now(), deletion_id = (SELECT sexton.event(true)) WHERE accounts.deleted_at IS NULL AND (id = 4);
-- tag: DELETE 1

-- title: a deletion from an archive begins it before the first row leaves
-- database: installed
DELETE FROM orders WHERE id = 100;
-- rewritten:
WITH sexton_1 AS (DELETE FROM orders WHERE (SELECT sexton.event(true)) IS NOT NULL AND (id = 100) RETURNING orders.*) INSERT INTO archive.orders (id, user_id, cents, archived_at, archived_by, archive_reason, archive_txid, deletion_id) SELECT sexton_1.id, sexton_1.user_id, sexton_1.cents, now(), (SELECT sexton.actor()), (SELECT sexton.reason()), pg_current_xact_id()::text::bigint, (SELECT sexton.event(false)) FROM sexton_1 UNION ALL SELECT sexton_1.*, NULL, NULL, NULL, NULL, NULL FROM sexton_1 WHERE false;
-- tag: DELETE 1

-- title: a deletion of every row of an archive table
-- database: installed
DELETE FROM orders RETURNING id;
-- rewritten:
WITH sexton_1 AS (DELETE FROM orders WHERE (SELECT sexton.event(true)) IS NOT NULL RETURNING orders.*), sexton_2 AS (INSERT INTO archive.orders (id, user_id, cents, archived_at, archived_by, archive_reason, archive_txid, deletion_id) SELECT sexton_1.id, sexton_1.user_id, sexton_1.cents, now(), (SELECT sexton.actor()), (SELECT sexton.reason()), pg_current_xact_id()::text::bigint, (SELECT sexton.event(false)) FROM sexton_1 UNION ALL SELECT sexton_1.*, NULL, NULL, NULL, NULL, NULL FROM sexton_1 WHERE false) SELECT id FROM sexton_1 AS orders;
-- tag: DELETE 4
-- rows:
-- 100
-- 101
-- 102
-- 103

-- title: a deletion with using, from an archive table
-- database: installed
DELETE FROM orders o USING users u WHERE u.id = o.user_id AND u.name = 'ann' RETURNING o.id;
-- rewritten:
WITH sexton_1 AS (DELETE FROM orders o USING users u WHERE (SELECT sexton.event(true)) IS NOT NULL AND u.deleted_at IS NULL AND (u.id = o.user_id AND u.name = 'ann') RETURNING o, u), sexton_2 AS (INSERT INTO archive.orders (id, user_id, cents, archived_at, archived_by, archive_reason, archive_txid, deletion_id) SELECT (sexton_1.o).id, (sexton_1.o).user_id, (sexton_1.o).cents, now(), (SELECT sexton.actor()), (SELECT sexton.reason()), pg_current_xact_id()::text::bigint, (SELECT sexton.event(false)) FROM sexton_1 UNION ALL SELECT (sexton_1.o).*, NULL, NULL, NULL, NULL, NULL FROM sexton_1 WHERE false) SELECT o.id FROM sexton_1, LATERAL (SELECT (sexton_1.o).*) AS o, LATERAL (SELECT (sexton_1.u).*) AS u;
-- tag: DELETE 2
-- rows:
-- 100
-- 102

-- title: a deletion from an archive table in a common table expression
-- database: installed
WITH gone AS (DELETE FROM orders WHERE id = 101 RETURNING id) SELECT id FROM gone;
-- rewritten:
WITH sexton_1 AS (DELETE FROM orders WHERE (SELECT sexton.event(true)) IS NOT NULL AND (id = 101) RETURNING orders.*), sexton_2 AS (INSERT INTO archive.orders (id, user_id, cents, archived_at, archived_by, archive_reason, archive_txid, deletion_id) SELECT sexton_1.id, sexton_1.user_id, sexton_1.cents, now(), (SELECT sexton.actor()), (SELECT sexton.reason()), pg_current_xact_id()::text::bigint, (SELECT sexton.event(false)) FROM sexton_1 UNION ALL SELECT sexton_1.*, NULL, NULL, NULL, NULL, NULL FROM sexton_1 WHERE false), gone AS ( SELECT id FROM sexton_1 AS orders) SELECT id FROM gone;
-- rows:
-- 101

-- title: truncate of an archive table
-- database: installed
TRUNCATE orders; SELECT count(*) FROM orders;
-- rewritten:
WITH sexton_1 AS (DELETE FROM orders WHERE (SELECT sexton.event(true)) IS NOT NULL RETURNING orders.*) INSERT INTO archive.orders (id, user_id, cents, archived_at, archived_by, archive_reason, archive_txid, deletion_id) SELECT sexton_1.id, sexton_1.user_id, sexton_1.cents, now(), (SELECT sexton.actor()), (SELECT sexton.reason()), pg_current_xact_id()::text::bigint, (SELECT sexton.event(false)) FROM sexton_1 UNION ALL SELECT sexton_1.*, NULL, NULL, NULL, NULL, NULL FROM sexton_1 WHERE false; SELECT count(*) FROM orders;
-- tag: TRUNCATE TABLE, SELECT 1
-- rows:
-- 0

-- title: removing deleted rows for good begins an event
-- database: installed
-- role: dba
-- scope: deleted
DELETE FROM logins; DELETE FROM accounts;
-- rewritten:
DELETE FROM logins WHERE logins.gone IS TRUE AND (SELECT sexton.event(true)) IS NOT NULL; DELETE FROM accounts WHERE accounts.deleted_at IS NOT NULL AND (SELECT sexton.event(true)) IS NOT NULL;
-- tag: DELETE 1, DELETE 1

-- title: merge that removes deleted rows for good
-- database: installed
-- since: 15
-- role: dba
-- scope: deleted
MERGE INTO accounts a USING items i ON i.id = a.id - 2 WHEN MATCHED AND a.tenant = 1 THEN DELETE;
-- rewritten:
MERGE INTO accounts a USING items i ON a.deleted_at IS NOT NULL AND (i.id = a.id - 2) WHEN MATCHED AND (SELECT sexton.event(true)) IS NOT NULL AND (a.tenant = 1) THEN DELETE;
-- error: 23503

-- title: merge that marks rows
-- database: installed
-- since: 15
MERGE INTO accounts a USING items i ON i.id = a.id - 3 WHEN MATCHED THEN DELETE;
-- rewritten:
MERGE INTO accounts a USING items i ON a.deleted_at IS NULL AND (i.id = a.id - 3) WHEN MATCHED THEN UPDATE SET deleted_at = now(), deletion_id = (SELECT sexton.event(true));
-- tag: MERGE 1

-- title: a deletion of the cursor's row from an archive table
-- database: installed
DECLARE c CURSOR FOR SELECT id FROM orders; FETCH c; DELETE FROM orders WHERE CURRENT OF c RETURNING id, cents;
-- rewritten:
DECLARE c CURSOR FOR SELECT id FROM orders; FETCH c; WITH sexton_1 AS (DELETE FROM orders USING (SELECT WHERE (SELECT sexton.event(true)) IS NOT NULL) AS sexton_2 WHERE CURRENT OF c RETURNING orders.*), sexton_3 AS (INSERT INTO archive.orders (id, user_id, cents, archived_at, archived_by, archive_reason, archive_txid, deletion_id) SELECT sexton_1.id, sexton_1.user_id, sexton_1.cents, now(), (SELECT sexton.actor()), (SELECT sexton.reason()), pg_current_xact_id()::text::bigint, (SELECT sexton.event(false)) FROM sexton_1 UNION ALL SELECT sexton_1.*, NULL, NULL, NULL, NULL, NULL FROM sexton_1 WHERE false) SELECT id, cents FROM sexton_1 AS orders;
-- tag: DECLARE CURSOR, FETCH 1, DELETE 1
-- rows:
-- 100
-- 100 | 500

-- title: truncate of several tables is one event
-- database: installed
-- role: support
-- not twin: the kept rows are the point
TRUNCATE accounts, logins, orders; SELECT /* sexton: scope=all */ count(DISTINCT deletion_id) FROM (SELECT deletion_id FROM accounts WHERE deletion_id IS NOT NULL UNION ALL SELECT deletion_id FROM archive.orders WHERE deletion_id IS NOT NULL) AS d;
-- rewritten:
WITH sexton_4 AS MATERIALIZED (SELECT (SELECT sexton.event(true)) AS event), sexton_2 AS (UPDATE accounts SET deleted_at = now(), deletion_id = (SELECT event FROM sexton_4) WHERE accounts.deleted_at IS NULL), sexton_3 AS (UPDATE logins SET gone = true WHERE logins.gone IS NOT TRUE), sexton_1 AS (DELETE FROM orders WHERE (SELECT event FROM sexton_4) IS NOT NULL RETURNING orders.*) INSERT INTO archive.orders (id, user_id, cents, archived_at, archived_by, archive_reason, archive_txid, deletion_id) SELECT sexton_1.id, sexton_1.user_id, sexton_1.cents, now(), (SELECT sexton.actor()), (SELECT sexton.reason()), pg_current_xact_id()::text::bigint, (SELECT sexton.event(false)) FROM sexton_1 UNION ALL SELECT sexton_1.*, NULL, NULL, NULL, NULL, NULL FROM sexton_1 WHERE false; SELECT /* sexton: scope=all */ count(DISTINCT deletion_id) FROM (SELECT deletion_id FROM accounts WHERE deletion_id IS NOT NULL UNION ALL SELECT deletion_id FROM archive.orders WHERE deletion_id IS NOT NULL) AS d;
-- tag: TRUNCATE TABLE, SELECT 1
-- rows:
-- 1

-- title: a deletion of the cursor's row from an archive table, with using
-- database: installed
DECLARE c CURSOR FOR SELECT id FROM orders; FETCH c; DELETE FROM orders o USING users u, items WHERE CURRENT OF c RETURNING o.id, u.name;
-- rewritten:
DECLARE c CURSOR FOR SELECT id FROM orders; FETCH c; WITH sexton_1 AS (DELETE FROM orders o USING (SELECT * FROM users u WHERE u.deleted_at IS NULL) u, items, (SELECT WHERE (SELECT sexton.event(true)) IS NOT NULL) AS sexton_2 WHERE CURRENT OF c RETURNING o, u, items), sexton_3 AS (INSERT INTO archive.orders (id, user_id, cents, archived_at, archived_by, archive_reason, archive_txid, deletion_id) SELECT (sexton_1.o).id, (sexton_1.o).user_id, (sexton_1.o).cents, now(), (SELECT sexton.actor()), (SELECT sexton.reason()), pg_current_xact_id()::text::bigint, (SELECT sexton.event(false)) FROM sexton_1 UNION ALL SELECT (sexton_1.o).*, NULL, NULL, NULL, NULL, NULL FROM sexton_1 WHERE false) SELECT o.id, u.name FROM sexton_1, LATERAL (SELECT (sexton_1.o).*) AS o, LATERAL (SELECT (sexton_1.u).*) AS u, LATERAL (SELECT (sexton_1.items).*) AS items;
-- tag: DECLARE CURSOR, FETCH 1, DELETE 1
-- rows:
-- 100
-- 100 | ann

-- title: a deletion of the cursor's row from an archive table that returns nothing
-- database: installed
DECLARE c CURSOR FOR SELECT id FROM orders; FETCH c; DELETE FROM orders WHERE CURRENT OF c; SELECT id FROM orders;
-- rewritten:
DECLARE c CURSOR FOR SELECT id FROM orders; FETCH c; WITH sexton_1 AS (DELETE FROM orders USING (SELECT WHERE (SELECT sexton.event(true)) IS NOT NULL) AS sexton_2 WHERE CURRENT OF c RETURNING orders.*) INSERT INTO archive.orders (id, user_id, cents, archived_at, archived_by, archive_reason, archive_txid, deletion_id) SELECT sexton_1.id, sexton_1.user_id, sexton_1.cents, now(), (SELECT sexton.actor()), (SELECT sexton.reason()), pg_current_xact_id()::text::bigint, (SELECT sexton.event(false)) FROM sexton_1 UNION ALL SELECT sexton_1.*, NULL, NULL, NULL, NULL, NULL FROM sexton_1 WHERE false; SELECT id FROM orders;
-- tag: DECLARE CURSOR, FETCH 1, DELETE 1, SELECT 3
-- rows:
-- 100
-- 101
-- 102
-- 103

-- title: removing the cursor's deleted row for good begins an event
-- database: installed
-- role: dba
-- scope: deleted
DELETE FROM logins; DECLARE c CURSOR FOR SELECT id FROM accounts; FETCH c; DELETE FROM accounts WHERE CURRENT OF c RETURNING *;
-- rewritten:
DELETE FROM logins WHERE logins.gone IS TRUE AND (SELECT sexton.event(true)) IS NOT NULL; DECLARE c CURSOR FOR SELECT id FROM accounts WHERE accounts.deleted_at IS NOT NULL; FETCH c; DELETE FROM accounts USING (SELECT WHERE (SELECT sexton.event(true)) IS NOT NULL) AS sexton_1 WHERE CURRENT OF c RETURNING *;
-- tag: DELETE 1, DECLARE CURSOR, FETCH 1, DELETE 1
-- rows:
-- 3
-- 3 | dead@example.com | 1 | Dead | 2026-01-01 00:00:00+00 | null

-- title: removing the cursor's deleted row for good, with using
-- database: installed
-- role: dba
-- scope: deleted
DELETE FROM logins; DECLARE c CURSOR FOR SELECT id FROM accounts; FETCH c; WITH gone AS (DELETE FROM accounts a USING items i WHERE CURRENT OF c RETURNING a.id) SELECT * FROM gone;
-- rewritten:
DELETE FROM logins WHERE logins.gone IS TRUE AND (SELECT sexton.event(true)) IS NOT NULL; DECLARE c CURSOR FOR SELECT id FROM accounts WHERE accounts.deleted_at IS NOT NULL; FETCH c; WITH gone AS (DELETE FROM accounts a USING items i, (SELECT WHERE (SELECT sexton.event(true)) IS NOT NULL) AS sexton_1 WHERE CURRENT OF c RETURNING a.id) SELECT * FROM gone;
-- tag: DELETE 1, DECLARE CURSOR, FETCH 1, SELECT 1
-- rows:
-- 3
-- 3
