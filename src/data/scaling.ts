import { ArgumentError, expectList, shown } from '../checks/argument-error.ts';
import { checkOptions } from '../checks/options.ts';
import { formatShape } from '../checks/shape.ts';
import { asArray, type DataLike, NdArray } from './array.ts';

/**
 * An affine map of each feature, fitted on one set of samples and applied to others. The features are on the last axis.
 */
export interface Scaler {
  /**
   * Scales values. NaN stays NaN.
   *
   * @param values `[…, F]`, or any shape if the scaler has one feature.
   * @returns the same shape, float32; the caller owns it.
   * @throws ArgumentError if the last axis is not F.
   */
  transform(values: DataLike, options?: ScaleOptions): NdArray<Float32Array>;
  /**
   * Inverts `transform`: forecasts in the units of the data.
   *
   * @param values scaled values `[…, F]`. An array `[N, F]` that `transform` did not make is ambiguous: its rows may be
   *   F features, or F steps of one feature. Then the option `feature` is required, unless the scaler has one feature.
   * @returns the same shape, float32; the caller owns it.
   * @throws ArgumentError if the last axis is not F, or if `feature` is required and missing.
   * @example
   * scale.inverse(model.predict(x), { feature: 0 }); // [N, steps] of one feature
   * scale.inverse(model.predict(x), { feature: [0, 1, 2] }); // [N, 3], one number for each feature
   */
  inverse(values: DataLike, options?: ScaleOptions): NdArray<Float32Array>;
}

export interface ScaleOptions {
  /**
   * Scales every value as this feature, whatever the shape. A list names the feature of each place on the last axis.
   */
  feature?: number | readonly number[] | undefined;
}

export interface StandardScaler extends Scaler {
  /** `[F]` */
  readonly mean: Float64Array;
  /** `[F]`, the standard deviation of the population (with division by N). */
  readonly std: Float64Array;
}

export interface MinMaxScaler extends Scaler {
  /** `[F]` */
  readonly min: Float64Array;
  /** `[F]` */
  readonly max: Float64Array;
}

/**
 * Scales each feature to mean 0 and standard deviation 1: z = (x − mean) / std. A constant feature is only shifted.
 *
 * @param train `[…, F]`, or `[N]` for one feature. NaN is ignored. Only the training part belongs here: statistics of
 *   the test part would leak into training.
 * @returns a scaler with `mean` and `std`, `[F]` float64.
 * @throws ArgumentError if a feature has no value or an infinite one.
 * @see https://scikit-learn.org/stable/modules/generated/sklearn.preprocessing.StandardScaler.html
 * @example
 * const [past, future] = splitAt([1, 2, 3, 4, 5], 3);
 * const scale = standardize(past);
 * scale.transform(future);
 */
export function standardize(train: DataLike): StandardScaler {
  const columns = featuresOf(train, 'standardize');
  const mean = Float64Array.from(columns, (values) => meanOf(values));
  const std = Float64Array.from(columns, (values, f) => Math.sqrt(meanOf(values, (x) => (x - mean[f]!) ** 2)));
  // The mean of equal numbers may be off by one rounding error; such a difference is not a deviation.
  const scale = std.map((s, f) => (s > 1e-15 * Math.abs(mean[f]!) ? s : 1));
  return { mean, std, ...affine(mean, scale, 'standardize') };
}

/**
 * Scales each feature to a range: y = low + (x − min) · (high − low) / (max − min). A constant feature becomes `low`.
 *
 * @param train `[…, F]`, or `[N]` for one feature. NaN is ignored. Only the training part belongs here.
 * @param options.range `[low, high]`. Default `[0, 1]`.
 * @returns a scaler with `min` and `max`, `[F]` float64.
 * @throws ArgumentError if a feature has no value or an infinite one, `range` is not two ascending numbers, or an
 *   option is unknown.
 * @see https://scikit-learn.org/stable/modules/generated/sklearn.preprocessing.MinMaxScaler.html
 * @example
 * minMaxScale([0, 5, 10], { range: [-1, 1] }).transform([5]).toNested(); // [0]
 */
