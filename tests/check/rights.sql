-- Privileges, row-level security, replication.

-- title: roles get what their statements need, and no more
-- toml: [tables.users]
-- toml: delete = "soft"
-- toml: [tables.orders]
-- toml: delete = "archive"
-- toml: archive = "archive.orders"
CREATE TABLE users (id serial PRIMARY KEY, name text, deleted_at timestamptz, deleted_by text);
CREATE TABLE orders (id serial PRIMARY KEY, cents int);
CREATE SCHEMA archive;
CREATE TABLE archive.orders (LIKE orders, archived_at timestamptz, archived_by text, archive_reason text, archive_txid bigint, deletion_id uuid);
GRANT SELECT (id, name), DELETE ON users TO check_clerk;
GRANT SELECT (name) ON users TO check_reader;
GRANT SELECT (id), DELETE ON orders TO check_clerk;
GRANT SELECT ON orders TO PUBLIC;
-- finds:
-- warning privilege, public.orders: role check_clerk may DELETE, but its deletions fail (42501): it lacks USAGE on schema archive, INSERT on archive.orders
--    GRANT USAGE ON SCHEMA archive TO check_clerk
--    GRANT INSERT ON archive.orders TO check_clerk
-- warning privilege, public.users: role check_clerk cannot use it any more (42501): every statement tests deleted_at, which it may not SELECT
--    GRANT SELECT (deleted_at) ON public.users TO check_clerk
-- warning privilege, public.users: role check_clerk may DELETE, but its deletions fail (42501): it lacks UPDATE on deleted_at, deleted_by
--    GRANT UPDATE (deleted_at, deleted_by) ON public.users TO check_clerk
-- warning privilege, public.users: role check_reader cannot use it any more (42501): every statement tests deleted_at, which it may not SELECT
--    GRANT SELECT (deleted_at) ON public.users TO check_reader

-- title: the owner of a table moves rows to an archive that is not its own
-- toml: [tables.orders]
-- toml: delete = "archive"
CREATE TABLE orders (id int PRIMARY KEY);
CREATE TABLE orders_archive (LIKE orders, archived_at timestamptz, archived_by text, archive_reason text, archive_txid bigint, deletion_id uuid);
ALTER TABLE orders OWNER TO check_clerk;
-- finds:
-- warning privilege, public.orders: role check_clerk may DELETE, but its deletions fail (42501): it lacks INSERT on public.orders_archive
--    GRANT INSERT ON public.orders_archive TO check_clerk

-- title: a right on an archive may come from elsewhere
-- toml: [tables.orders]
-- toml: delete = "archive"
CREATE TABLE orders (id int PRIMARY KEY);
CREATE TABLE orders_archive (LIKE orders, archived_at timestamptz, archived_by text, archive_reason text, archive_txid bigint, deletion_id uuid);
GRANT SELECT, DELETE ON orders TO check_clerk;
GRANT INSERT ON orders_archive TO PUBLIC;
-- finds nothing

-- title: everybody may have a right
-- toml: [tables.users]
-- toml: delete = "soft"
CREATE TABLE users (id serial PRIMARY KEY, deleted_at timestamptz);
GRANT SELECT, DELETE ON users TO PUBLIC;
-- finds:
-- warning privilege, public.users: role PUBLIC may DELETE, but its deletions fail (42501): it lacks UPDATE on deleted_at
--    GRANT UPDATE (deleted_at) ON public.users TO PUBLIC

-- title: roles that need nothing more, and those that may do everything
-- toml: [tables.users]
-- toml: delete = "soft"
CREATE TABLE users (id serial PRIMARY KEY, deleted_at timestamptz);
GRANT SELECT, UPDATE, DELETE ON users TO check_clerk;
GRANT INSERT ON users TO check_reader;
-- finds nothing

