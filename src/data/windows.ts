import { ArgumentError, expectCount, shown } from '../engine/argument-error.ts';
import { checkOptions, type Names } from '../engine/options.ts';
import { RandomStream } from '../engine/random.ts';
import { formatShape } from '../engine/shape.ts';
import { allocated, asArray, type DataLike, NdArray } from './array.ts';

export interface WindowOptions {
  /** Steps of input T. */
  inputSteps: number;
  /** Steps to forecast O, 1 unless given. */
  outputSteps?: number;
  /** Steps from the last input to the first output, 1 unless given: the next one. */
  shift?: number;
  /** Steps from the beginning of one window to that of the next, 1 unless given. */
  stride?: number;
  /** Steps between neighbours within a window, of inputs and of outputs, 1 unless given. */
  samplingRate?: number;
  /** The feature to forecast, or several. Unless given, all; the only one if the series has one. */
  target?: number | readonly number[];
  /** What to do about a window that NaN stands in: throw (default) or leave it out. */
  missing?: 'error' | 'skip';
}

const windowNames: Names<WindowOptions> = {
  inputSteps: 1,
  outputSteps: 1,
  shift: 1,
  stride: 1,
  samplingRate: 1,
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
 * @param series `[S]` or `[S, F]` in order of time.
 * @returns copies, owned by the caller.
 * @throws ArgumentError if an option is none, the series is too short for one window, `target` is no feature of it, or a number is not
 *   finite as float32 (NaN is left out with `missing: 'skip'`).
 * @see https://keras.io/api/data_loading/timeseries/#timeseries_dataset_from_array-function
 *
 * @example
 * const { x, y } = windows([10, 20, 30, 40, 50], { inputSteps: 3 }); // [[10, 20, 30], [20, 30, 40]] and [[40], [50]]
 */
export function windows(series: DataLike, options: WindowOptions): Windows {
  checkOptions('windows', options, windowNames);
  const { starts, cut } = planOf(series, options, 'windows');
  return cut(starts);
}

export interface WindowBatchOptions extends WindowOptions {
  /** Windows a batch, 32 unless given; the last batch has what is left. */
  batchSize?: number;
  /** Whether each pass takes the windows in another order; by default they come in order of time. */
  shuffle?: boolean;
  /** Of the shuffling: an integer in [0, 2³²), 0 unless given. */
  seed?: number;
}

/** Batches that are cut anew in every pass. */
export interface WindowBatches extends Iterable<Windows> {
  /** Batches in a pass. */
  readonly length: number;
}

/**
 * What `windows` cuts, batch by batch as `fit` takes them, for series of which all windows together, T times as large, would not fit.
 *
 * @param series `[S]` or `[S, F]` in order of time; looked at in every pass, so it must stay as it is.
 * @returns batches `{ x, y, at }`, each owned by the caller.
 * @throws ArgumentError as `windows` does, at once; RangeError if `seed` is none.
 */
export function windowBatches(series: DataLike, options: WindowBatchOptions): WindowBatches {
  const names = { batchSize: 1, shuffle: 1, seed: 1, ...windowNames };
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

function planOf(values: DataLike, options: WindowOptions, what: string): Plan {
  const { inputSteps, outputSteps = 1, shift = 1, stride = 1, samplingRate = 1, missing = 'error' } = options;
  checkValues({ inputSteps, outputSteps, shift, stride, samplingRate }, missing, what);
  const { data, shape } = asArray(values, `${what}: series`);
  if (shape.length < 1 || shape.length > 2) {
    throw new ArgumentError(`${what}: series expected [S] or [S, F], got ${formatShape(shape)}`);
  }
  const [steps, features = 1] = shape as [number, number?];
  const firstOutput = (inputSteps - 1) * samplingRate + shift;
  const span = firstOutput + (outputSteps - 1) * samplingRate + 1;
  if (steps < span) {
    throw new ArgumentError(`${what}: series expected ${span} steps or more for one window, got ${steps}`);
  }
  const targets = targetsOf(options.target, features, what);
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
  const single = typeof options.target === 'number' || (options.target === undefined && features === 1);
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

/** For some features, whether any of `count` steps from `first` on, `samplingRate` apart, has a number that is not finite. */
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
  if (missing !== 'error' && missing !== 'skip') {
    throw new ArgumentError(`${what}: missing expected 'error' or 'skip', got ${shown(missing)}`);
  }
}

function targetsOf(target: WindowOptions['target'], features: number, what: string): readonly number[] {
  const targets = target === undefined ? Array.from({ length: features }, (_, f) => f) : [target].flat();
  for (const f of targets) {
    if (Number.isInteger(f) && f >= 0 && f < features) continue;
    throw new ArgumentError(`${what}: target expected features from 0 to ${features - 1}, got ${shown(f)}`);
  }
  if (targets.length === 0) throw new ArgumentError(`${what}: target expected one feature or more, got none`);
  return targets;
}
