-- title: scope all shows deleted rows
-- scope: all
-- role: support
SELECT id FROM users ORDER BY id;

-- title: scope deleted shows only deleted rows
-- scope: deleted
-- role: support
SELECT id FROM users ORDER BY id;

-- title: scope deleted of a nullable boolean
-- scope: deleted
-- role: support
SELECT id FROM notes ORDER BY id;

-- title: one table named apart
-- scope: live, posts=all
-- role: support
SELECT (SELECT count(*) FROM users), (SELECT count(*) FROM posts);

-- title: a comment sets the scope of one statement
-- role: support
-- not twin: deleted rows are asked for
SELECT /* sexton: scope=all */ count(*) FROM users;

-- title: the comment ends with its statement
-- role: support
-- not twin: deleted rows are asked for
SELECT /* sexton: scope=all */ count(*) FROM users; SELECT count(*) FROM users;

-- title: a role without the right may not leave live
-- not twin: the setting is refused
SET sexton.scope = 'all';
-- refused: scope-not-allowed 42501

-- title: a comment without the right
-- not twin: the scope is refused
SELECT /* sexton: scope=all */ count(*) FROM users;
-- refused: scope-not-allowed 42501

-- title: a delete in scope all marks live rows only
-- scope: all
-- role: support
DELETE FROM users;

-- title: an undelete in scope all
-- scope: all
-- role: support
UPDATE users SET deleted_at = NULL WHERE id = 4 RETURNING id;

-- title: a delete in scope deleted needs the right to delete for good
-- scope: deleted
-- role: support
DELETE FROM users WHERE id = 4;
-- refused: hard-delete-not-allowed 42501

-- title: a delete in scope deleted deletes for good
-- scope: deleted
-- role: dba
DELETE FROM users WHERE id = 4; SELECT count(*) FROM users;

-- title: scope set and reset in one string
-- role: support
-- not twin: deleted rows are asked for
SET sexton.scope = 'all'; SELECT count(*) FROM users; RESET sexton.scope; SELECT count(*) FROM users;

-- title: set local ends with the savepoint that is rolled back
-- role: support
-- not twin: deleted rows are asked for
SAVEPOINT s; SET LOCAL sexton.scope = 'all'; SELECT count(*) FROM users; ROLLBACK TO s; SELECT count(*) FROM users;

-- title: a scope that is none
-- role: support
-- not twin: the value is refused
SET sexton.scope = 'everything';
-- refused: invalid-scope 22023
