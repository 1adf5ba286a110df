import type { Shape } from '../../../src/autograd/tensor.ts';
import * as ops from '../../../src/ops/index.ts';
import { type Argument, byRow, type GradientCase, SEQUENCE } from './case.ts';

function cases(): GradientCase[] {
  const widths = [2, 1, 4];
  const parts = widths.map((width): Argument => ({ shape: [3, 2, width] }));
  return [
    {
      of: 'concatenate',
      variant: 'three parts',
      arguments: parts,
      run: (...inputs) => ops.concatenate(inputs),
      reference: (...inputs) =>
        Float64Array.from(
          Array.from({ length: 6 }, (_, row) =>
            inputs.flatMap((x, i) => Array.from(x.subarray(row * widths[i]!, (row + 1) * widths[i]!))),
          ).flat(),
        ),
    },
    {
      of: 'concatenate',
      variant: 'a tensor with itself',
      arguments: [{ shape: [4, 3] }],
      run: (x) => ops.concatenate([x, x]),
      reference: (x) => byRow(x, 3, (row) => [...row, ...row]),
    },
    ...([[3, 4, 2] as const, [3, 1, 2] as const, [1, 4, 2] as const] satisfies Shape[]).map(
      ([batch, time, width]): GradientCase => ({
        of: 'lastStep',
        variant: `[${[batch, time, width]}]`,
        arguments: [{ shape: [batch, time, width] }],
        run: ops.lastStep,
        reference: (x) => byRow(x, time * width, (row) => row.subarray((time - 1) * width)),
      }),
    ),
    {
      of: 'reshape',
      variant: 'with −1',
      arguments: [{ shape: SEQUENCE }],
      run: (x) => ops.reshape(x, [5, -1]),
      reference: (x) => x,
    },
    {
      of: 'reshape',
      variant: 'to and from, exchanged between',
      arguments: [{ shape: SEQUENCE }],
      run: (x) => ops.reshape(ops.swapTimeBatch(ops.reshape(x, [6, 5])), [30]),
      reference: (x) => Float64Array.from({ length: 30 }, (_, at) => x[(at % 6) * 5 + Math.floor(at / 6)]!),
    },
    {
      of: 'swapTimeBatch',
      variant: 'three axes',
      arguments: [{ shape: SEQUENCE }],
      run: ops.swapTimeBatch,
      reference: (x) =>
        Float64Array.from({ length: 30 }, (_, at) => {
          const [t, b, i] = [Math.floor(at / 15), Math.floor(at / 5) % 3, at % 5];
          return x[(b * 2 + t) * 5 + i]!;
        }),
    },
    {
      of: 'swapTimeBatch',
      variant: 'twice',
      arguments: [{ shape: SEQUENCE }],
      run: (x) => ops.swapTimeBatch(ops.swapTimeBatch(x)),
      reference: (x) => x,
    },
  ];
}

export const layoutCases = cases().map((c): GradientCase => ({ ...c, moves: true }));
