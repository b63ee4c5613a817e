-- title: explain of set_config sets nothing
EXPLAIN (COSTS OFF) SELECT set_config('search_path', 'billing', true); SELECT id FROM invoices;
-- refused: ambiguous 0A000

-- title: a cursor over set_config sets nothing yet
DECLARE c CURSOR FOR SELECT set_config('search_path', 'billing', true); SELECT id FROM invoices;
-- refused: opaque 0A000

-- title: set_config in a table that is created
CREATE TEMP TABLE t AS SELECT set_config('search_path', 'billing', true); SELECT id FROM invoices;
-- refused: ambiguous 0A000

-- title: set_config in an argument of execute
PREPARE p (text) AS SELECT $1; EXECUTE p(set_config('search_path', 'billing', true)); SELECT id FROM invoices;
-- refused: opaque 0A000

-- title: a search path written to pg_settings
UPDATE pg_settings SET setting = 'billing' WHERE name = 'search_path'; SELECT id FROM invoices;
-- refused: ambiguous 0A000

-- title: a search path that is not plain
SET LOCAL search_path = E'bill\x69ng'; SELECT id FROM invoices;
-- refused: ambiguous 0A000

-- title: set schema of a string that is not plain
SET SCHEMA E'bill\x69ng'; SELECT id FROM invoices;
-- refused: ambiguous 0A000

-- title: a setting named with UESCAPE
SET LOCAL U&"search!005fpath" UESCAPE '!' TO billing; SELECT id FROM invoices;
-- refused: unreadable 0A000

-- title: truncate of a name with UESCAPE
TRUNCATE U&"n!006ftes" UESCAPE '!';
-- refused: unreadable 0A000

-- title: a continued string in a function that runs SQL
SELECT query_to_xml('select name from u'
'sers', true, true, '');
-- refused: opaque 0A000

-- title: an oid for a function that reads a table
SELECT table_to_xml(1259, true, true, '');
-- refused: opaque 0A000

-- title: a function that runs SQL in an argument of execute
PREPARE p (xml) AS SELECT $1; EXECUTE p(query_to_xml('select name from users', true, true, ''));
-- refused: opaque 0A000

-- title: a function that runs SQL in a default
ALTER TABLE items ADD COLUMN x xml DEFAULT query_to_xml('select name from users', true, true, '');
-- refused: opaque 0A000

-- title: a do block that builds its statement
DO $$ DECLARE r record; BEGIN FOR r IN EXECUTE 'select * from us' || 'ers' LOOP RAISE NOTICE '%', r; END LOOP; END $$;
-- refused: opaque 0A000

-- title: a do block in a string with escapes
DO E'BEGIN PERFORM count(*) FROM \x75sers; END';
-- refused: opaque 0A000

-- title: truncate cascade of another table
TRUNCATE items CASCADE;
-- refused: truncate-form 0A000

-- title: a deletion through a view of the same transaction
CREATE VIEW v AS SELECT * FROM users; DELETE FROM v WHERE id = 1;
-- refused: fresh 0A000

-- title: a view of the same transaction is read
CREATE VIEW v AS SELECT * FROM users; SELECT id FROM v ORDER BY id;
-- rewritten:
CREATE VIEW v AS SELECT * FROM users WHERE users.deleted_at IS NULL; SELECT id FROM v ORDER BY id;
-- tag: CREATE VIEW, SELECT 3
-- rows:
-- 1
-- 2
-- 3

-- title: a deletion through a view that was there
DELETE FROM everybody WHERE id = 1;
-- refused: view 0A000

-- title: a view that was there may be read
-- not twin: it shows what is stored
SELECT count(*) FROM everybody;
-- unchanged
-- rows:
-- 5

-- title: a view that says begin atomic
CREATE TEMP TABLE b (begin int); CREATE TEMP VIEW v AS SELECT begin atomic FROM b; SET LOCAL search_path TO billing; SELECT id FROM invoices;
-- rewritten:
CREATE TEMP TABLE b (begin int); CREATE TEMP VIEW v AS SELECT begin atomic FROM b; SET LOCAL search_path TO billing; SELECT id FROM invoices WHERE invoices.deleted_at IS NULL;
-- tag: CREATE TABLE, CREATE VIEW, SET, SELECT 2
-- rows:
-- 1
-- 3

