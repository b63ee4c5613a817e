-- title: scope all shows deleted rows
-- scope: all
-- role: support
SELECT id FROM users ORDER BY id;
-- unchanged
-- rows:
-- 1
-- 2
-- 3
-- 4
-- 5

-- title: scope deleted shows only deleted rows
-- scope: deleted
-- role: support
SELECT id FROM users ORDER BY id;
-- rewritten:
SELECT id FROM users WHERE users.deleted_at IS NOT NULL ORDER BY id;
-- rows:
-- 4
-- 5

-- title: scope deleted of a nullable boolean
-- scope: deleted
-- role: support
SELECT id FROM notes ORDER BY id;
-- rewritten:
SELECT id FROM notes WHERE notes.gone IS TRUE ORDER BY id;
-- rows:
-- 3

-- title: one table named apart
-- scope: live, posts=all
-- role: support
SELECT (SELECT count(*) FROM users), (SELECT count(*) FROM posts);
-- rewritten:
SELECT (SELECT count(*) FROM users WHERE users.deleted_at IS NULL), (SELECT count(*) FROM posts);
-- rows:
-- 3 | 6

-- title: a comment sets the scope of one statement
-- role: support
-- not twin: deleted rows are asked for
SELECT /* sexton: scope=all */ count(*) FROM users;
-- unchanged
-- rows:
-- 5

-- title: the comment ends with its statement
-- role: support
-- not twin: deleted rows are asked for
SELECT /* sexton: scope=all */ count(*) FROM users; SELECT count(*) FROM users;
-- rewritten:
SELECT /* sexton: scope=all */ count(*) FROM users; SELECT count(*) FROM users WHERE users.deleted_at IS NULL;
-- rows:
-- 5
-- 3

-- title: a role without the right may not leave live
-- not twin: the setting is refused
SET sexton.scope = 'all';
-- refused: scope 42501

-- title: a comment without the right
-- not twin: the scope is refused
SELECT /* sexton: scope=all */ count(*) FROM users;
-- refused: scope 42501

-- title: a delete in scope all marks live rows only
-- scope: all
-- role: support
DELETE FROM users;
-- rewritten:
UPDATE users SET deleted_at = now() WHERE users.deleted_at IS NULL;
-- tag: DELETE 3

-- title: an undelete in scope all
-- scope: all
-- role: support
UPDATE users SET deleted_at = NULL WHERE id = 4 RETURNING id;
-- unchanged
-- tag: UPDATE 1
-- rows:
-- 4

-- title: a delete in scope deleted needs the right to delete for good
-- scope: deleted
-- role: support
DELETE FROM users WHERE id = 4;
-- refused: hard-delete 42501

-- title: a delete in scope deleted deletes for good
-- scope: deleted
-- role: dba
DELETE FROM users WHERE id = 4; SELECT count(*) FROM users;
-- rewritten:
DELETE FROM users WHERE users.deleted_at IS NOT NULL AND (id = 4); SELECT count(*) FROM users WHERE users.deleted_at IS NOT NULL;
-- tag: DELETE 1, SELECT 1
-- rows:
-- 1

-- title: scope set and reset in one string
-- role: support
-- not twin: deleted rows are asked for
SET sexton.scope = 'all'; SELECT count(*) FROM users; RESET sexton.scope; SELECT count(*) FROM users;
-- rewritten:
SET sexton.scope = 'all'; SELECT count(*) FROM users; RESET sexton.scope; SELECT count(*) FROM users WHERE users.deleted_at IS NULL;
-- tag: SET, SELECT 1, RESET, SELECT 1
-- rows:
-- 5
-- 3

-- title: set local ends with the savepoint that is rolled back
-- role: support
-- not twin: deleted rows are asked for
SAVEPOINT s; SET LOCAL sexton.scope = 'all'; SELECT count(*) FROM users; ROLLBACK TO s; SELECT count(*) FROM users;
-- rewritten:
SAVEPOINT s; SET LOCAL sexton.scope = 'all'; SELECT count(*) FROM users; ROLLBACK TO s; SELECT count(*) FROM users WHERE users.deleted_at IS NULL;
-- tag: SAVEPOINT, SET, SELECT 1, ROLLBACK, SELECT 1
-- rows:
-- 5
-- 3

-- title: a scope that is none
-- role: support
-- not twin: the value is refused
SET sexton.scope = 'everything';
-- refused: scope-value 22023

-- title: a table that nobody registered, named apart
-- role: support
-- not twin: the value is refused
SET sexton.scope = 'live, psots=all';
-- refused: scope-value 22023

-- title: tables named apart, with their schema and in other letters
-- role: support
-- not twin: deleted rows are asked for
SET LOCAL sexton.scope = 'live, Public.POSTS=all'; SELECT count(*) FROM posts;
-- unchanged
-- tag: SET, SELECT 1
-- rows:
-- 6

-- title: a comment that names a table which nobody registered
-- role: support
-- not twin: the value is refused
SELECT /* sexton: scope=live, psots=all */ count(*) FROM posts;
-- refused: scope-value 22023

-- title: a comment may have white space around its parts
-- role: support
-- not twin: deleted rows are asked for
SELECT /*sexton:scope = all*/ count(*) FROM users;
-- unchanged
-- rows:
-- 5

-- title: a comment that asks for what nobody knows
-- role: support
-- not twin: the comment is refused
SELECT /* sexton: scop=all */ count(*) FROM users;
-- refused: comment 22023

-- title: a comment that asks for nothing
-- not twin: the comment is refused
SELECT count(*) FROM users /* sexton: all */;
-- refused: comment 22023

-- title: what is no comment to sexton
SELECT /* sexton counts: scope=all */ count(*) FROM users;
-- rewritten:
SELECT /* sexton counts: scope=all */ count(*) FROM users WHERE users.deleted_at IS NULL;
-- rows:
-- 3
