-- title: a test of the marker is the statement's own scope
-- not twin: deleted rows are asked for
SELECT id FROM drafts WHERE deleted_at IS NOT NULL ORDER BY id;
-- unchanged
-- rows:
-- 2
-- 3

-- title: without a test the reference stays limited
-- not twin: deleted rows are asked for
SELECT id, deleted_at FROM drafts WHERE id > 0 ORDER BY deleted_at;
-- rewritten:
SELECT id, deleted_at FROM drafts WHERE drafts.deleted_at IS NULL AND (id > 0) ORDER BY deleted_at;
-- rows:
-- 1 | null

-- title: the marker in the select list is no test
-- not twin: deleted rows are asked for
SELECT count(deleted_at) FROM drafts;
-- rewritten:
SELECT count(deleted_at) FROM drafts WHERE drafts.deleted_at IS NULL;
-- rows:
-- 0

-- title: a test by alias
-- not twin: deleted rows are asked for
SELECT d.id FROM drafts AS d WHERE d.deleted_at > '2026-01-15' ORDER BY d.id;
-- unchanged
-- rows:
-- 3

-- title: a test by schema and table
-- not twin: deleted rows are asked for
SELECT id FROM public.drafts WHERE public.drafts.deleted_at IS NOT NULL ORDER BY id;
-- unchanged
-- rows:
-- 2
-- 3

-- title: a test of one reference is none of the other
-- not twin: deleted rows are asked for
SELECT a.id, b.id FROM drafts a JOIN drafts b ON b.line_id = a.line_id WHERE a.deleted_at IS NOT NULL ORDER BY 1, 2;
-- rewritten:
SELECT a.id, b.id FROM drafts a JOIN drafts b ON b.line_id = a.line_id WHERE b.deleted_at IS NULL AND (a.deleted_at IS NOT NULL) ORDER BY 1, 2;
-- rows:
-- 2 | 1

-- title: an unqualified marker that two references have is an error of the server
-- not twin: deleted rows are asked for
SELECT 1 FROM drafts a JOIN drafts b ON b.id = a.id WHERE deleted_at IS NOT NULL;
-- rewritten:
SELECT 1 FROM drafts a JOIN drafts b ON b.id = a.id WHERE a.deleted_at IS NULL AND b.deleted_at IS NULL AND (deleted_at IS NOT NULL);
-- error: 42702

-- title: a test in ON of the nullable side
-- not twin: deleted rows are asked for
SELECT l.id, d.id FROM lines l LEFT JOIN drafts d ON d.line_id = l.id AND d.deleted_at IS NOT NULL ORDER BY 1, 2;
-- unchanged
-- rows:
-- 1 | 2
-- 2 | 3
-- 3 | null
-- 4 | null

-- title: a test in WHERE of the nullable side
-- not twin: deleted rows are asked for
SELECT l.id, d.id FROM lines l LEFT JOIN drafts d ON d.line_id = l.id WHERE d.deleted_at IS NOT NULL ORDER BY 1, 2;
-- unchanged
-- rows:
-- 1 | 2
-- 2 | 3

-- title: a test where the table would become a derived one
-- not twin: deleted rows are asked for
SELECT l.id, d.id FROM lines l FULL JOIN drafts d ON d.line_id = l.id AND d.deleted_at IS NOT NULL ORDER BY 1, 2;
-- unchanged
-- rows:
-- 1 | 2
-- 2 | 3
-- 3 | null
-- 4 | null
-- null | 1

-- title: a test in a subquery is none of the outer reference
-- not twin: deleted rows are asked for
SELECT id FROM drafts WHERE EXISTS (SELECT 1 FROM lines WHERE drafts.deleted_at IS NOT NULL) ORDER BY id;
-- rewritten:
SELECT id FROM drafts WHERE drafts.deleted_at IS NULL AND (EXISTS (SELECT 1 FROM lines WHERE drafts.deleted_at IS NOT NULL)) ORDER BY id;
-- rows:

-- title: a subquery's own test is its own
-- not twin: deleted rows are asked for
SELECT id FROM drafts WHERE id IN (SELECT id FROM drafts WHERE deleted_at IS NOT NULL OR true) ORDER BY id;
-- rewritten:
SELECT id FROM drafts WHERE drafts.deleted_at IS NULL AND (id IN (SELECT id FROM drafts WHERE deleted_at IS NOT NULL OR true)) ORDER BY id;
-- rows:
-- 1

-- title: a sort in parentheses is no test
-- not twin: deleted rows are asked for
SELECT id FROM drafts WHERE id IN ((SELECT id FROM tickets) ORDER BY deleted_at) ORDER BY id;
-- rewritten:
SELECT id FROM drafts WHERE drafts.deleted_at IS NULL AND (id IN ((SELECT id FROM tickets WHERE (tickets.state <> 'void')) ORDER BY deleted_at)) ORDER BY id;
-- rows:
-- 1

-- title: a table with enforcement is limited all the same
-- not twin: deleted rows are asked for
SELECT id FROM users WHERE deleted_at IS NOT NULL OR id = 1 ORDER BY id;
-- rewritten:
SELECT id FROM users WHERE users.deleted_at IS NULL AND (deleted_at IS NOT NULL OR id = 1) ORDER BY id;
-- rows:
-- 1

