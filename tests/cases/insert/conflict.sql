-- title: do update never writes into a deleted row
-- not twin: the deleted row still holds the key
INSERT INTO users (id, name) VALUES (4, 'x') ON CONFLICT (id) DO UPDATE SET name = excluded.name RETURNING *;
-- rewritten:
INSERT INTO users (id, name) VALUES (4, 'x') ON CONFLICT (id) WHERE deleted_at IS NULL DO UPDATE SET name = excluded.name WHERE (CASE WHEN users.deleted_at IS NULL THEN 'true' ELSE 'sexton: a deleted row of public.users holds this key' END)::boolean RETURNING *;
-- error: 23505

-- title: do update with a condition of its own
INSERT INTO users AS u (id, name) VALUES (1, 'x') ON CONFLICT (id) DO UPDATE SET name = excluded.name WHERE u.name = 'ann' OR u.name = 'bob' RETURNING u.name;
-- rewritten:
INSERT INTO users AS u (id, name) VALUES (1, 'x') ON CONFLICT (id) WHERE deleted_at IS NULL DO UPDATE SET name = excluded.name WHERE (CASE WHEN u.deleted_at IS NULL THEN 'true' ELSE 'sexton: a deleted row of public.users holds this key' END)::boolean AND (u.name = 'ann' OR u.name = 'bob') RETURNING u.name;
-- tag: INSERT 0 1
-- rows:
-- x

-- title: on conflict of a unique constraint is limited to live rows
INSERT INTO accounts (id, email) VALUES (9, 'bob@example.com') ON CONFLICT (email) DO UPDATE SET handle = 'Rob' RETURNING id, handle;
-- rewritten:
INSERT INTO accounts (id, email) VALUES (9, 'bob@example.com') ON CONFLICT (email) WHERE deleted_at IS NULL DO UPDATE SET handle = 'Rob' WHERE (CASE WHEN accounts.deleted_at IS NULL THEN 'true' ELSE 'sexton: a deleted row of public.accounts holds this key' END)::boolean RETURNING id, handle;
-- tag: INSERT 0 1
-- rows:
-- 2 | Rob

-- title: on conflict do nothing with keys
INSERT INTO accounts (id, email) VALUES (9, 'bob@example.com') ON CONFLICT (email) DO NOTHING;
-- rewritten:
INSERT INTO accounts (id, email) VALUES (9, 'bob@example.com') ON CONFLICT (email) WHERE deleted_at IS NULL DO NOTHING;
-- tag: INSERT 0 0

-- title: on conflict with a condition keeps it first
INSERT INTO accounts (id, email) VALUES (9, 'bob@example.com') ON CONFLICT (email) WHERE deleted_at IS NULL OR tenant = 1 DO NOTHING;
-- rewritten:
INSERT INTO accounts (id, email) VALUES (9, 'bob@example.com') ON CONFLICT (email) WHERE (deleted_at IS NULL OR tenant = 1) AND deleted_at IS NULL DO NOTHING;
-- tag: INSERT 0 0

-- title: on conflict of an expression
INSERT INTO accounts AS a (id, tenant, handle) VALUES (9, 1, 'BOB') ON CONFLICT (tenant, lower(handle)) DO UPDATE SET handle = excluded.handle WHERE a.id > 1 RETURNING a.id, a.handle;
-- rewritten:
INSERT INTO accounts AS a (id, tenant, handle) VALUES (9, 1, 'BOB') ON CONFLICT (tenant, lower(handle)) WHERE deleted_at IS NULL DO UPDATE SET handle = excluded.handle WHERE (CASE WHEN a.deleted_at IS NULL THEN 'true' ELSE 'sexton: a deleted row of public.accounts holds this key' END)::boolean AND (a.id > 1) RETURNING a.id, a.handle;
-- tag: INSERT 0 1
-- rows:
-- 2 | BOB

-- title: on conflict on a constraint that is one stays
INSERT INTO accounts (id, email) VALUES (9, 'bob@example.com') ON CONFLICT ON CONSTRAINT accounts_email_key DO NOTHING;
-- unchanged
-- tag: INSERT 0 0

