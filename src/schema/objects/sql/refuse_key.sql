CREATE OR REPLACE FUNCTION sexton.refuse_key(name text, child regclass, parent regclass) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $sexton$
-- What was made for a constraint that is no longer there neither judges nor changes a row.
BEGIN
    RAISE object_not_in_prerequisite_state USING
        MESSAGE = format('sexton: the foreign key %I of %s to %s is not there any more, or another has its name', name, child, parent),
        HINT = 'Run sexton apply.';
END $sexton$
