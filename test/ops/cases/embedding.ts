import type { Shape } from '../../../src/checks/shape.ts';
import * as ops from '../../../src/ops/index.ts';
import { build, type GradientCase, ids, pick } from './case.ts';

export function embeddingCases(): GradientCase[] {
  // More rows than the table has, so that ids repeat.
  const { tensor: make, at } = ids([3, 4], 5);
  const embedded = [false, true].map(
    (timeMajor): GradientCase => ({
      of: 'embed',
      variant: timeMajor ? 'time-major ids' : 'ids that repeat',
      arguments: [{ shape: [5, 3] }],
      run: (table) =>
        timeMajor ? ops.swapTimeBatch(ops.embed(ops.swapTimeBatch(make()), table)) : ops.embed(make(), table),
      reference: (table) =>
        Float64Array.from(Array.from(at).flatMap((id) => Array.from(table.slice(id * 3, id * 3 + 3)))),
    }),
  );
  const gathered = ([[5, 3], [5], [5, 2, 3]] satisfies Shape[]).map((shape): GradientCase => {
    const rest = shape.slice(1);
    return {
      of: 'gather',
      variant: `rows of [${shape}]`,
      arguments: [{ shape }],
      moves: true,
      run: (x) => ops.gather(x, make()),
      shape: [3, 4, ...rest],
      reference: (x) => build([3, 4, ...rest], ([i, j, ...index]) => pick(x, shape, [at[i! * 4 + j!]!, ...index])),
    };
  });
  return [...embedded, ...gathered];
}