-- title: a column of a predicate of one's own
-- not twin: deleted rows are asked for
SELECT id FROM tickets WHERE state = 'void' ORDER BY id;
-- unchanged
-- rows:
-- 2
-- 3

-- title: a column that the predicate does not read
-- not twin: deleted rows are asked for
SELECT id FROM tickets WHERE voided_at IS NULL OR id > 0 ORDER BY id;
-- rewritten:
SELECT id FROM tickets WHERE (tickets.state <> 'void') AND (voided_at IS NULL OR id > 0) ORDER BY id;
-- rows:
-- 1

-- title: a field of a composite value is no column
-- not twin: deleted rows are asked for
SELECT id FROM drafts WHERE ((SELECT x FROM (SELECT 1 AS deleted_at) x)).deleted_at = 1 ORDER BY id;
-- rewritten:
SELECT id FROM drafts WHERE drafts.deleted_at IS NULL AND (((SELECT x FROM (SELECT 1 AS deleted_at) x)).deleted_at = 1) ORDER BY id;
-- error: 42703

-- title: an alias of that name in another block
-- not twin: deleted rows are asked for
SELECT d.id FROM drafts d, LATERAL (SELECT deleted_at.n FROM (SELECT 1) AS deleted_at (n)) l WHERE l.n = 1 ORDER BY d.id;
-- rewritten:
SELECT d.id FROM drafts d, LATERAL (SELECT deleted_at.n FROM (SELECT 1) AS deleted_at (n)) l WHERE d.deleted_at IS NULL AND (l.n = 1) ORDER BY d.id;
-- rows:
-- 1

-- title: columns renamed by an alias are no test
-- not twin: deleted rows are asked for
SELECT a FROM drafts AS d (a, b, c, deleted_at) WHERE d.deleted_at IS NULL OR true ORDER BY a;
-- rewritten:
SELECT a FROM (SELECT * FROM drafts d WHERE d.deleted_at IS NULL) AS d (a, b, c, deleted_at) WHERE d.deleted_at IS NULL OR true ORDER BY a;
-- rows:
-- 1

-- title: a merged marker is no test
-- not twin: deleted rows are asked for
SELECT id FROM drafts JOIN (SELECT NULL::timestamptz AS deleted_at) x USING (deleted_at) WHERE deleted_at IS NULL ORDER BY id;
-- rewritten:
SELECT id FROM drafts JOIN (SELECT NULL::timestamptz AS deleted_at) x USING (deleted_at) WHERE drafts.deleted_at IS NULL AND (deleted_at IS NULL) ORDER BY id;
-- rows:

-- title: an undelete
-- not twin: deleted rows are asked for
UPDATE drafts SET deleted_at = NULL WHERE deleted_at IS NOT NULL AND id = 3;
-- unchanged
-- tag: UPDATE 1

-- title: an update without a test changes live rows
-- not twin: deleted rows are asked for
UPDATE drafts SET deleted_at = NULL WHERE id = 3;
-- rewritten:
UPDATE drafts SET deleted_at = NULL WHERE drafts.deleted_at IS NULL AND (id = 3);
-- tag: UPDATE 0

-- title: a delete hits live rows whatever it tests
-- not twin: deleted rows are asked for
DELETE FROM drafts WHERE deleted_at IS NOT NULL OR id = 1;
-- rewritten:
UPDATE drafts SET deleted_at = now() WHERE drafts.deleted_at IS NULL AND (deleted_at IS NOT NULL OR id = 1);
-- tag: DELETE 1

-- title: a test in USING of a delete
-- not twin: deleted rows are asked for
DELETE FROM tickets USING drafts d WHERE d.id = tickets.draft_id AND d.deleted_at IS NOT NULL;
-- rewritten:
UPDATE tickets SET state = 'void', voided_at = now() FROM drafts d WHERE (tickets.state <> 'void') AND (d.id = tickets.draft_id AND d.deleted_at IS NOT NULL);
-- tag: DELETE 0

-- title: a merge is enforced
-- since: 15
-- not twin: deleted rows are asked for
MERGE INTO drafts d USING lines l ON d.line_id = l.id AND d.deleted_at IS NOT NULL WHEN MATCHED THEN UPDATE SET title = 'x';
-- rewritten:
MERGE INTO drafts d USING lines l ON d.deleted_at IS NULL AND (d.line_id = l.id AND d.deleted_at IS NOT NULL) WHEN MATCHED THEN UPDATE SET title = 'x';
-- tag: MERGE 0

-- title: the scope deleted stays with a test
-- role: support
-- scope: deleted
-- not twin: deleted rows are asked for
SELECT id FROM drafts WHERE deleted_at IS NULL OR true ORDER BY id;
-- rewritten:
SELECT id FROM drafts WHERE drafts.deleted_at IS NOT NULL AND (deleted_at IS NULL OR true) ORDER BY id;
-- rows:
-- 2
-- 3

-- title: a view with a test
-- not twin: deleted rows are asked for
CREATE VIEW drafts_bin AS SELECT id FROM drafts WHERE deleted_at IS NOT NULL; SELECT id FROM drafts_bin ORDER BY id;
-- unchanged
-- tag: CREATE VIEW, SELECT 2
-- rows:
-- 2
-- 3
