import { floatsOf, type Weight } from '../../autograd/parameter.ts';
import type { Tensor } from '../../autograd/tensor.ts';
import { ArgumentError } from '../../checks/argument-error.ts';
import { checkOptions } from '../../checks/options.ts';
import { formatShape } from '../../checks/shape.ts';
import { broadcastTo } from '../shapes/broadcast.ts';
import { transpose } from '../shapes/layout.ts';
import { type BatchMatmulOptions, batchMatmul } from './batch-matmul.ts';
import { linear } from './linear.ts';

/** `x` with the last two axes exchanged. */
function transposed(x: Tensor): Tensor {
  const axes = [...x.shape.keys()];
  return transpose(x, [...axes.slice(0, -2), ...axes.slice(-2).reverse()]);
}

/**
 * Multiplies matrices, or each matrix of two batches: C = A·B
 *
 * @param a `[…, M, K]` f32.
 * @param b `[…, K, N]` f32. Leading axes are broadcast as in `add`, so that a `[K, N]` multiplies every matrix of a.
 * @param options.transposeA takes aᵀ, so that a is `[…, K, M]`; default false.
 * @param options.transposeB takes bᵀ, so that b is `[…, N, K]`; default false.
 * @returns `[…, M, N]`.
 * @throws ArgumentError if `a` or `b` is not an f32 tensor or has fewer than two axes, an option is unknown, or the
 *   leading axes or the inner lengths do not fit.
 * @see numpy.matmul, tf.matMul
 */
export function matmul(a: Weight, b: Weight, options: BatchMatmulOptions = {}): Tensor {
  const names = { transposeA: 1, transposeB: 1 };
  const { transposeA = false, transposeB = false } = checkOptions('matmul', options, names);
  const [left, right] = [floatsOf(a, 'matmul: a'), floatsOf(b, 'matmul: b')];
  for (const [name, x] of Object.entries({ a: left, b: right })) {
    if (x.shape.length >= 2) continue;
    throw new ArgumentError(`matmul: ${name} expected two axes or more, got ${formatShape(x.shape)}`);
  }
  const matrices = [left.shape.slice(-2), right.shape.slice(-2)] as [number[], number[]];
  const [k, inner] = [matrices[0].at(transposeA ? 0 : 1)!, matrices[1].at(transposeB ? 1 : 0)!];
  if (k !== inner) {
    const expected = transposeB ? `[…, N, ${k}]` : `[…, ${k}, N]`;
    throw new ArgumentError(
      `matmul: b expected ${expected} for a ${formatShape(left.shape)}, got ${formatShape(right.shape)}`,
    );
  }
  // If one matrix multiplies all rows, they are one product.
  if (right.shape.length === 2 && !(transposeA && left.shape.length > 2)) {
    return linear(transposeA ? transposed(left) : left, transposeB ? transposed(right) : right);
  }
  const leading = leadingAxes(left, right);
  const [batchA, batchB] = [left, right].map((x, i) => broadcastTo(x, [...leading, ...matrices[i]!])) as [
    Tensor,
    Tensor,
  ];
  return batchMatmul(batchA, batchB, { transposeA, transposeB });
}

/** The leading axes of the result. Throws `ArgumentError` if those of a and b do not broadcast. */
function leadingAxes(a: Tensor, b: Tensor): number[] {
  const rank = Math.max(a.shape.length, b.shape.length) - 2;
  return Array.from({ length: rank }, (_, axis) => {
    const [n, m] = [a, b].map(({ shape }) => shape.slice(0, -2)[axis - rank + shape.length - 2] ?? 1) as [
      number,
      number,
    ];
    if (n !== m && n !== 1 && m !== 1) {
      throw new ArgumentError(
        `matmul: leading axes expected to match from the last on, or be 1, got ${formatShape(a.shape)} and ${formatShape(b.shape)}`,
      );
    }
    return n === 1 ? m : n;
  });
}
