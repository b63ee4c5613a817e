select current_schema();
INSERT INTO customers (name, email, data, tags) SELECT p0::VARCHAR, p1::VARCHAR, p2::JSONB, p3::VARCHAR[] FROM (VALUES ($1::VARCHAR, $2::VARCHAR, $3::JSONB, $4::VARCHAR[], 0), ($5::VARCHAR, $6::VARCHAR, $7::JSONB, $8::VARCHAR[], 1), ($9::VARCHAR, $10::VARCHAR, $11::JSONB, $12::VARCHAR[], 2), ($13::VARCHAR, $14::VARCHAR, $15::JSONB, $16::VARCHAR[], 3), ($17::VARCHAR, $18::VARCHAR, $19::JSONB, $20::VARCHAR[], 4)) AS imp_sen(p0, p1, p2, p3, sen_counter) ORDER BY sen_counter RETURNING customers.id, customers.id AS id__1;
INSERT INTO people (kind, name) SELECT p0::VARCHAR, p1::VARCHAR FROM (VALUES ($1::VARCHAR, $2::VARCHAR, 0), ($3::VARCHAR, $4::VARCHAR, 1)) AS imp_sen(p0, p1, sen_counter) ORDER BY sen_counter RETURNING people.id, people.id AS id__1;
INSERT INTO engineers (id, lang) VALUES ($1::INTEGER, $2::VARCHAR);
INSERT INTO orders (customer_id, status, total, placed, parent_id) SELECT p0::INTEGER, p1::VARCHAR, p2::NUMERIC, p3::TIMESTAMP WITHOUT TIME ZONE, p4::INTEGER FROM (VALUES ($1::INTEGER, $2::VARCHAR, $3, $4::TIMESTAMP WITHOUT TIME ZONE, $5::INTEGER, 0), ($6::INTEGER, $7::VARCHAR, $8, $9::TIMESTAMP WITHOUT TIME ZONE, $10::INTEGER, 1), ($11::INTEGER, $12::VARCHAR, $13, $14::TIMESTAMP WITHOUT TIME ZONE, $15::INTEGER, 2), ($16::INTEGER, $17::VARCHAR, $18, $19::TIMESTAMP WITHOUT TIME ZONE, $20::INTEGER, 3), ($21::INTEGER, $22::VARCHAR, $23, $24::TIMESTAMP WITHOUT TIME ZONE, $25::INTEGER, 4), ($26::INTEGER, $27::VARCHAR, $28, $29::TIMESTAMP WITHOUT TIME ZONE, $30::INTEGER, 5), ($31::INTEGER, $32::VARCHAR, $33, $34::TIMESTAMP WITHOUT TIME ZONE, $35::INTEGER, 6), ($36::INTEGER, $37::VARCHAR, $38, $39::TIMESTAMP WITHOUT TIME ZONE, $40::INTEGER, 7), ($41::INTEGER, $42::VARCHAR, $43, $44::TIMESTAMP WITHOUT TIME ZONE, $45::INTEGER, 8), ($46::INTEGER, $47::VARCHAR, $48, $49::TIMESTAMP WITHOUT TIME ZONE, $50::INTEGER, 9)) AS imp_sen(p0, p1, p2, p3, p4, sen_counter) ORDER BY sen_counter RETURNING orders.id, orders.id AS id__1;
INSERT INTO lines (order_id, qty, version) SELECT p0::INTEGER, p1::INTEGER, p2::INTEGER FROM (VALUES ($1::INTEGER, $2::INTEGER, $3::INTEGER, 0), ($4::INTEGER, $5::INTEGER, $6::INTEGER, 1), ($7::INTEGER, $8::INTEGER, $9::INTEGER, 2), ($10::INTEGER, $11::INTEGER, $12::INTEGER, 3), ($13::INTEGER, $14::INTEGER, $15::INTEGER, 4), ($16::INTEGER, $17::INTEGER, $18::INTEGER, 5), ($19::INTEGER, $20::INTEGER, $21::INTEGER, 6), ($22::INTEGER, $23::INTEGER, $24::INTEGER, 7), ($25::INTEGER, $26::INTEGER, $27::INTEGER, 8), ($28::INTEGER, $29::INTEGER, $30::INTEGER, 9), ($31::INTEGER, $32::INTEGER, $33::INTEGER, 10), ($34::INTEGER, $35::INTEGER, $36::INTEGER, 11), ($37::INTEGER, $38::INTEGER, $39::INTEGER, 12), ($40::INTEGER, $41::INTEGER, $42::INTEGER, 13), ($43::INTEGER, $44::INTEGER, $45::INTEGER, 14), ($46::INTEGER, $47::INTEGER, $48::INTEGER, 15), ($49::INTEGER, $50::INTEGER, $51::INTEGER, 16), ($52::INTEGER, $53::INTEGER, $54::INTEGER, 17), ($55::INTEGER, $56::INTEGER, $57::INTEGER, 18), ($58::INTEGER, $59::INTEGER, $60::INTEGER, 19)) AS imp_sen(p0, p1, p2, sen_counter) ORDER BY sen_counter RETURNING lines.id, lines.id AS id__1;
SELECT customers.id, customers.name, customers.email, customers.data, customers.tags 
FROM customers;
SELECT customers.id, customers.name, customers.email, customers.data, customers.tags 
FROM customers 
WHERE (customers.name LIKE $1::VARCHAR OR customers.id IN ($2::INTEGER, $3::INTEGER)) AND customers.name IS NOT NULL ORDER BY customers.name DESC NULLS LAST 
 LIMIT $4::INTEGER OFFSET $5::INTEGER;
