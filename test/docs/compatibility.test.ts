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
  // Cells run inside RNN, others are made of a graph or of functions of the caller.
  const others = /^(Lambda|KerasFunctional|Onnx(Graph|Model)|(GRU|LSTM|SimpleRNN)Cell)$/;
  const classes = layerClasses().filter((name) => !others.test(name));
  expect(classes.filter((name) => !rows.some(({ of }) => of === name))).toEqual([]);
});
