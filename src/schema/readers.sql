WITH
named AS (
    SELECT c.oid, c.relkind, c.reloptions, c.relrowsecurity, n.nspname, c.relname
    FROM pg_catalog.pg_class c
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relpersistence <> 't'
      AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast', 'sexton')
),
-- What an extension brings along is the extension's.
extended AS (
    SELECT d.classid, d.objid FROM pg_catalog.pg_depend d
    WHERE d.deptype = 'e' AND d.refclassid = 'pg_catalog.pg_extension'::pg_catalog.regclass
),
view_json AS (
    SELECT v.nspname, v.relname, pg_catalog.json_build_object(
        'schema', v.nspname,
        'name', v.relname,
        'is_materialized', v.relkind = 'm',
        'reads', (
            SELECT coalesce(pg_catalog.json_agg(DISTINCT d.refobjid::pg_catalog.int8), '[]')
            FROM pg_catalog.pg_rewrite r
            JOIN pg_catalog.pg_depend d ON d.objid = r.oid
                AND d.classid = 'pg_catalog.pg_rewrite'::pg_catalog.regclass
                AND d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass
            WHERE r.ev_class = v.oid AND r.ev_type = '1' AND d.refobjid <> v.oid),
        'options', coalesce(pg_catalog.to_json(v.reloptions), '[]'),
        'definition', pg_catalog.pg_get_viewdef(v.oid, true)) AS body
    FROM named v
    WHERE v.relkind IN ('v', 'm')
      AND NOT EXISTS (
        SELECT FROM extended e WHERE e.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND e.objid = v.oid)
),
rule_json AS (
    SELECT t.nspname, t.relname, r.rulename, pg_catalog.json_build_object(
        'relation', t.oid::pg_catalog.int8,
        'schema', t.nspname,
        'relation_name', t.relname,
        'name', r.rulename,
        'on_delete', r.ev_type = '4',
        'on_update', r.ev_type = '2',
        'definition', pg_catalog.pg_get_ruledef(r.oid, true)) AS body
    FROM pg_catalog.pg_rewrite r
    JOIN named t ON t.oid = r.ev_class
    WHERE r.ev_type <> '1' AND r.ev_enabled <> 'D'
),
policy_json AS (
    SELECT t.nspname, t.relname, p.polname, pg_catalog.json_build_object(
        'schema', t.nspname,
        'table', t.relname,
        'name', p.polname,
        'conditions', pg_catalog.concat_ws('; ',
            pg_catalog.pg_get_expr(p.polqual, p.polrelid), pg_catalog.pg_get_expr(p.polwithcheck, p.polrelid))) AS body
    FROM pg_catalog.pg_policy p
    JOIN named t ON t.oid = p.polrelid AND t.relrowsecurity
),
routine_json AS (
    SELECT n.nspname, p.proname, p.oid, pg_catalog.json_build_object(
        'schema', n.nspname,
        'name', p.proname,
        'arguments', pg_catalog.pg_get_function_identity_arguments(p.oid),
        'is_procedure', p.prokind = 'p',
        'language', l.lanname,
        'source', CASE WHEN p.prosqlbody IS NULL THEN p.prosrc ELSE pg_catalog.pg_get_function_sqlbody(p.oid) END,
        'triggers', (
            SELECT coalesce(pg_catalog.json_agg(pg_catalog.format('%I on %I.%I', g.tgname, t.nspname, t.relname)
                ORDER BY t.nspname, t.relname, g.tgname), '[]')
            FROM pg_catalog.pg_trigger g
            JOIN named t ON t.oid = g.tgrelid
            WHERE g.tgfoid = p.oid AND NOT g.tgisinternal)) AS body
    FROM pg_catalog.pg_proc p
    JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
    JOIN pg_catalog.pg_language l ON l.oid = p.prolang
    WHERE l.lanname IN ('sql', 'plpgsql') AND p.prokind IN ('f', 'p')
      AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'sexton')
      AND NOT EXISTS (
        SELECT FROM extended e WHERE e.classid = 'pg_catalog.pg_proc'::pg_catalog.regclass AND e.objid = p.oid)
)
SELECT pg_catalog.json_build_object(
    'views', (SELECT coalesce(pg_catalog.json_agg(body ORDER BY nspname, relname), '[]') FROM view_json),
    'rules', (SELECT coalesce(pg_catalog.json_agg(body ORDER BY nspname, relname, rulename), '[]') FROM rule_json),
    'policies', (SELECT coalesce(pg_catalog.json_agg(body ORDER BY nspname, relname, polname), '[]') FROM policy_json),
    'routines', (SELECT coalesce(pg_catalog.json_agg(body ORDER BY nspname, proname, oid), '[]') FROM routine_json)
)::pg_catalog.text
