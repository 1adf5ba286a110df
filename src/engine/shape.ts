/** Lengths of the axes, outermost first; `[]` is a single number. */
export type Shape = readonly number[];

export const sizeOf = (shape: Shape): number => shape.reduce((product, n) => product * n, 1);
export const formatShape = (shape: readonly (number | null)[]): string => `[${shape.map((n) => n ?? '?').join(', ')}]`;
export const sameShape = (a: Shape, b: Shape): boolean => a.length === b.length && a.every((n, i) => n === b[i]);
