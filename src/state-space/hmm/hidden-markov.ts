import { ArgumentError, shown } from '../../checks/argument-error.ts';
import { expectChoice } from '../../checks/choices.ts';
import { expectNumber } from '../../checks/number-ranges.ts';
import { checkOptions } from '../../checks/options.ts';
import { NdArray } from '../../data/array.ts';
import { ln } from '../../engine/float64.ts';
import { nextStream, RandomStream } from '../../engine/random.ts';
import { log, logSumExp } from '../log-numbers.ts';
import type { Matrix } from '../matrix.ts';
import { type SavedStateSpace, saved } from '../parameters.ts';
import type { FitHistory, OneOrEach } from '../results.ts';
import type { Sequence, Sequences, SequencesLike } from '../sequences.ts';
import { forward, forwardBackward, Transitions, viterbi } from './chain.ts';
import { drawIndex, type Emissions, normalizeRows } from './emissions.ts';

export interface HmmFitOptions {
  /** Learning ends when a round raises the log-likelihood by less. Default 1e-4. */
  tolerance?: number | undefined;
  /** Most rounds of a start. Default 100. */
  maxIterations?: number | undefined;
  /** Number of starts. The one with the greatest log-likelihood is kept. Default 1. */
  restarts?: number | undefined;
  /** Seed of the starts, an integer in [0, 2³²). Default: the next of `setSeed`. */
  seed?: number | undefined;
  /**
   * Where emissions start that were not given: clusters of k-means, or random rows of the data. Symbols always start
   * randomly. A model that has learned goes on from its parameters with `'current'`. Default `'kmeans'`.
   */
  initialization?: 'kmeans' | 'random' | 'current' | undefined;
  /** The parameters that change. Default: all. */
  learn?: readonly string[] | undefined;
  /**
   * Least eigenvalue of a learned covariance. Default 1e-6 of the mean variance of the features.
   */
  covarianceFloor?: number | undefined;
}

export interface Decoded {
  /** The most likely states, `[T]`. */
  states: Int32Array;
  /** Log-probability of these states together with the observations. */
  logProbability: number;
}

/** What a kind of hidden Markov model adds: its options, its observations and its emissions. @internal */
export interface HmmKind {
  name: string;
  states: number;
  /** Names of the emissions' parameters. */
  parameters: readonly string[];
  /** Checked observations, with as many features as the emissions have. */
  read(given: SequencesLike, what: string, emissions: Emissions | undefined): Sequences;
  /** Emissions to start from, and the state of each step if clusters say one. */
  start(
    rows: Sequences,
    options: { how: 'kmeans' | 'random'; floor: number; random: RandomStream },
  ): { emissions: Emissions; clusters?: Int32Array | undefined };
  /** The covariance floor if none is given. */
  floorOf(sequences: Sequences): number;
  observations(values: Float64Array, steps: number): NdArray;
}

interface State {
  initial: Matrix;
  transition: Matrix;
  emissions: Emissions;
}

type Given = { readonly [Name in keyof State]?: State[Name] | undefined };

const CHAIN_PARAMETERS = ['initialProbabilities', 'transitionMatrix'];

/**
 * A hidden Markov model: a chain of K states, each of which emits observations.
 *
 * p(y, s) = π(s₁) b(y₁ | s₁) Πₜ A(sₜ₋₁, sₜ) b(yₜ | sₜ)
 *
 * `categoricalHmm`, `gaussianHmm` and `gmmHmm` make one. All numbers are float64.
 */
export class HiddenMarkovModel {
  readonly #kind: HmmKind;
  readonly #given: Given;
  #state: State | undefined;

  /** @internal */
  constructor(kind: HmmKind, given: Given) {
    this.#kind = kind;
    this.#given = given;
    const { initial, transition, emissions } = given;
    if (initial && transition && emissions) this.#state = { initial, transition, emissions };
  }

  /** Number of states K. */
  get states(): number {
    return this.#kind.states;
  }

