-- title: a quoted name in another case is another table
SELECT id FROM "Users";
-- unchanged
-- rows:
-- 1
-- 2

-- title: an unquoted name folds to lower case
SELECT id FROM UsErS;
-- rows:
-- 1
-- 2
-- 3

-- title: a quoted name in lower case
SELECT id FROM "users";
-- rows:
-- 1
-- 2
-- 3

-- title: a unicode escaped name
SELECT id FROM U&"us\0065rs";
-- rows:
-- 1
-- 2
-- 3

-- title: the same name in another schema is left alone
SELECT id FROM billing.users;
-- rows:
-- 1
-- 2

-- title: a schema-qualified name
SELECT id FROM public.users;
-- rows:
-- 1
-- 2
-- 3

-- title: a database-qualified name
-- not twin: the database has another name there
SELECT id FROM cases.public.users;

-- title: the search path finds the other table first
-- path: billing, public
SELECT id FROM users;
-- rows:
-- 1
-- 2

-- title: the search path finds a table of another schema
-- path: billing
SELECT id FROM invoices;
-- rows:
-- 1
-- 3

-- title: a search path that finds nothing is the server's error
-- path: archive
SELECT id FROM users;
-- error: 42P01

-- title: a column named like a registered table
SELECT users FROM (SELECT 1 AS users) x;
-- rows:
-- 1

-- title: an alias named like a registered table
SELECT users.id FROM items users;
-- rows:
-- 1
-- 2

-- title: a string that names a registered table
SELECT 'users';
-- rows:
-- users

-- title: a comment that names a registered table
SELECT 1 /* from users */;
-- rows:
-- 1

-- title: a temporary table hides the registered one
CREATE TEMP TABLE users AS SELECT 7 AS id; SELECT id FROM users;
-- rows:
-- 7

-- title: a table function beside a registered name
SELECT users FROM generate_series(1, 2) users;
-- rows:
-- 1
-- 2

-- title: a column of the qualified name
SELECT public.users.id FROM public.users WHERE public.users.id = 1;
-- rows:
-- 1

-- title: a partition in a qualified name
SELECT id FROM public.measurements_2026;
-- rows:
-- 3
