// Every public call that changes something, with each allocation refused in turn and each call of the caller's code
// throwing in turn. The model is as before, and the same call then works as if nothing had failed.
import { describe, expect, test } from 'vitest';
import { type Tensor, tensor } from '../../src/autograd/tensor.ts';
import { ndarray } from '../../src/data/array.ts';
import { init } from '../../src/engine/engine.ts';
import { OutOfMemoryError } from '../../src/engine/memory.ts';
import { setSeed } from '../../src/engine/random.ts';
import type { LayerConfig } from '../../src/io/model-file.ts';
import type { BatchShape } from '../../src/layers/base/batch-shape.ts';
import { Layer } from '../../src/layers/base/layer.ts';
import { dense } from '../../src/layers/dense.ts';
import { dropout } from '../../src/layers/dropout.ts';
import { bidirectional } from '../../src/layers/rnn/bidirectional.ts';
import { gru } from '../../src/layers/rnn/gru.ts';
import { lstm } from '../../src/layers/rnn/lstm.ts';
import { rnn } from '../../src/layers/rnn/rnn.ts';
import { timeDistributed } from '../../src/layers/time-distributed.ts';
import { gradientFlow } from '../../src/models/gradient-flow.ts';
import type { Callback } from '../../src/models/model.ts';
import { type AnyModel, model as custom, sequential } from '../../src/models/model.ts';
import { add, mul, square, sub } from '../../src/ops/elementwise/elementwise.ts';
import { linear } from '../../src/ops/products/linear.ts';
import { mean } from '../../src/ops/reduce.ts';
import { adam } from '../../src/optimizers/index.ts';
import { decodeModel, encodeModel, restoreModel } from '../../src/saving/saved-model.ts';
import { values } from '../kernels/reference/values.ts';
import { mayThrow, Struck, traceOf, withRefusal, withThrow } from './failures.ts';

const x = (count: number) => ndarray(values(count * 6, 3), [count, 3, 2]);
const y = (count: number) => ndarray(values(count, 5), [count, 1]);

/** A dense layer of the caller's own, which may throw wherever it is called. */
class Own extends Layer {
  readonly className = 'Own';
  override outputShape(shape: BatchShape): BatchShape {
    return shape;
  }
  override config(): LayerConfig {
    return this.baseConfig();
  }
  protected override makeWeights(shape: BatchShape): void {
    this.addWeight('first', [shape.at(-1)!], 'ones');
    mayThrow();
    this.addWeight('second', [shape.at(-1)!], 'glorotUniform');
  }
  protected override call(input: Tensor): Tensor {
    mayThrow();
    return add(mul(input, this.weights[0]!.tensor), this.weights[1]!.tensor);
  }
}

const loss = (target: Tensor, prediction: Tensor): Tensor => {
  mayThrow();
  return mean(square(sub(target, prediction)));
};
const metric = (target: Tensor, prediction: Tensor): Tensor => {
  mayThrow();
  return square(sub(target, prediction));
};

function compiled<M extends AnyModel>(model: M): M {
  const optimizer = adam({ learningRate: 0.01, useEma: true, gradientAccumulationSteps: 2 });
  model.compile({ optimizer, loss, metrics: [metric] });
  return model;
}

const cell = {
  units: 3,
  weights: (inputs: number) => ({ W: [inputs, 3], U: [3, 3] }),
  call(input: Tensor, [h]: readonly Tensor[], { W, U }: Record<'W' | 'U', Tensor>) {
    return add(linear(input, W), linear(h!, U));
  },
};

const models: Record<string, () => AnyModel> = {
  'a stack that is not built': () =>
    compiled(
      sequential([
        bidirectional(gru({ units: 2, returnSequences: true })),
        timeDistributed(dense({ units: 2 })),
        lstm({ units: 3, dropout: 0.2, recurrentDropout: 0.2 }),
        new Own('own', {}),
        dropout({ rate: 0.3 }),
        dense({ units: 1 }),
      ]),
    ),
  'a stateful model that was trained': () => {
    const model = compiled(
      sequential([
        gru({ units: 3, stateful: true, inputShape: [null, 2] }),
        new Own('own', {}),
        dropout({ rate: 0.3 }),
        dense({ units: 1 }),
      ]),
    );
    for (let i = 0; i < 3; i++) model.trainOnBatch(x(2), y(2));
    return model;
  },
  'a custom model that is not built': () =>
    compiled(
      custom(
        { layers: { a: rnn(cell, { stateful: true }), own: new Own('own', {}), b: dense({ units: 1 }) } },
        (input: Tensor, { a, own, b }) => {
          mayThrow();
          return b(own(a(input)));
        },
      ),
    ),
};

type Call = (model: AnyModel) => unknown;
const batches = function* (): Generator<{ x: ReturnType<typeof x>; y: ReturnType<typeof y> }> {
  for (let i = 0; i < 2; i++) {
    mayThrow();
    yield { x: x(2), y: y(2) };
  }
};

const calls: Record<string, Call> = {
  trainOnBatch: (model) => model.trainOnBatch(x(2), y(2)),
  evaluate: (model) => model.evaluate(x(4), y(4), { batchSize: 2 }),
  'evaluate of batches': (model) => model.evaluate(batches),
  predict: (model) => model.predict(x(4), { batchSize: 2 }).data,
  'predict of batches': async (model) => (await model.predict(batches)).data,
  gradientFlow: (model) => gradientFlow(model, x(2), y(2)),
  'a call': (model) => model.engine.step(() => model.call(tensor(values(12, 3), { shape: [2, 3, 2] }), true).toArray()),
  build: (model) => model.network.build([2, 3, 2]),
};

