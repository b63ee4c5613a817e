-- title: copy of a table sends live rows
COPY users TO STDOUT;
-- rewritten:
COPY (SELECT id, name, email, deleted_at FROM ONLY users WHERE users.deleted_at IS NULL) TO STDOUT;
-- tag: COPY 3
-- rows:
-- 1	ann	ann@example.com	\N
-- 2	bob	bob@example.com	\N
-- 3	cid	\N	\N

-- title: copy of chosen columns keeps their order
COPY users (name, id) TO STDOUT;
-- rewritten:
COPY (SELECT name, id FROM ONLY users WHERE users.deleted_at IS NULL) TO STDOUT;
-- tag: COPY 3
-- rows:
-- ann	1
-- bob	2
-- cid	3

-- title: copy with options keeps them
COPY users (id, name) TO STDOUT WITH (FORMAT csv, HEADER);
-- rewritten:
COPY (SELECT id, name FROM ONLY users WHERE users.deleted_at IS NULL) TO STDOUT WITH (FORMAT csv, HEADER);
-- tag: COPY 3
-- rows:
-- 1,ann
-- 2,bob
-- 3,cid
-- id,name

-- title: copy in the old spelling
COPY users TO STDOUT CSV;
-- rewritten:
COPY (SELECT id, name, email, deleted_at FROM ONLY users WHERE users.deleted_at IS NULL) TO STDOUT CSV;
-- tag: COPY 3
-- rows:
-- 1,ann,ann@example.com,
-- 2,bob,bob@example.com,
-- 3,cid,,

-- title: copy of a query
COPY (SELECT id FROM users WHERE id = 4 OR id = 1) TO STDOUT;
-- rewritten:
COPY (SELECT id FROM users WHERE users.deleted_at IS NULL AND (id = 4 OR id = 1)) TO STDOUT;
-- tag: COPY 1
-- rows:
-- 1

-- title: copy of an unregistered table
COPY items (id) TO STDOUT;
-- unchanged
-- tag: COPY 2
-- rows:
-- 1
-- 2

-- title: copy of a deleting query
COPY (DELETE FROM posts WHERE user_id = 1 RETURNING id) TO STDOUT;
-- rewritten:
COPY (UPDATE posts SET deleted = true WHERE NOT posts.deleted AND (user_id = 1) RETURNING id) TO STDOUT;
-- tag: COPY 1
-- rows:
-- 10

-- title: copy of a table in another schema
COPY billing.invoices (id) TO STDOUT;
-- rewritten:
COPY (SELECT id FROM ONLY billing.invoices WHERE billing.invoices.deleted_at IS NULL) TO STDOUT;
-- tag: COPY 2
-- rows:
-- 1
-- 3

-- title: a registered table made in the transaction
CREATE TABLE sketches (id int, deleted_at timestamptz); INSERT INTO sketches VALUES (1, NULL), (2, NULL); DELETE FROM sketches WHERE id = 2; COPY sketches (id) TO STDOUT; COPY sketches TO STDOUT;
-- rewritten:
CREATE TABLE sketches (id int, deleted_at timestamptz); INSERT INTO sketches VALUES (1, NULL), (2, NULL); WITH sexton_1 AS (DELETE FROM sketches WHERE false) UPDATE sketches SET deleted_at = now() WHERE sketches.deleted_at IS NULL AND (id = 2); COPY (SELECT id FROM ONLY sketches WHERE sketches.deleted_at IS NULL) TO STDOUT; COPY (SELECT * FROM ONLY sketches WHERE sketches.deleted_at IS NULL) TO STDOUT;
-- tag: CREATE TABLE, INSERT 0 2, DELETE 1, COPY 1, COPY 1
-- rows:
-- 1
-- 1	\N

-- title: a registered table made in the transaction with an identity
CREATE TABLE sketches (id int GENERATED ALWAYS AS IDENTITY, deleted_at timestamptz); COPY sketches TO STDOUT;
-- rewritten:
CREATE TABLE sketches (id int GENERATED ALWAYS AS IDENTITY, deleted_at timestamptz); COPY (SELECT * FROM ONLY sketches WHERE sketches.deleted_at IS NULL) TO STDOUT;
-- tag: CREATE TABLE, COPY 0

-- title: a registered table made in the transaction with a generated column
CREATE TABLE sketches (id int, n int GENERATED ALWAYS AS (id + 1) STORED, deleted_at timestamptz); COPY sketches TO STDOUT;
-- refused: copy 0A000

-- title: a registered table made in the transaction like another
CREATE TABLE sketches (LIKE users); COPY sketches TO STDOUT;
-- refused: copy 0A000

-- title: the binary format by its oldest syntax
COPY BINARY users (id) TO '/nowhere';
-- rewritten:
COPY  (SELECT id FROM ONLY users WHERE users.deleted_at IS NULL) TO '/nowhere' BINARY;
-- error: 42501

-- title: no columns at all
COPY users ( ) TO STDOUT;
-- unchanged
-- error: 42601
