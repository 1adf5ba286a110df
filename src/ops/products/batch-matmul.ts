import { floatsOf, type Weight } from '../../autograd/parameter.ts';
import { record } from '../../autograd/tape.ts';
import { empty, type Tensor } from '../../autograd/tensor.ts';
import { ArgumentError } from '../../checks/argument-error.ts';
import { checkOptions } from '../../checks/options.ts';
import { formatShape, sameShape, sizeOf } from '../../checks/shape.ts';
import { Init, type Ptr } from '../../engine/abi.ts';
import type { Engine } from '../../engine/engine.ts';
import { inOrder } from '../shapes/layout.ts';
import { PRODUCT_GRAIN } from './product.ts';

export interface BatchMatmulOptions {
  /** Takes aᵀ, so that a is `[…, K, M]`. Default false. */
  transposeA?: boolean | undefined;
  /** Takes bᵀ, so that b is `[…, N, K]`. Default false. */
  transposeB?: boolean | undefined;
}

/**
 * Matrices by address and strides in elements: `batch` from one matrix to the next, `row` from row to row, `column`
 * from column to column.
 */
interface Matrices {
  at: Ptr;
  batch: number;
  row: number;
  column: number;
}

const transposed = ({ at, batch, row, column }: Matrices): Matrices => ({ at, batch, row: column, column: row });

/** The matrices at `at` in a buffer with the shape and the memory order of `x`. */
function matricesOf(x: Tensor, at: Ptr): Matrices {
  const [rows, columns] = x.shape.slice(-2) as [number, number];
  return x.timeMajor
    ? { at, batch: columns, row: x.shape[0]! * columns, column: 1 }
    : { at, batch: rows * columns, row: columns, column: 1 };
}

interface Sizes {
  count: number;
  m: number;
  n: number;
  k: number;
}

/** C ← init + A·B for each of `count` products of `[m, k]` and `[k, n]`. The columns of C are contiguous. */
function multiply(
  engine: Engine,
  { count, m, n, k }: Sizes,
  a: Matrices,
  b: Matrices,
  c: Matrices,
  init: number,
): void {
  const size = engine.kernels.gemm_packed_size(k, n);
  engine.scratch(() => {
    // One buffer for all products of a thread stays in its cache.
    const packed = engine.allocateScratch(Math.min(count, engine.threads) * size);
    engine.parallel(count, PRODUCT_GRAIN / Math.max(m * n * k, 1), ({ kernels, gemmScratch, index, from, to }) => {
      const own = packed + 4 * index * size;
      for (let i = from; i < to; i++) {
        kernels.gemm_pack_b(k, n, b.at + 4 * i * b.batch, b.row, b.column, own);
        const [left, at] = [a.at + 4 * i * a.batch, c.at + 4 * i * c.batch];
        kernels.gemm(m, n, k, left, a.row, a.column, own, at, c.row, init, 0, gemmScratch);
      }
    });
  });
}

/**
 * Multiplies each matrix of two batches: C = A·B, `[…, M, K]` · `[…, K, N]` → `[…, M, N]`
 *
 * @param left a `[…, M, K]` f32, with three axes or more.
 * @param right b `[…, K, N]` f32, with the leading axes of a.
 * @param options.transposeA takes aᵀ, so that a is `[…, K, M]`; default false.
 * @param options.transposeB takes bᵀ, so that b is `[…, N, K]`; default false.
 * @returns `[…, M, N]`: in the memory order of a if there are three axes and a is not transposed, else row-major.
 * @throws ArgumentError if an operand is not an f32 tensor, a has fewer than three axes, an option is unknown, or the
 *   leading axes or the inner lengths differ.
 * @see torch.bmm
 */
export function batchMatmul(left: Weight, right: Tensor, options: BatchMatmulOptions = {}): Tensor {
  const names = { transposeA: true, transposeB: true };
  const { transposeA = false, transposeB = false } = checkOptions('batchMatmul', options, names);
  left = floatsOf(left, 'batchMatmul: a');
  right = floatsOf(right, 'batchMatmul: b');
  const rank = left.shape.length;
  if (rank < 3) throw new ArgumentError(`batchMatmul: a expected three axes or more, got ${formatShape(left.shape)}`);
  const leading = left.shape.slice(0, -2);
  const sizes = (x: Tensor, turned: boolean): number[] => (turned ? x.shape.slice(-2).reverse() : x.shape.slice(-2));
  const [m, k] = sizes(left, transposeA) as [number, number];
  const [inner, n] = sizes(right, transposeB) as [number, number];
  if (!sameShape(right.shape.slice(0, -2), leading) || right.shape.length !== rank || inner !== k) {
    const expected = transposeB ? `N, ${k}` : `${k}, N`;
    throw new ArgumentError(
      `batchMatmul: b expected [${[...leading, expected].join(', ')}] for a ${formatShape(left.shape)}, got ${formatShape(right.shape)}`,
    );
  }
  // Kernels read matrices by strides, so both memory orders of three axes work.
  const [a, b] = [left, right].map((x) => (rank === 3 ? x : inOrder(x, false))) as [Tensor, Tensor];
  const { engine } = a;
  const count = sizeOf(leading);
  const y = empty([...leading, m, n], { name: 'batchMatmul', timeMajor: a.timeMajor && !transposeA, engine });
  const turnedIf = (turned: boolean, x: Matrices): Matrices => (turned ? transposed(x) : x);
  const [matricesA, matricesB] = [
    turnedIf(transposeA, matricesOf(a, a.ptr)),
    turnedIf(transposeB, matricesOf(b, b.ptr)),
  ];
  multiply(engine, { count, m, n, k }, matricesA, matricesB, matricesOf(y, y.ptr), Init.Zero);
  record([a, b], [y], (tape) => {
    const dy = matricesOf(y, tape.gradientOf(y));
    const dA = tape.into(a);
    if (dA) {
      const at = matricesOf(a, dA.ptr);
      // dA = dC·Bᵀ, and its transpose where a is transposed.
      if (transposeA) multiply(engine, { count, m: k, n: m, k: n }, matricesB, transposed(dy), at, dA.accumulate);
      else multiply(engine, { count, m, n: k, k: n }, dy, transposed(matricesB), at, dA.accumulate);
    }
    const dB = tape.into(b);
    if (dB) {
      const at = matricesOf(b, dB.ptr);
      // dB = Aᵀ·dC, and its transpose where b is transposed.
      if (transposeB) multiply(engine, { count, m: n, n: k, k: m }, transposed(dy), matricesA, at, dB.accumulate);
      else multiply(engine, { count, m: k, n, k: m }, transposed(matricesA), dy, at, dB.accumulate);
    }
  });
  return y;
}
