-- title: a cte over a soft table
WITH live AS (SELECT id FROM users) SELECT id FROM live;
-- rewritten:
WITH live AS (SELECT id FROM users WHERE users.deleted_at IS NULL) SELECT id FROM live;
-- rows:
-- 1
-- 2
-- 3

-- title: a cte that shadows a registered name is left alone
WITH users AS (SELECT 7 AS id) SELECT id FROM users;
-- unchanged
-- rows:
-- 7

-- title: a cte shadows only after its own body
WITH users AS (SELECT id FROM users) SELECT id FROM users;
-- rewritten:
WITH users AS (SELECT id FROM users WHERE users.deleted_at IS NULL) SELECT id FROM users;
-- rows:
-- 1
-- 2
-- 3

-- title: a schema-qualified name is not shadowed
WITH users AS (SELECT 7 AS id) SELECT u.id FROM public.users u;
-- rewritten:
WITH users AS (SELECT 7 AS id) SELECT u.id FROM public.users u WHERE u.deleted_at IS NULL;
-- rows:
-- 1
-- 2
-- 3

-- title: an inner with shadows inside only
SELECT (WITH users AS (SELECT 7 AS id) SELECT id FROM users), id FROM users;
-- rewritten:
SELECT (WITH users AS (SELECT 7 AS id) SELECT id FROM users), id FROM users WHERE users.deleted_at IS NULL;
-- rows:
-- 7 | 1
-- 7 | 2
-- 7 | 3

-- title: a materialized cte
WITH m AS MATERIALIZED (SELECT id FROM users), n AS NOT MATERIALIZED (SELECT id FROM posts) SELECT m.id FROM m JOIN n ON n.id = m.id + 9;
-- rewritten:
WITH m AS MATERIALIZED (SELECT id FROM users WHERE users.deleted_at IS NULL), n AS NOT MATERIALIZED (SELECT id FROM posts WHERE NOT posts.deleted) SELECT m.id FROM m JOIN n ON n.id = m.id + 9;
-- rows:
-- 1
-- 3

-- title: a recursive cte over a soft table
WITH RECURSIVE chain AS (SELECT id FROM users WHERE id = 1 UNION ALL SELECT u.id FROM chain c JOIN users u ON u.id = c.id + 1) SELECT id FROM chain;
-- rewritten:
WITH RECURSIVE chain AS (SELECT id FROM users WHERE users.deleted_at IS NULL AND (id = 1) UNION ALL SELECT u.id FROM chain c JOIN users u ON u.id = c.id + 1 WHERE u.deleted_at IS NULL) SELECT id FROM chain;
-- rows:
-- 1
-- 2
-- 3

-- title: a recursive cte named like a registered table
WITH RECURSIVE users (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM users WHERE n < 3) SELECT n FROM users;
-- unchanged
-- rows:
-- 1
-- 2
-- 3

-- title: a later cte reads an earlier one
WITH a AS (SELECT id FROM users), b AS (SELECT id FROM a WHERE id > 1) SELECT id FROM b;
-- rewritten:
WITH a AS (SELECT id FROM users WHERE users.deleted_at IS NULL), b AS (SELECT id FROM a WHERE id > 1) SELECT id FROM b;
-- rows:
-- 2
-- 3

-- title: a cte with a column list
WITH a (x) AS (SELECT id FROM users) SELECT x FROM a;
-- rewritten:
WITH a (x) AS (SELECT id FROM users WHERE users.deleted_at IS NULL) SELECT x FROM a;
-- rows:
-- 1
-- 2
-- 3

-- title: a delete inside a cte
WITH gone AS (DELETE FROM posts WHERE user_id = 1 RETURNING id, title) SELECT id, title FROM gone;
-- rewritten:
WITH gone AS (UPDATE posts SET deleted = true WHERE NOT posts.deleted AND (user_id = 1) RETURNING id, title) SELECT id, title FROM gone;
-- rows:
-- 10 | ann one

-- title: a delete inside a cte hits live rows only
WITH gone AS (DELETE FROM posts RETURNING id) SELECT count(*) FROM gone;
-- rewritten:
WITH gone AS (UPDATE posts SET deleted = true WHERE NOT posts.deleted RETURNING id) SELECT count(*) FROM gone;
-- rows:
-- 4

-- title: an update inside a cte
WITH changed AS (UPDATE users SET name = 'x' RETURNING id) SELECT id FROM changed;
-- rewritten:
WITH changed AS (UPDATE users SET name = 'x' WHERE users.deleted_at IS NULL RETURNING id) SELECT id FROM changed;
-- rows:
-- 1
-- 2
-- 3

-- title: an insert from a deleting cte
WITH gone AS (DELETE FROM posts WHERE id = 10 RETURNING id, title) INSERT INTO items (id, name) SELECT id, title FROM gone RETURNING id, name;
-- rewritten:
WITH gone AS (UPDATE posts SET deleted = true WHERE NOT posts.deleted AND (id = 10) RETURNING id, title) INSERT INTO items (id, name) SELECT id, title FROM gone RETURNING id, name;
-- tag: INSERT 0 1
-- rows:
-- 10 | ann one

-- title: the main query beside a deleting cte sees the old snapshot
WITH gone AS (DELETE FROM posts WHERE id = 10) SELECT id FROM posts;
-- rewritten:
WITH gone AS (UPDATE posts SET deleted = true WHERE NOT posts.deleted AND (id = 10)) SELECT id FROM posts WHERE NOT posts.deleted;
-- rows:
-- 10
-- 12
-- 13
-- 14

-- title: a deleting cte without returning
WITH gone AS (DELETE FROM posts WHERE id = 10) SELECT 1;
-- rewritten:
WITH gone AS (UPDATE posts SET deleted = true WHERE NOT posts.deleted AND (id = 10)) SELECT 1;
-- rows:
-- 1

