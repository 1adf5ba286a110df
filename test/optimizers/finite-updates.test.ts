// No optimizer writes a number that is not finite. It refuses the step before anything changes.
import fc from 'fast-check';
import { beforeEach, describe, expect, test, vi } from 'vitest';
import { Parameter } from '../../src/autograd/parameter.ts';
import { tensor } from '../../src/autograd/tensor.ts';
import { ArgumentError } from '../../src/checks/argument-error.ts';
import { NonFiniteGradientError, NonFiniteLossError } from '../../src/checks/divergence.ts';
import { ndarray } from '../../src/data/array.ts';
import { engine } from '../../src/engine/engine.ts';
import { setSeed } from '../../src/engine/random.ts';
import { dense } from '../../src/layers/dense.ts';
import { layerNormalization } from '../../src/layers/layer-normalization.ts';
import { gru } from '../../src/layers/rnn/gru.ts';
import { simpleRnn } from '../../src/layers/rnn/simple-rnn.ts';
import { sequential } from '../../src/models/model.ts';
import { optimizerOf } from '../../src/optimizers/by-name.ts';
import { adam, sgd } from '../../src/optimizers/index.ts';
import type { Optimizer } from '../../src/optimizers/optimizer.ts';
import { values } from '../kernels/reference/values.ts';
import { expectSameSnapshot, snapshotOf } from '../train/snapshot.ts';

const RULES: [string, Record<string, unknown>][] = [
  ['sgd', {}],
  ['sgd', { momentum: 0.9, nesterov: true }],
  ['rmsprop', {}],
  ['rmsprop', { momentum: 0.9, centered: true }],
  ['adam', {}],
  ['adam', { amsgrad: true }],
  ['adamw', {}],
  ['nadam', {}],
  ['adamax', {}],
  ['adagrad', {}],
  ['adadelta', {}],
  ['lion', {}],
];
const OPTIONS: [string, Record<string, unknown>][] = [
  ['alone', {}],
  ['with averages and decay', { useEma: true, emaOverwriteFrequency: 2, weightDecay: 0.1 }],
  ['with accumulation', { gradientAccumulationSteps: 2 }],
  ['with a rate of 1e30', { learningRate: 1e30 }],
  ['with a decay of 1e30', { weightDecay: 1e30, learningRate: 1 }],
];
const CASES = RULES.flatMap(([name, own]) =>
  OPTIONS.map(([which, shared]): [string, () => Optimizer] => [
    `${name} ${JSON.stringify(own)} ${which}`,
    () => optimizerOf({ name, ...own, ...shared } as Parameters<typeof optimizerOf>[0]),
  ]),
);

beforeEach(() => setSeed(7));

const parameters = (): Parameter[] => [new Parameter('a', [5], values(5, 1)), new Parameter('b', [2, 3], values(6, 2))];
const stateOf = (optimizer: Optimizer, all: readonly Parameter[]): number[][] =>
  [...all.map(({ tensor }) => tensor), ...optimizer.state(all).values()].map((each) => Array.from(each.toArray()));
const apply = (optimizer: Optimizer, all: readonly Parameter[], scale: number, seed: number): number =>
  engine().step(() =>
    optimizer.apply(
      all,
      all.map(({ shape, size }, i) => tensor(values(size, seed + i, scale), { shape })),
    ),
  );

describe.each(CASES)('%s', (_, make) => {
  test('after any gradients, has finite weights and state, and changes nothing by a step that it refuses', () => {
    const scale = fc.oneof(
      fc.constantFrom(0, 1, 1e-30, 1e12, 1e13, 1e18, 1.9e19, 3e38),
      fc.double({ min: 1, max: 38 }).map((e) => 10 ** e),
    );
    fc.assert(
      fc.property(fc.array(scale, { minLength: 1, maxLength: 8 }), fc.boolean(), (scales, isWatched) => {
        const [optimizer, all] = [make(), parameters()];
        for (const [i, each] of scales.entries()) {
          const before = isWatched ? stateOf(optimizer, all) : all.map((parameter) => Array.from(parameter.toArray()));
          const { steps } = optimizer;
          const versions = all.map(({ version }) => version);
          try {
            apply(optimizer, all, each, 10 * i);
          } catch (error) {
            expect(error).toBeInstanceOf(NonFiniteGradientError);
            const after = isWatched ? stateOf(optimizer, all) : all.map((parameter) => Array.from(parameter.toArray()));
            expect(after).toEqual(before);
            expect([optimizer.steps, all.map(({ version }) => version)]).toEqual([steps, versions]);
          }
          expect(all.flatMap((parameter) => Array.from(parameter.toArray())).every(Number.isFinite)).toBe(true);
        }
        expect(stateOf(optimizer, all).flat().every(Number.isFinite)).toBe(true);
        optimizer.dispose();
        for (const parameter of all) parameter.dispose();
      }),
      { seed: 3, numRuns: 12 },
    );
  });

  test('after a step that it refuses, goes on to the bit as if there had been none', () => {
    const [disturbed, plain] = [parameters(), parameters()];
    const [one, other] = [make(), make()];
    for (let i = 0; i < 6; i++) {
      let isRefused = false;
      try {
        apply(one, disturbed, 3e38, 90);
      } catch {
        isRefused = true;
      }
      // A rule to which no gradient is too large takes it.
      if (!isRefused) apply(other, plain, 3e38, 90);
      for (const [optimizer, all] of [
        [one, disturbed],
        [other, plain],
      ] as const) {
        try {
          apply(optimizer, all, 1, i);
        } catch (error) {
          expect(error).toBeInstanceOf(NonFiniteGradientError);
        }
      }
      expect(disturbed.map((p) => [...p.toArray()])).toEqual(plain.map((p) => [...p.toArray()]));
    }
    expect(stateOf(one, disturbed)).toEqual(stateOf(other, plain));
  });
});

