import { describe, expect, test } from 'vitest';
import { Parameter } from '../../src/autograd/parameter.ts';
import { tensor } from '../../src/autograd/tensor.ts';
import { ArgumentError } from '../../src/checks/argument-error.ts';
import { NonFiniteGradientError } from '../../src/checks/divergence.ts';
import { optimizerOf } from '../../src/optimizers/by-name.ts';
import {
  type AdamOptions,
  adadelta,
  adagrad,
  adam,
  adamax,
  adamw,
  lion,
  nadam,
  rmsprop,
  sgd,
} from '../../src/optimizers/index.ts';
import type { Optimizer } from '../../src/optimizers/optimizer.ts';
import { cosineDecay } from '../../src/optimizers/schedules/index.ts';
import { expectSameBits } from '../kernels/compare.ts';
import * as reference from '../kernels/reference/optimizer.ts';
import { expectRule, expectSameParameters, gradientsAt, parameters, type Rule, tensors } from './optimizer-cases.ts';

const norm = (...gs: Float64Array[]): number =>
  Math.sqrt(gs.reduce((sum, g) => sum + g.reduce((s, v) => s + v * v, 0), 0));
const scaled = (g: Float64Array, by: number): Float64Array => g.map((v) => v * by);

describe('twenty updates', () => {
  test.each<[string, Optimizer, Rule, { state?: number[] }?]>([
    ['sgd', sgd(), (s) => reference.sgd(s, 0.01, 0, false)],
    ['sgd, momentum 0.9', sgd({ learningRate: 0.1, momentum: 0.9 }), (s) => reference.sgd(s, 0.1, 0.9, false)],
    ['sgd, Nesterov', sgd({ momentum: 0.5, nesterov: true }), (s) => reference.sgd(s, 0.01, 0.5, true)],
    ['rmsprop', rmsprop(), (s) => reference.rmsprop(s, 0.001, 0.9, 0, 1e-7, false)],
    [
      'rmsprop with options',
      rmsprop({ learningRate: 0.01, rho: 0.8, momentum: 0.3, epsilon: 1e-3 }),
      (s) => reference.rmsprop(s, 0.01, 0.8, 0.3, 1e-3, false),
    ],
    ['rmsprop, centered', rmsprop({ centered: true }), (s) => reference.rmsprop(s, 0.001, 0.9, 0, 1e-7, true)],
    [
      'rmsprop, centered with momentum',
      rmsprop({ centered: true, momentum: 0.9, epsilon: 1e-3 }),
      (s) => reference.rmsprop(s, 0.001, 0.9, 0.9, 1e-3, true),
    ],
    ['adam', adam(), (s, t) => reference.adam(s, t, 0.001, 0.9, 0.999, 1e-7, 0)],
    [
      'adam with options',
      adam({ learningRate: 0.02, beta1: 0.8, beta2: 0.95, epsilon: 1e-2 }),
      (s, t) => reference.adam(s, t, 0.02, 0.8, 0.95, 1e-2, 0),
    ],
    ['adamw', adamw(), (s, t) => reference.adam(s, t, 0.001, 0.9, 0.999, 1e-7, 0.004)],
    [
      'adamw with options',
      adamw({ learningRate: 0.05, weightDecay: 0.1 }),
      (s, t) => reference.adam(s, t, 0.05, 0.9, 0.999, 1e-7, 0.1),
    ],
    [
      'adam, amsgrad',
      adam({ learningRate: 0.02, beta2: 0.5, amsgrad: true }),
      (s, t) => reference.adam(s, t, 0.02, 0.9, 0.5, 1e-7, 0, true),
    ],
    ['nadam', nadam(), (s, t) => reference.nadam(s, t, 0.001, 0.9, 0.999, 1e-7)],
    [
      'nadam with options',
      nadam({ learningRate: 0.02, beta1: 0.8, beta2: 0.95, epsilon: 1e-2 }),
      (s, t) => reference.nadam(s, t, 0.02, 0.8, 0.95, 1e-2),
    ],
    ['adamax', adamax(), (s, t) => reference.adamax(s, t, 0.001, 0.9, 0.999, 1e-7)],
    [
      'adamax with options',
      adamax({ learningRate: 0.02, beta1: 0.8, beta2: 0.5, epsilon: 1e-2 }),
      (s, t) => reference.adamax(s, t, 0.02, 0.8, 0.5, 1e-2),
    ],
    ['lion', lion(), (s) => reference.lion(s, 0.001, 0.9, 0.99)],
    [
      'lion with options',
      lion({ learningRate: 0.01, beta1: 0.8, beta2: 0.7 }),
      (s) => reference.lion(s, 0.01, 0.8, 0.7),
    ],
    ['adadelta', adadelta(), (s) => reference.adadelta(s, 0.001, 0.95, 1e-7)],
    [
      'adadelta with options',
      adadelta({ learningRate: 1, rho: 0.8, epsilon: 1e-2 }),
      (s) => reference.adadelta(s, 1, 0.8, 1e-2),
    ],
    ['adagrad', adagrad(), (s) => reference.adagrad(s, 0.001, 1e-7), { state: [0.1] }],
    [
      'adagrad with options',
      adagrad({ learningRate: 0.5, initialAccumulatorValue: 0.5, epsilon: 1e-2 }),
      (s) => reference.adagrad(s, 0.5, 1e-2),
      { state: [0.5] },
    ],
  ])('of %s, match its rule in float64', (_, optimizer, rule, options) => expectRule(optimizer, rule, options));

  const sgdRule: Rule = (s) => reference.sgd(s, 0.1, 0.9, false);
  const options = { learningRate: 0.1, momentum: 0.9 };

  test('with clipNorm, match the rule on gradients each scaled down to that norm', () => {
    // The larger parameter's gradient is longer than 1.5, the smaller one's mostly shorter.
    const clip = (gs: Float64Array[]) => gs.map((g) => (norm(g) > 1.5 ? scaled(g, 1.5 / norm(g)) : g));
    expectRule(sgd({ ...options, clipNorm: 1.5 }), sgdRule, { clip });
  });

  test('with globalClipNorm, match the rule on gradients scaled down together', () => {
    const clip = (gs: Float64Array[]) => gs.map((g) => scaled(g, Math.min(1, 2.5 / norm(...gs))));
    expectRule(sgd({ ...options, globalClipNorm: 2.5 }), sgdRule, { clip });
  });

  test('with clipValue, match the rule on gradients whose elements are clipped', () => {
    const clip = (gs: Float64Array[]) => gs.map((g) => g.map((v) => Math.min(Math.max(v, -0.25), 0.25)));
    expectRule(sgd({ ...options, clipValue: 0.25 }), sgdRule, { clip });
  });

  test.each(['clipNorm', 'globalClipNorm', 'clipValue'])(
    'with %s above every gradient, match the rule unclipped',
    (key) => {
      expectRule(sgd({ ...options, [key]: 100 }), sgdRule);
    },
  );

  test('with clipNorm on other rules, match them on the same clipped gradients', () => {
    const clip = (gs: Float64Array[]) => gs.map((g) => (norm(g) > 0.5 ? scaled(g, 0.5 / norm(g)) : g));
    expectRule(adam({ clipNorm: 0.5 }), (s, t) => reference.adam(s, t, 0.001, 0.9, 0.999, 1e-7, 0), { clip });
    expectRule(rmsprop({ clipNorm: 0.5 }), (s) => reference.rmsprop(s, 0.001, 0.9, 0, 1e-7, false), { clip });
    expectRule(adagrad({ clipNorm: 0.5 }), (s) => reference.adagrad(s, 0.001, 1e-7), { clip, state: [0.1] });
  });
});

