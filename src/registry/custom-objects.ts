import { ArgumentError, expectType } from '../checks/argument-error.ts';

/**
 * Custom classes and functions to which a model file refers, by name. For a function, a loss, a metric or a schedule,
 * give the object itself. For a layer, a cell or another object with options, give its class or a function that makes
 * it from its options. For a model, give a function that makes it.
 *
 * @see keras.saving.load_model (custom_objects)
 */
export type CustomObjects = Readonly<Record<string, unknown>>;

/**
 * A custom object that a file needs: its kind for errors, such as `loss`; its name, plain or marked by `customName`;
 * and a test that recognizes it if the file has no name for it.
 */
export type CustomObjectRequest = readonly [
  kind: string,
  name: string,
  fits?: ((given: unknown) => boolean) | undefined,
];

// Finds a custom object. It is set while a file is read. It is a variable, so that an app that reads no files does not
// bundle the search.
let find: ((request: CustomObjectRequest) => unknown) | undefined;

/**
 * The caller's custom object for a name in the file that is being read. Undefined if no file is being read.
 *
 * @throws ArgumentError if a file is being read and nothing was given for the name.
 */
export const customObject = (...request: CustomObjectRequest): unknown => find?.(request);

const MARK = 'custom ';

/** The name that a file has in place of a custom function or object. No built-in name begins with `MARK`. */
export const customName = (name: string): string => (name.startsWith(MARK) ? name : `${MARK}${name || 'anonymous'}`);

/** The inverse of `customName`. Undefined for any other value. */
export const nameOfCustom = (value: unknown): string | undefined =>
  typeof value === 'string' && value.startsWith(MARK) ? value.slice(MARK.length) : undefined;

/** Runs `body`, which makes the objects that a file describes, with the caller's custom objects. @internal */
export function withCustomObjects<T>(objects: CustomObjects, body: () => T): T {
  expectType('customObjects', objects, 'an object');
  const outer = find;
  find = (request) => {
    expectCustomObjects(objects, [request]);
    return findCustomObject(objects, request);
  };
  try {
    return body();
  } finally {
    find = outer;
  }
}

const letters = (name: string): string => name.replaceAll('_', '').toLowerCase();

/** Finds a custom object by its key in any spelling, or by its own `name`, or as the only one that `fits`. */
function findCustomObject(objects: CustomObjects, [, marked, fits = () => false]: CustomObjectRequest): unknown {
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

/** Throws an `ArgumentError` that lists all missing custom objects. */
export function expectCustomObjects(objects: CustomObjects, requests: readonly CustomObjectRequest[]): void {
  const missing = requests.filter((each) => findCustomObject(objects, each) === undefined);
  if (missing.length === 0) return;
  const nameOf = ([, name]: CustomObjectRequest): string => nameOfCustom(name) ?? name;
  const list = (of: (request: CustomObjectRequest) => string): string => [...new Set(missing.map(of))].join(', ');
  throw new ArgumentError(
    `it names ${list((each) => `${each[0]} '${nameOf(each)}'`)}, which tapeloop does not have: import the entry that has it, as tapeloop/images, give customObjects: { ${list(nameOf)} }, or make and compile the model in code and fill it with restoreModel(model, bytes)`,
  );
}

/** Whether `maker` is a class. The property `prototype` of a class is not writable. */
const isClass = (maker: object): boolean => Object.getOwnPropertyDescriptor(maker, 'prototype')?.writable === false;

/**
 * Makes an object from options: by `maker.fromConfig` if it exists, else by `new` for a class or a call for a function.
 * A `maker` that is not a function is returned as it is.
 */
export function makeFromConfig(maker: unknown, options: unknown): unknown {
  if (typeof maker !== 'function') return maker;
  const { fromConfig } = maker as { fromConfig?: (options: unknown) => unknown };
  if (fromConfig) return fromConfig.call(maker, options);
  return isClass(maker) ? new (maker as new (options: unknown) => unknown)(options) : maker(options);
}
