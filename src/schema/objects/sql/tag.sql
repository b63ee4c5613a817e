CREATE OR REPLACE FUNCTION sexton.tag(name text) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $sexton$
-- The SQLCommenter tag of that name, URL-decoded: in the comment at the end of the client's message, where nothing that an
-- end user has written into a constant can stand. The comment is looked for once a message, however many rows ask.
DECLARE
    message constant text := extract(epoch FROM statement_timestamp())::text || '|';
    comment text := current_setting('sexton.comment', true);
    statement text;
    written text;
BEGIN
    IF starts_with(comment, message) THEN
        comment := substr(comment, length(message) + 1);
    ELSE
        statement := rtrim(current_query(), E' \t\r\n\f\v;');
        comment := '';
        IF right(statement, 2) = '*/' THEN
            comment := reverse(split_part(substr(reverse(statement), 3), '*/', 1));
        END IF;
        PERFORM set_config('sexton.comment', message || comment, true);
    END IF;
    IF comment = '' THEN
        RETURN NULL;
    END IF;
    written := (
        SELECT pair[2]
        FROM regexp_matches(comment, E'([^\\s,=]+)=''((?:[^''\\\\]|\\\\.)*)''', 'g') WITH ORDINALITY AS found (pair, place)
        WHERE pair[1] = name ORDER BY place LIMIT 1);
    IF written IS NULL OR position('%' IN written) = 0 THEN
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
