-- title: truncate marks every live row
TRUNCATE users; SELECT count(*) FROM users;
-- rewritten:
UPDATE users SET deleted_at = now() WHERE users.deleted_at IS NULL; SELECT count(*) FROM users WHERE users.deleted_at IS NULL;
-- tag: TRUNCATE TABLE, SELECT 1
-- rows:
-- 0

-- title: truncate table in full
TRUNCATE TABLE public.posts; SELECT count(*) FROM posts;
-- rewritten:
UPDATE public.posts SET deleted = true WHERE NOT public.posts.deleted; SELECT count(*) FROM posts WHERE NOT posts.deleted;
-- tag: TRUNCATE TABLE, SELECT 1
-- rows:
-- 0

-- title: truncate archives every row
TRUNCATE orders; SELECT count(*) FROM orders;
-- rewritten:
WITH sexton_1 AS (DELETE FROM orders RETURNING orders.*) INSERT INTO archive.orders (id, user_id, cents, archived_at, archived_by, archive_reason, archive_txid, deletion_id) SELECT sexton_1.*, now(), coalesce(nullif(current_setting('sexton.actor', true), ''), session_user), nullif(current_setting('sexton.reason', true), ''), pg_current_xact_id()::text::bigint, (SELECT gen_random_uuid()) FROM sexton_1; SELECT count(*) FROM orders;
-- tag: TRUNCATE TABLE, SELECT 1
-- rows:
-- 0

-- title: truncate of an unregistered table
TRUNCATE items;
-- unchanged
-- tag: TRUNCATE TABLE

-- title: truncate keeps the rows
-- role: support
-- not twin: the kept rows are the point
TRUNCATE users; SELECT /* sexton: scope=all */ count(*) FROM users;
-- rewritten:
UPDATE users SET deleted_at = now() WHERE users.deleted_at IS NULL; SELECT /* sexton: scope=all */ count(*) FROM users;
-- tag: TRUNCATE TABLE, SELECT 1
-- rows:
-- 5
