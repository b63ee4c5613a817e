-- title: a setting of the server objects
SET sexton.unkept = 'on';
-- refused: own-setting 42501

-- title: a setting of the server objects, for the transaction, in other letters
SET LOCAL Sexton.CASCADE TO 'on';
-- refused: own-setting 42501

-- title: a setting of the server objects for the session, quoted
SET SESSION "sexton"."event" TO 'x';
-- refused: own-setting 42501

-- title: a setting of the server objects whose name is one quoted word
SET "sexton.unkept" = 'on';
-- refused: own-setting 42501

-- title: a setting that is not there yet is kept free too
SET sexton.whatever = 'on';
-- refused: own-setting 42501

-- title: a setting whose name is written by escapes
SET U&"\0073exton".unkept = 'on';
-- refused: own-setting 42501

-- title: a setting of the server objects is given back
RESET sexton.unkept;
-- unchanged
-- tag: RESET

-- title: actor and reason are the clients'
SET sexton.actor = 'ann'; SET LOCAL sexton.reason = 'tidying';
-- unchanged
-- tag: SET, SET

-- title: set_config of a setting of the server objects
SELECT set_config('sexton.unkept', 'on', false);
-- refused: own-setting 42501

-- title: set_config among other things
SELECT u.id, pg_catalog.set_config('SEXTON.unkept'::text, 'on', true) FROM items u;
-- refused: own-setting 42501

-- title: set_config of a setting of the server objects in a prepared statement
PREPARE unkept AS SELECT set_config($$sexton.unkept$$, $1, false);
-- refused: own-setting 42501

-- title: set_config of the actor
SELECT set_config('sexton.actor', 'ann', true);
-- unchanged
-- rows:
-- ann

-- title: set_config whose name is computed, where there are no server objects
SELECT length(set_config('app.' || 'tenant', '7', true));
-- unchanged
-- rows:
-- 1

-- title: set_config whose name is computed, where there are server objects
-- database: installed
SELECT set_config('sexton.' || 'unkept', 'on', true);
-- refused: own-setting 42501

-- title: set_config whose name is a column
-- database: installed
SELECT set_config(n, 'on', true) FROM (VALUES ('sexton.unkept')) AS v (n);
-- refused: own-setting 42501

-- title: set_config whose name is a constant, with a cast, where there are server objects
-- database: installed
SELECT set_config('app.tenant'::text, '7', true);
-- unchanged
-- rows:
-- 7

-- title: set_config whose own name is written by escapes
-- database: installed
SELECT U&"set!005fconfig" UESCAPE '!' ('sexton.unkept', 'on', true);
-- refused: unreadable 0A000

-- title: who may delete for good may set it
-- role: dba
-- database: installed
SET LOCAL sexton.unkept = 'on'; SELECT set_config('sexton.' || 'unkept', '', true);
-- unchanged
-- tag: SET, SELECT 1
-- rows:
-- 

-- title: a setting of the server objects for a role
ALTER ROLE app SET sexton.unkept = 'on';
-- refused: own-setting 42501

-- title: a setting of the server objects for a database
ALTER DATABASE cases SET sexton.unkept TO 'on';
-- refused: own-setting 42501

-- title: a setting of the server objects is taken back from a role
ALTER ROLE app RESET sexton.unkept;
-- unchanged
-- tag: ALTER ROLE

-- title: a function that sets one
CREATE FUNCTION f() RETURNS int LANGUAGE sql SET sexton.unkept = 'on' AS 'SELECT 1';
-- refused: own-setting 42501

-- title: a block that sets one
DO $$BEGIN SET LOCAL sexton.unkept = 'on'; END$$;
-- refused: opaque 0A000

-- title: a function of schema sexton that the search path leads to
-- database: installed
-- path: sexton, public
DROP FUNCTION event(boolean) CASCADE;
-- refused: own-objects 42501

-- title: a table of schema sexton that the search path leads to
-- database: installed
-- path: public, sexton
DROP TABLE deletions;
-- refused: own-objects 42501

-- title: the same names where the search path does not lead there
-- database: installed
DROP TABLE IF EXISTS deletions;
-- unchanged
-- tag: DROP TABLE
