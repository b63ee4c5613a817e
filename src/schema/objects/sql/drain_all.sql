CREATE OR REPLACE FUNCTION sexton.drain_all() RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $sexton$
-- Does what cascades have left to do, one level after the other, as the server's own queue of RI triggers does. The queue
-- says which function does it, and no more: others than our triggers may be able to write there (pg_write_all_data).
DECLARE
    item record;
    found boolean;
    seen bigint := 0;
    known text;
    statement text;
BEGIN
    PERFORM set_config('sexton.cascade', 'on', true);
    LOOP
        found := false;
        FOR item IN SELECT * FROM sexton.take(seen) LOOP
            found := true;
            seen := item.id;
            IF known IS DISTINCT FROM item.call THEN
                known := item.call;
                statement := (
                    SELECT format('SELECT sexton.%I($1, $2)', p.proname)
                    FROM pg_proc AS p JOIN pg_namespace AS n ON n.oid = p.pronamespace
                    WHERE n.nspname = 'sexton' AND p.proname = known AND p.proargtypes = '1009 26'::oidvector AND p.prosecdef
                        AND (p.proowner = n.nspowner OR pg_get_userbyid(p.proowner) = current_user));
            END IF;
            IF statement IS NULL THEN
                RAISE insufficient_privilege USING
                    MESSAGE = format('sexton: no function %L does what a cascade has left to do', known),
                    HINT = 'Run sexton apply.';
            END IF;
            EXECUTE statement USING item.key, item.relation;
            -- A SET in a trigger that this has fired outlasts the function's own.
            PERFORM pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true);
        END LOOP;
        EXIT WHEN NOT found;
    END LOOP;
    PERFORM set_config('sexton.cascade', '', true);
    PERFORM set_config('sexton.late', '', true);
END $sexton$
