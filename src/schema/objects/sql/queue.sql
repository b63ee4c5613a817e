CREATE UNLOGGED TABLE IF NOT EXISTS sexton.queue (
    txid xid8 NOT NULL DEFAULT pg_catalog.pg_current_xact_id(),
    id bigint GENERATED ALWAYS AS IDENTITY,
    call text NOT NULL,
    key text[] NOT NULL,
    relation oid NOT NULL,
    PRIMARY KEY (txid, id)
)
