import * as ops from '../../../src/ops/index.ts';
import { type GradientCase, SEQUENCE } from './case.ts';

/** x [rows, n] · w [n, units] + b */
function affine(x: Float64Array, w: Float64Array, b: Float64Array | undefined, units: number): Float64Array {
  const inputs = w.length / units;
  return Float64Array.from({ length: (x.length / inputs) * units }, (_, at) => {
    const [row, column] = [Math.floor(at / units), at % units];
    let sum = b?.[column] ?? 0;
    for (let i = 0; i < inputs; i++) sum += x[row * inputs + i]! * w[i * units + column]!;
    return sum;
  });
}

export function productCases(): GradientCase[] {
  return [
    ...[SEQUENCE, [4, 5], [5]].map(
      (shape): GradientCase => ({
        of: 'linear',
        variant: `x [${shape}] with bias`,
        arguments: [{ shape }, { shape: [5, 3] }, { shape: [3] }],
        run: (x, w, b) => ops.linear(x, w, b),
        reference: (x, w, b) => affine(x, w, b, 3),
      }),
    ),
    {
      of: 'linear',
      variant: 'without bias',
      arguments: [{ shape: SEQUENCE }, { shape: [5, 9] }],
      run: (x, w) => ops.linear(x, w),
      reference: (x, w) => affine(x, w, undefined, 9),
    },
    {
      of: 'matmul',
      variant: '[4, 3]·[3, 6]',
      arguments: [{ shape: [4, 3] }, { shape: [3, 6] }],
      run: ops.matmul,
      reference: (a, b) => affine(a, b, undefined, 6),
    },
    {
      of: 'matmul',
      variant: 'a matrix with itself',
      arguments: [{ shape: [3, 3] }],
      run: (a) => ops.matmul(a, a),
      reference: (a) => affine(a, a, undefined, 3),
    },
  ];
}
