-- title: a reference joined on the foreign key keeps deleted rows
-- not twin: real deletes would have broken the references
SELECT l.id, p.name FROM lines l JOIN products p ON p.id = l.product_id ORDER BY l.id;
-- rewritten:
SELECT l.id, p.name FROM public.lines l JOIN products p ON p.id = l.product_id ORDER BY l.id;
-- rows:
-- 1 | pen
-- 2 | dead ink
-- 3 | cap

-- title: a reference alone stays live
-- not twin: real deletes would have broken the references
SELECT id FROM products ORDER BY id;
-- rewritten:
SELECT id FROM products WHERE products.deleted_at IS NULL ORDER BY id;
-- rows:
-- 1
-- 3

-- title: the other foreign key is not named
-- not twin: real deletes would have broken the references
SELECT l.id, p.name FROM lines l JOIN products p ON p.id = l.gift_id ORDER BY l.id;
-- rewritten:
SELECT l.id, p.name FROM lines l JOIN products p ON p.id = l.gift_id WHERE p.deleted_at IS NULL ORDER BY l.id;
-- rows:
-- 2 | pen

-- title: two references, one of them through
-- not twin: real deletes would have broken the references
SELECT l.id, p.name, g.name FROM lines l JOIN products p ON p.id = l.product_id LEFT JOIN products g ON g.id = l.gift_id ORDER BY l.id;
-- rewritten:
SELECT l.id, p.name, g.name FROM public.lines l JOIN products p ON p.id = l.product_id LEFT JOIN products g ON g.deleted_at IS NULL AND (g.id = l.gift_id) ORDER BY l.id;
-- rows:
-- 1 | pen | null
-- 2 | dead ink | pen
-- 3 | cap | null

-- title: a left join through
-- not twin: real deletes would have broken the references
SELECT l.id, p.name FROM lines l LEFT JOIN products p ON l.product_id = p.id ORDER BY l.id;
-- rewritten:
SELECT l.id, p.name FROM public.lines l LEFT JOIN products p ON l.product_id = p.id ORDER BY l.id;
-- rows:
-- 1 | pen
-- 2 | dead ink
-- 3 | cap
-- 4 | null

-- title: a right join preserves the referenced side
-- not twin: real deletes would have broken the references
SELECT l.id, p.name FROM lines l RIGHT JOIN products p ON p.id = l.product_id ORDER BY l.id, p.id;
-- rewritten:
SELECT l.id, p.name FROM lines l RIGHT JOIN products p ON p.id = l.product_id WHERE p.deleted_at IS NULL ORDER BY l.id, p.id;
-- rows:
-- 1 | pen
-- 3 | cap

-- title: a right join that preserves the referencing side
-- not twin: real deletes would have broken the references
SELECT l.id, p.name FROM products p RIGHT JOIN lines l ON p.id = l.product_id ORDER BY l.id;
-- rewritten:
SELECT l.id, p.name FROM products p RIGHT JOIN public.lines l ON p.id = l.product_id ORDER BY l.id;
-- rows:
-- 1 | pen
-- 2 | dead ink
-- 3 | cap
-- 4 | null

-- title: a left join that preserves the referenced side
-- not twin: real deletes would have broken the references
SELECT p.id, l.id FROM products p LEFT JOIN lines l ON p.id = l.product_id ORDER BY p.id, l.id;
-- rewritten:
SELECT p.id, l.id FROM products p LEFT JOIN lines l ON p.id = l.product_id WHERE p.deleted_at IS NULL ORDER BY p.id, l.id;
-- rows:
-- 1 | 1
-- 3 | 3

-- title: a full join stays live
-- not twin: real deletes would have broken the references
SELECT l.id, p.name FROM lines l FULL JOIN products p ON p.id = l.product_id ORDER BY l.id, p.id;
-- rewritten:
SELECT l.id, p.name FROM lines l FULL JOIN (SELECT * FROM public.products p WHERE p.deleted_at IS NULL) p ON p.id = l.product_id ORDER BY l.id, p.id;
-- rows:
-- 1 | pen
-- 2 | null
-- 3 | cap
-- 4 | null

-- title: a comma join through WHERE
-- not twin: real deletes would have broken the references
SELECT l.id, p.name FROM lines l, products p WHERE l.qty > 10 AND p.id = l.product_id ORDER BY l.id;
-- rewritten:
SELECT l.id, p.name FROM public.lines l, products p WHERE l.qty > 10 AND p.id = l.product_id ORDER BY l.id;
-- rows:
-- 2 | dead ink
-- 3 | cap

