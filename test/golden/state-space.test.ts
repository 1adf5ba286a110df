// State-space models against statsmodels' numbers. state_space.py makes them.
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { NdArray } from '../../src/data/array.ts';
import {
  autoregressive,
  basicStructural,
  type Filtered,
  type Forecast,
  gaussianHmm,
  type LinearGaussianOptions,
  linearGaussian,
  localLevel,
  type Smoothed,
} from '../../src/state-space.ts';

interface Golden {
  general: Record<'y' | 'u' | 'filtered' | 'forecasts' | 'smoothed', number[][]> & {
    model: LinearGaussianOptions;
    logLikelihoods: number[];
    filteredCovariances: number[][][];
    smoothedCovariances: number[][][];
  };
  nile: Record<'y' | 'forecast' | 'forecastVariance', number[]> &
    Record<'observationVariance' | 'levelVariance' | 'logLikelihood', number>;
  structural: Record<'y' | 'params' | 'level' | 'slope' | 'season' | 'forecast' | 'forecastVariance', number[]> & {
    logLikelihood: number;
  };
  autoregression: Record<'y' | 'params' | 'fitted', number[]> & Record<'logLikelihood' | 'fittedLogLikelihood', number>;
  hmm: Record<'y' | 'initialProbabilities' | 'means' | 'variances' | 'fitted', number[]> &
    Record<'transitionMatrix' | 'posteriors', number[][]> &
    Record<'logLikelihood' | 'fittedLogLikelihood', number>;
}

const text = readFileSync(new URL('state-space.json', import.meta.url), 'utf8');
const golden = JSON.parse(text, (_, value) => (value === null ? Number.NaN : value)) as Golden;

/** Relative to the size of the number, or to 1. */
function expectNear(got: NdArray | ArrayLike<number>, expected: unknown, tolerance: number): void {
  const values = 'data' in got ? got.data : got;
  const flat = (expected as number[]).flat(9);
  expect(values.length).toBe(flat.length);
  flat.forEach((value, i) => {
    const error = Math.abs(values[i]! - value) / Math.max(1, Math.abs(value));
    expect(error, `${i}: ${values[i]}, not ${value}`).toBeLessThan(tolerance);
  });
}