-- title: a delete with a cte in front
WITH doomed AS (SELECT id FROM users WHERE id = 1) DELETE FROM posts USING doomed WHERE posts.user_id = doomed.id;
-- rewritten:
WITH doomed AS (SELECT id FROM users WHERE users.deleted_at IS NULL AND (id = 1)) UPDATE posts SET deleted = true FROM doomed WHERE NOT posts.deleted AND (posts.user_id = doomed.id);
-- tag: DELETE 1

-- title: an update with a cte in front
WITH u AS (SELECT id FROM users) UPDATE posts SET title = 'y' FROM u WHERE u.id = posts.user_id;
-- rewritten:
WITH u AS (SELECT id FROM users WHERE users.deleted_at IS NULL) UPDATE posts SET title = 'y' FROM u WHERE NOT posts.deleted AND (u.id = posts.user_id);
-- tag: UPDATE 2

-- title: two deletes of two tables in one statement
WITH a AS (DELETE FROM posts WHERE user_id = 1 RETURNING id), b AS (DELETE FROM notes WHERE user_id = 1 RETURNING id) SELECT (SELECT count(*) FROM a), (SELECT count(*) FROM b);
-- rewritten:
WITH a AS (UPDATE posts SET deleted = true WHERE NOT posts.deleted AND (user_id = 1) RETURNING id), b AS (UPDATE notes SET gone = true WHERE notes.gone IS NOT TRUE AND (user_id = 1) RETURNING id) SELECT (SELECT count(*) FROM a), (SELECT count(*) FROM b);
-- rows:
-- 1 | 2

-- title: a cte in a subquery in a where
SELECT id FROM items WHERE id IN (WITH w AS (SELECT id FROM users) SELECT id FROM w);
-- rewritten:
SELECT id FROM items WHERE id IN (WITH w AS (SELECT id FROM users WHERE users.deleted_at IS NULL) SELECT id FROM w);
-- rows:
-- 1
-- 2

-- title: a cte used twice, once on a nullable side
WITH w AS (SELECT id FROM users) SELECT a.id, b.id FROM w a LEFT JOIN w b ON b.id = a.id + 1;
-- rewritten:
WITH w AS (SELECT id FROM users WHERE users.deleted_at IS NULL) SELECT a.id, b.id FROM w a LEFT JOIN w b ON b.id = a.id + 1;
-- rows:
-- 1 | 2
-- 2 | 3
-- 3 | null

-- title: an archive delete and a soft delete in one statement
WITH o AS (DELETE FROM orders WHERE user_id = 1 RETURNING id), p AS (DELETE FROM posts WHERE user_id = 1 RETURNING id) SELECT (SELECT count(*) FROM o), (SELECT count(*) FROM p);
-- rewritten:
WITH sexton_1 AS (DELETE FROM orders WHERE user_id = 1 RETURNING orders.*), sexton_2 AS (INSERT INTO archive.orders (id, user_id, cents, archived_at, archived_by, archive_reason, archive_txid, deletion_id) SELECT sexton_1.id, sexton_1.user_id, sexton_1.cents, now(), coalesce(nullif(current_setting('sexton.actor', true), ''), session_user), nullif(current_setting('sexton.reason', true), ''), pg_current_xact_id()::text::bigint, (SELECT gen_random_uuid()) FROM sexton_1 UNION ALL SELECT sexton_1.*, NULL, NULL, NULL, NULL, NULL FROM sexton_1 WHERE false), o AS ( SELECT id FROM sexton_1 AS orders), p AS (UPDATE posts SET deleted = true WHERE NOT posts.deleted AND (user_id = 1) RETURNING id) SELECT (SELECT count(*) FROM o), (SELECT count(*) FROM p);
-- rows:
-- 2 | 1

-- title: a deleting cte that feeds another delete
WITH gone AS (DELETE FROM users WHERE id = 1 RETURNING id) DELETE FROM posts USING gone WHERE posts.user_id = gone.id RETURNING posts.id;
-- rewritten:
WITH gone AS (UPDATE users SET deleted_at = now() WHERE users.deleted_at IS NULL AND (id = 1) RETURNING id) UPDATE posts SET deleted = true FROM gone WHERE NOT posts.deleted AND (posts.user_id = gone.id) RETURNING posts.id;
-- tag: DELETE 1
-- rows:
-- 10

-- title: a recursive walk with union distinct and a join to a soft table
WITH RECURSIVE r (id) AS (VALUES (1) UNION SELECT u.id FROM r JOIN users u ON u.id <= r.id + 2) SELECT id FROM r;
-- rewritten:
WITH RECURSIVE r (id) AS (VALUES (1) UNION SELECT u.id FROM r JOIN users u ON u.id <= r.id + 2 WHERE u.deleted_at IS NULL) SELECT id FROM r;
-- rows:
-- 1
-- 2
-- 3

-- title: a search clause
WITH RECURSIVE r AS (SELECT id FROM users WHERE id = 1 UNION ALL SELECT u.id FROM r JOIN users u ON u.id = r.id + 1) SEARCH DEPTH FIRST BY id SET ord SELECT id FROM r ORDER BY ord;
-- rewritten:
WITH RECURSIVE r AS (SELECT id FROM users WHERE users.deleted_at IS NULL AND (id = 1) UNION ALL SELECT u.id FROM r JOIN users u ON u.id = r.id + 1 WHERE u.deleted_at IS NULL) SEARCH DEPTH FIRST BY id SET ord SELECT id FROM r ORDER BY ord;
-- rows:
-- 1
-- 2
-- 3
