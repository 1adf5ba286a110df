/** A shape with the batch first; null if a length is not known before a batch comes. */
export type BatchShape = readonly (number | null)[];

export const isShape = (x: unknown): x is BatchShape =>
  Array.isArray(x) && x.every((n) => n === null || (Number.isInteger(n) && n >= 0));