SELECT customers.name, count(orders.id) AS count_1 
FROM customers JOIN orders ON customers.id = orders.customer_id GROUP BY customers.name 
HAVING count(orders.id) > $1::INTEGER;
SELECT customers.id, customers.name, customers.email, customers.data, customers.tags, orders.id AS id_1, orders.customer_id, orders.status, orders.total, orders.placed, orders.parent_id 
FROM customers LEFT OUTER JOIN orders ON customers.id = orders.customer_id;
SELECT customers.id, customers.name, customers.email, customers.data, customers.tags 
FROM customers LEFT OUTER JOIN orders ON customers.id = orders.customer_id LEFT OUTER JOIN lines ON orders.id = lines.order_id;
SELECT customers.id, customers.name, customers.email, customers.data, customers.tags, orders_1.id AS id_1, orders_1.customer_id, orders_1.status, orders_1.total, orders_1.placed, orders_1.parent_id 
FROM customers FULL OUTER JOIN orders AS orders_1 ON orders_1.customer_id = customers.id AND orders_1.status = $1::VARCHAR;
SELECT customers.id, customers.name, customers.email, customers.data, customers.tags 
FROM customers JOIN (SELECT orders.customer_id AS customer_id, count(*) AS n 
FROM orders GROUP BY orders.customer_id) AS anon_1 ON anon_1.customer_id = customers.id;
SELECT customers.id, customers.name, customers.email, customers.data, customers.tags 
FROM customers 
WHERE EXISTS (SELECT * 
FROM orders 
WHERE orders.customer_id = customers.id);
SELECT customers.id, customers.name, customers.email, customers.data, customers.tags 
FROM customers 
WHERE EXISTS (SELECT 1 
FROM orders 
WHERE customers.id = orders.customer_id AND orders.status = $1::VARCHAR);
SELECT orders.id, orders.customer_id, orders.status, orders.total, orders.placed, orders.parent_id 
FROM orders 
WHERE EXISTS (SELECT 1 
FROM customers 
WHERE customers.id = orders.customer_id AND customers.name = $1::VARCHAR);
SELECT customers.id, customers.name, customers.email, customers.data, customers.tags 
FROM customers 
WHERE NOT (EXISTS (SELECT 1 
FROM orders 
WHERE customers.id = orders.customer_id));
SELECT customers.name, (SELECT max(orders.total) AS max_1 
FROM orders 
WHERE orders.customer_id = customers.id) AS anon_1 
FROM customers;
WITH RECURSIVE tree(id, parent_id) AS 
(SELECT orders.id AS id, orders.parent_id AS parent_id 
FROM orders 
WHERE orders.parent_id IS NULL UNION ALL SELECT orders.id AS id, orders.parent_id AS parent_id 
FROM orders JOIN tree ON orders.parent_id = tree.id)
 SELECT tree.id, tree.parent_id 
FROM tree;
SELECT customers.name, l.total 
FROM customers JOIN LATERAL (SELECT orders.total AS total 
FROM orders 
WHERE orders.customer_id = customers.id ORDER BY orders.placed DESC 
 LIMIT $1::INTEGER) AS l ON true;
SELECT customers.name, l.total 
FROM customers LEFT OUTER JOIN LATERAL (SELECT orders.total AS total 
FROM orders 
WHERE orders.customer_id = customers.id ORDER BY orders.placed DESC 
 LIMIT $1::INTEGER) AS l ON true;
