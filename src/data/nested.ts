/** One value, a list of values, or values by name: the inputs or outputs of a model. */
export type Nested<T> = T | readonly T[] | Readonly<Record<string, T>>;

/** The key of a value in the list or record; undefined for a single value. */
export type NestedKey = string | number | undefined;

/** The values with their keys. `isLeaf` tells a value from a list or a record of values. */
export function entriesOf<T>(nested: Nested<T>, isLeaf: (x: unknown) => x is T): [NestedKey, T][] {
  if (isLeaf(nested)) return [[undefined, nested]];
  if (Array.isArray(nested)) return nested.map((value: T, i) => [i, value]);
  return Object.entries(nested as Record<string, T>);
}

export const leavesOf = <T>(nested: Nested<T>, isLeaf: (x: unknown) => x is T): T[] =>
  isLeaf(nested) ? [nested] : Object.values(nested as readonly T[]);

/** Applies `f` to each value and keeps the nesting. */
export function mapNested<T, U>(
  nested: Nested<T>,
  isLeaf: (x: unknown) => x is T,
  f: (value: T, key: NestedKey) => U,
): Nested<U> {
  if (isLeaf(nested)) return f(nested, undefined);
  if (Array.isArray(nested)) return nested.map((value: T, i) => f(value, i));
  return Object.fromEntries(Object.entries(nested as Record<string, T>).map(([key, value]) => [key, f(value, key)]));
}

/** The reverse of `entriesOf`. */
export function asNested<T>(entries: readonly (readonly [NestedKey, T])[]): Nested<T> {
  const [key, value] = entries[0]!;
  if (key === undefined) return value;
  return typeof key === 'number' ? entries.map(([, each]) => each) : (Object.fromEntries(entries) as Record<string, T>);
}
