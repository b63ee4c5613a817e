CREATE OR REPLACE FUNCTION sexton.drain_late() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $sexton$
-- At COMMIT: whatever no statement's end has seen, such as marks that another trigger has set.
BEGIN
    PERFORM FROM sexton.queue WHERE txid = NEW.txid AND id = NEW.id;
    IF FOUND THEN
        PERFORM sexton.drain_all();
    END IF;
    RETURN NULL;
END $sexton$
