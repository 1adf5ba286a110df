import { describe, expect, test } from 'vitest';
import { Parameter } from '../../src/autograd/parameter.ts';
import { tensor } from '../../src/autograd/tensor.ts';
import { ArgumentError } from '../../src/checks/argument-error.ts';
import { NonFiniteGradientError } from '../../src/checks/divergence.ts';
import { init } from '../../src/engine/engine.ts';
import { OutOfMemoryError } from '../../src/engine/memory.ts';
import { adadelta, adagrad, adam, adamax, adamw, lion, nadam, rmsprop, sgd } from '../../src/optimizers/index.ts';
import type { Optimizer } from '../../src/optimizers/optimizer.ts';
import type { OptimizerOptions } from '../../src/optimizers/optimizer-options.ts';
import { exponentialDecay, linearWarmup } from '../../src/optimizers/schedules/index.ts';
import type { Schedule } from '../../src/optimizers/schedules/schedule.ts';
import { expectClose, expectSameBits } from '../kernels/compare.ts';
import * as reference from '../kernels/reference/optimizer.ts';
import { values } from '../kernels/reference/values.ts';
import {
  expectRule,
  expectSameParameters,
  gradientsAt,
  parameters,
  type Rule,
  STEPS,
  tensors,
} from './optimizer-cases.ts';

const rules: Record<string, (options: OptimizerOptions) => Optimizer> = {
  sgd: (options) => sgd({ learningRate: 0.1, momentum: 0.9, ...options }),
  rmsprop: (options) => rmsprop({ momentum: 0.5, centered: true, ...options }),
  adam: (options) => adam({ amsgrad: true, ...options }),
  adamw,
  nadam,
  adamax,
  adagrad,
  adadelta,
  lion,
};

const train = (optimizer: Optimizer, trained: readonly Parameter[], from: number, to: number): void => {
  for (let step = from; step < to; step++) optimizer.apply(trained, tensors(gradientsAt(step)));
};

describe('weightDecay', () => {
  const decayed =
    (lr: number, weightDecay: number, rule: Rule): Rule =>
    (slot, t) => {
      slot.p -= slot.p * weightDecay * lr;
      rule(slot, t);
    };

  test.each<[string, Optimizer, Rule]>([
    [
      'sgd',
      sgd({ learningRate: 0.1, momentum: 0.9, weightDecay: 0.3 }),
      decayed(0.1, 0.3, (s) => reference.sgd(s, 0.1, 0.9, false)),
    ],
    ['adam', adam({ learningRate: 0.1, weightDecay: 0.3 }), (s, t) => reference.adam(s, t, 0.1, 0.9, 0.999, 1e-7, 0.3)],
    [
      'nadam',
      nadam({ learningRate: 0.1, weightDecay: 0.3 }),
      decayed(0.1, 0.3, (s, t) => reference.nadam(s, t, 0.1, 0.9, 0.999, 1e-7)),
    ],
    [
      'lion',
      lion({ learningRate: 0.1, weightDecay: 0.3 }),
      decayed(0.1, 0.3, (s) => reference.lion(s, 0.1, 0.9, 0.99)),
    ],
  ])('of %s, shrinks parameters by lr·weightDecay before each update', (_, optimizer, rule) => {
    expectRule(optimizer, rule);
  });

  test('leaves out parameters by a word of their name or by a function, to the bit', () => {
    for (const make of [sgd, adamw]) {
      const all = parameters();
      train(make({ weightDecay: 0.3 }), all, 0, 5);
      const none = parameters();
      train(make({ weightDecay: 0 }), none, 0, 5);
      for (const excludeFromWeightDecay of [['bias', 'p1'], ({ shape }: Parameter) => shape.length === 1]) {
        const some = parameters();
        train(make({ weightDecay: 0.3, excludeFromWeightDecay }), some, 0, 5);
        expectSameParameters(some, [all[0]!, none[1]!], 'with p1 left out');
      }
      expect(all[1]!.toArray()).not.toEqual(none[1]!.toArray());
    }
  });

  test('with a function, is written down by its name', () => {
    const isBias = (): boolean => true;
    expect(sgd({ excludeFromWeightDecay: isBias }).config().excludeFromWeightDecay).toBe('custom isBias');
  });
});

