import { ArgumentError } from '../engine/argument-error.ts';

/**
 * What a model file names and does not hold, by name. A function, a loss, a metric or a schedule is given as it is; a layer or a cell, or whatever has
 * options of its own, as its class or as a function that makes it from its options; a model as a function that makes it.
 *
 * @see keras.saving.load_model (custom_objects)
 */
export type CustomObjects = Readonly<Record<string, unknown>>;

/** What was given for a name. Throws `ArgumentError` if nothing was. */
type Find = (kind: string, name: string) => unknown;

// Set while a file is read. Apart from what is found by it, so that an app that reads none does not carry that.
let find: Find | undefined;

/**
 * What the caller gave for a name in the file that is being read, plain or marked by `customName`; undefined while none is read.
 *
 * @param kind what it is, for the error: `loss`.
 * @throws ArgumentError if a file is being read and nothing was given for the name.
 */
export const customObject: Find = (kind, name) => find?.(kind, name);

const MARK = 'custom ';

/** What a file has in the place of a function or an object of the caller's own. No name of ours begins so. */
export const customName = (name: string): string => (name.startsWith(MARK) ? name : `${MARK}${name || 'anonymous'}`);

/** The name in what `customName` made; undefined of anything else. */
export const nameOfCustom = (value: unknown): string | undefined =>
  typeof value === 'string' && value.startsWith(MARK) ? value.slice(MARK.length) : undefined;

/** Runs `body`, which makes what a file describes, with what the caller has of it. @internal */
export function withCustomObjects<T>(objects: CustomObjects, body: () => T): T {
  const outer = find;
  find = (kind, name) => {
    const own = nameOfCustom(name) ?? name;
    const found = givenAs(objects, own);
    if (found === undefined) throw new ArgumentError(missingObjects([`${kind} '${own}'`]));
    return found;
  };
  try {
    return body();
  } finally {
    find = outer;
  }
}

const letters = (name: string): string => name.replaceAll('_', '').toLowerCase();

/** What was given under a name in any spelling, or is called so itself. */
export function givenAs(objects: CustomObjects, name: string): unknown {
  if (Object.hasOwn(objects, name)) return objects[name];
  const entries = Object.entries(objects);
  const found =
    entries.find(([key]) => letters(key) === letters(name)) ??
    entries.find(([, value]) => (value as { name?: unknown } | undefined)?.name === name);
  return found?.[1];
}

/** The error about what a file names and nobody gave. */
export const missingObjects = (names: readonly string[]): string =>
  `it needs ${names.join(', ')} of the caller's own; give each under its name in customObjects, or make and compile the model in code and fill it with restoreModel(model, bytes)`;

/** Whether it is made by `new`: the prototype of a class cannot be replaced. */
const isClass = (maker: object): boolean => Object.getOwnPropertyDescriptor(maker, 'prototype')?.writable === false;

/** What a class, by its `fromConfig` where it has one, or a function makes of options; anything else is itself. */
export function madeOf(maker: unknown, options: unknown): unknown {
  if (typeof maker !== 'function') return maker;
  const { fromConfig } = maker as { fromConfig?: (options: unknown) => unknown };
  if (fromConfig) return fromConfig.call(maker, options);
  return isClass(maker) ? new (maker as new (options: unknown) => unknown)(options) : maker(options);
}
