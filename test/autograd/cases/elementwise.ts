import type { Shape, Tensor } from '../../../src/autograd/tensor.ts';
import * as ops from '../../../src/ops/index.ts';
import { type GradientCase, map, SEQUENCE } from './case.ts';

export function unaryCases(
  name: string,
  run: (x: Tensor) => Tensor,
  f: (x: number) => number,
  range: { low?: number; high?: number } = {},
): GradientCase[] {
  return [SEQUENCE, [7], [], [2, 3]].map((shape) => ({
    of: name,
    variant: `[${shape}]`,
    arguments: [{ shape, ...range }],
    run,
    reference: (x) => map(x, f),
  }));
}

// How a repeating operand lines up with the whole one: its shape, and the whole's.
const REPEATS: [smaller: Shape, larger: Shape][] = [
  [
    [3, 2, 5],
    [3, 2, 5],
  ],
  [[], [3, 2, 5]],
  [[1], [3, 2, 5]],
  [[5], [3, 2, 5]],
  [
    [2, 5],
    [3, 2, 5],
  ],
  [
    [1, 2, 5],
    [3, 2, 5],
  ],
  [
    [1, 1, 5],
    [3, 2, 5],
  ],
  [
    [2, 5],
    [1, 2, 5],
  ],
  [[3], [4, 3]],
  [
    [4, 3],
    [4, 3],
  ],
  [[], [4, 3]],
  [[3], [3]],
  [[], []],
  [[], [1]],
  [
    [2, 5],
    [3, 2, 2, 5],
  ],
  [
    [2, 2, 5],
    [3, 2, 2, 5],
  ],
];

function binaryCases(
  name: string,
  run: (a: Tensor, b: Tensor) => Tensor,
  f: (a: number, b: number) => number,
): GradientCase[] {
  // Divisors keep away from 0.
  const range = name === 'div' ? { low: 0.5, high: 2 } : {};
  return REPEATS.flatMap(([smaller, larger]) =>
    (String(smaller) === String(larger) ? [false] : [false, true]).map((swapped) => {
      const [left, right] = swapped ? [larger, smaller] : [smaller, larger];
      return {
        of: name,
        variant: `[${left}] and [${right}]`,
        arguments: [left, right].map((shape) => ({ shape, ...range })),
        run,
        reference: (a: Float64Array, b: Float64Array) =>
          Float64Array.from({ length: Math.max(a.length, b.length) }, (_, i) => f(a[i % a.length]!, b[i % b.length]!)),
      };
    }),
  );
}

export const elementwiseCases: GradientCase[] = [
  ...unaryCases('abs', ops.abs, Math.abs),
  ...unaryCases('exp', ops.exp, Math.exp),
  ...unaryCases('log', ops.log, Math.log, { low: 0.2, high: 3 }),
  ...unaryCases('neg', ops.neg, (x) => -x),
  ...unaryCases('reciprocal', ops.reciprocal, (x) => 1 / x, { low: 0.5, high: 2 }),
  ...unaryCases('relu', ops.relu, (x) => Math.max(x, 0)),
  ...unaryCases('sigmoid', ops.sigmoid, (x) => 1 / (1 + Math.exp(-x)), { low: -4, high: 4 }),
  ...unaryCases('sqrt', ops.sqrt, Math.sqrt, { low: 0.2, high: 3 }),
  ...unaryCases('square', ops.square, (x) => x * x),
  ...unaryCases('tanh', ops.tanh, Math.tanh, { low: -2, high: 2 }),
  ...binaryCases('add', ops.add, (a, b) => a + b),
  ...binaryCases('sub', ops.sub, (a, b) => a - b),
  ...binaryCases('mul', ops.mul, (a, b) => a * b),
  ...binaryCases('div', ops.div, (a, b) => a / b),
  ...binaryCases('maximum', ops.maximum, Math.max),
  ...binaryCases('minimum', ops.minimum, Math.min),
  {
    of: 'addScalar',
    variant: '0.75',
    arguments: [{ shape: SEQUENCE }],
    run: (x) => ops.addScalar(x, 0.75),
    reference: (x) => map(x, (v) => v + 0.75),
  },
  {
    of: 'scale',
    variant: '−1.5',
    arguments: [{ shape: SEQUENCE }],
    run: (x) => ops.scale(x, -1.5),
    reference: (x) => map(x, (v) => -1.5 * v),
  },
  {
    of: 'clip',
    variant: 'both sides',
    arguments: [{ shape: SEQUENCE }],
    run: (x) => ops.clip(x, -0.5, 0.25),
    reference: (x) => map(x, (v) => Math.min(Math.max(v, -0.5), 0.25)),
  },
];
