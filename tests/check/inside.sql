-- What reads and deletes inside the server.

-- title: views, with and without the condition, and one of the deleted rows
-- toml: [tables.users]
-- toml: delete = "soft"
CREATE TABLE users (id serial PRIMARY KEY, name text, deleted_at timestamptz);
CREATE VIEW everybody AS SELECT * FROM users;
CREATE VIEW guarded WITH (security_barrier) AS SELECT id FROM users WHERE id > 0 WITH LOCAL CHECK OPTION;
CREATE VIEW living AS SELECT u.name FROM users u WHERE u.id > 0 AND u.deleted_at IS NULL;
CREATE VIEW half AS SELECT a.name FROM users a JOIN users b USING (id) WHERE a.deleted_at IS NULL;
CREATE VIEW graves AS SELECT name FROM users WHERE deleted_at IS NOT NULL;
CREATE VIEW over_everybody AS SELECT count(*) FROM everybody;
CREATE MATERIALIZED VIEW counted AS SELECT count(*) FROM users;
-- finds:
-- warning materialized-view, materialized view public.counted: it shows deleted rows of public.users
--    mend: drop it and create it through Sexton, which adds deleted_at IS NULL to it
-- warning view, view public.everybody: it shows deleted rows of public.users
--    mend: run this through Sexton, which adds deleted_at IS NULL: CREATE OR REPLACE VIEW public.everybody AS SELECT users.id,     users.name,     users.deleted_at    FROM public.users;
-- warning view, view public.guarded: it shows deleted rows of public.users
--    mend: run this through Sexton, which adds deleted_at IS NULL: CREATE OR REPLACE VIEW public.guarded WITH (security_barrier=true, check_option=local) AS SELECT users.id    FROM public.users   WHERE users.id > 0;
-- warning view, view public.half: it shows deleted rows of public.users where it reads it once more
--    mend: run this through Sexton, which adds deleted_at IS NULL: CREATE OR REPLACE VIEW public.half AS SELECT a.name    FROM public.users a      JOIN public.users b USING (id)   WHERE a.deleted_at IS NULL;
-- note view, view public.graves: it chooses by itself which rows of public.users it shows

-- title: a condition that limits something else, or not always
-- toml: [tables.users]
-- toml: delete = "soft"
CREATE TABLE users (id serial PRIMARY KEY, name text, deleted_at timestamptz);
CREATE TABLE posts (id serial PRIMARY KEY, user_id int, deleted_at timestamptz);
CREATE VIEW of_posts AS SELECT p.id FROM posts p LEFT JOIN users u ON u.id = p.user_id WHERE p.deleted_at IS NULL;
CREATE VIEW either AS SELECT id FROM users WHERE deleted_at IS NULL OR id > 0;
CREATE VIEW negated AS SELECT id FROM users WHERE NOT (deleted_at IS NULL);
CREATE VIEW filtered AS SELECT count(*) FILTER (WHERE deleted_at IS NULL) AS live, count(*) AS all FROM users;
CREATE VIEW shown AS SELECT id, deleted_at IS NULL AS alive FROM users;
CREATE VIEW of_another AS SELECT users.id FROM users, (SELECT NULL::timestamptz AS deleted_at) x WHERE x.deleted_at IS NULL;
CREATE VIEW joined AS SELECT p.id FROM posts p LEFT JOIN users u ON u.id = p.user_id AND u.deleted_at IS NULL;
-- finds:
-- warning view, view public.either: it shows deleted rows of public.users
--    mend: run this through Sexton, which adds deleted_at IS NULL: CREATE OR REPLACE VIEW public.either AS SELECT users.id    FROM public.users   WHERE users.deleted_at IS NULL OR users.id > 0;
-- warning view, view public.filtered: it shows deleted rows of public.users
--    mend: run this through Sexton, which adds deleted_at IS NULL: CREATE OR REPLACE VIEW public.filtered AS SELECT count(*) FILTER (WHERE users.deleted_at IS NULL) AS live,     count(*) AS "all"    FROM public.users;
-- warning view, view public.of_another: it shows deleted rows of public.users
--    mend: run this through Sexton, which adds deleted_at IS NULL: CREATE OR REPLACE VIEW public.of_another AS SELECT users.id    FROM public.users,     ( SELECT NULL::timestamp with time zone AS deleted_at) x   WHERE x.deleted_at IS NULL;
-- warning view, view public.of_posts: it shows deleted rows of public.users
--    mend: run this through Sexton, which adds deleted_at IS NULL: CREATE OR REPLACE VIEW public.of_posts AS SELECT p.id    FROM public.posts p      LEFT JOIN public.users u ON u.id = p.user_id   WHERE p.deleted_at IS NULL;
-- warning view, view public.shown: it shows deleted rows of public.users
--    mend: run this through Sexton, which adds deleted_at IS NULL: CREATE OR REPLACE VIEW public.shown AS SELECT users.id,     users.deleted_at IS NULL AS alive    FROM public.users;
-- note view, view public.negated: it chooses by itself which rows of public.users it shows

