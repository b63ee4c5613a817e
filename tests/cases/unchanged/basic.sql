-- title: a select without a table
SELECT 1 + 1;
-- unchanged
-- rows:
-- 2

-- title: a select of an unregistered table
SELECT id FROM items WHERE deleted_at IS NULL;
-- unchanged
-- rows:
-- 1

-- title: odd spacing reaches the server as it is
SELECT	id   FROM items  ; ;
-- unchanged
-- rows:
-- 1
-- 2

-- title: a delete of an unregistered table
DELETE FROM items WHERE id = 1;
-- unchanged
-- tag: DELETE 1

-- title: session commands
SET LOCAL work_mem = '8MB'; SHOW work_mem;
-- unchanged
-- tag: SET, SHOW
-- rows:
-- 8MB

-- title: an insert into an unregistered table
INSERT INTO items (id, name) VALUES (5, 'users');
-- unchanged
-- tag: INSERT 0 1

-- title: a plain insert into a soft table
INSERT INTO users (id, name) VALUES (7, 'gil');
-- unchanged
-- tag: INSERT 0 1

-- title: ddl of an unregistered table
CREATE TABLE fresh (id int); DROP TABLE fresh;
-- unchanged
-- tag: CREATE TABLE, DROP TABLE

-- title: a syntax error is the server's
SELEC 1;
-- unchanged
-- error: 42601

-- title: an unregistered name that contains a registered one
SELECT 1 AS my_users, 2 AS users2;
-- unchanged
-- rows:
-- 1 | 2

-- title: an empty statement
;
-- unchanged