describe('gradientAccumulationSteps', () => {
  test.each(Object.entries(rules))(
    'of %s, updates by the mean of two gradients at every second call, to the bit',
    (name, make) => {
      const options = { globalClipNorm: 2, weightDecay: 0.1 };
      const [accumulating, plain] = [make({ ...options, gradientAccumulationSteps: 2 }), make(options)];
      const [one, two] = [parameters(), parameters()];
      for (let step = 0; step < 5; step++) {
        const [a, b] = [gradientsAt(2 * step), gradientsAt(2 * step + 1)];
        const before = one.map((p) => p.toArray());
        accumulating.apply(one, tensors(a));
        one.forEach((p, i) => expectSameBits(p.toArray(), before[i]!, 'between updates'));
        expect([accumulating.steps, accumulating.iterations]).toEqual([2 * step + 1, step]);
        accumulating.apply(one, tensors(b));
        // Float32 halves exactly.
        plain.apply(two, tensors(a.map((g, i) => g.map((x, j) => Math.fround(x + b[i]![j]!) / 2))));
        expectSameParameters(one, two, `${name}, update ${step}`);
        expect(one[0]!.version).toBe(step + 1);
      }
    },
  );

  test('shows schedules the calls, as Keras does', () => {
    const seen: number[] = [];
    const learningRate: Schedule = { name: 'mine', at: (step) => seen.push(step) };
    train(sgd({ learningRate, gradientAccumulationSteps: 3 }), parameters(), 0, 7);
    expect(seen).toEqual([2, 5]);
  });

  test('returns the norm of the gradients given, at an update too', () => {
    const p = new Parameter('p', [1]);
    const optimizer = sgd({ gradientAccumulationSteps: 2 });
    expect([3, 1].map((g) => optimizer.apply([p], [tensor([g])]))).toEqual([3, 1]);
  });

  test('with a gradient that is not finite in between, goes on from what was gathered', () => {
    const [one, two] = [parameters(), parameters()];
    const [hit, spared] = [0, 0].map(() => adam({ gradientAccumulationSteps: 3, useEma: true }));
    train(spared!, two, 0, 6);
    for (let step = 0; step < 6; step++) {
      const bad = gradientsAt(9);
      bad[1]![2] = Number.NaN;
      expect(() => hit!.apply(one, tensors(bad))).toThrow(NonFiniteGradientError);
      hit!.apply(one, tensors(gradientsAt(step)));
    }
    expectSameParameters(one, two, 'after two updates');
  });

  test('of finite gradients whose sum is not, throws at the update and changes nothing', () => {
    const p = new Parameter('p', [2], [1, 2]);
    const optimizer = sgd({ gradientAccumulationSteps: 2 });
    optimizer.apply([p], [tensor([3e38, 0])]);
    expect(() => optimizer.apply([p], [tensor([3e38, 0])])).toThrow(NonFiniteGradientError);
    expect([optimizer.steps, [...p.toArray()]]).toEqual([1, [1, 2]]);
    optimizer.apply([p], [tensor([-3e38, 200])]);
    expectSameBits(p.toArray(), [1, 1], 'p');
  });
});

