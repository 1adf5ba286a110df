import { classOf } from '../host/class-of.ts';
import { ArgumentError, shown } from './argument-error.ts';

/**
 * The name of every option of `O`, with true where it is a flag; the compiler refuses a table that lacks one, or that
 * has another.
 */
export type Names<O> = { readonly [Name in keyof O]-?: unknown };

/** Options whose missing values have been replaced by defaults. */
export type Defined<O> = { [Name in keyof O]-?: Exclude<O[Name], undefined> };

/**
 * What is said of a name that is not known, beside the known ones; nothing until `hintBy` is called, so that an app
 * need not carry it.
 */
export let hint = (_given: unknown, _known: readonly string[]): string => '';

export function hintBy(own: typeof hint): void {
  hint = own;
}

/** The error for a name that is none of `known`, with the one that is most like it. @internal */
export function unknownName(what: string, known: readonly string[], given: unknown, orElse = ''): ArgumentError {
  const meant = hint(given, known);
  return new ArgumentError(
    `${what} expected one of ${known.join(', ')}${orElse}, got ${shown(given)}${meant && `; ${meant}`}`,
  );
}

/**
 * The options that a caller gave, once it is known that there is no unknown name among them.
 *
 * It is the first line of whatever takes options:
 * `const { momentum = 0, ...rest } = checkOptions('sgd', options, { momentum: 1, nesterov: true, … })`. Names that
 * several things take stand in a table of their own: `{ momentum: 1, ...optimizerNames }`. A layer hands its names to
 * `super`. A known option may be undefined.
 *
 * @param what whose options they are, in errors.
 * @throws ArgumentError for what is no object, for a flag that is neither true nor false, and for the first unknown
 *   name: with the known name that is most like it, else with all.
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
      `${what}: unknown option '${given}'; ${hint(given, known) || `expected ${known.join(', ')}`}`,
    );
  }
  return options;
}
