// The scenario, for the drivers of Node.js.
const fs = require('node:fs');

exports.port = Number(process.env.SEXTON_PORT);
exports.first = Number(process.env.FIRST_ID);

exports.statements = fs
  .readFileSync(process.env.SCENARIO, 'utf8')
  .split('\n')
  .filter((line) => line && !line.startsWith('#'))
  .map((line) => {
    const [kind, expected, ...sql] = line.split(' ');
    return { kind, expected: Number(expected), sql: sql.join(' ') };
  });

// Runs every way, each with an id of its own, and says how many there were.
exports.run = async (ways) => {
  for (const [number, way] of ways.entries()) await way(exports.first + number);
  console.log(`ways ${ways.length}`);
};

exports.check = ({ kind, expected, sql }, rows, count) => {
  const found = kind === 'rows' ? rows.length : count;
  if (found !== expected) throw new Error(`${sql}: expected ${expected}, found ${found}`);
};

exports.main = (main) =>
  main().catch((error) => {
    console.error(error);
    process.exit(1);
  });
