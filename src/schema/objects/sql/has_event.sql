CREATE OR REPLACE FUNCTION sexton.has_event() RETURNS boolean
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $sexton$
-- A statement of this client message has begun a deletion event, not a trigger for want of one.
SELECT coalesce(current_setting('sexton.event', true) LIKE extract(epoch FROM statement_timestamp())::text || '|%|t', false)
$sexton$
