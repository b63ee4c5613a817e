-- name: GetAuthor :one
SELECT * FROM authors WHERE id = $1 LIMIT 1;
-- name: ListAuthors :many
SELECT id, name, coalesce(bio, '') AS bio FROM authors ORDER BY name;
-- name: ListAuthorsByIDs :many
SELECT * FROM authors WHERE id = ANY($1::bigint[]) ORDER BY id;
-- name: ListAuthorsPage :many
SELECT * FROM authors WHERE (name, id) > ($1, $2::bigint) ORDER BY name, id LIMIT $3;
-- name: SearchAuthors :many
SELECT * FROM authors WHERE ($1::text IS NULL OR name ILIKE '%' || $1 || '%') AND CASE WHEN $2::boolean THEN bio = $3 ELSE true END;
-- name: GetAuthorWithBooks :many
SELECT sqlc_a.id, sqlc_a.name, b.id, b.title, b.isbn, array_agg(t.name) FILTER (WHERE t.name IS NOT NULL)::text[] AS tags FROM authors sqlc_a LEFT JOIN books b ON b.author_id = sqlc_a.id LEFT JOIN book_tags bt ON bt.book_id = b.id LEFT JOIN tags t ON t.id = bt.tag_id WHERE sqlc_a.id = $1 GROUP BY sqlc_a.id, b.id ORDER BY b.title;
-- name: CountBooksByAuthor :many
SELECT author_id, count(*) AS n, max(published_at) OVER (PARTITION BY author_id) FROM books GROUP BY author_id, published_at HAVING count(*) > $1;
-- name: CreateAuthor :one
INSERT INTO authors (name, bio) VALUES ($1, $2) RETURNING *;
-- name: BulkCreateTags :execrows
INSERT INTO tags (name, weight) SELECT unnest($1::text[]), unnest($2::int[]) ON CONFLICT (name) DO UPDATE SET weight = EXCLUDED.weight WHERE tags.weight < EXCLUDED.weight;
-- name: UpdateAuthor :exec
UPDATE authors SET name = CASE WHEN $1::boolean THEN $2::varchar(32) ELSE name END, bio = coalesce($3, bio) WHERE id = $4;
-- name: MoveBooks :many
UPDATE books b SET author_id = a.id FROM authors a WHERE a.name = $1 AND b.author_id = $2 RETURNING b.id, b.title, a.name;
-- name: DeleteAuthor :exec
DELETE FROM authors WHERE id = $1;
-- name: DeleteOldBooks :execrows
DELETE FROM books WHERE published_at < now() - make_interval(days => $1::int) AND NOT EXISTS (SELECT 1 FROM loans WHERE loans.book_id = books.id);
-- name: DeleteBookTags :many
DELETE FROM book_tags USING tags WHERE tags.id = book_tags.tag_id AND tags.name = $1 RETURNING book_tags.book_id, tags.name;
-- name: TakeJob :one
UPDATE jobs SET state = 'running', started_at = now() WHERE id = (SELECT id FROM jobs WHERE state = 'queued' AND run_at <= now() ORDER BY priority DESC, id FOR UPDATE SKIP LOCKED LIMIT 1) RETURNING *;
-- name: ArchiveJobs :execrows
WITH done AS (DELETE FROM jobs WHERE state = 'done' AND finished_at < $1 RETURNING id, kind, finished_at) INSERT INTO job_log (job_id, kind, finished_at) SELECT id, kind, finished_at FROM done;
-- name: UpsertCounter :one
INSERT INTO counters (name, n) VALUES ($1, 1) ON CONFLICT (name) DO UPDATE SET n = counters.n + 1 RETURNING n;
-- name: Tree :many
WITH RECURSIVE tree AS (SELECT id, parent_id, name, 1 AS depth, ARRAY[id] AS path FROM folders WHERE id = $1 UNION ALL SELECT f.id, f.parent_id, f.name, tree.depth + 1, tree.path || f.id FROM folders f JOIN tree ON f.parent_id = tree.id WHERE NOT f.id = ANY(tree.path)) SELECT tree.*, (SELECT count(*) FROM files WHERE files.folder_id = tree.id) AS files FROM tree ORDER BY path;
-- name: LatestPerUser :many
SELECT DISTINCT ON (e.user_id) e.*, u.email FROM events e JOIN users u USING (user_id) WHERE e.kind = $1 ORDER BY e.user_id, e.created_at DESC;
-- name: Report :many
SELECT d::date AS day, count(e.id) FILTER (WHERE e.kind = 'sale') AS sales, coalesce(sum(e.amount), 0)::numeric(12,2) AS total FROM generate_series($1::date, $2::date, interval '1 day') AS d LEFT JOIN events e ON e.created_at >= d AND e.created_at < d + interval '1 day' GROUP BY d ORDER BY d;
-- name: JsonDocument :one
SELECT jsonb_build_object('user', to_jsonb(u), 'orders', coalesce((SELECT jsonb_agg(jsonb_build_object('id', o.id, 'items', (SELECT jsonb_agg(i ORDER BY i.id) FROM order_items i WHERE i.order_id = o.id))) FROM orders o WHERE o.user_id = u.user_id), '[]'::jsonb)) FROM users u WHERE u.user_id = $1;
-- name: CopyAuthors :copyfrom
COPY authors (name, bio) FROM STDIN BINARY;
