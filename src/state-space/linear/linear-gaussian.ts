import { ArgumentError } from '../../checks/argument-error.ts';
import { expectNumber } from '../../checks/number-ranges.ts';
import { checkOptions } from '../../checks/options.ts';
import type { Shape } from '../../checks/shape.ts';
import { type DataLike, NdArray } from '../../data/array.ts';
import { ln } from '../../engine/float64.ts';
import { nextStream, RandomStream } from '../../engine/random.ts';
import { addTo, congruence, type Matrix, product, semidefiniteFactor } from '../matrix.ts';
import { type SavedStateSpace, saved } from '../parameters.ts';
import type { FitHistory, OneOrEach } from '../results.ts';
import type { SequencesLike } from '../sequences.ts';
import { expectEm, maximize } from './em.ts';
import { climb } from './gradient-fit.ts';
import {
  at,
  type FilterStep,
  kalmanFilter,
  kalmanSmoother,
  type LinearSystem,
  type Observed,
  predict,
  SingularInnovation,
} from './kalman.ts';
import { countFree, type LearnedParameters, type ParameterName, SYSTEM_NAMES } from './learned.ts';
import { type FilterOptions, learnedOf, readObserved } from './observations.ts';
import type { Filtered, Forecast, Smoothed } from './results.ts';
import {
  type InitialKind,
  type LinearGaussianOptions,
  type Model,
  readSystem,
  type System,
  shapeOf,
  totalOf,
} from './system.ts';

export interface EmOptions extends FilterOptions {
  /** Learning ends when a round raises the log-likelihood by less. Default 1e-4. */
  tolerance?: number | undefined;
  /** Most rounds. Default 100. */
  maxIterations?: number | undefined;
  /** Parameters that are learned. Default: those of the model. */
  learn?: LearnedParameters | undefined;
}

export interface GradientFitOptions extends FilterOptions {
  /** Learning ends when two iterations in a row raise the log-likelihood by less. Default 1e-6. */
  tolerance?: number | undefined;
  /** Most iterations. Default 200. */
  maxIterations?: number | undefined;
  /** Parameters that are learned. Default: those of the model. */
  learn?: LearnedParameters | undefined;
}

/**
 * A linear Gaussian state-space model.
 *
 * y = C x + D u + v, v ~ N(0, R); the next x = A x + B u + w, w ~ N(0, Q); the first x ~ N(m, P)
 *
 * `linearGaussian` makes one of matrices, `localLevel`, `localLinearTrend`, `basicStructural` and `autoregressive` make
 * the usual ones. All numbers are float64.
 */
export class LinearGaussian {
  #system: System;
  readonly #initial: InitialKind;
  readonly #burn: number;
  readonly #learn: LearnedParameters;

  /** @internal */
  constructor(options: LinearGaussianOptions) {
    const what = 'linearGaussian';
    const names = {
      ...{ transitionMatrix: 1, observationMatrix: 1, transitionCovariance: 1, observationCovariance: 1 },
      ...{ controlMatrix: 1, feedthroughMatrix: 1, initialMean: 1, initialCovariance: 1, burn: 1, learn: 1 },
    };
    const { burn = 0, ...given } = checkOptions(what, options, names);
    expectNumber(`${what}: burn`, burn, 'an integer ≥ 0');
    const { system, initial } = readSystem(what, given);
    this.#system = system;
    this.#initial = initial;
    this.#burn = burn;
    this.#learn = given.learn ?? {
      transitionCovariance: !Number.isFinite(system.stateNoise.steps) && 'full',
      observationCovariance: !Number.isFinite(system.observationNoise.steps) && 'full',
      initialMean: true,
      initialCovariance: initial === 'given' && 'full',
    };
    learnedOf(`${what}: learn`, this.#learn, this.#model);
  }

