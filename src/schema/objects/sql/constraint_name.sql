CREATE OR REPLACE FUNCTION sexton.constraint_name(name text, child oid, referencing oid, referenced oid) RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $sexton$
-- What the foreign key `name` of `child` is called between these two, which may be partitions.
WITH RECURSIVE copies AS (
    SELECT oid, conname, conrelid, confrelid FROM pg_constraint WHERE conrelid = child AND conname = name AND contype = 'f'
    UNION ALL
    SELECT c.oid, c.conname, c.conrelid, c.confrelid FROM pg_constraint AS c JOIN copies ON c.conparentid = copies.oid
)
SELECT coalesce((SELECT conname::text FROM copies WHERE conrelid = referencing AND confrelid = referenced LIMIT 1), name)
$sexton$
