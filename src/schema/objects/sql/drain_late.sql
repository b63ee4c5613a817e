CREATE OR REPLACE FUNCTION sexton.drain_late() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $sexton$
-- At COMMIT: whatever no statement's end has seen, such as marks that another trigger has set. Under SET CONSTRAINTS ALL
-- IMMEDIATE it comes in the middle of a cascade: that must finish its level first, and then see to it.
BEGIN
    IF current_setting('sexton.cascade', true) = 'on' THEN
        PERFORM set_config('sexton.late', 'on', true);
        RETURN NULL;
    END IF;
    PERFORM FROM sexton.queue WHERE txid = NEW.txid AND id = NEW.id;
    IF FOUND THEN
        PERFORM sexton.drain_all();
    END IF;
    RETURN NULL;
END $sexton$
