-- Triggers and CHECK constraints that a deletion meets as an UPDATE.

-- title: DELETE triggers do not fire, UPDATE triggers do
-- toml: [tables.users]
-- toml: delete = "soft"
CREATE TABLE users (id serial PRIMARY KEY, name text, deleted_at timestamptz);
CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
CREATE TRIGGER "on delete" AFTER DELETE ON users FOR EACH ROW EXECUTE FUNCTION note();
CREATE TRIGGER on_update AFTER UPDATE ON users FOR EACH ROW EXECUTE FUNCTION note();
CREATE TRIGGER on_truncate AFTER TRUNCATE ON users FOR EACH STATEMENT EXECUTE FUNCTION note();
CREATE TRIGGER off AFTER DELETE ON users FOR EACH ROW EXECUTE FUNCTION note();
ALTER TABLE users DISABLE TRIGGER off;
-- finds:
-- warning trigger, trigger "on delete" on public.users: it does not fire when a row is deleted from public.users: a deletion is an UPDATE
--    mend: CREATE TRIGGER "on delete_when_marked" AFTER UPDATE OF deleted_at ON public.users FOR EACH ROW WHEN ((OLD.deleted_at IS NULL) AND (NEW.deleted_at IS NOT NULL)) EXECUTE FUNCTION public.note(), where that function does not ask for TG_OP
-- warning trigger, trigger on_truncate on public.users: it does not fire when public.users is truncated: TRUNCATE becomes UPDATE
--    mend: let a statement trigger do its work, or set truncate = "refuse"
-- note trigger, trigger on_update on public.users: it fires when a row is deleted from public.users: a deletion is an UPDATE

-- title: archive tables really delete, so their triggers fire
-- toml: [tables.orders]
-- toml: delete = "archive"
-- toml: truncate = "refuse"
CREATE TABLE orders (id serial PRIMARY KEY);
CREATE TABLE orders_archive (LIKE orders, archived_at timestamptz, archived_by text, archive_reason text, archive_txid bigint, deletion_id uuid);
CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
CREATE TRIGGER on_delete AFTER DELETE ON orders FOR EACH ROW EXECUTE FUNCTION note();
CREATE TRIGGER on_truncate AFTER TRUNCATE ON orders FOR EACH STATEMENT EXECUTE FUNCTION note();
-- finds nothing

-- title: constraints that a marked row may break
-- toml: [tables.users]
-- toml: delete = "soft"
CREATE TABLE users (id serial PRIMARY KEY, name text, active bool, created_at timestamptz, deleted_at timestamptz,
    CONSTRAINT order_of_things CHECK (deleted_at > created_at),
    CONSTRAINT exempt CHECK (deleted_at IS NOT NULL OR name <> ''),
    CONSTRAINT other CHECK (name <> 'x'));
ALTER TABLE users ADD CONSTRAINT late CHECK (active) NOT VALID;
-- finds:
-- warning check, CHECK constraint late on public.users: it is NOT VALID: a row that breaks it can be deleted by a DELETE, but not be marked (23514)
--    mend: mend the rows, then ALTER TABLE public.users VALIDATE CONSTRAINT late
-- warning check, CHECK constraint order_of_things on public.users: it reads deleted_at, which a deletion sets: a row that then breaks it cannot be deleted (23514)
--    mend: let deleted rows be: ALTER TABLE public.users DROP CONSTRAINT order_of_things, ADD CONSTRAINT order_of_things CHECK ((deleted_at > created_at) OR deleted_at IS NOT NULL) NOT VALID; ALTER TABLE public.users VALIDATE CONSTRAINT order_of_things;

-- title: what a deletion sets is tried where a constraint reads nothing else
-- toml: [tables.seats]
-- toml: delete = "soft"
-- toml: live = "state <> 'void'"
-- toml: mark = { state = "'void'", voided_by = "session_user" }
-- toml: [tables.rows]
-- toml: delete = "soft"
-- toml: live = "state <> 'void'"
-- toml: mark = { state = "'void'" }
CREATE TABLE seats (id serial PRIMARY KEY, state varchar(8) CHECK (state IN ('free', 'sold', 'void')), voided_by text,
    CONSTRAINT who CHECK (state <> 'void' OR voided_by IS NOT NULL));
CREATE TABLE rows (id serial PRIMARY KEY, state text NOT NULL CHECK (state IN ('free', 'sold')));
-- finds:
-- error check, CHECK constraint rows_state_check on public.rows: no row can be deleted (23514): what a deletion sets in state breaks it
--    mend: let deleted rows be: ALTER TABLE public.rows DROP CONSTRAINT rows_state_check, ADD CONSTRAINT rows_state_check CHECK ((state = ANY (ARRAY['free'::text, 'sold'::text])) OR (state <> 'void') IS NOT TRUE) NOT VALID; ALTER TABLE public.rows VALIDATE CONSTRAINT rows_state_check;

