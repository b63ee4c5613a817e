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
WITH sexton_1 AS (DELETE FROM orders RETURNING orders.*) INSERT INTO archive.orders (id, user_id, cents, archived_at, archived_by, archive_reason, archive_txid, deletion_id) SELECT sexton_1.id, sexton_1.user_id, sexton_1.cents, now(), coalesce(nullif(current_setting('sexton.actor', true), ''), session_user), nullif(current_setting('sexton.reason', true), ''), pg_current_xact_id()::text::bigint, (SELECT gen_random_uuid()) FROM sexton_1 UNION ALL SELECT sexton_1.*, NULL, NULL, NULL, NULL, NULL FROM sexton_1 WHERE false; SELECT count(*) FROM orders;
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

-- title: truncate of a table that another refers to
TRUNCATE accounts;
-- refused: truncate-referenced 0A000

-- title: truncate of a table with the one that refers to it
TRUNCATE accounts, logins; SELECT count(*) FROM accounts, logins;
-- rewritten:
WITH sexton_1 AS (UPDATE accounts SET deleted_at = now(), deletion_id = (SELECT gen_random_uuid()) WHERE accounts.deleted_at IS NULL) UPDATE logins SET gone = true WHERE logins.gone IS NOT TRUE; SELECT count(*) FROM accounts, logins WHERE accounts.deleted_at IS NULL AND logins.gone IS NOT TRUE;
-- tag: TRUNCATE TABLE, SELECT 1
-- rows:
-- 0

-- title: truncate cascade follows the foreign keys
TRUNCATE accounts CASCADE; SELECT count(*) FROM logins;
-- rewritten:
WITH sexton_1 AS (UPDATE accounts SET deleted_at = now(), deletion_id = (SELECT gen_random_uuid()) WHERE accounts.deleted_at IS NULL) UPDATE public.logins SET gone = true WHERE public.logins.gone IS NOT TRUE; SELECT count(*) FROM logins WHERE logins.gone IS NOT TRUE;
-- tag: TRUNCATE TABLE, SELECT 1
-- rows:
-- 0

-- title: truncate cascade of a table that refers to itself and is referred to by another that is not registered
TRUNCATE products CASCADE;
-- refused: truncate-reach 0A000

-- title: truncate cascade over a composite key
TRUNCATE ONLY public.rooms CONTINUE IDENTITY CASCADE; SELECT count(*) FROM bookings;
-- rewritten:
WITH sexton_1 AS (UPDATE ONLY public.rooms SET deleted_at = now() WHERE public.rooms.deleted_at IS NULL) UPDATE public.bookings SET deleted = true WHERE NOT public.bookings.deleted; SELECT count(*) FROM bookings WHERE NOT bookings.deleted;
-- tag: TRUNCATE TABLE, SELECT 1
-- rows:
-- 0

-- title: truncate cascade of a table that nothing refers to
TRUNCATE users CASCADE; SELECT count(*) FROM users;
-- rewritten:
UPDATE users SET deleted_at = now() WHERE users.deleted_at IS NULL; SELECT count(*) FROM users WHERE users.deleted_at IS NULL;
-- tag: TRUNCATE TABLE, SELECT 1
-- rows:
-- 0

-- title: truncate cascade reaches a table that must not be truncated
TRUNCATE vaults CASCADE;
-- refused: truncate 0A000

-- title: truncate of a hard table that must not be truncated
TRUNCATE deposits;
-- refused: truncate 0A000

-- title: truncate of a hard table with one that keeps its rows
TRUNCATE vaults, deposits, notes;
-- refused: truncate 0A000

-- title: truncate of a table that is not registered with cascade
TRUNCATE items CASCADE;
-- refused: truncate-form 0A000

-- title: truncate that restarts a sequence
TRUNCATE notes RESTART IDENTITY;
-- refused: truncate-form 0A000

-- title: truncate cascade behind a new table
-- not twin: it is refused until the catalog is read
CREATE TABLE pins (account_id int REFERENCES accounts); TRUNCATE accounts CASCADE;
-- refused: truncate-form 0A000

-- title: truncate cascade where a table must not be truncated by the role
-- role: clerk
TRUNCATE accounts CASCADE;
-- refused: privilege 42501

-- title: truncate of a hard table that is referred to, with one that is not registered
TRUNCATE vaults, items;
-- unchanged
-- error: 0A000
