// The same weights and inputs for every engine and language.
import { uniform } from '../../src/bench/models/numbers.ts';

/** A weight in Keras's layout. `uniform` makes its numbers. */
export interface WeightSpec {
  shape: number[];
  seed: number;
  scale: number;
}

export const sizeOf = (shape: readonly number[]): number => shape.reduce((product, n) => product * n, 1);

export const weightValues = ({ shape, seed, scale }: WeightSpec): Float32Array<ArrayBuffer> =>
  uniform(seed, sizeOf(shape), scale);

type Numbers = Float32Array<ArrayBuffer> | Int32Array<ArrayBuffer>;

/** Converts `[a, b, width]` to `[b, a, width]`. */
export function swapAxes<N extends Numbers>(values: N, a: number, b: number, width = 1): N {
  const swapped = values.slice() as N;
  for (let i = 0; i < a; i++) {
    for (let j = 0; j < b; j++) {
      const from = (i * b + j) * width;
      swapped.set(values.subarray(from, from + width), (j * a + i) * width);
    }
  }
  return swapped;
}

/** One-hot rows of ids. */
export function oneHot(ids: Int32Array, classes: number): Float32Array<ArrayBuffer> {
  const rows = new Float32Array(ids.length * classes);
  ids.forEach((id, i) => {
    rows[i * classes + id] = 1;
  });
  return rows;
}
