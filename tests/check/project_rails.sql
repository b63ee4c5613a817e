-- A shop in Ruby on Rails: paranoia on users, orders and comments, discard on products, as its structure.sql has them.

-- title: what check says of it, and what apply leaves
-- show: everything
-- own login: check_own
-- toml: [tables.users]
-- toml: delete = "soft"
-- toml: [tables.products]
-- toml: delete = "soft"
-- toml: column = "discarded_at"
-- toml: [tables.orders]
-- toml: delete = "soft"
-- toml: archive = "archive.orders"
-- toml: audit = true
-- toml: [tables.line_items]
-- toml: delete = "soft"
-- toml: visible_through = []
-- toml: [tables.comments]
-- toml: delete = "soft"
-- toml: [tables.addresses]
-- toml: delete = "archive"
-- toml: [tables.sessions]
-- toml: delete = "hard"
CREATE TABLE schema_migrations (version varchar NOT NULL PRIMARY KEY);
CREATE TABLE ar_internal_metadata (key varchar NOT NULL PRIMARY KEY, value varchar, created_at timestamp(6) NOT NULL, updated_at timestamp(6) NOT NULL);
CREATE TABLE users (
    id bigserial PRIMARY KEY, email varchar DEFAULT '' NOT NULL, encrypted_password varchar DEFAULT '' NOT NULL,
    reset_password_token varchar, username varchar, manager_id bigint, orders_count int DEFAULT 0 NOT NULL,
    comments_count int DEFAULT 0 NOT NULL, deleted_at timestamp(6) without time zone,
    created_at timestamp(6) NOT NULL, updated_at timestamp(6) NOT NULL
);
CREATE UNIQUE INDEX index_users_on_email ON users USING btree (email);
CREATE UNIQUE INDEX index_users_on_lower_username ON users USING btree (lower((username)::text));
CREATE UNIQUE INDEX index_users_on_reset_password_token ON users USING btree (reset_password_token) WHERE deleted_at IS NULL;
CREATE INDEX index_users_on_deleted_at ON users USING btree (deleted_at);
ALTER TABLE users ADD CONSTRAINT fk_rails_5b9ed4d1a0 FOREIGN KEY (manager_id) REFERENCES users (id) ON DELETE SET NULL;
CREATE TABLE products (
    id bigserial PRIMARY KEY, tenant_id bigint NOT NULL, sku varchar NOT NULL, slug varchar, name varchar NOT NULL, price_cents int NOT NULL,
    stock int DEFAULT 0 NOT NULL, discarded_at timestamp(6), created_at timestamp(6) NOT NULL, updated_at timestamp(6) NOT NULL,
    CONSTRAINT price_positive CHECK (price_cents > 0)
);
CREATE UNIQUE INDEX index_products_on_tenant_id_and_sku ON products USING btree (tenant_id, sku);
CREATE UNIQUE INDEX index_products_on_slug_and_discarded_at ON products USING btree (slug, discarded_at);
ALTER TABLE products ADD CONSTRAINT chk_rails_stock CHECK (stock >= 0) NOT VALID;
CREATE TABLE orders (
    id bigserial PRIMARY KEY, user_id bigint NOT NULL, number varchar NOT NULL, state varchar DEFAULT 'cart' NOT NULL,
    line_items_count int DEFAULT 0, deleted_at timestamp(6), created_at timestamp(6) NOT NULL, updated_at timestamp(6) NOT NULL
);
CREATE UNIQUE INDEX index_orders_on_number ON orders USING btree (number);
ALTER TABLE orders ADD CONSTRAINT fk_rails_f868b47f6a FOREIGN KEY (user_id) REFERENCES users (id);
CREATE TABLE line_items (
    id bigserial PRIMARY KEY, order_id bigint NOT NULL, product_id bigint NOT NULL, quantity int DEFAULT 1 NOT NULL
);
CREATE UNIQUE INDEX index_line_items_on_order_id_and_product_id ON line_items USING btree (order_id, product_id);
ALTER TABLE line_items ADD CONSTRAINT fk_rails_2dc2e5c22c FOREIGN KEY (order_id) REFERENCES orders (id) ON DELETE CASCADE;
ALTER TABLE line_items ADD CONSTRAINT fk_rails_11e15d5c6b FOREIGN KEY (product_id) REFERENCES products (id);
CREATE TABLE addresses (id bigserial PRIMARY KEY, user_id bigint NOT NULL REFERENCES users ON DELETE CASCADE, street varchar);
CREATE TABLE comments (
    id bigserial PRIMARY KEY, commentable_type varchar NOT NULL, commentable_id bigint NOT NULL, user_id bigint,
    parent_id bigint, body text, deleted_at timestamp(6)
);
CREATE INDEX index_comments_on_commentable ON comments USING btree (commentable_type, commentable_id);
ALTER TABLE comments ADD CONSTRAINT fk_rails_03de2dc08c FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE SET NULL;
ALTER TABLE comments ADD CONSTRAINT fk_rails_31554e7034 FOREIGN KEY (parent_id) REFERENCES comments (id) ON DELETE CASCADE;
CREATE TABLE sessions (id bigserial PRIMARY KEY, user_id bigint REFERENCES users ON DELETE CASCADE, session_id varchar NOT NULL UNIQUE);
CREATE TABLE wishlists (id bigserial PRIMARY KEY, user_id bigint NOT NULL REFERENCES users ON DELETE CASCADE);
CREATE TABLE coupons (id bigserial PRIMARY KEY, code varchar UNIQUE, deleted_at timestamp(6));
INSERT INTO coupons (code, deleted_at) VALUES ('SPRING', now()), ('SUMMER', NULL);
CREATE TABLE tags_products (tag_id bigint NOT NULL, product_id bigint NOT NULL);
CREATE VIEW active_users AS SELECT users.id, users.email FROM users WHERE users.deleted_at IS NULL;
CREATE MATERIALIZED VIEW sales AS SELECT p.sku, count(*) AS sold FROM products p JOIN line_items l ON l.product_id = p.id GROUP BY p.sku;
CREATE FUNCTION update_orders_count() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE users SET orders_count = orders_count - 1 WHERE id = OLD.user_id;
    RETURN OLD;
