\set owner random(1, 10000)
\set letter random(1, 1000000000000)
INSERT INTO notes (owner, body) VALUES (:owner, 'another note');
UPDATE notes SET deleted_at = now() WHERE id = (SELECT min(id) FROM notes WHERE owner = :owner AND deleted_at IS NULL) AND deleted_at IS NULL;
SELECT count(*) FROM notes WHERE owner = :owner AND deleted_at IS NULL;
INSERT INTO letters VALUES (:letter, 'a letter') ON CONFLICT DO NOTHING;
WITH gone AS (DELETE FROM letters WHERE id = :letter RETURNING id, body) INSERT INTO letters_archive (id, body, archived_at, archived_by, archive_txid, deletion_id) SELECT id, body, now(), session_user, pg_current_xact_id()::text::bigint, gen_random_uuid() FROM gone;
SELECT count(*) FROM letters WHERE id = :letter;
