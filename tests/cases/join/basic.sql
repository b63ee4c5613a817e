-- title: an inner join hides both sides
SELECT u.id, p.id FROM users u JOIN posts p ON p.user_id = u.id;
-- rewritten:
SELECT u.id, p.id FROM users u JOIN posts p ON p.user_id = u.id WHERE u.deleted_at IS NULL AND NOT p.deleted;
-- rows:
-- 1 | 10
-- 2 | 12

-- title: a comma join hides both sides
SELECT u.id, p.id FROM users u, posts p WHERE p.user_id = u.id;
-- rewritten:
SELECT u.id, p.id FROM users u, posts p WHERE u.deleted_at IS NULL AND NOT p.deleted AND (p.user_id = u.id);
-- rows:
-- 1 | 10
-- 2 | 12

-- title: a cross join hides both sides
SELECT u.id, p.id FROM users u CROSS JOIN posts p;
-- rewritten:
SELECT u.id, p.id FROM users u CROSS JOIN posts p WHERE u.deleted_at IS NULL AND NOT p.deleted;
-- rows:
-- 1 | 10
-- 1 | 12
-- 1 | 13
-- 1 | 14
-- 2 | 10
-- 2 | 12
-- 2 | 13
-- 2 | 14
-- 3 | 10
-- 3 | 12
-- 3 | 13
-- 3 | 14

-- title: a left join keeps the left row when the right is deleted
SELECT u.id, p.id FROM users u LEFT JOIN posts p ON p.user_id = u.id;
-- rewritten:
SELECT u.id, p.id FROM users u LEFT JOIN posts p ON NOT p.deleted AND (p.user_id = u.id) WHERE u.deleted_at IS NULL;
-- rows:
-- 1 | 10
-- 2 | 12
-- 3 | null

-- title: a left join with the deleted side on the left
SELECT p.id, u.id FROM posts p LEFT JOIN users u ON u.id = p.user_id;
-- rewritten:
SELECT p.id, u.id FROM posts p LEFT JOIN users u ON u.deleted_at IS NULL AND (u.id = p.user_id) WHERE NOT p.deleted;
-- rows:
-- 10 | 1
-- 12 | 2
-- 13 | null
-- 14 | null

-- title: a right join keeps the right row
SELECT u.id, p.id FROM users u RIGHT JOIN posts p ON p.user_id = u.id;
-- rewritten:
SELECT u.id, p.id FROM users u RIGHT JOIN posts p ON u.deleted_at IS NULL AND (p.user_id = u.id) WHERE NOT p.deleted;
-- rows:
-- 1 | 10
-- 2 | 12
-- null | 13
-- null | 14

-- title: each side of a full join hides its own deleted rows
SELECT u.id, p.id FROM users u FULL JOIN posts p ON p.user_id = u.id;
-- rewritten:
SELECT u.id, p.id FROM (SELECT * FROM users u WHERE u.deleted_at IS NULL) u FULL JOIN (SELECT * FROM posts p WHERE NOT p.deleted) p ON p.user_id = u.id;
-- rows:
-- 1 | 10
-- 2 | 12
-- 3 | null
-- null | 13
-- null | 14

-- title: a full join without aliases keeps the table names
SELECT users.id, posts.id FROM users FULL JOIN posts ON posts.user_id = users.id;
-- rewritten:
SELECT users.id, posts.id FROM (SELECT * FROM users WHERE users.deleted_at IS NULL) AS users FULL JOIN (SELECT * FROM posts WHERE NOT posts.deleted) AS posts ON posts.user_id = users.id;
-- rows:
-- 1 | 10
-- 2 | 12
-- 3 | null
-- null | 13
-- null | 14