  /**
   * The parameters by their option names, each as an array: those given, or those learned by `fit`.
   *
   * @throws ArgumentError if some were not given and `fit` was not called.
   */
  get parameters(): Record<string, NdArray> {
    const { initial, transition, emissions } = this.#ready('parameters');
    const k = this.states;
    const own = Object.entries(emissions.config()).filter(([, value]) => value instanceof NdArray);
    return {
      initialProbabilities: new NdArray(initial.slice(), [k]),
      transitionMatrix: new NdArray(transition.slice(), [k, k]),
      ...(Object.fromEntries(own) as Record<string, NdArray>),
    };
  }

  /**
   * Learns by expectation–maximization (Baum–Welch).
   *
   * Parameters that were given are where it starts. Unless the floor holds a covariance up, no round lowers the
   * log-likelihood.
   *
   * @param observations sequences, `[T, D]`, `[N, T, D]` or a list of unequal length; ids `[T]` for symbols.
   * @returns the log-likelihood of each round, and whether it converged.
   * @throws ArgumentError for observations that do not fit, for an option out of range or unknown, and if no start
   *   gives the observations a likelihood. The parameters are then those from before the call.
   * @see Rabiner 1989; hmmlearn's fit
   */
  fit(observations: SequencesLike, options: HmmFitOptions = {}): FitHistory {
    const what = `${this.#kind.name}.fit`;
    const names = {
      tolerance: 1,
      maxIterations: 1,
      restarts: 1,
      seed: 1,
      initialization: 1,
      learn: 1,
      covarianceFloor: 1,
    };
    const { tolerance = 1e-4, maxIterations = 100, restarts = 1, seed, ...rest } = checkOptions(what, options, names);
    const all = [...CHAIN_PARAMETERS, ...this.#kind.parameters];
    const { initialization = 'kmeans', learn = all, covarianceFloor } = rest;
    expectNumber(`${what}: tolerance`, tolerance, '≥ 0');
    expectNumber(`${what}: maxIterations`, maxIterations, 'an integer ≥ 1');
    expectNumber(`${what}: restarts`, restarts, 'an integer ≥ 1');
    if (covarianceFloor !== undefined) expectNumber(`${what}: covarianceFloor`, covarianceFloor, '> 0');
    expectChoice(what, 'initialization', initialization, ['kmeans', 'random', 'current']);
    expectLearned(what, learn, all);
    const random = seed === undefined ? nextStream() : new RandomStream(seed);
    const from = initialization === 'current' ? this.#state : this.#given;
    const sequences = this.#kind.read(observations, `${what}: observations`, from?.emissions);
    if (!sequences.list.some(({ steps }) => steps > 0)) {
      throw new ArgumentError(`${what}: observations expected one step or more, got none`);
    }
    const floor = covarianceFloor ?? this.#kind.floorOf(sequences);
    let best: { history: FitHistory; state: State } | undefined;
    for (let start = 0; start < restarts; start++) {
      const state = this.#start(sequences, initialization, floor, random);
      const found = this.#learn(state, sequences.list, { tolerance, maxIterations, learn });
      const value = found.history.logLikelihood.at(-1)!;
      if (Number.isFinite(value) && !(best && value <= best.history.logLikelihood.at(-1)!)) best = found;
    }
    if (!best) {
      throw new ArgumentError(`${what}: observations expected a likelihood above 0 under the start values, got 0`);
    }
    this.#state = best.state;
    return best.history;
  }

  #start(sequences: Sequences, initialization: string, floor: number, random: RandomStream): State {
    const kind = this.#kind;
    if (initialization === 'current') {
      const { initial, transition, emissions } = this.#ready(`fit with initialization 'current'`);
      return { initial, transition, emissions: emissions.withFloor(floor) };
    }
    const { initial, transition, emissions } = this.#given;
    const k = this.states;
    const how = initialization as 'kmeans' | 'random';
    const made = emissions ? { emissions: emissions.withFloor(floor) } : kind.start(sequences, { how, floor, random });
    return {
      emissions: made.emissions,
      initial: initial ?? new Float64Array(k).fill(1 / k),
      transition:
        transition ?? startTransitions(k, sequences.list, (made as { clusters?: Int32Array }).clusters, random),
    };
  }

