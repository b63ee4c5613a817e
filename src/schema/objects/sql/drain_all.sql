CREATE OR REPLACE FUNCTION sexton.drain_all() RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $sexton$
-- Does what cascades have left to do, one level after the other, as the server's own queue of RI triggers does.
DECLARE
    item record;
    found boolean;
    seen bigint := 0;
BEGIN
    PERFORM set_config('sexton.cascade', 'on', true);
    LOOP
        found := false;
        FOR item IN SELECT * FROM sexton.take(seen) LOOP
            found := true;
            seen := item.id;
            EXECUTE item.call USING item.key, item.relation;
            -- A SET in a trigger that this has fired outlasts the function's own.
            PERFORM pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true);
        END LOOP;
        EXIT WHEN NOT found;
    END LOOP;
    PERFORM set_config('sexton.cascade', '', true);
    PERFORM set_config('sexton.late', '', true);
END $sexton$
