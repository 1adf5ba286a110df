// Small dense matrices in float64, row-major in a `Float64Array`. Sizes stand in the arguments.
import { ln } from '../engine/float64.ts';

export type Matrix = Float64Array;

export function identity(n: number, scale = 1): Matrix {
  const y = new Float64Array(n * n);
  for (let i = 0; i < n; i++) y[i * n + i] = scale;
  return y;
}

/** A `[r, k]` · B `[k, c]` */
export function product(a: Matrix, b: Matrix, r: number, k: number, c: number): Matrix {
  const y = new Float64Array(r * c);
  for (let i = 0; i < r; i++) {
    for (let l = 0; l < k; l++) {
      const factor = a[i * k + l]!;
      if (factor === 0) continue;
      for (let j = 0; j < c; j++) y[i * c + j]! += factor * b[l * c + j]!;
    }
  }
  return y;
}

/** A `[r, k]` · Bᵀ, where B is `[c, k]` */
export function productOfTransposed(a: Matrix, b: Matrix, r: number, k: number, c: number): Matrix {
  const y = new Float64Array(r * c);
  for (let i = 0; i < r; i++) {
    for (let j = 0; j < c; j++) {
      let sum = 0;
      for (let l = 0; l < k; l++) sum += a[i * k + l]! * b[j * k + l]!;
      y[i * c + j] = sum;
    }
  }
  return y;
}

/** Aᵀ · B, where A is `[k, r]` and B is `[k, c]` */
export function transposedProduct(a: Matrix, b: Matrix, r: number, k: number, c: number): Matrix {
  const y = new Float64Array(r * c);
  for (let l = 0; l < k; l++) {
    for (let i = 0; i < r; i++) {
      const factor = a[l * r + i]!;
      if (factor === 0) continue;
      for (let j = 0; j < c; j++) y[i * c + j]! += factor * b[l * c + j]!;
    }
  }
  return y;
}

/** A `[n, n]` · S · Aᵀ for a symmetric S `[k, k]` and A `[n, k]`. The result is symmetric to the last bit. */
export function congruence(a: Matrix, s: Matrix, n: number, k = n): Matrix {
  return symmetrize(productOfTransposed(product(a, s, n, k, k), a, n, k, n), n);
}

/** Aᵀ · S · A for a symmetric S `[n, n]` and A `[n, k]`. The result is symmetric to the last bit. */
export function transposedCongruence(a: Matrix, s: Matrix, n: number, k = n): Matrix {
  return symmetrize(transposedProduct(a, product(s, a, n, n, k), k, n, k), k);
}

/** Adds `scale` · B to A, in place. */
export function addTo(a: Matrix, b: Matrix, scale = 1): Matrix {
  for (let i = 0; i < a.length; i++) a[i]! += scale * b[i]!;
  return a;
}

/** Adds `scale` · x yᵀ to A, in place. */
export function addOuter(a: Matrix, x: Matrix, y: Matrix, scale = 1): Matrix {
  const c = y.length;
  for (let i = 0; i < x.length; i++) {
    const factor = scale * x[i]!;
    if (factor === 0) continue;
    for (let j = 0; j < c; j++) a[i * c + j]! += factor * y[j]!;
  }
  return a;
}

/** (A + Aᵀ) / 2, in place. */
export function symmetrize(a: Matrix, n: number): Matrix {
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < i; j++) a[i * n + j] = a[j * n + i] = (a[i * n + j]! + a[j * n + i]!) / 2;
  }
  return a;
}

/**
 * The lower Cholesky factor L of a symmetric matrix: A = L Lᵀ. Undefined if A is not positive definite. A pivot that is
 * 1e-14 of its diagonal element or less counts as 0.
 */
export function cholesky(a: Matrix, n: number): Matrix | undefined {
  const l = new Float64Array(n * n);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j <= i; j++) {
      let sum = a[i * n + j]!;
      for (let k = 0; k < j; k++) sum -= l[i * n + k]! * l[j * n + k]!;
      if (i !== j) l[i * n + j] = sum / l[j * n + j]!;
      else if (sum > 1e-14 * a[i * n + i]!) l[i * n + i] = Math.sqrt(sum);
      else return undefined;
    }
  }
  return l;
}

