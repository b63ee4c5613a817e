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
