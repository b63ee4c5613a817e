-- The tables every case runs against. Rows named "dead" are deleted; ids are stable, so cases can name them.
-- twin.sql removes the deleted rows for good: what a case gives there is what Sexton must give.

DO $$ BEGIN CREATE ROLE app LOGIN; EXCEPTION WHEN duplicate_object THEN NULL; END $$;
DO $$ BEGIN CREATE ROLE support LOGIN; EXCEPTION WHEN duplicate_object THEN NULL; END $$;
DO $$ BEGIN CREATE ROLE dba LOGIN; EXCEPTION WHEN duplicate_object THEN NULL; END $$;

DO $$ BEGIN CREATE ROLE clerk LOGIN; EXCEPTION WHEN duplicate_object THEN NULL; END $$;

-- soft, timestamptz marker
CREATE TABLE users (id int PRIMARY KEY, name text NOT NULL, email text, deleted_at timestamptz);
INSERT INTO users VALUES
    (1, 'ann', 'ann@example.com', NULL),
    (2, 'bob', 'bob@example.com', NULL),
    (3, 'cid', NULL, NULL),
    (4, 'dead dan', 'dan@example.com', '2026-01-01 00:00Z'),
    (5, 'dead eve', 'eve@example.com', '2026-01-02 00:00Z');

-- soft, boolean marker
CREATE TABLE posts (id int PRIMARY KEY, user_id int, title text NOT NULL, deleted boolean NOT NULL DEFAULT false);
INSERT INTO posts VALUES
    (10, 1, 'ann one', false),
    (11, 1, 'dead ann two', true),
    (12, 2, 'bob one', false),
    (13, 4, 'dan one', false),
    (14, NULL, 'nobody one', false),
    (15, 2, 'dead bob two', true);

-- soft, a predicate of its own
CREATE TABLE seats (id int PRIMARY KEY, label text NOT NULL, state text NOT NULL, voided_by text);
INSERT INTO seats VALUES
    (1, 'A1', 'free', NULL), (2, 'A2', 'sold', NULL), (3, 'dead A3', 'void', 'app'), (4, 'B1', 'free', NULL);

-- archive
CREATE TABLE orders (id int PRIMARY KEY, user_id int, cents int NOT NULL);
INSERT INTO orders VALUES (100, 1, 500), (101, 2, 700), (102, 1, 900), (103, 4, 1100);
CREATE SCHEMA archive;
CREATE TABLE archive.orders (
    LIKE orders,
    archived_at timestamptz, archived_by text, archive_reason text, archive_txid bigint, deletion_id uuid
);
INSERT INTO archive.orders VALUES (90, 1, 100, '2026-01-01 00:00Z', 'app', NULL, NULL, NULL);

-- not registered
CREATE TABLE items (id int PRIMARY KEY, name text NOT NULL, deleted_at timestamptz);
INSERT INTO items VALUES (1, 'pen', NULL), (2, 'ink', '2026-01-01 00:00Z');
CREATE TABLE "Users" (id int PRIMARY KEY, deleted_at timestamptz);
INSERT INTO "Users" VALUES (1, NULL), (2, '2026-01-01 00:00Z');

-- soft, nullable boolean marker
CREATE TABLE notes (id int PRIMARY KEY, user_id int, body text, gone boolean);
INSERT INTO notes VALUES (1, 1, 'null is live', NULL), (2, 1, 'false is live', false), (3, 1, 'dead', true);

-- soft, partitioned
CREATE TABLE measurements (id int, taken date NOT NULL, reading int, deleted_at timestamptz) PARTITION BY RANGE (taken);
CREATE TABLE measurements_2025 PARTITION OF measurements FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
CREATE TABLE measurements_2026 PARTITION OF measurements FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
INSERT INTO measurements VALUES
    (1, '2025-03-01', 10, NULL), (2, '2025-04-01', 20, '2026-01-01 00:00Z'),
    (3, '2026-03-01', 30, NULL), (4, '2026-04-01', 40, '2026-05-01 00:00Z');

-- soft, in another schema; and a table of the same name as a registered one that is not registered
CREATE SCHEMA billing;
CREATE TABLE billing.invoices (id int PRIMARY KEY, user_id int, cents int, deleted_at timestamptz);
INSERT INTO billing.invoices VALUES (1, 1, 50, NULL), (2, 2, 60, '2026-01-01 00:00Z'), (3, 2, 70, NULL);
CREATE TABLE billing.users (id int PRIMARY KEY, deleted_at timestamptz);
INSERT INTO billing.users VALUES (1, NULL), (2, '2026-01-01 00:00Z');

-- soft by a predicate of its own, without a primary key; and a second registered table called invoices
CREATE TABLE badges (label text, state text);
INSERT INTO badges VALUES ('gold', 'ok'), ('dead tin', 'void');
CREATE TABLE invoices (id int PRIMARY KEY, deleted_at timestamptz);
INSERT INTO invoices VALUES (1, NULL), (2, '2026-01-01 00:00Z');