-- title: an or in the on condition is parenthesised
SELECT u.id, p.id FROM users u LEFT JOIN posts p ON p.user_id = u.id OR p.user_id IS NULL;
-- rewritten:
SELECT u.id, p.id FROM users u LEFT JOIN posts p ON NOT p.deleted AND (p.user_id = u.id OR p.user_id IS NULL) WHERE u.deleted_at IS NULL;
-- rows:
-- 1 | 10
-- 1 | 14
-- 2 | 12
-- 2 | 14
-- 3 | 14

-- title: an inner join using merges its column
SELECT id, u.name, n.body FROM users u JOIN notes n USING (id);
-- rewritten:
SELECT id, u.name, n.body FROM users u JOIN notes n USING (id) WHERE u.deleted_at IS NULL AND n.gone IS NOT TRUE;
-- rows:
-- 1 | ann | null is live
-- 2 | bob | false is live

-- title: a left join using keeps the merged column
SELECT id, name, body FROM users LEFT JOIN notes USING (id);
-- rewritten:
SELECT id, name, body FROM users LEFT JOIN (SELECT * FROM notes WHERE notes.gone IS NOT TRUE) AS notes USING (id) WHERE users.deleted_at IS NULL;
-- rows:
-- 1 | ann | null is live
-- 2 | bob | false is live
-- 3 | cid | null

-- title: a right join using keeps the merged column
SELECT id, name, body FROM users RIGHT JOIN notes USING (id);
-- rewritten:
SELECT id, name, body FROM (SELECT * FROM users WHERE users.deleted_at IS NULL) AS users RIGHT JOIN notes USING (id) WHERE notes.gone IS NOT TRUE;
-- rows:
-- 1 | ann | null is live
-- 2 | bob | false is live

-- title: a full join using keeps the merged column
SELECT id, name, body FROM users FULL JOIN notes USING (id);
-- rewritten:
SELECT id, name, body FROM (SELECT * FROM users WHERE users.deleted_at IS NULL) AS users FULL JOIN (SELECT * FROM notes WHERE notes.gone IS NOT TRUE) AS notes USING (id);
-- rows:
-- 1 | ann | null is live
-- 2 | bob | false is live
-- 3 | cid | null

-- title: a using alias
SELECT k.id FROM users JOIN notes USING (id) AS k;
-- rewritten:
SELECT k.id FROM users JOIN notes USING (id) AS k WHERE users.deleted_at IS NULL AND notes.gone IS NOT TRUE;
-- rows:
-- 1
-- 2

-- title: star after using has the merged column once
SELECT * FROM items LEFT JOIN notes USING (id);
-- rewritten:
SELECT * FROM items LEFT JOIN (SELECT * FROM notes WHERE notes.gone IS NOT TRUE) AS notes USING (id);
-- rows:
-- 1 | pen | null | 1 | null is live | null
-- 2 | ink | 2026-01-01 00:00:00+00 | 1 | false is live | f

-- title: a natural join on the shared column
SELECT id, name, cents FROM (SELECT id, name FROM users) u NATURAL LEFT JOIN (SELECT user_id AS id, cents FROM billing.invoices) b;
-- rewritten:
SELECT id, name, cents FROM (SELECT id, name FROM users WHERE users.deleted_at IS NULL) u NATURAL LEFT JOIN (SELECT user_id AS id, cents FROM billing.invoices WHERE billing.invoices.deleted_at IS NULL) b;
-- rows:
-- 1 | ann | 50
-- 2 | bob | 70
-- 3 | cid | null

-- title: a natural left join of the tables themselves
SELECT count(*) FROM notes NATURAL LEFT JOIN posts;
-- rewritten:
SELECT count(*) FROM notes NATURAL LEFT JOIN (SELECT * FROM posts WHERE NOT posts.deleted) AS posts WHERE notes.gone IS NOT TRUE;
-- rows:
-- 2

-- title: a self join hides both references
SELECT a.id, b.id FROM users a LEFT JOIN users b ON b.id = a.id + 1;
-- rewritten:
SELECT a.id, b.id FROM users a LEFT JOIN users b ON b.deleted_at IS NULL AND (b.id = a.id + 1) WHERE a.deleted_at IS NULL;
-- rows:
-- 1 | 2
-- 2 | 3
-- 3 | null

