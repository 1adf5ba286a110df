import { ArgumentError, expectCount, shown } from '../checks/argument-error.ts';
import { checkOptions, type Names } from '../checks/options.ts';
import { formatShape } from '../checks/shape.ts';
import { RandomStream } from '../engine/random.ts';
import { allocated, asArray, type DataLike, NdArray } from './array.ts';
import type { CsvTable } from './tables/csv.ts';
import { interpolate } from './tables/interpolate.ts';
import { isStrings } from './text/lines.ts';

export interface WindowOptions {
  /** Input steps T. */
  inputSteps: number;
  /** Steps to forecast O. Default 1. */
  outputSteps?: number | undefined;
  /** Steps from the last input to the first output. Default 1: the next step. */
  shift?: number | undefined;
  /** Steps from the start of one window to the start of the next. Default 1. */
  stride?: number | undefined;
  /** Distance of neighbours within a window, in steps, for inputs and outputs. Default 1. */
  samplingRate?: number | undefined;
  /**
   * For a table: the columns that are features; default: all columns of numbers. For an array: the names of its
   * features.
   */
  columns?: readonly string[] | undefined;
  /** The feature or features to forecast, by index or name. Default: all. */
  target?: number | string | readonly (number | string)[] | undefined;
  /**
   * Treatment of NaN: throw (default), leave out the windows that contain it, or interpolate linearly between the
   * values before and after; at the ends of the series it repeats the nearest value. Interpolation uses a later value,
   * which is not available yet in a real forecast.
   */
  missing?: 'error' | 'skip' | 'interpolate' | undefined;
}

const windowNames: Names<WindowOptions> = {
  inputSteps: 1,
  outputSteps: 1,
  shift: 1,
  stride: 1,
  samplingRate: 1,
  columns: 1,
  target: 1,
  missing: 1,
};

export interface Windows {
  /** `[N, T, F]` */
  x: NdArray<Float32Array>;
  /** `[N, O]` for one feature; `[N, O, K]` if `target` is a list or there are several features. */
  y: NdArray<Float32Array>;
  /** `[N]`: for each window the index of its first output in the series, to look up the date. */
  at: Int32Array<ArrayBuffer>;
}

/**
 * Cuts a series into samples for forecasting: T consecutive input steps, and the next O steps as targets.
 *
 *     x[n, t] = series[n·stride + t·samplingRate]
 *     y[n, o] = series[n·stride + (T − 1)·samplingRate + shift + o·samplingRate, target]
 *
 * @param series `[S]` or `[S, F]` in the order of time, or a table that `loadCsv` returns.
 * @param options inputSteps T is required; default: outputSteps 1, shift 1, stride 1, samplingRate 1, missing 'error'.
 * @returns `x` `[N, T, F]` f32, `y` `[N, O]` or `[N, O, K]` f32, `at` `[N]` i32; copies that the caller owns.
 * @throws ArgumentError if an option is unknown or out of its range, the series is too short for one window, `target`
 *   is not one of its features, the table lacks a column or the column has no numbers, a number is not finite as
 *   float32 (NaN is allowed with `missing: 'skip'` or `'interpolate'`), or with `missing: 'interpolate'` a feature has
 *   only NaN.
 * @see https://keras.io/api/data_loading/timeseries/#timeseries_dataset_from_array-function
 * @example
 * const { x, y } = windows([10, 20, 30, 40, 50], { inputSteps: 3 }); // [[10, 20, 30], [20, 30, 40]] and [[40], [50]]
 * const table = await loadCsv('data.csv');
 * const days = windows(table, { inputSteps: 2, columns: ['load', 'price'], target: 'load' });
 */
export function windows(series: DataLike | CsvTable, options: WindowOptions): Windows {
  checkOptions('windows', options, windowNames);
  const { starts, cut } = planOf(series, options, 'windows');
  return cut(starts);
}

export interface WindowBatchOptions extends WindowOptions {
  /** Windows of a batch. Default 32. The last batch may have fewer. */
  batchSize?: number | undefined;
  /** Whether each pass has another order. Default false: the order of time. */
  shuffle?: boolean | undefined;
  /** Seed of the shuffling, an integer in [0, 2³²). Default 0. */
  seed?: number | undefined;
}

/** Batches that are cut again in every pass. */
export interface WindowBatches extends Iterable<Windows> {
  /** Number of batches in a pass. */
  readonly length: number;
}