-- title: policies of other tables
-- toml: [tables.users]
-- toml: delete = "soft"
CREATE TABLE users (id serial PRIMARY KEY, name text, deleted_at timestamptz);
CREATE TABLE notes (id serial PRIMARY KEY, author text);
ALTER TABLE notes ENABLE ROW LEVEL SECURITY;
CREATE POLICY authors ON notes USING (EXISTS (SELECT FROM users WHERE users.name = author));
CREATE POLICY live_authors ON notes WITH CHECK (EXISTS (SELECT FROM users u WHERE u.name = author AND u.deleted_at IS NULL));
-- finds:
-- warning policy, policy authors on public.notes: it sees deleted rows of public.users
--    mend: add deleted_at IS NULL where it reads or updates public.users

-- title: functions and procedures
-- toml: [tables.users]
-- toml: delete = "soft"
-- toml: [tables.orders]
-- toml: delete = "archive"
CREATE TABLE users (id serial PRIMARY KEY, name text, deleted_at timestamptz);
CREATE TABLE orders (id serial PRIMARY KEY, users text);
CREATE TABLE orders_archive (LIKE orders, archived_at timestamptz, archived_by text, archive_reason text, archive_txid bigint, deletion_id uuid);
CREATE FUNCTION reads() RETURNS bigint LANGUAGE sql AS 'SELECT count(*) FROM public.users';
CREATE FUNCTION reads_live() RETURNS bigint LANGUAGE sql AS 'SELECT count(*) FROM users WHERE deleted_at IS NULL';
CREATE FUNCTION atomic() RETURNS bigint BEGIN ATOMIC SELECT count(*) FROM users; END;
CREATE PROCEDURE purges(int) LANGUAGE plpgsql AS $$ BEGIN DELETE FROM orders WHERE id = $1; TRUNCATE users; END $$;
SET check_function_bodies = off;
CREATE FUNCTION merges() RETURNS void LANGUAGE sql AS 'MERGE INTO users u USING orders o ON u.id = o.id WHEN MATCHED THEN DELETE';
CREATE FUNCTION builds(t text) RETURNS void LANGUAGE plpgsql AS $$ BEGIN EXECUTE 'DELETE FROM orders WHERE id = ' || t; END $$;
CREATE FUNCTION innocent(users int) RETURNS text LANGUAGE sql AS $$ SELECT users::text || 'users' FROM orders $$;
-- finds:
-- warning function, function public.atomic(): it sees deleted rows of public.users
--    mend: add deleted_at IS NULL where it reads or updates public.users
-- warning function, function public.builds(t text): it builds SQL in strings that names public.orders
--    mend: look at the SQL it builds: nothing else sees what it reads and deletes
-- warning function, function public.merges(): it really deletes rows of public.users
--    mend: let it UPDATE public.users SET deleted_at = now(), or let the application send the DELETE
-- warning function, function public.merges(): it sees deleted rows of public.users
--    mend: add deleted_at IS NULL where it reads or updates public.users
-- warning function, function public.reads(): it sees deleted rows of public.users
--    mend: add deleted_at IS NULL where it reads or updates public.users
-- warning procedure, procedure public.purges(IN integer): it really deletes rows of public.orders
--    mend: let the application send the DELETE
-- warning procedure, procedure public.purges(IN integer): it really truncates rows of public.users
--    mend: let it UPDATE public.users SET deleted_at = now(), or let the application send the DELETE

-- title: trigger functions are named with their triggers
-- toml: [tables.users]
-- toml: delete = "soft"
CREATE TABLE users (id serial PRIMARY KEY, name text, deleted_at timestamptz);
CREATE TABLE posts (id serial PRIMARY KEY, user_id int);
CREATE FUNCTION check_user() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    IF NOT EXISTS (SELECT FROM users WHERE id = NEW.user_id) THEN RAISE EXCEPTION 'no user'; END IF; RETURN NEW; END $$;
CREATE TRIGGER check_user BEFORE INSERT ON posts FOR EACH ROW EXECUTE FUNCTION check_user();
-- finds:
-- warning function, function public.check_user() of trigger check_user on public.posts: it sees deleted rows of public.users
--    mend: add deleted_at IS NULL where it reads or updates public.users

-- title: rules on soft and archive tables
-- toml: [tables.users]
-- toml: delete = "soft"
CREATE TABLE users (id serial PRIMARY KEY, name text, deleted_at timestamptz);
CREATE TABLE log (name text);
CREATE RULE keep AS ON DELETE TO users DO ALSO INSERT INTO log VALUES (OLD.name);
CREATE RULE count AS ON INSERT TO log DO ALSO DELETE FROM users WHERE users.name = NEW.name;
-- finds:
-- warning rule, rule count ON public.log: it really deletes rows of public.users
--    mend: let it UPDATE public.users SET deleted_at = now(), or let the application send the DELETE
-- warning rule, rule keep ON public.users: it does not act: a deletion is an UPDATE
--    mend: make it a trigger, or drop it
