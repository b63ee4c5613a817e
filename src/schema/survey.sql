WITH RECURSIVE
-- Whoever owns schema sexton and what is in it, or will: a superuser takes it over from any other role.
own AS (
    SELECT r.rolname AS owner, r.rolsuper OR r.rolbypassrls AS bypasses, coalesce(h.rolname, u.rolname) AS holder,
        pg_catalog.pg_has_role(u.oid, coalesce(h.oid, u.oid), 'MEMBER') AS is_member, u.rolsuper AS is_superuser
    FROM pg_catalog.pg_roles u
    LEFT JOIN pg_catalog.pg_namespace n ON n.nspname = 'sexton'
    LEFT JOIN pg_catalog.pg_roles h ON h.oid = n.nspowner
    JOIN pg_catalog.pg_roles r ON r.oid = CASE WHEN h.oid IS NULL OR u.rolsuper AND NOT h.rolsuper THEN u.oid ELSE h.oid END
    WHERE u.rolname = current_user
),
-- What a domain is made of.
base_type AS (
    SELECT t.oid, t.oid AS base, t.typtype, t.typbasetype FROM pg_catalog.pg_type t WHERE t.typtype <> 'd'
    UNION ALL
    SELECT d.oid, l.base, d.typtype, d.typbasetype
    FROM base_type l JOIN pg_catalog.pg_type d ON d.typbasetype = l.oid AND d.typtype = 'd'
),
tables AS (
    SELECT c.*, n.nspname
    FROM pg_catalog.pg_class c
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p', 'f') AND c.relpersistence <> 't'
      AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')
),
table_json AS (
    SELECT t.nspname, t.relname, pg_catalog.json_build_object(
        'oid', t.oid::pg_catalog.int8,
        'schema', t.nspname,
        'name', t.relname,
        'kind', t.relkind,
        'owner', pg_catalog.pg_get_userbyid(t.relowner),
        'is_partition', t.relispartition,
        'parents', (
            SELECT coalesce(pg_catalog.json_agg(i.inhparent::pg_catalog.int8 ORDER BY i.inhseqno), '[]')
            FROM pg_catalog.pg_inherits i WHERE i.inhrelid = t.oid),
        'columns', (
            SELECT coalesce(pg_catalog.json_agg(pg_catalog.json_build_object(
                'name', a.attname,
                'type_name', pg_catalog.format_type(a.atttypid, a.atttypmod),
                'base_type', pg_catalog.format_type(b.oid, -1),
                'is_builtin', m.nspname = 'pg_catalog',
                'type_schema', CASE WHEN b.typtype = 'b' AND b.typelem = 0 AND m.nspname <> 'pg_catalog' THEN m.nspname END,
                'not_null', a.attnotnull,
                'generated', a.attgenerated <> '',
                'identity', a.attidentity <> '',
                'default', CASE WHEN a.attgenerated = '' THEN pg_catalog.pg_get_expr(d.adbin, d.adrelid) END)
                ORDER BY a.attnum), '[]')
            FROM pg_catalog.pg_attribute a
            LEFT JOIN pg_catalog.pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
            JOIN base_type l ON l.oid = a.atttypid
            JOIN pg_catalog.pg_type b ON b.oid = l.base
            JOIN pg_catalog.pg_namespace m ON m.oid = b.typnamespace
            WHERE a.attrelid = t.oid AND a.attnum > 0 AND NOT a.attisdropped),
        'partition_key', (
            SELECT coalesce(pg_catalog.json_agg(a.attname ORDER BY k.place), '[]')
            FROM pg_catalog.pg_partitioned_table p
            CROSS JOIN LATERAL pg_catalog.unnest(p.partattrs::pg_catalog.int2[]) WITH ORDINALITY k (attnum, place)
            JOIN pg_catalog.pg_attribute a ON a.attrelid = t.oid AND a.attnum = k.attnum
            WHERE p.partrelid = t.oid),
        'replica_identity', t.relreplident,
        'row_security', t.relrowsecurity,
        'forces_row_security', t.relrowsecurity AND t.relforcerowsecurity,
        'hides_rows', t.relrowsecurity AND NOT o.bypasses
            AND (t.relforcerowsecurity OR NOT pg_catalog.pg_has_role(o.owner, t.relowner, 'USAGE')),
        'rows_estimate', t.reltuples::pg_catalog.int8) AS body
    FROM tables t CROSS JOIN own o
),
index_json AS (
    SELECT t.nspname, c.relname, pg_catalog.json_build_object(
        'oid', c.oid::pg_catalog.int8,
        'table', i.indrelid::pg_catalog.int8,
        'name', c.relname,
        'keys', (
            SELECT pg_catalog.json_agg(pg_catalog.pg_get_indexdef(i.indexrelid, k, true) ORDER BY k)
            FROM pg_catalog.generate_series(1, i.indnkeyatts) k),
        'columns', CASE WHEN i.indexprs IS NULL THEN (
            SELECT pg_catalog.json_agg(a.attname ORDER BY k.place)
            FROM pg_catalog.unnest(i.indkey::pg_catalog.int2[]) WITH ORDINALITY k (attnum, place)
            JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum
            WHERE k.place <= i.indnkeyatts) END,
        'is_unique', i.indisunique,
        'is_primary', i.indisprimary,
        'is_valid', i.indisvalid,
        'nulls_not_distinct', coalesce((pg_catalog.to_jsonb(i) ->> 'indnullsnotdistinct')::pg_catalog.bool, false),
        'predicate', pg_catalog.pg_get_expr(i.indpred, i.indrelid),
        'is_constraint', x.oid IS NOT NULL,
        'constraint_definition', pg_catalog.pg_get_constraintdef(x.oid),
        'is_deferrable', coalesce(x.condeferrable, false),
        'is_exclusion', coalesce(x.contype = 'x', false),
        'is_referenced', r.conindid IS NOT NULL,
        'is_replica_identity', i.indisreplident,
        'is_partition', c.relispartition,
        'tablespace', (SELECT s.spcname FROM pg_catalog.pg_tablespace s WHERE s.oid = c.reltablespace),
        'comment', coalesce(
            pg_catalog.obj_description(x.oid, 'pg_constraint'), pg_catalog.obj_description(c.oid, 'pg_class')),
        'definition', pg_catalog.pg_get_indexdef(i.indexrelid)) AS body
    FROM pg_catalog.pg_index i
    JOIN tables t ON t.oid = i.indrelid
    JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid
    LEFT JOIN pg_catalog.pg_constraint x ON x.conindid = i.indexrelid AND x.contype IN ('p', 'u', 'x')
    -- No index of the catalog leads from an index to its constraints: asked at once for all.
    LEFT JOIN (SELECT DISTINCT f.conindid FROM pg_catalog.pg_constraint f WHERE f.contype = 'f') r
        ON r.conindid = i.indexrelid
),
key_json AS (
    SELECT t.nspname, t.relname, x.conname, pg_catalog.json_build_object(
        'oid', x.oid::pg_catalog.int8,
        'name', x.conname,
        'child', x.conrelid::pg_catalog.int8,
        'parent', x.confrelid::pg_catalog.int8,
        'columns', (
            SELECT pg_catalog.json_agg(a.attname ORDER BY k.place)
            FROM pg_catalog.unnest(x.conkey) WITH ORDINALITY k (attnum, place)
            JOIN pg_catalog.pg_attribute a ON a.attrelid = x.conrelid AND a.attnum = k.attnum),
        'referenced', (
            SELECT pg_catalog.json_agg(a.attname ORDER BY k.place)
            FROM pg_catalog.unnest(x.confkey) WITH ORDINALITY k (attnum, place)
            JOIN pg_catalog.pg_attribute a ON a.attrelid = x.confrelid AND a.attnum = k.attnum),
        'equals_child', (
            SELECT pg_catalog.json_agg(pg_catalog.format('OPERATOR(%I.%s)', n.nspname, o.oprname) ORDER BY k.place)
            FROM pg_catalog.unnest(x.conpfeqop) WITH ORDINALITY k (operator, place)
            JOIN pg_catalog.pg_operator o ON o.oid = k.operator
            JOIN pg_catalog.pg_namespace n ON n.oid = o.oprnamespace),
        'equals_parent', (
            SELECT pg_catalog.json_agg(pg_catalog.format('OPERATOR(%I.%s)', n.nspname, o.oprname) ORDER BY k.place)
            FROM pg_catalog.unnest(x.conppeqop) WITH ORDINALITY k (operator, place)
            JOIN pg_catalog.pg_operator o ON o.oid = k.operator
            JOIN pg_catalog.pg_namespace n ON n.oid = o.oprnamespace),
        'on_delete', x.confdeltype,
        'on_update', x.confupdtype,
        -- The column is there from 15 on.
        'set_columns', (
            SELECT coalesce(pg_catalog.json_agg(a.attname ORDER BY k.place), '[]')
            FROM pg_catalog.json_array_elements_text(CASE
                WHEN pg_catalog.json_typeof(pg_catalog.to_json(x) -> 'confdelsetcols') = 'array'
                THEN pg_catalog.to_json(x) -> 'confdelsetcols' ELSE '[]' END) WITH ORDINALITY k (attnum, place)
            JOIN pg_catalog.pg_attribute a ON a.attrelid = x.conrelid AND a.attnum = k.attnum::pg_catalog.int2),
        'match_full', x.confmatchtype = 'f',
        'is_deferrable', x.condeferrable,
        'is_deferred', x.condeferred,
        'is_valid', x.convalidated) AS body
    FROM pg_catalog.pg_constraint x
    JOIN tables t ON t.oid = x.conrelid
    -- What is not enforced, from 18 on, only says what should be.
    WHERE x.contype = 'f' AND x.conparentid = 0 AND coalesce(pg_catalog.to_json(x) ->> 'conenforced', 'true') = 'true'
),
check_json AS (
    SELECT t.nspname, t.relname, x.conname, pg_catalog.json_build_object(
        'table', x.conrelid::pg_catalog.int8,
        'name', x.conname,
        'columns', (
            SELECT coalesce(pg_catalog.json_agg(a.attname ORDER BY a.attnum), '[]')
            FROM pg_catalog.pg_attribute a WHERE a.attrelid = x.conrelid AND a.attnum = ANY (x.conkey)),
        'expression', pg_catalog.pg_get_expr(x.conbin, x.conrelid),
        'is_plain', NOT EXISTS (
            -- What is the server's own has no dependencies; an enum has nothing but values.
            SELECT FROM pg_catalog.pg_depend d LEFT JOIN pg_catalog.pg_type y ON y.oid = d.refobjid
            WHERE d.classid = 'pg_catalog.pg_constraint'::pg_catalog.regclass AND d.objid = x.oid
              AND d.refobjid <> x.conrelid
              AND NOT (d.refclassid = 'pg_catalog.pg_type'::pg_catalog.regclass AND y.typtype = 'e'))
        AND NOT EXISTS (
            -- Of the server's functions some run a text as SQL, or read files: these change with time, or give XML.
            SELECT FROM pg_catalog.regexp_matches(x.conbin::pg_catalog.text, ':funcid (\d+)', 'g') f (id)
            JOIN pg_catalog.pg_proc p ON p.oid = f.id[1]::pg_catalog.oid
            WHERE p.provolatile = 'v' OR p.prorettype = 'pg_catalog.xml'::pg_catalog.regtype)
        AND NOT EXISTS (
            SELECT FROM pg_catalog.pg_attribute a
            JOIN pg_catalog.pg_type y ON y.oid = a.atttypid
            WHERE a.attrelid = x.conrelid AND a.attnum = ANY (x.conkey)
              AND y.typnamespace <> 'pg_catalog'::pg_catalog.regnamespace
              AND (y.typtype <> 'e' OR EXISTS (
                SELECT FROM pg_catalog.pg_cast k WHERE k.casttarget = y.oid AND k.castfunc <> 0))),
        'is_valid', x.convalidated) AS body
    FROM pg_catalog.pg_constraint x
    JOIN tables t ON t.oid = x.conrelid
    -- Those that a parent table hands down are its own.
    WHERE x.contype = 'c' AND x.coninhcount = 0
),
publication_json AS (
    SELECT t.nspname, t.relname, p.pubname, pg_catalog.json_build_object(
        'table', t.oid::pg_catalog.int8,
        'name', p.pubname,
        'updates', p.pubupdate,
        'deletes', p.pubdelete,
        -- A list of columns is there from 15 on.
        'columns', (
            SELECT pg_catalog.json_agg(a.attname ORDER BY a.attnum)
            FROM pg_catalog.jsonb_array_elements_text(
                nullif(pg_catalog.to_jsonb(r) -> 'prattrs', 'null')) k (attnum)
            JOIN pg_catalog.pg_attribute a ON a.attrelid = t.oid AND a.attnum = k.attnum::pg_catalog.int2)) AS body
    FROM pg_catalog.pg_publication_tables l
    JOIN pg_catalog.pg_publication p ON p.pubname = l.pubname
    JOIN tables t ON t.nspname = l.schemaname AND t.relname = l.tablename
    LEFT JOIN pg_catalog.pg_publication_rel r ON r.prpubid = p.oid AND r.prrelid = t.oid
),
trigger_json AS (
    SELECT t.nspname, t.relname, g.tgname, pg_catalog.json_build_object(
        'table', g.tgrelid::pg_catalog.int8,
        'name', g.tgname,
        'function_schema', n.nspname,
        'function', p.proname,
        'on_delete', g.tgtype::pg_catalog.int4 & 8 <> 0,
        'on_update', g.tgtype::pg_catalog.int4 & 16 <> 0,
        'on_truncate', g.tgtype::pg_catalog.int4 & 32 <> 0,
        -- TRIGGER_TYPE_ROW and TRIGGER_TYPE_BEFORE
        'is_before_row', g.tgtype::pg_catalog.int4 & 3 = 3,
        'sets_path', EXISTS (SELECT FROM pg_catalog.unnest(p.proconfig) s WHERE s LIKE 'search_path=%'),
        'is_enabled', g.tgenabled IN ('O', 'A'),
        'comment', pg_catalog.obj_description(g.oid, 'pg_trigger'),
        'definition', pg_catalog.pg_get_triggerdef(g.oid, true)) AS body
    FROM pg_catalog.pg_trigger g
    JOIN tables t ON t.oid = g.tgrelid
    JOIN pg_catalog.pg_proc p ON p.oid = g.tgfoid
    JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
    -- A partition's copy belongs to the trigger on its parent.
    WHERE NOT g.tgisinternal AND g.tgparentid = 0
),
own_relation_json AS (
    SELECT c.relname, pg_catalog.json_build_object(
        'name', c.relname,
        'kind', c.relkind,
        'owner', pg_catalog.pg_get_userbyid(c.relowner),
        'strange', ARRAY(
            SELECT 'not a plain table' WHERE c.relkind <> 'r' UNION ALL
            SELECT 'trigger ' || g.tgname FROM pg_catalog.pg_trigger g
            JOIN pg_catalog.pg_proc p ON p.oid = g.tgfoid
            WHERE g.tgrelid = c.oid AND NOT g.tgisinternal
              AND NOT (p.pronamespace = c.relnamespace AND p.proname IN ('drain_late', 'settle') AND g.tgqual IS NULL)
            UNION ALL
            SELECT 'rule ' || r.rulename FROM pg_catalog.pg_rewrite r WHERE r.ev_class = c.oid UNION ALL
            SELECT 'policy ' || p.polname FROM pg_catalog.pg_policy p WHERE p.polrelid = c.oid UNION ALL
            SELECT 'constraint ' || x.conname FROM pg_catalog.pg_constraint x
            WHERE x.conrelid = c.oid AND x.contype NOT IN ('p', 'u', 'n', 't') UNION ALL
            SELECT 'index ' || l.relname FROM pg_catalog.pg_index i
            JOIN pg_catalog.pg_class l ON l.oid = i.indexrelid
            WHERE i.indrelid = c.oid AND (i.indexprs IS NOT NULL OR i.indpred IS NOT NULL) UNION ALL
            SELECT 'default of ' || a.attname FROM pg_catalog.pg_attrdef d
            JOIN pg_catalog.pg_attribute a ON a.attrelid = d.adrelid AND a.attnum = d.adnum
            WHERE d.adrelid = c.oid AND pg_catalog.regexp_replace(pg_catalog.pg_get_expr(d.adbin, d.adrelid),
                '^pg_catalog[.]', '') NOT IN ('now()', 'pg_current_xact_id()') UNION ALL
            SELECT 'column ' || a.attname FROM pg_catalog.pg_attribute a
            JOIN pg_catalog.pg_type y ON y.oid = a.atttypid
            WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
              AND y.typnamespace <> 'pg_catalog'::pg_catalog.regnamespace UNION ALL
            SELECT DISTINCT 'inheritance' FROM pg_catalog.pg_inherits i WHERE c.oid IN (i.inhrelid, i.inhparent)),
        'grants', (
            SELECT coalesce(pg_catalog.json_agg(DISTINCT pg_catalog.jsonb_build_object(
                'role', CASE a.grantee WHEN 0 THEN 'public' ELSE pg_catalog.pg_get_userbyid(a.grantee) END,
                'privilege', a.privilege_type)), '[]')
            FROM (SELECT c.relacl AS acl UNION ALL
                SELECT b.attacl FROM pg_catalog.pg_attribute b WHERE b.attrelid = c.oid) r
            CROSS JOIN LATERAL pg_catalog.aclexplode(r.acl) a
            WHERE a.grantee <> c.relowner)) AS body
    FROM pg_catalog.pg_class c
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = 'sexton'
),
routine_json AS (
    SELECT p.proname, pg_catalog.oidvectortypes(p.proargtypes) AS arguments, pg_catalog.json_build_object(
        'name', p.proname,
        'arguments', pg_catalog.oidvectortypes(p.proargtypes),
        'owner', pg_catalog.pg_get_userbyid(p.proowner),
        'source', p.prosrc,
        'is_definer', p.prosecdef,
        'search_path', (
            SELECT pg_catalog.substr(s, pg_catalog.length('search_path=') + 1) FROM pg_catalog.unnest(p.proconfig) s
            WHERE s LIKE 'search_path=%'),
        'callers', (
            SELECT coalesce(pg_catalog.json_agg(r.rolname ORDER BY r.rolname), '[]')
            FROM pg_catalog.aclexplode(coalesce(p.proacl, pg_catalog.acldefault('f', p.proowner))) a
            JOIN pg_catalog.pg_roles r ON r.oid = a.grantee),
        'is_public', EXISTS (
            SELECT FROM pg_catalog.aclexplode(coalesce(p.proacl, pg_catalog.acldefault('f', p.proowner))) a
            WHERE a.grantee = 0)) AS body
    FROM pg_catalog.pg_proc p
    JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
    WHERE n.nspname = 'sexton'
)
SELECT pg_catalog.json_build_object(
    'server_version', pg_catalog.current_setting('server_version_num')::pg_catalog.int4,
    'tables', (SELECT coalesce(pg_catalog.json_agg(body ORDER BY nspname, relname), '[]') FROM table_json),
    'indexes', (SELECT coalesce(pg_catalog.json_agg(body ORDER BY nspname, relname), '[]') FROM index_json),
    'foreign_keys', (SELECT coalesce(pg_catalog.json_agg(body ORDER BY nspname, relname, conname), '[]') FROM key_json),
    'checks', (SELECT coalesce(pg_catalog.json_agg(body ORDER BY nspname, relname, conname), '[]') FROM check_json),
    'publications', (
        SELECT coalesce(pg_catalog.json_agg(body ORDER BY nspname, relname, pubname), '[]') FROM publication_json),
    'triggers', (SELECT coalesce(pg_catalog.json_agg(body ORDER BY nspname, relname, tgname), '[]') FROM trigger_json),
    'creators', (
        SELECT coalesce(pg_catalog.json_object_agg(n.nspname, ARRAY(
            SELECT r.rolname FROM pg_catalog.pg_roles r
            WHERE NOT r.rolsuper AND r.rolname <> 'pg_database_owner'
              AND pg_catalog.has_schema_privilege(r.oid, n.oid, 'CREATE') ORDER BY 1)), '{}')
        FROM pg_catalog.pg_namespace n WHERE n.nspname !~ '^pg_'),
    'superusers', ARRAY(SELECT r.rolname FROM pg_catalog.pg_roles r WHERE r.rolsuper ORDER BY 1),
    'asker', current_user,
    'database_owner', (
        SELECT pg_catalog.pg_get_userbyid(d.datdba) FROM pg_catalog.pg_database d
        WHERE d.datname = pg_catalog.current_database()),
    'own_owner', (SELECT o.owner FROM own o),
    'own_holder', (SELECT o.holder FROM own o),
    'is_member', (SELECT o.is_member FROM own o),
    'own_creators', (
        SELECT coalesce(pg_catalog.json_agg(DISTINCT
            CASE a.grantee WHEN 0 THEN 'public' ELSE pg_catalog.pg_get_userbyid(a.grantee) END), '[]')
        FROM pg_catalog.pg_namespace n CROSS JOIN LATERAL pg_catalog.aclexplode(n.nspacl) a
        WHERE n.nspname = 'sexton' AND a.privilege_type = 'CREATE' AND a.grantee <> n.nspowner),
    'own_relations', (SELECT coalesce(pg_catalog.json_agg(body ORDER BY relname), '[]') FROM own_relation_json),
    'own_routines', (SELECT coalesce(pg_catalog.json_agg(body ORDER BY proname, arguments), '[]') FROM routine_json),
    'is_superuser', (SELECT o.is_superuser FROM own o),
    'has_own_schema', EXISTS (SELECT FROM pg_catalog.pg_namespace WHERE nspname = 'sexton')
)::pg_catalog.text