-- title: what a constraint calls that is not the server's own is not called
-- toml: [tables.users]
-- toml: delete = "soft"
-- toml: [tables.posts]
-- toml: delete = "soft"
-- toml: live = "state <> 'dead'"
-- toml: mark = { state = "'dead'" }
CREATE FUNCTION spy(anyelement) RETURNS boolean IMMUTABLE LANGUAGE plpgsql AS $$ BEGIN RETURN false; END $$;
CREATE FUNCTION spy() RETURNS boolean IMMUTABLE LANGUAGE plpgsql AS $$ BEGIN RETURN false; END $$;
CREATE FUNCTION compare(timestamptz, text) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN RETURN spy(); END $$;
CREATE OPERATOR === (LEFTARG = timestamptz, RIGHTARG = text, FUNCTION = compare);
CREATE DOMAIN kind AS text CHECK (spy(VALUE));
CREATE TYPE mood AS ENUM ('dead', 'live');
CREATE VIEW trap AS SELECT 1 AS x;
CREATE TABLE users (id serial PRIMARY KEY, deleted_at timestamptz,
    CONSTRAINT by_function CHECK (spy(deleted_at)),
    CONSTRAINT by_operator CHECK (deleted_at === ''),
    CONSTRAINT by_domain CHECK ((deleted_at::text::kind)::text <> ''),
    CONSTRAINT by_query CHECK (query_to_xml(deleted_at::text, true, true, '') IS NOT NULL),
    CONSTRAINT by_view CHECK (deleted_at IS NULL OR table_to_xml('trap'::regclass, true, true, '') IS NULL),
    CONSTRAINT by_nothing CHECK (deleted_at > '2000-01-01' AND deleted_at IS NOT NULL AND deleted_at::date <= now()));
ALTER TABLE users ADD CONSTRAINT late CHECK (spy()) NOT VALID;
CREATE TABLE posts (id serial PRIMARY KEY, state mood, CONSTRAINT by_enum CHECK (state <> 'dead'));
-- finds:
-- error check, CHECK constraint by_enum on public.posts: no row can be deleted (23514): what a deletion sets in state breaks it
--    mend: let deleted rows be: ALTER TABLE public.posts DROP CONSTRAINT by_enum, ADD CONSTRAINT by_enum CHECK ((state <> 'dead'::public.mood) OR (state <> 'dead') IS NOT TRUE) NOT VALID; ALTER TABLE public.posts VALIDATE CONSTRAINT by_enum;
-- warning check, CHECK constraint late on public.users: it is NOT VALID: a row that breaks it can be deleted by a DELETE, but not be marked (23514)
--    mend: mend the rows, then ALTER TABLE public.users VALIDATE CONSTRAINT late
-- note check, CHECK constraint by_domain on public.users: it reads deleted_at, which a deletion sets, and calls what is not the server's own, so it was not tried: a row that then breaks it cannot be deleted (23514)
--    mend: let deleted rows be: ALTER TABLE public.users DROP CONSTRAINT by_domain, ADD CONSTRAINT by_domain CHECK (((((deleted_at)::text)::public.kind)::text <> ''::text) OR deleted_at IS NOT NULL) NOT VALID; ALTER TABLE public.users VALIDATE CONSTRAINT by_domain;
-- note check, CHECK constraint by_function on public.users: it reads deleted_at, which a deletion sets, and calls what is not the server's own, so it was not tried: a row that then breaks it cannot be deleted (23514)
--    mend: let deleted rows be: ALTER TABLE public.users DROP CONSTRAINT by_function, ADD CONSTRAINT by_function CHECK (public.spy(deleted_at) OR deleted_at IS NOT NULL) NOT VALID; ALTER TABLE public.users VALIDATE CONSTRAINT by_function;
-- note check, CHECK constraint by_operator on public.users: it reads deleted_at, which a deletion sets, and calls what is not the server's own, so it was not tried: a row that then breaks it cannot be deleted (23514)
--    mend: let deleted rows be: ALTER TABLE public.users DROP CONSTRAINT by_operator, ADD CONSTRAINT by_operator CHECK ((deleted_at OPERATOR(public.===) ''::text) OR deleted_at IS NOT NULL) NOT VALID; ALTER TABLE public.users VALIDATE CONSTRAINT by_operator;
-- note check, CHECK constraint by_query on public.users: it reads deleted_at, which a deletion sets, and calls what is not the server's own, so it was not tried: a row that then breaks it cannot be deleted (23514)
--    mend: let deleted rows be: ALTER TABLE public.users DROP CONSTRAINT by_query, ADD CONSTRAINT by_query CHECK ((query_to_xml((deleted_at)::text, true, true, ''::text) IS NOT NULL) OR deleted_at IS NOT NULL) NOT VALID; ALTER TABLE public.users VALIDATE CONSTRAINT by_query;
-- note check, CHECK constraint by_view on public.users: it reads deleted_at, which a deletion sets, and calls what is not the server's own, so it was not tried: a row that then breaks it cannot be deleted (23514)
--    mend: let deleted rows be: ALTER TABLE public.users DROP CONSTRAINT by_view, ADD CONSTRAINT by_view CHECK (((deleted_at IS NULL) OR (table_to_xml('public.trap'::regclass, true, true, ''::text) IS NULL)) OR deleted_at IS NOT NULL) NOT VALID; ALTER TABLE public.users VALIDATE CONSTRAINT by_view;
