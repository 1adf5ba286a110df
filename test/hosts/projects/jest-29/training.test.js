const { writeFileSync } = require('node:fs');
const tapeloop = require('tapeloop');
const data = require('tapeloop/data');
const { train } = require('./training.cjs');

test('it trains', async () => {
  const result = await train(tapeloop, data);
  writeFileSync('result.json', JSON.stringify(result));
  expect(result.hash).toMatch(/^[0-9a-f]{8}$/);
});