-- title: parentheses as frameworks write them
-- not twin: real deletes would have broken the references
SELECT "lines"."id", "products"."name" FROM "lines" INNER JOIN "products" ON ("lines"."product_id" = "products"."id") WHERE ("lines"."qty" > 5 AND ("products"."name" <> '')) ORDER BY 1;
-- rewritten:
SELECT "lines"."id", "products"."name" FROM public."lines" INNER JOIN "products" ON ("lines"."product_id" = "products"."id") WHERE ("lines"."qty" > 5 AND ("products"."name" <> '')) ORDER BY 1;
-- rows:
-- 1 | pen
-- 2 | dead ink
-- 3 | cap

-- title: a condition under OR joins nothing
-- not twin: real deletes would have broken the references
SELECT l.id, p.id FROM lines l JOIN products p ON p.id = l.product_id OR l.id = 1 ORDER BY 1, 2;
-- rewritten:
SELECT l.id, p.id FROM lines l JOIN products p ON p.id = l.product_id OR l.id = 1 WHERE p.deleted_at IS NULL ORDER BY 1, 2;
-- rows:
-- 1 | 1
-- 1 | 3
-- 3 | 3

-- title: a condition under NOT joins nothing
-- not twin: real deletes would have broken the references
SELECT l.id, p.id FROM lines l JOIN products p ON NOT p.id = l.product_id ORDER BY 1, 2;
-- rewritten:
SELECT l.id, p.id FROM lines l JOIN products p ON NOT p.id = l.product_id WHERE p.deleted_at IS NULL ORDER BY 1, 2;
-- rows:
-- 1 | 3
-- 2 | 1
-- 2 | 3
-- 3 | 1

-- title: the AND of BETWEEN separates nothing
-- not twin: real deletes would have broken the references
SELECT l.id, p.id FROM lines l JOIN products p ON true BETWEEN false AND p.id = l.product_id ORDER BY 1, 2;
-- rewritten:
SELECT l.id, p.id FROM lines l JOIN products p ON true BETWEEN false AND p.id = l.product_id WHERE p.deleted_at IS NULL ORDER BY 1, 2;
-- error: 42883

-- title: the AND of CASE separates nothing
-- not twin: real deletes would have broken the references
SELECT l.id, p.id FROM lines l JOIN products p ON CASE WHEN l.id > 0 AND p.id = l.product_id AND true THEN true ELSE true END ORDER BY 1, 2;
-- rewritten:
SELECT l.id, p.id FROM lines l JOIN products p ON CASE WHEN l.id > 0 AND p.id = l.product_id AND true THEN true ELSE true END WHERE p.deleted_at IS NULL ORDER BY 1, 2;
-- rows:
-- 1 | 1
-- 1 | 3
-- 2 | 1
-- 2 | 3
-- 3 | 1
-- 3 | 3
-- 4 | 1
-- 4 | 3

-- title: another operator joins nothing
-- not twin: real deletes would have broken the references
SELECT l.id, p.id FROM lines l JOIN products p ON p.id >= l.product_id ORDER BY 1, 2;
-- rewritten:
SELECT l.id, p.id FROM lines l JOIN products p ON p.id >= l.product_id WHERE p.deleted_at IS NULL ORDER BY 1, 2;
-- rows:
-- 1 | 1
-- 1 | 3
-- 2 | 3
-- 3 | 3

-- title: a longer comparison joins nothing
-- not twin: real deletes would have broken the references
SELECT l.id, p.id FROM lines l JOIN products p ON p.id = l.product_id IS NOT NULL ORDER BY 1, 2;
-- rewritten:
SELECT l.id, p.id FROM lines l JOIN products p ON p.id = l.product_id IS NOT NULL WHERE p.deleted_at IS NULL ORDER BY 1, 2;
-- rows:
-- 1 | 1
-- 1 | 3
-- 2 | 1
-- 2 | 3
-- 3 | 1
-- 3 | 3

-- title: unqualified columns that can be told apart
-- not twin: real deletes would have broken the references
SELECT qty, name FROM lines JOIN products ON products.id = product_id ORDER BY qty;
-- rewritten:
SELECT qty, name FROM public.lines JOIN products ON products.id = product_id ORDER BY qty;
-- rows:
-- 10 | pen
-- 20 | dead ink
-- 30 | cap

-- title: an unqualified column where a table is not known
-- not twin: real deletes would have broken the references
SELECT qty, p.name FROM lines CROSS JOIN items JOIN products p ON p.id = product_id WHERE items.id = 1 ORDER BY qty;
-- rewritten:
SELECT qty, p.name FROM lines CROSS JOIN items JOIN products p ON p.id = product_id WHERE p.deleted_at IS NULL AND (items.id = 1) ORDER BY qty;
-- rows:
-- 10 | pen
-- 30 | cap

-- title: a scalar subquery through
-- not twin: real deletes would have broken the references
SELECT l.id, (SELECT name FROM products p WHERE p.id = l.product_id) FROM lines l ORDER BY l.id;
-- rewritten:
SELECT l.id, (SELECT name FROM products p WHERE p.id = l.product_id) FROM public.lines l ORDER BY l.id;
-- rows:
-- 1 | pen
-- 2 | dead ink
-- 3 | cap
-- 4 | null

