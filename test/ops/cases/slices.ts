import type { Shape } from '../../../src/checks/shape.ts';
import * as ops from '../../../src/ops/index.ts';
import { build, type GradientCase, pick, SEQUENCE } from './case.ts';

const RANGES: [shape: Shape, options: ops.SliceOptions, first: number, length: number][] = [
  [[3, 4, 2], { axis: 0, from: 1 }, 1, 2],
  [[3, 4, 2], { axis: 1, from: 1, to: 3 }, 1, 2],
  [[3, 4, 2], { axis: -2, from: -2, to: -1 }, 2, 1],
  [[3, 4, 2], { axis: 2, to: 1 }, 0, 1],
  [[3, 4, 2], { axis: 1 }, 0, 4],
  [[4, 5], { axis: 1, from: 3 }, 3, 2],
  [[4, 5], { axis: 0, to: -1 }, 0, 3],
  [[7], { axis: 0, from: 2, to: 6 }, 2, 4],
  [[2, 3, 2, 4], { axis: 2, from: 1 }, 1, 1],
];

const sliceCases = RANGES.map(([from, options, first, length]): GradientCase => {
  const axis = options.axis < 0 ? options.axis + from.length : options.axis;
  const shape = from.with(axis, length);
  return {
    of: 'slice',
    variant: `[${from}] ${JSON.stringify(options)}`,
    arguments: [{ shape: from }],
    run: (x) => ops.slice(x, options),
    shape,
    reference: (x) => build(shape, (index) => pick(x, from, index.with(axis, index[axis]! + first))),
  };
});

/** The parts of a tensor in another order, one of them left out. */
const splitCases = ([0, 1, 2] as const).flatMap((axis) =>
  [[1, 2, 3], 3].map((parts): GradientCase => {
    const from = [2, 3, 4].with(axis, 6);
    const lengths = typeof parts === 'number' ? [2, 2, 2] : parts;
    const shape = from.with(axis, lengths[2]! + lengths[0]!);
    return {
      of: 'split',
      variant: `[${from}] along axis ${axis} into ${parts}`,
      arguments: [{ shape: from }],
      run: (x) => {
        const [first, , last] = ops.split(x, parts, axis);
        return ops.concatenate([last!, first!], axis);
      },
      shape,
      reference: (x) =>
        build(shape, (index) => {
          const place = index[axis]!;
          const [kept, before] = [lengths[2]!, lengths[0]! + lengths[1]!];
          return pick(x, from, index.with(axis, place < kept ? before + place : place - kept));
        }),
    };
  }),
);

const stepCases = (
  [
    [[3, 4, 2], 1],
    [[3, 4, 2], -4],
    [[3, 4], 3],
    [[3, 1, 2], 0],
    [[2, 3, 2, 4], -1],
  ] as [Shape, number][]
).map(([from, t]): GradientCase => {
  const shape = from.toSpliced(1, 1);
  const at = t < 0 ? t + from[1]! : t;
  return {
    of: 'timeStep',
    variant: `[${from}] at ${t}`,
    arguments: [{ shape: from }],
    run: (x) => ops.timeStep(x, t),
    shape,
    reference: (x) => build(shape, (index) => pick(x, from, index.toSpliced(1, 0, at))),
  };
});

const lastCases = ([[3, 4, 2] as const, [3, 1, 2] as const, [1, 4, 2] as const] satisfies Shape[]).map(
  (from): GradientCase => ({
    of: 'lastStep',
    variant: `[${from}]`,
    arguments: [{ shape: from }],
    run: ops.lastStep,
    shape: [from[0], from[2]],
    reference: (x) => build([from[0], from[2]], ([b, f]) => pick(x, from, [b!, from[1] - 1, f!])),
  }),
);

const reverseCases = (
  [
    [SEQUENCE, 1],
    [SEQUENCE, 0],
    [SEQUENCE, -1],
    [[4, 3], 1],
    [[5], 0],
  ] as [Shape, number][]
).map(([shape, axis]): GradientCase => {
  const at = axis < 0 ? axis + shape.length : axis;
  return {
    of: 'reverse',
    variant: `[${shape}] along axis ${axis}`,
    arguments: [{ shape }],
    run: (x) => ops.reverse(x, axis),
    shape,
    reference: (x) => build(shape, (index) => pick(x, shape, index.with(at, shape[at]! - 1 - index[at]!))),
  };
});

export const sliceAndStepCases = [...sliceCases, ...splitCases, ...stepCases, ...lastCases, ...reverseCases].map(
  (c): GradientCase => ({ ...c, moves: true }),
);
