// Inputs that depend only on a seed.

/** `count` values uniform in [−scale, scale), as float32: a Weyl sequence through MurmurHash3's finalizer. */
export function values(count: number, seed: number, scale = 1): Float32Array {
  const all = new Float32Array(count);
  for (let i = 0; i < count; i++) {
    let h = Math.imul(i + 1, 0x9e3779b9) + Math.imul(seed, 0x85ebca6b);
    h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
    h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
    all[i] = (((h ^ (h >>> 16)) >>> 8) / 2 ** 23 - 1) * scale;
  }
  return all;
}

/** `count` integers in [0, limit). */
export function integers(count: number, limit: number, seed: number): Int32Array {
  return Int32Array.from(values(count, seed), (v) => Math.floor(((v + 1) / 2) * limit));
}

/** Element counts with every tail, around the widths that kernels work in. */
export const counts = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 15, 16, 17, 18, 31, 32, 35, 67, 130];

/** Rows and columns, [rows, cols]: empty, single, every tail. */
export const shapes: [rows: number, cols: number][] = [
  [0, 5],
  [3, 0],
  [1, 1],
  [2, 1],
  [1, 2],
  [3, 3],
  [2, 4],
  [3, 5],
  [5, 7],
  [4, 8],
  [2, 17],
  [3, 22],
  [7, 35],
];
