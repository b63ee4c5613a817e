CREATE OR REPLACE FUNCTION sexton.fingerprint() RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $sexton$
-- The same for statements that differ in constants, comments and white space only.
SELECT left(md5(lower(btrim(regexp_replace(regexp_replace(regexp_replace(
    current_query(), '/\*.*?\*/|--[^\n]*', ' ', 'g'), '''(?:[^'']|'''')*''|\m[0-9][0-9.]*', '?', 'g'), '\s+', ' ', 'g')))), 16)
$sexton$