-- title: Sexton's own login
-- own login: check_own
-- toml: [tables."crm.users"]
-- toml: delete = "soft"
CREATE SCHEMA crm;
CREATE TABLE crm.users (id serial PRIMARY KEY, email text UNIQUE, deleted_at timestamptz);
CREATE UNIQUE INDEX live ON crm.users (lower(email)) WHERE deleted_at IS NULL;
CREATE TABLE posts (id int, deleted_at timestamptz);
-- finds:
-- warning privilege, crm.users: Sexton's own login check_own cannot count deleted rows: it may not SELECT deleted_at
--    GRANT USAGE ON SCHEMA crm TO check_own
--    GRANT SELECT (deleted_at) ON crm.users TO check_own
-- warning unique-index, unique constraint crm.users_email_key: it counts deleted rows: a freed email cannot be used again
--    DROP INDEX CONCURRENTLY IF EXISTS crm.users_email_key_sexton_new
--    CREATE UNIQUE INDEX CONCURRENTLY users_email_key_sexton_new ON crm.users USING btree (email) WHERE deleted_at IS NULL
--    ALTER TABLE crm.users DROP CONSTRAINT IF EXISTS users_email_key
--    DROP INDEX IF EXISTS crm.users_email_key
--    ALTER INDEX crm.users_email_key_sexton_new RENAME TO users_email_key
-- note unregistered, public.posts: whether rows are marked in deleted_at is not for check_own to see
--    mend: add to the configuration: [databases.shop.tables.posts] delete = "soft" column = "deleted_at"
-- then not: note unregistered, public.posts: whether rows are marked in deleted_at is not for check_own to see

-- title: row-level security sees the marked row
-- own login: check_own
-- toml: [tables.users]
-- toml: delete = "soft"
CREATE TABLE users (id serial PRIMARY KEY, tenant text, deleted_at timestamptz);
ALTER TABLE users ENABLE ROW LEVEL SECURITY;
GRANT SELECT ON users TO check_own;
CREATE POLICY reads ON users FOR SELECT USING (tenant = current_user AND deleted_at IS NULL);
CREATE POLICY deletes ON users FOR DELETE TO check_clerk USING (tenant = current_user);
-- finds:
-- warning policy, policy deletes on public.users: it decides nothing: a deletion is an UPDATE, and as no policy allows that, no row can be deleted
--    mend: CREATE POLICY deletes_when_marked ON public.users FOR UPDATE TO check_clerk USING ((tenant = CURRENT_USER)) WITH CHECK (true)
-- warning policy, policy reads on public.users: it asks for deleted_at, so the marked row does not pass it and a DELETE fails (42501)
--    mend: take the marker out of its USING, as Sexton hides deleted rows, or DROP POLICY reads ON public.users
-- warning own-login, public.users: Sexton's own login check_own sees only what row-level security shows it, and may overlook deleted rows
--    mend: ALTER ROLE check_own BYPASSRLS

-- title: policies that let a marked row pass
-- toml: [tables.users]
-- toml: delete = "soft"
CREATE TABLE users (id serial PRIMARY KEY, tenant text, deleted_at timestamptz);
ALTER TABLE users ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenants ON users USING (tenant = current_user);
CREATE POLICY deletes ON users AS RESTRICTIVE FOR DELETE USING (tenant <> 'frozen');
-- finds:
-- warning policy, policy deletes on public.users: it decides nothing: a deletion is an UPDATE, on which tenants decides
--    mend: let tenants allow what this one allows, and nothing else

-- title: publications
-- toml: [tables.users]
-- toml: delete = "soft"
-- toml: [tables.tags]
-- toml: delete = "soft"
CREATE TABLE users (id serial PRIMARY KEY, name text, deleted_at timestamptz);
CREATE TABLE tags (name text, deleted_at timestamptz);
CREATE PUBLICATION people FOR TABLE users;
CREATE PUBLICATION gone FOR TABLE users WITH (publish = 'insert, delete');
CREATE PUBLICATION tagged FOR TABLE tags;
-- finds:
-- warning publication, publication gone of public.users: subscribers do not hear of deletions: they are UPDATEs, which it does not publish
--    mend: ALTER PUBLICATION gone SET (publish = 'insert, update, delete, truncate')
-- warning publication, publication tagged of public.tags: its rows cannot be deleted (55000): a deletion is an UPDATE, for which it has no replica identity
--    mend: give it a primary key, or ALTER TABLE public.tags REPLICA IDENTITY FULL
-- note no-primary-key, public.tags: it has no primary key: a deleted row cannot be named, to be restored or found again
--    mend: ALTER TABLE public.tags ADD PRIMARY KEY (…)
-- note publication, publication people of public.users: a deletion reaches subscribers as an UPDATE: they keep the row, marked

