CREATE OR REPLACE FUNCTION sexton.tag(name text) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $sexton$
-- The SQLCommenter tag of that name in the comments of the client's statement, URL-decoded.
DECLARE
    statement constant text := current_query();
    written text;
BEGIN
    IF position('/*' IN statement) = 0 THEN
        RETURN NULL;
    END IF;
    written := substring(statement FROM '/\*(?:[^*]|\*(?!/))*?\m' || name || E'=''((?:[^''\\\\]|\\\\.)*)''');
    IF position('%' IN written) = 0 THEN
        RETURN nullif(replace(written, '\''', ''''), '');
    END IF;
    RETURN (
        SELECT nullif(replace(convert_from(decode(string_agg(
            CASE WHEN part[1] ~ '^%..$' THEN substr(part[1], 2) ELSE encode(convert_to(part[1], 'UTF8'), 'hex') END,
            '' ORDER BY place), 'hex'), 'UTF8'), '\''', ''''), '')
        FROM regexp_matches(written, '%[0-9A-Fa-f]{2}|[^%]+|%', 'g') WITH ORDINALITY AS split (part, place));
EXCEPTION
    -- What is no UTF-8 when decoded is taken as it was written: a comment must not stop a statement.
    WHEN character_not_in_repertoire OR untranslatable_character THEN
        RETURN written;
END $sexton$
