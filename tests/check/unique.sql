-- Unique indexes that count deleted rows.

-- title: a unique constraint becomes a partial index of the same name, with its comment
-- toml: [tables.users]
-- toml: delete = "soft"
CREATE TABLE users (id int PRIMARY KEY GENERATED ALWAYS AS IDENTITY, email text UNIQUE, deleted_at timestamptz);
COMMENT ON CONSTRAINT users_email_key ON users IS 'one mail, one user';
-- finds:
-- warning unique-index, unique constraint public.users_email_key: it counts deleted rows: a freed email cannot be used again
--    DROP INDEX CONCURRENTLY IF EXISTS public.users_email_key_sexton_new
--    CREATE UNIQUE INDEX CONCURRENTLY users_email_key_sexton_new ON public.users USING btree (email) WHERE deleted_at IS NULL
--    ALTER TABLE public.users DROP CONSTRAINT IF EXISTS users_email_key
--    DROP INDEX IF EXISTS public.users_email_key
--    ALTER INDEX public.users_email_key_sexton_new RENAME TO users_email_key
--    COMMENT ON INDEX public.users_email_key IS 'one mail, one user'

-- title: everything else of an index stays
-- toml: [tables.users]
-- toml: delete = "soft"
-- toml: column = "Gone"
CREATE TABLE users (id bigserial PRIMARY KEY, email text, name varchar(20), "Gone" boolean);
CREATE UNIQUE INDEX "By Mail" ON users (lower(email) text_pattern_ops, name COLLATE "C" DESC NULLS LAST)
    INCLUDE (id) WITH (fillfactor = 70) WHERE name <> 'x' OR name IS NULL;
-- finds:
-- warning unique-index, index public.By Mail: it counts deleted rows: a freed lower(email), name cannot be used again
--    DROP INDEX CONCURRENTLY IF EXISTS public."By Mail_sexton_new"
--    CREATE UNIQUE INDEX CONCURRENTLY "By Mail_sexton_new" ON public.users USING btree (lower(email) text_pattern_ops, name COLLATE "C" DESC NULLS LAST) INCLUDE (id) WITH (fillfactor='70') WHERE (((name)::text <> 'x'::text) OR (name IS NULL)) AND "Gone" IS NOT TRUE
--    DROP INDEX CONCURRENTLY IF EXISTS public."By Mail_sexton_old"
--    ALTER INDEX public."By Mail" RENAME TO "By Mail_sexton_old"
--    ALTER INDEX public."By Mail_sexton_new" RENAME TO "By Mail"
--    DROP INDEX CONCURRENTLY IF EXISTS public."By Mail_sexton_old"

-- title: an index that is partial already is left alone, however the server writes its condition
-- toml: [tables.seats]
-- toml: delete = "soft"
-- toml: live = "state in ('free', 'sold') and not broken"
-- toml: mark = { state = "'void'" }
CREATE TABLE seats (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), label text, state varchar(9), broken bool NOT NULL);
CREATE UNIQUE INDEX ON seats (label) WHERE (not broken and state = ANY ('{free,sold}') and label <> '');
CREATE INDEX ON seats (state);
-- finds nothing

-- title: a nullable flag, tested in either form
-- toml: [tables.tags]
-- toml: delete = "soft"
-- toml: column = "deleted"
CREATE TABLE tags (id serial PRIMARY KEY, name text, slug text, deleted boolean);
CREATE UNIQUE INDEX tags_name ON tags (name) WHERE deleted IS NOT TRUE;
CREATE UNIQUE INDEX tags_slug ON tags (slug) WHERE deleted = false;
-- finds nothing

