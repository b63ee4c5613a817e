-- title: a prepared statement called transaction
PREPARE transaction AS SELECT id FROM users ORDER BY id; EXECUTE transaction; DEALLOCATE transaction;
-- rewritten:
PREPARE transaction AS SELECT id FROM users WHERE users.deleted_at IS NULL ORDER BY id; EXECUTE transaction; DEALLOCATE transaction;
-- tag: PREPARE, SELECT 3, DEALLOCATE
-- rows:
-- 1
-- 2
-- 3

-- title: a prepared deletion called transaction
PREPARE transaction (int) AS DELETE FROM users WHERE id = $1; EXECUTE transaction (1);
-- rewritten:
PREPARE transaction (int) AS UPDATE users SET deleted_at = now() WHERE users.deleted_at IS NULL AND (id = $1); EXECUTE transaction (1);
-- tag: PREPARE, DELETE 1

-- title: names that are words of transaction control
SAVEPOINT savepoint; SET LOCAL search_path TO billing; ROLLBACK TO savepoint; SELECT id FROM users ORDER BY id; RELEASE savepoint;
-- rewritten:
SAVEPOINT savepoint; SET LOCAL search_path TO billing; ROLLBACK TO savepoint; SELECT id FROM users WHERE users.deleted_at IS NULL ORDER BY id; RELEASE savepoint;
-- tag: SAVEPOINT, SET, ROLLBACK, SELECT 3, RELEASE
-- rows:
-- 1
-- 2
-- 3

-- title: IS and NOT as columns, DISTINCT as a label
SELECT u.id, q.is distinct FROM (SELECT 1 AS is) q, ONLY users u ORDER BY u.id;
-- rewritten:
SELECT u.id, q.is distinct FROM (SELECT 1 AS is) q, ONLY users u WHERE u.deleted_at IS NULL ORDER BY u.id;
-- rows:
-- 1 | 1
-- 2 | 1
-- 3 | 1

-- title: NOT as a column, DISTINCT as a label
SELECT u.id, q.not distinct FROM (SELECT 2 AS not) q, users u ORDER BY u.id;
-- rewritten:
SELECT u.id, q.not distinct FROM (SELECT 2 AS not) q, users u WHERE u.deleted_at IS NULL ORDER BY u.id;
-- rows:
-- 1 | 2
-- 2 | 2
-- 3 | 2

-- title: IS as a type, DISTINCT as a label
SELECT 1::is distinct FROM users u;
-- rewritten:
SELECT 1::is distinct FROM users u WHERE u.deleted_at IS NULL;
-- error: 42704

-- title: IS NOT DISTINCT FROM behind a column called is
SELECT u.id, q.is IS NOT DISTINCT FROM u.id FROM (SELECT 1 AS is) q, users u ORDER BY u.id;
-- rewritten:
SELECT u.id, q.is IS NOT DISTINCT FROM u.id FROM (SELECT 1 AS is) q, users u WHERE u.deleted_at IS NULL ORDER BY u.id;
-- rows:
-- 1 | t
-- 2 | f
-- 3 | f

-- title: a schema whose view has the name of a registered table
CREATE SCHEMA api CREATE VIEW users AS SELECT * FROM users;
-- refused: utility 0A000

-- title: a schema whose view reads another view of a registered table's name
CREATE SCHEMA api CREATE VIEW posts AS SELECT 1 AS id CREATE VIEW users AS SELECT * FROM posts;
-- unchanged
-- error: 42501

-- title: a schema whose index has the name of a registered table
CREATE SCHEMA api CREATE TABLE t (id int) CREATE INDEX users ON t (id) CREATE VIEW v AS SELECT * FROM users;
-- refused: utility 0A000

-- title: a schema whose table has the name of its parent
CREATE SCHEMA api CREATE TABLE users () INHERITS (users) CREATE VIEW v AS SELECT 1;
-- refused: utility 0A000

-- title: a schema whose sequence and table have the names of registered ones
CREATE SCHEMA api CREATE VIEW v AS SELECT * FROM users CREATE SEQUENCE posts CREATE TABLE users (id int PRIMARY KEY, above int REFERENCES users);
-- unchanged
-- error: 42501

-- title: RETURNING of a deletion with a WITH of its own inside a CTE
WITH d AS (WITH posts AS (SELECT 1 AS id) DELETE FROM users WHERE id = 3 RETURNING *, (SELECT string_agg(p::text, ';') FROM posts p) AS p) SELECT * FROM d;
-- refused: returning-with 0A000

