-- title: in with a subquery
SELECT id FROM posts WHERE user_id IN (SELECT id FROM users);
-- rewritten:
SELECT id FROM posts WHERE NOT posts.deleted AND (user_id IN (SELECT id FROM users WHERE users.deleted_at IS NULL));
-- rows:
-- 10
-- 12

-- title: not in with a subquery
SELECT id FROM items WHERE id NOT IN (SELECT id FROM users WHERE id > 1);
-- rewritten:
SELECT id FROM items WHERE id NOT IN (SELECT id FROM users WHERE users.deleted_at IS NULL AND (id > 1));
-- rows:
-- 1

-- title: exists with correlation
SELECT id FROM users u WHERE EXISTS (SELECT 1 FROM posts p WHERE p.user_id = u.id);
-- rewritten:
SELECT id FROM users u WHERE u.deleted_at IS NULL AND (EXISTS (SELECT 1 FROM posts p WHERE NOT p.deleted AND (p.user_id = u.id)));
-- rows:
-- 1
-- 2

-- title: not exists with correlation
SELECT id FROM users u WHERE NOT EXISTS (SELECT FROM posts p WHERE p.user_id = u.id);
-- rewritten:
SELECT id FROM users u WHERE u.deleted_at IS NULL AND (NOT EXISTS (SELECT FROM posts p WHERE NOT p.deleted AND (p.user_id = u.id)));
-- rows:
-- 3

-- title: any with a subquery
SELECT id FROM items WHERE id = ANY (SELECT id FROM users);
-- rewritten:
SELECT id FROM items WHERE id = ANY (SELECT id FROM users WHERE users.deleted_at IS NULL);
-- rows:
-- 1
-- 2

-- title: all with a subquery
SELECT id FROM items WHERE id < ALL (SELECT id + 1 FROM users);
-- rewritten:
SELECT id FROM items WHERE id < ALL (SELECT id + 1 FROM users WHERE users.deleted_at IS NULL);
-- rows:
-- 1

-- title: a derived table
SELECT d.id FROM (SELECT id FROM users) d WHERE d.id > 1;
-- rewritten:
SELECT d.id FROM (SELECT id FROM users WHERE users.deleted_at IS NULL) d WHERE d.id > 1;
-- rows:
-- 2
-- 3

-- title: derived tables inside derived tables
SELECT * FROM (SELECT * FROM (SELECT id FROM users WHERE id > 0) a) b;
-- rewritten:
SELECT * FROM (SELECT * FROM (SELECT id FROM users WHERE users.deleted_at IS NULL AND (id > 0)) a) b;
-- rows:
-- 1
-- 2
-- 3

-- title: a row comparison with a subquery
SELECT id FROM posts WHERE (user_id, title) = (SELECT id, 'ann one' FROM users WHERE id = 1);
-- rewritten:
SELECT id FROM posts WHERE NOT posts.deleted AND ((user_id, title) = (SELECT id, 'ann one' FROM users WHERE users.deleted_at IS NULL AND (id = 1)));
-- rows:
-- 10

-- title: a subquery in the on condition
SELECT i.id, j.id FROM items i JOIN items j ON j.id = i.id AND i.id IN (SELECT id FROM users);
-- rewritten:
SELECT i.id, j.id FROM items i JOIN items j ON j.id = i.id AND i.id IN (SELECT id FROM users WHERE users.deleted_at IS NULL);
-- rows:
-- 1 | 1
-- 2 | 2

-- title: an outer reference of the same name
SELECT id FROM users WHERE id = (SELECT max(users.id) FROM users);
-- rewritten:
SELECT id FROM users WHERE users.deleted_at IS NULL AND (id = (SELECT max(users.id) FROM users WHERE users.deleted_at IS NULL));
-- rows:
-- 3

-- title: three levels down
SELECT id FROM items WHERE id IN (SELECT user_id FROM posts WHERE user_id IN (SELECT id FROM users WHERE id IN (SELECT user_id FROM orders)));
-- rewritten:
SELECT id FROM items WHERE id IN (SELECT user_id FROM posts WHERE NOT posts.deleted AND (user_id IN (SELECT id FROM users WHERE users.deleted_at IS NULL AND (id IN (SELECT user_id FROM orders)))));
-- rows:
-- 1
-- 2