describe('apply', () => {
  test('returns the norm of all gradients before clipping', () => {
    const [a, b] = [new Parameter('a', [2]), new Parameter('b', [1])];
    const got = sgd({ globalClipNorm: 1 }).apply([a, b], [tensor([3, 0]), tensor([4])]);
    expect(got).toBe(5);
  });

  const all = {
    sgd: sgd({ momentum: 0.9 }),
    rmsprop: rmsprop({ momentum: 0.5, centered: true }),
    adam: adam(),
    adamw: adamw(),
    adagrad: adagrad(),
    'adam, amsgrad': adam({ amsgrad: true }),
    nadam: nadam(),
    adamax: adamax(),
    lion: lion(),
    adadelta: adadelta(),
    'every option at once': adagrad({
      weightDecay: 0.1,
      useEma: true,
      emaOverwriteFrequency: 1,
      gradientAccumulationSteps: 2,
      clipValue: 1,
    }),
  };
  describe.each(Object.entries(all))('of %s', (_, optimizer) => {
    test.each([Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])(
      'on a gradient that holds %s, throws and changes nothing',
      (bad) => {
        const trained = parameters();
        optimizer.apply(trained, tensors(gradientsAt(0)));
        const state = [...optimizer.state(trained)];
        const before = [...trained.map((p) => p.toArray()), ...state.map(([, slot]) => slot.toArray())];
        const { steps } = optimizer;
        const versions = trained.map((p) => p.version);
        const gradients = gradientsAt(1);
        gradients[1]![3] = bad;
        const run = (): number => optimizer.apply(trained, tensors(gradients));
        expect(run).toThrow(NonFiniteGradientError);
        expect(run).toThrow(new NonFiniteGradientError(`the gradient of 'p1' is not finite at step ${steps + 1}`));
        const after = [...trained.map((p) => p.toArray()), ...state.map(([, slot]) => slot.toArray())];
        before.forEach((b, i) => expectSameBits(after[i]!, b, `tensor ${i}`));
        expect([optimizer.steps, trained.map((p) => p.version)]).toEqual([steps, versions]);
      },
    );
  });

  test('of a learning rate changed between updates, takes the new one', () => {
    const p = new Parameter('p', [1], [1]);
    const optimizer = sgd({ learningRate: 0.5 });
    optimizer.apply([p], [tensor([1])]);
    optimizer.learningRate = 0.25;
    optimizer.apply([p], [tensor([1])]);
    expect(p.toArray()[0]).toBe(0.25);
  });
});

