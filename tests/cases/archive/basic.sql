-- title: an archived row leaves the table
DELETE FROM orders WHERE id = 100; SELECT id FROM orders ORDER BY id;
-- tag: DELETE 1, SELECT 3
-- rows:
-- 101
-- 102
-- 103

-- title: an archive delete answers its count
DELETE FROM orders WHERE user_id = 1;
-- tag: DELETE 2

-- title: a second archive delete answers zero
DELETE FROM orders WHERE id = 100; DELETE FROM orders WHERE id = 100;
-- tag: DELETE 1, DELETE 0

-- title: an archive delete of everything
DELETE FROM orders;
-- tag: DELETE 4

-- title: an archive delete returns the row
DELETE FROM orders WHERE id = 100 RETURNING *;
-- tag: DELETE 1
-- rows:
-- 100 | 1 | 500

-- title: an archive delete returns expressions in their order
DELETE FROM orders o WHERE o.id < 102 RETURNING o.cents * 2 AS double, o.id;
-- tag: DELETE 2
-- rows:
-- 1000 | 100
-- 1400 | 101

-- title: an archive delete with using a soft table
DELETE FROM orders USING users WHERE users.id = orders.user_id;
-- tag: DELETE 3

-- title: an archive delete with using and returning both
DELETE FROM orders o USING users u WHERE u.id = o.user_id AND u.name = 'ann' RETURNING o.id, u.name;
-- tag: DELETE 2
-- rows:
-- 100 | ann
-- 102 | ann

-- title: an archive delete with a soft subquery
DELETE FROM orders WHERE user_id IN (SELECT id FROM users) RETURNING id;
-- tag: DELETE 3
-- rows:
-- 100
-- 101
-- 102

-- title: an archive delete inside a cte
WITH gone AS (DELETE FROM orders WHERE user_id = 1 RETURNING id, cents) SELECT sum(cents) FROM gone;
-- rows:
-- 1400

-- title: an archive delete with a cte in front
WITH doomed AS (SELECT 100 AS id) DELETE FROM orders USING doomed WHERE orders.id = doomed.id RETURNING orders.id;
-- tag: DELETE 1
-- rows:
-- 100

-- title: an archive delete that finds nothing
DELETE FROM orders WHERE id = 0;
-- tag: DELETE 0

-- title: an archive delete with a volatile condition takes each row once
DELETE FROM orders WHERE random() >= 0;
-- tag: DELETE 4

-- title: a select of an archived table needs no predicate
SELECT id FROM orders;
-- rows:
-- 100
-- 101
-- 102
-- 103

-- title: an update of an archived table needs no predicate
UPDATE orders SET cents = cents + 1 WHERE id = 100;
-- tag: UPDATE 1

-- title: the archive holds the row and who deleted it
-- not twin: the archive is the point
DELETE FROM orders WHERE id = 100; SELECT id, user_id, cents, archived_at = now() AS now, archived_by, deletion_id IS NOT NULL AS event FROM archive.orders WHERE id = 100;

-- title: the rows of one delete share one event
-- not twin: the archive is the point
DELETE FROM orders WHERE user_id = 1; SELECT count(*), count(DISTINCT deletion_id), count(DISTINCT archive_txid) FROM archive.orders WHERE id >= 100;

-- title: two deletes are two events
-- not twin: the archive is the point
DELETE FROM orders WHERE id = 100; DELETE FROM orders WHERE id = 101; SELECT count(DISTINCT deletion_id) FROM archive.orders WHERE id >= 100;
