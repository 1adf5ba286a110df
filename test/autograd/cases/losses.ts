import { type Shape, tensor } from '../../../src/autograd/tensor.ts';
import * as losses from '../../../src/train/losses.ts';
import { integers, values } from '../../kernels/reference/values.ts';
import { byRow, type GradientCase, logSoftmax, map, SEQUENCE, total } from './case.ts';

const { lossOf: _, ...makers } = losses;

/** A loss case whose predictions are uniform in a range and whose targets are constants. */
function lossCase(
  of: keyof typeof makers,
  fromLogits: boolean,
  targets: { values: ArrayLike<number>; shape: Shape; dtype?: 'i32' },
  reference: (prediction: Float64Array, y: ArrayLike<number>) => number,
): GradientCase {
  return {
    of,
    variant: fromLogits ? 'from logits' : 'from predictions',
    // Predictions stay clear of both ends, where they are clipped.
    arguments: [{ shape: SEQUENCE, ...(fromLogits ? { low: -3, high: 3 } : { low: 0.05, high: 0.95 }) }],
    run: (prediction) => {
      const { values: data, ...options } = targets;
      return makers[of]({ fromLogits }).compute(tensor(data, options), prediction);
    },
    reference: (prediction) => Float64Array.of(reference(prediction, targets.values)),
  };
}

const regressionTargets = { values: values(30, 41, 2), shape: SEQUENCE };
const binaryTargets = { values: integers(30, 2, 42), shape: SEQUENCE };
const classTargets = { values: integers(6, 5, 43), shape: [3, 2], dtype: 'i32' as const };
const oneHotTargets = {
  values: Array.from(classTargets.values).flatMap((id) => [0, 1, 2, 3, 4].map((v) => (v === id ? 1 : 0))),
  shape: SEQUENCE,
};
const meanOver = (x: Float64Array, f: (v: number, i: number) => number): number => total(map(x, f)) / x.length;

export const lossCases: GradientCase[] = [
  lossCase('meanSquaredError', false, regressionTargets, (p, y) => meanOver(p, (v, i) => (v - y[i]!) ** 2)),
  lossCase('meanAbsoluteError', false, regressionTargets, (p, y) => meanOver(p, (v, i) => Math.abs(v - y[i]!))),
  lossCase('binaryCrossentropy', false, binaryTargets, (p, y) =>
    meanOver(p, (v, i) => -(y[i]! * Math.log(v) + (1 - y[i]!) * Math.log(1 - v))),
  ),
  lossCase('binaryCrossentropy', true, binaryTargets, (x, y) =>
    meanOver(x, (v, i) => Math.log(1 + Math.exp(v)) - v * y[i]!),
  ),
  lossCase(
    'categoricalCrossentropy',
    false,
    oneHotTargets,
    (p, y) => -total(map(p, (v, i) => y[i]! * Math.log(v))) / 6,
  ),
  lossCase(
    'categoricalCrossentropy',
    true,
    oneHotTargets,
    (x, y) => -total(map(byRow(x, 5, logSoftmax), (v, i) => y[i]! * v)) / 6,
  ),
  ...[false, true].map((fromLogits) =>
    lossCase('sparseCategoricalCrossentropy', fromLogits, classTargets, (x, y) => {
      const logs = fromLogits ? byRow(x, 5, logSoftmax) : map(x, Math.log);
      return -total(Float64Array.from(y, (id, row) => logs[row * 5 + id]!)) / 6;
    }),
  ),
];
