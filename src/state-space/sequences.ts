import { ArgumentError, shown } from '../checks/argument-error.ts';
import { formatShape } from '../checks/shape.ts';
import { asArray, type DataLike, NdArray } from '../data/array.ts';
import type { RaggedArray } from '../data/ragged.ts';

/**
 * Sequences of observations. One sequence is `[T, D]`, or `[T]` for ids and for one feature. Several are `[N, T, D]`, a
 * list of sequences `[T_i, D]`, or a `RaggedArray`.
 */
export type SequencesLike = DataLike | RaggedArray | readonly DataLike[];

/** One sequence, in float64 for features. */
export interface Sequence {
  readonly steps: number;
  /** `[T, D]`, or `[T]` ids. */
  readonly values: Float64Array;
}

export interface Sequences {
  /** At least one. */
  readonly list: readonly Sequence[];
  readonly features: number;
  /** Whether one sequence was given, not a list of one. */
  readonly isSingle: boolean;
}

interface Expected {
  /** What the message calls it. */
  what: string;
  /** Number of features D of a step; undefined for any number. 0 if a step is an id. */
  features?: number | undefined;
  /** Whether NaN stands for a missing number. */
  allowsMissing?: boolean;
}

/** Nested lists may differ in length: depth of the first number. */
function depthOf(values: unknown): number {
  let depth = 0;
  let level = values;
  while (Array.isArray(level) || (ArrayBuffer.isView(level) && !(level instanceof DataView))) {
    const list = level as ArrayLike<unknown>;
    depth++;
    // An empty sequence tells nothing of what its steps are.
    level = Array.from(list).find(
      (part) => typeof part !== 'object' || (part as ArrayLike<unknown> | null)?.length !== 0,
    );
  }
  return depth;
}

/** The parts of a list of sequences, or undefined if `given` is one sequence. */
function partsOf(given: SequencesLike, what: string, stepAxes: number): readonly DataLike[] | undefined {
  // Read by properties: objects of another copy of the package have other classes.
  const { sequences, data } = (given ?? {}) as Partial<RaggedArray & NdArray>;
  if (Array.isArray(sequences)) return sequences;
  if (data !== undefined || (given as { toArray?: unknown })?.toArray !== undefined) {
    const array = asArray(given as DataLike, what);
    if (array.shape.length <= 1 + stepAxes) return undefined;
    const inner = array.data.length / Math.max(array.shape[0]!, 1);
    const flat = Float64Array.from({ length: array.data.length }, (_, i) => array.data[i]!);
    return Array.from(
      { length: array.shape[0]! },
      (_, i) => new NdArray(flat.subarray(i * inner, (i + 1) * inner), array.shape.slice(1)),
    );
  }
  if (Array.isArray(given)) {
    const [first] = given as readonly Partial<NdArray & { toArray: unknown }>[];
    if (first?.data !== undefined || first?.toArray !== undefined) return given as DataLike[];
    if (depthOf(given) > 1 + stepAxes) return given as DataLike[];
  }
  return undefined;
}

/** The array of a sequence. Throws `ArgumentError` that says more of a list than `asArray` does. */
function sequenceArray(given: DataLike, name: string, { features, allowsMissing }: Expected): NdArray {
  const rows = Array.isArray(given) ? (given as unknown[]) : [];
  if (allowsMissing && rows.flat().some((value) => value === null || value === undefined)) {
    throw new ArgumentError(`${name} expected NaN for a missing number, got none`);
  }
  if (features !== 0 && depthOf(rows) === 2) {
    const widths = rows.map((row) => (row as ArrayLike<unknown>).length);
    const other = widths.find((width) => width !== widths[0]);
    if (other !== undefined) {
      throw new ArgumentError(
        `${name} expected steps of D features each, got ${widths[0]} and ${other}; several sequences of one feature are [[[1], [2]], [[3]]] or ragged(list)`,
      );
    }
  }
  return asArray(given, name);
}

/**
 * Checked sequences.
 *
 * @throws ArgumentError if there is no sequence, a shape does not fit, or a number is not finite, or is NaN where none
 *   may be missing.
 */
export function readSequences(given: SequencesLike, expected: Expected): Sequences {
  const { what } = expected;
  const parts = partsOf(given, what, expected.features === 0 ? 0 : 1);
  if (parts?.length === 0) throw new ArgumentError(`${what} expected one sequence or more, got none`);
  let { features } = expected;
  const list = (parts ?? [given as DataLike]).map((part, i) => {
    const name = parts ? `${what}[${i}]` : what;
    const { data, shape } = sequenceArray(part, name, expected);
    const isEmpty = shape[0] === 0;
    const width = features === 0 || shape.length === 1 ? shape.slice(1).reduce((all, n) => all * n, 1) : shape[1]!;
    const axes = features === 0 ? 1 : shape.length === 1 ? 1 : 2;
    if (shape.length !== axes || (!isEmpty && features !== undefined && width !== (features || 1))) {
      const steps =
        features === 0
          ? '[T] of ids'
          : formatShape([null, features ?? null])
              .replace('?', 'T')
              .replace('?', 'D');
      throw new ArgumentError(`${name} expected ${steps}, got ${formatShape(shape)}`);
    }
    if (!isEmpty) features ??= width;
    const values = Float64Array.from({ length: data.length }, (_, at) => data[at]!);
    values.forEach((value, at) => {
      if (Number.isFinite(value) || (Number.isNaN(value) && expected.allowsMissing)) return;
      const numbers = expected.allowsMissing ? 'finite numbers, or NaN for a missing one' : 'finite numbers';
      throw new ArgumentError(`${name} expected ${numbers}, got ${shown(data[at])} (flat index ${at})`);
    });
    return { steps: shape[0]!, values };
  });
  return { list, features: features ?? 1, isSingle: parts === undefined };
}

/** Sequences of ids in [0, limit). @throws ArgumentError for another number. */
export function readIds(given: SequencesLike, limit: number, what: string): Sequences {
  const sequences = readSequences(given, { what, features: 0 });
  for (const { values } of sequences.list) {
    const at = values.findIndex((id) => !(Number.isInteger(id) && id >= 0 && id < limit));
    if (at >= 0) throw new ArgumentError(`${what} expected ids in [0, ${limit}), got ${values[at]} (step ${at})`);
  }
  return sequences;
}
