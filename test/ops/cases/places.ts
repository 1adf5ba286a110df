// Ops whose results are comparisons, indices, or elements from other places.
import type { Shape } from '../../../src/checks/shape.ts';
import * as ops from '../../../src/ops/index.ts';
import { build, type GradientCase, ids, pick, SEQUENCE } from './case.ts';
import { binaryCases } from './elementwise.ts';

const compareCases = [
  ...binaryCases('greater', ops.greater, (a, b) => Number(a > b)),
  ...binaryCases('greaterEqual', ops.greaterEqual, (a, b) => Number(a >= b)),
  ...binaryCases('less', ops.less, (a, b) => Number(a < b)),
  ...binaryCases('lessEqual', ops.lessEqual, (a, b) => Number(a <= b)),
  ...binaryCases('equal', ops.equal, (a, b) => Number(a === b)),
  ...binaryCases('notEqual', ops.notEqual, (a, b) => Number(a !== b)),
].map((c): GradientCase => ({ ...c, constant: true, ...(c.arguments.length === 1 && { takesIds: true }) }));

const SHAPES: Shape[] = [SEQUENCE, [4], [2, 3], [3, 1, 2, 2]];
const axesOf = (shape: Shape): number[] => [...shape.keys(), -1];

const cumsumCases = SHAPES.flatMap((shape) =>
  axesOf(shape).map((axis): GradientCase => {
    const at = axis < 0 ? axis + shape.length : axis;
    return {
      of: 'cumsum',
      variant: `[${shape}], axis ${axis}`,
      arguments: [{ shape }],
      run: (x) => ops.cumsum(x, axis),
      shape,
      reference: (x) =>
        build(shape, (index) => {
          let sum = 0;
          for (let j = 0; j <= index[at]!; j++) sum += pick(x, shape, index.with(at, j));
          return sum;
        }),
    };
  }),
);

// As one-hot rows, which are numbers that a loss can weigh.
const argmaxCases = SHAPES.flatMap((shape) =>
  axesOf(shape).map((axis): GradientCase => {
    const at = axis < 0 ? axis + shape.length : axis;
    const to = [...shape.toSpliced(at, 1), shape[at]!];
    return {
      of: 'argmax',
      variant: `[${shape}], axis ${axis}`,
      arguments: [{ shape }],
      constant: true,
      run: (x) => ops.oneHot(ops.argmax(x, axis), shape[at]!),
      shape: to,
      reference: (x) =>
        build(to, (index) => {
          const along = (j: number): number => pick(x, shape, index.slice(0, -1).toSpliced(at, 0, j));
          const place = index.at(-1)!;
          return Number([...Array(shape[at]!).keys()].every((j) => along(j) <= along(place)));
        }),
    };
  }),
);

const oneHotCases = SHAPES.map((shape): GradientCase => {
  const given = ids(shape, 4);
  return {
    of: 'oneHot',
    variant: `ids [${shape}] times rows`,
    arguments: [{ shape: [4] }],
    run: (x) => ops.mul(ops.oneHot(given.tensor(), 4), x),
    shape: [...shape, 4],
    reference: (x) =>
      build([...shape, 4], (index) =>
        pick(given.at, shape, index.slice(0, -1)) === index.at(-1) ? x[index.at(-1)!]! : 0,
      ),
  };
});

const WIDTHS: [shape: Shape, widths: [number, number][], value?: number][] = [
  [
    SEQUENCE,
    [
      [0, 0],
      [1, 2],
      [0, 0],
    ],
  ],
  [
    SEQUENCE,
    [
      [1, 0],
      [0, 0],
      [0, 3],
    ],
    7,
  ],
  [
    [2, 3],
    [
      [0, 1],
      [2, 0],
    ],
    -1,
  ],
  [[4], [[1, 1]]],
  [[], []],
  [
    [2, 3, 2, 2],
    [
      [1, 1],
      [1, 0],
      [0, 1],
      [2, 1],
    ],
  ],
];

const padCases = WIDTHS.map(([shape, widths, value = 0]): GradientCase => {
  const to = shape.map((n, axis) => n + widths[axis]![0] + widths[axis]![1]);
  return {
    of: 'pad',
    variant: `[${shape}] to [${to}] with ${value}`,
    arguments: [{ shape }],
    moves: true,
    run: (x) => ops.pad(x, widths, value),
    shape: to,
    reference: (x) =>
      build(to, (index) => {
        const from = index.map((place, axis) => place - widths[axis]![0]);
        return from.every((place, axis) => place >= 0 && place < shape[axis]!) ? pick(x, shape, from) : value;
      }),
  };
});

const constantCases = [
  { of: 'zeros', make: ops.zeros, value: 0 },
  { of: 'ones', make: ops.ones, value: 1 },
].map(
  ({ of, make, value }): GradientCase => ({
    of,
    variant: '[2, 3]',
    arguments: [],
    run: () => make([2, 3]),
    shape: [2, 3],
    reference: () => new Float64Array(6).fill(value),
  }),
);

export const placeCases: GradientCase[] = [
  ...compareCases,
  ...cumsumCases,
  ...argmaxCases,
  ...oneHotCases,
  ...padCases,
  ...constantCases,
];
