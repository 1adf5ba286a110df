/**
 * Every op and every loss against central finite differences of its float64 definition. Value and gradient are
 * compared, with each argument in both memory orders, used once, used twice (so contributions add up), and as the only
 * one with a gradient.
 */
import { beforeAll, describe, expect, test } from 'vitest';
import * as audio from '../../src/audio.ts';
import { valueAndGrad } from '../../src/autograd/tape.ts';
import { type Tensor, tensor } from '../../src/autograd/tensor.ts';
import { init } from '../../src/engine/engine.ts';
import * as imageOps from '../../src/images/ops.ts';
import * as makers from '../../src/losses/index.ts';
import { add, mul, scale } from '../../src/ops/elementwise/elementwise.ts';
import * as ops from '../../src/ops/index.ts';
import { sum } from '../../src/ops/reduce.ts';
import * as crfOps from '../../src/sequences/crf-ops.ts';
import { modes } from '../engine/modes.ts';
import { expectGradient, expectOutput } from '../golden/expect-close.ts';
import { inner, numericGradients } from '../kernels/reference/gradient.ts';
import { values } from '../kernels/reference/values.ts';
import { exchanged, type GradientCase } from '../ops/cases/case.ts';
import { audioCases, lossCases, opCases, stateSpaceCases } from './gradient-cases.ts';

/** The modes ask for the same definitions. */
function memoized<C extends object, R>(make: (c: C) => R): (c: C) => R {
  const known = new WeakMap<C, R>();
  return (c) => {
    if (!known.has(c)) known.set(c, make(c));
    return known.get(c)!;
  };
}

const size = (shape: readonly number[]): number => shape.reduce((product, n) => product * n, 1);

/** The arguments' values, by a seed of their position. */
function argumentsOf({ arguments: list }: GradientCase): Float32Array[] {
  return list.map(({ shape, low = -1, high = 1 }, i) =>
    values(size(shape), i + 1).map((v) => low + ((v + 1) / 2) * (high - low)),
  );
}

/** Every choice of memory order for the arguments that have two axes or more. */
function ordersOf({ arguments: list, exchangedTogether }: GradientCase): boolean[][] {
  if (exchangedTogether) return [false, true].map((order) => list.map(({ shape }) => order && shape.length > 1));
  return list.reduce<boolean[][]>(
    (orders, { shape }) =>
      (shape.length < 2 ? [false] : [false, true]).flatMap((order) => orders.map((rest) => [...rest, order])),
    [[]],
  );
}

/** What the definition gives: the output, and for each argument the gradient of its sum by `weights[0]`, and by both. */
const definitionOf = memoized((c: GradientCase) => {
  const doubles = argumentsOf(c).map((x) => Float64Array.from(x));
  const expected = c.reference(...doubles);
  const weights = [values(expected.length, 11), values(expected.length, 12)] as const;
  const both = weights[0].map((w, i) => w + weights[1][i]!);
  const gradients = doubles.map((x, i) =>
    numericGradients((at) => {
      const y = c.reference(...doubles.with(i, at));
      return [inner(y, weights[0]), inner(y, both)];
    }, x),
  );
  return { expected, weights, once: gradients.map(([of]) => of!), twice: gradients.map(([, of]) => of!) };
});

function check(c: GradientCase): void {
  const data = argumentsOf(c);
  const { expected, weights, once, twice } = definitionOf(c);

  for (const order of ordersOf(c)) {
    const label = `arguments stored ${order.map((timeMajor) => (timeMajor ? 'time-major' : 'row-major'))}`;
    const inputs = data.map((x, i) => {
      const leaf = tensor(x, { shape: c.arguments[i]!.shape, name: `argument ${i}` });
      return order[i] ? exchanged(leaf) : leaf;
    });
    const weighed = (weight: ArrayLike<number>): Tensor => {
      const y = c.run(...inputs);
      if (c.shape) expect(y.shape, `${label}: shape of the output`).toEqual(c.shape);
      expectOutput(`${label}: output`, y.toArray(), { shape: [...y.shape], values: expected });
      const loss = sum(mul(y, tensor(weight, { shape: y.shape })));
      // A loss that depends on nothing wanted is refused: the arguments come in by a term that is 0.
      return c.constant ? inputs.reduce((all, x) => add(all, scale(sum(x), 0)), loss) : loss;
    };
    const expectAll = (what: string, grads: Tensor[], reference: Float64Array[], from = 0): void =>
      grads.forEach((grad, i) => {
        const { shape } = c.arguments[from + i]!;
        expect(grad.shape, `${label}: shape of the gradient`).toEqual(shape);
        expectGradient(`${label}, ${what}: gradient of argument ${from + i}`, grad.toArray(), {
          shape: [...shape],
          values: reference[from + i]!,
        });
      });

    expectAll('used once', valueAndGrad(() => weighed(weights[0]), inputs).grads, once);
    const both = (): Tensor => add(weighed(weights[0]), weighed(weights[1]));
    expectAll('used twice', valueAndGrad(both, inputs).grads, twice);
    if (inputs.length < 2) continue;
    inputs.forEach((input, i) => {
      expectAll('wanted alone', valueAndGrad(() => weighed(weights[0]), [input]).grads, once, i);
    });
  }
}

for (const mode of modes) {
  describe(`gradients in ${mode} mode`, () => {
    beforeAll(async () => {
      await init({ mode });
    });

    for (const c of [...opCases, ...audioCases, ...stateSpaceCases]) {
      test(`${c.of} ${c.variant}, value and gradients match finite differences`, () => check(c));
    }
    for (const c of lossCases) {
      test(`${c.of} ${c.variant}, value and gradient match finite differences`, () => check(c));
    }
  });
}

test('every op that an entry exports has a gradient case', () => {
  // What crfMarginals returns is a gradient: test/sequences/crf.test.ts compares it.
  const { crfMarginals: _, ...ofCrf } = crfOps;
  expect(new Set(opCases.map((c) => c.of))).toEqual(new Set([ops, imageOps, ofCrf].flatMap(Object.keys)));
});

test('every function of tensors that tapeloop/audio exports has a gradient case', () => {
  // Those that take no tensor.
  const others = /^(audioWindow|melFilters|stftStream|istftStream|readWav|writeWav|resample)$/;
  expect(new Set(audioCases.map((c) => c.of))).toEqual(
    new Set(Object.keys(audio).filter((name) => !others.test(name))),
  );
});

test('every loss of src/losses/index.ts has a gradient case', () => {
  expect(new Set(lossCases.map((c) => c.of))).toEqual(new Set(Object.keys(makers)));
});

test.each([...opCases, ...audioCases].filter(({ of, arguments: { length } }) => of !== 'recurrence' && length > 0))(
  '$of $variant, an argument of i32, throws or is only moved',
  (c) => {
    c.arguments.forEach((_, i) => {
      const inputs = c.arguments.map(({ shape }, j) =>
        tensor(new Float32Array(size(shape)), {
          shape,
          dtype: i === j || c.moves ? 'i32' : 'f32',
          name: `argument ${j}`,
        }),
      );
      if (c.moves || c.takesIds) expect(c.run(...inputs).dtype).toBe(c.moves ? 'i32' : 'f32');
      else expect(() => c.run(...inputs)).toThrow(/ expected f32, got i32 for 'argument \d'$/);
    });
  },
);
