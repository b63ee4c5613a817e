-- title: a delete by key
DELETE FROM users WHERE id = 1;
-- rewritten:
UPDATE users SET deleted_at = now() WHERE users.deleted_at IS NULL AND (id = 1);
-- tag: DELETE 1

-- title: a delete of a deleted row answers zero
DELETE FROM users WHERE id = 4;
-- rewritten:
UPDATE users SET deleted_at = now() WHERE users.deleted_at IS NULL AND (id = 4);
-- tag: DELETE 0

-- title: a delete of everything counts live rows
DELETE FROM users;
-- rewritten:
UPDATE users SET deleted_at = now() WHERE users.deleted_at IS NULL;
-- tag: DELETE 3

-- title: a deleted row is not seen again
DELETE FROM users WHERE id = 1; SELECT id FROM users ORDER BY id;
-- rewritten:
UPDATE users SET deleted_at = now() WHERE users.deleted_at IS NULL AND (id = 1); SELECT id FROM users WHERE users.deleted_at IS NULL ORDER BY id;
-- tag: DELETE 1, SELECT 2
-- rows:
-- 2
-- 3

-- title: a second delete answers zero
DELETE FROM users WHERE id = 1; DELETE FROM users WHERE id = 1;
-- rewritten:
UPDATE users SET deleted_at = now() WHERE users.deleted_at IS NULL AND (id = 1); UPDATE users SET deleted_at = now() WHERE users.deleted_at IS NULL AND (id = 1);
-- tag: DELETE 1, DELETE 0

-- title: returning gives the row as it was
DELETE FROM users WHERE id = 1 RETURNING *;
-- rewritten:
WITH sexton_1 AS (UPDATE users SET deleted_at = now() WHERE users.deleted_at IS NULL AND (id = 1) RETURNING users.*) SELECT * FROM (SELECT id, name, email, NULL::timestamp with time zone AS deleted_at FROM sexton_1) AS users;
-- tag: DELETE 1
-- rows:
-- 1 | ann | ann@example.com | null

-- title: returning of an expression over the marker
DELETE FROM users WHERE id = 1 RETURNING deleted_at IS NULL, id + 1;
-- rewritten:
WITH sexton_1 AS (UPDATE users SET deleted_at = now() WHERE users.deleted_at IS NULL AND (id = 1) RETURNING users.*) SELECT deleted_at IS NULL, id + 1 FROM (SELECT id, name, email, NULL::timestamp with time zone AS deleted_at FROM sexton_1) AS users;
-- tag: DELETE 1
-- rows:
-- t | 2

-- title: returning of a boolean marker as it was
DELETE FROM posts WHERE id = 10 RETURNING id, deleted;
-- rewritten:
WITH sexton_1 AS (UPDATE posts SET deleted = true WHERE NOT posts.deleted AND (id = 10) RETURNING posts.*) SELECT id, deleted FROM (SELECT id, user_id, title, false AS deleted FROM sexton_1) AS posts;
-- tag: DELETE 1
-- rows:
-- 10 | f

-- title: returning of the columns that the mark sets
DELETE FROM seats WHERE id = 1 RETURNING *;
-- rewritten:
WITH sexton_1 AS (SELECT seats.* FROM seats WHERE (seats.state <> 'void') AND (id = 1) FOR UPDATE OF seats), sexton_2 AS (UPDATE seats AS sexton_target SET state = 'void', voided_by = session_user FROM sexton_1 WHERE sexton_target.id = sexton_1.id RETURNING sexton_1.*) SELECT * FROM sexton_2 AS seats;
-- tag: DELETE 1
-- rows:
-- 1 | A1 | free | null

-- title: returning of the whole row as it was
DELETE FROM users u WHERE id = 1 RETURNING u;
-- rewritten:
WITH sexton_1 AS (UPDATE users u SET deleted_at = now() WHERE u.deleted_at IS NULL AND (id = 1) RETURNING u.*) SELECT u FROM (SELECT ROW(id, name, email, NULL::timestamp with time zone)::public.users AS sexton_row FROM sexton_1) AS sexton_1_row, LATERAL unnest(ARRAY[sexton_1_row.sexton_row]) AS u;
-- tag: DELETE 1
-- rows:
-- (1,ann,ann@example.com,)

-- title: a delete with an alias
DELETE FROM users AS u WHERE u.name = 'ann';
-- rewritten:
UPDATE users AS u SET deleted_at = now() WHERE u.deleted_at IS NULL AND (u.name = 'ann');
-- tag: DELETE 1

