-- title: create table as copies live rows
CREATE TABLE made AS SELECT id FROM users; SELECT count(*) FROM made;
-- rewritten:
CREATE TABLE made AS SELECT id FROM users WHERE users.deleted_at IS NULL; SELECT count(*) FROM made;
-- rows:
-- 3

-- title: create temp table as with options
CREATE TEMP TABLE made (a) ON COMMIT DROP AS SELECT id FROM users WITH DATA; SELECT a FROM made;
-- rewritten:
CREATE TEMP TABLE made (a) ON COMMIT DROP AS SELECT id FROM users WHERE users.deleted_at IS NULL WITH DATA; SELECT a FROM made;
-- rows:
-- 1
-- 2
-- 3

-- title: a view bakes the predicate in
CREATE VIEW people AS SELECT id, name FROM users; SELECT id FROM people;
-- rewritten:
CREATE VIEW people AS SELECT id, name FROM users WHERE users.deleted_at IS NULL; SELECT id FROM people;
-- tag: CREATE VIEW, SELECT 3
-- rows:
-- 1
-- 2
-- 3

-- title: a replaced view with a column list
CREATE OR REPLACE VIEW people (a, b) AS SELECT id, name FROM users; SELECT a FROM people;
-- rewritten:
CREATE OR REPLACE VIEW people (a, b) AS SELECT id, name FROM users WHERE users.deleted_at IS NULL; SELECT a FROM people;
-- tag: CREATE VIEW, SELECT 3
-- rows:
-- 1
-- 2
-- 3

-- title: a temporary view
CREATE TEMP VIEW people AS SELECT id FROM users; SELECT count(*) FROM people;
-- rewritten:
CREATE TEMP VIEW people AS SELECT id FROM users WHERE users.deleted_at IS NULL; SELECT count(*) FROM people;
-- tag: CREATE VIEW, SELECT 1
-- rows:
-- 3

-- title: a materialized view bakes the predicate in
CREATE MATERIALIZED VIEW people AS SELECT id FROM users; SELECT count(*) FROM people;
-- rewritten:
CREATE MATERIALIZED VIEW people AS SELECT id FROM users WHERE users.deleted_at IS NULL; SELECT count(*) FROM people;
-- rows:
-- 3

-- title: a view over an outer join
CREATE VIEW pairs AS SELECT u.id AS user_id, p.id AS post_id FROM users u LEFT JOIN posts p ON p.user_id = u.id; SELECT * FROM pairs;
-- rewritten:
CREATE VIEW pairs AS SELECT u.id AS user_id, p.id AS post_id FROM users u LEFT JOIN posts p ON NOT p.deleted AND (p.user_id = u.id) WHERE u.deleted_at IS NULL; SELECT * FROM pairs;
-- tag: CREATE VIEW, SELECT 3
-- rows:
-- 1 | 10
-- 2 | 12
-- 3 | null
