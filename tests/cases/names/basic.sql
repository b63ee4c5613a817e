-- title: a quoted name in another case is another table
SELECT id FROM "Users";
-- unchanged
-- rows:
-- 1
-- 2

-- title: an unquoted name folds to lower case
SELECT id FROM UsErS;
-- rewritten:
SELECT id FROM UsErS WHERE UsErS.deleted_at IS NULL;
-- rows:
-- 1
-- 2
-- 3

-- title: a quoted name in lower case
SELECT id FROM "users";
-- rewritten:
SELECT id FROM "users" WHERE "users".deleted_at IS NULL;
-- rows:
-- 1
-- 2
-- 3

-- title: a unicode escaped name
SELECT id FROM U&"us\0065rs";
-- rewritten:
SELECT id FROM U&"us\0065rs" WHERE U&"us\0065rs".deleted_at IS NULL;
-- rows:
-- 1
-- 2
-- 3

-- title: the same name in another schema is left alone
SELECT id FROM billing.users;
-- unchanged
-- rows:
-- 1
-- 2

-- title: a schema-qualified name
SELECT id FROM public.users;
-- rewritten:
SELECT id FROM public.users WHERE public.users.deleted_at IS NULL;
-- rows:
-- 1
-- 2
-- 3

-- title: a database-qualified name
-- not twin: the database has another name there
SELECT id FROM cases.public.users;
-- rewritten:
SELECT id FROM cases.public.users WHERE cases.public.users.deleted_at IS NULL;
-- rows:
-- 1
-- 2
-- 3

-- title: the search path finds the other table first
-- path: billing, public
SELECT id FROM users;
-- unchanged
-- rows:
-- 1
-- 2

-- title: the search path finds a table of another schema
-- path: billing
SELECT id FROM invoices;
-- rewritten:
SELECT id FROM invoices WHERE invoices.deleted_at IS NULL;
-- rows:
-- 1
-- 3

-- title: a search path that finds nothing is the server's error
-- path: archive
SELECT id FROM users;
-- unchanged
-- error: 42P01

-- title: a column named like a registered table
SELECT users FROM (SELECT 1 AS users) x;
-- unchanged
-- rows:
-- 1

-- title: an alias named like a registered table
SELECT users.id FROM items users;
-- unchanged
-- rows:
-- 1
-- 2

-- title: a string that names a registered table
SELECT 'users';
-- unchanged
-- rows:
-- users

-- title: a comment that names a registered table
SELECT 1 /* from users */;
-- unchanged
-- rows:
-- 1

-- title: a temporary table hides the registered one
CREATE TEMP TABLE users AS SELECT 7 AS id; SELECT users.id FROM users;
-- rewritten:
CREATE TEMP TABLE users AS SELECT 7 AS id; SELECT users.id FROM pg_temp.users;
-- rows:
-- 7

-- title: a temporary table is written and dropped, and the registered one is there again
CREATE TEMP TABLE users (id int); INSERT INTO users VALUES (8); UPDATE users SET id = id + 1; DELETE FROM users RETURNING id; DROP TABLE users; SELECT id FROM users;
-- rewritten:
CREATE TEMP TABLE users (id int); INSERT INTO pg_temp.users VALUES (8); UPDATE pg_temp.users SET id = id + 1; DELETE FROM pg_temp.users RETURNING id; DROP TABLE pg_temp.users; SELECT id FROM users WHERE users.deleted_at IS NULL;
-- tag: CREATE TABLE, INSERT 0 1, UPDATE 1, DELETE 1, DROP TABLE, SELECT 3
-- rows:
-- 9
-- 1
-- 2
-- 3

-- title: a temporary table that is rolled back hides nothing
SAVEPOINT s; CREATE TEMP TABLE users (id int); ROLLBACK TO s; SELECT count(*) FROM users;
-- rewritten:
SAVEPOINT s; CREATE TEMP TABLE users (id int); ROLLBACK TO s; SELECT count(*) FROM users WHERE users.deleted_at IS NULL;
-- tag: SAVEPOINT, CREATE TABLE, ROLLBACK, SELECT 1
-- rows:
-- 3

-- title: a table function beside a registered name
SELECT users FROM generate_series(1, 2) users;
-- unchanged
-- rows:
-- 1
-- 2

-- title: a column of the qualified name
SELECT public.users.id FROM public.users WHERE public.users.id = 1;
-- rewritten:
SELECT public.users.id FROM public.users WHERE public.users.deleted_at IS NULL AND (public.users.id = 1);
-- rows:
-- 1

-- title: a partition in a qualified name
SELECT id FROM public.measurements_2026;
-- rewritten:
SELECT id FROM public.measurements_2026 WHERE public.measurements_2026.deleted_at IS NULL;
-- rows:
-- 3
