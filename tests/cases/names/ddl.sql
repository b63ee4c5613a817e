-- title: another table made in the transaction leaves the names of two registered tables as they were
-- path: billing
CREATE TABLE other (id int); SELECT id FROM invoices;
-- rewritten:
CREATE TABLE other (id int); SELECT id FROM invoices WHERE invoices.deleted_at IS NULL;
-- tag: CREATE TABLE, SELECT 2
-- rows:
-- 1
-- 3

-- title: a table made under a registered name in another schema is another table
CREATE TABLE billing.posts (id int); INSERT INTO billing.posts VALUES (7); SELECT id FROM billing.posts;
-- unchanged
-- tag: CREATE TABLE, INSERT 0 1, SELECT 1
-- rows:
-- 7

-- title: a table made earlier in the search path is meant from then on
-- path: billing, public
CREATE TABLE posts (id int); INSERT INTO posts VALUES (7); DELETE FROM posts RETURNING id;
-- unchanged
-- tag: CREATE TABLE, INSERT 0 1, DELETE 1
-- rows:
-- 7

-- title: a table that is made and rolled back hides nothing
-- path: billing, public
SAVEPOINT s; CREATE TABLE posts (id int); ROLLBACK TO s; SELECT id FROM posts;
-- rewritten:
SAVEPOINT s; CREATE TABLE posts (id int); ROLLBACK TO s; SELECT id FROM posts WHERE NOT posts.deleted;
-- tag: SAVEPOINT, CREATE TABLE, ROLLBACK, SELECT 4
-- rows:
-- 10
-- 12
-- 13
-- 14

-- title: a table made behind the registered one is not meant
-- path: public, billing
CREATE TABLE billing.posts (id int); SELECT id FROM posts;
-- rewritten:
CREATE TABLE billing.posts (id int); SELECT id FROM posts WHERE NOT posts.deleted;
-- tag: CREATE TABLE, SELECT 4
-- rows:
-- 10
-- 12
-- 13
-- 14

-- title: a name is in doubt once a table of that name is dropped
CREATE TABLE archive.invoices (id int); DROP TABLE archive.invoices; SELECT id FROM invoices;
-- refused: ambiguous 0A000

-- title: every name is in doubt after a DROP with CASCADE
CREATE TABLE archive.other (id int); DROP TABLE archive.other CASCADE; SELECT id FROM invoices;
-- refused: ambiguous 0A000

-- title: a column added in the transaction leaves the name as it was
-- path: billing
CREATE TABLE other (id int); ALTER TABLE other ADD COLUMN n int; SELECT id FROM invoices;
-- rewritten:
CREATE TABLE other (id int); ALTER TABLE other ADD COLUMN n int; SELECT id FROM invoices WHERE invoices.deleted_at IS NULL;
-- tag: CREATE TABLE, ALTER TABLE, SELECT 2
-- rows:
-- 1
-- 3

-- title: a renamed table is another, and the name it takes is in doubt
CREATE TABLE archive.guests (id int); ALTER TABLE archive.guests RENAME TO invoices; SELECT id FROM invoices;
-- refused: ambiguous 0A000

-- title: a registered name may be taken by a table that is there already
CREATE TABLE archive.guests (id int); ALTER TABLE archive.guests RENAME TO posts;
-- unchanged
-- tag: CREATE TABLE, ALTER TABLE

-- title: a role is read by its own schema and its own rights
-- path: "$user", billing
SET LOCAL ROLE clerk; SELECT id FROM invoices;
-- rewritten:
SET LOCAL ROLE clerk; SELECT id FROM invoices WHERE invoices.deleted_at IS NULL;
-- tag: SET, SELECT 2
-- rows:
-- 1
-- 3

-- title: a role set back to the login
-- path: "$user", billing
SET LOCAL ROLE clerk; SET LOCAL ROLE NONE; SELECT id FROM invoices;
-- rewritten:
SET LOCAL ROLE clerk; SET LOCAL ROLE NONE; SELECT id FROM invoices WHERE invoices.deleted_at IS NULL;
-- tag: SET, SET, SELECT 2
-- rows:
-- 1
-- 3

-- title: a role that cannot be read makes the name doubtful
-- path: "$user", billing
SELECT set_config('role', lower('CLERK'), true); SELECT id FROM invoices;
-- refused: ambiguous 0A000

-- title: a granted privilege counts at once
CREATE TABLE other (id int); GRANT SELECT ON other TO clerk; DELETE FROM users WHERE id = 1;
-- rewritten:
CREATE TABLE other (id int); GRANT SELECT ON other TO clerk; WITH sexton_1 AS (DELETE FROM users WHERE false) UPDATE users SET deleted_at = now() WHERE users.deleted_at IS NULL AND (id = 1);
-- tag: CREATE TABLE, GRANT, DELETE 1

