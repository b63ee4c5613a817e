-- title: both arms of a union
SELECT id FROM users UNION ALL SELECT id FROM posts;
-- rewritten:
SELECT id FROM users WHERE users.deleted_at IS NULL UNION ALL SELECT id FROM posts WHERE NOT posts.deleted;
-- rows:
-- 1
-- 10
-- 12
-- 13
-- 14
-- 2
-- 3

-- title: except keeps its meaning
SELECT id FROM users EXCEPT SELECT user_id FROM posts;
-- rewritten:
SELECT id FROM users WHERE users.deleted_at IS NULL EXCEPT SELECT user_id FROM posts WHERE NOT posts.deleted;
-- rows:
-- 3

-- title: intersect of two soft tables
SELECT id FROM users INTERSECT SELECT user_id FROM posts;
-- rewritten:
SELECT id FROM users WHERE users.deleted_at IS NULL INTERSECT SELECT user_id FROM posts WHERE NOT posts.deleted;
-- rows:
-- 1
-- 2

-- title: nested parentheses around the arms
(SELECT id FROM users ORDER BY id LIMIT 1) UNION ALL ((SELECT id FROM posts) EXCEPT SELECT 10);
-- rewritten:
(SELECT id FROM users WHERE users.deleted_at IS NULL ORDER BY id LIMIT 1) UNION ALL ((SELECT id FROM posts WHERE NOT posts.deleted) EXCEPT SELECT 10);
-- rows:
-- 1
-- 13
-- 12
-- 14

-- title: order by of the whole union
SELECT id FROM users UNION SELECT id FROM items ORDER BY 1 DESC LIMIT 3;
-- rewritten:
SELECT id FROM users WHERE users.deleted_at IS NULL UNION SELECT id FROM items ORDER BY 1 DESC LIMIT 3;
-- rows:
-- 3
-- 2
-- 1

-- title: only one arm is registered
SELECT id FROM items UNION SELECT id FROM users;
-- rewritten:
SELECT id FROM items UNION SELECT id FROM users WHERE users.deleted_at IS NULL;
-- rows:
-- 1
-- 2
-- 3

-- title: a table command as an arm
TABLE users UNION ALL TABLE users;
-- rewritten:
SELECT * FROM users WHERE users.deleted_at IS NULL UNION ALL SELECT * FROM users WHERE users.deleted_at IS NULL;
-- rows:
-- 1 | ann | ann@example.com | null
-- 1 | ann | ann@example.com | null
-- 2 | bob | bob@example.com | null
-- 2 | bob | bob@example.com | null
-- 3 | cid | null | null
-- 3 | cid | null | null
