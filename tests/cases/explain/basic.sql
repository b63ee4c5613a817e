-- title: explain of a select
EXPLAIN SELECT id FROM users;
-- rewritten:
EXPLAIN SELECT id FROM users WHERE users.deleted_at IS NULL;
-- tag: EXPLAIN

-- title: explain with options in parentheses
EXPLAIN (COSTS off, FORMAT json) SELECT id FROM users WHERE id = 1;
-- rewritten:
EXPLAIN (COSTS off, FORMAT json) SELECT id FROM users WHERE users.deleted_at IS NULL AND (id = 1);
-- tag: EXPLAIN

-- title: explain analyze in the old spelling
EXPLAIN ANALYZE VERBOSE SELECT id FROM users;
-- rewritten:
EXPLAIN ANALYZE VERBOSE SELECT id FROM users WHERE users.deleted_at IS NULL;
-- tag: EXPLAIN

-- title: explain of a delete
EXPLAIN DELETE FROM users WHERE id = 1;
-- rewritten:
EXPLAIN UPDATE users SET deleted_at = now() WHERE users.deleted_at IS NULL AND (id = 1);
-- tag: EXPLAIN

-- title: explain analyze of a delete really deletes
EXPLAIN ANALYZE DELETE FROM users WHERE id = 1; SELECT count(*) FROM users;
-- rewritten:
EXPLAIN ANALYZE UPDATE users SET deleted_at = now() WHERE users.deleted_at IS NULL AND (id = 1); SELECT count(*) FROM users WHERE users.deleted_at IS NULL;
-- tag: EXPLAIN, SELECT 1

-- title: explain of a prepared statement
PREPARE s AS SELECT id FROM users; EXPLAIN EXECUTE s;
-- rewritten:
PREPARE s AS SELECT id FROM users WHERE users.deleted_at IS NULL; EXPLAIN EXECUTE s;
-- tag: PREPARE, EXPLAIN
