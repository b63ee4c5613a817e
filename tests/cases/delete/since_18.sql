-- RETURNING old and new, of PostgreSQL 18. Blessed with a server that knows it.

-- title: returning old of a deletion
-- since: 18
DELETE FROM posts WHERE id = 10 RETURNING old.id, old.title;
-- rewritten:
UPDATE posts SET deleted = true WHERE NOT posts.deleted AND (id = 10) RETURNING old.id, old.title;
-- tag: DELETE 1
-- rows:
-- 10 | ann one

-- title: returning new of a deletion is null
-- since: 18
DELETE FROM posts WHERE id = 10 RETURNING old.id, new.id;
-- refused: returning-versions 0A000

-- title: returning old and new whole
-- since: 18
DELETE FROM posts WHERE id = 10 RETURNING old.*;
-- refused: returning-versions 0A000

-- title: returning old under another name
-- since: 18
DELETE FROM posts WHERE id = 10 RETURNING WITH (OLD AS o, NEW AS n) o.id, o.title, n.title;
-- refused: returning-versions 0A000

-- title: returning old of a deletion from an archived table
-- since: 18
DELETE FROM orders WHERE id = 100 RETURNING old.id, new.cents;
-- refused: returning-versions 0A000

-- title: returning old and new of an update
-- since: 18
UPDATE users SET name = 'x' WHERE id IN (1, 4) RETURNING old.name, new.name, (SELECT count(*) FROM posts WHERE user_id = old.id);
-- rewritten:
UPDATE users SET name = 'x' WHERE users.deleted_at IS NULL AND (id IN (1, 4)) RETURNING old.name, new.name, (SELECT count(*) FROM posts WHERE NOT posts.deleted AND (user_id = old.id));
-- tag: UPDATE 1
-- rows:
-- ann | x | 1

-- title: returning old and new of an insert
-- since: 18
INSERT INTO posts (id, user_id, title) VALUES (99, 1, 'x') RETURNING old.id, new.id;
-- unchanged
-- tag: INSERT 0 1
-- rows:
-- null | 99

-- title: returning old of a deletion in a with query
-- since: 18
WITH d AS (DELETE FROM users WHERE id = 1 RETURNING old.name AS was, new.name AS now) SELECT * FROM d;
-- refused: returning-versions 0A000
