CREATE TABLE IF NOT EXISTS sexton.deletions (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    event uuid NOT NULL,
    at timestamptz NOT NULL DEFAULT pg_catalog.now(),
    actor text,
    role text,
    application_name text,
    client_address inet,
    relation text NOT NULL,
    action text NOT NULL,
    rows bigint NOT NULL,
    keys jsonb,
    reason text,
    fingerprint text,
    trace text,
    txid bigint,
    UNIQUE (at, id)
)
