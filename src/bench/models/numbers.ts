// Numbers that are the same on every host and in every language: each is a hash of its index.

// The finalizer of MurmurHash3. bench/peers/engines/torch_engine.py has the same function.
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
