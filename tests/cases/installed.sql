-- What `sexton apply` would put into the database of the cases, as far as statements are rewritten by it: triggers by
-- their names, unique indexes over live rows. The functions that statements call are there already, from src/schema/.
ALTER TABLE accounts DROP CONSTRAINT accounts_email_key;
CREATE UNIQUE INDEX accounts_email_key ON accounts (email) WHERE deleted_at IS NULL;
DROP INDEX accounts_handle;
CREATE UNIQUE INDEX accounts_handle ON accounts (tenant, lower(handle)) WHERE deleted_at IS NULL;

CREATE FUNCTION sexton.nothing() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$;
CREATE CONSTRAINT TRIGGER logins_account_fkey_sexton_c AFTER INSERT OR UPDATE ON logins DEFERRABLE
    FOR EACH ROW EXECUTE FUNCTION sexton.nothing();
CREATE CONSTRAINT TRIGGER logins_account_fkey_sexton_p AFTER UPDATE ON accounts DEFERRABLE
    FOR EACH ROW EXECUTE FUNCTION sexton.nothing();

-- The guard: a deletion must have begun an event before its first row leaves.
CREATE FUNCTION sexton.guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT sexton.has_event() THEN
        RAISE EXCEPTION USING ERRCODE = '42501', MESSAGE = 'sexton: rows are deleted through Sexton only';
    END IF;
    RETURN OLD;
END $$;
CREATE TRIGGER sexton_guard BEFORE DELETE ON orders FOR EACH ROW EXECUTE FUNCTION sexton.guard();
CREATE TRIGGER sexton_guard BEFORE DELETE ON accounts FOR EACH ROW EXECUTE FUNCTION sexton.guard();
