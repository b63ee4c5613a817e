-- A small ticket shop. Two claims have run out; seat A4 was taken out of sale long ago.
CREATE TABLE events (id int PRIMARY KEY, title text NOT NULL);
CREATE TABLE seats (
    id int PRIMARY KEY, event_id int NOT NULL REFERENCES events, label text NOT NULL,
    state text NOT NULL DEFAULT 'free', voided_by text
);
CREATE TABLE customers (id int PRIMARY KEY, name text NOT NULL, deleted_at timestamptz);
CREATE TABLE claims (
    id int PRIMARY KEY, seat_id int NOT NULL REFERENCES seats, customer_id int NOT NULL REFERENCES customers,
    expires_at timestamptz NOT NULL, deleted_at timestamptz
);
CREATE TABLE orders (
    id int PRIMARY KEY, customer_id int NOT NULL REFERENCES customers, seat_id int NOT NULL REFERENCES seats,
    cents int NOT NULL
);
CREATE SCHEMA archive;
CREATE TABLE archive.orders (
    LIKE orders,
    archived_at timestamptz, archived_by text, archive_reason text, archive_txid bigint, deletion_id uuid
);
CREATE TABLE archive.claims (
    LIKE claims,
    archived_at timestamptz, archived_by text, archive_reason text, archive_txid bigint, deletion_id uuid
);

INSERT INTO events VALUES (1, 'Night of the Organ'), (2, 'Spring Requiem');
INSERT INTO seats VALUES
    (1, 1, 'A1', 'free', NULL), (2, 1, 'A2', 'free', NULL), (3, 1, 'A3', 'sold', NULL), (4, 1, 'A4', 'void', 'app'),
    (5, 2, 'A1', 'free', NULL), (6, 2, 'A2', 'sold', NULL);
INSERT INTO customers VALUES (1, 'Ada'), (2, 'Ben'), (3, 'Cleo');
INSERT INTO claims VALUES
    (1, 1, 1, now() - interval '2 hours'), (2, 2, 2, now() - interval '1 hour'), (3, 5, 3, now() + interval '1 day');
INSERT INTO orders VALUES (1, 1, 3, 4500), (2, 2, 6, 3900);

CREATE ROLE app LOGIN;
CREATE ROLE support LOGIN;
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO app, support;
GRANT USAGE ON SCHEMA archive TO app, support;
GRANT SELECT, INSERT ON archive.orders, archive.claims TO app, support;
