CREATE OR REPLACE FUNCTION sexton.expect_partition(relation oid, registered oid) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $sexton$
-- A trigger's function was made for one table, and for its partitions; nobody else's table may have it.
BEGIN
    IF NOT EXISTS (SELECT FROM pg_partition_ancestors(relation) AS above (relid) WHERE relid = registered) THEN
        RAISE EXCEPTION USING ERRCODE = '42809',
            MESSAGE = format('sexton: a trigger that was made for %s is on %s', registered::regclass, relation::regclass),
            HINT = 'Run sexton apply.';
    END IF;
END $sexton$
