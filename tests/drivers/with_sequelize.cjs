// Sequelize: models, without its own paranoid mode.
const assert = require('node:assert');
const { Sequelize, DataTypes } = require('sequelize');
const { port, run, main } = require('./scenario.cjs');

main(async () => {
  const sequelize = new Sequelize('shop', 'app', '', { host: '127.0.0.1', port, dialect: 'postgres', logging: false });
  const columns = { id: { type: DataTypes.INTEGER, primaryKey: true }, seat_id: DataTypes.INTEGER, customer_id: DataTypes.INTEGER };
  const define = (name, more) => sequelize.define(name, { ...columns, ...more }, { tableName: name, timestamps: false });
  const models = [
    [define('claims', { expires_at: DataTypes.DATE }), { expires_at: new Date() }],
    [define('orders', { cents: DataTypes.INTEGER }), { cents: 100 }],
  ];
  const way = (remove) => async (id) => {
    for (const [model, values] of models) {
      await model.create({ id, seat_id: 1, customer_id: 1, ...values });
      assert.strictEqual(await model.count({ where: { id } }), 1);
      await remove(model, id);
      assert.strictEqual(await model.findByPk(id), null);
      assert.strictEqual(await model.destroy({ where: { id } }), 0);
    }
  };
  await run([
    way(async (model, id) => (await model.findByPk(id)).destroy()),
    way(async (model, id) => assert.strictEqual(await model.destroy({ where: { id } }), 1)),
  ]);
  await sequelize.close();
});