describe('useEma', () => {
  test.each(Object.entries(rules))('of %s, keeps 0.9 of the average and a tenth of each new value', (_, make) => {
    const [one, plain] = [parameters(), parameters()];
    const [averaging, without] = [make({ useEma: true, emaMomentum: 0.9 }), make({})];
    let average: Float64Array[] = [];
    for (let step = 0; step < STEPS; step++) {
      train(averaging, one, step, step + 1);
      train(without, plain, step, step + 1);
      const now = plain.map((p) => Float64Array.from(p.toArray()));
      average = step === 0 ? now : average.map((a, i) => a.map((x, j) => 0.9 * x + 0.1 * now[i]![j]!));
    }
    expectSameParameters(one, plain, 'parameters with and without averages');
    averaging.withEma(one, () => {
      one.forEach((p, i) => expectClose(p.toArray(), average[i]!, { absolute: 1e-6, relative: 1e-6 }, p.name));
    });
    expectSameParameters(one, plain, 'parameters swapped back');
  });

  test('withEma, swaps back when its body throws, and counts as a change both times', () => {
    const trained = parameters();
    const optimizer = sgd({ useEma: true });
    train(optimizer, trained, 0, 3);
    const before = trained.map((p) => p.toArray());
    const failing = () =>
      optimizer.withEma(trained, () => {
        throw new Error('mine');
      });
    expect(failing).toThrow('mine');
    trained.forEach((p, i) => expectSameBits(p.toArray(), before[i]!, p.name));
    expect(trained[0]!.version).toBe(5);
  });

  test('withEma, refuses a body that is not done when it returns, and has swapped back', () => {
    const trained = parameters();
    const optimizer = sgd({ useEma: true });
    train(optimizer, trained, 0, 3);
    const before = trained.map((p) => p.toArray());
    expect(() => optimizer.withEma(trained, async () => 1)).toThrow('body expected to be done, got a promise');
    trained.forEach((p, i) => expectSameBits(p.toArray(), before[i]!, p.name));
  });

  test('swapEma, leaves parameters that have no average yet as they are', () => {
    const [a, b] = parameters();
    const optimizer = sgd({ useEma: true });
    optimizer.swapEma([a!, b!]);
    optimizer.swapEma([a!, b!]);
    optimizer.apply([a!], tensors(gradientsAt(0)).slice(0, 1));
    const before = b!.toArray();
    optimizer.swapEma([a!, b!]);
    expectSameBits(b!.toArray(), before, 'b');
  });

  test('swapEma, is followed by no update before it is undone', () => {
    const trained = parameters();
    const optimizer = sgd({ useEma: true });
    train(optimizer, trained, 0, 2);
    optimizer.swapEma(trained);
    const refusal = new ArgumentError("sgd: 'p0' is swapped with its average; swap it back first");
    expect(() => train(optimizer, trained, 2, 3)).toThrow(refusal);
    expect(optimizer.steps).toBe(2);
    optimizer.swapEma(trained);
    train(optimizer, trained, 2, 3);
  });

  test('not given, swapEma throws and finalizeVariableValues changes nothing', () => {
    const trained = parameters();
    const optimizer = adam();
    train(optimizer, trained, 0, 1);
    expect(() => optimizer.swapEma(trained)).toThrow(
      new ArgumentError('adam: expected useEma, to have moving averages'),
    );
    optimizer.finalizeVariableValues(trained);
    expect(trained[0]!.version).toBe(1);
  });

  test('finalizeVariableValues, leaves the averages in the parameters', () => {
    const trained = parameters();
    const optimizer = adam({ useEma: true, emaMomentum: 0.5 });
    train(optimizer, trained, 0, 4);
    const averages = optimizer.withEma(trained, () => trained.map((p) => p.toArray()));
    optimizer.finalizeVariableValues(trained);
    trained.forEach((p, i) => expectSameBits(p.toArray(), averages[i]!, p.name));
  });

  test('with emaOverwriteFrequency 2, puts the averages in place at every second update', () => {
    const p = new Parameter('p', [1], [8]);
    const optimizer = sgd({ learningRate: 1, useEma: true, emaMomentum: 0.5, emaOverwriteFrequency: 2 });
    // p 7, average 7; p 6, average 6.5 → p; p 5.5, average 6; p 4.5, average 5.25 → p.
    const seen = [1, 2, 3, 4].map(() => {
      optimizer.apply([p], [tensor([1])]);
      return p.toArray()[0];
    });
    expect(seen).toEqual([7, 6.5, 5.5, 5.25]);
  });

  test('with gradientAccumulationSteps 2, averages at every call, as Keras does', () => {
    const p = new Parameter('p', [1], [8]);
    const optimizer = sgd({ learningRate: 1, useEma: true, emaMomentum: 0.5, gradientAccumulationSteps: 2 });
    const average = () => {
      optimizer.apply([p], [tensor([1])]);
      return optimizer.withEma([p], () => p.toArray()[0]);
    };
    // p is 8, 7, 7, 6; the first update's two calls set the average to p.
    expect([1, 2, 3, 4].map(average)).toEqual([8, 7, 7, 6.5]);
  });
});

