-- title: copy of a table sends live rows
COPY users TO STDOUT;
-- rewritten:
COPY (SELECT id, name, email, deleted_at FROM ONLY users WHERE users.deleted_at IS NULL) TO STDOUT;
-- tag: COPY 3
-- rows:
-- 1	ann	ann@example.com	\N
-- 2	bob	bob@example.com	\N
-- 3	cid	\N	\N

-- title: copy of chosen columns keeps their order
COPY users (name, id) TO STDOUT;
-- rewritten:
COPY (SELECT name, id FROM ONLY users WHERE users.deleted_at IS NULL) TO STDOUT;
-- tag: COPY 3
-- rows:
-- ann	1
-- bob	2
-- cid	3

-- title: copy with options keeps them
COPY users (id, name) TO STDOUT WITH (FORMAT csv, HEADER);
-- rewritten:
COPY (SELECT id, name FROM ONLY users WHERE users.deleted_at IS NULL) TO STDOUT WITH (FORMAT csv, HEADER);
-- tag: COPY 3
-- rows:
-- 1,ann
-- 2,bob
-- 3,cid
-- id,name

-- title: copy in the old spelling
COPY users TO STDOUT CSV;
-- rewritten:
COPY (SELECT id, name, email, deleted_at FROM ONLY users WHERE users.deleted_at IS NULL) TO STDOUT CSV;
-- tag: COPY 3
-- rows:
-- 1,ann,ann@example.com,
-- 2,bob,bob@example.com,
-- 3,cid,,

-- title: copy of a query
COPY (SELECT id FROM users WHERE id = 4 OR id = 1) TO STDOUT;
-- rewritten:
COPY (SELECT id FROM users WHERE users.deleted_at IS NULL AND (id = 4 OR id = 1)) TO STDOUT;
-- tag: COPY 1
-- rows:
-- 1

-- title: copy of an unregistered table
COPY items (id) TO STDOUT;
-- unchanged
-- tag: COPY 2
-- rows:
-- 1
-- 2

-- title: copy of a deleting query
COPY (DELETE FROM posts WHERE user_id = 1 RETURNING id) TO STDOUT;
-- rewritten:
COPY (UPDATE posts SET deleted = true WHERE NOT posts.deleted AND (user_id = 1) RETURNING id) TO STDOUT;
-- tag: COPY 1
-- rows:
-- 10

-- title: copy of a table in another schema
COPY billing.invoices (id) TO STDOUT;
-- rewritten:
COPY (SELECT id FROM ONLY billing.invoices WHERE billing.invoices.deleted_at IS NULL) TO STDOUT;
-- tag: COPY 2
-- rows:
-- 1
-- 3
