/**
 * The float64 arithmetic of the reference cells: one row of the batch at a time, in plain loops.
 *
 * A gate's weights are a block of H neighbouring columns in a matrix of G·H columns, so every product here names its
 * gate: gate g of `matrix` [rows, G·H] is columns g·H … (g+1)·H − 1. The row length follows from the vector it is
 * multiplied with: matrix.length / x.length.
 */

/** x · matrix[:, gate]: [n] times gate `gate` of [n, G·H] → [H]. */
export function project(x: Float64Array, matrix: Float64Array, gate: number, units: number): Float64Array {
  const rowLength = matrix.length / x.length;
  const out = new Float64Array(units);
  for (let i = 0; i < x.length; i++) {
    for (let j = 0; j < units; j++) out[j] += x[i] * matrix[i * rowLength + gate * units + j];
  }
  return out;
}

/** The gradient of `project`: adds x ⊗ dOut to dMatrix[:, gate] and dOut · matrix[:, gate]ᵀ to dx. */
export function projectBackward(
  dOut: Float64Array,
  gate: number,
  { x, matrix, dx, dMatrix }: { x: Float64Array; matrix: Float64Array; dx: Float64Array; dMatrix: Float64Array },
): void {
  const units = dOut.length;
  const rowLength = matrix.length / x.length;
  for (let i = 0; i < x.length; i++) {
    for (let j = 0; j < units; j++) {
      const at = i * rowLength + gate * units + j;
      dMatrix[at] += x[i] * dOut[j];
      dx[i] += matrix[at] * dOut[j];
    }
  }
}

/** Element by element: out[j] = f(j), for j = 0 … length − 1. */
export function generate(length: number, f: (j: number) => number): Float64Array {
  const out = new Float64Array(length);
  for (let j = 0; j < length; j++) out[j] = f(j);
  return out;
}

/** target += source, element by element, from `offset` of the target on. */
export function addInto(target: Float64Array, source: Float64Array, offset = 0): void {
  for (let j = 0; j < source.length; j++) target[offset + j] += source[j];
}

export const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));
