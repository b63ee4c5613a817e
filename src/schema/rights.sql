WITH
tables AS (
    SELECT c.* FROM pg_catalog.pg_class c WHERE c.oid = ANY ($1::pg_catalog.oid[])
),
-- Whom an access control list names, and the owner; 0 is PUBLIC. Superusers need no list.
named AS (
    SELECT t.oid AS relation, a.grantee FROM tables t CROSS JOIN LATERAL pg_catalog.aclexplode(t.relacl) a
    UNION
    SELECT t.oid, a.grantee FROM tables t
    JOIN pg_catalog.pg_attribute c ON c.attrelid = t.oid AND c.attnum > 0 AND NOT c.attisdropped
    CROSS JOIN LATERAL pg_catalog.aclexplode(c.attacl) a
    UNION
    SELECT t.oid, t.relowner FROM tables t
    UNION
    SELECT t.oid, r.oid FROM tables t JOIN pg_catalog.pg_roles r ON r.rolname = $2::pg_catalog.text
),
-- Each of them and each table: what a role may do with one may come from another's rights.
role AS (
    SELECT t.oid AS relation, CASE WHEN g.grantee = 0 THEN 'public' ELSE r.rolname END::pg_catalog.name AS name,
        EXISTS (SELECT FROM named n WHERE n.relation = t.oid AND n.grantee = g.grantee) AS is_named
    FROM (SELECT DISTINCT n.grantee FROM named n) g
    CROSS JOIN tables t
    LEFT JOIN pg_catalog.pg_roles r ON r.oid = g.grantee
    WHERE g.grantee = 0 OR NOT r.rolsuper
),
right_json AS (
    SELECT role.relation, role.name, pg_catalog.json_build_object(
        'table', role.relation::pg_catalog.int8,
        'role', role.name,
        'is_named', role.is_named,
        'uses_schema', pg_catalog.has_schema_privilege(role.name, t.relnamespace, 'USAGE'),
        'inserts', pg_catalog.has_table_privilege(role.name, t.oid, 'INSERT'),
        'deletes', pg_catalog.has_table_privilege(role.name, t.oid, 'DELETE'),
        'selects_all', pg_catalog.has_table_privilege(role.name, t.oid, 'SELECT'),
        'updates_all', pg_catalog.has_table_privilege(role.name, t.oid, 'UPDATE'),
        'selects', (
            SELECT coalesce(pg_catalog.json_agg(a.attname ORDER BY a.attnum), '[]') FROM pg_catalog.pg_attribute a
            WHERE a.attrelid = t.oid AND a.attnum > 0 AND NOT a.attisdropped
              AND pg_catalog.has_column_privilege(role.name, t.oid, a.attnum, 'SELECT')),
        'updates', (
            SELECT coalesce(pg_catalog.json_agg(a.attname ORDER BY a.attnum), '[]') FROM pg_catalog.pg_attribute a
            WHERE a.attrelid = t.oid AND a.attnum > 0 AND NOT a.attisdropped
              AND pg_catalog.has_column_privilege(role.name, t.oid, a.attnum, 'UPDATE'))) AS body
    FROM role JOIN tables t ON t.oid = role.relation
),
policy_json AS (
    SELECT p.polrelid, p.polname, pg_catalog.json_build_object(
        'table', p.polrelid::pg_catalog.int8,
        'name', p.polname,
        'command', p.polcmd,
        'roles', (
            SELECT pg_catalog.json_agg(CASE WHEN m.oid = 0 THEN 'public' ELSE pg_catalog.pg_get_userbyid(m.oid) END
                ORDER BY m.oid)
            FROM pg_catalog.unnest(p.polroles) m (oid)),
        'using', pg_catalog.pg_get_expr(p.polqual, p.polrelid),
        'check', pg_catalog.pg_get_expr(p.polwithcheck, p.polrelid)) AS body
    FROM pg_catalog.pg_policy p
    JOIN tables t ON t.oid = p.polrelid AND t.relrowsecurity
)
SELECT pg_catalog.json_build_object(
    'rights', (SELECT coalesce(pg_catalog.json_agg(body ORDER BY relation, name), '[]') FROM right_json),
    'policies', (SELECT coalesce(pg_catalog.json_agg(body ORDER BY polrelid, polname), '[]') FROM policy_json),
    'own_role_bypasses', coalesce((
        SELECT r.rolsuper OR r.rolbypassrls FROM pg_catalog.pg_roles r WHERE r.rolname = $2::pg_catalog.text), false)
)::pg_catalog.text
