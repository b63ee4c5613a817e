// postgres.js: prepared, unprepared, and pipelined, with its Flush in place of Sync.
const postgres = require('postgres');
const { port, statements, run, check, main } = require('./scenario.cjs');

main(async () => {
  const sql = postgres({ host: '127.0.0.1', port, user: 'app', database: 'shop', max: 1 });
  const oneByOne = (prepare) => async (id) => {
    for (const statement of statements) {
      const rows = await sql.unsafe(statement.sql, [id], { prepare });
      check(statement, rows, rows.count);
    }
  };
  await run([
    oneByOne(false),
    oneByOne(true),
    (id) =>
      sql.begin(async (transaction) => {
        const all = await Promise.all(statements.map((it) => transaction.unsafe(it.sql, [id], { prepare: true })));
        all.forEach((rows, index) => check(statements[index], rows, rows.count));
      }),
  ]);
  await sql.end();
});
