import type { Tensor } from '../../../src/autograd/tensor.ts';
import type { Shape } from '../../../src/checks/shape.ts';
import * as ops from '../../../src/ops/index.ts';
import { build, type GradientCase, pick, SEQUENCE, total } from './case.ts';

const SHAPES: Shape[] = [SEQUENCE, [4, 3], [7], [2, 3, 4, 2], [1, 4, 2], [3, 1, 1]];

/** A reduction of all elements, and along every axis of every shape, with and without keeping it. */
function reductionCases(
  of: string,
  reduce: (x: Tensor, options?: ops.ReduceOptions) => Tensor,
  f: (x: Float64Array) => number,
): GradientCase[] {
  const whole = SHAPES.map(
    (shape): GradientCase => ({
      of,
      variant: `[${shape}]`,
      arguments: [{ shape }],
      run: (x) => reduce(x),
      shape: [],
      reference: (x) => Float64Array.of(f(x)),
    }),
  );
  const along = SHAPES.flatMap((shape) =>
    [...shape.keys()].map((axis): GradientCase => {
      const keepDims = axis % 2 === 0;
      const rest = shape.toSpliced(axis, 1);
      return {
        of,
        variant: `[${shape}] along axis ${axis}${keepDims ? ', which is kept' : ''}`,
        arguments: [{ shape }],
        run: (x) => reduce(x, { axis: keepDims ? axis - shape.length : axis, keepDims }),
        shape: keepDims ? shape.with(axis, 1) : rest,
        reference: (x) =>
          build(rest, (index) =>
            f(Float64Array.from({ length: shape[axis]! }, (_, i) => pick(x, shape, index.toSpliced(axis, 0, i)))),
          ),
      };
    }),
  );
  return [...whole, ...along];
}

export const reduceCases: GradientCase[] = [
  ...reductionCases('sum', ops.sum, total),
  ...reductionCases('mean', ops.mean, (x) => total(x) / x.length),
  ...reductionCases('max', ops.max, (x) => Math.max(...x)),
  ...reductionCases('logSumExp', ops.logSumExp, (x) => Math.log(total(x.map(Math.exp)))),
  {
    of: 'sum',
    variant: 'of everything, all axes kept',
    arguments: [{ shape: SEQUENCE }],
    run: (x) => ops.sum(x, { keepDims: true }),
    shape: [1, 1, 1],
    reference: (x) => Float64Array.of(total(x)),
  },
];
