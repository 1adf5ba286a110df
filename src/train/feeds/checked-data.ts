import { ArgumentError, expectType, isFloat32, shown } from '../../checks/argument-error.ts';
import type { Names } from '../../checks/options.ts';
import { formatShape, type Shape } from '../../checks/shape.ts';
import { NdArray } from '../../data/array.ts';
import { asNested, entriesOf, mapNested, type Nested, type NestedKey } from '../../data/nested.ts';
import { RaggedArray, type SamplesLike } from '../../data/ragged.ts';
import { type BatchShape, isShape } from '../../layers/base/batch-shape.ts';
import { type InputSpec, isInputSpec } from '../../layers/base/input-spec.ts';
import { checkTargets, expectLossFits } from '../../losses/fits.ts';
import type { ClassWeight, Head } from '../objective.ts';
import type { Trainer } from '../trainer.ts';
import { optionalRefusals } from './optional-refusals.ts';
import { optionalResets } from './optional-resets.ts';
import { Column, columnsIn, countOf, isColumn, type Samples } from './samples.ts';

/** Inputs or targets: one, a list, or several by name, as the model declares them. */
export type Data = Nested<SamplesLike>;

/** Weights of samples and classes, and where samples start anew. */
export interface WeightOptions {
  /**
   * Weight of each sample, `[N]`, or of each step, `[N, T]`; for several outputs nested like them. Predictions and
   * targets of weight 0 do not enter the loss, but the targets are checked like all others.
   */
  sampleWeight?: Nested<SamplesLike> | undefined;
  /** Weight of the samples of each class, by class id; 1 for a class that is not listed. For models with one output. */
  classWeight?: ClassWeight | undefined;
  /**
   * Where rows start anew, for episodes of unequal length in a batch. `[N]`: 1 if the states that a stateful layer
   * carries are zeros for this sample. `[N, T]`: 1 if no state passes from step t − 1 to step t, in any recurrent
   * layer; step 0 is about carried states. `tapeloop/lean` has `withResetMask` instead.
   */
  resetMask?: SamplesLike | undefined;
}

export const weightNames: Names<WeightOptions> = { sampleWeight: 1, classWeight: 1, resetMask: 1 };

/**
 * Validates the whole data set up front, and builds a model that is not built.
 *
 * @throws ArgumentError for any data for which a batch would be refused. The error names the place.
 */
export function checkData(trainer: Trainer, x: Data, y: Data, options: WeightOptions): Samples {
  const { sampleWeight, classWeight } = options;
  const { network, objective } = trainer;
  const { heads } = objective;
  if (y === undefined)
    throw new ArgumentError('y expected targets, got none; a list of batches is given as () => list');
  const columns = columnsOf('x', network.inputs, x);
  const targets = columnsOf(
    'y',
    specsOf(heads, ({ loss }) => ({ dtype: loss.targetDtype })),
    y,
  );
  const weights =
    sampleWeight === undefined
      ? undefined
      : columnsOf(
          'sampleWeight',
          specsOf(heads, () => ({})),
          sampleWeight,
          { oneEachStep: true },
        );
  const resets = resetsOf(options);
  const count = countOf([columns, targets, weights, resets]);
  expectSameLengths(columnsIn([columns]), columnsIn([targets, weights, resets]));
  if (classWeight !== undefined) checkClassWeight(classWeight, heads);
  buildFor(network, columns);
  const shapes = network.outputShapes(mapNested<Column, BatchShape>(columns, isColumn, ({ shape }) => shape));
  const fitted = objective.outputs(shapes, isShape).map(({ head, output }) => {
    expectLossFits(head.loss, network.activationOf(head.key), output.at(-1));
    if (classWeight) optionalRefusals.refusals?.classes(classWeight, head.loss, output);
    if (weights) checkWeights(head, output as Shape, columnAt(weights, head.key));
    return [head.key, fittedTo(head, output as Shape, columnAt(targets, head.key))] as const;
  });
  return { count, x: columns, y: asNested(fitted), weights, resets };
}

/** The column of a reset mask, if there is one. */
export function resetsOf({ resetMask }: Pick<WeightOptions, 'resetMask'>): Column | undefined {
  if (resetMask === undefined) return undefined;
  if (optionalResets.resets) return optionalResets.resets.column(resetMask);
  throw new ArgumentError("resetMask expected withResetMask() to have been called, as 'tapeloop/lean' wants it");
}

/**
 * Returns the values as columns, nested like `specs`. Throws `ArgumentError` if they are nested differently or a value
 * does not fit.
 */