-- title: the same of a table whose value before the mark is not known
WITH d AS (WITH posts AS (SELECT 1 AS id) DELETE FROM seats WHERE id = 1 RETURNING *, (SELECT string_agg(p::text, ';') FROM posts p) AS p) SELECT * FROM d;
-- refused: returning-with 0A000

-- title: the same of an archive table
WITH d AS (WITH posts AS (SELECT 1 AS id) DELETE FROM orders WHERE id = 100 RETURNING *, (SELECT string_agg(p::text, ';') FROM posts p) AS p) SELECT * FROM d;
-- refused: returning-with 0A000

-- title: a list without subqueries behind a WITH inside a CTE
WITH d AS (WITH p AS (SELECT 3 AS id) DELETE FROM users WHERE id = (SELECT id FROM p) RETURNING *) SELECT id, name FROM d;
-- rewritten:
WITH sexton_1 AS (WITH p AS (SELECT 3 AS id) UPDATE users SET deleted_at = now() WHERE users.deleted_at IS NULL AND (id = (SELECT id FROM p)) RETURNING users.*), d AS ( SELECT * FROM (SELECT id, name, email, NULL::timestamp with time zone AS deleted_at FROM sexton_1) AS users) SELECT id, name FROM d;
-- rows:
-- 3 | cid

-- title: a label called end in a body
CREATE FUNCTION pg_temp.f() RETURNS void BEGIN ATOMIC SELECT 1 end; SELECT set_config('search_path', 'billing', false); END; SELECT id FROM users ORDER BY id;
-- refused: opaque 0A000

-- title: a label called case in a body
CREATE FUNCTION pg_temp.f() RETURNS void BEGIN ATOMIC SELECT 1 AS "x" , 2 case; END; SELECT id FROM users ORDER BY id;
-- rewritten:
CREATE FUNCTION pg_temp.f() RETURNS void BEGIN ATOMIC SELECT 1 AS "x" , 2 case; END; SELECT id FROM users WHERE users.deleted_at IS NULL ORDER BY id;
-- tag: CREATE FUNCTION, SELECT 3
-- rows:
-- 1
-- 2
-- 3

-- title: a parameter called begin of a type called atomic
CREATE FUNCTION pg_temp.f(begin atomic) RETURNS int LANGUAGE sql AS 'SELECT 1'; SELECT id FROM users ORDER BY id;
-- rewritten:
CREATE FUNCTION pg_temp.f(begin atomic) RETURNS int LANGUAGE sql AS 'SELECT 1'; SELECT id FROM users WHERE users.deleted_at IS NULL ORDER BY id;
-- error: 42704

-- title: a subquery in a subscript of an INSERT's columns
INSERT INTO items (name[(VALUES (0) UNION SELECT count(*)::int FROM users ORDER BY 1 DESC LIMIT 1)]) VALUES ('x');
-- rewritten:
INSERT INTO items (name[(VALUES (0) UNION SELECT count(*)::int FROM users WHERE users.deleted_at IS NULL ORDER BY 1 DESC LIMIT 1)]) VALUES ('x');
-- error: 42804

-- title: a subquery in a subscript of a SET list
UPDATE items SET name[(VALUES (0) UNION SELECT count(*)::int FROM users ORDER BY 1 DESC LIMIT 1)] = 'x';
-- rewritten:
UPDATE items SET name[(VALUES (0) UNION SELECT count(*)::int FROM users WHERE users.deleted_at IS NULL ORDER BY 1 DESC LIMIT 1)] = 'x';
-- error: 42804

-- title: a subquery in a subscript of DO UPDATE
INSERT INTO items AS i (id, name) VALUES (1, 'x') ON CONFLICT (id) DO UPDATE SET name[(VALUES (0) UNION SELECT count(*)::int FROM users)] = 'x';
-- rewritten:
INSERT INTO items AS i (id, name) VALUES (1, 'x') ON CONFLICT (id) DO UPDATE SET name[(VALUES (0) UNION SELECT count(*)::int FROM users WHERE users.deleted_at IS NULL)] = 'x';
-- error: 42804

-- title: a subquery in a subscript of a MERGE
-- since: 15
MERGE INTO items i USING (SELECT 1 AS id) s ON i.id = s.id WHEN NOT MATCHED THEN INSERT (id, name[(VALUES (0) UNION SELECT count(*)::int FROM users)]) VALUES (9, 'x') WHEN MATCHED THEN UPDATE SET name[(VALUES (0) UNION SELECT count(*)::int FROM posts)] = 'x';
-- rewritten:
MERGE INTO items i USING (SELECT 1 AS id) s ON i.id = s.id WHEN NOT MATCHED THEN INSERT (id, name[(VALUES (0) UNION SELECT count(*)::int FROM users WHERE users.deleted_at IS NULL)]) VALUES (9, 'x') WHEN MATCHED THEN UPDATE SET name[(VALUES (0) UNION SELECT count(*)::int FROM posts WHERE NOT posts.deleted)] = 'x';
-- error: 42804

