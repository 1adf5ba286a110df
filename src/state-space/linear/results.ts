import type { NdArray } from '../../data/array.ts';

/** What the filter says of one sequence. */
export interface Filtered {
  /** Means of the states given the observations up to each step, `[T, n]`. */
  means: NdArray<Float64Array>;
  /** Their covariances, `[T, n, n]`. */
  covariances: NdArray<Float64Array>;
  /** Means of the states given the observations before each step, `[T, n]`. */
  predictedMeans: NdArray<Float64Array>;
  /** Their covariances, `[T, n, n]`. */
  predictedCovariances: NdArray<Float64Array>;
  /** One-step forecasts of the observations, `[T, p]`. */
  forecasts: NdArray<Float64Array>;
  /** Their covariances, noise of the observation included, `[T, p, p]`. */
  forecastCovariances: NdArray<Float64Array>;
  /** Observations minus forecasts, `[T, p]`; NaN where an observation is missing. */
  innovations: NdArray<Float64Array>;
  logLikelihood: number;
}

/** States given all observations of a sequence. */
export interface Smoothed {
  /** `[T, n]` */
  means: NdArray<Float64Array>;
  /** `[T, n, n]` */
  covariances: NdArray<Float64Array>;
}

/** What follows a sequence. */
export interface Forecast {
  /** Means of the observations, `[steps, p]`. */
  means: NdArray<Float64Array>;
  /** Their covariances, noise of the observation included, `[steps, p, p]`. */
  covariances: NdArray<Float64Array>;
  /** Means of the states, `[steps, n]`. */
  stateMeans: NdArray<Float64Array>;
  /** Their covariances, `[steps, n, n]`. */
  stateCovariances: NdArray<Float64Array>;
}
