// node-postgres through Sexton: create, list, delete, list, delete again; simple, with parameters, and prepared.
const assert = require('node:assert');
const { Client } = require('pg');

const connect = async (port, user) => {
  const client = new Client({ host: '127.0.0.1', port: Number(port), user, database: 'shop' });
  await client.connect();
  return client;
};

const tables = {
  claims: {
    insert: 'INSERT INTO claims (id, seat_id, customer_id, expires_at) VALUES ($1, 1, 1, now())',
    kept: 'SELECT count(*)::int AS n FROM claims WHERE id = $1 AND deleted_at IS NOT NULL',
  },
  orders: {
    insert: 'INSERT INTO orders (id, customer_id, seat_id, cents) VALUES ($1, 1, 1, 100)',
    kept: "SELECT count(*)::int AS n FROM archive.orders WHERE id = $1 AND archived_by = 'app'",
  },
};

const ways = {
  simple: (table, id) => `DELETE FROM ${table} WHERE id = ${id}`,
  parameters: (table, id) => ({ text: `DELETE FROM ${table} WHERE id = $1`, values: [id] }),
  prepared: (table, id) => ({ name: `delete ${table}`, text: `DELETE FROM ${table} WHERE id = $1`, values: [id] }),
};

const main = async () => {
  const app = await connect(process.env.SEXTON_PORT, 'app');
  const direct = await connect(process.env.SERVER_PORT, 'postgres');
  let id = 3000;
  for (const [table, { insert, kept }] of Object.entries(tables)) {
    for (const [way, remove] of Object.entries(ways)) {
      id += 1;
      const what = `${table}, ${way}`;
      const list = async () => (await app.query(`SELECT id FROM ${table} WHERE id = $1`, [id])).rows.length;
      await app.query(insert, [id]);
      assert.strictEqual(await list(), 1, what);
      for (const expected of [1, 0]) {
        const { command, rowCount } = await app.query(remove(table, id));
        assert.deepStrictEqual([command, rowCount], ['DELETE', expected], what);
        assert.strictEqual(await list(), 0, what);
      }
      assert.strictEqual((await direct.query(kept, [id])).rows[0].n, 1, what);
    }
  }
  await app.end();
  await direct.end();
};

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
