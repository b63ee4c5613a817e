CREATE OR REPLACE FUNCTION sexton.shown_key(relation oid, columns text[], key text[]) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $sexton$
-- 'Key (a, b)=(1, 2)' for a role that may read the key, 'Key' for another: as the server words it.
DECLARE
    caller constant name := sexton.caller();
    hidden boolean;
BEGIN
    SELECT c.relrowsecurity AND NOT r.rolsuper AND NOT r.rolbypassrls
            AND (c.relforcerowsecurity OR NOT pg_has_role(caller, c.relowner, 'USAGE'))
        OR NOT has_table_privilege(caller, relation, 'SELECT') AND EXISTS (
            SELECT FROM unnest(columns) AS one WHERE NOT has_column_privilege(caller, relation, one, 'SELECT'))
        INTO hidden
        FROM pg_class AS c, pg_roles AS r WHERE c.oid = relation AND r.rolname = caller;
    IF hidden THEN
        RETURN 'Key';
    END IF;
    RETURN format('Key (%s)=(%s)', array_to_string(columns, ', '), array_to_string(key, ', ', 'null'));
END $sexton$
