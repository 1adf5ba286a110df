import { classOf } from '../host/class-of.ts';
import { ArgumentError, shown } from './argument-error.ts';

/**
 * A table with the name of every option of `O`. The value is true for a flag. The compiler rejects a table that lacks a
 * name or has an additional one.
 */
export type Names<O> = { readonly [Name in keyof O]-?: unknown };

/** Options whose missing values have been replaced by defaults. */
export type Defined<O> = { [Name in keyof O]-?: Exclude<O[Name], undefined> };

/**
 * The hint in the error about an unknown name. Empty until `setHint` is called, so that an app can do without its code.
 */
export let hint = (_given: unknown, _known: readonly string[]): string => '';

export function setHint(replacement: typeof hint): void {
  hint = replacement;
}

/** The error about a name that is not in `known`, with the most similar known name. @internal */
export function unknownName(what: string, known: readonly string[], given: unknown, orElse = ''): ArgumentError {
  const meant = hint(given, known);
  return new ArgumentError(
    `${what} expected one of ${known.join(', ')}${orElse}, got ${shown(given)}${meant && `; ${meant}`}`,
  );
}

/**
 * Checks that the caller's options have no unknown name, and returns them.
 *
 * Every function with options calls it first:
 * `const { momentum = 0, ...rest } = checkOptions('sgd', options, { momentum: 1, nesterov: true, … })`. Names that
 * several functions share are in a table of their own: `{ momentum: 1, ...optimizerNames }`. A layer passes its names
 * to `super`. A known option may be undefined.
 *
 * @param what name of the function or class, for errors.
 * @throws ArgumentError if `options` is not an object, if a flag is neither true nor false, or for the first unknown
 *   name. The message has the most similar known name, or all known names if none is similar.
 */
export function checkOptions<O extends object>(what: string, options: O, names: Names<NoInfer<O>>): O {
  const kind = classOf(options);
  if (kind !== 'Object') throw new ArgumentError(`${what}: options expected an object, got ${kind}`);
  for (const given of Object.keys(options)) {
    if (Object.hasOwn(names, given)) {
      if (names[given as keyof O] !== true) continue;
      const value = options[given as keyof O];
      if (value === undefined || typeof value === 'boolean') continue;
      throw new ArgumentError(`${what}: ${given} expected true or false, got ${shown(value)}`);
    }
    const known = Object.keys(names);
    throw new ArgumentError(
      `${what}: unknown option '${given}'; ${hint(given, known) || `expected ${known.join(', ') || 'none'}`}`,
    );
  }
  return options;
}
