-- title: a plain select sees live rows only
SELECT id, name FROM users;
-- rewritten:
SELECT id, name FROM users WHERE users.deleted_at IS NULL;
-- rows:
-- 1 | ann
-- 2 | bob
-- 3 | cid

-- title: star keeps every column
SELECT * FROM users;
-- rewritten:
SELECT * FROM users WHERE users.deleted_at IS NULL;
-- rows:
-- 1 | ann | ann@example.com | null
-- 2 | bob | bob@example.com | null
-- 3 | cid | null | null

-- title: a where keeps its own condition, parenthesised
SELECT id FROM users WHERE id = 4 OR name = 'ann';
-- rewritten:
SELECT id FROM users WHERE users.deleted_at IS NULL AND (id = 4 OR name = 'ann');
-- rows:
-- 1

-- title: an alias carries the predicate
SELECT u.id FROM users AS u WHERE u.id > 0;
-- rewritten:
SELECT u.id FROM users AS u WHERE u.deleted_at IS NULL AND (u.id > 0);
-- rows:
-- 1
-- 2
-- 3

-- title: an alias that needs quoting carries the predicate
SELECT "the users".id FROM users "the users";
-- rewritten:
SELECT "the users".id FROM users "the users" WHERE "the users".deleted_at IS NULL;
-- rows:
-- 1
-- 2
-- 3

-- title: a column alias list hides the inner names
SELECT a, b FROM users AS u (a, b, c, d);
-- rewritten:
SELECT a, b FROM (SELECT * FROM users u WHERE u.deleted_at IS NULL) AS u (a, b, c, d);
-- rows:
-- 1 | ann
-- 2 | bob
-- 3 | cid

-- title: a boolean marker is negated
SELECT id FROM posts;
-- rewritten:
SELECT id FROM posts WHERE NOT posts.deleted;
-- rows:
-- 10
-- 12
-- 13
-- 14

-- title: a nullable boolean marker counts null as live
SELECT id FROM notes;
-- rewritten:
SELECT id FROM notes WHERE notes.gone IS NOT TRUE;
-- rows:
-- 1
-- 2

-- title: a predicate of its own decides what is live
SELECT id, label FROM seats;
-- rewritten:
SELECT id, label FROM seats WHERE (seats.state <> 'void');
-- rows:
-- 1 | A1
-- 2 | A2
-- 4 | B1

-- title: only the live rows are counted
SELECT count(*) FROM users;
-- rewritten:
SELECT count(*) FROM users WHERE users.deleted_at IS NULL;
-- rows:
-- 3

-- title: aggregates see live rows
SELECT min(id), max(id), sum(id), count(email) FROM users;
-- rewritten:
SELECT min(id), max(id), sum(id), count(email) FROM users WHERE users.deleted_at IS NULL;
-- rows:
-- 1 | 3 | 6 | 2

-- title: group by and having stay behind the predicate
SELECT user_id, count(*) FROM posts GROUP BY user_id HAVING count(*) >= 1;
-- rewritten:
SELECT user_id, count(*) FROM posts WHERE NOT posts.deleted GROUP BY user_id HAVING count(*) >= 1;
-- rows:
-- 1 | 1
-- 2 | 1
-- 4 | 1
-- null | 1

-- title: group by the primary key still covers every column
SELECT u.id, u.name, u.email FROM users u GROUP BY u.id;
-- rewritten:
SELECT u.id, u.name, u.email FROM users u WHERE u.deleted_at IS NULL GROUP BY u.id;
-- rows:
-- 1 | ann | ann@example.com
-- 2 | bob | bob@example.com
-- 3 | cid | null

-- title: order by, limit and offset stay behind the predicate
SELECT id FROM users ORDER BY id DESC LIMIT 2 OFFSET 1;
-- rewritten:
SELECT id FROM users WHERE users.deleted_at IS NULL ORDER BY id DESC LIMIT 2 OFFSET 1;
-- rows:
-- 2
-- 1

-- title: fetch first with ties stays behind the predicate
SELECT id FROM users ORDER BY id FETCH FIRST 2 ROWS WITH TIES;
-- rewritten:
SELECT id FROM users WHERE users.deleted_at IS NULL ORDER BY id FETCH FIRST 2 ROWS WITH TIES;
-- rows:
-- 1
-- 2

-- title: distinct on keeps its order
SELECT DISTINCT ON (user_id) user_id, id FROM posts ORDER BY user_id, id DESC;
-- rewritten:
SELECT DISTINCT ON (user_id) user_id, id FROM posts WHERE NOT posts.deleted ORDER BY user_id, id DESC;
-- rows:
-- 1 | 10
-- 2 | 12
-- 4 | 13
-- null | 14

