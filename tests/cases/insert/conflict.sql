-- title: do update never writes into a deleted row
-- not twin: the deleted row still holds the key
INSERT INTO users (id, name) VALUES (4, 'x') ON CONFLICT (id) DO UPDATE SET name = excluded.name RETURNING *;
-- rewritten:
INSERT INTO users (id, name) VALUES (4, 'x') ON CONFLICT (id) DO UPDATE SET name = excluded.name WHERE (CASE WHEN users.deleted_at IS NULL THEN 'true' ELSE 'sexton: a deleted row of public.users holds this key' END)::boolean RETURNING *;
-- error: 23505

-- title: do update with a condition of its own
INSERT INTO users AS u (id, name) VALUES (1, 'x') ON CONFLICT (id) DO UPDATE SET name = excluded.name WHERE u.name = 'ann' OR u.name = 'bob' RETURNING u.name;
-- rewritten:
INSERT INTO users AS u (id, name) VALUES (1, 'x') ON CONFLICT (id) DO UPDATE SET name = excluded.name WHERE (CASE WHEN u.deleted_at IS NULL THEN 'true' ELSE 'sexton: a deleted row of public.users holds this key' END)::boolean AND (u.name = 'ann' OR u.name = 'bob') RETURNING u.name;
-- tag: INSERT 0 1
-- rows:
-- x
