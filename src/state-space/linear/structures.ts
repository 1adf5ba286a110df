import { ArgumentError } from '../../checks/argument-error.ts';
import { expectChoice } from '../../checks/choices.ts';
import { expectNumber } from '../../checks/number-ranges.ts';
import { checkOptions } from '../../checks/options.ts';
import { type DataLike, NdArray } from '../../data/array.ts';
import { identity, stationaryCovariance } from '../matrix.ts';
import { readNumbers, readSaved, type SavedStateSpace } from '../parameters.ts';
import type { LearnedParameters } from './learned.ts';
import { LinearGaussian } from './linear-gaussian.ts';
import type { LinearGaussianOptions } from './system.ts';

/** One part of a series: states with a transition, of which the first is the part's value. */
interface Component {
  /** A, row by row. */
  readonly transition: readonly (readonly number[])[];
  /** 1 for entries of A that are learned. */
  readonly free?: readonly (readonly number[])[];
  /** Variance of the noise of each state. One that is 0 stays 0. */
  readonly variances: readonly number[];
}

interface Noise {
  /** Variance of the noise of an observation, where learning starts. 0 stays 0. Default 1. */
  observationVariance?: number | undefined;
  /** Number of regressors k: inputs of the same step with learned coefficients. Default 0. */
  inputs?: number | undefined;
}

export interface LocalLevelOptions extends Noise {
  /** Variance of a step of the level, where learning starts. 0 stays 0. Default 1. */
  levelVariance?: number | undefined;
}

export interface LocalLinearTrendOptions extends LocalLevelOptions {
  /** Variance of a step of the slope, where learning starts. 0 stays 0. Default 1. */
  slopeVariance?: number | undefined;
}

export interface BasicStructuralOptions extends LocalLinearTrendOptions {
  /** Number of steps of a season, at least 2. */
  period: number;
  /** Level alone, or level and slope. Default `'linear'`. */
  trend?: 'level' | 'linear' | undefined;
  /** Variance of a step of the season, where learning starts. 0 stays 0. Default 1. */
  seasonalVariance?: number | undefined;
  /** Order of an autoregression on top, with learned coefficients. Default 0: none. */
  autoregressive?: number | undefined;
  /** Variance of its noise, where learning starts. Default 1. */
  autoregressiveVariance?: number | undefined;
}

export interface AutoregressiveOptions extends Noise {
  /** Number of steps that a step depends on. */
  order: number;
  /** Coefficients of the steps before, the nearest first, where learning starts. Default 0. */
  coefficients?: DataLike | undefined;
  /** Variance of the noise of a step, where learning starts. Default 1. */
  variance?: number | undefined;
}

const noiseNames = { observationVariance: 1, inputs: 1 };
const levelNames = { ...noiseNames, levelVariance: 1 };
const trendNames = { ...levelNames, slopeVariance: 1 };

const level = (variance: number): Component => ({ transition: [[1]], variances: [variance] });
const linearTrend = (levelVariance: number, slopeVariance: number): Component => ({
  transition: [
    [1, 1],
    [0, 1],
  ],
  variances: [levelVariance, slopeVariance],
});

/** Rows that move each state to the next place. */
const shifts = (n: number): number[][] =>
  Array.from({ length: n - 1 }, (_, i) => Array.from({ length: n }, (_, j) => (i === j ? 1 : 0)));
const zeros = (n: number): number[] => new Array<number>(n).fill(0);

/** The seasons of a period sum to 0, but for the noise. */
const season = (period: number, variance: number): Component => ({
  transition: [new Array<number>(period - 1).fill(-1), ...shifts(period - 1)],
  variances: [variance, ...zeros(period - 2)],
});

const autoregression = (coefficients: readonly number[], variance: number): Component => {
  const n = coefficients.length;
  return {
    transition: [coefficients, ...shifts(n)],
    free: [new Array<number>(n).fill(1), ...shifts(n).map(() => zeros(n))],
    variances: [variance, ...zeros(n - 1)],
  };
};

function expectVariances(what: string, variances: Readonly<Record<string, number>>): void {
  for (const [name, variance] of Object.entries(variances)) expectNumber(`${what}: ${name}`, variance, '≥ 0');
}

