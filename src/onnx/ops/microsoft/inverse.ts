import { record } from '../../../autograd/tape.ts';
import { empty, type Tensor } from '../../../autograd/tensor.ts';
import { ArgumentError } from '../../../checks/argument-error.ts';

/** Y = X⁻¹ of matrices `[…, N, N]`, in float64. dX = −Yᵀ·dY·Yᵀ. */
export function inverse(x: Tensor): Tensor {
  const { engine } = x;
  const n = x.shape.at(-1)!;
  const y = empty(x.shape, { name: 'inverse', engine });
  const from = x.toArray();
  const to = y.dataView();
  for (let at = 0; at < to.length; at += n * n) to.set(invert(Float64Array.from(from.subarray(at, at + n * n)), n), at);
  record([x], [y], (tape) => {
    const dy = tape.gradientOf(y);
    const dx = tape.intoZeroed(x);
    if (!dx) return;
    const [sums, given, ys] = [engine.f32(dx, x.size), engine.f32(dy, y.size), y.dataView()];
    const half = new Float64Array(n * n);
    for (let at = 0; at < sums.length; at += n * n) {
      // half = dY·Yᵀ, then dX = −Yᵀ·half
      each(
        n,
        (i, j, k) =>
          (half[i * n + j] = (k === 0 ? 0 : half[i * n + j]!) + given[at + i * n + k]! * ys[at + j * n + k]!),
      );
      each(n, (i, j, k) => (sums[at + i * n + j]! -= ys[at + k * n + i]! * half[k * n + j]!));
    }
  });
  return y;
}

function each(n: number, body: (i: number, j: number, k: number) => void): void {
  for (let i = 0; i < n; i++) for (let j = 0; j < n; j++) for (let k = 0; k < n; k++) body(i, j, k);
}

/** Gauss–Jordan elimination with the largest pivot of each column. */
function invert(a: Float64Array, n: number): Float64Array {
  const b = new Float64Array(n * n);
  for (let i = 0; i < n; i++) b[i * n + i] = 1;
  const swap = (m: Float64Array, i: number, j: number): void => {
    const row = m.slice(i * n, (i + 1) * n);
    m.copyWithin(i * n, j * n, (j + 1) * n);
    m.set(row, j * n);
  };
  for (let column = 0; column < n; column++) {
    let pivot = column;
    for (let row = column + 1; row < n; row++)
      if (Math.abs(a[row * n + column]!) > Math.abs(a[pivot * n + column]!)) pivot = row;
    const size = a[pivot * n + column]!;
    if (size === 0) throw new ArgumentError('expected matrices that have an inverse, got a singular one');
    for (const m of [a, b]) {
      if (pivot !== column) swap(m, pivot, column);
      for (let j = 0; j < n; j++) m[column * n + j]! /= size;
    }
    for (let row = 0; row < n; row++) {
      const factor = a[row * n + column]!;
      if (row === column || factor === 0) continue;
      for (const m of [a, b]) for (let j = 0; j < n; j++) m[row * n + j]! -= factor * m[column * n + j]!;
    }
  }
  return b;
}
