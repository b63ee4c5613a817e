CREATE OR REPLACE FUNCTION sexton.settle() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET datestyle = 'ISO, YMD' SET intervalstyle = postgres AS $sexton$
-- A dead row that made way for a row that did not come takes its place again: at the end of the statement, or at COMMIT
-- where the statement named a partition.
DECLARE
    settled oid := TG_RELID;
    item record;
BEGIN
    IF settled = 'sexton.exempt'::regclass THEN
        -- After SET CONSTRAINTS ALL IMMEDIATE the row is still to come.
        IF pg_trigger_depth() > 1 THEN
            RETURN NULL;
        END IF;
        settled := NEW.relation;
    END IF;
    FOR item IN
        WITH taken AS (
            DELETE FROM sexton.exempt AS e WHERE e.txid = pg_current_xact_id_if_assigned() AND e.relation = settled
            RETURNING e.id, e.image, e.back)
        SELECT taken.image, taken.back FROM taken ORDER BY taken.id
    LOOP
        EXECUTE format('SELECT sexton.%I($1)', item.back) USING item.image;
        -- A SET in a trigger that this has fired outlasts the function's own.
        PERFORM pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true);
    END LOOP;
    RETURN NULL;
END $sexton$
