import * as ops from '../../../src/ops/index.ts';
import { build, type GradientCase, pick, SEQUENCE } from './case.ts';

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

/** Leading axes of a and of b, and of their products. */
type Leading = readonly [a: number[], b: number[], y: number[]];

/** Every choice of transposed operands, `[…, 3, 4]` · `[…, 4, 2]`. */
const transposedCases = (of: string, product: typeof ops.batchMatmul, [leadingA, leadingB, leading]: Leading) =>
  [0, 1, 2, 3].map((choice): GradientCase => {
    const [transposeA, transposeB] = [choice % 2 === 1, choice > 1];
    const [a, b] = [
      [...leadingA, ...(transposeA ? [4, 3] : [3, 4])],
      [...leadingB, ...(transposeB ? [2, 4] : [4, 2])],
    ];
    const shape = [...leading, 3, 2];
    const own = (x: number[], index: number[], last: number[]): number[] => [
      ...x.slice(0, -2).map((n, axis) => (n === 1 ? 0 : index[axis + shape.length - x.length]!)),
      ...last,
    ];
    return {
      of,
      variant: `[${a}]${transposeA ? 'ᵀ' : ''}·[${b}]${transposeB ? 'ᵀ' : ''}`,
      arguments: [{ shape: a }, { shape: b }],
      run: (left, right) => product(left, right, { transposeA, transposeB }),
      shape,
      reference: (left, right) =>
        build(shape, (index) => {
          const [i, j] = index.slice(-2) as [number, number];
          let sum = 0;
          for (let k = 0; k < 4; k++) {
            const [at, to] = [transposeA ? [k, i] : [i, k], transposeB ? [j, k] : [k, j]];
            sum += pick(left, a, own(a, index, at)) * pick(right, b, own(b, index, to));
          }
          return sum;
        }),
    };
  });

const batchCases = [[2], [2, 3], [1], [0]].flatMap((leading) =>
  transposedCases('batchMatmul', ops.batchMatmul, [leading, leading, leading]),
);

const LEADING: Leading[] = [
  [[], [], []],
  [[2], [2], [2]],
  [[2, 3], [], [2, 3]],
  [[], [2], [2]],
  [[2, 1], [3], [2, 3]],
];

const matmulCases = LEADING.flatMap((leading) => transposedCases('matmul', ops.matmul, leading));

export function productCases(): GradientCase[] {
  return [
    ...batchCases,
    ...matmulCases,
    {
      of: 'batchMatmul',
      variant: 'a batch with its own transpose',
      arguments: [{ shape: SEQUENCE }],
      run: (x) => ops.batchMatmul(x, x, { transposeB: true }),
      shape: [3, 2, 2],
      reference: (x) =>
        build([3, 2, 2], ([b, i, j]) => {
          let sum = 0;
          for (let k = 0; k < 5; k++) sum += pick(x, SEQUENCE, [b!, i!, k]) * pick(x, SEQUENCE, [b!, j!, k]);
          return sum;
        }),
    },
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
      run: (a, b) => ops.matmul(a, b),
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
