// The tables of docs/guides/compatibility.md say what the code does. Written anew by
// node --import tsx test/docs/compatibility.ts
import { expect, test } from 'vitest';
import '../../src/images.ts';
import { layerClasses } from '../../src/layers/layer-classes.ts';
import { sectionNames, sectionOf } from './compatibility.ts';
import { rows } from './compatibility-rows.ts';

test.each(sectionNames)('the table of %s is that of the code', { timeout: 120_000 }, (name) => {
  const { written, computed } = sectionOf(name);
  expect(written).toBe(computed);
});

test('every layer that a model file can hold has a row', () => {
  // Cells run inside RNN, a Lambda is a function of the caller's, and a functional model is made of other layers.
  const others = /^(Lambda|KerasFunctional|(GRU|LSTM|SimpleRNN)Cell)$/;
  const classes = layerClasses().filter((name) => !others.test(name));
  expect(classes.filter((name) => !rows.some(({ of }) => of === name))).toEqual([]);
});
