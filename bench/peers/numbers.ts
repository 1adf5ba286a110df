// The same weights and inputs for every engine and language. Each number is a hash of its index.

/** A weight in Keras's layout. `uniform` makes its numbers. */
export interface WeightSpec {
  shape: number[];
  seed: number;
  scale: number;
}

// The finalizer of MurmurHash3. engines/torch_engine.py has the same function.
function hash(seed: number, index: number): number {
  let h = (Math.imul(seed, 0x9e3779b9) + index) | 0;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

/** `count` numbers in [−scale, scale). */
export const uniform = (seed: number, count: number, scale: number): Float32Array<ArrayBuffer> =>
  Float32Array.from({ length: count }, (_, i) => ((hash(seed, i) >>> 8) / 2 ** 23 - 1) * scale);

/** `count` integers in [0, limit). */
export const integers = (seed: number, count: number, limit: number): Int32Array<ArrayBuffer> =>
  Int32Array.from({ length: count }, (_, i) => (hash(seed, i) >>> 8) % limit);

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
