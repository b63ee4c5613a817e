CREATE OR REPLACE FUNCTION sexton.reason() RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $sexton$
SELECT coalesce(nullif(current_setting('sexton.reason', true), ''), sexton.tag('reason'))
$sexton$
