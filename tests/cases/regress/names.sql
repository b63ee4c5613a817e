-- title: UESCAPE of a name that is not registered
SELECT id, 'tricky' AS U&"\" UESCAPE '!', 1 AS U&"d*0061t" UESCAPE '*' FROM users;
-- refused: unreadable 0A000

-- title: UESCAPE where nothing registered is named
SELECT 'tricky' AS U&"\" UESCAPE '!';
-- unchanged
-- rows:
-- tricky

-- title: UESCAPE of a registered name
SELECT id FROM U&"us!0065rs" UESCAPE '!';
-- refused: unreadable 0A000

-- title: UESCAPE that spells a registered name only with its own escape
SELECT id FROM U&"use*0072s" UESCAPE '*';
-- refused: unreadable 0A000

-- title: a SET list whose second column is called like a registered table
UPDATE users SET name = 'x', posts = 1;
-- rewritten:
UPDATE users SET name = 'x', posts = 1 WHERE users.deleted_at IS NULL;
-- error: 42703

-- title: COLLATION FOR in FROM
SELECT u.id, c.col, d.v FROM users u, COLLATION FOR ('x'::text) AS c (col), CAST(1 + 2 AS int4) AS d (v);
-- rewritten:
SELECT u.id, c.col, d.v FROM users u, COLLATION FOR ('x'::text) AS c (col), CAST(1 + 2 AS int4) AS d (v) WHERE u.deleted_at IS NULL;
-- rows:
-- 1 | "default" | 3
-- 2 | "default" | 3
-- 3 | "default" | 3

-- title: ORDER BY USING an operator, then a column called like a registered table
SELECT u.id, p.id AS posts FROM users u, posts p ORDER BY u.id USING >, posts USING OPERATOR(pg_catalog.<), 1;
-- rewritten:
SELECT u.id, p.id AS posts FROM users u, posts p WHERE u.deleted_at IS NULL AND NOT p.deleted ORDER BY u.id USING >, posts USING OPERATOR(pg_catalog.<), 1;
-- rows:
-- 3 | 10
-- 3 | 12
-- 3 | 13
-- 3 | 14
-- 2 | 10
-- 2 | 12
-- 2 | 13
-- 2 | 14
-- 1 | 10
-- 1 | 12
-- 1 | 13
-- 1 | 14

-- title: a policy for SELECT that reads nothing
-- role: dba
CREATE POLICY p ON users FOR SELECT USING (deleted_at IS NULL);
-- unchanged
-- error: 42501

-- title: a cycle path named like a registered table
WITH RECURSIVE r (id) AS (SELECT id FROM items UNION ALL SELECT id FROM r WHERE id < 0) CYCLE id SET looped USING users SELECT id FROM r ORDER BY id;
-- unchanged
-- rows:
-- 1
-- 2
