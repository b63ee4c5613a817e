CREATE OR REPLACE FUNCTION sexton.caller() RETURNS name
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $sexton$
-- The role that the client acts as, also where a function of another owner asks.
SELECT CASE coalesce(current_setting('role', true), 'none') WHEN 'none' THEN session_user ELSE current_setting('role')::name END
$sexton$
