// Checks of given parameters, all in float64.
import { ArgumentError, shown } from '../checks/argument-error.ts';
import { formatShape, type Shape, sameShape } from '../checks/shape.ts';
import { asArray, type DataLike } from '../data/array.ts';
import { cholesky, type Matrix, semidefiniteFactor } from './matrix.ts';

/** Finite numbers in one of the shapes; null in a shape is any length. */
export function readNumbers(
  what: string,
  given: DataLike,
  ...shapes: readonly (readonly (number | null)[])[]
): { data: Matrix; shape: Shape } {
  const { data, shape } = asArray(given, what);
  const fits = (expected: readonly (number | null)[]): boolean =>
    sameShape(
      shape,
      expected.map((n, i) => n ?? shape[i]!),
    );
  if (!shapes.some(fits)) {
    throw new ArgumentError(`${what} expected ${shapes.map(formatShape).join(' or ')}, got ${formatShape(shape)}`);
  }
  const values = Float64Array.from({ length: data.length }, (_, i) => data[i]!);
  const at = values.findIndex((value) => !Number.isFinite(value));
  if (at >= 0) throw new ArgumentError(`${what} expected finite numbers, got ${shown(data[at])} (flat index ${at})`);
  return { data: values, shape };
}

/** Rows of probabilities. Each sums to 1 within 1e-6, and is divided by its sum. */
export function readProbabilities(what: string, given: DataLike, shape: readonly number[]): Matrix {
  const { data } = readNumbers(what, given, shape);
  const width = shape.at(-1)!;
  for (let from = 0; from < data.length; from += width) {
    const row = data.subarray(from, from + width);
    const sum = row.reduce((all, p) => all + p, 0);
    if (row.some((p) => p < 0) || Math.abs(sum - 1) > 1e-6) {
      const where = shape.length > 1 ? ` in row ${from / width}` : '';
      const got = row.some((p) => p < 0) ? 'a negative one' : `a sum of ${sum}`;
      throw new ArgumentError(`${what} expected probabilities that sum to 1, got ${got}${where}`);
    }
    // Within rounding it stays as it is, so that a saved model comes back with the same bits.
    if (Math.abs(sum - 1) > 1e-12) for (let i = 0; i < width; i++) row[i]! /= sum;
  }
  return data;
}

/** Symmetric matrices `[…, n, n]`, positive definite, or semidefinite if `allowsSingular`. */
export function readCovariances(
  what: string,
  given: DataLike,
  {
    shapes,
    n,
    allowsSingular = false,
  }: { shapes: readonly (readonly (number | null)[])[]; n: number; allowsSingular?: boolean },
): { data: Matrix; shape: Shape } {
  const { data, shape } = readNumbers(what, given, ...shapes);
  for (let from = 0; from < data.length; from += n * n) {
    const one = data.subarray(from, from + n * n);
    const kind = allowsSingular ? 'semidefinite' : 'definite';
    const factor = allowsSingular ? semidefiniteFactor(one, n) : cholesky(one, n);
    if (!isSymmetric(one, n) || !factor) {
      const got = isSymmetric(one, n) ? 'one that is not' : 'one that is not symmetric';
      const where = data.length > n * n ? ` (number ${from / (n * n)})` : '';
      throw new ArgumentError(`${what} expected a symmetric positive ${kind} matrix, got ${got}${where}`);
    }
  }
  return { data, shape };
}

function isSymmetric(a: Matrix, n: number): boolean {
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < i; j++) {
      const [x, y] = [a[i * n + j]!, a[j * n + i]!];
      if (Math.abs(x - y) > 1e-9 * (Math.abs(x) + Math.abs(y))) return false;
    }
  }
  return true;
}

/** Format of what `toJSON` gives. A later one would have another number. */
const FORMAT = { format: 'tapeloop-state-space', version: 1 };

/** The JSON of a model: its kind, and the options of the function that makes it again. */
export const saved = (kind: string, options: object): SavedStateSpace => ({ ...FORMAT, kind, options });

/** What `toJSON` of a model gives, and its reader takes. */
export interface SavedStateSpace {
  format: string;
  version: number;
  /** Name of the function that makes the model. */
  kind: string;
  /** Its options. */
  options: object;
}

/**
 * The options in the JSON of a model, given as an object or as its text.
 *
 * @throws ArgumentError if it is no JSON of a model of these kinds, or of a later version.
 */
export function readSaved(what: string, given: unknown, kinds: readonly string[]): { kind: string; options: object } {
  let json = given;
  if (typeof given === 'string') {
    try {
      json = JSON.parse(given);
    } catch {
      throw new ArgumentError(`${what} expected JSON, got ${shown(given)}`);
    }
  }
  const { format, version, kind, options } = Object(json) as Partial<SavedStateSpace>;
  if (format !== FORMAT.format) {
    throw new ArgumentError(
      `${what} expected what toJSON gives, with format '${FORMAT.format}', got ${shown(format ?? json)}`,
    );
  }
  if (version !== FORMAT.version) {
    throw new ArgumentError(`${what}: version expected ${FORMAT.version}, got ${shown(version)}`);
  }
  if (!kinds.includes(kind!)) {
    throw new ArgumentError(`${what}: kind expected ${kinds.map(shown).join(', ')}, got ${shown(kind)}`);
  }
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    throw new ArgumentError(`${what}: options expected an object, got ${shown(options)}`);
  }
  return { kind: kind!, options };
}
