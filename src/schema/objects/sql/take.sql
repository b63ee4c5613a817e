CREATE OR REPLACE FUNCTION sexton.take(seen bigint) RETURNS TABLE (id bigint, call text, key text[], relation oid)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
SET enable_seqscan = off SET enable_bitmapscan = off AS $sexton$
-- What this transaction has queued since, in order. What it has taken before is still there, dead, and so are other
-- transactions' rows: a plan made while the table was empty would read them all each time.
BEGIN
    RETURN QUERY WITH taken AS (
        DELETE FROM sexton.queue AS q WHERE q.txid = pg_current_xact_id() AND q.id > seen
        RETURNING q.id, q.call, q.key, q.relation
    ) SELECT * FROM taken ORDER BY taken.id;
END $sexton$
