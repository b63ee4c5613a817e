CREATE OR REPLACE FUNCTION sexton.settle() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET datestyle = 'ISO, YMD' SET intervalstyle = postgres AS $sexton$
-- A dead row that made way for a row that did not come takes its place again: at the end of the statement, or at COMMIT
-- where the statement named a partition.
DECLARE
    settled oid := TG_RELID;
    same text;
    item record;
    is_taken boolean;
BEGIN
    IF settled = 'sexton.exempt'::regclass THEN
        -- After SET CONSTRAINTS ALL IMMEDIATE the row is still to come.
        IF pg_trigger_depth() > 1 THEN
            RETURN NULL;
        END IF;
        settled := NEW.relation;
    END IF;
    FOR item IN
        WITH taken AS (
            DELETE FROM sexton.exempt AS e WHERE e.txid = pg_current_xact_id_if_assigned() AND e.relation = settled
            RETURNING e.id, e.image, e.back)
        SELECT taken.image, taken.back FROM taken ORDER BY taken.id
    LOOP
        -- By the operators of its keys: ON CONFLICT does not go with those that are deferrable.
        SELECT string_agg(term, ' OR ') INTO same FROM (
            SELECT '(' || string_agg(
                format('x.%1$I OPERATOR(%2$I.%3$s) was.%1$I', a.attname, n.nspname, o.oprname), ' AND ') || ')' AS term
            FROM pg_index AS i CROSS JOIN LATERAL unnest(i.indkey::int2[], i.indclass::oid[]) AS part (attnum, class)
            JOIN pg_attribute AS a ON a.attrelid = i.indrelid AND a.attnum = part.attnum
            JOIN pg_opclass AS c ON c.oid = part.class
            JOIN pg_amop AS m ON m.amopfamily = c.opcfamily AND m.amopstrategy = 3
                AND m.amoplefttype = c.opcintype AND m.amoprighttype = c.opcintype
            JOIN pg_operator AS o ON o.oid = m.amopopr
            JOIN pg_namespace AS n ON n.oid = o.oprnamespace
            WHERE i.indrelid = settled AND i.indisunique AND i.indpred IS NULL AND i.indexprs IS NULL
            GROUP BY i.indexrelid) AS keys;
        EXECUTE format('SELECT EXISTS (SELECT FROM %1$s AS x, (SELECT ($1::%1$s).*) AS was WHERE %2$s)', settled::regclass, same)
            INTO is_taken USING item.image;
        IF NOT is_taken THEN
            EXECUTE format('SELECT sexton.%I($1)', item.back) USING item.image;
            -- A SET in a trigger that this has fired outlasts the function's own.
            PERFORM pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true);
        END IF;
    END LOOP;
    RETURN NULL;
END $sexton$