const errorOf = (error: unknown, wanted: new (...args: never[]) => Error): void => {
  expect(error, String((error as Error)?.stack)).toBeInstanceOf(wanted);
};

/** Holds a call to its word for every n, until none fails. */
async function expectNoTrace(
  make: () => AnyModel,
  call: Call,
  fail: typeof withThrow,
  wanted: new (...args: never[]) => Error,
): Promise<number> {
  const start = async (): Promise<AnyModel> => {
    // A fresh engine each time would hide what is left in this one, and takes longer.
    setSeed(5);
    return make();
  };
  const undisturbed = await start();
  const before = traceOf(undisturbed);
  const expected = [await call(undisturbed), traceOf(undisturbed)];
  for (let n = 0; ; n++) {
    const model = await start();
    const error = await fail(n, () => call(model));
    if (error === undefined) return n;
    errorOf(error, wanted);
    expect(traceOf(model), `failure ${n}`).toBe(before);
    expect([await call(model), traceOf(model)], `after failure ${n}`).toEqual(expected);
    model.dispose();
  }
}

describe.each(Object.entries(models))('%s', (which, make) => {
  const own = Object.entries(calls).filter(([name]) => name !== 'build' || which === 'a stack that is not built');

  test.each(own)('%s with memory refused at any allocation, leaves no trace', async (_, call) => {
    await init();
    expect(await expectNoTrace(make, call, withRefusal, OutOfMemoryError)).toBeGreaterThan(0);
  });

  test.each(own)('%s with code of the caller that throws at any call, leaves no trace', async (_, call) => {
    await init();
    expect(await expectNoTrace(make, call, withThrow, Struck)).toBeGreaterThan(0);
  });
});

describe('fit that fails at any place', () => {
  const options = { epochs: 2, batchSize: 2, validationData: [x(2), y(2)] } as const;
  const traceWithin = (model: AnyModel): string => traceOf(model).replace('"runs": false', '"runs": true');

  test.each<[string, typeof withThrow, new (...args: never[]) => Error]>([
    ['with memory refused', withRefusal, OutOfMemoryError],
    ['with code of the caller that throws', withThrow, Struck],
  ])('%s, leaves the model as the last good step did', async (_, fail, wanted) => {
    await init();
    for (const make of [models['a stack that is not built']!, models['a stateful model that was trained']!]) {
      const traces = new Map<number, string>();
      const start = (): AnyModel => {
        setSeed(5);
        return make();
      };
      const undisturbed = start();
      const watching: Callback = {
        onBatchEnd: () => void traces.set(undisturbed.optimizer.steps, traceWithin(undisturbed)),
      };
      traces.set(undisturbed.optimizer.steps, traceOf(undisturbed));
      await undisturbed.fit(x(4), y(4), { ...options, callbacks: [watching] });
      const throwing: Callback = { onBatchBegin: mayThrow, onEpochBegin: mayThrow, onTrainBegin: mayThrow };
      for (let n = 0; ; n++) {
        const model = start();
        const error = await fail(n, () => model.fit(x(4), y(4), { ...options, callbacks: [throwing] }));
        if (error === undefined) break;
        errorOf(error, wanted);
        expect(traceOf(model), `failure ${n}`).toBe(traces.get(model.optimizer.steps));
        model.dispose();
      }
      expect(traces.size).toBe(5);
    }
  });
});

describe('with memory refused at any allocation', () => {
  const stateful = (): AnyModel => {
    const model = sequential([gru({ units: 3, stateful: true, inputShape: [null, 2] }), dense({ units: 1 })]);
    model.compile({ optimizer: adam({ learningRate: 0.01 }), loss: 'meanSquaredError' });
    return model;
  };
  const trained = (seed: number, count: number): AnyModel => {
    setSeed(seed);
    const model = stateful();
    model.trainOnBatch(x(count), y(count));
    return model;
  };

  test('restoreModel leaves no trace', async () => {
    await init();
    const bytes = encodeModel(trained(8, 3));
    const call: Call = (model) => void restoreModel(model, bytes);
    expect(await expectNoTrace(() => trained(5, 2), call, withRefusal, OutOfMemoryError)).toBeGreaterThan(0);
    expect(await expectNoTrace(stateful, call, withRefusal, OutOfMemoryError)).toBeGreaterThan(0);
  });

  test('predict with int8 weights leaves no trace', async () => {
    await init();
    const call: Call = (model) => model.predict(x(4), { batchSize: 2, weights: 'int8' }).data;
    expect(await expectNoTrace(() => trained(5, 2), call, withRefusal, OutOfMemoryError)).toBeGreaterThan(0);
  });

  test('encodeModel leaves no trace, and decodeModel works when asked again', async () => {
    await init();
    await expectNoTrace(stateful, (model) => encodeModel(model), withRefusal, OutOfMemoryError);
    const bytes = encodeModel(trained(8, 3));
    for (let n = 0; ; n++) {
      const error = await withRefusal(n, () => decodeModel(bytes).model.dispose());
      if (error === undefined) break;
      errorOf(error, OutOfMemoryError);
    }
    expect([...encodeModel(decodeModel(bytes).model)]).toEqual([...bytes]);
  });

  test('a step of a stream leaves the states', async () => {
    await init();
    const model = trained(5, 2);
    const inputs = values(2, 1);
    const expected = [...model.stream().step(inputs)];
    for (let n = 0; ; n++) {
      const stream = model.stream();
      const before = stream.state;
      const error = await withRefusal(n, () => stream.step(inputs));
      if (error === undefined) break;
      errorOf(error, OutOfMemoryError);
      expect(stream.state).toEqual(before);
      expect([...stream.step(inputs)]).toEqual(expected);
    }
  });
});