-- title: a window runs over live rows
SELECT id, row_number() OVER w, lead(id) OVER w FROM users WINDOW w AS (ORDER BY id) ORDER BY id;
-- rewritten:
SELECT id, row_number() OVER w, lead(id) OVER w FROM users WHERE users.deleted_at IS NULL WINDOW w AS (ORDER BY id) ORDER BY id;
-- rows:
-- 1 | 1 | 2
-- 2 | 2 | 3
-- 3 | 3 | null

-- title: a filter clause stands beside the predicate
SELECT count(*) FILTER (WHERE email IS NULL) FROM users;
-- rewritten:
SELECT count(*) FILTER (WHERE email IS NULL) FROM users WHERE users.deleted_at IS NULL;
-- rows:
-- 1

-- title: grouping sets over live rows
SELECT user_id, count(*) FROM posts GROUP BY GROUPING SETS ((user_id), ());
-- rewritten:
SELECT user_id, count(*) FROM posts WHERE NOT posts.deleted GROUP BY GROUPING SETS ((user_id), ());
-- rows:
-- 1 | 1
-- 2 | 1
-- 4 | 1
-- null | 1
-- null | 4

-- title: the table command reads live rows
TABLE users;
-- rewritten:
SELECT * FROM users WHERE users.deleted_at IS NULL;
-- rows:
-- 1 | ann | ann@example.com | null
-- 2 | bob | bob@example.com | null
-- 3 | cid | null | null

-- title: select without a select list
SELECT FROM users;
-- rewritten:
SELECT FROM users WHERE users.deleted_at IS NULL;
-- rows:
-- 
-- 
-- 

-- title: for update locks live rows
SELECT id FROM users WHERE id < 5 FOR UPDATE;
-- rewritten:
SELECT id FROM users WHERE users.deleted_at IS NULL AND (id < 5) FOR UPDATE;
-- rows:
-- 1
-- 2
-- 3

-- title: for update of an alias keeps the alias
SELECT u.id FROM users u JOIN items i ON i.id = u.id FOR UPDATE OF u;
-- rewritten:
SELECT u.id FROM users u JOIN items i ON i.id = u.id WHERE u.deleted_at IS NULL FOR UPDATE OF u;
-- rows:
-- 1
-- 2

-- title: a whole-row reference keeps its type
SELECT u FROM users u WHERE id = 1;
-- rewritten:
SELECT u FROM users u WHERE u.deleted_at IS NULL AND (id = 1);
-- rows:
-- (1,ann,ann@example.com,)

-- title: row_to_json of the whole row
SELECT row_to_json(u) FROM users u WHERE id = 1;
-- rewritten:
SELECT row_to_json(u) FROM users u WHERE u.deleted_at IS NULL AND (id = 1);
-- rows:
-- {"id":1,"name":"ann","email":"ann@example.com","deleted_at":null}

-- title: tablesample keeps its clause
SELECT id FROM users TABLESAMPLE BERNOULLI (100);
-- rewritten:
SELECT id FROM users TABLESAMPLE BERNOULLI (100) WHERE users.deleted_at IS NULL;
-- rows:
-- 1
-- 2
-- 3

-- title: only reads the table itself
SELECT id FROM ONLY users;
-- rewritten:
SELECT id FROM ONLY users WHERE users.deleted_at IS NULL;
-- rows:
-- 1
-- 2
-- 3

-- title: the old star spelling reads descendants
SELECT id FROM users *;
-- rewritten:
SELECT id FROM users * WHERE users.deleted_at IS NULL;
-- rows:
-- 1
-- 2
-- 3

-- title: a partitioned table hides deleted rows of every partition
SELECT id FROM measurements;
-- rewritten:
SELECT id FROM measurements WHERE measurements.deleted_at IS NULL;
-- rows:
-- 1
-- 3

-- title: a partition read by its own name hides its deleted rows
SELECT id FROM measurements_2025;
-- rewritten:
SELECT id FROM measurements_2025 WHERE measurements_2025.deleted_at IS NULL;
-- rows:
-- 1

-- title: a table of another schema
SELECT id FROM billing.invoices;
-- rewritten:
SELECT id FROM billing.invoices WHERE billing.invoices.deleted_at IS NULL;
-- rows:
-- 1
-- 3

-- title: the marker can be read and is null
SELECT id, deleted_at FROM users ORDER BY id;
-- rewritten:
SELECT id, deleted_at FROM users WHERE users.deleted_at IS NULL ORDER BY id;
-- rows:
-- 1 | null
-- 2 | null
-- 3 | null

