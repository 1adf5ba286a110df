import { ArgumentError } from '../../checks/argument-error.ts';
import { expectChoice } from '../../checks/choices.ts';
import { expectNumber } from '../../checks/number-ranges.ts';
import { checkOptions } from '../../checks/options.ts';
import { type DataLike, NdArray } from '../../data/array.ts';
import { readCovariances, readNumbers, readProbabilities, readSaved, type SavedStateSpace } from '../parameters.ts';
import { readIds, readSequences, type Sequences } from '../sequences.ts';
import { CategoricalEmissions, MixtureEmissions, type MixtureShape, moments } from './emissions.ts';
import { HiddenMarkovModel, type HmmKind } from './hidden-markov.ts';

/** Options of every hidden Markov model. What is not given is learned by `fit`. */
export interface HmmOptions {
  /** Number of states K. */
  states: number;
  /** P(state at the first step), `[K]`. */
  initialProbabilities?: DataLike | undefined;
  /** P(next state | state), from rows to columns, `[K, K]`. */
  transitionMatrix?: DataLike | undefined;
}

const chainNames = { states: 1, initialProbabilities: 1, transitionMatrix: 1 };

function chainOf(what: string, { states: k, initialProbabilities, transitionMatrix }: HmmOptions) {
  expectNumber(`${what}: states`, k, 'an integer ≥ 1');
  return {
    initial:
      initialProbabilities === undefined
        ? undefined
        : readProbabilities(`${what}: initialProbabilities`, initialProbabilities, [k]),
    transition:
      transitionMatrix === undefined
        ? undefined
        : readProbabilities(`${what}: transitionMatrix`, transitionMatrix, [k, k]),
  };
}

export interface CategoricalHmmOptions extends HmmOptions {
  /** Number of symbols S. */
  symbols: number;
  /** P(symbol | state), `[K, S]`. */
  emissionProbabilities?: DataLike | undefined;
}

/**
 * A hidden Markov model whose states emit symbols, ids in [0, S).
 *
 * b(y | k) = B(k, y)
 *
 * @param options.states number of states K.
 * @param options.symbols number of symbols S.
 * @param options.initialProbabilities `[K]`, where given.
 * @param options.transitionMatrix `[K, K]`, rows sum to 1, where given.
 * @param options.emissionProbabilities `[K, S]`, rows sum to 1, where given.
 * @returns the model. It takes ids `[T]`, `[N, T]`, or a list of unequal length.
 * @throws ArgumentError for a number out of range, rows that are no probabilities, or an unknown option.
 * @see hmmlearn's CategoricalHMM
 *
 * @example
 * const weather = categoricalHmm({
 *   states: 2,
 *   symbols: 3,
 *   initialProbabilities: [0.6, 0.4],
 *   transitionMatrix: [[0.7, 0.3], [0.4, 0.6]],
 *   emissionProbabilities: [[0.1, 0.4, 0.5], [0.6, 0.3, 0.1]],
 * });
 * weather.decode([0, 1, 2]).states; // 1 0 0
 */
export function categoricalHmm(options: CategoricalHmmOptions): HiddenMarkovModel {
  const names = { ...chainNames, symbols: 1, emissionProbabilities: 1 };
  const { symbols, emissionProbabilities, ...rest } = checkOptions('categoricalHmm', options, names);
  const chain = chainOf('categoricalHmm', rest);
  const { states } = rest;
  expectNumber('categoricalHmm: symbols', symbols, 'an integer ≥ 1');
  const kind: HmmKind = {
    name: 'categoricalHmm',
    states,
    parameters: ['emissionProbabilities'],
    read: (given, what) => readIds(given, symbols, what),
    start: (_, { random }) => ({ emissions: CategoricalEmissions.random(states, symbols, random) }),
    floorOf: () => 0,
    observations: (values, steps) => new NdArray(Int32Array.from(values), [steps]),
  };
  if (emissionProbabilities === undefined) return new HiddenMarkovModel(kind, chain);
  const given = readProbabilities('categoricalHmm: emissionProbabilities', emissionProbabilities, [states, symbols]);
  return new HiddenMarkovModel(kind, { ...chain, emissions: new CategoricalEmissions(given, symbols) });
}

