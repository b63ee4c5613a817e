-- title: a prepared select hides deleted rows
PREPARE s (int) AS SELECT id, name FROM users WHERE id >= $1; EXECUTE s (2);
-- rewritten:
PREPARE s (int) AS SELECT id, name FROM users WHERE users.deleted_at IS NULL AND (id >= $1); EXECUTE s (2);
-- tag: PREPARE, SELECT 2
-- rows:
-- 2 | bob
-- 3 | cid

-- title: a prepared delete answers delete
PREPARE d (int) AS DELETE FROM users WHERE id = $1; EXECUTE d (1); EXECUTE d (1); EXECUTE d (4);
-- rewritten:
PREPARE d (int) AS UPDATE users SET deleted_at = now() WHERE users.deleted_at IS NULL AND (id = $1); EXECUTE d (1); EXECUTE d (1); EXECUTE d (4);
-- tag: PREPARE, DELETE 1, DELETE 0, DELETE 0

-- title: a prepared archive delete answers delete
PREPARE d (int) AS DELETE FROM orders WHERE id = $1; EXECUTE d (100); EXECUTE d (100);
-- rewritten:
PREPARE d (int) AS WITH sexton_1 AS (DELETE FROM orders WHERE id = $1 RETURNING orders.*) INSERT INTO archive.orders (id, user_id, cents, archived_at, archived_by, archive_reason, archive_txid, deletion_id) SELECT sexton_1.id, sexton_1.user_id, sexton_1.cents, now(), coalesce(nullif(current_setting('sexton.actor', true), ''), session_user), nullif(current_setting('sexton.reason', true), ''), pg_current_xact_id()::text::bigint, (SELECT gen_random_uuid()) FROM sexton_1 UNION ALL SELECT sexton_1.*, NULL, NULL, NULL, NULL, NULL FROM sexton_1 WHERE false; EXECUTE d (100); EXECUTE d (100);
-- tag: PREPARE, DELETE 1, DELETE 0

-- title: a prepared delete with returning
PREPARE d (int) AS DELETE FROM posts WHERE id = $1 RETURNING id, deleted; EXECUTE d (10);
-- rewritten:
PREPARE d (int) AS WITH sexton_1 AS (UPDATE posts SET deleted = true WHERE NOT posts.deleted AND (id = $1) RETURNING posts.*) SELECT id, deleted FROM (SELECT id, user_id, title, false AS deleted FROM sexton_1) AS posts; EXECUTE d (10);
-- tag: PREPARE, DELETE 1
-- rows:
-- 10 | f

-- title: deallocate and prepare again
PREPARE s AS SELECT count(*) FROM users; EXECUTE s; DEALLOCATE s; PREPARE s AS SELECT count(*) FROM items; EXECUTE s;
-- rewritten:
PREPARE s AS SELECT count(*) FROM users WHERE users.deleted_at IS NULL; EXECUTE s; DEALLOCATE s; PREPARE s AS SELECT count(*) FROM items; EXECUTE s;
-- tag: PREPARE, SELECT 1, DEALLOCATE, PREPARE, SELECT 1
-- rows:
-- 3
-- 2

-- title: create table as execute
PREPARE s AS SELECT id FROM users; CREATE TEMP TABLE made AS EXECUTE s; SELECT count(*) FROM made;
-- rewritten:
PREPARE s AS SELECT id FROM users WHERE users.deleted_at IS NULL; CREATE TEMP TABLE made AS EXECUTE s; SELECT count(*) FROM made;
-- tag: PREPARE, SELECT 3, SELECT 1
-- rows:
-- 3

-- title: a cursor over a soft table
DECLARE c CURSOR FOR SELECT id FROM users ORDER BY id; FETCH ALL FROM c;
-- rewritten:
DECLARE c CURSOR FOR SELECT id FROM users WHERE users.deleted_at IS NULL ORDER BY id; FETCH ALL FROM c;
-- tag: DECLARE CURSOR, FETCH 3
-- rows:
-- 1
-- 2
-- 3

-- title: a cursor with options
DECLARE c SCROLL CURSOR WITH HOLD FOR SELECT id FROM users ORDER BY id; FETCH LAST FROM c; FETCH PRIOR FROM c; CLOSE c;
-- rewritten:
DECLARE c SCROLL CURSOR WITH HOLD FOR SELECT id FROM users WHERE users.deleted_at IS NULL ORDER BY id; FETCH LAST FROM c; FETCH PRIOR FROM c; CLOSE c;
-- tag: DECLARE CURSOR, FETCH 1, FETCH 1, CLOSE CURSOR
-- rows:
-- 3
-- 2

-- title: a statement prepared before unrelated ddl is executed after it
PREPARE p AS SELECT id FROM users ORDER BY id; CREATE TABLE unrelated (id int); EXECUTE p;
-- rewritten:
PREPARE p AS SELECT id FROM users WHERE users.deleted_at IS NULL ORDER BY id; CREATE TABLE unrelated (id int); EXECUTE p;
-- tag: PREPARE, CREATE TABLE, SELECT 3
-- rows:
-- 1
-- 2
-- 3

-- title: a statement prepared under another search path that means the same
PREPARE p AS SELECT id FROM public.users ORDER BY id; SET LOCAL search_path = billing; EXECUTE p;
-- rewritten:
PREPARE p AS SELECT id FROM public.users WHERE public.users.deleted_at IS NULL ORDER BY id; SET LOCAL search_path = billing; EXECUTE p;
-- tag: PREPARE, SET, SELECT 3
-- rows:
-- 1
-- 2
-- 3