-- title: a scalar subquery with unqualified key
-- not twin: real deletes would have broken the references
SELECT l.id, (SELECT name FROM products WHERE id = l.product_id) FROM lines l ORDER BY l.id;
-- rewritten:
SELECT l.id, (SELECT name FROM products WHERE id = l.product_id) FROM public.lines l ORDER BY l.id;
-- rows:
-- 1 | pen
-- 2 | dead ink
-- 3 | cap
-- 4 | null

-- title: a subquery two blocks down
-- not twin: real deletes would have broken the references
SELECT l.id FROM lines l WHERE EXISTS (SELECT 1 FROM items i WHERE i.id = 1 AND EXISTS (SELECT 1 FROM products p WHERE p.id = l.product_id)) ORDER BY l.id;
-- rewritten:
SELECT l.id FROM public.lines l WHERE EXISTS (SELECT 1 FROM items i WHERE i.id = 1 AND EXISTS (SELECT 1 FROM products p WHERE p.id = l.product_id)) ORDER BY l.id;
-- rows:
-- 1
-- 2
-- 3

-- title: EXISTS through
-- not twin: real deletes would have broken the references
SELECT l.id FROM lines l WHERE EXISTS (SELECT 1 FROM products p WHERE p.id = l.product_id) ORDER BY l.id;
-- rewritten:
SELECT l.id FROM public.lines l WHERE EXISTS (SELECT 1 FROM products p WHERE p.id = l.product_id) ORDER BY l.id;
-- rows:
-- 1
-- 2
-- 3

-- title: a lateral subquery through
-- not twin: real deletes would have broken the references
SELECT l.id, x.name FROM lines l LEFT JOIN LATERAL (SELECT name FROM products p WHERE p.id = l.product_id) x ON true ORDER BY l.id;
-- rewritten:
SELECT l.id, x.name FROM public.lines l LEFT JOIN LATERAL (SELECT name FROM products p WHERE p.id = l.product_id) x ON true ORDER BY l.id;
-- rows:
-- 1 | pen
-- 2 | dead ink
-- 3 | cap
-- 4 | null

-- title: without LATERAL the name is another block's
-- not twin: real deletes would have broken the references
SELECT v.product_id, (SELECT string_agg(x.name, ',') FROM lines v, (SELECT name FROM products p WHERE p.id = v.product_id) x WHERE v.id = 1) FROM (VALUES (2), (4)) AS v (product_id) ORDER BY 1;
-- rewritten:
SELECT v.product_id, (SELECT string_agg(x.name, ',') FROM lines v, (SELECT name FROM products p WHERE p.deleted_at IS NULL AND (p.id = v.product_id)) x WHERE v.id = 1) FROM (VALUES (2), (4)) AS v (product_id) ORDER BY 1;
-- rows:
-- 2 | null
-- 4 | null

-- title: an inner alias hides the outer one
-- not twin: real deletes would have broken the references
SELECT l.id, (SELECT string_agg(p.name, ',') FROM products p, (VALUES (4), (5)) AS l (product_id) WHERE p.id = l.product_id) FROM lines l ORDER BY 1;
-- rewritten:
SELECT l.id, (SELECT string_agg(p.name, ',') FROM products p, (VALUES (4), (5)) AS l (product_id) WHERE p.deleted_at IS NULL AND (p.id = l.product_id)) FROM lines l ORDER BY 1;
-- rows:
-- 1 | null
-- 2 | null
-- 3 | null
-- 4 | null

-- title: an alias behind USING hides the outer one
-- not twin: real deletes would have broken the references
SELECT l.id, (SELECT string_agg(p.name, ',') FROM (VALUES (4)) AS a (product_id) JOIN (VALUES (4)) AS b (product_id) USING (product_id) AS l, products p WHERE p.id = l.product_id) FROM lines l ORDER BY 1;
-- rewritten:
SELECT l.id, (SELECT string_agg(p.name, ',') FROM (VALUES (4)) AS a (product_id) JOIN (VALUES (4)) AS b (product_id) USING (product_id) AS l, products p WHERE p.deleted_at IS NULL AND (p.id = l.product_id)) FROM lines l ORDER BY 1;
-- rows:
-- 1 | null
-- 2 | null
-- 3 | null
-- 4 | null

-- title: ON does not see the items before its join
-- not twin: real deletes would have broken the references
SELECT (SELECT string_agg(p.name, ',') FROM lines l, items i JOIN products p ON p.id = l.product_id) FROM (VALUES (4)) AS l (product_id);
-- rewritten:
SELECT (SELECT string_agg(p.name, ',') FROM lines l, items i JOIN products p ON p.id = l.product_id WHERE p.deleted_at IS NULL) FROM (VALUES (4)) AS l (product_id);
-- rows:
-- null

