// knex: its query builder, with its row counts.
const assert = require('node:assert');
const { port, run, main } = require('./scenario.cjs');

main(async () => {
  const knex = require('knex')({
    client: 'pg',
    connection: { host: '127.0.0.1', port, user: 'app', database: 'shop' },
  });
  await run([
    async (id) => {
      const rows = { claims: { expires_at: new Date() }, orders: { cents: 100 } };
      for (const [table, values] of Object.entries(rows)) {
        assert.strictEqual((await knex(table).insert({ id, seat_id: 1, customer_id: 1, ...values })).rowCount, 1);
        assert.strictEqual((await knex(table).where({ id }).select('id')).length, 1);
        assert.strictEqual(await knex(table).where({ id }).del(), 1);
        assert.strictEqual((await knex(table).where({ id }).select('id')).length, 0);
        assert.strictEqual(await knex(table).where({ id }).del(), 0);
        assert.strictEqual(await knex(table).where({ id }).update({ seat_id: 2 }), 0);
      }
    },
  ]);
  await knex.destroy();
});
