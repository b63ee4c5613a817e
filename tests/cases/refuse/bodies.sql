-- title: a view among a schema's elements
CREATE SCHEMA more CREATE VIEW v AS TABLE public.users;
-- refused: utility 0A000
