CREATE TABLE notes (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, owner integer NOT NULL, body text, deleted_at timestamptz);
CREATE INDEX ON notes (owner) WHERE deleted_at IS NULL;
CREATE TABLE letters (id bigint PRIMARY KEY, body text);
CREATE TABLE letters_archive (LIKE letters, archived_at timestamptz, archived_by text, archive_reason text, archive_txid bigint, deletion_id uuid);
CREATE SEQUENCE letter;
INSERT INTO notes (owner, body) SELECT i % 10000, 'a note' FROM generate_series(1, 100000) i;