describe('options', () => {
  test.each<[string, () => Optimizer, string]>([
    [
      'two ways of clipping',
      () => sgd({ clipNorm: 1, clipValue: 1 }),
      'optimizer: expected one way of clipping, got clipNorm and clipValue',
    ],
    ['clipNorm 0', () => sgd({ clipNorm: 0 }), 'optimizer: clipNorm expected a number > 0, got 0'],
    [
      'a negative learning rate',
      () => adam({ learningRate: -1 }),
      'optimizer: learningRate expected a number ≥ 0, got -1',
    ],
    [
      'a learning rate that is NaN',
      () => adam({ learningRate: Number.NaN }),
      'optimizer: learningRate expected a number ≥ 0, got NaN',
    ],
    [
      'a learning rate that is no schedule',
      () => adam({ learningRate: [0.1] as never }),
      'optimizer: learningRate expected a number or a schedule, got a list of 1',
    ],
    ['momentum above 1', () => sgd({ momentum: 1.5 }), 'sgd: momentum expected a number in [0, 1], got 1.5'],
    ['beta1 of 1', () => adam({ beta1: 1 }), 'adam: beta1 expected a number in [0, 1), got 1'],
    ['epsilon that is NaN', () => nadam({ epsilon: Number.NaN }), 'nadam: epsilon expected a number ≥ 0, got NaN'],
    ['rho above 1', () => adadelta({ rho: 1.1 }), 'adadelta: rho expected a number in [0, 1], got 1.1'],
    ['a negative weightDecay', () => lion({ weightDecay: -1 }), 'optimizer: weightDecay expected a number ≥ 0, got -1'],
    ['emaMomentum above 1', () => sgd({ emaMomentum: 2 }), 'optimizer: emaMomentum expected a number in [0, 1], got 2'],
    [
      'emaOverwriteFrequency 0',
      () => sgd({ emaOverwriteFrequency: 0 }),
      'optimizer: emaOverwriteFrequency expected an integer ≥ 1, got 0',
    ],
    [
      'gradientAccumulationSteps 1.5',
      () => sgd({ gradientAccumulationSteps: 1.5 }),
      'optimizer: gradientAccumulationSteps expected an integer ≥ 1, got 1.5',
    ],
    [
      'a word to exclude that is no string',
      () => sgd({ excludeFromWeightDecay: [1 as unknown as string] }),
      'optimizer: excludeFromWeightDecay expected words or a function, got a list of 1',
    ],
    ['beta2 of adamw', () => adamw({ beta2: -1 }), 'adamw: beta2 expected a number in [0, 1), got -1'],
    [
      'an unknown name',
      () => optimizerOf({ name: 'adafactor' }),
      "optimizer expected one of adadelta, adagrad, adam, adamax, adamw, lion, nadam, rmsprop, sgd, got 'adafactor'",
    ],
  ])('%s, throw', (_, make, message) => {
    expect(make).toThrow(new ArgumentError(message));
  });

  test('from config, make an equal optimizer', () => {
    for (const optimizer of [
      sgd({ momentum: 0.9, nesterov: true, clipNorm: 1 }),
      rmsprop({ rho: 0.5, centered: true, globalClipNorm: 2 }),
      adam({ beta1: 0.5 } satisfies AdamOptions),
      adamw({ weightDecay: 0.1, clipValue: 0.5 }),
      adagrad({ initialAccumulatorValue: 0.3 }),
      adam({ amsgrad: true, beta2: 0.5 }),
      nadam({ beta1: 0.5 }),
      adamax({ beta2: 0.5 }),
      lion({ beta1: 0.5, weightDecay: 0.5, excludeFromWeightDecay: ['p1'] }),
      adadelta({ rho: 0.5, gradientAccumulationSteps: 2 }),
      sgd({ useEma: true, emaMomentum: 0.5, emaOverwriteFrequency: 2 }),
      sgd({ learningRate: cosineDecay({ initialLearningRate: 0.5, decaySteps: 4 }) }),
    ]) {
      const again = optimizerOf(JSON.parse(JSON.stringify(optimizer.config())));
      expect(again.config()).toEqual(optimizer.config());
      const [one, two] = [parameters(), parameters()];
      for (let step = 0; step < 3; step++) {
        optimizer.apply(one, tensors(gradientsAt(step)));
        again.apply(two, tensors(gradientsAt(step)));
      }
      expectSameParameters(two, one, optimizer.name);
    }
  });
});
