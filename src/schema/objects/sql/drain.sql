CREATE OR REPLACE FUNCTION sexton.drain() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $sexton$
-- At the end of the statement that began a cascade.
BEGIN
    IF current_setting('sexton.cascade', true) IS DISTINCT FROM 'on' THEN
        PERFORM sexton.drain_all();
    END IF;
    RETURN NULL;
END $sexton$
