/**
 * Index of the first byte that differs, the shorter length if one goes on, −1 if they are equal: `toEqual` would take
 * minutes to print the difference of two files byte by byte.
 */
export function firstDifference(a: Uint8Array, b: Uint8Array): number {
  const shorter = Math.min(a.length, b.length);
  for (let i = 0; i < shorter; i++) if (a[i] !== b[i]) return i;
  return a.length === b.length ? -1 : shorter;
}
