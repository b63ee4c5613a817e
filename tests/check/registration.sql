-- What the configuration names and the database lacks.

-- title: a missing marker column is added, and the rest of the plan rests on it
-- toml: [tables.users]
-- toml: delete = "soft"
CREATE TABLE users (id serial PRIMARY KEY, email text UNIQUE);
-- finds:
-- error marker-column, public.users: the marker column "deleted_at" does not exist
--    ALTER TABLE public.users ADD COLUMN IF NOT EXISTS deleted_at timestamptz
-- warning unique-index, unique constraint public.users_email_key: it counts deleted rows: a freed email cannot be used again
--    DROP INDEX CONCURRENTLY IF EXISTS public.users_email_key_sexton_new
--    CREATE UNIQUE INDEX CONCURRENTLY users_email_key_sexton_new ON public.users USING btree (email) WHERE deleted_at IS NULL
--    ALTER TABLE public.users DROP CONSTRAINT IF EXISTS users_email_key
--    DROP INDEX IF EXISTS public.users_email_key
--    ALTER INDEX public.users_email_key_sexton_new RENAME TO users_email_key

-- title: a marker whose type does not say what live means is for the operator to explain
-- toml: [tables.users]
-- toml: delete = "soft"
-- toml: column = "status"
CREATE TABLE users (id serial PRIMARY KEY, status text);
-- finds:
-- error marker-column, public.users: the marker column "status" is of type text, which does not say what live means
--    mend: give live = "…" and mark = { … } for it

-- title: a table that is not there yet is no error
-- toml: [tables.users]
-- toml: delete = "soft"
SELECT 1;
-- finds:
-- warning table, public.users: the table does not exist yet
--    mend: create it through Sexton, or correct the name

-- title: a foreign key that visible_through names
-- toml: [tables.items]
-- toml: delete = "soft"
-- toml: visible_through = ["lines.item_id"]
CREATE TABLE items (id serial PRIMARY KEY, deleted_at timestamptz);
CREATE TABLE lines (id serial PRIMARY KEY, item_id int);
-- finds:
-- error visible-through, public.items: public.lines.item_id has no foreign key that points to the table
--    mend: ALTER TABLE public.lines ADD FOREIGN KEY (item_id) REFERENCES public.items, or correct visible_through

-- title: what a section says in SQL is shown to the server
-- toml: [tables.seats]
-- toml: delete = "soft"
-- toml: live = "state <> 'void'"
-- toml: mark = { state = "'void'" }
-- toml: [tables.rows]
-- toml: delete = "soft"
-- toml: live = "is_live(state)"
-- toml: mark = { state = "1" }
-- toml: [tables.halls]
-- toml: delete = "soft"
-- toml: live = "public.is_live(state)"
-- toml: mark = { state = "0" }
CREATE TABLE seats (id serial PRIMARY KEY, state int);
CREATE TABLE rows (id serial PRIMARY KEY, state int);
CREATE TABLE halls (id serial PRIMARY KEY, state int);
CREATE FUNCTION is_live(int) RETURNS bool IMMUTABLE LANGUAGE sql AS 'SELECT $1 > 0';
-- finds:
-- error live-predicate, public.seats: statements on it fail, as the server does not understand its live and mark: invalid input syntax for type integer: "void" (22P02)
--    mend: correct live and mark in [databases.shop.tables.seats]
-- warning live-predicate, public.rows: what its live and mark say depends on search_path: function is_live(integer) does not exist (42883)
--    mend: write the schema before the function, in live and in mark

-- title: a mark after which the row still lives, and one that is not of its column's type
-- toml: [tables.seats]
-- toml: delete = "soft"
-- toml: live = "state <> 'void'"
-- toml: mark = { state = "'voidx'" }
-- toml: [tables.halls]
-- toml: delete = "soft"
-- toml: live = "state IS DISTINCT FROM 0"
-- toml: mark = { state = "'none'" }
-- toml: [tables.rows]
-- toml: delete = "soft"
-- toml: live = "state"
-- toml: mark = { state = "'void'" }
-- toml: [tables.doors]
-- toml: delete = "soft"
-- toml: live = "open OR kind > 1"
-- toml: mark = { open = "false" }
CREATE TABLE seats (id serial PRIMARY KEY, state text);
CREATE TABLE halls (id serial PRIMARY KEY, state int);
CREATE TABLE rows (id serial PRIMARY KEY, state text);
CREATE TABLE doors (id serial PRIMARY KEY, open bool, kind int);
-- finds:
-- error live-predicate, public.halls: statements on it fail, as the server does not understand its live and mark: invalid input syntax for type integer: "none" (22P02)
--    mend: correct live and mark in [databases.shop.tables.halls]
-- error live-predicate, public.rows: statements on it fail, as the server does not understand its live and mark: argument of WHERE must be type boolean, not type text (42804)
--    mend: correct live and mark in [databases.shop.tables.rows]
-- error mark, public.seats: a DELETE leaves the row live: (state <> 'void') holds for what its mark sets
--    mend: let mark in [databases.shop.tables.seats] set what makes live false