/**
 * Cuts the same windows as `windows`, batch by batch, for `fit`. It suits series whose windows do not all fit into
 * memory: together they are T times as large as the series.
 *
 * @param series `[S]` or `[S, F]` in the order of time, or a table that `loadCsv` returns. It is read in every pass, so
 *   it must not change.
 * @param options those of `windows`; default: batchSize 32, shuffle false, seed 0.
 * @returns an iterable of batches `{ x, y, at }` with its `length`; the caller owns each batch.
 * @throws ArgumentError if an option is unknown or out of its range, the series is too short for one window, `target`
 *   is not one of its features, the table lacks a column or the column has no numbers, a number is not finite as
 *   float32 (NaN is allowed with `missing: 'skip'` or `'interpolate'`), or with `missing: 'interpolate'` a feature has
 *   only NaN.
 * @see https://keras.io/api/data_loading/timeseries/#timeseries_dataset_from_array-function
 * @example
 * const series = Float32Array.from({ length: 40 }, (_, t) => Math.sin(t));
 * const batches = windowBatches(series, { inputSteps: 5, batchSize: 8, shuffle: true });
 * for (const batch of batches) console.log(batch.x.shape); // [8, 5, 1], and [3, 5, 1] at last
 */
export function windowBatches(series: DataLike | CsvTable, options: WindowBatchOptions): WindowBatches {
  const names = { batchSize: 1, shuffle: true, seed: 1, ...windowNames };
  const { batchSize = 32, shuffle = false, seed = 0 } = checkOptions('windowBatches', options, names);
  expectCount('windowBatches: batchSize', batchSize);
  const { starts, cut } = planOf(series, options, 'windowBatches');
  const order = starts.slice();
  const random = new RandomStream(seed);
  return {
    length: Math.ceil(starts.length / batchSize),
    *[Symbol.iterator]() {
      // Each pass has its own copy of the order, so that a second pass may start before the first one ends.
      const mine = shuffle ? random.shuffle(order).slice() : order;
      for (let from = 0; from < mine.length; from += batchSize) yield cut(mine.subarray(from, from + batchSize));
    },
  };
}

interface Plan {
  /** The first step of every window. */
  readonly starts: Uint32Array;
  cut(starts: Uint32Array): Windows;
}

function planOf(values: DataLike | CsvTable, options: WindowOptions, what: string): Plan {
  const { inputSteps, outputSteps = 1, shift = 1, stride = 1, samplingRate = 1, missing = 'error' } = options;
  checkValues({ inputSteps, outputSteps, shift, stride, samplingRate }, missing, what);
  const { array, names } = seriesOf(values, options.columns, what);
  const { shape } = array;
  if (shape.length < 1 || shape.length > 2) {
    throw new ArgumentError(`${what}: series expected [S] or [S, F], got ${formatShape(shape)}`);
  }
  const [steps, features = 1] = shape as [number, number?];
  const firstOutput = (inputSteps - 1) * samplingRate + shift;
  const span = firstOutput + (outputSteps - 1) * samplingRate + 1;
  if (steps < span) {
    throw new ArgumentError(`${what}: series expected ${span} steps or more for one window, got ${steps}`);
  }
  const targets = targetsOf(options.target, names ?? features, what);
  const data = missing === 'interpolate' ? filled(array.data, features, what) : array.data;
  // The indices of a window's numbers, relative to its first step.
  const places = (count: number, first: number, of: readonly number[]): number[] =>
    Array.from({ length: count }, (_, t) => of.map((f) => (first + t * samplingRate) * features + f)).flat();
  const inputs = places(inputSteps, 0, [...Array(features).keys()]);
  const outputs = places(outputSteps, firstOutput, targets);

  const isThere = (at: number): boolean => {
    const value = data[at]!;
    if (Number.isFinite(Math.fround(value))) return true;
    if (Number.isNaN(value) && missing === 'skip') return false;
    const place = `step ${Math.floor(at / features)}, feature ${at % features}`;
    throw new ArgumentError(`${what}: series expected finite numbers, got ${shown(value)} at ${place}`);
  };
  // Windows overlap. Prefix sums tell which windows contain a number that is not finite; only those are searched.
  const hasFaultIn = faultSums(data, { steps, features, samplingRate });
  const [inputFaults, outputFaults] = [hasFaultIn([...Array(features).keys()]), hasFaultIn(targets)];
  const canSkip = missing === 'skip' && !Array.prototype.some.call(data, isInfinite);
  const all = Uint32Array.from({ length: Math.floor((steps - span) / stride) + 1 }, (_, n) => n * stride);
  const starts = all.filter((start) => {
    if (!inputFaults(start, inputSteps) && !outputFaults(start + firstOutput, outputSteps)) return true;
    if (canSkip) return false;
    const from = start * features;
    return inputs.every((at) => isThere(from + at)) && outputs.every((at) => isThere(from + at));
  });
  if (starts.length === 0) throw new ArgumentError(`${what}: series has NaN in each of its ${all.length} windows`);

  const gather = (chosen: Uint32Array, offsets: readonly number[]): Float32Array => {
    const gathered = allocated(
      Float32Array,
      chosen.length * offsets.length,
      `${what}: series (windowBatches cuts it batch by batch)`,
    );
    for (const [n, start] of chosen.entries()) {
      for (const [i, at] of offsets.entries()) gathered[n * offsets.length + i] = data[start * features + at]!;
    }
    return gathered;
  };
  const single =
    ['number', 'string'].includes(typeof options.target) || (options.target === undefined && features === 1);
  const outputShape = single ? [outputSteps] : [outputSteps, targets.length];
  return {
    starts,
    cut: (chosen) => ({
      x: new NdArray(gather(chosen, inputs), [chosen.length, inputSteps, features]),
      y: new NdArray(gather(chosen, outputs), [chosen.length, ...outputShape]),
      at: Int32Array.from(chosen, (start) => start + firstOutput),
    }),
  };
}

