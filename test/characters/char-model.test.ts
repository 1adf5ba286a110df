import { expect, test } from 'vitest';
import { buildCharModel, trainOnWindow, validate } from '../../src/characters/char-model.ts';
import { addPoint, type LossPoint } from '../../src/characters/run.ts';
import { runDefaults } from '../../src/characters/run-options.ts';
import { NonFiniteLossError } from '../../src/checks/divergence.ts';
import { textStreams } from '../../src/data/text/text.ts';

const options = { ...runDefaults, hidden: 8, batch: 2, time: 5 };
const ids = Int32Array.from({ length: 101 }, (_, i) => (i * i) % 4);

test('addPoint of 100,000 steps, keeps some thousand at even distances', () => {
  const points: LossPoint[] = [];
  for (let step = 1; step <= 100_000; step++) addPoint(points, [step, 1 / step]);
  expect(points.length).toBeGreaterThan(8192);
  expect(points.length).toBeLessThanOrEqual(16384);
  expect(points).toEqual(points.map((_, i) => [1 + 8 * i, 1 / (1 + 8 * i)]));
  expect(points.at(-1)![0]).toBeGreaterThan(100_000 - 8);
});

test('addPoint of a short run, keeps a last point nearer than the others', () => {
  const points: LossPoint[] = [];
  for (const step of [500, 1000, 1001]) addPoint(points, [step, 1]);
  expect(points.map(([step]) => step)).toEqual([500, 1000, 1001]);
});

test('validate, is the mean loss of the windows, and leaves carried states as they were', async () => {
  const model = buildCharModel(options, 4);
  trainOnWindow(model, textStreams(ids, { batch: options.batch, time: options.time }));
  const states = model.trainer.statefulLayers.map((layer) => layer.carried.values);
  const first = await validate(model, ids, options);
  expect(first).toBeGreaterThan(0.5);
  expect(first).toBeLessThan(3);
  expect(await validate(model, ids, options)).toBe(first);
  expect(model.trainer.statefulLayers.map((layer) => layer.carried.values)).toEqual(states);
});

test('validate told to stop, gives no loss and the states back', async () => {
  const model = buildCharModel(options, 4);
  trainOnWindow(model, textStreams(ids, { batch: options.batch, time: options.time }));
  const states = model.trainer.statefulLayers.map((layer) => layer.carried.values);
  let asked = 0;
  expect(await validate(model, ids, options, { goOn: async () => ++asked < 3 })).toBeUndefined();
  expect(asked).toBe(3);
  expect(model.trainer.statefulLayers.map((layer) => layer.carried.values)).toEqual(states);
});

test('validate on one id, has nothing to predict; on three, a shorter window', async () => {
  const model = buildCharModel(options, 4);
  expect(await validate(model, ids.subarray(0, 1), options)).toBeUndefined();
  expect(await validate(model, ids.subarray(0, 3), options)).toBeGreaterThan(0);
});

test('validate of a model that ran off, throws NonFiniteLossError', async () => {
  const model = buildCharModel(options, 4);
  for (const weight of model.weights) weight.assign(new Float32Array(weight.size).fill(3e38));
  await expect(validate(model, ids, options)).rejects.toThrow(NonFiniteLossError);
});
