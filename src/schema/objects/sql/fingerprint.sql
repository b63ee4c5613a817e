CREATE OR REPLACE FUNCTION sexton.fingerprint() RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $sexton$
-- The same for statements that differ in constants, comments and white space only; made once a message.
DECLARE
    message constant text := extract(epoch FROM statement_timestamp())::text || '|';
    made text := current_setting('sexton.fingerprint', true);
BEGIN
    IF starts_with(made, message) THEN
        RETURN substr(made, length(message) + 1);
    END IF;
    made := left(md5(lower(btrim(regexp_replace(regexp_replace(regexp_replace(
        current_query(), '/\*.*?\*/|--[^\n]*', ' ', 'g'), '''(?:[^'']|'''')*''|\m[0-9][0-9.]*', '?', 'g'), '\s+', ' ', 'g')))), 16);
    PERFORM set_config('sexton.fingerprint', message || made, true);
    RETURN made;
END $sexton$
