import { ArgumentError, expectType } from '../checks/argument-error.ts';

/**
 * What a model file names and does not hold, by name. A function, a loss, a metric or a schedule is given as it is; a
 * layer or a cell, or whatever has options of its own, as its class or as a function that makes it from its options; a
 * model as a function that makes it.
 *
 * @see keras.saving.load_model (custom_objects)
 */
export type CustomObjects = Readonly<Record<string, unknown>>;

/**
 * What it is, for errors: `loss`; its name, plain or marked by `customName`; and what tells it from others where the
 * file has no name for it.
 */
export type Wanted = readonly [kind: string, name: string, fits?: ((given: unknown) => boolean) | undefined];

// Set while a file is read. Apart from what is found by it, so that an app that reads none does not carry that.
let find: ((wanted: Wanted) => unknown) | undefined;

/**
 * What the caller gave for a name in the file that is being read; undefined while none is read.
 *
 * @throws ArgumentError if a file is being read and nothing was given for the name.
 */
export const customObject = (...wanted: Wanted): unknown => find?.(wanted);

const MARK = 'custom ';

/** What a file has in the place of a function or an object of the caller's own. No name of ours begins so. */
export const customName = (name: string): string => (name.startsWith(MARK) ? name : `${MARK}${name || 'anonymous'}`);

/** The name in what `customName` made; undefined of anything else. */
export const nameOfCustom = (value: unknown): string | undefined =>
  typeof value === 'string' && value.startsWith(MARK) ? value.slice(MARK.length) : undefined;

/** Runs `body`, which makes what a file describes, with what the caller has of it. @internal */
export function withCustomObjects<T>(objects: CustomObjects, body: () => T): T {
  expectType('customObjects', objects, 'an object');
  const outer = find;
  find = (wanted) => {
    expectCustomObjects(objects, [wanted]);
    return givenAs(objects, wanted);
  };
  try {
    return body();
  } finally {
    find = outer;
  }
}

const letters = (name: string): string => name.replaceAll('_', '').toLowerCase();

/** What was given under a name in any spelling, or is called so itself, or is all that fits. */
function givenAs(objects: CustomObjects, [, marked, fits = () => false]: Wanted): unknown {
  const name = nameOfCustom(marked) ?? marked;
  if (Object.hasOwn(objects, name)) return objects[name];
  const entries = Object.entries(objects);
  const found =
    entries.find(([key]) => letters(key) === letters(name)) ??
    entries.find(([, value]) => (value as { name?: unknown } | undefined)?.name === name);
  if (found) return found[1];
  const fitting = Object.values(objects).filter(fits);
  return fitting.length === 1 ? fitting[0] : undefined;
}

/** Throws `ArgumentError` that names all that was not given. */
export function expectCustomObjects(objects: CustomObjects, wanted: readonly Wanted[]): void {
  const missing = wanted.filter((each) => givenAs(objects, each) === undefined);
  if (missing.length === 0) return;
  const nameOf = ([, name]: Wanted): string => nameOfCustom(name) ?? name;
  const list = (of: (wanted: Wanted) => string): string => [...new Set(missing.map(of))].join(', ');
  throw new ArgumentError(
    `it names ${list((each) => `${each[0]} '${nameOf(each)}'`)}, which tapeloop does not have: give customObjects: { ${list(nameOf)} }, or make and compile the model in code and fill it with restoreModel(model, bytes)`,
  );
}

/** Whether it is made by `new`: the prototype of a class cannot be replaced. */
const isClass = (maker: object): boolean => Object.getOwnPropertyDescriptor(maker, 'prototype')?.writable === false;

/** What a class, by its `fromConfig` where it has one, or a function makes of options; anything else is itself. */
export function madeOf(maker: unknown, options: unknown): unknown {
  if (typeof maker !== 'function') return maker;
  const { fromConfig } = maker as { fromConfig?: (options: unknown) => unknown };
  if (fromConfig) return fromConfig.call(maker, options);
  return isClass(maker) ? new (maker as new (options: unknown) => unknown)(options) : maker(options);
}
