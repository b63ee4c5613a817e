-- title: an update touches live rows only
UPDATE users SET name = upper(name) RETURNING id, name;
-- rewritten:
UPDATE users SET name = upper(name) WHERE users.deleted_at IS NULL RETURNING id, name;
-- tag: UPDATE 3
-- rows:
-- 1 | ANN
-- 2 | BOB
-- 3 | CID

-- title: an update of a deleted row finds nothing
UPDATE users SET name = 'x' WHERE id = 4;
-- rewritten:
UPDATE users SET name = 'x' WHERE users.deleted_at IS NULL AND (id = 4);
-- tag: UPDATE 0

-- title: an update with an alias
UPDATE users AS u SET name = 'x' WHERE u.id > 1;
-- rewritten:
UPDATE users AS u SET name = 'x' WHERE u.deleted_at IS NULL AND (u.id > 1);
-- tag: UPDATE 2

-- title: an update with from hides both
UPDATE posts SET title = u.name FROM users u WHERE u.id = posts.user_id RETURNING posts.id, posts.title;
-- rewritten:
UPDATE posts SET title = u.name FROM users u WHERE NOT posts.deleted AND u.deleted_at IS NULL AND (u.id = posts.user_id) RETURNING posts.id, posts.title;
-- tag: UPDATE 2
-- rows:
-- 10 | ann
-- 12 | bob

-- title: an update of an unregistered table from a soft one
UPDATE items SET name = u.name FROM users u WHERE u.id = items.id + 3 RETURNING items.id;
-- rewritten:
UPDATE items SET name = u.name FROM users u WHERE u.deleted_at IS NULL AND (u.id = items.id + 3) RETURNING items.id;
-- tag: UPDATE 0

-- title: a subquery in set
UPDATE items SET name = (SELECT count(*)::text FROM users) RETURNING id, name;
-- rewritten:
UPDATE items SET name = (SELECT count(*)::text FROM users WHERE users.deleted_at IS NULL) RETURNING id, name;
-- tag: UPDATE 2
-- rows:
-- 1 | 3
-- 2 | 3

-- title: a row of columns in set
UPDATE items SET (name, deleted_at) = (SELECT u.name, u.deleted_at FROM users u WHERE u.id = items.id) RETURNING id, name, deleted_at;
-- rewritten:
UPDATE items SET (name, deleted_at) = (SELECT u.name, u.deleted_at FROM users u WHERE u.deleted_at IS NULL AND (u.id = items.id)) RETURNING id, name, deleted_at;
-- tag: UPDATE 2
-- rows:
-- 1 | ann | null
-- 2 | bob | null

-- title: a subquery in where of an update
UPDATE items SET name = 'x' WHERE id IN (SELECT id FROM users) RETURNING id;
-- rewritten:
UPDATE items SET name = 'x' WHERE id IN (SELECT id FROM users WHERE users.deleted_at IS NULL) RETURNING id;
-- tag: UPDATE 2
-- rows:
-- 1
-- 2

-- title: an update from a self join
UPDATE users SET name = b.name FROM users b WHERE b.id = users.id + 1 RETURNING users.id, users.name;
-- rewritten:
UPDATE users SET name = b.name FROM users b WHERE users.deleted_at IS NULL AND b.deleted_at IS NULL AND (b.id = users.id + 1) RETURNING users.id, users.name;
-- tag: UPDATE 2
-- rows:
-- 1 | bob
-- 2 | cid

-- title: an update with an outer join in from
UPDATE posts SET title = coalesce(u.name, 'gone') FROM items i LEFT JOIN users u ON u.id = i.id WHERE posts.user_id = i.id RETURNING posts.id, posts.title;
-- rewritten:
UPDATE posts SET title = coalesce(u.name, 'gone') FROM items i LEFT JOIN users u ON u.deleted_at IS NULL AND (u.id = i.id) WHERE NOT posts.deleted AND (posts.user_id = i.id) RETURNING posts.id, posts.title;
-- tag: UPDATE 2
-- rows:
-- 10 | ann
-- 12 | bob

-- title: an update of a partitioned table
UPDATE measurements SET reading = reading + 1 RETURNING id, reading;
-- rewritten:
UPDATE measurements SET reading = reading + 1 WHERE measurements.deleted_at IS NULL RETURNING id, reading;
-- tag: UPDATE 2
-- rows:
-- 1 | 11
-- 3 | 31

-- title: an update of only the table itself
UPDATE ONLY users SET name = 'x' WHERE id = 1;
-- rewritten:
UPDATE ONLY users SET name = 'x' WHERE users.deleted_at IS NULL AND (id = 1);
-- tag: UPDATE 1

-- title: a subquery in returning
UPDATE items SET name = 'x' WHERE id = 1 RETURNING (SELECT count(*) FROM users);
-- rewritten:
UPDATE items SET name = 'x' WHERE id = 1 RETURNING (SELECT count(*) FROM users WHERE users.deleted_at IS NULL);
-- tag: UPDATE 1
-- rows:
-- 3

-- title: an update of the cursor's row from a soft table
DECLARE c CURSOR FOR SELECT id FROM items ORDER BY id; FETCH c; UPDATE items SET name = u.name FROM users u WHERE CURRENT OF c RETURNING u.name IS NULL;
-- rewritten:
DECLARE c CURSOR FOR SELECT id FROM items ORDER BY id; FETCH c; UPDATE items SET name = u.name FROM (SELECT * FROM users u WHERE u.deleted_at IS NULL) u WHERE CURRENT OF c RETURNING u.name IS NULL;
-- tag: DECLARE CURSOR, FETCH 1, UPDATE 1
-- rows:
-- 1
-- f

-- title: an update of the row of a soft table that a cursor is on
DECLARE c CURSOR FOR SELECT id FROM posts ORDER BY id; FETCH c; UPDATE posts SET title = 'x' WHERE CURRENT OF c;
-- refused: cursor 0A000

-- title: the same where deleted rows are in sight
-- role: support
-- scope: all
DECLARE c CURSOR FOR SELECT id FROM posts ORDER BY id; FETCH c; UPDATE posts SET title = 'x' WHERE CURRENT OF c;
-- unchanged
-- tag: DECLARE CURSOR, FETCH 1, UPDATE 1
-- rows:
-- 10
