CREATE TABLE IF NOT EXISTS sexton.nulled (
    event uuid NOT NULL,
    relation text NOT NULL,
    key jsonb NOT NULL,
    columns jsonb NOT NULL,
    at timestamptz NOT NULL DEFAULT pg_catalog.now()
)
