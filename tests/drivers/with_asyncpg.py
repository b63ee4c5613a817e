"""asyncpg: prepared, as it does everything, and in a transaction."""

import asyncio
import os

statements = [line.rstrip("\n").split(" ", 2) for line in open(os.environ["SCENARIO"]) if not line.startswith("#")]
first = int(os.environ["FIRST_ID"])


async def run(connection, id):
    for kind, expected, sql in statements:
        if kind == "rows":
            found = len(await connection.fetch(sql, id))
        else:
            found = int((await connection.execute(sql, id)).split()[-1])
        assert found == int(expected), f"{sql}: expected {expected}, found {found}"


async def main():
    import asyncpg

    port = int(os.environ["SEXTON_PORT"])
    connection = await asyncpg.connect(host="127.0.0.1", port=port, user="app", database="shop")
    await run(connection, first)
    async with connection.transaction():
        await run(connection, first + 1)
    await connection.close()
    print("ways 2")


asyncio.run(main())
