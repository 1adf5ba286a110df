import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import workerThreads, { type Worker } from 'node:worker_threads';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { Parameter } from '../../src/autograd/parameter.ts';
import { valueAndGrad } from '../../src/autograd/tape.ts';
import { tensor } from '../../src/autograd/tensor.ts';
import { WorkerError } from '../../src/checks/worker-error.ts';
import { ndarray } from '../../src/data/array.ts';
import { engine, init } from '../../src/engine/engine.ts';
import { withSharedMemory } from '../../src/engine/loading/shared-memory.ts';
import { OutOfMemoryError } from '../../src/engine/memory.ts';
import { RandomStream, setSeed } from '../../src/engine/random.ts';
import type { Layer } from '../../src/layers/base/layer.ts';
import { dense } from '../../src/layers/dense.ts';
import { embedding } from '../../src/layers/embedding.ts';
import { gru } from '../../src/layers/rnn/gru.ts';
import { lstm } from '../../src/layers/rnn/lstm.ts';
import { simpleRnn } from '../../src/layers/rnn/simple-rnn.ts';
import { sparseCategoricalCrossentropy } from '../../src/losses/index.ts';
import { type Model, sequential } from '../../src/models/model.ts';
import { square } from '../../src/ops/elementwise/elementwise.ts';
import { linear } from '../../src/ops/products/linear.ts';
import { matmul } from '../../src/ops/products/matmul.ts';
import { mean } from '../../src/ops/reduce.ts';
import { optimizerOf } from '../../src/optimizers/by-name.ts';
import { adam } from '../../src/optimizers/index.ts';
import { values } from '../kernels/reference/values.ts';
import {
  restoreTurns,
  shareAlways,
  workersBegin,
  workersEndEarly,
  workersSeemBusy,
  workersStayAway,
} from './worker-turns.ts';

const [BATCH, TIME, VOCABULARY] = [13, 24, 11];
const sequences = { returnSequences: true } as const;

const layers: Record<string, () => Layer> = {
  lstm: () => lstm({ units: 96, ...sequences }),
  gru: () => gru({ units: 100, ...sequences }),
  'gru, reset before': () => gru({ units: 96, resetAfter: false, ...sequences }),
  simpleRnn: () => simpleRnn({ units: 160, ...sequences }),
};

function build(name: string): Model {
  setSeed(5);
  const model = sequential([
    embedding({ inputDim: VOCABULARY, outputDim: 64 }),
    layers[name]!(),
    layers[name]!(),
    dense({ units: VOCABULARY }),
  ]);
  model.compile({
    optimizer: adam({ learningRate: 0.01, globalClipNorm: 1 }),
    loss: sparseCategoricalCrossentropy({ fromLogits: true }),
  });
  return model;
}

const random = new RandomStream(9);
const ids = ndarray(
  Int32Array.from({ length: BATCH * TIME }, () => Math.floor(random.nextUniform() * VOCABULARY)),
  [BATCH, TIME],
);

/** SHA-256 of all weights after three steps, and of a prediction. */
function train(name: string): string {
  const model = build(name);
  for (let i = 0; i < 3; i++) model.trainOnBatch(ids, ids);
  const hash = createHash('sha256');
  for (const weight of model.weights) hash.update(weight.toArray());
  hash.update(model.predict(ids).data);
  return hash.digest('hex');
}

beforeAll(shareAlways);
afterEach(restoreTurns);
afterAll(() => engine().stopThreads());

const updated = values(40_001, 1);
const gradients = [2, 3, 4, 5].map((seed) => values(40_001, seed));

/** SHA-256 of parameter and state after four calls, for every rule with every option that has a pass of its own. */
function optimize(): string[] {
  const shared = { weightDecay: 0.1, useEma: true, emaOverwriteFrequency: 2, gradientAccumulationSteps: 2 };
  const own: Record<string, object> = {
    sgd: { momentum: 0.5 },
    rmsprop: { momentum: 0.5, centered: true },
    adam: { amsgrad: true },
    nadam: {},
    adamax: {},
    adagrad: {},
    adadelta: {},
    lion: {},
  };
  return Object.entries(own).map(([name, options]) => {
    const optimizer = optimizerOf({ name, learningRate: 0.01, ...shared, ...options });
    const p = new Parameter('p', [40_001], updated);
    for (const gradient of gradients) engine().step(() => optimizer.apply([p], [tensor(gradient)]));
    const hash = createHash('sha256').update(p.toArray());
    for (const slot of optimizer.state([p]).values()) hash.update(slot.toArray());
    return hash.digest('hex');
  });
}