-- title: a delete with an alias without as
DELETE FROM users u WHERE u.name = 'ann' RETURNING u.id;
-- rewritten:
UPDATE users u SET deleted_at = now() WHERE u.deleted_at IS NULL AND (u.name = 'ann') RETURNING u.id;
-- tag: DELETE 1
-- rows:
-- 1

-- title: a delete with using hides both
DELETE FROM posts USING users WHERE posts.user_id = users.id RETURNING posts.id, users.name;
-- rewritten:
UPDATE posts SET deleted = true FROM users WHERE NOT posts.deleted AND users.deleted_at IS NULL AND (posts.user_id = users.id) RETURNING posts.id, users.name;
-- tag: DELETE 2
-- rows:
-- 10 | ann
-- 12 | bob

-- title: a delete with using an alias
DELETE FROM posts p USING users AS u WHERE p.user_id = u.id AND u.name = 'bob';
-- rewritten:
UPDATE posts p SET deleted = true FROM users AS u WHERE NOT p.deleted AND u.deleted_at IS NULL AND (p.user_id = u.id AND u.name = 'bob');
-- tag: DELETE 1

-- title: a delete with using two tables
DELETE FROM posts p USING users u, items i WHERE p.user_id = u.id AND i.id = u.id RETURNING p.id, i.name;
-- rewritten:
UPDATE posts p SET deleted = true FROM users u, items i WHERE NOT p.deleted AND u.deleted_at IS NULL AND (p.user_id = u.id AND i.id = u.id) RETURNING p.id, i.name;
-- tag: DELETE 2
-- rows:
-- 10 | pen
-- 12 | ink

-- title: a delete with using a join
DELETE FROM posts p USING users u LEFT JOIN notes n ON n.user_id = u.id WHERE p.user_id = u.id AND n.id = 1;
-- rewritten:
UPDATE posts p SET deleted = true FROM users u LEFT JOIN notes n ON n.gone IS NOT TRUE AND (n.user_id = u.id) WHERE NOT p.deleted AND u.deleted_at IS NULL AND (p.user_id = u.id AND n.id = 1);
-- tag: DELETE 1

-- title: a delete using a subquery
DELETE FROM posts p USING (SELECT id FROM users) u WHERE p.user_id = u.id;
-- rewritten:
UPDATE posts p SET deleted = true FROM (SELECT id FROM users WHERE users.deleted_at IS NULL) u WHERE NOT p.deleted AND (p.user_id = u.id);
-- tag: DELETE 2

-- title: a delete using the same table
DELETE FROM users USING users other WHERE other.id = users.id + 1 RETURNING users.id;
-- rewritten:
UPDATE users SET deleted_at = now() FROM users other WHERE users.deleted_at IS NULL AND other.deleted_at IS NULL AND (other.id = users.id + 1) RETURNING users.id;
-- tag: DELETE 2
-- rows:
-- 1
-- 2

-- title: a delete from an unregistered table using a soft one
DELETE FROM items USING users WHERE users.id = items.id + 3;
-- rewritten:
DELETE FROM items USING users WHERE users.deleted_at IS NULL AND (users.id = items.id + 3);
-- tag: DELETE 0

-- title: a delete from an unregistered table with a soft subquery
DELETE FROM items WHERE id IN (SELECT id FROM users WHERE id > 1);
-- rewritten:
DELETE FROM items WHERE id IN (SELECT id FROM users WHERE users.deleted_at IS NULL AND (id > 1));
-- tag: DELETE 1

-- title: a delete with a subquery over its own table
DELETE FROM users WHERE id = (SELECT min(id) FROM users) RETURNING id;
-- rewritten:
UPDATE users SET deleted_at = now() WHERE users.deleted_at IS NULL AND (id = (SELECT min(id) FROM users WHERE users.deleted_at IS NULL)) RETURNING id;
-- tag: DELETE 1
-- rows:
-- 1

-- title: a delete with or keeps its condition together
DELETE FROM users WHERE id = 1 OR id = 4;
-- rewritten:
UPDATE users SET deleted_at = now() WHERE users.deleted_at IS NULL AND (id = 1 OR id = 4);
-- tag: DELETE 1

-- title: a boolean marker is set
DELETE FROM posts WHERE user_id = 2;
-- rewritten:
UPDATE posts SET deleted = true WHERE NOT posts.deleted AND (user_id = 2);
-- tag: DELETE 1