-- title: a CTE of the table's name is not the table
-- not twin: real deletes would have broken the references
WITH lines AS (SELECT 4 AS product_id) SELECT p.name FROM lines l JOIN products p ON p.id = l.product_id;
-- rewritten:
WITH lines AS (SELECT 4 AS product_id) SELECT p.name FROM lines l JOIN products p ON p.id = l.product_id WHERE p.deleted_at IS NULL;
-- rows:

-- title: a derived table is not the table
-- not twin: real deletes would have broken the references
SELECT p.name FROM (SELECT 4 AS product_id FROM lines) l JOIN products p ON p.id = l.product_id;
-- rewritten:
SELECT p.name FROM (SELECT 4 AS product_id FROM lines) l JOIN products p ON p.id = l.product_id WHERE p.deleted_at IS NULL;
-- rows:

-- title: a temporary table is not the table
-- not twin: real deletes would have broken the references
CREATE TEMP TABLE lines (product_id int) ON COMMIT DROP; INSERT INTO lines VALUES (4); SELECT p.name FROM lines l JOIN products p ON p.id = l.product_id;
-- rewritten:
CREATE TEMP TABLE lines (product_id int) ON COMMIT DROP; INSERT INTO lines VALUES (4); SELECT p.name FROM lines l JOIN products p ON p.id = l.product_id WHERE p.deleted_at IS NULL;
-- tag: CREATE TABLE, INSERT 0 1, SELECT 0

-- title: a temporary table does not hide the qualified one
-- not twin: real deletes would have broken the references
CREATE TEMP TABLE lines (product_id int) ON COMMIT DROP; SELECT l.id, p.name FROM public.lines l JOIN products p ON p.id = l.product_id ORDER BY l.id;
-- unchanged
-- tag: CREATE TABLE, SELECT 3
-- rows:
-- 1 | pen
-- 2 | dead ink
-- 3 | cap

-- title: renamed columns are not the table's
-- not twin: real deletes would have broken the references
SELECT p.name FROM lines AS l (id, gift_id, product_id, qty) JOIN products p ON p.id = l.product_id ORDER BY 1;
-- rewritten:
SELECT p.name FROM lines AS l (id, gift_id, product_id, qty) JOIN products p ON p.id = l.product_id WHERE p.deleted_at IS NULL ORDER BY 1;
-- rows:
-- pen

-- title: USING the column of a composite key
-- not twin: real deletes would have broken the references
SELECT b.id, r.name FROM bookings b JOIN rooms r USING (building, room) ORDER BY b.id;
-- rewritten:
SELECT b.id, r.name FROM public.bookings b JOIN rooms r USING (building, room) WHERE NOT b.deleted ORDER BY b.id;
-- rows:
-- 1 | hall
-- 2 | dead attic

-- title: a left join USING
-- not twin: real deletes would have broken the references
SELECT b.id, r.name FROM bookings b LEFT JOIN rooms r USING (building, room) ORDER BY b.id;
-- rewritten:
SELECT b.id, r.name FROM public.bookings b LEFT JOIN rooms r USING (building, room) WHERE NOT b.deleted ORDER BY b.id;
-- rows:
-- 1 | hall
-- 2 | dead attic

-- title: half of a composite key
-- not twin: real deletes would have broken the references
SELECT b.id, r.name FROM bookings b JOIN rooms r USING (room) ORDER BY b.id, r.name;
-- rewritten:
SELECT b.id, r.name FROM bookings b JOIN rooms r USING (room) WHERE NOT b.deleted AND r.deleted_at IS NULL ORDER BY b.id, r.name;
-- rows:
-- 1 | hall

-- title: a composite key in ON and WHERE
-- not twin: real deletes would have broken the references
SELECT b.id, r.name FROM bookings b JOIN rooms r ON r.room = b.room WHERE r.building = b.building ORDER BY b.id;
-- rewritten:
SELECT b.id, r.name FROM public.bookings b JOIN rooms r ON r.room = b.room WHERE NOT b.deleted AND (r.building = b.building) ORDER BY b.id;
-- rows:
-- 1 | hall
-- 2 | dead attic

-- title: a composite key of two different rows
-- not twin: real deletes would have broken the references
SELECT a.id, b.id, r.name FROM bookings a CROSS JOIN bookings b JOIN rooms r ON r.room = a.room AND r.building = b.building ORDER BY 1, 2;
-- rewritten:
SELECT a.id, b.id, r.name FROM bookings a CROSS JOIN bookings b JOIN rooms r ON r.room = a.room AND r.building = b.building WHERE NOT a.deleted AND NOT b.deleted AND r.deleted_at IS NULL ORDER BY 1, 2;
-- rows:
-- 1 | 1 | hall
-- 1 | 2 | hall