SELECT orders.id, row_number() OVER (PARTITION BY orders.customer_id ORDER BY orders.placed DESC) AS anon_1 
FROM orders;
SELECT sum(orders.total) OVER (ORDER BY orders.id ROWS BETWEEN $1::INTEGER PRECEDING AND CURRENT ROW) AS anon_1 
FROM orders;
SELECT sum(orders.total) FILTER (WHERE orders.status = $1::VARCHAR) AS anon_1, percentile_cont($2) WITHIN GROUP (ORDER BY orders.total) AS percentile_cont_1 
FROM orders;
SELECT customers.id 
FROM customers UNION SELECT orders.id 
FROM orders;
SELECT customers.id 
FROM customers 
WHERE customers.id > $1::INTEGER UNION ALL SELECT orders.id 
FROM orders ORDER BY id 
 LIMIT $2::INTEGER;
SELECT customers.id 
FROM customers INTERSECT SELECT orders.customer_id 
FROM orders;
SELECT customers.id 
FROM customers EXCEPT SELECT orders.customer_id 
FROM orders;
SELECT anon_1.id 
FROM (SELECT customers.id AS id 
FROM customers UNION SELECT orders.id AS id 
FROM orders) AS anon_1;
SELECT customers.id, customers.name, customers.email, customers.data, customers.tags 
FROM customers FOR UPDATE;
SELECT customers.id, customers.name, customers.email, customers.data, customers.tags 
FROM customers JOIN orders ON customers.id = orders.customer_id FOR UPDATE OF customers SKIP LOCKED;
SELECT customers.id, customers.name, customers.email, customers.data, customers.tags 
FROM customers FOR SHARE NOWAIT;
SELECT customers.id, customers.name, customers.email, customers.data, customers.tags 
FROM customers FOR NO KEY UPDATE;
SELECT DISTINCT ON (customers.name) customers.id, customers.name, customers.email, customers.data, customers.tags 
FROM customers ORDER BY customers.name;
SELECT customers.id, customers.name, customers.email, customers.data, customers.tags, lines_1.id AS id_1, lines_1.order_id, lines_1.qty, lines_1.version, orders_1.id AS id_2, orders_1.customer_id, orders_1.status, orders_1.total, orders_1.placed, orders_1.parent_id 
FROM customers LEFT OUTER JOIN orders AS orders_1 ON customers.id = orders_1.customer_id LEFT OUTER JOIN lines AS lines_1 ON orders_1.id = lines_1.order_id;
SELECT anon_1.id, anon_1.name, anon_1.email, anon_1.data, anon_1.tags, orders_1.id AS id_1, orders_1.customer_id, orders_1.status, orders_1.total, orders_1.placed, orders_1.parent_id 
FROM (SELECT customers.id AS id, customers.name AS name, customers.email AS email, customers.data AS data, customers.tags AS tags 
FROM customers 
 LIMIT $1::INTEGER) AS anon_1 LEFT OUTER JOIN orders AS orders_1 ON anon_1.id = orders_1.customer_id;