/**
 * A lower factor L with A = L Lᵀ for a positive semidefinite matrix; columns of pivots that are 0 are 0. Undefined if A
 * has a negative eigenvalue beyond rounding.
 */
export function semidefiniteFactor(a: Matrix, n: number): Matrix | undefined {
  const l = new Float64Array(n * n);
  let scale = 0;
  for (let i = 0; i < n; i++) scale = Math.max(scale, Math.abs(a[i * n + i]!));
  const tiny = 1e-10 * scale;
  for (let j = 0; j < n; j++) {
    let pivot = a[j * n + j]!;
    for (let k = 0; k < j; k++) pivot -= l[j * n + k]! ** 2;
    if (!(pivot >= -tiny)) return undefined;
    const root = pivot > 1e-14 * scale ? Math.sqrt(pivot) : 0;
    l[j * n + j] = root;
    for (let i = j + 1; i < n; i++) {
      let sum = a[i * n + j]!;
      for (let k = 0; k < j; k++) sum -= l[i * n + k]! * l[j * n + k]!;
      if (root > 0) l[i * n + j] = sum / root;
      else if (Math.abs(sum) > 1e-6 * scale) return undefined;
    }
  }
  return l;
}

/** ln |A| from its Cholesky factor. */
export function logDeterminant(factor: Matrix, n: number): number {
  let sum = 0;
  for (let i = 0; i < n; i++) sum += ln(factor[i * n + i]!);
  return 2 * sum;
}

/** L⁻¹ b, in place. */
export function solveLower(factor: Matrix, b: Matrix, n: number): Matrix {
  for (let i = 0; i < n; i++) {
    let sum = b[i]!;
    for (let k = 0; k < i; k++) sum -= factor[i * n + k]! * b[k]!;
    b[i] = sum / factor[i * n + i]!;
  }
  return b;
}

/** A⁻¹ from the Cholesky factor of A. */
export function inverseOf(factor: Matrix, n: number): Matrix {
  // The rows of `inverse` become those of L⁻ᵀ, so A⁻¹ = L⁻ᵀ L⁻¹.
  const inverse = new Float64Array(n * n);
  for (let i = 0; i < n; i++) {
    const column = new Float64Array(n);
    column[i] = 1;
    inverse.set(solveLower(factor, column, n), i * n);
  }
  return productOfTransposed(inverse, inverse, n, n, n);
}

/** The rows and columns in `at` of a square matrix. */
export function submatrix(a: Matrix, n: number, rows: readonly number[], columns = rows): Matrix {
  const y = new Float64Array(rows.length * columns.length);
  rows.forEach((row, i) => columns.forEach((column, j) => (y[i * columns.length + j] = a[row * n + column]!)));
  return y;
}

/** The rows in `at` of A `[…, width]`. */
export function rowsOf(a: Matrix, width: number, at: readonly number[]): Matrix {
  const y = new Float64Array(at.length * width);
  at.forEach((row, i) => y.set(a.subarray(row * width, (row + 1) * width), i * width));
  return y;
}

/**
 * The covariance P of the stationary state: P = A P Aᵀ + Q, by doubling. Undefined if A has an eigenvalue of modulus 1
 * or more.
 */
export function stationaryCovariance(a: Matrix, q: Matrix, n: number): Matrix | undefined {
  let power: Matrix = a;
  let sum: Matrix = q;
  // 2⁶⁰ terms: more would change nothing, because an eigenvalue below 1 − 1e-16 is 0 to such a power.
  for (let i = 0; i < 60; i++) {
    const next = addTo(congruence(power, sum, n), sum);
    if (!next.every(Number.isFinite)) return undefined;
    power = product(power, power, n, n, n);
    const isDone = power.every((x) => Math.abs(x) < 1e-20);
    sum = next;
    if (isDone) return sum;
  }
  return undefined;
}

/** Aᵀ of a square matrix. */
export function transposed(a: Matrix, n: number): Matrix {
  return a.map((_, i) => a[(i % n) * n + Math.floor(i / n)]!);
}