const trainAll = (): string[] => Object.keys(layers).map(train);

describe('threads', () => {
  /** What one thread makes of `trainAll` and of `optimize`. */
  let alone: { trained: string[]; optimized: string[] };
  beforeAll(async () => {
    expect((await init({ threads: 1 })).threads).toBe(1);
    alone = { trained: trainAll(), optimized: optimize() };
  });

  test('updates by every optimizer on 1 and 3 threads give the same bits', async () => {
    await init({ threads: 3 });
    expect(optimize()).toEqual(alone.optimized);
  });

  test.each([2, 4])('training and prediction on 1 and %i threads, every cell, give the same bits', async (threads) => {
    expect((await init({ threads })).threads).toBe(threads);
    expect(trainAll()).toEqual(alone.trained);
  });

  test.each([
    ['begin none of their parts', () => workersStayAway()],
    ['end before their first command', () => workersEndEarly(engine().memory, () => 0)],
    ['end after half of their commands', () => workersEndEarly(engine().memory, (all) => all >> 1)],
    ['end before their last command', () => workersEndEarly(engine().memory, (all) => all - 1)],
  ])(
    'training, prediction and updates on 3 threads whose workers %s, give the bits of one thread',
    async (_, change) => {
      await init({ threads: 3 });
      change();
      expect(trainAll()).toEqual(alone.trained);
      expect(optimize()).toEqual(alone.optimized);
      expect(engine().threads).toBe(3);
    },
  );

  test('a part that a worker was given, in truth made by the worker, reaches memory', async () => {
    const { heap, kernels } = await init({ threads: 2 });
    const at = heap.allocate(4 * 100);
    kernels.fill(100, 0, at);
    const froms: number[] = [];
    engine().parallel(100, 10, (part) => {
      froms.push(part.from);
      part.kernels.fill(part.to - part.from, part.from + 1, at + 4 * part.from);
    });
    expect(froms.sort((a, b) => a - b)).toEqual([0, 50]);
    expect([...engine().f32(at, 100)]).toEqual(Array.from({ length: 100 }, (_, i) => (i < 50 ? 1 : 51)));
  });

  test('a worker that is woken after it has done its job, does nothing again', async () => {
    const { notify } = Atomics;
    const nobody = new Int32Array(new SharedArrayBuffer(4));
    try {
      await init({ threads: 2 });
      // As where the host lets others run between the two halves of handing over: the worker looks for its job, finds
      // it and sleeps again.
      Atomics.notify = ((array: Int32Array, index: number) => {
        Atomics.wait(nobody, 0, 0, 5);
        return notify(array, index);
      }) as typeof notify;
      expect(train('lstm')).toBe(alone.trained[0]);
      expect(engine().threads).toBe(2);
    } finally {
      Atomics.notify = notify;
    }
  });

  test('a worker that fails, ends in WorkerError, leaves the weights and one thread that trains on', async () => {
    await init({ threads: 2 });
    const model = build('lstm');
    model.trainOnBatch(ids, ids);
    const before = model.weights.map((weight) => weight.toArray());
    const outside = engine().memory.buffer.byteLength - 4;
    const fail = () =>
      engine().parallel(2, 1, (part) => {
        if (part.from > 0) part.kernels.fill(1000, 0, outside);
      });
    workersBegin();
    expect(fail).toThrow(WorkerError);
    expect(engine().threads).toBe(1);
    expect(model.weights.map((weight) => weight.toArray())).toEqual(before);
    expect(model.trainOnBatch(ids, ids).loss).toBeGreaterThan(0);
  });

  test('a worker that is gone, given up after a while, ends in WorkerError and leaves the weights', async () => {
    const started: Worker[] = [];
    const { Worker: Plain } = workerThreads;
    workerThreads.Worker = class extends Plain {
      constructor(...args: ConstructorParameters<typeof Plain>) {
        super(...args);
        started.push(this);
      }
    };
    try {
      await init({ threads: 2 });
    } finally {
      workerThreads.Worker = Plain;
    }
    const model = build('lstm');
    const before = model.weights.map((weight) => weight.toArray());
    expect(started).toHaveLength(1);
    await started[0]!.terminate();
    workersSeemBusy();
    expect(() => model.trainOnBatch(ids, ids)).toThrow('made no progress for 5 s and was given up');
    expect(model.weights.map((weight) => weight.toArray())).toEqual(before);
    expect(model.trainOnBatch(ids, ids).loss).toBeGreaterThan(0);
  });

  test('memory that runs out while parts are handed out, throws before any worker starts', async () => {
    await init({ threads: 3, maximumMemory: 2 ** 21 });
    const { heap, kernels } = engine();
    const [at, other] = [heap.allocate(4 * 3), heap.allocate(4 * 3)];
    kernels.fill(3, 7, at);
    const calls = (): void =>
      engine().parallel(3, 1, (part) => {
        // The last part's calls do not fit; the second one's have their place by then.
        for (let i = 0; i < (part.from === 2 ? 100_000 : 100); i++) part.kernels.fill(1, 0, at + 4 * part.from);
      });
    expect(calls).toThrow(OutOfMemoryError);
    // The threads are there for the next job, and when they have done it none has done the one that failed.
    engine().parallel(3, 1, ({ kernels: own, from }) => own.fill(1, from, other + 4 * from));
    expect([...engine().f32(other, 3)]).toEqual([0, 1, 2]);
    expect([...engine().f32(at, 3)]).toEqual([7, 7, 7]);
    expect(engine().threads).toBe(3);
  });

  test('init several times at once, shares an engine where nothing else is asked for; else the last call chooses', async () => {
    const calls = [init({ threads: 2 }), init({ threads: 2 }), init(), init({ mode: 'reproducible' })];
    const [first, second, plain, last] = await Promise.all(calls);
    expect([second, plain]).toEqual([first, first]);
    expect(last).not.toBe(first);
    expect(engine()).toBe(last);
    expect((await init({ threads: 2 })) === engine()).toBe(true);
  });

  test('init that fails, leaves the engine before it and its threads', async () => {
    const before = await init({ threads: 2 });
    const module = new WebAssembly.Module(new Uint8Array([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]));
    await expect(init({ module })).rejects.toThrow();
    expect(engine()).toBe(before);
    expect(before.threads).toBe(2);
  });

  test('gradients of a product too small to share, on four threads, are those of one', async () => {
    const gradients = [];
    for (const threads of [1, 4]) {
      await init({ threads });
      const [x, w] = [tensor([[1, 2, 3]]), tensor([[1], [-1], [2]])];
      gradients.push(valueAndGrad(() => mean(square(linear(x, w))), [w]).grads[0]!.toArray());
    }
    expect(gradients[1]).toEqual(gradients[0]);
  });

  test.each([
    [37, 1003, 701],
    [1003, 37, 701],
    [90, 2100, 530],
  ])(
    'the product [%i, %i] over k = %i on 1, 2 and 3 threads, which share columns or rows, gives the same bits',
    async (m, n, k) => {
      const results = [];
      for (const threads of [1, 2, 3]) {
        const own = await init({ threads });
        results.push(
          own.step(() =>
            matmul(tensor(values(m * k, 1), { shape: [m, k] }), tensor(values(k * n, 2), { shape: [k, n] })).toArray(),
          ),
        );
      }
      expect(results[1]).toEqual(results[0]);
      expect(results[2]).toEqual(results[0]);
    },
  );

  test('a process with threads, its work done, exits by itself', () => {
    const code = `import { init } from '${new URL('../../dist/index.js', import.meta.url)}';
      const { threads } = await init({ threads: 3 });
      console.log('threads', threads);`;
    const output = execFileSync(process.execPath, ['--input-type=module', '-e', code], { timeout: 20_000 });
    expect(output.toString()).toBe('threads 3\n');
  });

  test('init, threads no whole number or with a module of the caller, says what was expected', async () => {
    await expect(init({ threads: 0 })).rejects.toThrow('threads expected an integer from 1 to 64, got 0');
    await expect(init({ threads: 1.5 })).rejects.toThrow('got 1.5');
    const module = new WebAssembly.Module(new Uint8Array([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]));
    await expect(init({ threads: 2, module })).rejects.toThrow('cannot be had with a module of your own');
  });

  test('withSharedMemory, a module with no import, refuses it', () => {
    expect(() => withSharedMemory(new Uint8Array([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]))).toThrow(
      'env.memory as its one import',
    );
  });
});