-- title: NATURAL stays live
-- not twin: real deletes would have broken the references
SELECT b.id, r.name FROM bookings b NATURAL JOIN (SELECT building, room, name FROM rooms) r ORDER BY b.id;
-- rewritten:
SELECT b.id, r.name FROM bookings b NATURAL JOIN (SELECT building, room, name FROM rooms WHERE rooms.deleted_at IS NULL) r WHERE NOT b.deleted ORDER BY b.id;
-- rows:
-- 1 | hall

-- title: a deleted row vouches for nothing
-- not twin: real deletes would have broken the references
SELECT b.id, r.name FROM rooms r JOIN bookings b ON b.room = r.room AND b.building = r.building WHERE r.building = 2;
-- rewritten:
SELECT b.id, r.name FROM rooms r JOIN public.bookings b ON b.room = r.room AND b.building = r.building WHERE NOT b.deleted AND (r.building = 2);
-- rows:

-- title: a row that points to itself vouches for nothing
-- not twin: real deletes would have broken the references
SELECT p.id FROM products p WHERE p.id = p.parent_id;
-- rewritten:
SELECT p.id FROM products p WHERE p.deleted_at IS NULL AND (p.id = p.parent_id);
-- rows:

-- title: two rows that point to each other vouch for nothing
-- not twin: real deletes would have broken the references
SELECT a.id, b.id FROM products a JOIN products b ON a.id = b.parent_id AND b.id = a.parent_id;
-- rewritten:
SELECT a.id, b.id FROM products a JOIN products b ON a.id = b.parent_id AND b.id = a.parent_id WHERE a.deleted_at IS NULL AND b.deleted_at IS NULL;
-- rows:

-- title: a parent of the table's own
-- not twin: real deletes would have broken the references
SELECT c.id, p.name FROM products c LEFT JOIN products p ON p.id = c.parent_id ORDER BY c.id;
-- rewritten:
SELECT c.id, p.name FROM public.products c LEFT JOIN products p ON p.id = c.parent_id WHERE c.deleted_at IS NULL ORDER BY c.id;
-- rows:
-- 1 | null
-- 3 | dead ink

-- title: a chain of references
-- not twin: real deletes would have broken the references
SELECT l.id, c.name, p.name FROM lines l JOIN products c ON c.id = l.product_id LEFT JOIN products p ON p.id = c.parent_id ORDER BY l.id;
-- rewritten:
SELECT l.id, c.name, p.name FROM public.lines l JOIN public.products c ON c.id = l.product_id LEFT JOIN products p ON p.id = c.parent_id ORDER BY l.id;
-- rows:
-- 1 | pen | null
-- 2 | dead ink | null
-- 3 | cap | dead ink

-- title: an alias over a join ends what its conditions said
-- not twin: real deletes would have broken the references
SELECT j.name FROM (lines l JOIN products p ON p.id = l.product_id) AS j (a, b, c, d, e, name) ORDER BY 1;
-- rewritten:
SELECT j.name FROM (public.lines l JOIN products p ON p.id = l.product_id) AS j (a, b, c, d, e, name) ORDER BY 1;
-- rows:
-- cap
-- dead ink
-- pen

-- title: an aliased join is not the table
-- not twin: real deletes would have broken the references
SELECT p.name FROM (lines CROSS JOIN (VALUES (4)) AS v (x)) AS l (a, b, c, d, product_id) JOIN products p ON p.id = l.product_id ORDER BY 1;
-- rewritten:
SELECT p.name FROM (lines CROSS JOIN (VALUES (4)) AS v (x)) AS l (a, b, c, d, product_id) JOIN products p ON p.id = l.product_id WHERE p.deleted_at IS NULL ORDER BY 1;
-- rows:

-- title: the FROM of an update
-- not twin: real deletes would have broken the references
UPDATE lines SET qty = 0 FROM products p WHERE p.id = lines.product_id RETURNING lines.id, p.name;
-- rewritten:
UPDATE public.lines SET qty = 0 FROM products p WHERE p.id = lines.product_id RETURNING lines.id, p.name;
-- tag: UPDATE 3
-- rows:
-- 1 | pen
-- 2 | dead ink
-- 3 | cap

-- title: the target of an update stays live
-- not twin: real deletes would have broken the references
UPDATE products p SET name = 'x' FROM lines l WHERE p.id = l.product_id;
-- rewritten:
UPDATE products p SET name = 'x' FROM lines l WHERE p.deleted_at IS NULL AND (p.id = l.product_id);
-- tag: UPDATE 2

-- title: the USING of a delete
-- not twin: real deletes would have broken the references
DELETE FROM lines USING products p WHERE p.id = lines.product_id AND p.name = 'dead ink';
-- rewritten:
DELETE FROM public.lines USING products p WHERE p.id = lines.product_id AND p.name = 'dead ink';
-- tag: DELETE 1