/** The sum of components, with noise and regressors. */
function sumOf(what: string, components: readonly Component[], noise: Noise, isStationary = false): LinearGaussian {
  const { observationVariance = isStationary ? 0 : 1, inputs = 0 } = noise;
  expectNumber(`${what}: inputs`, inputs, 'an integer ≥ 0');
  expectVariances(what, { observationVariance });
  const variances = components.flatMap((component) => component.variances);
  const n = variances.length;
  const [transition, free] = [new Float64Array(n * n), new Float64Array(n * n)];
  const observation = new Float64Array(n);
  let from = 0;
  for (const component of components) {
    observation[from] = 1;
    component.transition.forEach((row, i) => transition.set(row, (from + i) * n + from));
    component.free?.forEach((row, i) => free.set(row, (from + i) * n + from));
    from += component.variances.length;
  }
  const covariance = Float64Array.from({ length: n * n }, (_, i) => (i % (n + 1) === 0 ? variances[i / (n + 1)]! : 0));
  const learn: LearnedParameters = {
    transitionMatrix: free.includes(1) && new NdArray(free, [n, n]),
    transitionCovariance: variances.some((v) => v > 0) && variances.map((v) => (v > 0 ? 1 : 0)),
    observationCovariance: observationVariance > 0 && 'diag',
    feedthroughMatrix: inputs > 0,
  };
  return new LinearGaussian({
    transitionMatrix: new NdArray(transition, [n, n]),
    observationMatrix: new NdArray(observation, [1, n]),
    transitionCovariance: new NdArray(covariance, [n, n]),
    observationCovariance: [[observationVariance]],
    ...(inputs > 0 ? { feedthroughMatrix: new NdArray(new Float64Array(inputs), [1, inputs]) } : {}),
    ...(isStationary
      ? { initialCovariance: 'stationary' as const }
      : { initialCovariance: 'diffuse' as const, burn: n }),
    learn,
  });
}

/**
 * A level that wanders, seen through noise.
 *
 * y = level + v; the next level = level + w
 *
 * @param options.levelVariance variance of w, where learning starts; default 1.
 * @param options.observationVariance variance of v, where learning starts; default 1.
 * @param options.inputs number of regressors k; default 0.
 * @returns the model, with a diffuse initial level. `fitEm` and `fitGradient` learn the variances and coefficients.
 * @throws ArgumentError for a number out of range or an unknown option.
 * @see Harvey 1989; Durbin and Koopman 2012, chapter 2; statsmodels' UnobservedComponents
 *
 * @example
 * const model = localLevel();
 * model.fitGradient([1.2, 0.8, 1.1, 2.3, 2.1, 1.9]);
 * model.forecast([1.2, 0.8, 1.1, 2.3, 2.1, 1.9], { steps: 3 }).means.shape; // [3, 1]
 */
export function localLevel(options: LocalLevelOptions = {}): LinearGaussian {
  const { levelVariance = 1, ...noise } = checkOptions('localLevel', options, levelNames);
  expectVariances('localLevel', { levelVariance });
  return sumOf('localLevel', [level(levelVariance)], noise);
}

/**
 * A level that wanders and has a slope that wanders.
 *
 * y = level + v; the next level = level + slope + w; the next slope = slope + z
 *
 * @param options.levelVariance variance of w, where learning starts; default 1. With 0 the trend is smooth.
 * @param options.slopeVariance variance of z, where learning starts; default 1.
 * @param options.observationVariance variance of v, where learning starts; default 1.
 * @param options.inputs number of regressors k; default 0.
 * @returns the model, with diffuse initial states.
 * @throws ArgumentError for a number out of range or an unknown option.
 * @see Durbin and Koopman 2012, section 3.2; statsmodels' UnobservedComponents
 */
export function localLinearTrend(options: LocalLinearTrendOptions = {}): LinearGaussian {
  const { levelVariance = 1, slopeVariance = 1, ...noise } = checkOptions('localLinearTrend', options, trendNames);
  expectVariances('localLinearTrend', { levelVariance, slopeVariance });
  return sumOf('localLinearTrend', [linearTrend(levelVariance, slopeVariance)], noise);
}

/**
 * The basic structural model: a trend, a season, and noise.
 *
 * y = level + season + v, where the seasons of one period sum to 0 but for noise
 *
 * @param options.period number of steps of a season.
 * @param options.trend `'level'` or `'linear'`; default `'linear'`.
 * @param options.levelVariance variance of the level's noise, where learning starts; default 1. A variance of 0 stays
 *   0.
 * @param options.slopeVariance variance of the slope's noise; default 1.
 * @param options.seasonalVariance variance of the season's noise; default 1.
 * @param options.observationVariance variance of the observation's noise; default 1.
 * @param options.autoregressive order of an autoregression on top; default 0.
 * @param options.autoregressiveVariance variance of its noise; default 1.
 * @param options.inputs number of regressors k; default 0.
 * @returns the model, with diffuse initial states.
 * @throws ArgumentError for a number out of range or an unknown option.
 * @see Harvey 1989; Durbin and Koopman 2012, section 3.2; statsmodels' UnobservedComponents
 */
