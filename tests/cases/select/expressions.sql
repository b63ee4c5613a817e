-- title: a subquery in the select list
SELECT (SELECT count(*) FROM users);
-- rewritten:
SELECT (SELECT count(*) FROM users WHERE users.deleted_at IS NULL);
-- rows:
-- 3

-- title: a correlated subquery in the select list
SELECT i.id, (SELECT count(*) FROM users u WHERE u.id = i.id) FROM items i;
-- rewritten:
SELECT i.id, (SELECT count(*) FROM users u WHERE u.deleted_at IS NULL AND (u.id = i.id)) FROM items i;
-- rows:
-- 1 | 1
-- 2 | 1

-- title: a subquery inside case
SELECT CASE WHEN EXISTS (SELECT FROM users WHERE id = 4) THEN 'there' ELSE 'gone' END;
-- rewritten:
SELECT CASE WHEN EXISTS (SELECT FROM users WHERE users.deleted_at IS NULL AND (id = 4)) THEN 'there' ELSE 'gone' END;
-- rows:
-- gone

-- title: a subquery inside coalesce
SELECT coalesce((SELECT name FROM users WHERE id = 4), 'nobody');
-- rewritten:
SELECT coalesce((SELECT name FROM users WHERE users.deleted_at IS NULL AND (id = 4)), 'nobody');
-- rows:
-- nobody

-- title: an array subquery
SELECT ARRAY(SELECT id FROM users ORDER BY id);
-- rewritten:
SELECT ARRAY(SELECT id FROM users WHERE users.deleted_at IS NULL ORDER BY id);
-- rows:
-- {1,2,3}

-- title: a subquery in order by
SELECT id FROM items ORDER BY (SELECT count(*) FROM users), id;
-- rewritten:
SELECT id FROM items ORDER BY (SELECT count(*) FROM users WHERE users.deleted_at IS NULL), id;
-- rows:
-- 1
-- 2

-- title: a subquery in limit
SELECT id FROM items ORDER BY id LIMIT (SELECT count(*) - 2 FROM users);
-- rewritten:
SELECT id FROM items ORDER BY id LIMIT (SELECT count(*) - 2 FROM users WHERE users.deleted_at IS NULL);
-- rows:
-- 1

-- title: a subquery in group by
SELECT (SELECT count(*) FROM users), count(*) FROM items GROUP BY (SELECT count(*) FROM users);
-- rewritten:
SELECT (SELECT count(*) FROM users WHERE users.deleted_at IS NULL), count(*) FROM items GROUP BY (SELECT count(*) FROM users WHERE users.deleted_at IS NULL);
-- rows:
-- 3 | 2

-- title: a subquery in having
SELECT count(*) FROM items HAVING count(*) < (SELECT count(*) FROM users);
-- rewritten:
SELECT count(*) FROM items HAVING count(*) < (SELECT count(*) FROM users WHERE users.deleted_at IS NULL);
-- rows:
-- 2

-- title: a subquery in a function argument
SELECT abs((SELECT -count(*) FROM users));
-- rewritten:
SELECT abs((SELECT -count(*) FROM users WHERE users.deleted_at IS NULL));
-- rows:
-- 3

-- title: a subquery in values
VALUES ((SELECT count(*) FROM users)), (0);
-- rewritten:
VALUES ((SELECT count(*) FROM users WHERE users.deleted_at IS NULL)), (0);
-- rows:
-- 0
-- 3

-- title: interval as a column name does not hide the table
SELECT id, extract(day FROM interval '2 days') FROM users WHERE id = 1;
-- rewritten:
SELECT id, extract(day FROM interval '2 days') FROM users WHERE users.deleted_at IS NULL AND (id = 1);
-- rows:
-- 1 | 2

-- title: is distinct from binds before the predicate
SELECT id FROM users WHERE email IS DISTINCT FROM 'ann@example.com';
-- rewritten:
SELECT id FROM users WHERE users.deleted_at IS NULL AND (email IS DISTINCT FROM 'ann@example.com');
-- rows:
-- 2
-- 3

-- title: a dollar quoted string that names a table stays a string
SELECT $$FROM users$$, id FROM users WHERE id = 1;
-- rewritten:
SELECT $$FROM users$$, id FROM users WHERE users.deleted_at IS NULL AND (id = 1);
-- rows:
-- FROM users | 1

-- title: an escape string that names a table stays a string
SELECT E'it\'s users', id FROM users WHERE id = 1;
-- rewritten:
SELECT E'it\'s users', id FROM users WHERE users.deleted_at IS NULL AND (id = 1);
-- rows:
-- it's users | 1

-- title: a set operation inside exists
SELECT EXISTS (SELECT id FROM users WHERE id = 4 UNION SELECT id FROM posts WHERE id = 11);
-- rewritten:
SELECT EXISTS (SELECT id FROM users WHERE users.deleted_at IS NULL AND (id = 4) UNION SELECT id FROM posts WHERE NOT posts.deleted AND (id = 11));
-- rows:
-- f

-- title: a column called as, behind a dot
SELECT users.as FROM users WHERE id = 1;
-- rewritten:
SELECT users.as FROM users WHERE users.deleted_at IS NULL AND (id = 1);
-- error: 42703