export function minMaxScale(
  train: DataLike,
  options: { range?: readonly [number, number] | undefined } = {},
): MinMaxScaler {
  const { range = [0, 1] } = checkOptions('minMaxScale', options, { range: 1 });
  expectList('minMaxScale: range', range);
  const [low, high] = range;
  if (![low, high].every(Number.isFinite) || !(low < high && Number.isFinite(high - low))) {
    throw new ArgumentError(`minMaxScale: range expected two numbers, the lower first, got ${formatShape(range)}`);
  }
  const columns = featuresOf(train, 'minMaxScale');
  const min = Float64Array.from(columns, (values) => values.reduce((a, b) => Math.min(a, b)));
  const max = Float64Array.from(columns, (values) => values.reduce((a, b) => Math.max(a, b)));
  const scale = min.map((value, f) => (max[f]! > value ? (max[f]! - value) / (high - low) : 1));
  const offset = min.map((value, f) => value - low * scale[f]!);
  return { min, max, ...affine(offset, scale, 'minMaxScale') };
}

/** y = (x − offset) / scale and its inverse. */
function affine(offset: Float64Array, scale: Float64Array, what: string): Scaler {
  const count = offset.length;
  const own = new WeakSet<object>();
  const map = (
    values: DataLike,
    options: ScaleOptions,
    each: (x: number, f: number) => number,
    isForecast: boolean,
  ) => {
    const { data, shape } = asArray(values, `${what}: values`);
    const { feature = count === 1 ? 0 : undefined } = checkOptions(what, options, { feature: 1 });
    const features = feature === undefined ? [...offset.keys()] : [feature].flat();
    const none = features.find((f) => typeof f !== 'number' || !(f in offset));
    if (none !== undefined || features.length === 0) {
      throw new ArgumentError(`${what}: feature expected 0 to ${count - 1}, got ${shown(none)}`);
    }
    if (typeof feature !== 'number' && shape.at(-1) !== features.length) {
      throw new ArgumentError(
        `${what}: values expected a last axis of ${features.length} features, or the option feature, got ${formatShape(shape)}`,
      );
    }
    // Forecasts with two axes may be samples and steps, or samples and features.
    if (feature === undefined && isForecast && shape.length < 3) {
      throw new ArgumentError(
        `${what}: feature expected, for ${formatShape(shape)} may be steps of one feature (feature: 0) or all features (feature: [${features}])`,
      );
    }
    return new NdArray(
      Float32Array.from(data, (x, i) => each(x, features[i % features.length]!)),
      shape,
    );
  };
  return {
    transform(values, options = {}) {
      const scaled = map(values, options, (x, f) => (x - offset[f]!) / scale[f]!, false);
      own.add(scaled);
      return scaled;
    },
    inverse: (values, options = {}) =>
      map(values, options, (y, f) => y * scale[f]! + offset[f]!, !own.has(Object(values))),
  };
}

/** Each feature's values without NaN. */
function featuresOf(train: DataLike, what: string): number[][] {
  const { data, shape } = asArray(train, `${what}: train`);
  if (shape.length === 0) throw new ArgumentError(`${what}: train expected a list or an array, got a single number`);
  const features = shape.length === 1 ? 1 : shape.at(-1)!;
  const columns = Array.from({ length: features }, (): number[] => []);
  for (let i = 0; i < data.length; i++) {
    const value = data[i]!;
    if (Number.isFinite(value)) columns[i % features]!.push(value);
    else if (!Number.isNaN(value))
      throw new ArgumentError(`${what}: train expected finite numbers, got ${value} (flat index ${i})`);
  }
  const empty = columns.findIndex((values) => values.length === 0);
  if (empty >= 0 || features === 0)
    throw new ArgumentError(`${what}: train has no value of feature ${Math.max(empty, 0)}`);
  return columns;
}

const meanOf = (values: readonly number[], of = (x: number): number => x): number =>
  values.reduce((sum, x) => sum + of(x), 0) / values.length;
