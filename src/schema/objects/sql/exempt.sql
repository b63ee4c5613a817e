CREATE TABLE IF NOT EXISTS sexton.exempt (
    txid xid8 NOT NULL,
    id bigint GENERATED ALWAYS AS IDENTITY,
    relation oid NOT NULL,
    key jsonb NOT NULL,
    image text,
    back text,
    PRIMARY KEY (txid, id)
)