-- title: a label called case ends no body
CREATE FUNCTION f() RETURNS int LANGUAGE sql BEGIN ATOMIC SELECT 1 AS case; END; SET LOCAL search_path TO billing; SELECT id FROM invoices;
-- rewritten:
CREATE FUNCTION f() RETURNS int LANGUAGE sql BEGIN ATOMIC SELECT 1 AS case; END; SET LOCAL search_path TO billing; SELECT id FROM invoices WHERE invoices.deleted_at IS NULL;
-- tag: CREATE FUNCTION, SET, SELECT 2
-- rows:
-- 1
-- 3

-- title: a bare label called case ends no body
CREATE FUNCTION f() RETURNS int LANGUAGE sql BEGIN ATOMIC SELECT 1 case; END; SET LOCAL search_path TO billing; SELECT id FROM invoices;
-- rewritten:
CREATE FUNCTION f() RETURNS int LANGUAGE sql BEGIN ATOMIC SELECT 1 case; END; SET LOCAL search_path TO billing; SELECT id FROM invoices WHERE invoices.deleted_at IS NULL;
-- tag: CREATE FUNCTION, SET, SELECT 2
-- rows:
-- 1
-- 3

-- title: a table prepared under another search path
-- not twin: it is refused when it is sent
SET LOCAL search_path = billing; PREPARE p AS SELECT id FROM users u; SET LOCAL search_path = public; CREATE TEMP TABLE t AS EXECUTE p; SELECT * FROM t;
-- rewritten:
sexton refused this statement
-- error: 55000

-- title: a schema the role may not use is passed over
-- path: hidden, public
SELECT id FROM users ORDER BY id;
-- rewritten:
SELECT id FROM users WHERE users.deleted_at IS NULL ORDER BY id;
-- rows:
-- 1
-- 2
-- 3

-- title: a deletion through a temporary view over a view of the same transaction
CREATE TEMP VIEW w1 AS SELECT * FROM users; CREATE TEMP VIEW w2 AS SELECT * FROM w1; DELETE FROM w2 WHERE id = 3;
-- refused: fresh 0A000

-- title: a view of the same transaction is not renamed
CREATE VIEW w1 AS SELECT * FROM users; ALTER VIEW w1 RENAME TO w2;
-- refused: fresh 0A000

-- title: a table is not made a view by a rule
CREATE TABLE w2 (LIKE users); CREATE RULE "_RETURN" AS ON SELECT TO w2 DO INSTEAD SELECT * FROM users;
-- refused: utility 0A000

-- title: a deletion prepared before its name became a view
-- not twin: it is refused when it is sent
CREATE TEMP TABLE w2 (id int); PREPARE x AS DELETE FROM w2 WHERE id = 3; DROP TABLE w2; CREATE TEMP VIEW w2 AS SELECT * FROM users; EXECUTE x;
-- rewritten:
sexton refused this statement
-- error: 55000

-- title: a body that deletes through a view of the same transaction
CREATE VIEW w1 AS SELECT * FROM users; CREATE FUNCTION df() RETURNS void LANGUAGE sql BEGIN ATOMIC DELETE FROM w1 WHERE id = 3; END;
-- refused: fresh 0A000

-- title: a table renamed as an index
ALTER INDEX users RENAME TO hid;
-- refused: alter 42501

-- title: a function that runs SQL applied as a column
SELECT (q).ts_stat FROM (SELECT 'select to_tsvector(name) from us' || 'ers' AS q) x;
-- refused: opaque 0A000

-- title: an aggregate over a function that runs SQL
CREATE AGGREGATE ag (text) (SFUNC = ts_rewrite, STYPE = tsquery, INITCOND = 'dan');
-- refused: opaque 0A000

-- title: an operator over a function that runs SQL
CREATE OPERATOR @#@ (RIGHTARG = text, FUNCTION = ts_stat);
-- refused: opaque 0A000

