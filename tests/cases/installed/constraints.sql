-- title: the triggers that complete a foreign key are deferred with it
-- database: installed
SET CONSTRAINTS logins_account_fkey DEFERRED;
-- rewritten:
SET CONSTRAINTS logins_account_fkey, public.logins_account_fkey_sexton_c, public.logins_account_fkey_sexton_p DEFERRED;
-- tag: SET CONSTRAINTS

-- title: with its schema, and in a list
-- database: installed
SET CONSTRAINTS public.logins_account_fkey, "logins_account_fkey" IMMEDIATE;
-- rewritten:
SET CONSTRAINTS public.logins_account_fkey, "logins_account_fkey", public.logins_account_fkey_sexton_c, public.logins_account_fkey_sexton_p IMMEDIATE;
-- tag: SET CONSTRAINTS

-- title: all means the triggers too
-- database: installed
SET CONSTRAINTS ALL DEFERRED;
-- unchanged
-- tag: SET CONSTRAINTS

-- title: a constraint that nothing completes
-- database: installed
SET CONSTRAINTS lines_product_id_fkey DEFERRED;
-- unchanged
-- error: 42809

-- title: a constraint of another schema
-- database: installed
SET CONSTRAINTS billing.logins_account_fkey DEFERRED;
-- unchanged
-- error: 42704

-- title: constraints that nobody completes are left alone
SET CONSTRAINTS logins_account_fkey DEFERRED;
-- unchanged
-- tag: SET CONSTRAINTS
