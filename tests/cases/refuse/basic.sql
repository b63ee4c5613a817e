-- title: a do block that names a registered table
DO $$ BEGIN PERFORM count(*) FROM users; END $$;
-- refused: opaque 0A000

-- title: a string function that names a registered table
SELECT query_to_xml('SELECT * FROM users', true, false, '');
-- refused: opaque 0A000

-- title: dropping the marker
ALTER TABLE users DROP COLUMN deleted_at;
-- refused: alter 42501

-- title: a rule on a registered table
CREATE RULE r AS ON DELETE TO users DO INSTEAD NOTHING;
-- refused: utility 0A000

-- title: an archive cannot be fed by merge
-- since: 15
MERGE INTO orders o USING items i ON i.id = o.id WHEN MATCHED THEN DELETE;
-- refused: merge 0A000

-- title: returning of marked columns without a primary key
DELETE FROM badges RETURNING *;
-- refused: returning-old 0A000

-- title: returning past a function in using
DELETE FROM users USING generate_series(1, 2) g WHERE users.id = g RETURNING *;
-- refused: returning-using 0A000

-- title: tablesample in a full join
SELECT * FROM users TABLESAMPLE SYSTEM (50) FULL JOIN posts ON posts.user_id = users.id;
-- refused: sampled 0A000

-- title: truncate by policy
TRUNCATE invoices;
-- refused: truncate 0A000

-- title: truncate with cascade
TRUNCATE users CASCADE;
-- rewritten:
UPDATE users SET deleted_at = now() WHERE users.deleted_at IS NULL;
-- tag: TRUNCATE TABLE

-- title: truncate of a registered table with another
TRUNCATE users, items;
-- refused: truncate-form 0A000

-- title: a name under a search path that cannot be known
SELECT set_config('search_path', lower('BILLING'), true); SELECT id FROM invoices;
-- refused: ambiguous 0A000

-- title: a unicode escape of another character
SELECT id FROM U&"us!0065rs" UESCAPE '!';
-- refused: unreadable 0A000

-- title: a temporary table that the search path gives its own place
-- path: public, pg_temp
CREATE TEMP TABLE users (id int); SELECT id FROM users;
-- refused: temporary-shadow 0A000

-- title: renaming a registered table
ALTER TABLE users RENAME TO people;
-- refused: alter 42501
