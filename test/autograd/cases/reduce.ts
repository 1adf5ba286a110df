import * as ops from '../../../src/ops/index.ts';
import { type GradientCase, SEQUENCE, total } from './case.ts';

export const reduceCases: GradientCase[] = [
  {
    of: 'sum',
    variant: 'three axes',
    arguments: [{ shape: SEQUENCE }],
    run: ops.sum,
    reference: (x) => Float64Array.of(total(x)),
  },
  {
    of: 'mean',
    variant: 'three axes',
    arguments: [{ shape: SEQUENCE }],
    run: ops.mean,
    reference: (x) => Float64Array.of(total(x) / x.length),
  },
];