-- title: a nullable boolean marker is set on null and false
DELETE FROM notes;
-- rewritten:
UPDATE notes SET gone = true WHERE notes.gone IS NOT TRUE;
-- tag: DELETE 2

-- title: a mark of several columns
DELETE FROM seats WHERE state = 'free' RETURNING id;
-- rewritten:
UPDATE seats SET state = 'void', voided_by = session_user WHERE (seats.state <> 'void') AND (state = 'free') RETURNING id;
-- tag: DELETE 2
-- rows:
-- 1
-- 4

-- title: a delete from a partitioned table
DELETE FROM measurements RETURNING id;
-- rewritten:
UPDATE measurements SET deleted_at = now() WHERE measurements.deleted_at IS NULL RETURNING id;
-- tag: DELETE 2
-- rows:
-- 1
-- 3

-- title: a delete from one partition
DELETE FROM measurements_2026;
-- rewritten:
UPDATE measurements_2026 SET deleted_at = now() WHERE measurements_2026.deleted_at IS NULL;
-- tag: DELETE 1

-- title: a delete from only the table itself
DELETE FROM ONLY users WHERE id = 2;
-- rewritten:
UPDATE ONLY users SET deleted_at = now() WHERE users.deleted_at IS NULL AND (id = 2);
-- tag: DELETE 1

-- title: a delete in another schema
DELETE FROM billing.invoices WHERE user_id = 2 RETURNING id;
-- rewritten:
UPDATE billing.invoices SET deleted_at = now() WHERE billing.invoices.deleted_at IS NULL AND (user_id = 2) RETURNING id;
-- tag: DELETE 1
-- rows:
-- 3

-- title: a delete by a quoted name
DELETE FROM "public"."users" WHERE "id" = 1;
-- rewritten:
UPDATE "public"."users" SET deleted_at = now() WHERE "public"."users".deleted_at IS NULL AND ("id" = 1);
-- tag: DELETE 1

-- title: a delete in odd case and with comments
delete /* really */ from /* these */ USERS where ID = 1 -- one
;
-- rewritten:
UPDATE /* really */  /* these */ USERS SET deleted_at = now() where USERS.deleted_at IS NULL AND (ID = 1) -- one
;
-- tag: DELETE 1

-- title: a rolled back delete is undone
SAVEPOINT s; DELETE FROM users WHERE id = 1; ROLLBACK TO s; SELECT count(*) FROM users;
-- rewritten:
SAVEPOINT s; UPDATE users SET deleted_at = now() WHERE users.deleted_at IS NULL AND (id = 1); ROLLBACK TO s; SELECT count(*) FROM users WHERE users.deleted_at IS NULL;
-- tag: SAVEPOINT, DELETE 1, ROLLBACK, SELECT 1
-- rows:
-- 3

-- title: a delete through a cursor
DECLARE c CURSOR FOR SELECT id FROM users ORDER BY id FOR UPDATE; FETCH 1 FROM c; DELETE FROM users WHERE CURRENT OF c; SELECT id FROM users ORDER BY id;
-- rewritten:
DECLARE c CURSOR FOR SELECT id FROM users WHERE users.deleted_at IS NULL ORDER BY id FOR UPDATE; FETCH 1 FROM c; UPDATE users SET deleted_at = now() WHERE CURRENT OF c; SELECT id FROM users WHERE users.deleted_at IS NULL ORDER BY id;
-- tag: DECLARE CURSOR, FETCH 1, DELETE 1, SELECT 2
-- rows:
-- 1
-- 2
-- 3

-- title: a delete of an unknown column is the server's error
DELETE FROM users WHERE nosuch = 1;
-- rewritten:
UPDATE users SET deleted_at = now() WHERE users.deleted_at IS NULL AND (nosuch = 1);
-- error: 42703

-- title: the row is kept with its mark
-- role: support
-- not twin: the kept row is the point
DELETE FROM users WHERE id = 1; SELECT /* sexton: scope=all */ id, deleted_at IS NOT NULL FROM users WHERE id = 1;
-- rewritten:
UPDATE users SET deleted_at = now() WHERE users.deleted_at IS NULL AND (id = 1); SELECT /* sexton: scope=all */ id, deleted_at IS NOT NULL FROM users WHERE id = 1;
-- tag: DELETE 1, SELECT 1
-- rows:
-- 1 | t