-- title: a role changed where it cannot be seen is asked for its privilege
CREATE TEMP TABLE t9 AS SELECT set_config('role', 'clerk', true); DELETE FROM posts WHERE id = 10;
-- rewritten:
CREATE TEMP TABLE t9 AS SELECT set_config('role', 'clerk', true); WITH sexton_1 AS (DELETE FROM posts WHERE false) UPDATE posts SET deleted = true WHERE NOT posts.deleted AND (id = 10);
-- error: 42501

-- title: a do block that creates a trigger
-- not twin: what a block does is not compared
DO $$ BEGIN CREATE TRIGGER t BEFORE INSERT ON nowhere EXECUTE FUNCTION f(); EXCEPTION WHEN undefined_table THEN NULL; END $$;
-- unchanged
-- tag: DO

-- title: set_config in a view
CREATE TEMP VIEW sv AS SELECT set_config('search_path', 'public', false);
-- refused: opaque 0A000

-- title: set_config in a default
CREATE TEMP TABLE dt (x text DEFAULT set_config('search_path', 'public', false));
-- refused: opaque 0A000

-- title: a view over the settings
CREATE TEMP VIEW ps AS SELECT * FROM pg_settings;
-- refused: opaque 0A000

-- title: a cursor that changes how strings are read
DECLARE c CURSOR FOR SELECT set_config('standard_' || 'conforming_strings', 'off', false);
-- refused: opaque 0A000

-- title: functions that run SQL from constants that name nothing
-- not twin: the answer is one and the same
SELECT query_to_xml('select 1 as a', true, true, '');
-- unchanged
-- rows:
-- <row xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">\n  <a>1</a>\n</row>

-- title: truncate cascade of a table in another schema under a registered name
TRUNCATE items, billing.users CASCADE;
-- refused: truncate-form 0A000

-- title: truncate cascade of a temporary table reaches no other
CREATE TEMP TABLE users (id int); INSERT INTO users VALUES (1); TRUNCATE users CASCADE; SELECT count(*) FROM users;
-- rewritten:
CREATE TEMP TABLE users (id int); INSERT INTO pg_temp.users VALUES (1); TRUNCATE pg_temp.users CASCADE; SELECT count(*) FROM pg_temp.users;
-- tag: CREATE TABLE, INSERT 0 1, TRUNCATE TABLE, SELECT 1
-- rows:
-- 0

-- title: a deletion through a view renamed in the same transaction
ALTER VIEW everybody RENAME TO anybody; DELETE FROM anybody;
-- refused: fresh 0A000

-- title: a deletion through a view renamed as a table
ALTER TABLE public.everybody RENAME TO anybody; DELETE FROM anybody;
-- refused: fresh 0A000

-- title: a type dropped with the columns of that type
CREATE TYPE seat_state AS ENUM ('free'); DROP TYPE seat_state CASCADE;
-- refused: alter 42501

-- title: a domain dropped with the columns of that type
CREATE DOMAIN mark AS boolean; DROP DOMAIN IF EXISTS mark CASCADE;
-- refused: alter 42501

-- title: a type that no column has
CREATE TYPE mood AS ENUM ('fine'); DROP TYPE mood;
-- unchanged
-- tag: CREATE TYPE, DROP TYPE

-- title: a temporary table of a registered name from what was prepared
PREPARE p AS SELECT 1 AS id; CREATE TEMP TABLE users AS EXECUTE p; SELECT * FROM users;
-- refused: utility 0A000

-- title: a temporary table of another name from what was prepared
PREPARE p AS SELECT 1 AS id; CREATE TEMP TABLE other AS EXECUTE p; SELECT * FROM other;
-- unchanged
-- tag: PREPARE, SELECT 1, SELECT 1
-- rows:
-- 1

-- title: a table of the temporary one's name dropped in another schema
CREATE TEMP TABLE users (id int); DROP TABLE IF EXISTS nosuch.users; SELECT * FROM users;
-- rewritten:
CREATE TEMP TABLE users (id int); DROP TABLE IF EXISTS nosuch.users; SELECT * FROM pg_temp.users;
-- tag: CREATE TABLE, DROP TABLE, SELECT 0
