CREATE OR REPLACE FUNCTION sexton.refuse_absent(
    name text, child oid, referencing oid, parent oid, columns text[], key text[]
) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $sexton$
-- The server's own error for a row that points to none.
DECLARE
    exact constant text := sexton.constraint_name(name, child, referencing, parent);
    owner name; writes name; target name;
BEGIN
    SELECT n.nspname, c.relname INTO owner, writes FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
        WHERE c.oid = referencing;
    SELECT relname INTO target FROM pg_class WHERE oid = parent;
    RAISE foreign_key_violation USING
        MESSAGE = format('insert or update on table "%s" violates foreign key constraint "%s"', writes, exact),
        DETAIL = format('%s is not present in table "%s".', sexton.shown_key(referencing, columns, key), target),
        SCHEMA = owner, TABLE = writes, CONSTRAINT = exact;
END $sexton$