-- title: what cannot be partial, and what an INSERT meets there
-- toml: [tables.countries]
-- toml: delete = "soft"
-- toml: [tables.cities]
-- toml: delete = "soft"
-- toml: archive = "public.dead_cities"
-- toml: [tables.rooms]
-- toml: delete = "soft"
-- toml: reinsert = "revive"
-- toml: [tables.codes]
-- toml: delete = "soft"
-- toml: reinsert = "error"
CREATE TABLE countries (code text PRIMARY KEY, name text UNIQUE DEFERRABLE, deleted_at date);
CREATE TABLE cities (name text NOT NULL, deleted_at date);
CREATE UNIQUE INDEX cities_name ON cities (name);
ALTER TABLE cities REPLICA IDENTITY USING INDEX cities_name;
CREATE TABLE dead_cities (LIKE cities);
CREATE TABLE rooms (id serial PRIMARY KEY, number int UNIQUE, deleted_at date);
CREATE TABLE guests (id serial PRIMARY KEY, room int REFERENCES rooms (number));
CREATE TABLE codes (code text PRIMARY KEY, deleted_at date);
-- finds:
-- warning full-unique-index, primary key public.countries_pkey: it counts deleted rows and stays so (a primary key cannot be partial): an INSERT with the code of a deleted row is refused
--    mend: add to the configuration: [databases.shop.tables.countries] archive = "public.countries_archive"  # or reinsert = "revive"
-- warning full-unique-index, unique constraint public.countries_name_key: it counts deleted rows and stays so (its constraint is DEFERRABLE, which takes a full index): an INSERT with the name of a deleted row is refused
--    mend: add to the configuration: [databases.shop.tables.countries] archive = "public.countries_archive"  # or reinsert = "revive"
-- note full-unique-index, index public.cities_name: it counts deleted rows and stays so (it is the table's replica identity, which takes a full index): an INSERT with the name of a deleted row moves that row to public.dead_cities
-- note full-unique-index, primary key public.codes_pkey: it counts deleted rows and stays so (a primary key cannot be partial): a freed code cannot be used again, as reinsert = "error" says
-- note no-primary-key, public.cities: it has no primary key: a deleted row cannot be named, to be restored or found again
--    mend: ALTER TABLE public.cities ADD PRIMARY KEY (…)
-- note full-unique-index, unique constraint public.rooms_number_key: it counts deleted rows and stays so (a foreign key points to it, which takes a full index): an INSERT with the number of a deleted row takes that row's place, as reinsert = "revive" says

-- title: an exclusion constraint waits for a quiet hour
-- toml: [tables.bookings]
-- toml: delete = "soft"
CREATE TABLE bookings (id serial PRIMARY KEY, during int4range, deleted_at timestamptz, EXCLUDE USING gist (during WITH &&));
-- finds:
-- warning full-unique-index, exclusion constraint public.bookings_during_excl: it counts deleted rows and stays so (an exclusion constraint cannot be built while others write): a row that collides with a deleted one is refused
--    mend: while nobody writes: ALTER TABLE public.bookings DROP CONSTRAINT bookings_during_excl, ADD CONSTRAINT bookings_during_excl EXCLUDE USING gist (during WITH &&) WHERE (deleted_at IS NULL)

-- title: a partitioned table's index, partition by partition
-- toml: [tables.orders]
-- toml: delete = "soft"
CREATE TABLE orders (id serial, year int, number int, deleted_at timestamptz, PRIMARY KEY (id, year, number), UNIQUE (year, number))
    PARTITION BY RANGE (year);
CREATE TABLE orders_old PARTITION OF orders FOR VALUES FROM (0) TO (2026) PARTITION BY LIST (number);
CREATE TABLE orders_old_rest PARTITION OF orders_old DEFAULT;
CREATE TABLE "orders 2026" PARTITION OF orders FOR VALUES FROM (2026) TO (2027);
INSERT INTO orders (year, number) VALUES (2020, 1), (2026, 1);
-- finds:
-- warning full-unique-index, primary key public.orders_pkey: it counts deleted rows and stays so (a primary key cannot be partial): an INSERT with the id, year, number of a deleted row is refused
--    mend: add to the configuration: [databases.shop.tables.orders] archive = "public.orders_archive"  # or reinsert = "revive"
-- warning unique-index, unique constraint public.orders_year_number_key: it counts deleted rows: a freed year, number cannot be used again
--    DROP INDEX IF EXISTS public.orders_year_number_key_sexton_new
--    CREATE UNIQUE INDEX orders_year_number_key_sexton_new ON ONLY public.orders USING btree (year, number) WHERE deleted_at IS NULL
--    DROP INDEX CONCURRENTLY IF EXISTS public."orders 2026_orders_year_number_key_3a06cb4b"
--    CREATE UNIQUE INDEX CONCURRENTLY "orders 2026_orders_year_number_key_3a06cb4b" ON public."orders 2026" USING btree (year, number) WHERE deleted_at IS NULL
--    CREATE UNIQUE INDEX orders_old_orders_year_number_key_3a06cb4b ON ONLY public.orders_old USING btree (year, number) WHERE deleted_at IS NULL
--    DROP INDEX CONCURRENTLY IF EXISTS public.orders_old_rest_orders_year_number_key_3a06cb4b
--    CREATE UNIQUE INDEX CONCURRENTLY orders_old_rest_orders_year_number_key_3a06cb4b ON public.orders_old_rest USING btree (year, number) WHERE deleted_at IS NULL
--    ALTER INDEX public.orders_old_orders_year_number_key_3a06cb4b ATTACH PARTITION public.orders_old_rest_orders_year_number_key_3a06cb4b
--    ALTER INDEX public.orders_year_number_key_sexton_new ATTACH PARTITION public.orders_old_orders_year_number_key_3a06cb4b
--    ALTER INDEX public.orders_year_number_key_sexton_new ATTACH PARTITION public."orders 2026_orders_year_number_key_3a06cb4b"
--    ALTER TABLE public.orders DROP CONSTRAINT IF EXISTS orders_year_number_key
--    DROP INDEX IF EXISTS public.orders_year_number_key
--    ALTER INDEX public.orders_year_number_key_sexton_new RENAME TO orders_year_number_key

-- title: an inheritance child has indexes of its own
-- toml: [tables.parents]
-- toml: delete = "soft"
CREATE TABLE parents (id serial PRIMARY KEY, name text, deleted_at timestamptz);
CREATE TABLE children (UNIQUE (name)) INHERITS (parents);
-- finds:
-- warning unique-index, unique constraint public.children_name_key: it counts deleted rows: a freed name cannot be used again
--    DROP INDEX CONCURRENTLY IF EXISTS public.children_name_key_sexton_new
--    CREATE UNIQUE INDEX CONCURRENTLY children_name_key_sexton_new ON public.children USING btree (name) WHERE deleted_at IS NULL
--    ALTER TABLE public.children DROP CONSTRAINT IF EXISTS children_name_key
--    DROP INDEX IF EXISTS public.children_name_key
--    ALTER INDEX public.children_name_key_sexton_new RENAME TO children_name_key

-- title: a live predicate that changes with time fits no index
-- toml: [tables.offers]
-- toml: delete = "soft"
-- toml: live = "ends_at > now()"
-- toml: mark = { ends_at = "now()" }
CREATE TABLE offers (id serial PRIMARY KEY, code text UNIQUE, ends_at timestamptz);
-- finds:
-- warning full-unique-index, unique constraint public.offers_code_key: it counts deleted rows and stays so (the live predicate depends on time or session, which no index can follow): an INSERT with the code of a deleted row is refused
--    mend: add to the configuration: [databases.shop.tables.offers] archive = "public.offers_archive"  # or reinsert = "revive"

-- title: what an interrupted run has left is used, or dropped
-- toml: [tables.users]
-- toml: delete = "soft"
CREATE TABLE users (id serial PRIMARY KEY, email text UNIQUE, name text, deleted_at timestamptz);
CREATE UNIQUE INDEX users_email_key_sexton_new ON users (email) WHERE deleted_at IS NULL;
CREATE UNIQUE INDEX users_name ON users (name) WHERE deleted_at IS NULL;
CREATE UNIQUE INDEX users_name_sexton_old ON users (name);
-- finds:
-- warning left-over-index, index public.users_name_sexton_old: an interrupted run of sexton apply has left it; it costs writes and serves nobody
--    DROP INDEX CONCURRENTLY IF EXISTS public.users_name_sexton_old
-- warning unique-index, unique constraint public.users_email_key: it counts deleted rows: a freed email cannot be used again
--    ALTER TABLE public.users DROP CONSTRAINT IF EXISTS users_email_key
--    DROP INDEX IF EXISTS public.users_email_key
--    ALTER INDEX public.users_email_key_sexton_new RENAME TO users_email_key

-- title: an index half built, or built for another predicate, is built anew
-- toml: [tables.users]
-- toml: delete = "soft"
CREATE TABLE users (id serial PRIMARY KEY, email text UNIQUE, name text, deleted_at timestamptz);
CREATE UNIQUE INDEX users_email_key_sexton_new ON users (email) WHERE email <> '';
CREATE UNIQUE INDEX users_name ON users (name);
CREATE UNIQUE INDEX users_name_sexton_new ON users (name) WHERE deleted_at IS NULL;
UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'users_name_sexton_new'::regclass;
-- finds:
-- warning unique-index, index public.users_name: it counts deleted rows: a freed name cannot be used again
--    DROP INDEX CONCURRENTLY IF EXISTS public.users_name_sexton_new
--    CREATE UNIQUE INDEX CONCURRENTLY users_name_sexton_new ON public.users USING btree (name) WHERE deleted_at IS NULL
--    DROP INDEX CONCURRENTLY IF EXISTS public.users_name_sexton_old
--    ALTER INDEX public.users_name RENAME TO users_name_sexton_old
--    ALTER INDEX public.users_name_sexton_new RENAME TO users_name
--    DROP INDEX CONCURRENTLY IF EXISTS public.users_name_sexton_old
-- warning unique-index, unique constraint public.users_email_key: it counts deleted rows: a freed email cannot be used again
--    DROP INDEX CONCURRENTLY IF EXISTS public.users_email_key_sexton_new
--    CREATE UNIQUE INDEX CONCURRENTLY users_email_key_sexton_new ON public.users USING btree (email) WHERE deleted_at IS NULL
--    ALTER TABLE public.users DROP CONSTRAINT IF EXISTS users_email_key
--    DROP INDEX IF EXISTS public.users_email_key
--    ALTER INDEX public.users_email_key_sexton_new RENAME TO users_email_key

-- title: an archive table whose earlier rows are still marked
-- toml: [tables.orders]
-- toml: delete = "archive"
-- toml: column = "deleted_at"
CREATE TABLE orders (id serial PRIMARY KEY, number int UNIQUE, deleted_at timestamptz);
CREATE TABLE orders_archive (LIKE orders, archived_at timestamptz, archived_by text, archive_reason text, archive_txid bigint, deletion_id uuid);
-- finds:
-- warning unique-index, unique constraint public.orders_number_key: it counts deleted rows: a freed number cannot be used again
--    DROP INDEX CONCURRENTLY IF EXISTS public.orders_number_key_sexton_new
--    CREATE UNIQUE INDEX CONCURRENTLY orders_number_key_sexton_new ON public.orders USING btree (number) WHERE deleted_at IS NULL
--    ALTER TABLE public.orders DROP CONSTRAINT IF EXISTS orders_number_key
--    DROP INDEX IF EXISTS public.orders_number_key
--    ALTER INDEX public.orders_number_key_sexton_new RENAME TO orders_number_key

-- title: a marker within the key frees it, a flag only once
-- toml: [tables.users]
-- toml: delete = "soft"
-- toml: [tables.tags]
-- toml: delete = "soft"
-- toml: column = "deleted"
CREATE TABLE users (id serial PRIMARY KEY, email text, deleted_at timestamptz, UNIQUE (email, deleted_at));
CREATE TABLE tags (id serial PRIMARY KEY, name text, deleted boolean NOT NULL DEFAULT false, UNIQUE (name, deleted));
-- finds:
-- warning unique-index, unique constraint public.tags_name_deleted_key: it counts deleted rows: the second deletion of a key that was used again is refused (23505)
--    DROP INDEX CONCURRENTLY IF EXISTS public.tags_name_deleted_key_sexton_new
--    CREATE UNIQUE INDEX CONCURRENTLY tags_name_deleted_key_sexton_new ON public.tags USING btree (name, deleted) WHERE NOT deleted
--    ALTER TABLE public.tags DROP CONSTRAINT IF EXISTS tags_name_deleted_key
--    DROP INDEX IF EXISTS public.tags_name_deleted_key
--    ALTER INDEX public.tags_name_deleted_key_sexton_new RENAME TO tags_name_deleted_key
