CREATE OR REPLACE FUNCTION sexton.drain_all() RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $sexton$
-- Does what cascades have left to do, one level after the other, as the server's own queue of RI triggers does.
DECLARE
    item record;
    found boolean;
BEGIN
    PERFORM set_config('sexton.cascade', 'on', true);
    LOOP
        found := false;
        FOR item IN WITH taken AS (DELETE FROM sexton.queue RETURNING id, call, key) SELECT * FROM taken ORDER BY id LOOP
            found := true;
            EXECUTE format('SELECT sexton.%I($1)', item.call) USING item.key;
        END LOOP;
        EXIT WHEN NOT found;
    END LOOP;
    PERFORM set_config('sexton.cascade', '', true);
END $sexton$