-- title: three tables, outer in outer
SELECT u.id, p.id, n.id FROM users u LEFT JOIN posts p ON p.user_id = u.id LEFT JOIN notes n ON n.id = p.id - 9;
-- rewritten:
SELECT u.id, p.id, n.id FROM users u LEFT JOIN posts p ON NOT p.deleted AND (p.user_id = u.id) LEFT JOIN notes n ON n.gone IS NOT TRUE AND (n.id = p.id - 9) WHERE u.deleted_at IS NULL;
-- rows:
-- 1 | 10 | 1
-- 2 | 12 | null
-- 3 | null | null

-- title: a parenthesised join on the nullable side
SELECT u.id, p.id, n.id FROM users u LEFT JOIN (posts p JOIN notes n ON n.id = p.id - 9) ON p.user_id = u.id;
-- rewritten:
SELECT u.id, p.id, n.id FROM users u LEFT JOIN (posts p JOIN notes n ON n.id = p.id - 9) ON NOT p.deleted AND n.gone IS NOT TRUE AND (p.user_id = u.id) WHERE u.deleted_at IS NULL;
-- rows:
-- 1 | 10 | 1
-- 2 | null | null
-- 3 | null | null

-- title: a parenthesised join with an alias
SELECT j.name FROM (users u LEFT JOIN seats s ON s.id = u.id) AS j;
-- rewritten:
SELECT j.name FROM ((SELECT * FROM users u WHERE u.deleted_at IS NULL) u LEFT JOIN seats s ON (s.state <> 'void') AND (s.id = u.id)) AS j;
-- rows:
-- ann
-- bob
-- cid

-- title: a left join under a right join
SELECT u.id, p.id, i.id FROM users u LEFT JOIN posts p ON p.user_id = u.id RIGHT JOIN items i ON i.id = u.id;
-- rewritten:
SELECT u.id, p.id, i.id FROM users u LEFT JOIN posts p ON NOT p.deleted AND (p.user_id = u.id) RIGHT JOIN items i ON u.deleted_at IS NULL AND (i.id = u.id);
-- rows:
-- 1 | 10 | 1
-- 2 | 12 | 2

-- title: a full join in the middle
SELECT u.id, p.id, i.id FROM users u FULL JOIN posts p ON p.user_id = u.id JOIN items i ON i.id = u.id;
-- rewritten:
SELECT u.id, p.id, i.id FROM (SELECT * FROM users u WHERE u.deleted_at IS NULL) u FULL JOIN (SELECT * FROM posts p WHERE NOT p.deleted) p ON p.user_id = u.id JOIN items i ON i.id = u.id;
-- rows:
-- 1 | 10 | 1
-- 2 | 12 | 2

-- title: the null row of an outer join is kept by is null
SELECT u.id FROM users u LEFT JOIN posts p ON p.user_id = u.id WHERE p.id IS NULL;
-- rewritten:
SELECT u.id FROM users u LEFT JOIN posts p ON NOT p.deleted AND (p.user_id = u.id) WHERE u.deleted_at IS NULL AND (p.id IS NULL);
-- rows:
-- 3

-- title: a registered and an unregistered table
SELECT i.id, u.id FROM items i LEFT JOIN users u ON u.id = i.id;
-- rewritten:
SELECT i.id, u.id FROM items i LEFT JOIN users u ON u.deleted_at IS NULL AND (u.id = i.id);
-- rows:
-- 1 | 1
-- 2 | 2

-- title: an archive table joined to a soft one
SELECT o.id, u.name FROM orders o LEFT JOIN users u ON u.id = o.user_id;
-- rewritten:
SELECT o.id, u.name FROM orders o LEFT JOIN users u ON u.deleted_at IS NULL AND (u.id = o.user_id);
-- rows:
-- 100 | ann
-- 101 | bob
-- 102 | ann
-- 103 | null