-- title: an altered temporary table
CREATE TEMP TABLE users (id int); ALTER TABLE users ADD COLUMN n int; INSERT INTO users VALUES (1, 2); SELECT n FROM users;
-- rewritten:
CREATE TEMP TABLE users (id int); ALTER TABLE pg_temp.users ADD COLUMN n int; INSERT INTO pg_temp.users VALUES (1, 2); SELECT n FROM pg_temp.users;
-- tag: CREATE TABLE, ALTER TABLE, INSERT 0 1, SELECT 1
-- rows:
-- 2

-- title: a renamed temporary table hides nothing any more
CREATE TEMP TABLE users (id int); ALTER TABLE users RENAME TO others; SELECT count(*) FROM users;
-- rewritten:
CREATE TEMP TABLE users (id int); ALTER TABLE pg_temp.users RENAME TO others; SELECT count(*) FROM users WHERE users.deleted_at IS NULL;
-- tag: CREATE TABLE, ALTER TABLE, SELECT 1
-- rows:
-- 3

-- title: a column of an altered table called like a temporary one
CREATE TEMP TABLE users (id int); CREATE TABLE other (id int); ALTER TABLE other ADD COLUMN users int;
-- unchanged
-- tag: CREATE TABLE, CREATE TABLE, ALTER TABLE

-- title: a temporary child of a temporary table of a registered name
CREATE TEMP TABLE users (id int); CREATE TEMP TABLE kids () INHERITS (users); INSERT INTO kids SELECT 5; SELECT id FROM kids;
-- unchanged
-- tag: CREATE TABLE, CREATE TABLE, INSERT 0 1, SELECT 1
-- rows:
-- 5

-- title: a block that changes no setting leaves the names of two registered tables as they were
-- path: billing
DO 'begin perform 1; end'; SELECT id FROM invoices;
-- rewritten:
DO 'begin perform 1; end'; SELECT id FROM invoices WHERE invoices.deleted_at IS NULL;
-- tag: DO, SELECT 2
-- rows:
-- 1
-- 3

-- title: a block that may change the search path
-- path: billing
DO 'begin set local search_path to public; end'; SELECT id FROM invoices;
-- refused: opaque 0A000

-- title: temporary partitions of registered names
CREATE TEMP TABLE users (id int) PARTITION BY LIST (id); CREATE TEMP TABLE posts (id int); ALTER TABLE users ATTACH PARTITION posts FOR VALUES IN (1); INSERT INTO users VALUES (1); SELECT id FROM posts; ALTER TABLE users DETACH PARTITION posts;
-- rewritten:
CREATE TEMP TABLE users (id int) PARTITION BY LIST (id); CREATE TEMP TABLE posts (id int); ALTER TABLE pg_temp.users ATTACH PARTITION pg_temp.posts FOR VALUES IN (1); INSERT INTO pg_temp.users VALUES (1); SELECT id FROM pg_temp.posts; ALTER TABLE pg_temp.users DETACH PARTITION pg_temp.posts;
-- tag: CREATE TABLE, CREATE TABLE, ALTER TABLE, INSERT 0 1, SELECT 1, ALTER TABLE
-- rows:
-- 1

-- title: a temporary table put under a registered one
-- role: dba
CREATE TEMP TABLE users (id int NOT NULL, name text, email text, deleted_at timestamptz); ALTER TABLE users INHERIT public.posts;
-- refused: temporary-shadow 0A000

-- title: a new child of a registered table is filled from a query
CREATE TABLE sketches (id int, deleted_at timestamptz); CREATE TABLE kids () INHERITS (sketches); INSERT INTO kids (id) SELECT id FROM users; SELECT count(*) FROM sketches;
-- rewritten:
CREATE TABLE sketches (id int, deleted_at timestamptz); CREATE TABLE kids () INHERITS (sketches); INSERT INTO kids (id) SELECT id FROM users WHERE users.deleted_at IS NULL; SELECT count(*) FROM sketches WHERE sketches.deleted_at IS NULL;
-- tag: CREATE TABLE, CREATE TABLE, INSERT 0 3, SELECT 1
-- rows:
-- 3

-- title: a new child of a registered table is not read by the query that fills it
CREATE TABLE sketches (id int, deleted_at timestamptz); CREATE TABLE kids () INHERITS (sketches); INSERT INTO kids (id) SELECT id FROM kids;
-- refused: fresh 0A000