-- title: the target of a delete stays live
-- not twin: real deletes would have broken the references
DELETE FROM products p USING lines l WHERE p.id = l.product_id;
-- rewritten:
UPDATE products p SET deleted_at = now() FROM lines l WHERE p.deleted_at IS NULL AND (p.id = l.product_id);
-- tag: DELETE 2

-- title: a subquery in SET
-- not twin: real deletes would have broken the references
UPDATE lines l SET qty = (SELECT length(name) FROM products p WHERE p.id = l.product_id) WHERE l.id = 2 RETURNING qty;
-- rewritten:
UPDATE public.lines l SET qty = (SELECT length(name) FROM products p WHERE p.id = l.product_id) WHERE l.id = 2 RETURNING qty;
-- tag: UPDATE 1
-- rows:
-- 8

-- title: a merge source stays live
-- since: 15
-- not twin: real deletes would have broken the references
MERGE INTO lines l USING products p ON p.id = l.product_id WHEN MATCHED THEN UPDATE SET qty = 1;
-- rewritten:
MERGE INTO lines l USING (SELECT * FROM public.products p WHERE p.deleted_at IS NULL) p ON p.id = l.product_id WHEN MATCHED THEN UPDATE SET qty = 1;
-- tag: MERGE 2

-- title: a subquery in ORDER BY
-- not twin: real deletes would have broken the references
SELECT l.id FROM lines l ORDER BY (SELECT name FROM products p WHERE p.id = l.product_id) NULLS FIRST, l.id;
-- rewritten:
SELECT l.id FROM public.lines l ORDER BY (SELECT name FROM products p WHERE p.id = l.product_id) NULLS FIRST, l.id;
-- rows:
-- 4
-- 3
-- 2
-- 1

-- title: a view through
-- not twin: real deletes would have broken the references
CREATE VIEW line_names AS SELECT l.id, p.name FROM lines l JOIN products p ON p.id = l.product_id; SELECT * FROM line_names ORDER BY id;
-- rewritten:
CREATE VIEW line_names AS SELECT l.id, p.name FROM public.lines l JOIN products p ON p.id = l.product_id; SELECT * FROM line_names ORDER BY id;
-- tag: CREATE VIEW, SELECT 3
-- rows:
-- 1 | pen
-- 2 | dead ink
-- 3 | cap

-- title: scope deleted is what it is
-- role: support
-- scope: deleted
-- not twin: real deletes would have broken the references
SELECT l.id, p.name FROM lines l JOIN products p ON p.id = l.product_id ORDER BY l.id;
-- rewritten:
SELECT l.id, p.name FROM lines l JOIN products p ON p.id = l.product_id WHERE p.deleted_at IS NOT NULL ORDER BY l.id;
-- rows:
-- 2 | dead ink

-- title: after a schema change that may reach its tables nothing is certain
-- not twin: real deletes would have broken the references
CREATE TABLE other (id int); DROP TABLE other CASCADE; SELECT l.id, p.name FROM lines l JOIN products p ON p.id = l.product_id ORDER BY l.id;
-- rewritten:
CREATE TABLE other (id int); DROP TABLE other CASCADE; SELECT l.id, p.name FROM lines l JOIN products p ON p.id = l.product_id WHERE p.deleted_at IS NULL ORDER BY l.id;
-- tag: CREATE TABLE, DROP TABLE, SELECT 2
-- rows:
-- 1 | pen
-- 3 | cap

-- title: a table of another name made in the transaction changes nothing
-- not twin: real deletes would have broken the references
CREATE TABLE other (id int); SELECT l.id, p.name FROM lines l JOIN products p ON p.id = l.product_id ORDER BY l.id;
-- rewritten:
CREATE TABLE other (id int); SELECT l.id, p.name FROM public.lines l JOIN products p ON p.id = l.product_id ORDER BY l.id;
-- tag: CREATE TABLE, SELECT 3
-- rows:
-- 1 | pen
-- 2 | dead ink
-- 3 | cap

-- title: a search path with another table of that name
-- not twin: real deletes would have broken the references
CREATE SCHEMA mine; CREATE TABLE mine.lines (product_id int); SET search_path = mine, public; SELECT p.name FROM lines l JOIN products p ON p.id = l.product_id;
-- rewritten:
CREATE SCHEMA mine; CREATE TABLE mine.lines (product_id int); SET search_path = mine, public; SELECT p.name FROM lines l JOIN products p ON p.id = l.product_id WHERE p.deleted_at IS NULL;
-- error: 42501