-- title: a lateral subquery sees live rows
SELECT u.id, l.id FROM users u LEFT JOIN LATERAL (SELECT id FROM posts p WHERE p.user_id = u.id ORDER BY id DESC LIMIT 1) l ON true;
-- rewritten:
SELECT u.id, l.id FROM users u LEFT JOIN LATERAL (SELECT id FROM posts p WHERE NOT p.deleted AND (p.user_id = u.id) ORDER BY id DESC LIMIT 1) l ON true WHERE u.deleted_at IS NULL;
-- rows:
-- 1 | 10
-- 2 | 12
-- 3 | null

-- title: a lateral reference inside a function
SELECT u.id, g FROM users u, LATERAL generate_series(1, u.id) g WHERE u.id < 3;
-- rewritten:
SELECT u.id, g FROM users u, LATERAL generate_series(1, u.id) g WHERE u.deleted_at IS NULL AND (u.id < 3);
-- rows:
-- 1 | 1
-- 2 | 1
-- 2 | 2

-- title: partitions joined on the nullable side
SELECT u.id, m.id FROM users u LEFT JOIN measurements m ON m.id = u.id;
-- rewritten:
SELECT u.id, m.id FROM users u LEFT JOIN measurements m ON m.deleted_at IS NULL AND (m.id = u.id) WHERE u.deleted_at IS NULL;
-- rows:
-- 1 | 1
-- 2 | null
-- 3 | 3

-- title: a join on true
SELECT count(*) FROM users LEFT JOIN seats ON true;
-- rewritten:
SELECT count(*) FROM users LEFT JOIN seats ON (seats.state <> 'void') AND (true) WHERE users.deleted_at IS NULL;
-- rows:
-- 9

-- title: the alias of one table is the name of another
SELECT posts.id FROM users posts WHERE posts.id > 0;
-- rewritten:
SELECT posts.id FROM users posts WHERE posts.deleted_at IS NULL AND (posts.id > 0);
-- rows:
-- 1
-- 2
-- 3

-- title: a left join whose on has its own or and and
SELECT u.id, p.id FROM users u LEFT JOIN posts p ON p.user_id = u.id AND p.title LIKE 'ann%' OR p.id = 14 WHERE u.id = 1 OR u.id = 4;
-- rewritten:
SELECT u.id, p.id FROM users u LEFT JOIN posts p ON NOT p.deleted AND (p.user_id = u.id AND p.title LIKE 'ann%' OR p.id = 14) WHERE u.deleted_at IS NULL AND (u.id = 1 OR u.id = 4);
-- rows:
-- 1 | 10
-- 1 | 14

-- title: two full joins in a row
SELECT u.id, p.id, s.id FROM users u FULL JOIN posts p ON p.user_id = u.id FULL JOIN seats s ON s.id = u.id;
-- rewritten:
SELECT u.id, p.id, s.id FROM (SELECT * FROM users u WHERE u.deleted_at IS NULL) u FULL JOIN (SELECT * FROM posts p WHERE NOT p.deleted) p ON p.user_id = u.id FULL JOIN (SELECT * FROM seats s WHERE (s.state <> 'void')) s ON s.id = u.id;
-- rows:
-- 1 | 10 | 1
-- 2 | 12 | 2
-- 3 | null | null
-- null | 13 | null
-- null | 14 | null
-- null | null | 4

-- title: a right join after a left join
SELECT u.id, p.id, s.id FROM users u LEFT JOIN posts p ON p.user_id = u.id RIGHT JOIN seats s ON s.id = p.id - 9;
-- rewritten:
SELECT u.id, p.id, s.id FROM users u LEFT JOIN posts p ON NOT p.deleted AND (p.user_id = u.id) RIGHT JOIN seats s ON u.deleted_at IS NULL AND (s.id = p.id - 9) WHERE (s.state <> 'void');
-- rows:
-- 1 | 10 | 1
-- null | null | 2
-- null | null | 4

