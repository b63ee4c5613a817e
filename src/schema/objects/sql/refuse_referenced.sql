CREATE OR REPLACE FUNCTION sexton.refuse_referenced(
    name text, child oid, referenced oid, columns text[], key text[], restricts boolean
) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $sexton$
-- The server's own error for a row that others point to; RESTRICT has words of its own from 18 on.
DECLARE
    exact constant text := sexton.constraint_name(name, child, child, referenced);
    shown constant text := sexton.shown_key(referenced, columns, key);
    owner name; writes name; target name;
    own_words constant boolean := restricts AND current_setting('server_version_num')::int >= 180000;
BEGIN
    SELECT n.nspname, c.relname INTO owner, writes FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
        WHERE c.oid = child;
    SELECT relname INTO target FROM pg_class WHERE oid = referenced;
    RAISE EXCEPTION USING
        ERRCODE = CASE WHEN own_words THEN '23001' ELSE '23503' END,
        MESSAGE = format('update or delete on table "%s" violates %sforeign key constraint "%s" on table "%s"',
            target, CASE WHEN own_words THEN 'RESTRICT setting of ' ELSE '' END, exact, writes),
        DETAIL = format('%s is %sreferenced from table "%s".', shown, CASE WHEN own_words THEN '' ELSE 'still ' END, writes),
        SCHEMA = owner, TABLE = writes, CONSTRAINT = exact;
END $sexton$