export interface GaussianHmmOptions extends HmmOptions {
  /** `'diag'`: variances of each feature; `'full'`: covariances of all features. Default `'diag'`. */
  covarianceType?: 'diag' | 'full' | undefined;
  /** Means, `[K, D]`. Given together with `covariances`. */
  means?: DataLike | undefined;
  /** Variances `[K, D]` if diagonal, else matrices `[K, D, D]`. */
  covariances?: DataLike | undefined;
}

/**
 * A hidden Markov model whose states emit Gaussian vectors.
 *
 * b(y | k) = N(y; μₖ, Σₖ)
 *
 * @param options.states number of states K.
 * @param options.covarianceType `'diag'` or `'full'`; default `'diag'`.
 * @param options.initialProbabilities `[K]`, where given.
 * @param options.transitionMatrix `[K, K]`, rows sum to 1, where given.
 * @param options.means `[K, D]`, where given.
 * @param options.covariances `[K, D]` or `[K, D, D]`, where given.
 * @returns the model. It takes observations `[T, D]`, `[N, T, D]`, or a list of unequal length.
 * @throws ArgumentError for a number out of range, a shape that does not fit, a covariance that is not positive
 *   definite, means without covariances or the reverse, or an unknown option.
 * @see hmmlearn's GaussianHMM
 *
 * @example
 * const model = gaussianHmm({ states: 2 });
 * const { converged } = model.fit([[0.1], [-0.2], [0.1], [5.1], [4.8], [5.2]], { seed: 1 });
 * converged; // true
 */
export function gaussianHmm(options: GaussianHmmOptions): HiddenMarkovModel {
  const names = { ...chainNames, covarianceType: 1, means: 1, covariances: 1 };
  return mixtureModel('gaussianHmm', { ...checkOptions('gaussianHmm', options, names), mixtures: 1 });
}

export interface GmmHmmOptions extends HmmOptions {
  /** Number of components M of each state. Default 1. */
  mixtures?: number | undefined;
  /** `'diag'`: variances of each feature; `'full'`: covariances of all features. Default `'diag'`. */
  covarianceType?: 'diag' | 'full' | undefined;
  /** Weights of the components, `[K, M]`. Given together with `means` and `covariances`. */
  weights?: DataLike | undefined;
  /** Means, `[K, M, D]`. */
  means?: DataLike | undefined;
  /** Variances `[K, M, D]` if diagonal, else matrices `[K, M, D, D]`. */
  covariances?: DataLike | undefined;
}

/**
 * A hidden Markov model whose states emit mixtures of Gaussians.
 *
 * b(y | k) = Σₘ wₖₘ N(y; μₖₘ, Σₖₘ)
 *
 * @param options.states number of states K.
 * @param options.mixtures number of components M of each state; default 1.
 * @param options.covarianceType `'diag'` or `'full'`; default `'diag'`.
 * @param options.initialProbabilities `[K]`, where given.
 * @param options.transitionMatrix `[K, K]`, rows sum to 1, where given.
 * @param options.weights `[K, M]`, rows sum to 1, where given.
 * @param options.means `[K, M, D]`, where given.
 * @param options.covariances `[K, M, D]` or `[K, M, D, D]`, where given.
 * @returns the model. It takes observations `[T, D]`, `[N, T, D]`, or a list of unequal length.
 * @throws ArgumentError for a number out of range, a shape that does not fit, a covariance that is not positive
 *   definite, some of weights, means and covariances without the others, or an unknown option.
 * @see hmmlearn's GMMHMM
 */
export function gmmHmm(options: GmmHmmOptions): HiddenMarkovModel {
  const names = { ...chainNames, mixtures: 1, covarianceType: 1, weights: 1, means: 1, covariances: 1 };
  return mixtureModel('gmmHmm', checkOptions('gmmHmm', options, names));
}

