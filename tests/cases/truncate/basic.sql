-- title: truncate marks every live row
TRUNCATE users; SELECT count(*) FROM users;
-- tag: TRUNCATE TABLE, SELECT 1
-- rows:
-- 0

-- title: truncate table in full
TRUNCATE TABLE public.posts; SELECT count(*) FROM posts;
-- tag: TRUNCATE TABLE, SELECT 1
-- rows:
-- 0

-- title: truncate archives every row
TRUNCATE orders; SELECT count(*) FROM orders;
-- tag: TRUNCATE TABLE, SELECT 1
-- rows:
-- 0

-- title: truncate of an unregistered table
TRUNCATE items;
-- unchanged
-- tag: TRUNCATE TABLE

-- title: truncate keeps the rows
-- role: support
-- not twin: the kept rows are the point
TRUNCATE users; SELECT /* sexton: scope=all */ count(*) FROM users;
