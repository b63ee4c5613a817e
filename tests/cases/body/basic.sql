-- title: a function with a parsed body
CREATE FUNCTION f() RETURNS bigint LANGUAGE sql BEGIN ATOMIC SELECT CASE WHEN true THEN 1 END; SELECT count(*) FROM users; END; SELECT f();
-- rewritten:
CREATE FUNCTION f() RETURNS bigint LANGUAGE sql BEGIN ATOMIC SELECT CASE WHEN true THEN 1 END; SELECT count(*) FROM users WHERE users.deleted_at IS NULL; END; SELECT f();
-- tag: CREATE FUNCTION, SELECT 1
-- rows:
-- 3

-- title: a function that returns an expression
CREATE FUNCTION f(minimum int) RETURNS bigint LANGUAGE sql RETURN (SELECT count(*) FROM users WHERE id >= minimum) + 0; SELECT f(2);
-- rewritten:
CREATE FUNCTION f(minimum int) RETURNS bigint LANGUAGE sql RETURN (SELECT count(*) FROM users WHERE users.deleted_at IS NULL AND (id >= minimum)) + 0; SELECT f(2);
-- tag: CREATE FUNCTION, SELECT 1
-- rows:
-- 2

-- title: a function that deletes in its body
CREATE FUNCTION f(victim int) RETURNS void LANGUAGE sql BEGIN ATOMIC DELETE FROM users WHERE id = victim; END; SELECT f(1); SELECT id FROM users ORDER BY id;
-- rewritten:
CREATE FUNCTION f(victim int) RETURNS void LANGUAGE sql BEGIN ATOMIC UPDATE users SET deleted_at = now() WHERE users.deleted_at IS NULL AND (id = victim); END; SELECT f(1); SELECT id FROM users WHERE users.deleted_at IS NULL ORDER BY id;
-- tag: CREATE FUNCTION, SELECT 1, SELECT 2
-- rows:
-- null
-- 2
-- 3

-- title: a function with its body in a string passes, and reads every row
-- not twin: the body runs inside the server
CREATE FUNCTION f() RETURNS bigint LANGUAGE sql AS 'SELECT count(*) FROM users'; SELECT f();
-- unchanged
-- tag: CREATE FUNCTION, SELECT 1
-- rows:
-- 5

-- title: a condition of a policy
CREATE POLICY p ON items USING (EXISTS (SELECT FROM users WHERE users.id = items.id));
-- rewritten:
CREATE POLICY p ON items USING (EXISTS (SELECT FROM users WHERE users.deleted_at IS NULL AND (users.id = items.id)));
-- error: 42501

-- title: a condition of a policy by TABLE
CREATE POLICY p ON items USING (id IN (TABLE users));
-- rewritten:
CREATE POLICY p ON items USING (id IN (SELECT * FROM users WHERE users.deleted_at IS NULL));
-- error: 42501
