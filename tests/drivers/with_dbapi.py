"""psycopg 2 and 3: with parameters, in binary and prepared, and in a pipeline."""

import os
import sys

driver = __import__(sys.argv[1])
statements = [line.rstrip("\n").split(" ", 2) for line in open(os.environ["SCENARIO"]) if not line.startswith("#")]
first = int(os.environ["FIRST_ID"])
connection = driver.connect(f"host=127.0.0.1 port={os.environ['SEXTON_PORT']} user=app dbname=shop")
connection.autocommit = True
three = driver.__name__ == "psycopg"


def check(kind, expected, sql, cursor):
    found = len(cursor.fetchall()) if kind == "rows" else cursor.rowcount
    assert found == int(expected), f"{sql}: expected {expected}, found {found}"


def one_by_one(id, **options):
    for kind, expected, sql in statements:
        with connection.cursor(**({"binary": True} if options else {})) as cursor:
            cursor.execute(sql.replace("$1", "%s"), [id], **options)
            check(kind, expected, sql, cursor)


def pipelined(id):
    with connection.pipeline():
        cursors = [connection.cursor() for _ in statements]
        for cursor, (_, _, sql) in zip(cursors, statements):
            cursor.execute(sql.replace("$1", "%s"), [id])
    for cursor, statement in zip(cursors, statements):
        check(*statement, cursor)


ways = [one_by_one]
if three:
    ways += [lambda id: one_by_one(id, prepare=True), pipelined]
for number, way in enumerate(ways):
    way(first + number)
print("ways", len(ways))