-- title: the mark of a predicate of its own
-- role: support
-- not twin: the kept row is the point
DELETE FROM seats WHERE id = 1; SELECT /* sexton: scope=all */ id, state, voided_by FROM seats WHERE id = 1;
-- rewritten:
UPDATE seats SET state = 'void', voided_by = session_user WHERE (seats.state <> 'void') AND (id = 1); SELECT /* sexton: scope=all */ id, state, voided_by FROM seats WHERE id = 1;
-- tag: DELETE 1, SELECT 1
-- rows:
-- 1 | void | support

-- title: a delete with using a left join on the nullable side
DELETE FROM items USING posts p LEFT JOIN users u ON u.id = p.user_id WHERE u.id IS NULL AND items.id = p.id - 12 RETURNING items.id, p.id;
-- rewritten:
DELETE FROM items USING posts p LEFT JOIN users u ON u.deleted_at IS NULL AND (u.id = p.user_id) WHERE NOT p.deleted AND (u.id IS NULL AND items.id = p.id - 12) RETURNING items.id, p.id;
-- tag: DELETE 2
-- rows:
-- 1 | 13
-- 2 | 14

-- title: a delete with a correlated not exists
DELETE FROM users u WHERE NOT EXISTS (SELECT FROM posts p WHERE p.user_id = u.id) RETURNING id, name;
-- rewritten:
UPDATE users u SET deleted_at = now() WHERE u.deleted_at IS NULL AND (NOT EXISTS (SELECT FROM posts p WHERE NOT p.deleted AND (p.user_id = u.id))) RETURNING id, name;
-- tag: DELETE 1
-- rows:
-- 3 | cid

-- title: a delete returning a subquery
DELETE FROM users WHERE id = 1 RETURNING id, (SELECT count(*) FROM posts WHERE user_id = users.id);
-- rewritten:
WITH sexton_1 AS (UPDATE users SET deleted_at = now() WHERE users.deleted_at IS NULL AND (id = 1) RETURNING users.*) SELECT id, (SELECT count(*) FROM posts WHERE NOT posts.deleted AND (user_id = users.id)) FROM (SELECT id, name, email, NULL::timestamp with time zone AS deleted_at FROM sexton_1) AS users;
-- tag: DELETE 1
-- rows:
-- 1 | 1

-- title: a delete using lateral
DELETE FROM posts USING users u, LATERAL (SELECT u.id + 9 AS target) t WHERE posts.id = t.target RETURNING posts.id;
-- rewritten:
UPDATE posts SET deleted = true FROM users u, LATERAL (SELECT u.id + 9 AS target) t WHERE NOT posts.deleted AND u.deleted_at IS NULL AND (posts.id = t.target) RETURNING posts.id;
-- tag: DELETE 2
-- rows:
-- 10
-- 12

-- title: a delete with is null of the marker
DELETE FROM users WHERE deleted_at IS NULL AND id = 1;
-- rewritten:
UPDATE users SET deleted_at = now() WHERE users.deleted_at IS NULL AND (deleted_at IS NULL AND id = 1);
-- tag: DELETE 1

-- title: a delete of what was inserted in the same transaction
INSERT INTO users (id, name) VALUES (8, 'hal'); DELETE FROM users WHERE id = 8 RETURNING name; SELECT count(*) FROM users;
-- rewritten:
INSERT INTO users (id, name) VALUES (8, 'hal'); UPDATE users SET deleted_at = now() WHERE users.deleted_at IS NULL AND (id = 8) RETURNING name; SELECT count(*) FROM users WHERE users.deleted_at IS NULL;
-- tag: INSERT 0 1, DELETE 1, SELECT 1
-- rows:
-- hal
-- 3

-- title: returning of the row and of its columns beside it
DELETE FROM users WHERE id = 1 RETURNING users, *, users.name, pg_typeof(users);
-- rewritten:
WITH sexton_1 AS (UPDATE users SET deleted_at = now() WHERE users.deleted_at IS NULL AND (id = 1) RETURNING users.*) SELECT users, users.*, users.name, pg_typeof(users) FROM (SELECT ROW(id, name, email, NULL::timestamp with time zone)::public.users AS sexton_row FROM sexton_1) AS sexton_1_row, LATERAL unnest(ARRAY[sexton_1_row.sexton_row]) AS users;
-- tag: DELETE 1
-- rows:
-- (1,ann,ann@example.com,) | 1 | ann | ann@example.com | null | ann | users

