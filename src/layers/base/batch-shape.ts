/** A shape with the batch axis first. null is a length that is not known before a batch is given. */
export type BatchShape = readonly (number | null)[];

export const isShape = (x: unknown): x is BatchShape =>
  Array.isArray(x) && x.every((n) => n === null || (Number.isInteger(n) && n >= 0));
