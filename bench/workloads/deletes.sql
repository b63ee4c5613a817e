\set owner random(1, 10000)
\set letter random(1, 1000000000000)
INSERT INTO notes (owner, body) VALUES (:owner, 'another note');
DELETE FROM notes WHERE id = (SELECT min(id) FROM notes WHERE owner = :owner);
SELECT count(*) FROM notes WHERE owner = :owner;
INSERT INTO letters VALUES (:letter, 'a letter') ON CONFLICT DO NOTHING;
DELETE FROM letters WHERE id = :letter;
SELECT count(*) FROM letters WHERE id = :letter;
