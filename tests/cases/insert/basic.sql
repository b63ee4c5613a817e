-- title: an insert of values
INSERT INTO users (id, name) VALUES (6, 'fay') RETURNING id, name;
-- unchanged
-- tag: INSERT 0 1
-- rows:
-- 6 | fay

-- title: an insert of default values of the marker
INSERT INTO posts (id, title) VALUES (20, 'new') RETURNING deleted;
-- unchanged
-- tag: INSERT 0 1
-- rows:
-- f

-- title: an insert from a soft table copies live rows
INSERT INTO items (id, name) SELECT id + 10, name FROM users RETURNING id, name;
-- rewritten:
INSERT INTO items (id, name) SELECT id + 10, name FROM users WHERE users.deleted_at IS NULL RETURNING id, name;
-- tag: INSERT 0 3
-- rows:
-- 11 | ann
-- 12 | bob
-- 13 | cid

-- title: an insert into a soft table from a soft table
INSERT INTO users (id, name) SELECT id + 10, name FROM users RETURNING id;
-- rewritten:
INSERT INTO users (id, name) SELECT id + 10, name FROM users WHERE users.deleted_at IS NULL RETURNING id;
-- tag: INSERT 0 3
-- rows:
-- 11
-- 12
-- 13

-- title: an insert of a subquery in values
INSERT INTO items (id, name) VALUES (9, (SELECT name FROM users WHERE id = 1)) RETURNING name;
-- rewritten:
INSERT INTO items (id, name) VALUES (9, (SELECT name FROM users WHERE users.deleted_at IS NULL AND (id = 1))) RETURNING name;
-- tag: INSERT 0 1
-- rows:
-- ann

-- title: an insert with a cte
WITH s AS (SELECT id, name FROM users) INSERT INTO items (id, name) SELECT id + 10, name FROM s;
-- rewritten:
WITH s AS (SELECT id, name FROM users WHERE users.deleted_at IS NULL) INSERT INTO items (id, name) SELECT id + 10, name FROM s;
-- tag: INSERT 0 3

-- title: on conflict do nothing against a live row
INSERT INTO users (id, name) VALUES (1, 'x') ON CONFLICT DO NOTHING;
-- unchanged
-- tag: INSERT 0 0

-- title: on conflict do update of a live row
INSERT INTO users (id, name) VALUES (1, 'x') ON CONFLICT (id) DO UPDATE SET name = excluded.name || users.name RETURNING name;
-- rewritten:
INSERT INTO users (id, name) VALUES (1, 'x') ON CONFLICT (id) WHERE deleted_at IS NULL DO UPDATE SET name = excluded.name || users.name WHERE (CASE WHEN users.deleted_at IS NULL THEN 'true' ELSE 'sexton: a deleted row of public.users holds this key' END)::boolean RETURNING name;
-- tag: INSERT 0 1
-- rows:
-- xann

-- title: on conflict do update with a soft subquery
INSERT INTO items (id, name) VALUES (1, 'x') ON CONFLICT (id) DO UPDATE SET name = (SELECT count(*)::text FROM users) RETURNING name;
-- rewritten:
INSERT INTO items (id, name) VALUES (1, 'x') ON CONFLICT (id) DO UPDATE SET name = (SELECT count(*)::text FROM users WHERE users.deleted_at IS NULL) RETURNING name;
-- tag: INSERT 0 1
-- rows:
-- 3

-- title: a subquery in the returning of an insert
INSERT INTO items (id, name) VALUES (9, 'x') RETURNING (SELECT count(*) FROM users);
-- rewritten:
INSERT INTO items (id, name) VALUES (9, 'x') RETURNING (SELECT count(*) FROM users WHERE users.deleted_at IS NULL);
-- tag: INSERT 0 1
-- rows:
-- 3

-- title: an inserted row is seen at once
INSERT INTO users (id, name) VALUES (6, 'fay'); SELECT count(*) FROM users;
-- rewritten:
INSERT INTO users (id, name) VALUES (6, 'fay'); SELECT count(*) FROM users WHERE users.deleted_at IS NULL;
-- tag: INSERT 0 1, SELECT 1
-- rows:
-- 4

-- title: a duplicate of a live key is the server's error
INSERT INTO users (id, name) VALUES (1, 'x');
-- unchanged
-- error: 23505
