-- What MERGE learned in PostgreSQL 17. Blessed with a server that knows it.

-- title: a deleted target row is not one that has no source
-- since: 17
MERGE INTO users u USING (VALUES (1)) v (id) ON v.id = u.id WHEN NOT MATCHED BY SOURCE THEN UPDATE SET name = 'lone'; SELECT id, name FROM users ORDER BY id;
-- rewritten:
MERGE INTO users u USING (VALUES (1)) v (id) ON u.deleted_at IS NULL AND (v.id = u.id) WHEN NOT MATCHED BY SOURCE AND u.deleted_at IS NULL THEN UPDATE SET name = 'lone'; SELECT id, name FROM users WHERE users.deleted_at IS NULL ORDER BY id;
-- tag: MERGE 2, SELECT 3
-- rows:
-- 1 | ann
-- 2 | lone
-- 3 | lone

-- title: merge deletes live rows without a source
-- since: 17
MERGE INTO posts p USING items i ON i.id + 9 = p.id WHEN NOT MATCHED BY SOURCE THEN DELETE; SELECT id FROM posts ORDER BY id;
-- rewritten:
MERGE INTO posts p USING items i ON NOT p.deleted AND (i.id + 9 = p.id) WHEN NOT MATCHED BY SOURCE AND NOT p.deleted THEN UPDATE SET deleted = true; SELECT id FROM posts WHERE NOT posts.deleted ORDER BY id;
-- tag: MERGE 3, SELECT 1
-- rows:
-- 10

-- title: merge returns what it did to live rows
-- since: 17
MERGE INTO posts p USING (VALUES (10), (11), (12)) v (id) ON v.id = p.id WHEN MATCHED THEN UPDATE SET title = 'hit' WHEN NOT MATCHED THEN INSERT (id, title) VALUES (v.id + 100, 'new') RETURNING merge_action(), v.id, p.title;
-- rewritten:
MERGE INTO posts p USING (VALUES (10), (11), (12)) v (id) ON NOT p.deleted AND (v.id = p.id) WHEN MATCHED THEN UPDATE SET title = 'hit' WHEN NOT MATCHED THEN INSERT (id, title) VALUES (v.id + 100, 'new') RETURNING merge_action(), v.id, p.title;
-- tag: MERGE 3
-- rows:
-- INSERT | 11 | new
-- UPDATE | 10 | hit
-- UPDATE | 12 | hit

-- title: a merge with a deletion and returning
-- since: 17
MERGE INTO posts p USING (VALUES (10), (12)) v (id) ON v.id = p.id WHEN MATCHED AND p.id = 10 THEN DELETE WHEN MATCHED THEN UPDATE SET title = 'hit' RETURNING merge_action(), p.id, p.title;
-- refused: merge 0A000

-- title: a merge in a with query returns live rows
-- since: 17
WITH m AS (MERGE INTO users u USING posts p ON p.user_id = u.id AND p.id = 10 WHEN MATCHED THEN UPDATE SET name = p.title RETURNING u.id, u.name) SELECT * FROM m;
-- rewritten:
WITH m AS (MERGE INTO users u USING (SELECT * FROM posts p WHERE NOT p.deleted) p ON u.deleted_at IS NULL AND (p.user_id = u.id AND p.id = 10) WHEN MATCHED THEN UPDATE SET name = p.title RETURNING u.id, u.name) SELECT * FROM m;
-- rows:
-- 1 | ann one