SELECT customers.id, customers.name, customers.email, customers.data, customers.tags, orders.id AS id_1, orders.customer_id, orders.status, orders.total, orders.placed, orders.parent_id 
FROM orders JOIN customers ON customers.id = orders.customer_id;
SELECT people.id, people.kind, people.name, engineers.id AS id_1, engineers.lang 
FROM people LEFT OUTER JOIN engineers ON people.id = engineers.id;
SELECT engineers.id, people.id AS id_1, people.kind, people.name, engineers.lang 
FROM people JOIN engineers ON people.id = engineers.id 
WHERE engineers.lang = $1::VARCHAR;
SELECT (customers.data[$1::TEXT]) ->> $2::TEXT AS anon_1, $3::VARCHAR = ANY (customers.tags) AS anon_2, customers.data ? $4::VARCHAR AS anon_3 
FROM customers;
SELECT array_agg(orders.id ORDER BY orders.total DESC) AS array_agg_1 
FROM orders;
SELECT json_agg(orders.id) AS json_agg_1 
FROM orders GROUP BY orders.customer_id;
SELECT CASE WHEN (customers.id > $1::INTEGER) THEN $2::VARCHAR ELSE $3::VARCHAR END AS anon_1, CAST(customers.id AS VARCHAR) AS id, EXTRACT(year FROM orders.placed) AS anon_2, coalesce(customers.name, $4::VARCHAR) AS coalesce_1, customers.id AS id__1 
FROM customers JOIN orders ON customers.id = orders.customer_id;
SELECT customers.id, customers.name, customers.email, customers.data, customers.tags 
FROM customers 
WHERE (customers.id, customers.name) IN (($1, $2));
SELECT customers.id, customers.name, customers.email, customers.data, customers.tags 
FROM customers 
WHERE customers.id IN (SELECT orders.customer_id 
FROM orders 
WHERE orders.status = $1::VARCHAR);
SELECT customers.id, customers.name, customers.email, customers.data, customers.tags 
FROM customers 
WHERE customers.id = ANY (SELECT orders.customer_id 
FROM orders);
SELECT customers_1.id, customers_1.name, customers_1.email, customers_1.data, customers_1.tags 
FROM customers AS customers_1 TABLESAMPLE bernoulli($1::INTEGER);
SELECT t 
FROM unnest(customers.tags) AS t;
SELECT v.a, v.b 
FROM (VALUES ($1::INTEGER, $2::VARCHAR), ($3::INTEGER, $4::VARCHAR)) AS v (a, b);
SELECT customers.id, customers.name, customers.email, customers.data, customers.tags 
FROM customers JOIN (VALUES ($1::INTEGER, $2::VARCHAR), ($3::INTEGER, $4::VARCHAR)) AS v (a, b) ON v.a = customers.id;
SELECT customers.id 
FROM customers GROUP BY GROUPING SETS((customers.id), (customers.name));
SELECT customers.id, customers.name 
FROM customers GROUP BY ROLLUP(customers.id, customers.name);
SELECT 1 AS x 
FROM customers LEFT OUTER JOIN orders ON customers.id = orders.customer_id;
SELECT customers.id AS "order", customers.name AS "select" 
FROM customers;
SELECT customers_1.id, customers.id AS id_1 
FROM customers AS customers_1, customers 
WHERE customers_1.id = customers.id;
SELECT customers.id, customers.name, customers.email, customers.data, customers.tags 
FROM customers ORDER BY customers.id
 FETCH FIRST ($1::INTEGER) ROWS WITH TIES;
SELECT * FROM customers c, LATERAL (SELECT count(*) FROM orders o WHERE o.customer_id = c.id) x;
SELECT customers.name COLLATE "C" AS anon_1, customers.name ~ $1::VARCHAR AS anon_2, customers.name || $2::VARCHAR AS anon_3, customers.id % $3::INTEGER AS anon_4, -customers.id, customers.id BETWEEN $4::INTEGER AND $5::INTEGER AS anon_5, customers.name IS DISTINCT FROM $6::VARCHAR AS anon_6, now() - orders.placed AS anon_7 
FROM customers JOIN orders ON customers.id = orders.customer_id;
SELECT NOT (EXISTS (SELECT orders.id, orders.customer_id, orders.status, orders.total, orders.placed, orders.parent_id 
FROM orders)) AS anon_1;
WITH d AS 
(DELETE FROM orders WHERE orders.status = $1::VARCHAR RETURNING orders.id)
 SELECT d.id 
FROM d;
WITH u AS 
(UPDATE orders SET status=$1::VARCHAR WHERE orders.id = $2::INTEGER RETURNING orders.id)
 SELECT u.id 
FROM u;
WITH i AS 
(INSERT INTO customers (name, email, data, tags) VALUES ($1::VARCHAR, $2::VARCHAR, $3::JSONB, $4::VARCHAR[]) RETURNING customers.id)
 SELECT i.id 
FROM i;
WITH d AS 
(DELETE FROM orders WHERE orders.status = $1::VARCHAR RETURNING orders.id)
 SELECT customers.id, customers.name, customers.email, customers.data, customers.tags 
