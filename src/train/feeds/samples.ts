import { type DType, empty, type Tensor } from '../../autograd/tensor.ts';
import { ArgumentError } from '../../checks/argument-error.ts';
import type { Shape } from '../../checks/shape.ts';
import { expectIdsBelow, NdArray } from '../../data/array.ts';
import { leavesOf, mapNested, type Nested } from '../../data/nested.ts';
import { type RaggedArray, type SamplesLike, toSamples } from '../../data/ragged.ts';
import type { Engine } from '../../engine/engine.ts';

/** One input, target or weight of all samples. */
export class Column {
  readonly name: string;
  readonly dtype: DType;
  readonly values: NdArray | RaggedArray;

  /** Throws `ArgumentError`, which names the column, if the values are not numbers of the data type. */
  constructor(name: string, values: SamplesLike, dtype: DType, options?: { oneEachStep?: boolean | undefined }) {
    this.name = name;
    this.dtype = dtype;
    this.values = toSamples(values, dtype, name, options);
  }

  get count(): number {
    return this.shape[0]!;
  }

  /** Shape of all samples, `[N, …]`. If sequences have unequal lengths, the length is that of the longest. */
  get shape(): Shape {
    return this.values.shape;
  }

  /** Throws `ArgumentError` at the first value outside [0, limit). */
  expectIdsBelow(limit: number): void {
    const { values, name } = this;
    if (values instanceof NdArray) expectIdsBelow(values, limit, name);
    else
      for (const [i, sequence] of values.sequences.entries()) expectIdsBelow(sequence, limit, `${name}[${i}]`, 'step');
  }

  /**
   * Copies the samples `order[from … to)` into a tensor of the open step. Sequences of unequal length are padded with
   * zeros and masked.
   */
  upload(engine: Engine, { order, from, to, pad }: Rows): Tensor {
    const { values } = this;
    return values instanceof NdArray
      ? this.#uploadArray(engine, values, { order, from, to })
      : this.#uploadRagged(engine, values, { order, from, to, pad });
  }

  #uploadArray(engine: Engine, array: NdArray, { order, from, to }: Rows): Tensor {
    const sample = array.data.length / Math.max(array.shape[0]!, 1);
    const { t, view } = this.#allocate(engine, [to - from, ...array.shape.slice(1)]);
    const { data } = array;
    for (let i = from; i < to; i++) {
      const at = order[i]! * sample;
      const row = (i - from) * sample;
      for (let j = 0; j < sample; j++) view[row + j] = data[at + j]!;
    }
    return t;
  }

  #uploadRagged(engine: Engine, { sequences, features, longest }: RaggedArray, { order, from, to, pad }: Rows): Tensor {
    const chosen = Array.from({ length: to - from }, (_, i) => sequences[order[from + i]!]!);
    const lengths = chosen.map(({ shape }) => shape[0]!);
    const time = pad === 'longest' ? longest : lengths.reduce((most, length) => Math.max(most, length), 0);
    const step = features.reduce((size, n) => size * n, 1);
    const { t, view } = this.#allocate(engine, [chosen.length, time, ...features]);
    view.fill(0);
    chosen.forEach(({ data }, i) => view.set(data, i * time * step));
    if (lengths.some((length) => length < time)) {
      t.mask = empty([chosen.length, time], { name: `mask of ${this.name}`, engine });
      const mask = engine.f32(t.mask.ptr, t.mask.size).fill(0);
      for (const [i, length] of lengths.entries()) mask.fill(1, i * time, i * time + length);
    }
    return t;
  }

  #allocate(engine: Engine, shape: Shape): { t: Tensor; view: Float32Array | Int32Array } {
    const t = empty(shape, { dtype: this.dtype, name: this.name, engine });
    return { t, view: t.dataView() };
  }
}

/** The samples of a batch: `order[from … to)`. */
export interface Rows {
  order: Uint32Array;
  from: number;
  to: number;
  /** How far sequences of unequal length are padded: to the longest of the batch (default) or of all samples. */
  pad?: 'batch' | 'longest' | undefined;
}

/** A data set. All columns have the same number of samples. */
export interface Samples {
  count: number;
  x: Nested<Column>;
  y: Nested<Column>;
  weights: Nested<Column> | undefined;
  /** Where rows of stateful layers start anew. */
  resets: Column | undefined;
}

/** How a batch is computed: with dropout or without, and where its rows start anew. */
export interface PredictHow {
  training?: boolean | undefined;
  resets?: Column | undefined;
}

export const isColumn = (value: unknown): value is Column => value instanceof Column;

/** The samples of every column, uploaded in the same nesting. */
export const uploadAll = (engine: Engine, columns: Nested<Column>, rows: Rows): Nested<Tensor> =>
  mapNested(columns, isColumn, (column) => column.upload(engine, rows));

/** The columns in a list, without those that are not given. */
export const columnsIn = (columns: readonly (Nested<Column> | undefined)[]): Column[] =>
  columns.flatMap((nested) => (nested ? leavesOf(nested, isColumn) : []));

/** The number of samples of the columns. Throws `ArgumentError` if the columns differ, or if there are no samples. */
export function countOf(columns: readonly (Nested<Column> | undefined)[]): number {
  const [first, ...others] = columnsIn(columns);
  for (const other of others) {
    if (other.count !== first!.count) {
      throw new ArgumentError(
        `${first!.name} and ${other.name} expected as many samples, got ${describe(first!)} and ${describe(other)}`,
      );
    }
  }
  if (first!.count === 0) throw new ArgumentError(`${first!.name} expected one sample or more, got none`);
  return first!.count;
}

const describe = ({ shape }: Column): string => `[${shape.join(', ')}]`;

/** 0, 1, …, count − 1. */
export const range = (count: number): Uint32Array => Uint32Array.from({ length: count }, (_, i) => i);