-- title: on conflict in a table that is not registered
INSERT INTO items (id, name) VALUES (1, 'x') ON CONFLICT (id) WHERE name = 'pen' DO NOTHING;
-- unchanged
-- tag: INSERT 0 0

-- title: on conflict with keys that no index has
INSERT INTO accounts (id, email) VALUES (9, 'bob@example.com') ON CONFLICT (handle) DO NOTHING;
-- rewritten:
INSERT INTO accounts (id, email) VALUES (9, 'bob@example.com') ON CONFLICT (handle) WHERE deleted_at IS NULL DO NOTHING;
-- error: 42P10

-- title: on conflict with a predicate of its own
INSERT INTO seats (id, label, state) VALUES (1, 'x', 'free') ON CONFLICT (id) DO NOTHING;
-- rewritten:
INSERT INTO seats (id, label, state) VALUES (1, 'x', 'free') ON CONFLICT (id) WHERE (state <> 'void') DO NOTHING;
-- tag: INSERT 0 0

-- title: on conflict in scope all finds the index all the same
-- role: support
-- scope: all
INSERT INTO accounts (id, email) VALUES (9, 'bob@example.com') ON CONFLICT (email) DO UPDATE SET handle = 'Rob' RETURNING id, handle;
-- rewritten:
INSERT INTO accounts (id, email) VALUES (9, 'bob@example.com') ON CONFLICT (email) WHERE deleted_at IS NULL DO UPDATE SET handle = 'Rob' WHERE (CASE WHEN accounts.deleted_at IS NULL THEN 'true' ELSE 'sexton: a deleted row of public.accounts holds this key' END)::boolean RETURNING id, handle;
-- tag: INSERT 0 1
-- rows:
-- 2 | Rob

-- title: on conflict in a prepared statement
PREPARE upsert (int) AS INSERT INTO accounts (id, email) VALUES ($1, 'bob@example.com') ON CONFLICT (email) DO NOTHING; EXECUTE upsert (7);
-- rewritten:
PREPARE upsert (int) AS INSERT INTO accounts (id, email) VALUES ($1, 'bob@example.com') ON CONFLICT (email) WHERE deleted_at IS NULL DO NOTHING; EXECUTE upsert (7);
-- tag: PREPARE, INSERT 0 0

-- title: on conflict in a common table expression
WITH put AS (INSERT INTO accounts (id, email) VALUES (9, 'bob@example.com') ON CONFLICT (email) DO UPDATE SET handle = 'Rob' RETURNING id) SELECT id FROM put;
-- rewritten:
WITH put AS (INSERT INTO accounts (id, email) VALUES (9, 'bob@example.com') ON CONFLICT (email) WHERE deleted_at IS NULL DO UPDATE SET handle = 'Rob' WHERE (CASE WHEN accounts.deleted_at IS NULL THEN 'true' ELSE 'sexton: a deleted row of public.accounts holds this key' END)::boolean RETURNING id) SELECT id FROM put;
-- rows:
-- 2

-- title: a key of a deleted row is free where the index is partial
-- database: installed
INSERT INTO accounts (id, email) VALUES (9, 'dead@example.com') ON CONFLICT (email) DO UPDATE SET handle = 'never' RETURNING id, handle;
-- rewritten:
INSERT INTO accounts (id, email) VALUES (9, 'dead@example.com') ON CONFLICT (email) WHERE deleted_at IS NULL DO UPDATE SET handle = 'never' WHERE (CASE WHEN accounts.deleted_at IS NULL THEN 'true' ELSE 'sexton: a deleted row of public.accounts holds this key' END)::boolean RETURNING id, handle;
-- tag: INSERT 0 1
-- rows:
-- 9 | null

-- title: a key of a live row conflicts where the index is partial
-- database: installed
INSERT INTO accounts (id, email) VALUES (9, 'bob@example.com') ON CONFLICT (email) DO UPDATE SET handle = 'Rob' RETURNING id, handle;
-- rewritten:
INSERT INTO accounts (id, email) VALUES (9, 'bob@example.com') ON CONFLICT (email) WHERE deleted_at IS NULL DO UPDATE SET handle = 'Rob' WHERE (CASE WHEN accounts.deleted_at IS NULL THEN 'true' ELSE 'sexton: a deleted row of public.accounts holds this key' END)::boolean RETURNING id, handle;
-- tag: INSERT 0 1
-- rows:
-- 2 | Rob