-- title: a table renamed to the name without Sexton's knowledge is not read
-- not twin: real deletes would have broken the references
CREATE TEMP TABLE foo (id int, product_id int) ON COMMIT DROP; INSERT INTO foo VALUES (1, 4); ALTER TABLE foo RENAME TO lines; SELECT p.name FROM lines l JOIN products p ON p.id = l.product_id;
-- rewritten:
CREATE TEMP TABLE foo (id int, product_id int) ON COMMIT DROP; INSERT INTO foo VALUES (1, 4); ALTER TABLE foo RENAME TO lines; SELECT p.name FROM lines l JOIN products p ON p.id = l.product_id WHERE p.deleted_at IS NULL;
-- tag: CREATE TABLE, INSERT 0 1, ALTER TABLE, SELECT 0

-- title: a derived table says which table it reads
-- not twin: real deletes would have broken the references
SELECT b.id, r.name, u.id FROM (bookings b FULL JOIN users u ON u.id = b.id) JOIN rooms r ON r.room = b.room AND r.building = b.building ORDER BY 1, 2, 3;
-- rewritten:
SELECT b.id, r.name, u.id FROM ((SELECT * FROM public.bookings b WHERE NOT b.deleted) b FULL JOIN (SELECT * FROM users u WHERE u.deleted_at IS NULL) u ON u.id = b.id) JOIN rooms r ON r.room = b.room AND r.building = b.building ORDER BY 1, 2, 3;
-- rows:
-- 1 | hall | 1
-- 2 | dead attic | 2

-- title: ONLY of the referencing table
-- not twin: real deletes would have broken the references
SELECT l.id, p.name FROM ONLY (lines) l JOIN products p ON p.id = l.product_id ORDER BY l.id;
-- rewritten:
SELECT l.id, p.name FROM ONLY (public.lines) l JOIN products p ON p.id = l.product_id ORDER BY l.id;
-- rows:
-- 1 | pen
-- 2 | dead ink
-- 3 | cap

-- title: a soft target that is relied on
-- not twin: real deletes would have broken the references
DELETE FROM bookings USING rooms r WHERE r.room = bookings.room AND r.building = bookings.building AND r.name = 'dead attic' RETURNING bookings.id, r.name;
-- rewritten:
UPDATE public.bookings SET deleted = true FROM rooms r WHERE NOT bookings.deleted AND (r.room = bookings.room AND r.building = bookings.building AND r.name = 'dead attic') RETURNING bookings.id, r.name;
-- tag: DELETE 1
-- rows:
-- 2 | dead attic

-- title: a subquery that relies on a table two blocks up
-- not twin: real deletes would have broken the references
SELECT b.id, (SELECT (SELECT r.name FROM rooms r WHERE r.room = b.room AND b.building = r.building) FROM items i WHERE i.id = 1) FROM bookings b LEFT JOIN users USING (id) ORDER BY 1;
-- rewritten:
SELECT b.id, (SELECT (SELECT r.name FROM rooms r WHERE r.room = b.room AND b.building = r.building) FROM items i WHERE i.id = 1) FROM public.bookings b LEFT JOIN (SELECT * FROM users WHERE users.deleted_at IS NULL) AS users USING (id) WHERE NOT b.deleted ORDER BY 1;
-- rows:
-- 1 | hall
-- 2 | dead attic

-- title: SELECT INTO TEMP makes another table of that name
-- not twin: real deletes would have broken the references
SELECT 4 AS product_id INTO TEMP lines; SELECT p.name FROM lines l JOIN products p ON p.id = l.product_id; DROP TABLE pg_temp.lines;
-- rewritten:
SELECT 4 AS product_id INTO TEMP lines; SELECT p.name FROM lines l JOIN products p ON p.id = l.product_id WHERE p.deleted_at IS NULL; DROP TABLE pg_temp.lines;
-- rows:

-- title: a temporary view is not the table
-- not twin: real deletes would have broken the references
CREATE TEMP VIEW lines AS SELECT 4 AS product_id; SELECT p.name FROM lines l JOIN products p ON p.id = l.product_id;
-- rewritten:
CREATE TEMP VIEW lines AS SELECT 4 AS product_id; SELECT p.name FROM lines l JOIN products p ON p.id = l.product_id WHERE p.deleted_at IS NULL;
-- tag: CREATE VIEW, SELECT 0

-- title: a function without an alias hides what is around it
-- not twin: real deletes would have broken the references
SELECT l.id, (SELECT count(*) FROM generate_series(1, 1), products p WHERE p.id = l.product_id) FROM lines l ORDER BY 1;
-- rewritten:
SELECT l.id, (SELECT count(*) FROM generate_series(1, 1), products p WHERE p.deleted_at IS NULL AND (p.id = l.product_id)) FROM lines l ORDER BY 1;
-- rows:
-- 1 | 1
-- 2 | 0
-- 3 | 1
-- 4 | 0