function mixtureModel(what: 'gaussianHmm' | 'gmmHmm', options: GmmHmmOptions): HiddenMarkovModel {
  const { mixtures = 1, covarianceType = 'diag', weights, means, covariances, ...rest } = options;
  const { states } = rest;
  const isPlain = what === 'gaussianHmm';
  const chain = chainOf(what, rest);
  expectNumber(`${what}: mixtures`, mixtures, 'an integer ≥ 1');
  expectChoice(what, 'covarianceType', covarianceType, ['diag', 'full']);
  /** Axes in front of the features. */
  const axes = isPlain ? [states] : [states, mixtures];
  const given = isPlain ? { means, covariances } : { weights, means, covariances };
  const missing = Object.entries(given).filter(([, value]) => value === undefined);
  if (missing.length > 0 && missing.length < Object.keys(given).length) {
    throw new ArgumentError(`${what}: ${missing[0]![0]} expected to be given with the other emissions, got none`);
  }

  let emissions: MixtureEmissions | undefined;
  if (means !== undefined) {
    const mean = readNumbers(`${what}: means`, means, [...axes, null]);
    const d = mean.shape.at(-1)!;
    const shape: MixtureShape = { states, mixtures, features: d, covarianceType, isPlain };
    const isFull = covarianceType === 'full';
    const name = `${what}: covariances`;
    const { data } = isFull
      ? readCovariances(name, covariances!, { shapes: [[...axes, d, d]], n: d })
      : readNumbers(name, covariances!, [...axes, d]);
    const at = isFull ? -1 : data.findIndex((variance) => !(variance > 0));
    if (at >= 0) throw new ArgumentError(`${name} expected variances > 0, got ${data[at]} (flat index ${at})`);
    const weight = isPlain
      ? new Float64Array(states).fill(1)
      : readProbabilities(`${what}: weights`, weights!, [states, mixtures]);
    emissions = new MixtureEmissions(shape, weight, mean.data, data, 0);
  }

  const shapeOf = (d: number): MixtureShape => ({ states, mixtures, features: d, covarianceType, isPlain });
  const kind: HmmKind = {
    name: what,
    states,
    parameters: isPlain ? ['means', 'covariances'] : ['weights', 'means', 'covariances'],
    read: (observations, name, emissions) => {
      return readSequences(observations, { what: name, features: emissions?.features });
    },
    start: ({ list, features: d }, { how, floor, random }) => {
      const rows = new Float64Array(list.reduce((sum, { values }) => sum + values.length, 0));
      let at = 0;
      for (const { values } of list) {
        rows.set(values, at);
        at += values.length;
      }
      return MixtureEmissions.initial(shapeOf(d), rows, how, floor, random);
    },
    floorOf: (sequences) => 1e-6 * meanVariance(sequences) || 1e-6,
    observations: (values, steps) => new NdArray(values, [steps, values.length / steps]),
  };
  return new HiddenMarkovModel(kind, { ...chain, emissions });
}

function meanVariance({ list, features: d }: Sequences): number {
  const rows = Float64Array.from(list.flatMap(({ values }) => Array.from(values)));
  const every = Array.from({ length: rows.length / d }, (_, i) => i);
  return moments(rows, d, every, 'diag').covariance.reduce((sum, variance) => sum + variance / d, 0);
}

/**
 * A hidden Markov model from the JSON that its `toJSON` gave.
 *
 * @param json the object, or its text.
 * @returns the model, with equal parameters.
 * @throws ArgumentError if it is no such JSON, of a later version, or its parameters do not fit.
 */
export function hmmFromJson(json: SavedStateSpace | string): HiddenMarkovModel {
  const makers: Readonly<Record<string, (options: never) => HiddenMarkovModel>> = {
    categoricalHmm,
    gaussianHmm,
    gmmHmm,
  };
  const { kind, options } = readSaved('hmmFromJson', json, Object.keys(makers));
  return makers[kind]!(options as never);
}
