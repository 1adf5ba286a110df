import { queryObjects, setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, test } from 'vitest';
import type { Tensor } from '../../src/autograd/tensor.ts';
import { ndarray } from '../../src/data/array.ts';
import { init } from '../../src/engine/engine.ts';
import { RandomStream, setSeed } from '../../src/engine/random.ts';
import type { CallOptions, Layer } from '../../src/layers/base/layer.ts';
import { dense } from '../../src/layers/dense.ts';
import { dropout } from '../../src/layers/dropout.ts';
import { embedding } from '../../src/layers/embedding.ts';
import { gru } from '../../src/layers/rnn/gru.ts';
import { lstm } from '../../src/layers/rnn/lstm.ts';
import { sparseCategoricalCrossentropy } from '../../src/losses/index.ts';
import { type Model, sequential } from '../../src/models/model.ts';
import { adam } from '../../src/optimizers/index.ts';
import { values } from '../kernels/reference/values.ts';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

function heapAfterCollection(): number {
  collect();
  collect();
  return process.memoryUsage().heapUsed;
}

interface Run {
  model: Model;
  step: () => void;
}

function regression(): Run {
  const model = sequential([lstm({ units: 8, inputShape: [4, 3] }), dense({ units: 1 })]);
  model.compile({ optimizer: 'adam', loss: 'meanSquaredError' });
  const [x, y] = [ndarray(values(24, 1), [2, 4, 3]), ndarray(values(2, 2), [2, 1])];
  return { model, step: () => void model.trainOnBatch(x, y) };
}

function languageModel(): Run {
  const model = sequential([
    embedding({ inputDim: 20, outputDim: 8 }),
    gru({ units: 8, returnSequences: true, stateful: true }),
    dropout({ rate: 0.25 }),
    dense({ units: 20 }),
  ]);
  model.compile({
    optimizer: adam({ globalClipNorm: 1 }),
    loss: sparseCategoricalCrossentropy({ fromLogits: true }),
    metrics: ['accuracy'],
  });
  const random = new RandomStream(3);
  const ids = (): number[][] => [0, 1].map(() => Array.from({ length: 4 }, () => random.nextUint32() % 20));
  const [x, y] = [ids(), ids()];
  return { model, step: () => void model.trainOnBatch(x, y) };
}

/** Steps between two readings of V8's heap, and the most readings. */
const [STRIDE, READINGS] = [500, 40];

/**
 * How many objects there are (tensors, views, closures, arrays) when nothing more is released: finalizers and settled
 * promises of what ran before let go of theirs only between turns of the event loop.
 */
async function settledObjects(): Promise<number> {
  let [count, before] = [Number.POSITIVE_INFINITY, Number.NaN];
  while (count !== before) {
    await new Promise(setImmediate);
    before = count;
    count = queryObjects(Object, { format: 'count' });
  }
  return count;
}

/** Runs `count` steps; how many more objects there are then. */
async function objectsOf(count: number, step: () => void): Promise<number> {
  const before = await settledObjects();
  for (let i = 0; i < count; i++) step();
  return (await settledObjects()) - before;
}

describe.each([
  ['an LSTM, B=2 T=4 H=8', regression],
  ['a stateful language model with dropout, clipping and a metric', languageModel],
] as const)('training steps of %s', (_, make) => {
  test('allocate nothing after the second', async () => {
    const engine = await init();
    setSeed(1);
    const { model, step } = make();
    step();
    step();
    const held = () => [engine.memory.buffer.byteLength, engine.heap.usedBytes, engine.arena.heldBytes];
    const before = held();
    expect(await objectsOf(STRIDE - 2, step)).toBeLessThan(STRIDE / 10);
    // Strings that steps keep alive are no objects: 32 B a step. V8's own code and feedback grow as well, but not
    // between every two readings, and less and less.
    let [readings, heap, growth] = [1, heapAfterCollection(), Number.POSITIVE_INFINITY];
    while (readings < 2 || (growth >= 32 * STRIDE && readings < READINGS)) {
      for (let i = 0; i < STRIDE; i++) step();
      const next = heapAfterCollection();
      [readings, heap, growth] = [readings + 1, next, next - heap];
    }
    expect(growth).toBeLessThan(32 * STRIDE);
    expect(held()).toEqual(before);
    expect(model.optimizer.iterations).toBe(readings * STRIDE);
  });

  test('that keep one small view alive each, are told from these', async () => {
    const { memory } = await init();
    const kept: Float32Array[] = [];
    const { step } = make();
    step();
    step();
    const leak = (): void => {
      step();
      kept.push(new Float32Array(memory.buffer, 0, 4));
    };
    expect(await objectsOf(STRIDE, leak)).toBeGreaterThan(STRIDE / 2);
  });
});

test('the tensors of the second step and of every later one, stand at the same addresses', async () => {
  await init();
  setSeed(1);
  const { model, step } = regression();
  const seen: number[][] = [];
  for (const layer of model.layers) {
    const spied = layer as Layer & { call(x: Tensor, options: CallOptions): Tensor };
    const { call } = spied;
    spied.call = function (this: Layer, x, options) {
      const y = call.call(this, x, options);
      seen.at(-1)!.push(x.ptr, y.ptr);
      return y;
    };
  }
  for (let i = 0; i < 6; i++) {
    seen.push([]);
    step();
  }
  expect(seen[1]!.length).toBe(4);
  for (const addresses of seen.slice(2)) expect(addresses).toEqual(seen[1]);
});
