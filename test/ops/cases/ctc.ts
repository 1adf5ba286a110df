import { tensor } from '../../../src/autograd/tensor.ts';
import * as ops from '../../../src/ops/index.ts';
import { ctcByPaths } from '../../kernels/reference/ctc.ts';
import { type GradientCase, logSoftmax } from './case.ts';

const LABELS = [
  [1, 1, 0],
  [2, 0, 0],
  [1, 2, 1],
];
const [STEPS, CLASSES] = [4, 3];

/** −ln P of each sequence, in float64. */
export const ctcReference = (logits: Float64Array, inputLengths = LABELS.map(() => STEPS)): Float64Array =>
  Float64Array.from(LABELS, (label, i) => {
    const rows = Array.from({ length: inputLengths[i]! }, (_, t) => {
      const from = (i * STEPS + t) * CLASSES;
      return logSoftmax(logits.subarray(from, from + CLASSES));
    });
    return ctcByPaths(
      rows,
      label.filter((k) => k !== 0),
      0,
    );
  });

export const ctcLogits = { shape: [LABELS.length, STEPS, CLASSES], low: -3, high: 3 };
export const ctcLabels = () => tensor(LABELS.flat(), { shape: [3, 3], dtype: 'i32', name: 'labels' });

export const ctcCases: GradientCase[] = [
  {
    of: 'ctcLoss',
    variant: 'whole sequences',
    arguments: [ctcLogits],
    run: (x) => ops.ctcLoss(x, ctcLabels()),
    reference: (x) => ctcReference(x),
  },
  {
    of: 'ctcLoss',
    variant: 'sequences of unequal length',
    arguments: [ctcLogits],
    run: (x) => ops.ctcLoss(x, ctcLabels(), { inputLengths: [4, 1, 3] }),
    reference: (x) => ctcReference(x, [4, 1, 3]),
  },
];
