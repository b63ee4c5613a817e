-- title: who may not delete may not mark
-- role: clerk
DELETE FROM users WHERE id = 1;
-- rewritten:
WITH sexton_1 AS (DELETE FROM users WHERE false) UPDATE users SET deleted_at = now() WHERE users.deleted_at IS NULL AND (id = 1);
-- error: 42501

-- title: who may not delete may not mark past a with query
-- role: clerk
WITH x AS (SELECT 1 AS id) DELETE FROM users USING x WHERE users.id = x.id RETURNING *;
-- rewritten:
WITH x AS (SELECT 1 AS id) , sexton_1 AS (DELETE FROM users WHERE false), sexton_2 AS (UPDATE users SET deleted_at = now() FROM x WHERE users.deleted_at IS NULL AND (users.id = x.id) RETURNING users, x) SELECT users.*, x.* FROM sexton_2, LATERAL (SELECT (sexton_2.users).id, (sexton_2.users).name, (sexton_2.users).email, NULL::timestamp with time zone AS deleted_at) AS users, LATERAL (SELECT (sexton_2.x).*) AS x;
-- error: 42501

-- title: who may not delete may not mark inside a with query
-- role: clerk
WITH x AS (DELETE FROM posts WHERE id = 10 RETURNING id) SELECT * FROM x;
-- rewritten:
WITH sexton_1 AS (DELETE FROM posts WHERE false), x AS (UPDATE posts SET deleted = true WHERE NOT posts.deleted AND (id = 10) RETURNING id) SELECT * FROM x;
-- error: 42501

-- title: who may not delete may not mark where the rows are read first
-- role: clerk
DELETE FROM seats WHERE id = 1 RETURNING *;
-- rewritten:
WITH sexton_1 AS (DELETE FROM seats WHERE false), sexton_2 AS (SELECT seats.* FROM seats WHERE (seats.state <> 'void') AND (id = 1) FOR UPDATE OF seats), sexton_3 AS (UPDATE seats AS sexton_target SET state = 'void', voided_by = session_user FROM sexton_2 WHERE sexton_target.id = sexton_2.id RETURNING sexton_2.*) SELECT * FROM sexton_3 AS seats;
-- error: 42501

-- title: who may not delete may not archive
-- role: clerk
DELETE FROM orders WHERE id = 100;
-- rewritten:
WITH sexton_1 AS (DELETE FROM orders WHERE id = 100 RETURNING orders.*) INSERT INTO archive.orders (id, user_id, cents, archived_at, archived_by, archive_reason, archive_txid, deletion_id) SELECT sexton_1.id, sexton_1.user_id, sexton_1.cents, now(), coalesce(nullif(current_setting('sexton.actor', true), ''), session_user), nullif(current_setting('sexton.reason', true), ''), pg_current_xact_id()::text::bigint, (SELECT gen_random_uuid()) FROM sexton_1 UNION ALL SELECT sexton_1.*, NULL, NULL, NULL, NULL, NULL FROM sexton_1 WHERE false;
-- error: 42501

-- title: who may not truncate may not have it rewritten
-- role: clerk
TRUNCATE users;
-- refused: privilege 42501

-- title: who may not delete may not merge a deletion
-- role: clerk
-- since: 15
MERGE INTO users u USING items i ON i.id = u.id WHEN MATCHED THEN DELETE;
-- refused: privilege 42501

-- title: the login's own role is no other
-- role: dba
-- not twin: the statement that runs is shown
SET LOCAL ROLE dba; DELETE FROM users WHERE id = 1;
-- rewritten:
SET LOCAL ROLE dba; UPDATE users SET deleted_at = now() WHERE users.deleted_at IS NULL AND (id = 1);
-- tag: SET, DELETE 1

-- title: another role has its own privilege
SET LOCAL ROLE clerk; DELETE FROM users WHERE id = 1;
-- rewritten:
SET LOCAL ROLE clerk; WITH sexton_1 AS (DELETE FROM users WHERE false) UPDATE users SET deleted_at = now() WHERE users.deleted_at IS NULL AND (id = 1);
-- tag: SET
-- error: 42501