-- title: no policy of a table runs as Sexton's own login
-- own login: check_own
-- toml: [tables.users]
-- toml: delete = "soft"
CREATE FUNCTION spy() RETURNS bool LANGUAGE plpgsql AS $$BEGIN RAISE EXCEPTION 'run as %', current_user; END$$;
CREATE TABLE users (id serial PRIMARY KEY, deleted_at timestamptz);
CREATE TABLE posts (id serial PRIMARY KEY, deleted bool);
INSERT INTO posts (deleted) VALUES (true);
ALTER TABLE posts ENABLE ROW LEVEL SECURITY;
CREATE POLICY spying ON posts USING (spy());
GRANT SELECT ON users, posts TO check_own;
-- finds:
-- note unregistered, public.posts: whether rows are marked in deleted is not for check_own to see
--    mend: add to the configuration: [databases.shop.tables.posts] delete = "soft" column = "deleted"
-- then: warning unregistered, public.posts: 1 row is marked in deleted, and every query sees it
-- then not: note unregistered, public.posts: whether rows are marked in deleted is not for check_own to see

-- title: schema sexton is somebody's
-- own login: check_own
-- toml: [tables.users]
-- toml: delete = "soft"
-- toml: audit = true
CREATE TABLE users (id serial PRIMARY KEY, name text UNIQUE, deleted_at timestamptz);
GRANT SELECT ON users TO check_own;
CREATE SCHEMA sexton AUTHORIZATION check_clerk;
-- finds:
-- error schema-owner, schema sexton: it belongs to check_clerk, which is neither a superuser nor the owner of the database or of a registered table, and may replace what runs as others
--    mend: run sexton apply as a superuser, which takes it over
-- warning unique-index, unique constraint public.users_name_key: it counts deleted rows: a freed name cannot be used again
--    DROP INDEX CONCURRENTLY IF EXISTS public.users_name_key_sexton_new
--    CREATE UNIQUE INDEX CONCURRENTLY users_name_key_sexton_new ON public.users USING btree (name) WHERE deleted_at IS NULL
--    ALTER TABLE public.users DROP CONSTRAINT IF EXISTS users_name_key
--    DROP INDEX IF EXISTS public.users_name_key
--    ALTER INDEX public.users_name_key_sexton_new RENAME TO users_name_key
-- then not: error schema-owner, schema sexton: it belongs to check_clerk, which is neither a superuser nor the owner of the database or of a registered table, and may replace what runs as others

-- title: schema sexton is open
-- toml: [tables.users]
-- toml: delete = "soft"
CREATE TABLE users (id serial PRIMARY KEY, deleted_at timestamptz);
CREATE SCHEMA sexton;
CREATE TABLE sexton.nulled (event uuid NOT NULL, relation text NOT NULL, key jsonb NOT NULL, columns jsonb NOT NULL, at timestamptz NOT NULL DEFAULT now());
GRANT USAGE, CREATE ON SCHEMA sexton TO check_clerk;
GRANT SELECT, INSERT, TRIGGER ON sexton.nulled TO check_clerk;
-- finds:
-- error schema-owner, schema sexton: check_clerk may create objects in it, which others then run
--    DO $step$
--    DO $step$
--    GRANT USAGE ON SCHEMA sexton TO PUBLIC
--    DO $step$
--    GRANT SELECT, INSERT, UPDATE, DELETE ON sexton.tables TO postgres
--    DO $step$
--    GRANT SELECT, INSERT, DELETE ON sexton.deletions TO postgres
--    DO $step$
--    DO $step$
--    INSERT INTO sexton.tables (relation, live, strategy, archive) VALUES ('public.users', 'deleted_at IS NULL', 'soft', NULL) ON CONFLICT (relation) DO UPDATE SET live = excluded.live, strategy = excluded.strategy, archive = excluded.archive, recorded_at = pg_catalog.now()
--    DO $step$
--    DO $step$
--    DO $step$
--    DO $step$
--    DO $step$
--    DO $step$
--    DO $step$
--    DO $step$
--    DO $step$
--    DO $step$
--    DO $step$
--    DO $step$
--    DO $step$
--    DO $step$
--    DO $step$
--    DO $step$
--    DO $step$
--    DO $step$
--    DO $step$
--    DO $sexton$
--    DO $sexton$
-- warning own-privilege, table sexton.nulled: check_clerk has INSERT, TRIGGER on it: what it holds is for Sexton's functions to write
--    REVOKE INSERT, TRIGGER ON table sexton.nulled FROM check_clerk CASCADE
