-- title: a do block that names a registered table
DO $$ BEGIN PERFORM count(*) FROM users; END $$;
-- refused: opaque 0A000

-- title: a merge into a soft table waits for its rule
MERGE INTO users u USING items i ON i.id = u.id WHEN MATCHED THEN DELETE;
-- refused: merge 0A000

-- title: a string function that names a registered table
SELECT query_to_xml('SELECT * FROM users', true, false, '');
-- refused: opaque 0A000

-- title: dropping a registered table
DROP TABLE posts;
-- refused: drop 42501

-- title: dropping the marker
ALTER TABLE users DROP COLUMN deleted_at;
-- refused: alter 42501

-- title: a rule on a registered table
CREATE RULE r AS ON DELETE TO users DO INSTEAD NOTHING;
-- refused: utility 0A000
