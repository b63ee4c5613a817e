-- title: a policy that reads a registered table by TABLE
CREATE POLICY p ON items USING (id IN (TABLE users));
-- refused: utility 0A000

-- title: a policy that reads a registered table by SELECT
CREATE POLICY p ON items USING (id IN (SELECT id FROM users));
-- refused: utility 0A000

-- title: a view among a schema's elements
CREATE SCHEMA more CREATE VIEW v AS TABLE public.users;
-- refused: utility 0A000
