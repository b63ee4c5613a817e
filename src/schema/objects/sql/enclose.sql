CREATE OR REPLACE FUNCTION sexton.enclose(kind regclass, object oid) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $sexton$
-- The schema, or something in it, belongs to whom the schema belongs to, and nobody else has a right to it, whatever
-- default privileges say: what others are to have is granted after this.
DECLARE
    heir constant oid := (SELECT nspowner FROM pg_namespace WHERE nspname = 'sexton');
    thing record;
    holder text;
BEGIN
    FOR thing IN
        -- A table, and the sequences of its columns.
        WITH things (oid) AS (
            SELECT object UNION ALL
            SELECT d.objid FROM pg_depend AS d JOIN pg_class AS s ON s.oid = d.objid AND s.relkind = 'S'
            WHERE kind = 'pg_class'::regclass AND d.classid = kind AND d.refclassid = kind AND d.refobjid = object)
        SELECT things.oid, named.type, named.identity FROM things, pg_identify_object(kind, things.oid, 0) AS named
    LOOP
        IF thing.oid = object THEN
            EXECUTE format('ALTER %s %s OWNER TO %s', thing.type, thing.identity, heir::regrole);
        END IF;
        FOR holder IN
            WITH rights (acl) AS (
                SELECT relacl FROM pg_class WHERE kind = 'pg_class'::regclass AND oid = thing.oid UNION ALL
                SELECT attacl FROM pg_attribute WHERE kind = 'pg_class'::regclass AND attrelid = thing.oid UNION ALL
                SELECT coalesce(proacl, acldefault('f', proowner)) FROM pg_proc
                WHERE kind = 'pg_proc'::regclass AND oid = thing.oid UNION ALL
                SELECT nspacl FROM pg_namespace WHERE kind = 'pg_namespace'::regclass AND oid = thing.oid)
            SELECT DISTINCT CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE a.grantee::regrole::text END
            FROM rights, aclexplode(rights.acl) AS a WHERE a.grantee <> heir
        LOOP
            EXECUTE format('REVOKE ALL ON %s %s FROM %s CASCADE', thing.type, thing.identity, holder);
        END LOOP;
    END LOOP;
END $sexton$
