import * as ops from '../../../src/ops/index.ts';
import { type GradientCase, ids } from './case.ts';

export function embeddingCases(): GradientCase[] {
  // More rows than the table has, so that ids repeat.
  const { tensor: make, at } = ids([3, 4], 5);
  return [false, true].map((timeMajor) => ({
    of: 'embed',
    variant: timeMajor ? 'time-major ids' : 'ids that repeat',
    arguments: [{ shape: [5, 3] }],
    run: (table) =>
      timeMajor ? ops.swapTimeBatch(ops.embed(ops.swapTimeBatch(make()), table)) : ops.embed(make(), table),
    reference: (table) =>
      Float64Array.from(Array.from(at).flatMap((id) => Array.from(table.slice(id * 3, id * 3 + 3)))),
  }));
}