-- title: a values list of that alias in WHERE's subquery
-- not twin: real deletes would have broken the references
SELECT l.id FROM lines l WHERE EXISTS (SELECT 1 FROM (VALUES (4)) AS l (product_id) JOIN products p ON p.id = l.product_id) ORDER BY 1;
-- rewritten:
SELECT l.id FROM lines l WHERE EXISTS (SELECT 1 FROM (VALUES (4)) AS l (product_id) JOIN products p ON p.id = l.product_id WHERE p.deleted_at IS NULL) ORDER BY 1;
-- rows:

-- title: a set operation in the subquery
-- not twin: real deletes would have broken the references
SELECT l.id, (SELECT p.name FROM products p WHERE p.id = l.product_id UNION ALL SELECT p.name FROM products p WHERE p.id = l.gift_id AND l.id = 4) FROM lines l ORDER BY 1;
-- rewritten:
SELECT l.id, (SELECT p.name FROM products p WHERE p.id = l.product_id UNION ALL SELECT p.name FROM products p WHERE p.deleted_at IS NULL AND (p.id = l.gift_id AND l.id = 4)) FROM public.lines l ORDER BY 1;
-- rows:
-- 1 | pen
-- 2 | dead ink
-- 3 | cap
-- 4 | null

-- title: a condition on another row of the table
-- not twin: real deletes would have broken the references
SELECT a.id, p.name FROM lines a JOIN lines b ON b.id = a.id + 1 JOIN products p ON p.id = b.product_id ORDER BY a.id;
-- rewritten:
SELECT a.id, p.name FROM lines a JOIN public.lines b ON b.id = a.id + 1 JOIN products p ON p.id = b.product_id ORDER BY a.id;
-- rows:
-- 1 | dead ink
-- 2 | cap

-- title: an outer join above the one that joins
-- not twin: real deletes would have broken the references
SELECT u.id, p.name FROM users u LEFT JOIN (lines l JOIN products p ON p.id = l.product_id) ON l.id = u.id AND p.id = 2 ORDER BY u.id;
-- rewritten:
SELECT u.id, p.name FROM users u LEFT JOIN (public.lines l JOIN products p ON p.id = l.product_id) ON l.id = u.id AND p.id = 2 WHERE u.deleted_at IS NULL ORDER BY u.id;
-- rows:
-- 1 | null
-- 2 | dead ink
-- 3 | null

-- title: a left join whose condition says it of the preserved side only
-- not twin: real deletes would have broken the references
SELECT p.id, x.id FROM products p LEFT JOIN lines l ON p.id = l.product_id LEFT JOIN items x ON x.id = l.id WHERE l.id IS NULL OR p.id > 0 ORDER BY p.id, x.id;
-- rewritten:
SELECT p.id, x.id FROM products p LEFT JOIN lines l ON p.id = l.product_id LEFT JOIN items x ON x.id = l.id WHERE p.deleted_at IS NULL AND (l.id IS NULL OR p.id > 0) ORDER BY p.id, x.id;
-- rows:
-- 1 | 1
-- 3 | null

-- title: a subquery in ORDER BY behind parentheses stays live
-- not twin: real deletes would have broken the references
(SELECT l.id FROM lines l) ORDER BY (SELECT name FROM products p WHERE p.id = l.product_id) NULLS FIRST, id;
-- rewritten:
(SELECT l.id FROM lines l) ORDER BY (SELECT name FROM products p WHERE p.deleted_at IS NULL AND (p.id = l.product_id)) NULLS FIRST, id;
-- rows:
-- 2
-- 4
-- 3
-- 1

-- title: the condition inside a subquery is not the statement's
-- not twin: real deletes would have broken the references
SELECT p.name FROM lines l, products p WHERE (SELECT count(*) = 0 FROM (VALUES (1)) v WHERE true AND p.id = l.product_id AND true) ORDER BY p.name;
-- rewritten:
SELECT p.name FROM lines l, products p WHERE p.deleted_at IS NULL AND ((SELECT count(*) = 0 FROM (VALUES (1)) v WHERE true AND p.id = l.product_id AND true)) ORDER BY p.name;
-- rows:
-- cap
-- cap
-- cap
-- pen
-- pen
-- pen

-- title: nor is it in parentheses of its own
-- not twin: real deletes would have broken the references
SELECT p.name FROM lines l, products p WHERE ((SELECT true) UNION SELECT true FROM (VALUES (1)) v WHERE true AND p.id = l.product_id) ORDER BY p.name;
-- rewritten:
SELECT p.name FROM lines l, products p WHERE p.deleted_at IS NULL AND (((SELECT true) UNION SELECT true FROM (VALUES (1)) v WHERE true AND p.id = l.product_id)) ORDER BY p.name;
-- rows:
-- cap
-- cap
-- cap
-- cap
-- pen
-- pen
-- pen
-- pen