FROM customers 
WHERE customers.id IN (SELECT d.id 
FROM d);
INSERT INTO customers (name, email, data, tags) VALUES ($1::VARCHAR, $2::VARCHAR, $3::JSONB, $4::VARCHAR[]) RETURNING customers.id, customers.name, customers.email, customers.data, customers.tags;
INSERT INTO customers (name, email, data, tags) SELECT orders.status, concat($1::VARCHAR, orders.id) AS concat_1, $2::JSONB AS anon_1, $3::VARCHAR[] AS anon_2 
FROM orders;
INSERT INTO customers (name, email, data, tags) VALUES ($1::VARCHAR, $2::VARCHAR, $3::JSONB, $4::VARCHAR[]) ON CONFLICT (email) DO UPDATE SET name = $5::VARCHAR WHERE customers.id > $6::INTEGER RETURNING customers.id;
INSERT INTO customers (name, email, data, tags) VALUES ($1::VARCHAR, $2::VARCHAR, $3::JSONB, $4::VARCHAR[]) ON CONFLICT DO NOTHING RETURNING customers.id;
INSERT INTO customers (name, email, data, tags) VALUES ($1::VARCHAR, $2::VARCHAR, $3::JSONB, $4::VARCHAR[]) ON CONFLICT ON CONSTRAINT customers_email_key DO UPDATE SET name = excluded.name RETURNING customers.id;
UPDATE customers SET name=(customers.name || $1::VARCHAR) WHERE customers.id = $2::INTEGER RETURNING customers.id, customers.name;
UPDATE orders SET status=$1::VARCHAR FROM customers WHERE orders.customer_id = customers.id AND customers.name = $2::VARCHAR RETURNING orders.id;
UPDATE orders SET total=(SELECT sum(lines.qty) AS sum_1 
FROM lines 
WHERE lines.order_id = orders.id);
UPDATE orders SET status=$1::VARCHAR WHERE orders.id IN (SELECT lines.order_id 
FROM lines) RETURNING orders.id;
DELETE FROM lines USING orders WHERE lines.order_id = orders.id AND orders.status = $1::VARCHAR RETURNING lines.id;
DELETE FROM lines WHERE lines.id = $1::INTEGER RETURNING lines.id, lines.qty;
DELETE FROM orders WHERE NOT (EXISTS (SELECT * 
FROM lines 
WHERE lines.order_id = orders.id)) RETURNING orders.id;
SELECT ALL customers.id, customers.name, customers.email, customers.data, customers.tags 
FROM customers 
WHERE customers.id = $1::INTEGER FOR NO KEY UPDATE;
TABLE customers;
EXPLAIN ANALYZE SELECT * FROM customers;
SELECT customers.id, customers.name, customers.email, customers.data, customers.tags 
FROM customers 
WHERE customers.id = $1::INTEGER;
SELECT orders.id, orders.customer_id, orders.status, orders.total, orders.placed, orders.parent_id 
FROM orders 
WHERE $1::INTEGER = orders.customer_id;
UPDATE customers SET name=$1::VARCHAR WHERE customers.id = $2::INTEGER;
SELECT lines.id, lines.order_id, lines.qty, lines.version 
FROM lines;
UPDATE orders SET status=$1::VARCHAR WHERE orders.id IN (SELECT lines.order_id 
FROM lines 
WHERE lines.id > $2::INTEGER) RETURNING orders.id;
UPDATE lines SET qty=$1::INTEGER, version=$2::INTEGER WHERE lines.id = $3::INTEGER AND lines.version = $4::INTEGER;
DELETE FROM lines WHERE lines.id = $1::INTEGER AND lines.version = $2::INTEGER;
DELETE FROM lines;
DELETE FROM customers WHERE customers.id = $1::INTEGER;
UPDATE customers SET name=$1::VARCHAR, email=$2::VARCHAR WHERE customers.id = $3::INTEGER;
INSERT INTO customers (name, email, data, tags) VALUES ($1::VARCHAR, $2::VARCHAR, $3::JSONB, $4::VARCHAR[]);
UPDATE customers SET name=$1::VARCHAR WHERE customers.name = $2::VARCHAR;
SELECT count(*) AS count_1 
FROM (SELECT customers.id AS customers_id, customers.name AS customers_name, customers.email AS customers_email, customers.data AS customers_data, customers.tags AS customers_tags 
FROM customers JOIN orders ON customers.id = orders.customer_id) AS anon_1;
DELETE FROM orders WHERE orders.status = $1::VARCHAR;
SELECT orders.customer_id, orders.id, orders.status, orders.total, orders.placed, orders.parent_id 
FROM orders 
WHERE orders.customer_id IN ($1::INTEGER, $2::INTEGER, $3::INTEGER, $4::INTEGER, $5::INTEGER);
SELECT lines.order_id, lines.id, lines.qty, lines.version 
FROM lines 
WHERE lines.order_id IN ($1::INTEGER, $2::INTEGER, $3::INTEGER, $4::INTEGER, $5::INTEGER, $6::INTEGER, $7::INTEGER, $8::INTEGER, $9::INTEGER, $10::INTEGER);
SELECT orders.id AS orders_id, orders.customer_id AS orders_customer_id, orders.status AS orders_status, orders.total AS orders_total, orders.placed AS orders_placed, orders.parent_id AS orders_parent_id, anon_1.customers_id AS anon_1_customers_id 
FROM (SELECT customers.id AS customers_id 
FROM customers) AS anon_1 JOIN orders ON anon_1.customers_id = orders.customer_id;