-- title: defaults under which a new row is a deleted one
-- toml: [tables.users]
-- toml: delete = "soft"
-- toml: [tables.posts]
-- toml: delete = "soft"
-- toml: column = "gone"
-- toml: [tables.seats]
-- toml: delete = "soft"
-- toml: live = "state <> 'void' AND kind > 0"
-- toml: mark = { state = "'void'" }
-- toml: [tables.halls]
-- toml: delete = "soft"
-- toml: live = "state <> 'void'"
-- toml: mark = { state = "'void'" }
CREATE FUNCTION born() RETURNS text LANGUAGE sql AS $$SELECT 'void'$$;
CREATE TABLE users (id serial PRIMARY KEY, deleted_at timestamptz DEFAULT now());
CREATE TABLE posts (id serial PRIMARY KEY, gone bool NOT NULL DEFAULT false);
CREATE TABLE seats (id serial PRIMARY KEY, state text NOT NULL DEFAULT 'void', kind int DEFAULT 1);
CREATE TABLE halls (id serial PRIMARY KEY, state text NOT NULL DEFAULT born());
-- finds:
-- warning default, public.seats: a row inserted with its defaults is a deleted one: kind DEFAULT 1, state DEFAULT 'void'::text
--    mend: ALTER TABLE public.seats … DROP DEFAULT, or another default
-- warning default, public.users: a row inserted with its defaults is a deleted one: deleted_at DEFAULT now()
--    mend: ALTER TABLE public.users … DROP DEFAULT, or another default

-- title: roles in [access] that are not there
-- toml: [access]
-- toml: see_deleted = ["check_reader", "check_raeder"]
-- toml: hard_delete = ["Check_reader"]
-- toml: [tables.users]
-- toml: delete = "soft"
CREATE TABLE users (id serial PRIMARY KEY, deleted_at timestamptz);
-- finds:
-- note access, access.hard_delete: there is no role "Check_reader"
--    mend: correct the name, or create the role
-- note access, access.see_deleted: there is no role check_raeder
--    mend: correct the name, or create the role

-- title: an archive that would lose what only a child has, and one that takes no value
-- toml: [tables.orders]
-- toml: delete = "archive"
-- toml: [tables.bills]
-- toml: delete = "archive"
CREATE TABLE orders (id int);
CREATE TABLE rush (secret text) INHERITS (orders);
CREATE TABLE orders_archive (id int, secret text, archived_at timestamptz, archived_by text, archive_reason text, archive_txid bigint, deletion_id uuid);
CREATE TABLE bills (id int GENERATED ALWAYS AS IDENTITY);
CREATE TABLE bills_archive (LIKE bills INCLUDING ALL);
-- finds:
-- error table, public.bills: the column id of the archive table public.bills_archive is generated, and takes no value
--    mend: ALTER TABLE public.bills_archive ALTER COLUMN id DROP IDENTITY
-- error table, public.orders: public.rush inherits from it and has a column secret of its own, which a deletion from public.orders would lose
--    mend: let the table itself have that column, or delete = "soft"
-- note no-primary-key, public.bills: it has no primary key: a deleted row cannot be named, to be restored or found again
--    mend: ALTER TABLE public.bills ADD PRIMARY KEY (…)
-- note no-primary-key, public.orders: it has no primary key: a deleted row cannot be named, to be restored or found again
--    mend: ALTER TABLE public.orders ADD PRIMARY KEY (…)

-- title: a partition with an archive of its own
-- toml: [tables.bills]
-- toml: delete = "archive"
-- toml: [tables.bills_old]
-- toml: delete = "archive"
CREATE TABLE bills (id int) PARTITION BY LIST (id);
CREATE TABLE bills_old PARTITION OF bills FOR VALUES IN (1);
CREATE TABLE bills_archive (id int);
CREATE TABLE bills_old_archive (id int);
-- finds:
-- error table, public.bills: the rows of public.bills_old, a child of it, are also read through public.bills, which is registered otherwise
--    mend: give both the same rule, or leave the section of the child out
-- note no-primary-key, public.bills: it has no primary key: a deleted row cannot be named, to be restored or found again
--    mend: ALTER TABLE public.bills ADD PRIMARY KEY (…)
-- note no-primary-key, public.bills_old: it has no primary key: a deleted row cannot be named, to be restored or found again
--    mend: ALTER TABLE public.bills_old ADD PRIMARY KEY (…)