-- title: a parenthesised right join on the nullable side
SELECT i.id, u.id, p.id FROM items i LEFT JOIN (users u RIGHT JOIN posts p ON p.user_id = u.id) ON i.id = u.id;
-- rewritten:
SELECT i.id, u.id, p.id FROM items i LEFT JOIN (users u RIGHT JOIN posts p ON u.deleted_at IS NULL AND (p.user_id = u.id)) ON NOT p.deleted AND (i.id = u.id);
-- rows:
-- 1 | 1 | 10
-- 2 | 2 | 12

-- title: a parenthesised full join inside a left join
SELECT i.id, u.id, p.id FROM items i LEFT JOIN (users u FULL JOIN posts p ON p.user_id = u.id) ON i.id = u.id;
-- rewritten:
SELECT i.id, u.id, p.id FROM items i LEFT JOIN ((SELECT * FROM users u WHERE u.deleted_at IS NULL) u FULL JOIN (SELECT * FROM posts p WHERE NOT p.deleted) p ON p.user_id = u.id) ON i.id = u.id;
-- rows:
-- 1 | 1 | 10
-- 2 | 2 | 12

-- title: a natural full join of two soft tables
SELECT * FROM users NATURAL FULL JOIN notes;
-- rewritten:
SELECT * FROM (SELECT * FROM users WHERE users.deleted_at IS NULL) AS users NATURAL FULL JOIN (SELECT * FROM notes WHERE notes.gone IS NOT TRUE) AS notes;
-- rows:
-- 1 | ann | ann@example.com | null | 1 | null is live | null
-- 2 | bob | bob@example.com | null | 1 | false is live | f
-- 3 | cid | null | null | null | null | null

-- title: using with three tables
SELECT id, u.name, n.body, s.label FROM users u LEFT JOIN notes n USING (id) LEFT JOIN seats s USING (id);
-- rewritten:
SELECT id, u.name, n.body, s.label FROM users u LEFT JOIN (SELECT * FROM notes n WHERE n.gone IS NOT TRUE) n USING (id) LEFT JOIN (SELECT * FROM seats s WHERE (s.state <> 'void')) s USING (id) WHERE u.deleted_at IS NULL;
-- rows:
-- 1 | ann | null is live | A1
-- 2 | bob | false is live | A2
-- 3 | cid | null | null

-- title: a join of a soft table with itself through using
SELECT id FROM users a JOIN users b USING (id) LEFT JOIN users c USING (id);
-- rewritten:
SELECT id FROM users a JOIN users b USING (id) LEFT JOIN (SELECT * FROM users c WHERE c.deleted_at IS NULL) c USING (id) WHERE a.deleted_at IS NULL AND b.deleted_at IS NULL;
-- rows:
-- 1
-- 2
-- 3

-- title: a lateral join to a soft table with an outer reference in on
SELECT i.id, l.id FROM items i LEFT JOIN LATERAL (SELECT u.id FROM users u WHERE u.id >= i.id) l ON l.id > 1;
-- rewritten:
SELECT i.id, l.id FROM items i LEFT JOIN LATERAL (SELECT u.id FROM users u WHERE u.deleted_at IS NULL AND (u.id >= i.id)) l ON l.id > 1;
-- rows:
-- 1 | 2
-- 1 | 3
-- 2 | 2
-- 2 | 3

-- title: an aliased partition on the nullable side
SELECT i.id, m.id FROM items i LEFT JOIN measurements_2025 AS m ON m.id = i.id;
-- rewritten:
SELECT i.id, m.id FROM items i LEFT JOIN measurements_2025 AS m ON m.deleted_at IS NULL AND (m.id = i.id);
-- rows:
-- 1 | 1
-- 2 | null
