import { writeFileSync } from 'node:fs';
import * as tapeloop from 'tapeloop';
import * as data from 'tapeloop/data';
import { expect, test } from 'vitest';
import { train } from './training.mjs';

test('it trains', async () => {
  const result = await train(tapeloop, data);
  writeFileSync('result.json', JSON.stringify(result));
  expect(result.hash).toMatch(/^[0-9a-f]{8}$/);
});
