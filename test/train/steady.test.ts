import { setFlagsFromString } from 'node:v8';
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

describe.each([
  ['an LSTM, B=2 T=4 H=8', regression],
  ['a stateful language model with dropout, clipping and a metric', languageModel],
] as const)('20,000 training steps of %s', (_, make) => {
  test('allocate nothing after the second', async () => {
    const engine = await init();
    setSeed(1);
    const { model, step } = make();
    step();
    step();
    const held = () => [engine.memory.buffer.byteLength, engine.heap.usedBytes, engine.arena.heldBytes];
    const before = held();
    const heaps: number[] = [];
    for (let i = 2; i < 20_000; i++) {
      step();
      if (i % 2000 === 0) heaps.push(heapAfterCollection());
    }
    expect(held()).toEqual(before);
    expect(model.optimizer.iterations).toBe(20_000);
    // One tensor, view or closure kept alive a step is 2,000 times 64 B or more between any two readings. V8's own code
    // and feedback grow as well, but not between every two, so the smallest growth tells the two apart.
    const growths = heaps.slice(1).map((heap, i) => heap - heaps[i]!);
    expect(Math.min(...growths)).toBeLessThan(64_000);
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