-- title: dropping a function that a table may be partitioned by
DROP FUNCTION part_of(int) CASCADE;
-- refused: alter 42501

-- title: dropping an operator class with what rests on it
DROP OPERATOR CLASS hashed USING hash CASCADE;
-- refused: alter 42501

-- title: dropping a cast with what rests on it
DROP CAST (text AS int) CASCADE;
-- refused: alter 42501

-- title: dropping a language with what rests on it
DROP PROCEDURAL LANGUAGE plperl CASCADE;
-- refused: alter 42501

-- title: dropping a wrapper with the foreign tables behind it
DROP FOREIGN DATA WRAPPER postgres_fdw CASCADE;
-- refused: alter 42501

-- title: dropping a server with its foreign tables
DROP SERVER IF EXISTS other CASCADE;
-- refused: alter 42501

-- title: a block that drops a function with what rests on it
DO $$ BEGIN DROP FUNCTION part_of(int) CASCADE; END $$;
-- refused: opaque 0A000

-- title: a block that drops an access method with what rests on it
DO $$ BEGIN DROP ACCESS METHOD heap2 CASCADE; END $$;
-- refused: opaque 0A000

-- title: dropping a function that nothing rests on
DROP FUNCTION nosuch(int);
-- unchanged
-- error: 42883

-- title: dropping a trigger with CASCADE
DROP TRIGGER nosuch ON items CASCADE;
-- unchanged
-- error: 42704

-- title: a number with an underscore before a dollar sign
-- since: 15
SELECT 1_000$$ , u.* FROM users u -- $$;
-- rewritten:
SELECT 1_000$$ , u.* FROM users u -- $$;
;)
-- error: 42601

-- title: a hexadecimal number before a dollar sign
-- since: 15
SELECT 0x1$a$ , u.* FROM users u -- $a$;
-- rewritten:
SELECT 0x1$a$ , u.* FROM users u -- $a$;
;)
-- error: 42601

-- title: a fraction with an underscore before a dollar sign
-- since: 15
SELECT 1.5_0$$ , u.* FROM users u -- $$;
-- rewritten:
SELECT 1.5_0$$ , u.* FROM users u -- $$;
;)
-- error: 42601

-- title: an aggregate that is set_config by another name
CREATE AGGREGATE setter (text, boolean) (sfunc = set_config, stype = text);
-- refused: opaque 0A000

-- title: an aggregate that is set_config in a string
CREATE AGGREGATE setter (text, boolean) (sfunc = 'set_config', stype = text);
-- refused: opaque 0A000

-- title: an aggregate whose function stands in a string with escapes
CREATE AGGREGATE setter (text, boolean) (sfunc = E'set\x5fconfig', stype = text);
-- refused: opaque 0A000

-- title: an aggregate that runs SQL
CREATE AGGREGATE reader (boolean, boolean, text) (sfunc = "query_to_xml", stype = text);
-- refused: opaque 0A000

-- title: a column called like a function that runs SQL
SELECT i.ts_status FROM items i;
-- unchanged
-- error: 42703

-- title: columns and tables called like functions that run SQL
CREATE TEMP TABLE dblink_config (id int, ts_state text); ALTER TABLE dblink_config ADD COLUMN ts_stats text; INSERT INTO dblink_config (id) VALUES (1);
-- unchanged
-- tag: CREATE TABLE, ALTER TABLE, INSERT 0 1

-- title: an extension called like its functions
CREATE EXTENSION IF NOT EXISTS dblink;
-- unchanged
-- error: 42501

-- title: a function that runs SQL on the value before its dot
SELECT ('SELECT name FROM users'::text).query_to_xml;
-- refused: opaque 0A000

-- title: a function that runs SQL on what a function in FROM gives
SELECT p.ts_stat FROM lower('SELECT to_tsvector(name) FROM users') p;
-- refused: opaque 0A000

-- title: a marker of a table that is not registered, dropped beside a reference
ALTER TABLE items DROP COLUMN IF EXISTS deleted_at, ADD COLUMN user_id int REFERENCES users (id);
-- unchanged
-- error: 42501

-- title: a marker dropped by way of a parent
ALTER TABLE measurements_2025 DROP COLUMN deleted_at;
-- refused: alter 42501