  #learn(
    state: State,
    sequences: readonly Sequence[],
    { tolerance, maxIterations, learn }: { tolerance: number; maxIterations: number; learn: readonly string[] },
  ): { history: FitHistory; state: State } {
    const k = this.states;
    const history: FitHistory = { logLikelihood: [], converged: false, iterations: 0 };
    for (;;) {
      const chain = chainOf(state);
      const counts = new Float64Array(k * k);
      const first = new Float64Array(k);
      let total = 0;
      const gammas = sequences.map((sequence) => {
        const logB = state.emissions.logProbabilities(sequence);
        const { gamma, logLikelihood } = forwardBackward(chain, logB, sequence.steps, counts);
        total += logLikelihood;
        for (let j = 0; j < k && sequence.steps > 0; j++) first[j]! += gamma[j]!;
        return gamma;
      });
      const gain = total - (history.logLikelihood.at(-1) ?? Number.NEGATIVE_INFINITY);
      history.logLikelihood.push(total);
      history.converged = gain < tolerance;
      if (history.converged || history.iterations === maxIterations || !Number.isFinite(total))
        return { history, state };
      history.iterations++;
      state = {
        initial: learn.includes('initialProbabilities') ? normalizeRows(first, k, state.initial) : state.initial,
        transition: learn.includes('transitionMatrix') ? normalizeRows(counts, k, state.transition) : state.transition,
        emissions: state.emissions.reestimated(sequences, gammas, learn),
      };
    }
  }

  #ready(what: string): State {
    if (this.#state) return this.#state;
    throw new ArgumentError(
      `${this.#kind.name}: ${what} expected fit to be called before, or all parameters to be given`,
    );
  }

  #each<T, S extends SequencesLike>(
    method: string,
    given: S,
    run: (sequence: Sequence, logB: Float64Array, chain: Transitions) => T,
  ): OneOrEach<T, S> {
    const state = this.#ready(method);
    const { list, isSingle } = this.#kind.read(given, `${this.#kind.name}.${method}: observations`, state.emissions);
    const chain = chainOf(state);
    const results = list.map((sequence) => run(sequence, state.emissions.logProbabilities(sequence), chain));
    return (isSingle ? results[0]! : results) as OneOrEach<T, S>;
  }

  /**
   * Log-likelihood of all sequences together, ln Πₙ p(yₙ).
   *
   * @throws ArgumentError for observations that do not fit, and before `fit`.
   * @see hmmlearn's score
   */
  score(observations: SequencesLike): number {
    const each = this.#each('score', observations, ({ steps }, logB, chain) =>
      forward(chain, logB, steps, new Float64Array(logB.length)),
    );
    return typeof each === 'number' ? each : each.reduce((sum, value) => sum + value, 0);
  }

  /**
   * One-step forecast log-likelihoods, ln p(yₜ | y₁ … yₜ₋₁), `[T]`. Their sum is the log-likelihood.
   *
   * @throws ArgumentError for observations that do not fit, and before `fit`.
   */
  stepLogLikelihoods<S extends SequencesLike>(observations: S): OneOrEach<Float64Array, S> {
    return this.#each('stepLogLikelihoods', observations, ({ steps }, logB, chain) => {
      const k = this.states;
      const logAlpha = new Float64Array(logB.length);
      logAlpha.fill(Number.NEGATIVE_INFINITY);
      forward(chain, logB, steps, logAlpha);
      let before = 0;
      return Float64Array.from({ length: steps }, (_, t) => {
        const until = logSumExp(logAlpha, t * k, k);
        const step = before === Number.NEGATIVE_INFINITY ? before : until - before;
        before = until;
        return step;
      });
    });
  }

  /**
   * The most likely path of states (Viterbi).
   *
   * @throws ArgumentError for observations that do not fit, and before `fit`.
   * @see hmmlearn's decode
   */
  decode<S extends SequencesLike>(observations: S): OneOrEach<Decoded, S> {
    return this.#each('decode', observations, ({ steps }, logB, chain) => {
      const { path, logProbability } = viterbi(chain, logB, steps);
      return { states: path, logProbability };
    });
  }

  /**
   * P(state k at step t | all observations), `[T, K]`, by the forward–backward recursion.
   *
   * @throws ArgumentError for observations that do not fit, and before `fit`.
   * @see hmmlearn's predict_proba
   */
  posteriors<S extends SequencesLike>(observations: S): OneOrEach<NdArray<Float64Array>, S> {
    return this.#each('posteriors', observations, ({ steps }, logB, chain) => {
      return new NdArray(forwardBackward(chain, logB, steps).gamma, [steps, this.states]);
    });
  }

  /**
   * Draws a sequence.
   *
   * @param options.steps number of steps T.
   * @param options.seed an integer in [0, 2³²). Default: the next of `setSeed`.
   * @returns observations, `[T, D]` or `[T]` ids, and states `[T]`.
   * @throws ArgumentError for an option out of range or unknown, and before `fit`.
   */
  sample(options: { steps: number; seed?: number | undefined }): { observations: NdArray; states: Int32Array } {
    const what = `${this.#kind.name}.sample`;
    const { steps, seed } = checkOptions(what, options, { steps: 1, seed: 1 });
    expectNumber(`${what}: steps`, steps, 'an integer ≥ 1');
    const { initial, transition, emissions } = this.#ready('sample');
    const random = seed === undefined ? nextStream() : new RandomStream(seed);
    const k = this.states;
    const width = emissions.features || 1;
    const values = new Float64Array(steps * width);
    const states = new Int32Array(steps);
    for (let t = 0; t < steps; t++) {
      states[t] = t === 0 ? drawIndex(initial, 0, k, random) : drawIndex(transition, states[t - 1]! * k, k, random);
      emissions.draw(states[t]!, random, values.subarray(t * width, (t + 1) * width));
    }
    return { observations: this.#kind.observations(values, steps), states };
  }

  /** Number of free parameters. */
  get freeParameters(): number {
    const { emissions } = this.#ready('freeParameters');
    const k = this.states;
    return k - 1 + k * (k - 1) + emissions.freeParameters;
  }

  /** Akaike's information criterion, −2 score + 2 · number of free parameters. Less is better. */
  aic(observations: SequencesLike): number {
    return -2 * this.score(observations) + 2 * this.freeParameters;
  }

  /** Bayes's information criterion, −2 score + ln(number of steps) · number of free parameters. Less is better. */
  bic(observations: SequencesLike): number {
    const { emissions } = this.#ready('bic');
    const { list } = this.#kind.read(observations, `${this.#kind.name}.bic: observations`, emissions);
    const steps = list.reduce((sum, sequence) => sum + sequence.steps, 0);
    return -2 * this.score(observations) + ln(Math.max(steps, 1)) * this.freeParameters;
  }

  /**
   * The model as JSON, for `hmmFromJson`.
   *
   * @throws ArgumentError before `fit`.
   */
  toJSON(): SavedStateSpace {
    const { initial, transition, emissions } = this.#ready('toJSON');
    const k = this.states;
    const chain = {
      initialProbabilities: new NdArray(initial, [k]),
      transitionMatrix: new NdArray(transition, [k, k]),
    };
    const options = { states: k, ...chain, ...emissions.config() };
    return saved(this.#kind.name, JSON.parse(JSON.stringify(options)) as object);
  }
}

const chainOf = ({ initial, transition }: State): Transitions => new Transitions(initial.map(log), transition.map(log));

/** Throws `ArgumentError` unless each name is one of a parameter. */
function expectLearned(what: string, learn: unknown, all: readonly string[]): void {
  const at = Array.isArray(learn) ? learn.findIndex((name) => !all.includes(name)) : 0;
  if (!Array.isArray(learn) || at >= 0) {
    const got = Array.isArray(learn) ? shown(learn[at]) : shown(learn);
    throw new ArgumentError(`${what}: learn expected a list of ${all.join(', ')}, got ${got}`);
  }
}

/** From the clusters of following steps, each with one count more; else random rows near to equal ones. */
function startTransitions(
  k: number,
  sequences: readonly Sequence[],
  clusters: Int32Array | undefined,
  random: RandomStream,
): Matrix {
  if (!clusters)
    return normalizeRows(
      Float64Array.from({ length: k * k }, () => 0.5 + random.nextUniform()),
      k,
    );
  const counts = new Float64Array(k * k).fill(1);
  let row = 0;
  for (const { steps } of sequences) {
    for (let t = 0; t < steps; t++, row++) if (t > 0) counts[clusters[row - 1]! * k + clusters[row]!]!++;
  }
  return normalizeRows(counts, k);
}
