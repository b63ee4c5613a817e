-- Deletes for good what schema.sql marks as deleted.
DELETE FROM users WHERE deleted_at IS NOT NULL;
DELETE FROM posts WHERE deleted;
DELETE FROM seats WHERE state = 'void';
DELETE FROM notes WHERE gone;
DELETE FROM measurements WHERE deleted_at IS NOT NULL;
DELETE FROM billing.invoices WHERE deleted_at IS NOT NULL;
DELETE FROM logins WHERE gone;
DELETE FROM accounts WHERE deleted_at IS NOT NULL;
