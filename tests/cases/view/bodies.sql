-- title: a BEGIN ATOMIC body reads live rows
CREATE FUNCTION live_users() RETURNS SETOF int BEGIN ATOMIC SELECT 1; SELECT id FROM users; END; SELECT live_users();
-- rewritten:
CREATE FUNCTION live_users() RETURNS SETOF int BEGIN ATOMIC SELECT 1; SELECT id FROM users WHERE users.deleted_at IS NULL; END; SELECT live_users();
-- tag: CREATE FUNCTION, SELECT 3
-- rows:
-- 1
-- 2
-- 3

-- title: a RETURN body that is one query
CREATE FUNCTION count_users() RETURNS bigint RETURN (SELECT count(*) FROM users); SELECT count_users();
-- rewritten:
CREATE FUNCTION count_users() RETURNS bigint RETURN (SELECT count(*) FROM users WHERE users.deleted_at IS NULL); SELECT count_users();
-- tag: CREATE FUNCTION, SELECT 1
-- rows:
-- 3

-- title: a RETURN body that is more than one query, and whose argument is called like a table
CREATE FUNCTION more_users(posts int) RETURNS bigint RETURN posts + 1 + (SELECT count(*) FROM users); SELECT more_users(1);
-- rewritten:
CREATE FUNCTION more_users(posts int) RETURNS bigint RETURN posts + 1 + (SELECT count(*) FROM users WHERE users.deleted_at IS NULL); SELECT more_users(1);
-- tag: CREATE FUNCTION, SELECT 1
-- rows:
-- 5

-- title: a procedure that deletes
CREATE PROCEDURE bury() BEGIN ATOMIC DELETE FROM users WHERE id = 1; DELETE FROM items; END; CALL bury();
-- rewritten:
CREATE PROCEDURE bury() BEGIN ATOMIC UPDATE users SET deleted_at = now() WHERE users.deleted_at IS NULL AND (id = 1); DELETE FROM items; END; CALL bury();
-- tag: CREATE PROCEDURE, CALL

-- title: a type of a registered table in a signature
CREATE FUNCTION name_of(u users) RETURNS text LANGUAGE sql RETURN u.name;
-- unchanged
-- tag: CREATE FUNCTION

-- title: rules of other tables that read and delete
CREATE RULE r AS ON UPDATE TO items DO ALSO (DELETE FROM posts WHERE id = old.id; INSERT INTO items SELECT id, name FROM users);
-- rewritten:
CREATE RULE r AS ON UPDATE TO items DO ALSO (UPDATE posts SET deleted = true WHERE NOT posts.deleted AND (id = old.id); INSERT INTO items SELECT id, name FROM users WHERE users.deleted_at IS NULL);
-- error: 42501

-- title: a rule with one action
CREATE RULE r AS ON INSERT TO items DO INSTEAD UPDATE users SET name = new.name WHERE id = new.id OR false;
-- rewritten:
CREATE RULE r AS ON INSERT TO items DO INSTEAD UPDATE users SET name = new.name WHERE users.deleted_at IS NULL AND (id = new.id OR false);
-- error: 42501

-- title: a rule whose condition reads a registered table
CREATE RULE r AS ON INSERT TO items WHERE EXISTS (SELECT 1 FROM users) DO INSTEAD NOTHING;
-- rewritten:
CREATE RULE r AS ON INSERT TO items WHERE EXISTS (SELECT 1 FROM users WHERE users.deleted_at IS NULL) DO INSTEAD NOTHING;
-- error: 42501

-- title: a function called begin
CREATE FUNCTION begin() RETURNS SETOF int BEGIN ATOMIC SELECT id FROM users; END;
-- rewritten:
CREATE FUNCTION begin() RETURNS SETOF int BEGIN ATOMIC SELECT id FROM users WHERE users.deleted_at IS NULL; END;
-- tag: CREATE FUNCTION

-- title: a rule that does nothing
CREATE TEMP TABLE users (id int); CREATE RULE r AS ON INSERT TO users DO INSTEAD NOTHING; INSERT INTO users VALUES (1); SELECT count(*) FROM users;
-- rewritten:
CREATE TEMP TABLE users (id int); CREATE RULE r AS ON INSERT TO pg_temp.users DO INSTEAD NOTHING; INSERT INTO pg_temp.users VALUES (1); SELECT count(*) FROM pg_temp.users;
-- tag: CREATE TABLE, CREATE RULE, INSERT 0 0, SELECT 1
-- rows:
-- 0

-- title: a rule on a temporary table of a registered name
CREATE TEMP TABLE users (id int); CREATE TEMP TABLE log (n bigint); CREATE RULE r AS ON INSERT TO users WHERE new.id > (SELECT count(*) FROM posts) DO ALSO INSERT INTO log VALUES (new.id); INSERT INTO users VALUES (3), (8); SELECT n FROM log;
-- rewritten:
CREATE TEMP TABLE users (id int); CREATE TEMP TABLE log (n bigint); CREATE RULE r AS ON INSERT TO pg_temp.users WHERE new.id > (SELECT count(*) FROM posts WHERE NOT posts.deleted) DO ALSO INSERT INTO log VALUES (new.id); INSERT INTO pg_temp.users VALUES (3), (8); SELECT n FROM log;
-- tag: CREATE TABLE, CREATE TABLE, CREATE RULE, INSERT 0 2, SELECT 1
-- rows:
-- 8

-- title: a rule of a new table whose condition reads a registered one
CREATE TABLE log (n bigint); CREATE RULE r AS ON INSERT TO log WHERE new.n > (SELECT count(*) FROM posts) DO INSTEAD NOTHING; INSERT INTO log VALUES (3), (8); SELECT n FROM log;
-- rewritten:
CREATE TABLE log (n bigint); CREATE RULE r AS ON INSERT TO log WHERE new.n > (SELECT count(*) FROM posts WHERE NOT posts.deleted) DO INSTEAD NOTHING; INSERT INTO log VALUES (3), (8); SELECT n FROM log;
-- tag: CREATE TABLE, CREATE RULE, INSERT 0 1, SELECT 1
-- rows:
-- 3

-- title: a schema with a view of its own table of a registered name
CREATE SCHEMA sexton_case CREATE VIEW v AS SELECT id FROM users CREATE TABLE users (id int);
-- unchanged
-- error: 42501

-- title: a schema with a view of a registered table
CREATE SCHEMA sexton_case CREATE VIEW v AS SELECT id FROM public.users CREATE TABLE users (id int);
-- refused: utility 0A000

-- title: a schema with a table that has an identity and a registered name
CREATE SCHEMA sexton_case CREATE TABLE users (id int GENERATED ALWAYS AS IDENTITY);
-- unchanged
-- error: 42501
