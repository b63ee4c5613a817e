CREATE OR REPLACE FUNCTION sexton.refuse_row_security(relation regclass) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $sexton$
-- An action that does not see every row would leave some as they are, without a word.
BEGIN
    RAISE insufficient_privilege USING
        MESSAGE = format('sexton: row-level security hides rows of %s from the role %I', relation, current_user),
        HINT = 'Run sexton apply as a superuser, or as a role with BYPASSRLS.';
END $sexton$
