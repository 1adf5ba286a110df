/** Bytes of the relaxed build in one compressed piece. */
export const RELAXED_PART = 12 << 10;

/** Where the plain build is most like the `part`th piece of the relaxed one: [from, to), fewer than the 32 kB that deflate looks back. */
export const relaxedDictionary = (part: number): [from: number, to: number] => {
  const from = Math.max(0, part * RELAXED_PART - (4 << 10));
  return [from, from + (20 << 10)];
};
