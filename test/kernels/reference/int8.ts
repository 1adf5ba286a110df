// Products with int8 weights as assembly/gemm/int8.ts defines them: integers exact in float64, every float operation
// rounded to float32.

export interface Int8Product {
  /** C `[m, n]`. */
  values: Float32Array;
  /** How far each element may be from the product that is not quantised. */
  bounds: Float64Array;
}

const round = Math.fround;
const TINY = 2 ** -110;

/** To the nearest integer, ties to even. */
function nearest(x: number): number {
  const below = Math.floor(x);
  const rest = x - below;
  return rest > 0.5 || (rest === 0.5 && below % 2 !== 0) ? below + 1 : below;
}

function scaleOf(values: readonly number[], limit: number): number {
  const largest = values.reduce((most, x) => (Number.isFinite(x) ? Math.max(most, Math.abs(x)) : Number.NaN), 0);
  return largest < TINY ? 0 : round(largest / limit);
}

/** init + A·B for A `[m, k]`, B `[k, n]` and init `[m, n]`, all dense. */
export function int8Product(
  { m, n, k }: { m: number; n: number; k: number },
  a: Float32Array,
  b: Float32Array,
  init: Float32Array,
): Int8Product {
  const limit = Math.min(8191, Math.floor(Math.floor((2 ** 31 - 1) / 127) / Math.max(k, 1)));
  const columns = Array.from({ length: n }, (_, j) => {
    const column = Array.from({ length: k }, (_, p) => b[p * n + j]!);
    const scale = scaleOf(column, 127);
    return { scale, column, integers: column.map((x) => (scale > 0 ? nearest(round(x / scale)) : 0)) };
  });
  const values = new Float32Array(m * n);
  const bounds = new Float64Array(m * n);
  for (let i = 0; i < m; i++) {
    const row = [...a.subarray(i * k, (i + 1) * k)];
    const scale = scaleOf(row, limit);
    const inverse = scale > 0 ? round(limit / Math.max(...row.map(Math.abs))) : 0;
    const integers = row.map((x) => nearest(round(x * inverse)));
    for (const [j, column] of columns.entries()) {
      let sum = 0;
      let bound = 0;
      // What counts as zeros is as far off as it is large.
      const [stepA, stepB] = [Math.max(scale, 2 * TINY), Math.max(column.scale, 2 * TINY)];
      for (let p = 0; p < k; p++) {
        sum += integers[p]! * column.integers[p]!;
        bound += (Math.abs(row[p]!) * stepB + Math.abs(column.column[p]!) * stepA + (stepA * stepB) / 2) / 2;
      }
      const at = i * n + j;
      values[at] = round(init[at]! + round(round(round(sum) * scale) * column.scale));
      // Rounding of scales, of products by scales and of the sum with init adds less than a millionth of what is
      // summed.
      const exact = row.reduce((total, x, p) => total + Math.abs(x * column.column[p]!), Math.abs(init[at]!));
      bounds[at] = bound * 1.001 + 1e-6 * exact;
    }
  }
  return { values, bounds };
}
