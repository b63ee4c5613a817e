DECLARE
    here constant regclass := THE_TABLE;
    same text;
    names text;
    is_taken boolean;
BEGIN
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
        WHERE i.indrelid = here AND i.indisunique AND i.indpred IS NULL AND i.indexprs IS NULL
        GROUP BY i.indexrelid) AS keys;
    EXECUTE format('SELECT EXISTS (SELECT FROM %1$s AS x, (SELECT ($1::%1$s).*) AS was WHERE %2$s)', here, same)
        INTO is_taken USING image;
    IF NOT is_taken THEN
        SELECT string_agg(quote_ident(attname), ', ' ORDER BY attnum) INTO names FROM pg_attribute
            WHERE attrelid = here AND attnum > 0 AND NOT attisdropped AND attgenerated = '';
        EXECUTE format('INSERT INTO %1$s (%2$s) OVERRIDING SYSTEM VALUE SELECT %2$s FROM (SELECT ($1::%1$s).*) AS was',
            here, names) USING image;
    END IF;
END
