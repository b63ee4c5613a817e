-- title: a deleted target row does not match
-- since: 15
MERGE INTO users u USING (VALUES (1), (4)) v (id) ON v.id = u.id WHEN MATCHED THEN UPDATE SET name = 'hit'; SELECT id, name FROM users ORDER BY id;
-- rewritten:
MERGE INTO users u USING (VALUES (1), (4)) v (id) ON u.deleted_at IS NULL AND (v.id = u.id) WHEN MATCHED THEN UPDATE SET name = 'hit'; SELECT id, name FROM users WHERE users.deleted_at IS NULL ORDER BY id;
-- tag: MERGE 1, SELECT 3
-- rows:
-- 1 | hit
-- 2 | bob
-- 3 | cid

-- title: not matched fires where only a deleted row would match
-- since: 15
-- not twin: the deleted row still holds the primary key
MERGE INTO posts p USING (VALUES (10), (11)) v (id) ON v.id = p.id WHEN NOT MATCHED THEN INSERT (id, title) VALUES (v.id + 100, 'new'); SELECT id FROM posts ORDER BY id;
-- rewritten:
MERGE INTO posts p USING (VALUES (10), (11)) v (id) ON NOT p.deleted AND (v.id = p.id) WHEN NOT MATCHED THEN INSERT (id, title) VALUES (v.id + 100, 'new'); SELECT id FROM posts WHERE NOT posts.deleted ORDER BY id;
-- tag: MERGE 1, SELECT 5
-- rows:
-- 10
-- 12
-- 13
-- 14
-- 111

-- title: merge deletes by marking
-- since: 15
MERGE INTO users u USING items i ON i.id = u.id WHEN MATCHED AND u.id = 1 THEN DELETE WHEN MATCHED THEN UPDATE SET name = i.name; SELECT id, name FROM users ORDER BY id;
-- rewritten:
MERGE INTO users u USING items i ON u.deleted_at IS NULL AND (i.id = u.id) WHEN MATCHED AND u.id = 1 THEN UPDATE SET deleted_at = now() WHEN MATCHED THEN UPDATE SET name = i.name; SELECT id, name FROM users WHERE users.deleted_at IS NULL ORDER BY id;
-- tag: MERGE 2, SELECT 2
-- rows:
-- 2 | ink
-- 3 | cid

-- title: a deleted source row is not there
-- since: 15
MERGE INTO items i USING users ON users.id = i.id + 2 WHEN MATCHED THEN UPDATE SET name = users.name WHEN NOT MATCHED THEN INSERT VALUES (users.id + 50, users.name); SELECT id, name FROM items ORDER BY id;
-- rewritten:
MERGE INTO items i USING (SELECT * FROM users WHERE users.deleted_at IS NULL) AS users ON users.id = i.id + 2 WHEN MATCHED THEN UPDATE SET name = users.name WHEN NOT MATCHED THEN INSERT VALUES (users.id + 50, users.name); SELECT id, name FROM items ORDER BY id;
-- tag: MERGE 3, SELECT 4
-- rows:
-- 1 | cid
-- 2 | ink
-- 51 | ann
-- 52 | bob

-- title: a joined source
-- since: 15
MERGE INTO items i USING users u JOIN posts p ON p.user_id = u.id ON p.id = i.id + 9 WHEN MATCHED THEN UPDATE SET name = p.title; SELECT id, name FROM items ORDER BY id;
-- rewritten:
MERGE INTO items i USING (SELECT * FROM users u WHERE u.deleted_at IS NULL) u JOIN (SELECT * FROM posts p WHERE NOT p.deleted) p ON p.user_id = u.id ON p.id = i.id + 9 WHEN MATCHED THEN UPDATE SET name = p.title; SELECT id, name FROM items ORDER BY id;
-- tag: MERGE 1, SELECT 2
-- rows:
-- 1 | ann one
-- 2 | ink

-- title: case in the conditions of merge
-- since: 15
MERGE INTO users u USING items i ON CASE WHEN i.id = u.id THEN true ELSE false END WHEN MATCHED AND CASE WHEN u.id = 1 THEN true END THEN UPDATE SET name = CASE WHEN u.id = 1 THEN 'one' ELSE 'other' END WHEN MATCHED THEN DO NOTHING; SELECT id, name FROM users ORDER BY id;
-- rewritten:
MERGE INTO users u USING items i ON u.deleted_at IS NULL AND (CASE WHEN i.id = u.id THEN true ELSE false END) WHEN MATCHED AND CASE WHEN u.id = 1 THEN true END THEN UPDATE SET name = CASE WHEN u.id = 1 THEN 'one' ELSE 'other' END WHEN MATCHED THEN DO NOTHING; SELECT id, name FROM users WHERE users.deleted_at IS NULL ORDER BY id;
-- tag: MERGE 1, SELECT 3
-- rows:
-- 1 | one
-- 2 | bob
-- 3 | cid

-- title: subqueries in the arms of merge
-- since: 15
MERGE INTO items i USING (SELECT count(*)::int AS n FROM users) s ON i.id = s.n WHEN NOT MATCHED THEN INSERT VALUES (99, (SELECT max(name) FROM users)); SELECT id, name FROM items ORDER BY id;
-- rewritten:
MERGE INTO items i USING (SELECT count(*)::int AS n FROM users WHERE users.deleted_at IS NULL) s ON i.id = s.n WHEN NOT MATCHED THEN INSERT VALUES (99, (SELECT max(name) FROM users WHERE users.deleted_at IS NULL)); SELECT id, name FROM items ORDER BY id;
-- tag: MERGE 1, SELECT 3
-- rows:
-- 1 | pen
-- 2 | ink
-- 99 | cid

-- title: merge in a with query
-- since: 15
WITH s AS (SELECT id FROM users) MERGE INTO items i USING s ON s.id = i.id WHEN MATCHED THEN UPDATE SET name = 'x' WHEN NOT MATCHED THEN INSERT VALUES (s.id, 'y'); SELECT id, name FROM items ORDER BY id;
-- rewritten:
WITH s AS (SELECT id FROM users WHERE users.deleted_at IS NULL) MERGE INTO items i USING s ON s.id = i.id WHEN MATCHED THEN UPDATE SET name = 'x' WHEN NOT MATCHED THEN INSERT VALUES (s.id, 'y'); SELECT id, name FROM items ORDER BY id;
-- tag: MERGE 3, SELECT 3
-- rows:
-- 1 | x
-- 2 | x
-- 3 | y