-- title: do nothing where the index is partial
-- database: installed
INSERT INTO accounts (id, email) VALUES (9, 'dead@example.com'), (10, 'bob@example.com') ON CONFLICT (email) DO NOTHING RETURNING id;
-- rewritten:
INSERT INTO accounts (id, email) VALUES (9, 'dead@example.com'), (10, 'bob@example.com') ON CONFLICT (email) WHERE deleted_at IS NULL DO NOTHING RETURNING id;
-- tag: INSERT 0 1
-- rows:
-- 9

-- title: do nothing without a target where the index is partial
-- database: installed
INSERT INTO accounts (id, email) VALUES (9, 'dead@example.com'), (10, 'bob@example.com') ON CONFLICT DO NOTHING RETURNING id;
-- unchanged
-- tag: INSERT 0 1
-- rows:
-- 9

-- title: a constraint that has become a partial index is named by its keys
-- database: installed
INSERT INTO accounts (id, email) VALUES (9, 'bob@example.com') ON CONFLICT ON CONSTRAINT "accounts_email_key" DO UPDATE SET handle = 'Rob' RETURNING id, handle;
-- rewritten:
INSERT INTO accounts (id, email) VALUES (9, 'bob@example.com') ON CONFLICT (email) WHERE deleted_at IS NULL DO UPDATE SET handle = 'Rob' WHERE (CASE WHEN accounts.deleted_at IS NULL THEN 'true' ELSE 'sexton: a deleted row of public.accounts holds this key' END)::boolean RETURNING id, handle;
-- tag: INSERT 0 1
-- rows:
-- 2 | Rob

-- title: a constraint that has become a partial index does not count a deleted row
-- database: installed
INSERT INTO accounts (id, email) VALUES (9, 'dead@example.com') ON CONFLICT ON CONSTRAINT accounts_email_key DO NOTHING RETURNING id;
-- rewritten:
INSERT INTO accounts (id, email) VALUES (9, 'dead@example.com') ON CONFLICT (email) WHERE deleted_at IS NULL DO NOTHING RETURNING id;
-- tag: INSERT 0 1
-- rows:
-- 9

-- title: an index that has been none of the constraints stays an error
-- database: installed
-- not twin: the error's code differs
INSERT INTO accounts (id, email) VALUES (9, 'bob@example.com') ON CONFLICT ON CONSTRAINT accounts_nosuch DO NOTHING;
-- unchanged
-- error: 42704

-- title: an expression of a partial index
-- database: installed
INSERT INTO accounts (id, tenant, handle) VALUES (9, 1, 'dead'), (10, 1, 'BOB') ON CONFLICT (tenant, lower(handle)) DO NOTHING RETURNING id;
-- rewritten:
INSERT INTO accounts (id, tenant, handle) VALUES (9, 1, 'dead'), (10, 1, 'BOB') ON CONFLICT (tenant, lower(handle)) WHERE deleted_at IS NULL DO NOTHING RETURNING id;
-- tag: INSERT 0 1
-- rows:
-- 9

-- title: a condition of the statement's own that implies the index
-- database: installed
INSERT INTO accounts (id, email) VALUES (9, 'bob@example.com') ON CONFLICT (email) WHERE deleted_at IS NULL DO NOTHING RETURNING id;
-- rewritten:
INSERT INTO accounts (id, email) VALUES (9, 'bob@example.com') ON CONFLICT (email) WHERE (deleted_at IS NULL) AND deleted_at IS NULL DO NOTHING RETURNING id;
-- tag: INSERT 0 0

-- title: on conflict in scope deleted
-- database: installed
-- role: dba
-- scope: deleted
INSERT INTO accounts (id, email) VALUES (9, 'dead@example.com') ON CONFLICT (email) DO NOTHING RETURNING id;
-- rewritten:
INSERT INTO accounts (id, email) VALUES (9, 'dead@example.com') ON CONFLICT (email) WHERE deleted_at IS NULL DO NOTHING RETURNING id;
-- tag: INSERT 0 1
-- rows:
-- 9
