CREATE TABLE IF NOT EXISTS sexton.tables (
    relation text PRIMARY KEY,
    live text NOT NULL,
    strategy text NOT NULL,
    archive text,
    oid oid,
    recorded_at timestamptz NOT NULL DEFAULT pg_catalog.now()
)
