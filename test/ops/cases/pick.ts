import * as ops from '../../../src/ops/index.ts';
import { byRow, exchanged, type GradientCase, ids, SEQUENCE } from './case.ts';

const { tensor: columns, at } = ids([3, 2], 5);

export const pickCases: GradientCase[] = [false, true].map((timeMajor) => ({
  of: 'pickRows',
  variant: timeMajor ? 'time-major ids' : 'row-major ids',
  arguments: [{ shape: SEQUENCE }],
  run: (x) => ops.pickRows(x, timeMajor ? exchanged(columns()) : columns()),
  reference: (x) => byRow(x, 5, (row, i) => [row[at[i]!]!]),
}));
