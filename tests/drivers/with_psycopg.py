"""psycopg through Sexton: create, list, delete, list, delete again; text and binary results, and a pipeline."""

import os

import psycopg

TABLES = {
    "claims": (
        "INSERT INTO claims (id, seat_id, customer_id, expires_at) VALUES (%s, 1, 1, now())",
        "SELECT count(*) FROM claims WHERE id = %s AND deleted_at IS NOT NULL",
    ),
    "orders": (
        "INSERT INTO orders (id, customer_id, seat_id, cents) VALUES (%s, 1, 1, 100)",
        "SELECT count(*) FROM archive.orders WHERE id = %s AND archived_by = 'app'",
    ),
}


def connect(port, user):
    return psycopg.connect(f"host=127.0.0.1 port={port} user={user} dbname=shop", autocommit=True)


def same(found, expected, what):
    assert found == expected, f"{what}: expected {expected!r}, found {found!r}"


def one_by_one(app, direct, table, id, binary):
    insert, kept = TABLES[table]
    cursor = app.cursor(binary=binary)
    cursor.execute(insert, [id])
    cursor.execute(f"SELECT id FROM {table} WHERE id = %s", [id])
    same(cursor.fetchall(), [(id,)], f"{table} after insert")
    for expected in ("DELETE 1", "DELETE 0"):
        cursor.execute(f"DELETE FROM {table} WHERE id = %s", [id], prepare=binary)
        same(cursor.statusmessage, expected, f"tag of a delete from {table}")
        cursor.execute(f"SELECT id FROM {table} WHERE id = %s", [id])
        same(cursor.fetchall(), [], f"{table} after delete")
    same(direct.execute(kept, [id]).fetchone(), (1,), f"kept row of {table}")


def pipeline(app, direct, table, id):
    insert, kept = TABLES[table]
    with app.pipeline():
        cursors = [app.cursor() for _ in range(5)]
        cursors[0].execute(insert, [id])
        cursors[1].execute(f"DELETE FROM {table} WHERE id = %s RETURNING id", [id])
        cursors[2].execute(f"SELECT id FROM {table} WHERE id = %s", [id])
        cursors[3].execute(f"DELETE FROM {table} WHERE id = %s", [id])
        cursors[4].execute("SELECT 1")
    same(cursors[1].fetchall(), [(id,)], f"RETURNING of a pipelined delete from {table}")
    same(cursors[2].fetchall(), [], f"{table} later in the pipeline")
    tags = [cursor.statusmessage for cursor in cursors]
    same(tags, ["INSERT 0 1", "DELETE 1", "SELECT 0", "DELETE 0", "SELECT 1"], f"tags of the {table} pipeline")
    same(direct.execute(kept, [id]).fetchone(), (1,), f"kept row of {table}")


with (
    connect(os.environ["SEXTON_PORT"], "app") as app,
    connect(os.environ["SERVER_PORT"], "postgres") as direct,
):
    for table in TABLES:
        one_by_one(app, direct, table, 1001, binary=False)
        one_by_one(app, direct, table, 1002, binary=True)
        pipeline(app, direct, table, 1003)