export function columnsOf(
  what: string,
  specs: Nested<InputSpec>,
  values: Data,
  options?: { oneEachStep: boolean },
): Nested<Column> {
  const keys = entriesOf(specs, isInputSpec).map(([key]) => key);
  if (keys[0] !== undefined) expectKeys(what, keys, values);
  return mapNested(specs, isInputSpec, (spec, key) => {
    const name = key === undefined ? what : typeof key === 'number' ? `${what}[${key}]` : `${what}.${key}`;
    const own = key === undefined ? values : (values as Record<string, SamplesLike>)[key];
    const column = new Column(name, own as SamplesLike, spec.dtype ?? 'f32', options);
    if (spec.limit !== undefined) column.expectIdsBelow(spec.limit);
    const time = spec.shape?.[0];
    if (typeof time === 'number' && column.values instanceof RaggedArray) {
      throw new ArgumentError(`${name} expected sequences of ${time} steps, as the model declares, got unequal ones`);
    }
    return column;
  });
}

const specsOf = (heads: readonly Head[], spec: (head: Head) => InputSpec): Nested<InputSpec> =>
  asNested(heads.map((head) => [head.key, spec(head)]));

const columnAt = (columns: Nested<Column>, key: NestedKey): Column =>
  key === undefined ? (columns as Column) : (columns as Record<string, Column>)[key]!;

/** Throws `ArgumentError` unless the values are a list with as many entries as `keys`, or have the names in `keys`. */
function expectKeys(what: string, keys: readonly NestedKey[], values: unknown): void {
  const isList = typeof keys[0] === 'number';
  const got = values !== null && typeof values === 'object' ? Object.keys(values) : [];
  if (
    Array.isArray(values) === isList &&
    got.length === keys.length &&
    keys.every((key) => got.includes(String(key)))
  ) {
    return;
  }
  const expected = isList ? `a list of ${keys.length}` : `values by name (${keys.join(', ')})`;
  const given = Array.isArray(values) ? `a list of ${got.length}` : got.length > 0 ? got.join(', ') : String(values);
  throw new ArgumentError(`${what} expected ${expected}, got ${given}`);
}

/**
 * Throws `ArgumentError` unless each sequence of targets and weights has the length of the same sequence of an input.
 */
function expectSameLengths(inputs: readonly Column[], others: readonly Column[]): void {
  const lengthsOf = ({ values }: Column): readonly number[] | undefined =>
    values instanceof RaggedArray ? values.sequences.map(({ shape }) => shape[0]!) : undefined;
  const known = inputs.map(lengthsOf).filter((lengths) => lengths !== undefined);
  if (known.length === 0) return;
  for (const column of others) {
    const lengths = lengthsOf(column);
    if (!lengths || known.some((each) => each.every((length, i) => length === lengths[i]))) continue;
    const at = lengths.findIndex((length, i) => known.every((each) => each[i] !== length));
    const place = at < 0 ? column.name : `${column.name}[${at}]`;
    const expected = at < 0 ? 'sequences as long as those' : `${known[0]![at]} steps as the sequence`;
    throw new ArgumentError(`${place} expected ${expected} of x, got ${at < 0 ? 'others' : lengths[at]}`);
  }
}

function checkClassWeight(classWeight: ClassWeight, heads: readonly Head[]): void {
  if (heads.length > 1) {
    throw new ArgumentError(`classWeight expected a model of one output, got ${heads.length}; use sampleWeight`);
  }
  expectType('classWeight', classWeight, 'an object');
  for (const [id, weight] of Object.entries(classWeight)) {
    if (/^\d+$/.test(id) && isFloat32(weight) && weight >= 0) continue;
    throw new ArgumentError(`classWeight expected finite numbers ≥ 0 by class id, got ${shown(weight)} for '${id}'`);
  }
}

function buildFor(network: Trainer['network'], columns: Nested<Column>): void {
  network.build(
    mapNested<Column, BatchShape>(columns, isColumn, ({ shape, values }) => {
      const time = values instanceof NdArray ? shape.slice(1, 2) : [null];
      return [null, ...time, ...shape.slice(2)];
    }),
  );
}

/** The targets in the shape that their loss expects. */
function fittedTo({ loss }: Head, output: Shape, column: Column): Column {
  const { name, values, dtype } = column;
  const fitted = checkTargets(loss, values, output, name);
  return fitted === values ? column : new Column(name, fitted, dtype);
}

function checkWeights({ loss }: Head, output: Shape, { name, shape }: Column): void {
  const rows = loss.weightShape?.(output) ?? output.slice(0, -1);
  if (formatShape(shape) === formatShape(rows.slice(0, shape.length))) return;
  const expected = rows.map((_, i) => formatShape(rows.slice(0, i + 1))).join(' or ');
  throw new ArgumentError(`${name} expected ${expected}, got ${formatShape(shape)}`);
}