-- title: asking for deleted rows in scope live finds none
SELECT id FROM users WHERE deleted_at IS NOT NULL;
-- rewritten:
SELECT id FROM users WHERE users.deleted_at IS NULL AND (deleted_at IS NOT NULL);
-- rows:

-- title: a comment between the words stays where it was
SELECT /* which */ id -- one column
FROM users /* people */ WHERE id = 1;
-- rewritten:
SELECT /* which */ id -- one column
FROM users /* people */ WHERE users.deleted_at IS NULL AND (id = 1);
-- rows:
-- 1

-- title: the same table twice in a list
SELECT a.id, b.id FROM users a, users b WHERE a.id < b.id;
-- rewritten:
SELECT a.id, b.id FROM users a, users b WHERE a.deleted_at IS NULL AND b.deleted_at IS NULL AND (a.id < b.id);
-- rows:
-- 1 | 2
-- 1 | 3
-- 2 | 3

-- title: two statements in one string
SELECT count(*) FROM users; SELECT count(*) FROM posts;
-- rewritten:
SELECT count(*) FROM users WHERE users.deleted_at IS NULL; SELECT count(*) FROM posts WHERE NOT posts.deleted;
-- rows:
-- 3
-- 4

-- title: a registered and an unregistered statement in one string
SELECT count(*) FROM items; SELECT count(*) FROM users;
-- rewritten:
SELECT count(*) FROM items; SELECT count(*) FROM users WHERE users.deleted_at IS NULL;
-- rows:
-- 2
-- 3

-- title: select into makes a table of live rows
SELECT id INTO TEMP copied FROM users; SELECT count(*) FROM copied;
-- rewritten:
SELECT id INTO TEMP copied FROM users WHERE users.deleted_at IS NULL; SELECT count(*) FROM copied;
-- rows:
-- 3

-- title: a system column of a live row
SELECT tableoid::regclass FROM users WHERE id = 1;
-- rewritten:
SELECT tableoid::regclass FROM users WHERE users.deleted_at IS NULL AND (id = 1);
-- rows:
-- users

-- title: a row constructor of the whole table
SELECT (u).id, (u).name FROM users u WHERE (u).id < 3;
-- rewritten:
SELECT (u).id, (u).name FROM users u WHERE u.deleted_at IS NULL AND ((u).id < 3);
-- rows:
-- 1 | ann
-- 2 | bob

-- title: count of a whole row
SELECT count(u) FROM users u;
-- rewritten:
SELECT count(u) FROM users u WHERE u.deleted_at IS NULL;
-- rows:
-- 3

-- title: rows from with ordinality beside a soft table
SELECT u.id, f.n FROM users u, ROWS FROM (generate_series(1, 2)) WITH ORDINALITY AS f (v, n);
-- rewritten:
SELECT u.id, f.n FROM users u, ROWS FROM (generate_series(1, 2)) WITH ORDINALITY AS f (v, n) WHERE u.deleted_at IS NULL;
-- rows:
-- 1 | 1
-- 1 | 2
-- 2 | 1
-- 2 | 2
-- 3 | 1
-- 3 | 2

-- title: a where that is only a column
SELECT id FROM posts WHERE deleted;
-- rewritten:
SELECT id FROM posts WHERE NOT posts.deleted AND (deleted);
-- rows:

-- title: a between and an and
SELECT id FROM users WHERE id BETWEEN 1 AND 4 AND name LIKE '%a%';
-- rewritten:
SELECT id FROM users WHERE users.deleted_at IS NULL AND (id BETWEEN 1 AND 4 AND name LIKE '%a%');
-- rows:
-- 1

-- title: select all and select distinct
SELECT ALL id FROM users UNION ALL SELECT DISTINCT user_id FROM posts;
-- rewritten:
SELECT ALL id FROM users WHERE users.deleted_at IS NULL UNION ALL SELECT DISTINCT user_id FROM posts WHERE NOT posts.deleted;
-- rows:
-- 1
-- 1
-- 2
-- 2
-- 3
-- 4
-- null

-- title: for share skip locked
SELECT id FROM users WHERE id = 1 FOR SHARE SKIP LOCKED;
-- rewritten:
SELECT id FROM users WHERE users.deleted_at IS NULL AND (id = 1) FOR SHARE SKIP LOCKED;
-- rows:
-- 1

-- title: columns named like keywords
SELECT id AS "select", name "from", email AS offset FROM users WHERE id = 1;
-- rewritten:
SELECT id AS "select", name "from", email AS offset FROM users WHERE users.deleted_at IS NULL AND (id = 1);
-- rows:
-- 1 | ann | ann@example.com
