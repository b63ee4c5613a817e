-- The tables of the twin run, the same in both databases. In the one with real deletes the marker columns are
-- never set, so that SELECT * agrees. Keys are never reused and there are no foreign keys: see differences.md.
CREATE TABLE users (id int PRIMARY KEY, name text, age int, deleted_at timestamptz);
CREATE TABLE posts (id int PRIMARY KEY, user_id int, title text, score int, deleted boolean NOT NULL DEFAULT false);
CREATE TABLE seats (
    id int PRIMARY KEY, user_id int, label text, price int, state text NOT NULL DEFAULT 'free', voided_by text
);
CREATE TABLE orders (id int PRIMARY KEY, user_id int, note text, cents int);
CREATE TABLE items (id int PRIMARY KEY, user_id int, name text, size int);
CREATE SCHEMA archive;
CREATE TABLE archive.orders (
    LIKE orders,
    archived_at timestamptz, archived_by text, archive_reason text, archive_txid bigint, deletion_id uuid
);
INSERT INTO users SELECT i, 'user ' || i % 17, nullif(i % 11, 3) FROM generate_series(1, 30) i;
INSERT INTO posts SELECT i, nullif(i % 41, 0), 'post ' || i % 13, nullif(i % 7, 2) FROM generate_series(1, 30) i;
INSERT INTO seats SELECT i, nullif(i % 23, 0), 'seat ' || i % 19, i % 5 FROM generate_series(1, 30) i;
INSERT INTO orders SELECT i, nullif(i % 31, 0), 'order ' || i % 9, nullif(i % 13, 4) FROM generate_series(1, 30) i;
INSERT INTO items SELECT i, nullif(i % 29, 0), 'item ' || i % 7, nullif(i % 6, 1) FROM generate_series(1, 30) i;
