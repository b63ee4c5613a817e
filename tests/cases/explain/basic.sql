-- title: explain of a select
EXPLAIN SELECT id FROM users;
-- tag: EXPLAIN

-- title: explain with options in parentheses
EXPLAIN (COSTS off, FORMAT json) SELECT id FROM users WHERE id = 1;
-- tag: EXPLAIN

-- title: explain analyze in the old spelling
EXPLAIN ANALYZE VERBOSE SELECT id FROM users;
-- tag: EXPLAIN

-- title: explain of a delete
EXPLAIN DELETE FROM users WHERE id = 1;
-- tag: EXPLAIN

-- title: explain analyze of a delete really deletes
EXPLAIN ANALYZE DELETE FROM users WHERE id = 1; SELECT count(*) FROM users;
-- tag: EXPLAIN, SELECT 1

-- title: explain of a prepared statement
PREPARE s AS SELECT id FROM users; EXPLAIN EXECUTE s;
-- tag: PREPARE, EXPLAIN
-- rows:
-- Seq Scan on users  (cost=0.00..17.80 rows=780 width=4)