describe('state', () => {
  test("with every option, is named after the rule's slots and Keras's own", () => {
    const optimizer = adam({ amsgrad: true, useEma: true, gradientAccumulationSteps: 2 });
    expect([...optimizer.state(parameters().slice(1)).keys()]).toEqual([
      'p1/momentum',
      'p1/velocity',
      'p1/velocity_hat',
      'p1/gradient_accumulator',
      'p1/average',
    ]);
  });

  test('that does not fit in memory, throws and leaves parameters and count', async () => {
    const small = await init({ mode: 'reproducible', maximumMemory: 2 ** 22 });
    try {
      const size = 250_000;
      const trained = [new Parameter('a', [10]), new Parameter('b', [size], values(size, 1))];
      const before = trained[1]!.toArray();
      const optimizer = adam({ useEma: true, gradientAccumulationSteps: 2 });
      const apply = () => small.step(() => optimizer.apply(trained, [tensor(values(10, 2)), tensor(values(size, 3))]));
      for (let i = 0; i < 2; i++) expect(apply).toThrow(OutOfMemoryError);
      expectSameBits(trained[1]!.toArray(), before, 'b');
      expect([optimizer.steps, trained[0]!.version]).toEqual([0, 0]);
    } finally {
      await init();
    }
  });
});

describe('learningRate', () => {
  const decay = exponentialDecay({ initialLearningRate: 1, decaySteps: 1, decayRate: 0.5 });

  test('of a schedule, is its value at every update', () => {
    const p = new Parameter('p', [1], [0]);
    const optimizer = sgd({ learningRate: decay });
    const rates = [1, 2, 3].map(() => {
      const rate = optimizer.learningRate;
      optimizer.apply([p], [tensor([-1])]);
      return rate;
    });
    expect([rates, [...p.toArray()]]).toEqual([[1, 0.5, 0.25], [1.75]]);
  });

  test.each(Object.entries(rules))(
    'of a schedule, with weight decay too, gives %s the bits of setting it by hand',
    (name, make) => {
      const [one, two] = [parameters(), parameters()];
      const [scheduled, manual] = [make({ learningRate: decay, weightDecay: 0.1 }), make({ weightDecay: 0.1 })];
      for (let step = 0; step < 6; step++) {
        manual.learningRate = decay.at(step);
        train(scheduled, one, step, step + 1);
        train(manual, two, step, step + 1);
      }
      expectSameParameters(one, two, name);
    },
  );

  test('of a schedule, cannot be set to a number, but to another schedule', () => {
    const optimizer = adam({ learningRate: decay });
    expect(() => {
      optimizer.learningRate = 0.1;
    }).toThrow(/^adam: learningRate follows the schedule 'exponentialDecay' and cannot be set to 0\.1; /);
    optimizer.learningRate = linearWarmup({ warmupSteps: 2, initialLearningRate: 0.5, after: 1 });
    expect(optimizer.learningRate).toBe(0.5);
  });

  test('that is a number, can become a schedule', () => {
    const optimizer = adam();
    optimizer.learningRate = decay;
    expect(optimizer.config().learningRate).toEqual(decay.config!());
  });

  test.each([Number.NaN, -1, Infinity])('of %s, is refused where it is set and where a schedule gives it', (bad) => {
    const optimizer = sgd({ useEma: true });
    expect(() => {
      optimizer.learningRate = bad;
    }).toThrow(new ArgumentError(`optimizer: learningRate expected a number ≥ 0, got ${bad}`));
    const trained = parameters();
    optimizer.learningRate = { name: 'mine', at: (step) => (step === 1 ? bad : 1) };
    train(optimizer, trained, 0, 1);
    const before = trained.map((p) => p.toArray());
    expect(() => train(optimizer, trained, 1, 2)).toThrow(
      new ArgumentError(`sgd: learningRate at step 1 expected a number ≥ 0, got ${bad}`),
    );
    trained.forEach((p, i) => expectSameBits(p.toArray(), before[i]!, p.name));
  });
});
