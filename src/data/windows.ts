import { ArgumentError, expectCount, shown } from '../checks/argument-error.ts';
import { checkOptions, type Names } from '../checks/options.ts';
import { formatShape } from '../checks/shape.ts';
import { RandomStream } from '../engine/random.ts';
import { allocated, asArray, type DataLike, NdArray } from './array.ts';
import type { CsvTable } from './tables/csv.ts';
import { interpolate } from './tables/interpolate.ts';
import { isStrings } from './text/lines.ts';

export interface WindowOptions {
  /** Steps of input T. */
  inputSteps: number;
  /** Steps to forecast O, 1 unless given. */
  outputSteps?: number | undefined;
  /** Steps from the last input to the first output, 1 unless given: the next one. */
  shift?: number | undefined;
  /** Steps from the beginning of one window to that of the next, 1 unless given. */
  stride?: number | undefined;
  /** Steps between neighbours within a window, of inputs and of outputs, 1 unless given. */
  samplingRate?: number | undefined;
  /**
   * Of a table, the columns that are the features, all columns of numbers unless given; of an array, the names of its
   * features.
   */
  columns?: readonly string[] | undefined;
  /**
   * The feature to forecast, or several, by number or by name. Unless given, all; the only one if the series has one.
   */
  target?: number | string | readonly (number | string)[] | undefined;
  /**
   * What to do about NaN: throw (default), leave out the windows that it stands in, or put what lies on the line
   * between the values before and behind (at the ends of the series the nearest value). The value behind is one that a
   * forecast would not know yet.
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
  /** `[N, O]` if one feature is forecast, `[N, O, K]` if `target` is a list or several are. */
  y: NdArray<Float32Array>;
  /** `[N]`: the step of the series at which each window's first output stands, to look up its date. */
  at: Int32Array<ArrayBuffer>;
}

/**
 * Cuts a series into samples for forecasting: T consecutive steps, and the O that come next.
 *
 *     x[n, t] = series[n·stride + t·samplingRate]
 *     y[n, o] = series[n·stride + (T − 1)·samplingRate + shift + o·samplingRate, target]
 *
 * @param series `[S]` or `[S, F]` in order of time, or a table as `loadCsv` reads it.
 * @returns copies, owned by the caller.
 * @throws ArgumentError if an option is none, the series is too short for one window, `target` is no feature of it, a
 *   column is none of the table's or has no numbers, a number is not finite as float32 (NaN is left out with `missing:
 *   'skip'`), or with `missing: 'interpolate'` all of a feature are NaN.
 * @see https://keras.io/api/data_loading/timeseries/#timeseries_dataset_from_array-function
 *
 * @example
 * const { x, y } = windows([10, 20, 30, 40, 50], { inputSteps: 3 }); // [[10, 20, 30], [20, 30, 40]] and [[40], [50]]
 * const day = windows(table, { inputSteps: 24, columns: ['load', 'temp'], target: 'load', outputSteps: 6 });
 */
export function windows(series: DataLike | CsvTable, options: WindowOptions): Windows {
  checkOptions('windows', options, windowNames);
  const { starts, cut } = planOf(series, options, 'windows');
  return cut(starts);
}

export interface WindowBatchOptions extends WindowOptions {
  /** Windows a batch, 32 unless given; the last batch has what is left. */
  batchSize?: number | undefined;
  /** Whether each pass takes the windows in another order; by default they come in order of time. */
  shuffle?: boolean | undefined;
  /** Of the shuffling: an integer in [0, 2³²), 0 unless given. */
  seed?: number | undefined;
}

/** Batches that are cut anew in every pass. */
export interface WindowBatches extends Iterable<Windows> {
  /** Batches in a pass. */
  readonly length: number;
}

/**
 * What `windows` cuts, batch by batch as `fit` takes them, for series of which all windows together, T times as large,
 * would not fit.
 *
 * @param series as for `windows`; looked at in every pass, so it must stay as it is.
 * @returns batches `{ x, y, at }`, each owned by the caller.
 * @throws ArgumentError as `windows` does, at once or `seed` is none.
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
      // A pass that another one overtakes keeps its order.
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
  // Where a window's numbers stand, from its first step on.
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
  // Windows overlap: each is looked through only where the sums say that something is missing in it.
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
 * For some features, whether any of `count` steps from `first` on, `samplingRate` apart, has a number that is not
 * finite.
 */
function faultSums(
  data: ArrayLike<number>,
  { steps, features, samplingRate }: { steps: number; features: number; samplingRate: number },
): (of: readonly number[]) => (first: number, count: number) => boolean {
  return (of) => {
    // Of the steps s, s − samplingRate, s − 2·samplingRate, ….
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

/** The numbers of a series, and what its features are called if they have names. */
function seriesOf(
  values: DataLike | CsvTable,
  columns: unknown,
  what: string,
): { array: NdArray; names: readonly string[] | undefined } {
  if (columns !== undefined && !isStrings(columns)) {
    throw new ArgumentError(`${what}: columns expected a list of names, got ${shown(columns)}`);
  }
  // Told by what it can do, so that whoever brings arrays carries no reader of tables.
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

/** A copy without NaN. */
function filled(data: ArrayLike<number>, features: number, what: string): Float64Array {
  const copy = Float64Array.from(data);
  for (let f = 0; f < features; f++) {
    if (!interpolate(copy, f, features)) throw new ArgumentError(`${what}: series has nothing but NaN in feature ${f}`);
  }
  return copy;
}

/** The numbers of the features to forecast, of so many features, or of those with these names. */
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