END $$;
CREATE TRIGGER orders_count AFTER DELETE ON orders FOR EACH ROW EXECUTE FUNCTION update_orders_count();
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO check_clerk;
GRANT SELECT (id, email) ON users TO check_reader;
-- finds:
-- error archive, public.addresses_archive: rows that leave public.addresses have nowhere to go
-- error marker-column, public.line_items: the marker column "deleted_at" does not exist
-- warning check, CHECK constraint chk_rails_stock on public.products: it is NOT VALID: a row that breaks it can be deleted by a DELETE, but not be marked (23514)
-- warning archive, archive.orders: rows that leave public.orders have nowhere to go
-- warning cascade, foreign key wishlists_user_id_fkey on public.wishlists: deleting a row of public.users keeps that row and really deletes those of public.wishlists that point to it, as nobody has registered them
-- warning function, function public.update_orders_count() of trigger orders_count on public.orders: it sees deleted rows of public.users
-- warning unique-index, index public.index_line_items_on_order_id_and_product_id: it counts deleted rows: a freed order_id, product_id cannot be used again
-- warning unique-index, index public.index_orders_on_number: it counts deleted rows: a freed number cannot be used again
-- warning unique-index, index public.index_products_on_tenant_id_and_sku: it counts deleted rows: a freed tenant_id, sku cannot be used again
-- warning unique-index, index public.index_users_on_email: it counts deleted rows: a freed email cannot be used again
-- warning unique-index, index public.index_users_on_lower_username: it counts deleted rows: a freed lower(username::text) cannot be used again
-- warning materialized-view, materialized view public.sales: it shows deleted rows of public.line_items
-- warning materialized-view, materialized view public.sales: it shows deleted rows of public.products
-- warning archive-trigger, public.addresses: a row that a cascade deletes would be lost
-- warning privilege, public.addresses: role check_clerk may DELETE, but its deletions fail (42501): it lacks INSERT on public.addresses_archive
-- warning foreign-key, public.addresses: addresses_user_id_fkey: a row can be written that points to a deleted row of public.users
-- warning foreign-key, public.addresses: addresses_user_id_fkey, public.comments: fk_rails_03de2dc08c, public.sessions: sessions_user_id_fkey, public.wishlists: wishlists_user_id_fkey, public.users: fk_rails_5b9ed4d1a0, public.orders: fk_rails_f868b47f6a: deleting a row leaves its live children as they are
-- warning lock-index, public.comments: a child that is being inserted while its parent is deleted stays, without a parent
-- warning archive-trigger, public.comments: a row that a cascade deletes would be lost
-- warning foreign-key, public.comments: a cascade ends only at COMMIT
-- warning foreign-key, public.comments: dead rows that point to a row stop it from being deleted, or lose what they pointed to
-- warning reinsert, public.comments: a row that takes the key of a deleted one is refused (23505), and not told that an archive or reinsert = "revive" would let it in
-- warning privilege, public.comments: Sexton's own login check_own cannot count deleted rows: it may not SELECT deleted_at
-- warning foreign-key, public.comments: fk_rails_03de2dc08c: a row can be written that points to a deleted row of public.users
-- warning foreign-key, public.comments: fk_rails_31554e7034: a row can be written that points to a deleted row of public.comments
-- warning foreign-key, public.comments: fk_rails_31554e7034: deleting a row leaves its live children as they are
-- warning archive-trigger, public.line_items: a row that a cascade deletes would be lost
-- warning reinsert, public.line_items: a row that takes the key of a deleted one is refused (23505), and not told that an archive or reinsert = "revive" would let it in
-- warning privilege, public.line_items: Sexton's own login check_own cannot count deleted rows: it may not SELECT deleted_at
-- warning foreign-key, public.line_items: fk_rails_11e15d5c6b: a row can be written that points to a deleted row of public.products
-- warning foreign-key, public.line_items: fk_rails_11e15d5c6b: deleting a row leaves its live children as they are
-- warning foreign-key, public.line_items: fk_rails_2dc2e5c22c: a row can be written that points to a deleted row of public.orders
-- warning foreign-key, public.line_items: fk_rails_2dc2e5c22c: deleting a row leaves its live children as they are
-- warning lock-index, public.orders: a child that is being inserted while its parent is deleted stays, without a parent
-- warning archive-trigger, public.orders: a row that a cascade deletes would be lost
-- warning foreign-key, public.orders: dead rows that point to a row stop it from being deleted, or lose what they pointed to
-- warning reinsert, public.orders: a row that takes the key of a deleted one is refused (23505)
-- warning audit, public.orders: deletions from it are not recorded
-- warning privilege, public.orders: Sexton's own login check_own cannot count deleted rows: it may not SELECT deleted_at
-- warning foreign-key, public.orders: fk_rails_f868b47f6a: a row can be written that points to a deleted row of public.users
-- warning foreign-key, public.products: in REPEATABLE READ and SERIALIZABLE, dead rows that point to a row stop its parent from being deleted
-- warning reinsert, public.products: a row that takes the key of a deleted one is refused (23505), and not told that an archive or reinsert = "revive" would let it in
-- warning privilege, public.products: Sexton's own login check_own cannot count deleted rows: it may not SELECT discarded_at
-- warning foreign-key, public.sessions: sessions_user_id_fkey: a row can be written that points to a deleted row of public.users
-- warning lock-index, public.users: a child that is being inserted while its parent is deleted stays, without a parent
-- warning foreign-key, public.users: dead rows that point to a row stop it from being deleted, or lose what they pointed to
-- warning reinsert, public.users: a row that takes the key of a deleted one is refused (23505), and not told that an archive or reinsert = "revive" would let it in
-- warning privilege, public.users: Sexton's own login check_own cannot count deleted rows: it may not SELECT deleted_at
-- warning privilege, public.users: role check_reader cannot use it any more (42501): every statement tests deleted_at, which it may not SELECT
-- warning foreign-key, public.users: fk_rails_5b9ed4d1a0: a row can be written that points to a deleted row of public.users
-- warning foreign-key, public.wishlists: wishlists_user_id_fkey: a row can be written that points to a deleted row of public.users
-- warning own-schema, schema sexton: without it, foreign keys, re-used keys and deletion events are not what a real DELETE would make of them
-- warning trigger, trigger orders_count on public.orders: it does not fire when a row is deleted from public.orders: a deletion is an UPDATE
-- note no-archive, foreign key fk_rails_2dc2e5c22c on public.line_items: no row takes the key of a deleted row of public.orders that deleted rows of public.line_items point to (23505)
-- note orphans, public.comments: whether live rows point to deleted ones is not for check_own to see
-- note unregistered, public.coupons: whether rows are marked in deleted_at is not for check_own to see
-- note orphans, public.users: whether live rows point to deleted ones is not for check_own to see
-- leaves:
-- warning check, CHECK constraint chk_rails_stock on public.products: it is NOT VALID: a row that breaks it can be deleted by a DELETE, but not be marked (23514)
--    mend: mend the rows, then ALTER TABLE public.products VALIDATE CONSTRAINT chk_rails_stock
-- warning cascade, foreign key wishlists_user_id_fkey on public.wishlists: deleting a row of public.users keeps that row and really deletes those of public.wishlists that point to it, as nobody has registered them
--    mend: add to the configuration: [databases.shop.tables.wishlists] delete = "soft"  # or "archive", or "hard" where that is meant
-- warning function, function public.update_orders_count() of trigger orders_count on public.orders: it sees deleted rows of public.users
--    mend: add deleted_at IS NULL where it reads or updates public.users
-- warning materialized-view, materialized view public.sales: it shows deleted rows of public.line_items
--    mend: drop it and create it through Sexton, which adds deleted_at IS NULL to it
-- warning materialized-view, materialized view public.sales: it shows deleted rows of public.products
--    mend: drop it and create it through Sexton, which adds discarded_at IS NULL to it
-- warning unregistered, public.coupons: 1 row is marked in deleted_at, and every query sees it
--    mend: add to the configuration: [databases.shop.tables.coupons] delete = "soft" column = "deleted_at"
-- warning trigger, trigger orders_count on public.orders: it does not fire when a row is deleted from public.orders: a deletion is an UPDATE
--    mend: CREATE TRIGGER orders_count_when_marked AFTER UPDATE OF deleted_at ON public.orders FOR EACH ROW WHEN ((OLD.deleted_at IS NULL) AND (NEW.deleted_at IS NOT NULL)) EXECUTE FUNCTION public.update_orders_count(), where that function does not ask for TG_OP
-- note no-archive, foreign key fk_rails_2dc2e5c22c on public.line_items: no row takes the key of a deleted row of public.orders that deleted rows of public.line_items point to (23505)
--    mend: add to the configuration: [databases.shop.tables.line_items] archive = "line_items_archive"
