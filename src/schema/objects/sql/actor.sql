CREATE OR REPLACE FUNCTION sexton.actor() RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $sexton$
SELECT coalesce(nullif(current_setting('sexton.actor', true), ''), sexton.tag('actor'), session_user::text)
$sexton$
