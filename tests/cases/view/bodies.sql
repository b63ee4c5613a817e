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
-- refused: utility 0A000

-- title: a function called begin
CREATE FUNCTION begin() RETURNS SETOF int BEGIN ATOMIC SELECT id FROM users; END;
-- rewritten:
CREATE FUNCTION begin() RETURNS SETOF int BEGIN ATOMIC SELECT id FROM users WHERE users.deleted_at IS NULL; END;
-- tag: CREATE FUNCTION
