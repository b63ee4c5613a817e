CREATE OR REPLACE FUNCTION sexton.event(is_new boolean) RETURNS uuid
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $sexton$
-- The event of a deletion: a new one, or the one this client message has begun. It is kept in a setting that ends with
-- the transaction, and goes back with a savepoint; with it, whether a rewritten statement began it.
DECLARE
    message constant text := extract(epoch FROM statement_timestamp())::text || '|';
    kept constant text := current_setting('sexton.event', true);
    fresh uuid;
BEGIN
    IF NOT is_new AND starts_with(kept, message) THEN
        RETURN split_part(kept, '|', 2)::uuid;
    END IF;
    fresh := gen_random_uuid();
    PERFORM set_config('sexton.event', format('%s%s|%s', message, fresh, is_new), true);
    RETURN fresh;
END $sexton$
