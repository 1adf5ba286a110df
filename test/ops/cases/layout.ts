import type { Shape } from '../../../src/checks/shape.ts';
import * as ops from '../../../src/ops/index.ts';
import { build, type GradientCase, pick, SEQUENCE } from './case.ts';

function cases(): GradientCase[] {
  return [
    ...[0, 1, 2, 3, -1, -4].map(
      (axis): GradientCase => ({
        of: 'expandDims',
        variant: `axis ${axis}`,
        arguments: [{ shape: SEQUENCE }],
        run: (x) => ops.expandDims(x, axis),
        shape: SEQUENCE.toSpliced(axis < 0 ? axis + 4 : axis, 0, 1),
        reference: (x) => x,
      }),
    ),
    ...(
      [
        [[1, 3, 2], 0],
        [[3, 1, 2], 1],
        [[3, 2, 1], -1],
        [[3, 2, 1, 4], 2],
        [[1, 3, 1, 1], undefined],
      ] as [Shape, number?][]
    ).map(
      ([shape, axis]): GradientCase => ({
        of: 'squeeze',
        variant: `[${shape}] axis ${axis ?? 'any'}`,
        arguments: [{ shape }],
        run: (x) => ops.squeeze(x, axis),
        shape: axis === undefined ? shape.filter((n) => n !== 1) : shape.toSpliced(axis, 1),
        reference: (x) => x,
      }),
    ),
    ...(
      [
        [[4], [0]],
        [
          [4, 3],
          [1, 0],
        ],
        [
          [4, 3],
          [0, 1],
        ],
        ...[
          [0, 1, 2],
          [0, 2, 1],
          [1, 0, 2],
          [1, 2, 0],
          [2, 0, 1],
          [2, 1, 0],
          [-1, 0, -2],
        ].map((axes) => [[3, 2, 5], axes]),
        [
          [2, 3, 4, 5],
          [3, 1, 0, 2],
        ],
        [
          [2, 3, 4, 5],
          [0, 2, 1, 3],
        ],
      ] as [Shape, number[]][]
    ).map(([from, axes]): GradientCase => {
      const order = axes.map((axis) => (axis < 0 ? axis + from.length : axis));
      const shape = order.map((axis) => from[axis]!);
      return {
        of: 'transpose',
        variant: `[${from}] by [${axes}]`,
        arguments: [{ shape: from }],
        run: (x) => ops.transpose(x, axes),
        shape,
        reference: (x) =>
          build(shape, (index) =>
            pick(
              x,
              from,
              [...from.keys()].map((axis) => index[order.indexOf(axis)]!),
            ),
          ),
      };
    }),
    {
      of: 'transpose',
      variant: 'in reverse without axes',
      arguments: [{ shape: SEQUENCE }],
      run: (x) => ops.transpose(x),
      shape: [5, 2, 3],
      reference: (x) => build([5, 2, 3], ([i, j, k]) => pick(x, SEQUENCE, [k!, j!, i!])),
    },
    {
      of: 'reshape',
      variant: 'with −1',
      arguments: [{ shape: SEQUENCE }],
      run: (x) => ops.reshape(x, [5, -1]),
      reference: (x) => x,
    },
    {
      of: 'reshape',
      variant: 'to and from, exchanged between',
      arguments: [{ shape: SEQUENCE }],
      run: (x) => ops.reshape(ops.swapTimeBatch(ops.reshape(x, [6, 5])), [30]),
      reference: (x) => Float64Array.from({ length: 30 }, (_, at) => x[(at % 6) * 5 + Math.floor(at / 6)]!),
    },
    {
      of: 'swapTimeBatch',
      variant: 'three axes',
      arguments: [{ shape: SEQUENCE }],
      run: ops.swapTimeBatch,
      reference: (x) =>
        Float64Array.from({ length: 30 }, (_, at) => {
          const [t, b, i] = [Math.floor(at / 15), Math.floor(at / 5) % 3, at % 5];
          return x[(b * 2 + t) * 5 + i]!;
        }),
    },
    {
      of: 'swapTimeBatch',
      variant: 'twice',
      arguments: [{ shape: SEQUENCE }],
      run: (x) => ops.swapTimeBatch(ops.swapTimeBatch(x)),
      reference: (x) => x,
    },
  ];
}

export const layoutCases = cases().map((c): GradientCase => ({ ...c, moves: true }));
