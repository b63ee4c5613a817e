CREATE OR REPLACE FUNCTION sexton.has_event() RETURNS boolean
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $sexton$
-- This client message has begun a deletion event.
SELECT coalesce(starts_with(current_setting('sexton.event', true), extract(epoch FROM statement_timestamp())::text || '|'), false)
$sexton$
