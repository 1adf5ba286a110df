import { tensor } from '../../../src/autograd/tensor.ts';
import * as ops from '../../../src/ops/index.ts';
import { build, byRow, exchanged, type GradientCase, ids, logSoftmax, pick, SEQUENCE, total } from './case.ts';

export function softmaxCases(): GradientCase[] {
  const { tensor: targets, at } = ids([3, 2], 5);
  const weightOf = [0.5, 0, 2, 1.25, 0.75, 3];
  const weights = () => tensor(weightOf, { shape: [3, 2], name: 'weights' });
  const shapes = [SEQUENCE, [4, 5], [5]] as const;
  return [
    ...([0, 1, -2, 2] as const).flatMap((axis): GradientCase[] =>
      (['softmax', 'logSoftmax'] as const).map((of) => ({
        of,
        variant: `[${SEQUENCE}], axis ${axis}`,
        arguments: [{ shape: SEQUENCE, low: -3, high: 3 }],
        run: (x) => (of === 'softmax' ? ops.softmax : ops.logSoftmax)(x!, { axis }),
        shape: SEQUENCE,
        reference: (x) =>
          build(SEQUENCE, (index) => {
            const at = axis < 0 ? axis + 3 : axis;
            const along = Float64Array.from({ length: SEQUENCE[at]! }, (_, j) => pick(x!, SEQUENCE, index.with(at, j)));
            const value = logSoftmax(along)[index[at]!]!;
            return of === 'softmax' ? Math.exp(value) : value;
          }),
      })),
    ),
    ...shapes.map(
      (shape): GradientCase => ({
        of: 'softmax',
        variant: `[${shape}]`,
        arguments: [{ shape, low: -3, high: 3 }],
        run: (x) => ops.softmax(x),
        reference: (x) => byRow(x, 5, (row) => logSoftmax(row).map(Math.exp)),
      }),
    ),
    ...shapes.map(
      (shape): GradientCase => ({
        of: 'logSoftmax',
        variant: `[${shape}]`,
        arguments: [{ shape, low: -3, high: 3 }],
        run: (x) => ops.logSoftmax(x),
        reference: (x) => byRow(x, 5, logSoftmax),
      }),
    ),
    ...[false, true].map(
      (timeMajor): GradientCase => ({
        of: 'softmaxCrossEntropy',
        variant: timeMajor ? 'time-major targets' : 'row-major targets',
        arguments: [{ shape: SEQUENCE, low: -3, high: 3 }],
        run: (x) => ops.softmaxCrossEntropy(x, timeMajor ? exchanged(targets()) : targets()),
        reference: (x) => Float64Array.of(total(byRow(x, 5, (row, i) => [-logSoftmax(row)[at[i]!]!])) / 6),
      }),
    ),
    ...[false, true].map(
      (timeMajor): GradientCase => ({
        of: 'softmaxCrossEntropy',
        variant: timeMajor ? 'time-major weights' : 'row-major weights',
        arguments: [{ shape: SEQUENCE, low: -3, high: 3 }],
        run: (x) => ops.softmaxCrossEntropy(x, targets(), timeMajor ? exchanged(weights()) : weights()),
        reference: (x) =>
          Float64Array.of(total(byRow(x, 5, (row, i) => [-weightOf[i]! * logSoftmax(row)[at[i]!]!])) / 6),
      }),
    ),
  ];
}
