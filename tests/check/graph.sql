-- What a deletion takes along, what nobody registered, what cannot be named.

-- title: unregistered children go for good
-- toml: [tables.users]
-- toml: delete = "soft"
-- toml: [tables.sessions]
-- toml: delete = "hard"
CREATE TABLE users (id serial PRIMARY KEY, deleted_at timestamptz);
CREATE TABLE posts (id serial PRIMARY KEY, user_id int REFERENCES users ON DELETE CASCADE);
CREATE TABLE sessions (id serial PRIMARY KEY, user_id int REFERENCES users ON DELETE CASCADE);
-- finds:
-- warning cascade, foreign key posts_user_id_fkey on public.posts: deleting a row of public.users keeps that row and really deletes those of public.posts that point to it, as nobody has registered them
--    mend: add to the configuration: [databases.shop.tables.posts] delete = "soft"  # or "archive", or "hard" where that is meant

-- title: marked rows in tables that nobody registered, or whose section does not say so
-- toml: [tables.orders]
-- toml: delete = "archive"
-- toml: [tables.archived]
-- toml: delete = "hard"
CREATE TABLE posts (id serial PRIMARY KEY, "deletedAt" timestamp);
INSERT INTO posts ("deletedAt") SELECT now() FROM generate_series(1, 1234);
CREATE TABLE pages (id serial PRIMARY KEY, is_deleted bool);
INSERT INTO pages (is_deleted) VALUES (false), (true);
CREATE TABLE tags (id serial PRIMARY KEY, deleted_at timestamptz, deleted int);
CREATE TABLE orders (id serial PRIMARY KEY, deleted_at timestamptz);
CREATE TABLE orders_archive (LIKE orders, archived_at timestamptz, archived_by text, archive_reason text, archive_txid bigint, deletion_id uuid);
INSERT INTO orders (deleted_at) VALUES (now());
INSERT INTO orders_archive (id, archived_at) VALUES (7, now());
CREATE TABLE archived (id serial PRIMARY KEY, archived bool);
INSERT INTO archived (archived) VALUES (true);
-- finds:
-- error unregistered, public.archived: 1 row is marked in archived, and every query sees it
--    mend: add to the configuration: [databases.shop.tables.archived] column = "archived"
-- error unregistered, public.orders: 1 row is marked in deleted_at, and every query sees it
--    mend: add to the configuration: [databases.shop.tables.orders] column = "deleted_at"
-- warning unregistered, public.pages: 1 row is marked in is_deleted, and every query sees it
--    mend: add to the configuration: [databases.shop.tables.pages] delete = "soft" column = "is_deleted"
-- warning unregistered, public.posts: 1,234 rows are marked in "deletedAt", and every query sees them
--    mend: add to the configuration: [databases.shop.tables.posts] delete = "soft" column = "deletedAt"

-- title: a table without a primary key, and one that a deletion moves
-- toml: [tables.tags]
-- toml: delete = "soft"
-- toml: [tables.events]
-- toml: delete = "soft"
-- toml: column = "gone"
CREATE TABLE tags (name text, deleted_at timestamptz);
CREATE TABLE events (id serial, gone bool NOT NULL DEFAULT false, PRIMARY KEY (id, gone)) PARTITION BY LIST (gone);
CREATE TABLE events_live PARTITION OF events FOR VALUES IN (false);
CREATE TABLE events_gone PARTITION OF events FOR VALUES IN (true);
-- finds:
-- warning full-unique-index, primary key public.events_pkey: it counts deleted rows and stays so (a primary key cannot be partial): an INSERT with the id, gone of a deleted row is refused
--    mend: add to the configuration: [databases.shop.tables.events] archive = "public.events_archive"  # or reinsert = "revive"
-- warning partition-key, public.events: it is partitioned by gone, which a deletion sets: the row moves to another partition, and whoever waits for it gets 40001
--    mend: partition it by columns that a deletion leaves alone
-- note no-primary-key, public.tags: it has no primary key: a deleted row cannot be named, to be restored or found again
--    mend: ALTER TABLE public.tags ADD PRIMARY KEY (…)

-- title: deleted rows without an archive, below rows that leave
-- toml: [tables.notes]
-- toml: delete = "soft"
-- toml: [tables.users]
-- toml: delete = "soft"
-- toml: archive = "users_archive"
CREATE TABLE users (id serial PRIMARY KEY, deleted_at timestamptz);
CREATE TABLE users_archive (LIKE users, archived_at timestamptz, archived_by text, archive_reason text, archive_txid bigint, deletion_id uuid);
CREATE TABLE places (id serial PRIMARY KEY);
CREATE TABLE notes (
    id serial PRIMARY KEY, deleted_at timestamptz, user_id int REFERENCES users ON DELETE CASCADE,
    place int REFERENCES places, other int REFERENCES places ON DELETE CASCADE, third int REFERENCES places ON DELETE SET NULL
);
-- finds:
-- warning no-archive, foreign key notes_other_fkey on public.notes: deleting a row of public.places is refused (0A000) while rows of public.notes point to it, deleted ones too: they would be lost
--    mend: add to the configuration: [databases.shop.tables.notes] archive = "notes_archive"
-- note no-archive, foreign key notes_place_fkey on public.notes: deleted rows of public.notes stop the row of public.places that they point to from being deleted (23503)
--    mend: add to the configuration: [databases.shop.tables.notes] archive = "notes_archive"
-- note no-archive, foreign key notes_user_id_fkey on public.notes: no row takes the key of a deleted row of public.users that deleted rows of public.notes point to (23505)
--    mend: add to the configuration: [databases.shop.tables.notes] archive = "notes_archive"

-- title: live rows that point to a deleted one
-- toml: [tables.users]
-- toml: delete = "soft"
-- toml: [tables.items]
-- toml: delete = "soft"
-- toml: visible_through = ["lines.item_id"]
-- toml: [tables.lines]
-- toml: delete = "soft"
CREATE TABLE users (id serial PRIMARY KEY, deleted_at timestamptz);
CREATE TABLE items (id serial PRIMARY KEY, deleted_at timestamptz);
CREATE TABLE lines (id serial PRIMARY KEY, user_id int REFERENCES users, item_id int REFERENCES items, deleted_at timestamptz);
CREATE TABLE posts (id serial PRIMARY KEY, user_id int REFERENCES users);
INSERT INTO users (deleted_at) VALUES (now()), (NULL);
INSERT INTO items (deleted_at) VALUES (now());
INSERT INTO lines (user_id, item_id, deleted_at) VALUES (1, 1, NULL), (1, 1, NULL), (1, 1, now()), (2, 1, NULL);
INSERT INTO posts (user_id) VALUES (1), (2);
-- finds:
-- warning orphans, foreign key lines_user_id_fkey on public.lines: 2 live rows point to a deleted row of public.users
--    mend: delete, change or undelete one end of each: SELECT c.* FROM public.lines AS c JOIN public.users AS p ON p.id OPERATOR(pg_catalog.=) c.user_id WHERE (p.deleted_at IS NOT NULL) AND (c.deleted_at IS NULL)
-- warning orphans, foreign key posts_user_id_fkey on public.posts: 1 live row points to a deleted row of public.users
--    mend: delete, change or undelete one end of each: SELECT c.* FROM public.posts AS c JOIN public.users AS p ON p.id OPERATOR(pg_catalog.=) c.user_id WHERE (p.deleted_at IS NOT NULL)