describe('as statsmodels', () => {
  test('filter and smoother, 3 states, 2 observations, inputs, missing numbers', () => {
    const { model: options, y, u, ...expected } = golden.general;
    const model = linearGaussian(options);
    const filtered = model.filter(y, { inputs: u }) as Filtered;
    expectNear(model.stepLogLikelihoods(y, { inputs: u }) as Float64Array, expected.logLikelihoods, 1e-10);
    expectNear(filtered.means, expected.filtered, 1e-10);
    expectNear(filtered.covariances, expected.filteredCovariances, 1e-10);
    expectNear(filtered.forecasts, expected.forecasts, 1e-10);
    const smoothed = model.smooth(y, { inputs: u }) as Smoothed;
    expectNear(smoothed.means, expected.smoothed, 1e-10);
    expectNear(smoothed.covariances, expected.smoothedCovariances, 1e-10);
  });

  test('local level of the Nile: both ways of learning reach its estimates', () => {
    const { y, ...expected } = golden.nile;
    const start = { levelVariance: 5000, observationVariance: 5000 };
    const model = localLevel(start);
    expect(model.fitGradient(y, { tolerance: 1e-10 }).converged).toBe(true);
    const { transitionCovariance, observationCovariance } = model.parameters;
    expectNear(observationCovariance, [expected.observationVariance], 1e-4);
    expectNear(transitionCovariance, [expected.levelVariance], 1e-3);
    expect(model.score(y)).toBeCloseTo(expected.logLikelihood, 4);
    const forecast = model.forecast(y, { steps: 5 }) as Forecast;
    expectNear(forecast.means, expected.forecast, 1e-4);
    expectNear(forecast.covariances, expected.forecastVariance, 1e-4);

    const byEm = localLevel(start);
    byEm.fitEm(y, { maxIterations: 2000, tolerance: 1e-9 });
    expectNear(byEm.parameters.observationCovariance, [expected.observationVariance], 2e-3);
    expect(byEm.score(y)).toBeCloseTo(expected.logLikelihood, 3);
  });

  test('level, slope and season of four, with missing steps', () => {
    const { y, params, ...expected } = golden.structural;
    const [observationVariance, levelVariance, slopeVariance, seasonalVariance] = params as [
      number,
      number,
      number,
      number,
    ];
    const variances = { observationVariance, levelVariance, slopeVariance, seasonalVariance };
    const model = basicStructural({ period: 4, ...variances });
    expect(model.score(y)).toBeCloseTo(expected.logLikelihood, 6);
    const { means } = model.smooth(y) as Smoothed;
    const of = (state: number): number[] => y.map((_, t) => means.data[5 * t + state]!);
    expectNear(of(0), expected.level, 1e-6);
    expectNear(of(1), expected.slope, 1e-6);
    expectNear(of(2), expected.season, 1e-6);
    const forecast = model.forecast(y, { steps: 6 }) as Forecast;
    expectNear(forecast.means, expected.forecast, 1e-6);
    expectNear(forecast.covariances, expected.forecastVariance, 1e-6);
  });

  test('exact likelihood of an AR(3), and its estimates', () => {
    const { y, params, fitted, ...expected } = golden.autoregression;
    const model = autoregressive({ order: 3, coefficients: params.slice(0, 3), variance: params[3] });
    expect(model.score(y)).toBeCloseTo(expected.logLikelihood, 8);
    const learned = autoregressive({ order: 3 });
    expect(learned.fitGradient(y, { tolerance: 1e-10 }).converged).toBe(true);
    expect(learned.score(y)).toBeCloseTo(expected.fittedLogLikelihood, 6);
    const { transitionMatrix, transitionCovariance } = learned.parameters;
    expectNear([...transitionMatrix.data.slice(0, 3), transitionCovariance.data[0]!], fitted, 1e-4);
    expect(learned.freeParameters).toBe(4);
  });

  test('Gaussian hidden Markov model: likelihood and posteriors', () => {
    const { y, means, variances, posteriors, fitted, ...rest } = golden.hmm;
    const rows = y.map((value) => [value]);
    const of = (matrix: number[][], initial: number[], mean: number[], variance: number[]) =>
      gaussianHmm({
        states: 2,
        initialProbabilities: initial,
        transitionMatrix: matrix,
        means: mean.map((value) => [value]),
        covariances: variance.map((value) => [value]),
      });
    const model = of(rest.transitionMatrix, rest.initialProbabilities, means, variances);
    expect(model.score(rows)).toBeCloseTo(rest.logLikelihood, 8);
    expectNear(model.posteriors(rows) as NdArray, posteriors, 1e-8);
    // Its estimates are a maximum here too: the start is the steady state of the transitions.
    const [stay, turn, ...emissions] = fitted as [number, number, number, number, number, number];
    const initial = [turn / (turn + 1 - stay), (1 - stay) / (turn + 1 - stay)];
    const matrix = [
      [stay, 1 - stay],
      [turn, 1 - turn],
    ];
    const best = of(matrix, initial, emissions.slice(0, 2), emissions.slice(2));
    expect(best.score(rows)).toBeCloseTo(rest.fittedLogLikelihood, 6);
    const learned = gaussianHmm({ states: 2, initialProbabilities: initial });
    learned.fit(rows, {
      seed: 1,
      tolerance: 1e-9,
      maxIterations: 2000,
      learn: ['transitionMatrix', 'means', 'covariances'],
    });
    expect(learned.score(rows)).toBeGreaterThanOrEqual(rest.fittedLogLikelihood - 1e-6);
    expect(learned.score(rows)).toBeLessThan(rest.fittedLogLikelihood + 0.1);
  });
});