export function basicStructural(options: BasicStructuralOptions): LinearGaussian {
  const what = 'basicStructural';
  const names = {
    ...{ ...trendNames, period: 1, trend: 1, seasonalVariance: 1 },
    ...{ autoregressive: 1, autoregressiveVariance: 1 },
  };
  const { period, trend = 'linear', seasonalVariance = 1, ...rest } = checkOptions(what, options, names);
  const {
    autoregressive: order = 0,
    autoregressiveVariance = 1,
    levelVariance = 1,
    slopeVariance = 1,
    ...noise
  } = rest;
  expectNumber(`${what}: period`, period, 'an integer from 2 to 100,000');
  expectNumber(`${what}: autoregressive`, order, 'an integer ≥ 0');
  expectChoice(what, 'trend', trend, ['level', 'linear']);
  expectVariances(what, { levelVariance, slopeVariance, seasonalVariance, autoregressiveVariance });
  const parts = [
    trend === 'level' ? level(levelVariance) : linearTrend(levelVariance, slopeVariance),
    season(period, seasonalVariance),
    ...(order > 0 ? [autoregression(zeros(order), autoregressiveVariance)] : []),
  ];
  return sumOf(what, parts, noise);
}

/**
 * An autoregression, y = Σᵢ φᵢ y of i steps before + w, in state-space form.
 *
 * @param options.order number of steps that a step depends on.
 * @param options.coefficients φ, `[order]`, where learning starts; default 0.
 * @param options.variance variance of w, where learning starts; default 1.
 * @param options.observationVariance variance of noise on top; default 0: none.
 * @param options.inputs number of regressors k; default 0.
 * @returns the model, with the stationary initial state, so that its likelihood is the exact one. `fitGradient` learns
 *   it.
 * @throws ArgumentError for a number out of range, coefficients without a stationary state, or an unknown option.
 * @see Harvey 1989; statsmodels' SARIMAX
 */
export function autoregressive(options: AutoregressiveOptions): LinearGaussian {
  const what = 'autoregressive';
  const names = { ...noiseNames, order: 1, coefficients: 1, variance: 1 };
  const { order, coefficients, variance = 1, ...noise } = checkOptions(what, options, names);
  expectNumber(`${what}: order`, order, 'an integer ≥ 1');
  expectVariances(what, { variance });
  const start =
    coefficients === undefined
      ? zeros(order)
      : Array.from(readNumbers(`${what}: coefficients`, coefficients, [order]).data);
  const { transition } = autoregression(start, variance);
  if (!stationaryCovariance(Float64Array.from(transition.flat()), identity(order), order)) {
    throw new ArgumentError(`${what}: coefficients expected those of a stationary process, got others`);
  }
  return sumOf(what, [autoregression(start, variance)], noise, true);
}

/**
 * A linear Gaussian state-space model, for filtering, smoothing, forecasts and learning.
 *
 * y = C x + D u + v, v ~ N(0, R); the next x = A x + B u + w, w ~ N(0, Q); the first x ~ N(m, P)
 *
 * @param options.transitionMatrix A, `[n, n]` or `[T, n, n]`.
 * @param options.observationMatrix C, `[p, n]` or `[T, p, n]`.
 * @param options.transitionCovariance Q, `[n, n]` or `[T, n, n]`.
 * @param options.observationCovariance R, `[p, p]` or `[T, p, p]`.
 * @param options.controlMatrix B, `[n, k]` or `[T, n, k]`; default 0.
 * @param options.feedthroughMatrix D, `[p, k]` or `[T, p, k]`; default 0. With an input of ones it is an offset.
 * @param options.initialMean m, `[n]`; default 0.
 * @param options.initialCovariance P, `[n, n]`, `'stationary'` or `'diffuse'`; default the identity.
 * @param options.burn number of first steps that log-likelihoods leave out; default 0.
 * @param options.learn parameters, or entries of them, that are learned; default the covariances and the initial mean.
 * @returns the model.
 * @throws ArgumentError if a shape does not fit, a number is not finite, a covariance is not positive semidefinite, or
 *   an option is unknown.
 * @see Durbin and Koopman 2012; the names are those of pykalman
 *
 * @example
 * const position = linearGaussian({
 *   transitionMatrix: [[1, 1], [0, 1]],
 *   observationMatrix: [[1, 0]],
 *   transitionCovariance: [[0, 0], [0, 0.1]],
 *   observationCovariance: [[1]],
 * });
 * position.forecast([1.1, 1.9, NaN, 4.2], { steps: 2 }).means.shape; // [2, 1]
 */
export const linearGaussian = (options: LinearGaussianOptions): LinearGaussian => new LinearGaussian(options);

/**
 * A linear Gaussian model from the JSON that its `toJSON` gave.
 *
 * @param json the object, or its text.
 * @returns the model, with equal parameters.
 * @throws ArgumentError if it is no such JSON, of a later version, or its parameters do not fit.
 */
export function linearGaussianFromJson(json: SavedStateSpace | string): LinearGaussian {
  const { options } = readSaved('linearGaussianFromJson', json, ['linearGaussian']);
  return new LinearGaussian(options as LinearGaussianOptions);
}