-- soft, visible through foreign keys: from a table that is not registered, from itself, and from a soft one by a composite key
CREATE TABLE products (id int PRIMARY KEY, name text, parent_id int REFERENCES products, deleted_at timestamptz);
INSERT INTO products VALUES
    (1, 'pen', NULL, NULL), (2, 'dead ink', NULL, '2026-01-01 00:00Z'), (3, 'cap', 2, NULL), (4, 'dead lid', 5, '2026-01-01 00:00Z'),
    (5, 'dead box', 4, '2026-01-01 00:00Z'), (6, 'dead loop', 6, '2026-01-01 00:00Z');
CREATE TABLE lines (id int PRIMARY KEY, product_id int REFERENCES products, gift_id int REFERENCES products, qty int);
INSERT INTO lines VALUES (1, 1, 2, 10), (2, 2, 1, 20), (3, 3, NULL, 30), (4, NULL, 4, 40);
CREATE TABLE rooms (building int, room int, name text, deleted_at timestamptz, PRIMARY KEY (building, room));
INSERT INTO rooms VALUES (1, 1, 'hall', NULL), (1, 2, 'dead attic', '2026-01-01 00:00Z'), (2, 2, 'dead loft', '2026-01-01 00:00Z');
CREATE TABLE bookings (
    id int PRIMARY KEY, building int, room int, deleted boolean NOT NULL DEFAULT false,
    FOREIGN KEY (building, room) REFERENCES rooms
);
INSERT INTO bookings VALUES (1, 1, 1, false), (2, 1, 2, false), (3, 2, 2, true);

-- soft, a test of the marker is respected: a timestamp, and a predicate whose mark keeps a time
CREATE TABLE drafts (id int PRIMARY KEY, line_id int, title text, deleted_at timestamptz);
INSERT INTO drafts VALUES (1, 1, 'one', NULL), (2, 1, 'dead two', '2026-01-01 00:00Z'), (3, 2, 'dead three', '2026-02-01 00:00Z');
CREATE TABLE tickets (id int PRIMARY KEY, draft_id int, state text NOT NULL, voided_at timestamptz);
INSERT INTO tickets VALUES (1, 1, 'open', NULL), (2, 2, 'void', '2026-01-01 00:00Z'), (3, 1, 'void', '2026-02-01 00:00Z');

-- soft, with unique keys of several kinds, and a table that points to it; what that one points to besides is not registered
CREATE TABLE accounts (
    id int PRIMARY KEY, email text CONSTRAINT accounts_email_key UNIQUE, tenant int, handle text, deleted_at timestamptz,
    deletion_id uuid
);
CREATE UNIQUE INDEX accounts_handle ON accounts (tenant, lower(handle));
INSERT INTO accounts VALUES
    (1, 'ann@example.com', 1, 'Ann', NULL), (2, 'bob@example.com', 1, 'Bob', NULL),
    (3, 'dead@example.com', 1, 'Dead', '2026-01-01 00:00Z'), (4, 'eve@example.com', 2, 'Eve', NULL);
CREATE TABLE logins (
    id int PRIMARY KEY, account_id int CONSTRAINT logins_account_fkey REFERENCES accounts DEFERRABLE, gone boolean
);
INSERT INTO logins VALUES (1, 1, NULL), (2, 2, NULL), (3, 3, true);
CREATE TABLE vaults (id int PRIMARY KEY);
CREATE TABLE deposits (id int PRIMARY KEY, vault_id int REFERENCES vaults);
INSERT INTO vaults VALUES (1);
INSERT INTO deposits VALUES (1, 1);

-- soft, owned by app: one that is empty, one with a deleted row
CREATE TABLE shelves (id int PRIMARY KEY, deleted_at timestamptz);
CREATE TABLE trays (id int PRIMARY KEY, deleted_at timestamptz);
INSERT INTO trays VALUES (1, '2026-01-01 00:00Z');
ALTER TABLE shelves OWNER TO app;
ALTER TABLE trays OWNER TO app;

GRANT CREATE, USAGE ON SCHEMA public, archive, billing TO app, support, dba;
GRANT ALL ON ALL TABLES IN SCHEMA public, archive, billing TO app, support, dba;
-- clerk may read and write, but not delete
GRANT clerk TO app;
GRANT USAGE ON SCHEMA public, archive, billing TO clerk;
GRANT SELECT, INSERT, UPDATE ON ALL TABLES IN SCHEMA public, archive, billing TO clerk;

-- a view that was there before Sexton, and a schema that app may not use
CREATE VIEW everybody AS SELECT * FROM users;
GRANT ALL ON everybody TO app;
CREATE SCHEMA hidden;
CREATE TABLE hidden.users (id int);