describe('an update', () => {
  test('by adam with an epsilon of 0 and no gradient, is refused instead of writing 0 / 0', () => {
    const [optimizer, all] = [adam({ epsilon: 0 }), parameters()];
    expect(() => apply(optimizer, all, 0, 1)).toThrow("the update of 'a' is not finite at step 1");
    expect(optimizer.steps).toBe(0);
    apply(optimizer, all, 1, 1);
    expect(optimizer.steps).toBe(1);
  });

  test('by a large momentum that is left, and a small gradient, is refused where the parameter would overflow', () => {
    const [optimizer, all] = [sgd({ learningRate: 1, momentum: 1 }), [new Parameter('p', [1], [3e38])]];
    const push = (g: number): number => engine().step(() => optimizer.apply(all, [tensor([g])]));
    push(-2e37);
    push(0);
    expect(() => push(0)).toThrow(NonFiniteGradientError);
    expect(all[0]!.toArray()[0]).toBe(Math.fround(3.4e38));
  });

  test('by ordinary gradients, takes no pass over memory that it could do without', () => {
    const [optimizer, all] = [adam(), parameters()];
    apply(optimizer, all, 1, 1);
    const { kernels } = engine();
    const squares = vi.fn(kernels.sum_squares);
    const scale = vi.fn(kernels.scale);
    engine().kernels = { ...kernels, sum_squares: squares, scale };
    try {
      apply(optimizer, all, 1, 2);
    } finally {
      engine().kernels = kernels;
    }
    expect([squares.mock.calls.length, scale.mock.calls.length]).toEqual([all.length, 0]);
  });

  test('by ordinary gradients, after one near the largest, takes none again once the state is small', () => {
    const [optimizer, all] = [sgd({ momentum: 0.1, learningRate: 1e-6 }), parameters()];
    apply(optimizer, all, 1e13, 1);
    for (let i = 0; i < 3; i++) apply(optimizer, all, 1, 2 + i);
    const { kernels } = engine();
    const scale = vi.fn(kernels.scale);
    engine().kernels = { ...kernels, scale };
    try {
      apply(optimizer, all, 1, 8);
    } finally {
      engine().kernels = kernels;
    }
    expect(scale).not.toHaveBeenCalled();
  });
});

describe.each(RULES)('a ReLU network whose gradients explode over 150 steps, trained by %s %j', (name, own) => {
  test('ends in an error of its own, with the weights and state of the last good step, and is saved and trained on', () => {
    const [time, classes] = [150, 3];
    const model = sequential([
      simpleRnn({ units: 8, activation: 'relu', inputShape: [time, 2] }),
      dense({ units: classes, activation: 'softmax' }),
    ]);
    model.compile({
      optimizer: optimizerOf({ name, learningRate: 0.01, ...own } as Parameters<typeof optimizerOf>[0]),
      loss: 'sparseCategoricalCrossentropy',
    });
    const recurrent = model.weights[1]!;
    recurrent.assign(recurrent.toArray().map((value, i) => (i % 9 === 0 ? 1.35 : 0.01 * value)));
    const x = ndarray(values(4 * time * 2, 5), [4, time, 2]);
    const y = ndarray(Int32Array.of(0, 1, 2, 1), [4]);
    let before = snapshotOf(model);
    let failure: unknown;
    for (let step = 0; step < 40 && !failure; step++) {
      before = snapshotOf(model);
      try {
        model.trainOnBatch(x, y);
      } catch (error) {
        failure = error;
      }
      for (const values of Object.values(snapshotOf(model).arrays)) {
        expect(Array.from(values).every(Number.isFinite)).toBe(true);
      }
    }
    const isOurs = failure instanceof NonFiniteGradientError || failure instanceof NonFiniteLossError;
    expect(failure === undefined || isOurs).toBe(true);
    if (failure) expectSameSnapshot(snapshotOf(model), before);
  });
});

describe('numbers that float32 takes for infinity', () => {
  test.each<[string, () => unknown]>([
    ['a learning rate', () => adam({ learningRate: 1e39 })],
    ['an epsilon', () => adam({ epsilon: 1e39 })],
    ['clipNorm', () => sgd({ clipNorm: 1e39 })],
    ['clipValue', () => sgd({ clipValue: 1e39 })],
    ['a weight decay', () => sgd({ weightDecay: 1e39 })],
    ['a value to assign', () => new Parameter('p', [2], [0, 0]).assign([1, 1e39])],
    ['a first value', () => new Parameter('p', [2], [1, 1e39])],
    ['an epsilon of a layer', () => layerNormalization({ epsilon: 1e39 })],
    ['a regularizer', () => dense({ units: 1, kernelRegularizer: { l2: 1e39 } })],
    ['states', () => gru({ units: 1, stateful: true }).setStates([[1e39]], 1)],
    [
      'the weight of a loss',
      () =>
        sequential([dense({ units: 1 })]).compile({ optimizer: 'sgd', loss: 'meanSquaredError', lossWeights: 1e39 }),
    ],
  ])('as %s, are refused', (_, call) => {
    expect(call).toThrow(ArgumentError);
    expect(call).toThrow(/got (1e\+39|Infinity)/);
  });

  test('as a value to assign, leave the values', () => {
    const parameter = new Parameter('p', [2], [3, 4]);
    expect(() => parameter.assign([1, 1e39])).toThrow("parameter 'p': value 1 expected a finite number, got 1e+39");
    expect([...parameter.toArray()]).toEqual([3, 4]);
  });
});
