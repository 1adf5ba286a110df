import type { Tensor } from '../../../src/autograd/tensor.ts';
import type { Shape } from '../../../src/checks/shape.ts';
import type { Operand } from '../../../src/ops/elementwise/binary.ts';
import * as ops from '../../../src/ops/index.ts';
import { build, type GradientCase, map, pick, SEQUENCE } from './case.ts';

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

// How two operands line up, each of which may repeat.
const REPEATS: [left: Shape, right: Shape][] = [
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
  // Along axes in the middle, or at the end.
  [
    [3, 1, 5],
    [3, 2, 5],
  ],
  [
    [3, 2, 1],
    [3, 2, 5],
  ],
  [
    [2, 1],
    [3, 2, 5],
  ],
  [
    [3, 1, 1],
    [3, 2, 5],
  ],
  [
    [3, 1, 2, 1],
    [3, 4, 2, 5],
  ],
  [
    [1, 4, 1, 5],
    [3, 4, 2, 5],
  ],
  // Both repeat.
  [
    [3, 1, 5],
    [1, 2, 5],
  ],
  [
    [3, 1],
    [1, 4],
  ],
  [[4], [3, 1]],
  [
    [3, 1, 2, 1],
    [4, 1, 5],
  ],
  // An axis more, and nothing that repeats.
  [[3], [1, 1]],
  [[1, 1, 1], [5]],
  [
    [1, 3, 2],
    [3, 2],
  ],
  // No elements.
  [
    [1, 5],
    [0, 5],
  ],
  [
    [3, 1, 2],
    [3, 0, 2],
  ],
];

/** NumPy's broadcasting, as float64 loops. */
export function broadcastPairs(
  left: Shape,
  right: Shape,
  f: (a: number, b: number) => number,
): { shape: Shape; reference: (a: Float64Array, b: Float64Array) => Float64Array } {
  const rank = Math.max(left.length, right.length);
  const full = (shape: Shape): number[] => [...Array.from({ length: rank - shape.length }, () => 1), ...shape];
  const [inA, inB] = [full(left), full(right)];
  const shape = inA.map((n, axis) => (n === 1 ? inB[axis]! : n));
  const at = (x: Float64Array, own: number[], index: number[]): number =>
    pick(
      x,
      own,
      index.map((place, axis) => (own[axis] === 1 ? 0 : place)),
    );
  return { shape, reference: (a, b) => build(shape, (index) => f(at(a, inA, index), at(b, inB, index))) };
}

export function binaryCases(
  name: string,
  run: (a: Operand, b: Operand) => Tensor,
  f: (a: number, b: number) => number,
  // Divisors and bases keep away from 0.
  range: { low?: number; high?: number } = {},
): GradientCase[] {
  const pairs = REPEATS.flatMap(([first, second]) =>
    (String(first) === String(second) ? [false] : [false, true]).map((swapped): GradientCase => {
      const [left, right] = swapped ? [second, first] : [first, second];
      return {
        of: name,
        variant: `[${left}] and [${right}]`,
        arguments: [left, right].map((shape) => ({ shape, ...range })),
        run,
        ...broadcastPairs(left, right, f),
      };
    }),
  );
  const number = 0.75;
  const withNumber = [SEQUENCE, [4], []].flatMap((shape): GradientCase[] =>
    [false, true].map((isFirst) => ({
      of: name,
      variant: isFirst ? `a number and [${shape}]` : `[${shape}] and a number`,
      arguments: [{ shape, ...range }],
      run: (x) => (isFirst ? run(number, x) : run(x, number)),
      reference: (x) => map(x, (v) => (isFirst ? f(number, v) : f(v, number))),
    })),
  );
  return [...pairs, ...withNumber];
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
  ...binaryCases('div', ops.div, (a, b) => a / b, { low: 0.5, high: 2 }),
  // A whole exponent of a negative base, fractions of positive ones, and what is near 0.
  ...binaryCases('pow', ops.pow, (a, b) => a ** b, { low: 0.2, high: 3 }),
  ...[3, -1, 2, 0].map(
    (exponent): GradientCase => ({
      of: 'pow',
      variant: `of negative numbers to ${exponent}`,
      arguments: [{ shape: SEQUENCE, low: -2, high: -0.5 }],
      run: (x) => ops.pow(x, exponent),
      reference: (x) => map(x, (v) => v ** exponent),
    }),
  ),
  ...unaryCases('sin', ops.sin, Math.sin, { low: -7, high: 7 }),
  ...unaryCases('cos', ops.cos, Math.cos, { low: -7, high: 7 }),
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
