// node-postgres: simple, with parameters, prepared, and queued without waiting.
const { Client } = require('pg');
const { port, statements, run, check, main } = require('./scenario.cjs');

main(async () => {
  const client = new Client({ host: '127.0.0.1', port, user: 'app', database: 'shop' });
  await client.connect();
  const oneByOne = (query) => async (id) => {
    for (const statement of statements) {
      const { rows, rowCount } = await client.query(query(statement.sql, id));
      check(statement, rows, rowCount);
    }
  };
  await run([
    oneByOne((sql, id) => sql.replaceAll('$1', String(id))),
    oneByOne((text, id) => ({ text, values: [id] })),
    oneByOne((text, id) => ({ text, values: [id], name: text.slice(0, 60) })),
    async (id) => {
      const results = await Promise.all(statements.map(({ sql }) => client.query(sql, [id])));
      results.forEach(({ rows, rowCount }, index) => check(statements[index], rows, rowCount));
    },
  ]);
  await client.end();
});
