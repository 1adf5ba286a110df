import { ArgumentError } from '../autograd/tensor.ts';

/** Keras's short names of losses and metrics, by ours. */
const shortNames = {
  acc: 'accuracy',
  bce: 'binaryCrossentropy',
  kld: 'klDivergence',
  mae: 'meanAbsoluteError',
  mape: 'meanAbsolutePercentageError',
  mse: 'meanSquaredError',
  msle: 'meanSquaredLogarithmicError',
} as const;

type ShortNames = typeof shortNames;

/** The names of makers, and the short names of those that have one. */
export type NameOf<Makers> =
  | keyof Makers
  | { [Short in keyof ShortNames]: ShortNames[Short] extends keyof Makers ? Short : never }[keyof ShortNames];

/**
 * What makes the loss or metric of a name.
 *
 * @throws ArgumentError for an unknown one; it names the one that Keras's spelling stands for.
 */
export function makerOf<Makers extends object>(
  what: string,
  makers: Makers,
  name: NameOf<Makers>,
): Makers[keyof Makers] {
  const full = Object.hasOwn(shortNames, name) ? shortNames[name as keyof ShortNames] : name;
  if (Object.hasOwn(makers, full)) return makers[full as keyof Makers];
  const letters = (text: string): string => text.replaceAll('_', '').toLowerCase();
  const known = Object.keys(makers);
  const meant = known.find((each) => letters(each) === letters(String(name)));
  const hint = meant === undefined ? '' : `; did you mean '${meant}'?`;
  throw new ArgumentError(`${what} expected one of ${known.join(', ')}, got '${String(name)}'${hint}`);
}