-- title: returning of the row of a custom mark
DELETE FROM seats s WHERE id = 1 RETURNING s, pg_typeof(s);
-- rewritten:
WITH sexton_1 AS (SELECT s.* FROM seats s WHERE (s.state <> 'void') AND (id = 1) FOR UPDATE OF s), sexton_2 AS (UPDATE seats AS sexton_target SET state = 'void', voided_by = session_user FROM sexton_1 WHERE sexton_target.id = sexton_1.id RETURNING sexton_1.*) SELECT s, pg_typeof(s) FROM (SELECT ROW(id, label, state, voided_by)::public.seats AS sexton_row FROM sexton_2) AS sexton_2_row, LATERAL unnest(ARRAY[sexton_2_row.sexton_row]) AS s;
-- tag: DELETE 1
-- rows:
-- (1,A1,free,) | seats

-- title: returning star with using
DELETE FROM users u USING posts p WHERE p.user_id = u.id AND u.id = 1 RETURNING *;
-- rewritten:
WITH sexton_1 AS (UPDATE users u SET deleted_at = now() FROM posts p WHERE u.deleted_at IS NULL AND NOT p.deleted AND (p.user_id = u.id AND u.id = 1) RETURNING u, p) SELECT u.*, p.* FROM sexton_1, LATERAL (SELECT (sexton_1.u).id, (sexton_1.u).name, (sexton_1.u).email, NULL::timestamp with time zone AS deleted_at) AS u, LATERAL (SELECT (sexton_1.p).*) AS p;
-- tag: DELETE 1
-- rows:
-- 1 | ann | ann@example.com | null | 10 | 1 | ann one | f

-- title: returning of marked columns with using
DELETE FROM users u USING posts AS p, items i WHERE p.user_id = u.id AND u.id = 1 AND i.id = u.id RETURNING u.deleted_at, p.title, i.*;
-- rewritten:
WITH sexton_1 AS (UPDATE users u SET deleted_at = now() FROM posts AS p, items i WHERE u.deleted_at IS NULL AND NOT p.deleted AND (p.user_id = u.id AND u.id = 1 AND i.id = u.id) RETURNING u, p, i) SELECT u.deleted_at, p.title, i.* FROM sexton_1, LATERAL (SELECT (sexton_1.u).id, (sexton_1.u).name, (sexton_1.u).email, NULL::timestamp with time zone AS deleted_at) AS u, LATERAL (SELECT (sexton_1.p).*) AS p, LATERAL (SELECT (sexton_1.i).*) AS i;
-- tag: DELETE 1
-- rows:
-- null | ann one | 1 | pen | null

-- title: what stands beside the cursor's row shows live rows alone
DECLARE c CURSOR FOR SELECT id FROM orders ORDER BY id; FETCH c; DELETE FROM orders o USING users u WHERE CURRENT OF c RETURNING o.id;
-- rewritten:
DECLARE c CURSOR FOR SELECT id FROM orders ORDER BY id; FETCH c; WITH sexton_1 AS (DELETE FROM orders o USING (SELECT * FROM users u WHERE u.deleted_at IS NULL) u WHERE CURRENT OF c RETURNING o, u), sexton_2 AS (INSERT INTO archive.orders (id, user_id, cents, archived_at, archived_by, archive_reason, archive_txid, deletion_id) SELECT (sexton_1.o).id, (sexton_1.o).user_id, (sexton_1.o).cents, now(), coalesce(nullif(current_setting('sexton.actor', true), ''), session_user), nullif(current_setting('sexton.reason', true), ''), pg_current_xact_id()::text::bigint, (SELECT gen_random_uuid()) FROM sexton_1 UNION ALL SELECT (sexton_1.o).*, NULL, NULL, NULL, NULL, NULL FROM sexton_1 WHERE false) SELECT o.id FROM sexton_1, LATERAL (SELECT (sexton_1.o).*) AS o, LATERAL (SELECT (sexton_1.u).*) AS u;
-- tag: DECLARE CURSOR, FETCH 1, DELETE 1
-- rows:
-- 100
-- 100

-- title: the cursor's row of a soft table, with using
DECLARE c CURSOR FOR SELECT id FROM seats; FETCH c; DELETE FROM seats USING users u, posts WHERE CURRENT OF c;
-- rewritten:
DECLARE c CURSOR FOR SELECT id FROM seats WHERE (seats.state <> 'void'); FETCH c; UPDATE seats SET state = 'void', voided_by = session_user FROM (SELECT * FROM users u WHERE u.deleted_at IS NULL) u, (SELECT * FROM posts WHERE NOT posts.deleted) AS posts WHERE CURRENT OF c;
-- tag: DECLARE CURSOR, FETCH 1, DELETE 1
-- rows:
-- 1