const isInfinite = (value: number): boolean => !Number.isNaN(value) && !Number.isFinite(Math.fround(value));

/**
 * Prefix sums that tell whether any of `count` steps from `first` on, `samplingRate` apart, has a number that is not
 * finite in some features.
 */
function faultSums(
  data: ArrayLike<number>,
  { steps, features, samplingRate }: { steps: number; features: number; samplingRate: number },
): (of: readonly number[]) => (first: number, count: number) => boolean {
  return (of) => {
    // sums[s] counts over the steps s, s − samplingRate, s − 2·samplingRate, ….
    const sums = new Uint32Array(steps);
    for (let s = 0; s < steps; s++) {
      let sum = s < samplingRate ? 0 : sums[s - samplingRate]!;
      for (const f of of) if (!Number.isFinite(Math.fround(data[s * features + f]!))) sum++;
      sums[s] = sum;
    }
    return (first, count) => {
      const before = first < samplingRate ? 0 : sums[first - samplingRate]!;
      return sums[first + (count - 1) * samplingRate]! > before;
    };
  };
}

function checkValues(counts: Record<string, number>, missing: string, what: string): void {
  for (const [key, value] of Object.entries(counts)) expectCount(`${what}: ${key}`, value);
  if (!['error', 'skip', 'interpolate'].includes(missing)) {
    throw new ArgumentError(`${what}: missing expected 'error', 'skip' or 'interpolate', got ${shown(missing)}`);
  }
}

/** The numbers of a series, and the names of its features if it has names. */
function seriesOf(
  values: DataLike | CsvTable,
  columns: unknown,
  what: string,
): { array: NdArray; names: readonly string[] | undefined } {
  if (columns !== undefined && !isStrings(columns)) {
    throw new ArgumentError(`${what}: columns expected a list of names, got ${shown(columns)}`);
  }
  // A table is recognized by a method, so that apps that pass arrays do not carry the CSV reader.
  if (typeof (values as CsvTable | null)?.typeOf === 'function') {
    const table = values as CsvTable;
    const names = columns ?? table.names.filter((name) => table.typeOf(name) === 'number');
    if (names.length === 0) throw new ArgumentError(`${what}: columns expected one of numbers or more, got none`);
    return { array: table.array(names), names };
  }
  const array = asArray(values as DataLike, `${what}: series`);
  const features = array.shape.length === 2 ? array.shape[1] : 1;
  if (columns === undefined || columns.length === features) return { array, names: columns };
  throw new ArgumentError(`${what}: columns expected a name for each of ${features} features, got ${columns.length}`);
}

/** A copy with NaN replaced by interpolation. */
function filled(data: ArrayLike<number>, features: number, what: string): Float64Array {
  const copy = Float64Array.from(data);
  for (let f = 0; f < features; f++) {
    if (!interpolate(copy, f, features)) throw new ArgumentError(`${what}: series has nothing but NaN in feature ${f}`);
  }
  return copy;
}

/** The indices of the features to forecast. */
function targetsOf(
  target: WindowOptions['target'],
  known: number | readonly string[],
  what: string,
): readonly number[] {
  const features = typeof known === 'number' ? known : known.length;
  const targets = target === undefined ? Array.from({ length: features }, (_, f) => f) : [target].flat();
  const places = targets.map((wanted) => {
    const f = typeof wanted === 'string' && typeof known === 'object' ? known.indexOf(wanted) : wanted;
    if (typeof f === 'number' && Number.isInteger(f) && f >= 0 && f < features) return f;
    const names =
      typeof known === 'object'
        ? `, or ${known
            .slice(0, 50)
            .map((name) => shown(name))
            .join(', ')}`
        : '';
    const hint = typeof f === 'string' ? ' (columns: [...] gives them names)' : '';
    throw new ArgumentError(
      `${what}: target expected features from 0 to ${features - 1}${names}${hint}, got ${shown(wanted)}`,
    );
  });
  if (places.length === 0) throw new ArgumentError(`${what}: target expected one feature or more, got none`);
  return places;
}
