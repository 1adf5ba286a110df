const MASK = 0xffffffffn;

/** Philox4x32-10 of Salmon et al. (2011) as its paper writes it: four words of a 128-bit counter under a 64-bit key. */
export function philox(counter: number[], key: number[]): number[] {
  let [c0, c1, c2, c3] = counter.map((v) => BigInt(v >>> 0)) as [bigint, bigint, bigint, bigint];
  let [k0, k1] = key.map((v) => BigInt(v >>> 0)) as [bigint, bigint];
  for (let round = 0; round < 10; round++) {
    const p0 = c0 * 0xd2511f53n;
    const p1 = c2 * 0xcd9e8d57n;
    [c0, c1, c2, c3] = [(p1 >> 32n) ^ c1 ^ k0, p1 & MASK, (p0 >> 32n) ^ c3 ^ k1, p0 & MASK];
    k0 = (k0 + 0x9e3779b9n) & MASK;
    k1 = (k1 + 0xbb67ae85n) & MASK;
  }
  return [c0, c1, c2, c3].map(Number);
}

/** The word of element `index`: word index mod 4 of block ⌊index/4⌋. */
export function word(index: number, seedLow: number, seedHigh: number): number {
  const block = Math.floor(index / 4);
  return philox([block % 2 ** 32, Math.floor(block / 2 ** 32), 0, 0], [seedLow, seedHigh])[index % 4]!;
}
