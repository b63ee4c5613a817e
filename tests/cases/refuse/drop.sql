-- title: an empty registered table may be dropped
DROP TABLE /* it is empty */ shelves;
-- rewritten:
DO $sexton$DECLARE secured CONSTANT pg_catalog.text := pg_catalog.current_setting('row_security'); BEGIN LOCK TABLE shelves IN ACCESS EXCLUSIVE MODE; PERFORM pg_catalog.set_config('row_security', 'off', true); IF NOT pg_catalog.starts_with(pg_catalog.current_setting('transaction_isolation'), 'read ') OR EXISTS (SELECT FROM shelves) THEN RAISE EXCEPTION USING ERRCODE = '42501', MESSAGE = 'sexton: dropping public.shelves would destroy rows that are kept', HINT = 'A role in access.hard_delete may drop it.'; END IF; PERFORM pg_catalog.set_config('row_security', secured, true); DROP TABLE /* it is empty */ shelves; END$sexton$;
-- tag: DROP TABLE

-- title: an empty registered table may be dropped with others
DROP TABLE IF EXISTS nosuch, public.shelves CASCADE;
-- rewritten:
DO $sexton$DECLARE secured CONSTANT pg_catalog.text := pg_catalog.current_setting('row_security'); BEGIN LOCK TABLE public.shelves IN ACCESS EXCLUSIVE MODE; PERFORM pg_catalog.set_config('row_security', 'off', true); IF NOT pg_catalog.starts_with(pg_catalog.current_setting('transaction_isolation'), 'read ') OR EXISTS (SELECT FROM public.shelves) THEN RAISE EXCEPTION USING ERRCODE = '42501', MESSAGE = 'sexton: dropping public.shelves would destroy rows that are kept', HINT = 'A role in access.hard_delete may drop it.'; END IF; PERFORM pg_catalog.set_config('row_security', secured, true); DROP TABLE IF EXISTS nosuch, public.shelves CASCADE; END$sexton$;
-- tag: DROP TABLE

-- title: a registered table with live rows may not be dropped
-- not twin: its rows are kept
DROP TABLE posts;
-- rewritten:
DO $sexton$DECLARE secured CONSTANT pg_catalog.text := pg_catalog.current_setting('row_security'); BEGIN LOCK TABLE posts IN ACCESS EXCLUSIVE MODE; PERFORM pg_catalog.set_config('row_security', 'off', true); IF NOT pg_catalog.starts_with(pg_catalog.current_setting('transaction_isolation'), 'read ') OR EXISTS (SELECT FROM posts) THEN RAISE EXCEPTION USING ERRCODE = '42501', MESSAGE = 'sexton: dropping public.posts would destroy rows that are kept', HINT = 'A role in access.hard_delete may drop it.'; END IF; PERFORM pg_catalog.set_config('row_security', secured, true); DROP TABLE posts; END$sexton$;
-- error: 42501

-- title: a registered table whose rows are all deleted may not be dropped
-- not twin: its rows are kept
DROP TABLE shelves, trays;
-- rewritten:
DO $sexton$DECLARE secured CONSTANT pg_catalog.text := pg_catalog.current_setting('row_security'); BEGIN LOCK TABLE shelves IN ACCESS EXCLUSIVE MODE; LOCK TABLE trays IN ACCESS EXCLUSIVE MODE; PERFORM pg_catalog.set_config('row_security', 'off', true); IF NOT pg_catalog.starts_with(pg_catalog.current_setting('transaction_isolation'), 'read ') OR EXISTS (SELECT FROM shelves) THEN RAISE EXCEPTION USING ERRCODE = '42501', MESSAGE = 'sexton: dropping public.shelves would destroy rows that are kept', HINT = 'A role in access.hard_delete may drop it.'; END IF; IF NOT pg_catalog.starts_with(pg_catalog.current_setting('transaction_isolation'), 'read ') OR EXISTS (SELECT FROM trays) THEN RAISE EXCEPTION USING ERRCODE = '42501', MESSAGE = 'sexton: dropping public.trays would destroy rows that are kept', HINT = 'A role in access.hard_delete may drop it.'; END IF; PERFORM pg_catalog.set_config('row_security', secured, true); DROP TABLE shelves, trays; END$sexton$;
-- error: 42501

-- title: dropping a table that is not registered
DROP TABLE items;
-- unchanged
-- error: 42501

-- title: who may delete for good may drop a table with rows
-- role: dba
DROP TABLE trays;
-- unchanged
-- error: 42501

-- title: dropping a registered table with the schema it lies in
DROP SCHEMA billing CASCADE;
-- refused: drop 42501

-- title: dropping an empty table from a transaction of an older snapshot
-- not twin: nobody can tell whether it is empty
SET TRANSACTION ISOLATION LEVEL REPEATABLE READ; DROP TABLE shelves;
-- rewritten:
SET TRANSACTION ISOLATION LEVEL REPEATABLE READ; DO $sexton$DECLARE secured CONSTANT pg_catalog.text := pg_catalog.current_setting('row_security'); BEGIN LOCK TABLE shelves IN ACCESS EXCLUSIVE MODE; PERFORM pg_catalog.set_config('row_security', 'off', true); IF NOT pg_catalog.starts_with(pg_catalog.current_setting('transaction_isolation'), 'read ') OR EXISTS (SELECT FROM shelves) THEN RAISE EXCEPTION USING ERRCODE = '42501', MESSAGE = 'sexton: dropping public.shelves would destroy rows that are kept', HINT = 'A role in access.hard_delete may drop it.'; END IF; PERFORM pg_catalog.set_config('row_security', secured, true); DROP TABLE shelves; END$sexton$;
-- tag: SET
-- error: 42501

-- title: dropping a column named in the predicate
ALTER TABLE seats DROP state;
-- refused: alter 42501

-- title: dropping a marker if it is there
ALTER TABLE IF EXISTS ONLY posts DROP COLUMN IF EXISTS deleted CASCADE;
-- refused: alter 42501

-- title: dropping a marker among other changes
ALTER TABLE users ADD COLUMN age int, DROP "deleted_at";
-- refused: alter 42501

-- title: dropping another column of a registered table
ALTER TABLE shelves ADD COLUMN note text, DROP COLUMN note;
-- unchanged
-- error: 42703

-- title: giving a marker another type
ALTER TABLE users ALTER deleted_at TYPE text;
-- refused: alter 42501
