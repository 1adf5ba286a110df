import { tensor } from '../../../src/autograd/tensor.ts';
import type { Shape } from '../../../src/checks/shape.ts';
import * as ops from '../../../src/ops/index.ts';
import { integers } from '../../kernels/reference/values.ts';
import { build, type GradientCase, pick, SEQUENCE } from './case.ts';

const BROADCASTS: [from: Shape, to: Shape][] = [
  [[3, 1, 5], SEQUENCE],
  [[1, 2, 5], SEQUENCE],
  [[3, 2, 1], SEQUENCE],
  [[1, 2, 1], SEQUENCE],
  [[1, 1, 1], SEQUENCE],
  [[5], SEQUENCE],
  [[2, 1], SEQUENCE],
  [[], [2, 3]],
  [SEQUENCE, SEQUENCE],
  [
    [2, 1, 3, 1],
    [2, 4, 3, 5],
  ],
];

const broadcastToCases = BROADCASTS.map(([from, to]): GradientCase => {
  const full = [...to.slice(from.length).map(() => 1), ...from];
  return {
    of: 'broadcastTo',
    variant: `[${from}] to [${to}]`,
    arguments: [{ shape: from }],
    moves: true,
    run: (x) => ops.broadcastTo(x, to),
    shape: to,
    reference: (x) =>
      build(to, (index) =>
        pick(
          x,
          full,
          index.map((place, axis) => (full[axis] === 1 ? 0 : place)),
        ),
      ),
  };
});

const MASKS: Shape[] = [SEQUENCE, [2, 5], [5], [3, 2, 1], [1, 2, 5], [1, 1, 5], [2, 1]];

/** One mask for both data types; of the operands one may be a number. */
const whereCases = MASKS.flatMap((shape) =>
  (['f32', 'i32'] as const).map((dtype): GradientCase => {
    const flags = integers(
      shape.reduce((a, b) => a * b, 1),
      2,
      77,
    );
    const full = [...SEQUENCE.slice(shape.length).map(() => 1), ...shape];
    const isSet = (index: number[]): boolean =>
      pick(
        flags,
        full,
        index.map((place, axis) => (full[axis] === 1 ? 0 : place)),
      ) !== 0;
    return {
      of: 'where',
      variant: `a mask [${shape}] of ${dtype}`,
      arguments: [{ shape: SEQUENCE }, { shape: SEQUENCE }],
      moves: true,
      run: (a, b) => ops.where(tensor(flags, { shape, dtype }), a, b),
      shape: SEQUENCE,
      reference: (a, b) => build(SEQUENCE, (index) => pick(isSet(index) ? a : b, SEQUENCE, index)),
    };
  }),
);

const numberCases = [false, true].map((numberFirst): GradientCase => {
  const flags = integers(6, 2, 78);
  return {
    of: 'where',
    variant: `a number as ${numberFirst ? 'a' : 'b'}`,
    arguments: [{ shape: SEQUENCE }],
    moves: true,
    run: (x) => {
      const mask = tensor(flags, { shape: [3, 2, 1], dtype: 'i32' });
      return numberFirst ? ops.where(mask, 7, x) : ops.where(mask, x, 7);
    },
    reference: (x) =>
      build(SEQUENCE, ([i, j, k]) =>
        (flags[i! * 2 + j!] !== 0) === numberFirst ? 7 : pick(x, SEQUENCE, [i!, j!, k!]),
      ),
  };
});

export const broadcastCases: GradientCase[] = [
  ...broadcastToCases,
  {
    of: 'repeat',
    variant: '[2, 3], four times',
    arguments: [{ shape: [2, 3] }],
    moves: true,
    run: (x) => ops.repeat(x, 4),
    shape: [2, 4, 3],
    reference: (x) => build([2, 4, 3], ([b, , f]) => pick(x, [2, 3], [b!, f!])),
  },
  ...whereCases,
  ...numberCases,
];