  /** The parameters by their option names, each as an array. */
  get parameters(): Record<ParameterName, NdArray<Float64Array>> {
    return Object.fromEntries(
      Object.entries(SYSTEM_NAMES).map(([name, key]) => {
        const { data, steps } = this.#system[key];
        const shape = shapeOf(this.#system, name as ParameterName);
        return [name, new NdArray(data.slice(), Number.isFinite(steps) ? [steps, ...shape] : shape)];
      }),
    ) as Record<ParameterName, NdArray<Float64Array>>;
  }

  get #model(): Model {
    return { system: this.#system, initial: this.#initial, burn: this.#burn };
  }

  #filter(what: string, sequence: Observed, system: LinearSystem = this.#system): FilterStep[] {
    try {
      return kalmanFilter(system, sequence);
    } catch (error) {
      if (!(error instanceof SingularInnovation)) throw error;
      throw new ArgumentError(
        `linearGaussian.${what}: observationCovariance expected noise where the state is known, got a singular forecast at step ${error.step}`,
      );
    }
  }

  /**
   * The Kalman filter: states and forecasts given what was observed before.
   *
   * @param observations `[T, p]`, several `[N, T, p]` or a list of unequal length. NaN is a missing observation.
   * @param options.inputs `[T, k]` of each sequence.
   * @returns the results of the sequence, or a list of them if a list was given.
   * @throws ArgumentError if shapes do not fit, a number is infinite, inputs are missing, a forecast has a singular
   *   covariance, or an option is unknown.
   * @see Kalman 1960; the filter of statsmodels and filterpy
   */
  filter<S extends SequencesLike>(observations: S, options: FilterOptions = {}): OneOrEach<Filtered, S> {
    const { inputs } = checkOptions('linearGaussian.filter', options, { inputs: 1 });
    const { sequences, isSingle } = readObserved('filter', this.#system, { given: observations, inputs });
    const { n, p } = this.#system;
    const results = sequences.map((sequence): Filtered => {
      const { steps: t, y } = sequence;
      const steps = this.#filter('filter', sequence);
      const forecasts = steps.map((step, i) => this.#observe(step.mean, step.covariance, sequence, i, i));
      const means = joined(
        forecasts.map(({ mean }) => mean),
        [t, p],
      );
      return {
        means: joined(
          steps.map(({ filteredMean }) => filteredMean),
          [t, n],
        ),
        covariances: joined(
          steps.map(({ filteredCovariance }) => filteredCovariance),
          [t, n, n],
        ),
        predictedMeans: joined(
          steps.map(({ mean }) => mean),
          [t, n],
        ),
        predictedCovariances: joined(
          steps.map(({ covariance }) => covariance),
          [t, n, n],
        ),
        forecasts: means,
        forecastCovariances: joined(
          forecasts.map(({ covariance }) => covariance),
          [t, p, p],
        ),
        innovations: new NdArray(
          y.map((value, i) => value - means.data[i]!),
          [t, p],
        ),
        logLikelihood: totalOf(this.#model, steps),
      };
    });
    return (isSingle ? results[0]! : results) as OneOrEach<Filtered, S>;
  }

  /** Mean and covariance of y from those of x. `step` is that of the matrices, `t` that of the inputs. */
  #observe(mean: Matrix, covariance: Matrix, { u, sequence }: Observed, step: number, t: number) {
    const { n, p, k } = this.#system;
    const c = at(this.#system.observation, sequence, step);
    const y = product(c, mean, p, n, 1);
    if (k > 0) addTo(y, product(at(this.#system.feedthrough, sequence, step), u.subarray(t * k, (t + 1) * k), p, k, 1));
    return {
      mean: y,
      covariance: addTo(congruence(c, covariance, p, n), at(this.#system.observationNoise, sequence, step)),
    };
  }

  /**
   * The smoother: states given all observations, those of Rauch, Tung and Striebel.
   *
   * @param observations as for `filter`.
   * @param options.inputs `[T, k]` of each sequence.
   * @returns the results of the sequence, or a list of them if a list was given.
   * @throws ArgumentError as `filter`.
   */
  smooth<S extends SequencesLike>(observations: S, options: FilterOptions = {}): OneOrEach<Smoothed, S> {
    const { inputs } = checkOptions('linearGaussian.smooth', options, { inputs: 1 });
    const { sequences, isSingle } = readObserved('smooth', this.#system, { given: observations, inputs });
    const { n } = this.#system;
    const results = sequences.map((sequence): Smoothed => {
      const steps = kalmanSmoother(this.#system, sequence, this.#filter('smooth', sequence));
      return {
        means: joined(
          steps.map(({ mean }) => mean),
          [steps.length, n],
        ),
        covariances: joined(
          steps.map(({ covariance }) => covariance),
          [steps.length, n, n],
        ),
      };
    });
    return (isSingle ? results[0]! : results) as OneOrEach<Smoothed, S>;
  }

  /**
   * Forecasts of the steps after each sequence, with their covariances.
   *
   * @param observations as for `filter`.
   * @param options.steps number of steps h.
   * @param options.inputs `[T + h, k]` of each sequence: those of the forecast follow those of the observations.
   * @returns the forecast of the sequence, or a list of them if a list was given.
   * @throws ArgumentError as `filter`, and for a number of steps that is not an integer ≥ 1.
   */
  forecast<S extends SequencesLike>(
    observations: S,
    options: { steps: number } & FilterOptions,
  ): OneOrEach<Forecast, S> {
    const { steps: h, inputs } = checkOptions('linearGaussian.forecast', options, { steps: 1, inputs: 1 });
    expectNumber('linearGaussian.forecast: steps', h, 'an integer ≥ 1');
    const { sequences, isSingle } = readObserved('forecast', this.#system, { given: observations, inputs, extra: h });
    const { n, p } = this.#system;
    const results = sequences.map((sequence): Forecast => {
      const { steps } = sequence;
      const last = this.#filter('forecast', sequence).at(-1);
      let mean = last?.filteredMean ?? at(this.#system.initialMean, 0, 0);
      let covariance = last?.filteredCovariance ?? at(this.#system.initialCovariance, 0, 0);
      const states: { mean: Matrix; covariance: Matrix }[] = [];
      const ys: typeof states = [];
      for (let t = steps; t < steps + h; t++) {
        if (t > 0) ({ mean, covariance } = predict(this.#system, mean, covariance, sequence, t - 1, t - 1));
        states.push({ mean, covariance });
        ys.push(this.#observe(mean, covariance, sequence, t, t));
      }
      return {
        means: joined(
          ys.map((y) => y.mean),
          [h, p],
        ),
        covariances: joined(
          ys.map((y) => y.covariance),
          [h, p, p],
        ),
        stateMeans: joined(
          states.map((x) => x.mean),
          [h, n],
        ),
        stateCovariances: joined(
          states.map((x) => x.covariance),
          [h, n, n],
        ),
      };
    });
    return (isSingle ? results[0]! : results) as OneOrEach<Forecast, S>;
  }

  /**
   * Log-likelihood of all sequences together, without the `burn` first steps of each.
   *
   * @throws ArgumentError as `filter`.
   */
  score(observations: SequencesLike, options: FilterOptions = {}): number {
    const { inputs } = checkOptions('linearGaussian.score', options, { inputs: 1 });
    const { sequences } = readObserved('score', this.#system, { given: observations, inputs });
    return sequences.reduce((sum, sequence) => sum + totalOf(this.#model, this.#filter('score', sequence)), 0);
  }

  /**
   * One-step forecast log-likelihoods, ln p(yₜ | y₁ … yₜ₋₁), `[T]`; 0 where all of yₜ is missing.
   *
   * @throws ArgumentError as `filter`.
   */
  stepLogLikelihoods<S extends SequencesLike>(
    observations: S,
    options: FilterOptions = {},
  ): OneOrEach<Float64Array, S> {
    const { inputs } = checkOptions('linearGaussian.stepLogLikelihoods', options, { inputs: 1 });
    const { sequences, isSingle } = readObserved('stepLogLikelihoods', this.#system, { given: observations, inputs });
    const results = sequences.map((sequence) =>
      Float64Array.from(this.#filter('stepLogLikelihoods', sequence), ({ logLikelihood }) => logLikelihood),
    );
    return (isSingle ? results[0]! : results) as OneOrEach<Float64Array, S>;
  }

  /** Number of parameters that are learned. */
  get freeParameters(): number {
    return countFree(learnedOf('linearGaussian: learn', this.#learn, this.#model));
  }

  /** Akaike's information criterion, −2 score + 2 · number of learned parameters. Less is better. */
  aic(observations: SequencesLike, options: FilterOptions = {}): number {
    return -2 * this.score(observations, options) + 2 * this.freeParameters;
  }

  /** Bayes's information criterion, −2 score + ln(number of counted steps) · number of learned parameters. */
  bic(observations: SequencesLike, options: FilterOptions = {}): number {
    const score = this.score(observations, options);
    const { sequences } = readObserved('bic', this.#system, { given: observations, inputs: options.inputs });
    const count = sequences.reduce((sum, { steps }) => sum + Math.max(steps - this.#burn, 0), 0);
    return -2 * score + ln(Math.max(count, 1)) * this.freeParameters;
  }

  /**
   * Draws states and observations.
   *
   * @param options.steps number of steps T.
   * @param options.inputs `[T, k]`, if the model takes inputs.
   * @param options.seed an integer in [0, 2³²). Default: the next of `setSeed`.
   * @returns `observations` `[T, p]` and `states` `[T, n]`.
   * @throws ArgumentError if an option is out of range, does not fit or is unknown.
   */
  sample(options: { steps: number; inputs?: DataLike | undefined; seed?: number | undefined }): {
    observations: NdArray<Float64Array>;
    states: NdArray<Float64Array>;
  } {
    const what = 'linearGaussian.sample';
    const { steps, inputs, seed } = checkOptions(what, options, { steps: 1, inputs: 1, seed: 1 });
    expectNumber(`${what}: steps`, steps, 'an integer ≥ 1');
    const random = seed === undefined ? nextStream() : new RandomStream(seed);
    const { n, p } = this.#system;
    const missing = new NdArray(new Float64Array(steps * p), [steps, p]);
    const sequence = readObserved('sample', this.#system, { given: missing, inputs }).sequences[0]!;
    const noise = (covariance: Matrix, size: number): Matrix => {
      const z = Float64Array.from({ length: size }, () => random.nextNormal());
      return product(semidefiniteFactor(covariance, size)!, z, size, size, 1);
    };
    const zero = new Float64Array(n * n);
    let x = addTo(noise(at(this.#system.initialCovariance, 0, 0), n), at(this.#system.initialMean, 0, 0));
    const states: Matrix[] = [];
    const ys: Matrix[] = [];
    for (let t = 0; t < steps; t++) {
      states.push(x);
      ys.push(addTo(noise(at(this.#system.observationNoise, 0, t), p), this.#observe(x, zero, sequence, t, t).mean));
      if (t + 1 < steps) {
        const next = predict(this.#system, x, zero, sequence, t, t).mean;
        x = addTo(noise(at(this.#system.stateNoise, 0, t), n), next);
      }
    }
    return { observations: joined(ys, [steps, p]), states: joined(states, [steps, n]) };
  }

  /**
   * Learns by expectation–maximization. No round lowers the log-likelihood, in which EM counts the `burn` steps too.
   *
   * @param observations as for `filter`.
   * @param options.learn what is learned; default what the model was made with.
   * @returns the log-likelihood of each round, all steps counted, and whether it converged.
   * @throws ArgumentError as `filter`; for an option out of range or unknown; if nothing is observed; if a learned
   *   covariance belongs to matrices that differ between steps; and if the observations do not determine a matrix. The
   *   parameters are then those from before the call.
   * @see Shumway and Stoffer 1982; pykalman's em
   */
  fitEm(observations: SequencesLike, options: EmOptions = {}): FitHistory {
    const what = 'linearGaussian.fitEm';
    const names = { inputs: 1, tolerance: 1, maxIterations: 1, learn: 1 };
    const { inputs, tolerance = 1e-4, maxIterations = 100, learn = this.#learn } = checkOptions(what, options, names);
    expectNumber(`${what}: tolerance`, tolerance, '≥ 0');
    expectNumber(`${what}: maxIterations`, maxIterations, 'an integer ≥ 1');
    const learned = learnedOf(`${what}: learn`, learn, this.#model);
    expectEm(what, this.#model, learned);
    const { sequences } = readObserved('fitEm', this.#system, { given: observations, inputs });
    expectNumbers(what, sequences, 0, this.#system.p);
    const filter = (system: System, sequence: Observed) => this.#filter('fitEm', sequence, system);
    const { system, history } = maximize(what, this.#system, sequences, { learned, tolerance, maxIterations, filter });
    this.#system = system;
    return history;
  }

  /**
   * Learns by the gradient of the log-likelihood, with L-BFGS. Variances are learned as roots and covariances as
   * Cholesky factors, so that they stay positive. If the start is stationary, coefficients of inputs that are 0 start
   * from least squares.
   *
   * @param observations as for `filter`.
   * @param options.learn what is learned; default what the model was made with. Variances start from a number > 0.
   * @returns the log-likelihood of each iteration, without the `burn` steps, and whether it converged.
   * @throws ArgumentError as `filter`, for an option out of range or unknown, and if nothing is observed after the
   *   `burn` steps. The parameters are then those from before the call.
   */
  fitGradient(observations: SequencesLike, options: GradientFitOptions = {}): FitHistory {
    const what = 'linearGaussian.fitGradient';
    const names = { inputs: 1, tolerance: 1, maxIterations: 1, learn: 1 };
    const { inputs, tolerance = 1e-6, maxIterations = 200, learn = this.#learn } = checkOptions(what, options, names);
    expectNumber(`${what}: tolerance`, tolerance, '≥ 0');
    expectNumber(`${what}: maxIterations`, maxIterations, 'an integer ≥ 1');
    const learned = learnedOf(`${what}: learn`, learn, this.#model);
    const { sequences } = readObserved('fitGradient', this.#system, { given: observations, inputs });
    expectNumbers(what, sequences, this.#burn, this.#system.p);
    for (const { name, kind, free } of learned) {
      const n = free.length;
      const isZero = (flag: number, i: number): boolean =>
        flag === 1 && !(this.#system[SYSTEM_NAMES[name]].data[i * (n + 1)]! > 0);
      if (kind === 'matrix' || !free.some(isZero)) continue;
      throw new ArgumentError(`${what}: ${name} expected variances > 0 to start from, got 0`);
    }
    // Throws here if the start has no likelihood.
    for (const sequence of sequences) this.#filter('fitGradient', sequence);
    const { system, history } = climb(this.#model, learned, sequences, { tolerance, maxIterations });
    this.#system = system;
    return history;
  }

  /** The model as JSON, for `linearGaussianFromJson`. */
  toJSON(): SavedStateSpace {
    const { k } = this.#system;
    const { initialCovariance, controlMatrix, feedthroughMatrix, ...rest } = this.parameters;
    const options: LinearGaussianOptions = {
      ...rest,
      ...(k > 0 ? { controlMatrix, feedthroughMatrix } : {}),
      initialCovariance: this.#initial === 'given' ? initialCovariance : this.#initial,
      burn: this.#burn,
      learn: this.#learn,
    };
    return saved('linearGaussian', JSON.parse(JSON.stringify(options)) as object);
  }
}

/** Throws `ArgumentError` unless something is observed after the steps that do not count. */
function expectNumbers(what: string, sequences: readonly Observed[], burn: number, p: number): void {
  if (sequences.some(({ y }) => y.subarray(burn * p).some((value) => !Number.isNaN(value)))) return;
  const after = burn > 0 ? ` after the first ${burn} steps, which do not count` : '';
  throw new ArgumentError(`${what}: observations expected a number${after}, got none`);
}

const joined = (rows: readonly Matrix[], shape: Shape): NdArray<Float64Array> => {
  const data = new Float64Array(shape.reduce((all, n) => all * n, 1));
  const size = data.length / Math.max(rows.length, 1);
  rows.forEach((row, i) => data.set(row, i * size));
  return new NdArray(data, shape);
};
