import type { Weight } from '../autograd/parameter.ts';
import { isRecording, record } from '../autograd/tape.ts';
import { empty, expectShape, expectTensor, type Tensor, tensor } from '../autograd/tensor.ts';
import { ArgumentError } from '../checks/argument-error.ts';
import { checkOptions, type Names } from '../checks/options.ts';
import {
  alphaSize,
  backward,
  bestPaths,
  type ChainScores,
  type Chains,
  chainsOf,
  giveScores,
  logNorms,
  marginals,
} from '../ops/chain.ts';

export interface CrfOptions extends ChainScores {
  /** `[B, T]` f32: 1 if a step counts, 0 if not. Default: the mask that the emissions carry. */
  mask?: Tensor | undefined;
}

const names: Names<CrfOptions> = { transitions: 1, start: 1, end: 1, mask: 1 };

function chainsFor(what: string, emissions: Weight, options: CrfOptions, weights?: Tensor): Chains {
  const { mask, ...scores } = checkOptions(what, options, names);
  if (mask) expectTensor(`${what}: mask`, mask);
  if (scores.transitions === undefined) throw new ArgumentError(`${what}: transitions expected a tensor, got none`);
  return chainsOf(what, emissions, scores, { mask, weights });
}

/**
 * The log-likelihood of tags under a linear-chain conditional random field.
 *
 * ln P(y | e) = s(y) − log Z, s(y) = start[y₁] + Σₜ e[t, yₜ] + Σₜ transitions[yₜ₋₁, yₜ] + end[y_N]
 *
 * The sum log Z over all paths is made in float64, exactly for all finite scores. −∞ forbids a tag or a transition.
 *
 * @param emissions scores e `[B, T, K]` f32.
 * @param tags `[B, T]` i32, each in [0, K) where the mask is 1.
 * @param options.transitions `[K, K]` f32, from row to column.
 * @param options.start `[K]` f32, scores of the first tag; default 0.
 * @param options.end `[K]` f32, scores of the last tag; default 0.
 * @param options.mask `[B, T]` f32: steps of 0 are left out of the chain; default the mask of `emissions`.
 * @returns `[B]` f32 in nats, at most 0; 0 for a sample without steps, −∞ if the tags are forbidden. Its gradient goes to
 *   `emissions`, `transitions`, `start` and `end`.
 * @throws ArgumentError if a tensor is not f32 or `tags` not i32, shapes do not fit, a tag that counts is outside [0, K),
 *   or an option is unknown.
 * @see tfa.text.crf_log_likelihood; Lafferty et al. 2001, https://repository.upenn.edu/cis_papers/159
 *
 * @example
 * const emissions = tensor([[[1, 0], [0, 2]]]); // one sequence of two steps, two tags
 * crfLogLikelihood(emissions, tensor(Int32Array.of(0, 1), [1, 2]), { transitions: tensor([[0, 1], [0, 0]]) }).item();
 */
export function crfLogLikelihood(emissions: Weight, tags: Tensor, options: CrfOptions): Tensor {
  return logLikelihood('crfLogLikelihood', emissions, tags, options);
}

/** `crfLogLikelihood`, where samples of weight 0 count as empty. @internal */
export function logLikelihood(
  what: string,
  emissions: Weight,
  tags: Tensor,
  options: CrfOptions,
  weights?: Tensor,
): Tensor {
  const chains = chainsFor(what, emissions, options, weights);
  expectTensor(`${what}: tags`, tags);
  expectShape(`${what}: tags`, tags.shape, [chains.batch, chains.time]);
  if (tags.dtype !== 'i32') throw new ArgumentError(`${what}: tags expected i32, got ${tags.dtype}`);
  return logRatio(what, chains, tags.toArray());
}

/**
 * The logarithm of the sum of e^score over all paths of tags.
 *
 * log Z = ln Σ over all paths y of exp(start[y₁] + Σₜ e[t, yₜ] + Σₜ transitions[yₜ₋₁, yₜ] + end[y_N])
 *
 * If scores are log probabilities of a hidden Markov model, it is the log-likelihood of the observations.
 *
 * @param emissions scores e `[B, T, K]` f32.
 * @param options as for `crfLogLikelihood`.
 * @returns `[B]` f32; 0 for a sample without steps, −∞ if every path is forbidden. Its gradient goes to `emissions`,
 *   `transitions`, `start` and `end`: the probabilities of tags and of pairs of tags.
 * @throws ArgumentError if a tensor is not f32, shapes do not fit, or an option is unknown.
 * @see tfa.text.crf_log_norm
 *
 * @example
 * crfLogNorm(tensor([[[0, 0], [0, 0]]]), { transitions: tensor([[0, 0], [0, 0]]) }).item(); // ln 4
 */
export function crfLogNorm(emissions: Weight, options: CrfOptions): Tensor {
  return logRatio('crfLogNorm', chainsFor('crfLogNorm', emissions, options));
}

/** s(tags) − log Z of each sample, or log Z without tags. */
function logRatio(what: string, chains: Chains, tags?: ArrayLike<number>): Tensor {
  const { engine, emissions, transitions, start, end, batch } = chains;
  const inputs = [emissions, transitions, start, end];
  const isRecorded = isRecording(inputs);
  const y = empty([batch], { name: what, engine });
  const alphas = isRecorded ? empty([alphaSize(chains)], { name: 'alphas', engine }).ptr : undefined;
  const values = logNorms(chains, alphas);
  if (tags)
    pathScores(what, chains, tags).forEach(
      (score, i) => (values[i] = score === -Infinity ? score : score - values[i]!),
    );
  engine.f32(y.ptr, batch).set(values);
  if (alphas === undefined) return y;
  record(inputs, [y], (tape) => {
    const dy = engine.f32(tape.gradientOf(y), batch).slice();
    const dEmissions = engine.allocateScratch(emissions.size);
    const dScores = engine.allocateScratch((chains.tags + 2) * chains.tags);
    const sign = tags ? -1 : 1;
    const weights = Float64Array.from(dy, (d, i) => (values[i] === -Infinity ? 0 : sign * d));
    backward(chains, alphas, weights, { dEmissions, dScores });
    if (tags) addPaths(chains, tags, weights, dEmissions, dScores);
    tape.give(emissions, dEmissions);
    giveScores(chains, tape, dScores);
  });
  return y;
}

/** s(tags) of each sample in float64. Throws `ArgumentError` for a tag outside [0, K) at a step that counts. */
function pathScores(what: string, chains: Chains, tags: ArrayLike<number>): number[] {
  const { emissions, transitions, start, end, time, tags: count, steps } = chains;
  const [e, pairs, first, last] = [emissions, transitions, start, end].map((each) => each?.dataView());
  return steps.map((own, i) => {
    let score = 0;
    let before = -1;
    for (const t of own) {
      const tag = tags[i * time + t]!;
      if (!(tag >= 0 && tag < count)) {
        throw new ArgumentError(`${what}: tags expected ids in [0, ${count}), got ${tag} at [${i}, ${t}]`);
      }
      score +=
        e![rowAt(chains, i, t) * count + tag]! + (before < 0 ? (first?.[tag] ?? 0) : pairs![before * count + tag]!);
      before = tag;
    }
    return before < 0 ? 0 : score + (last?.[before] ?? 0);
  });
}

/** Adds the gradients of −Σ weights·s(tags). */
function addPaths(
  chains: Chains,
  tags: ArrayLike<number>,
  weights: Float64Array,
  dEmissions: number,
  dScores: number,
): void {
  const { engine, emissions, time, tags: count, steps } = chains;
  const e = engine.f32(dEmissions, emissions.size);
  const scores = engine.f32(dScores, (count + 2) * count);
  steps.forEach((own, i) => {
    // The row of transitions that leads to the next tag: first the row of the start.
    let row = count;
    for (const t of own) {
      const tag = tags[i * time + t]!;
      e[rowAt(chains, i, t) * count + tag]! -= weights[i]!;
      scores[row * count + tag]! -= weights[i]!;
      row = tag;
    }
    if (own.length > 0) scores[(count + 1) * count + row]! -= weights[i]!;
  });
}

/** The row of emissions of step t of sample i, in memory order. */
const rowAt = ({ emissions, batch, time }: Chains, i: number, t: number): number =>
  emissions.timeMajor ? t * batch + i : i * time + t;

/**
 * The best tags of a linear-chain conditional random field, by Viterbi's algorithm.
 *
 * tags = argmax over y of start[y₁] + Σₜ e[t, yₜ] + Σₜ transitions[yₜ₋₁, yₜ] + end[y_N]
 *
 * Sums are made in float64. Of equal paths it takes the one with the least tag, from the end.
 *
 * @param emissions scores e `[B, T, K]` f32.
 * @param options as for `crfLogLikelihood`.
 * @returns `tags` `[B, T]` i32, −1 where the mask is 0, and their `scores` `[B]` f32; both constants of the open step.
 * @throws ArgumentError if a tensor is not f32, shapes do not fit, or an option is unknown.
 * @see tfa.text.crf_decode
 *
 * @example
 * const best = crfDecode(tensor([[[1, 0], [0, 2]]]), { transitions: tensor([[0, 1], [0, 0]]) });
 * best.tags.toArray(); // 0 1
 * best.scores.toArray(); // 4
 */
export function crfDecode(emissions: Weight, options: CrfOptions): { tags: Tensor; scores: Tensor } {
  const chains = chainsFor('crfDecode', emissions, options);
  const { engine, batch, time, steps } = chains;
  const { paths, scores } = bestPaths(chains);
  const tags = new Int32Array(batch * time).fill(-1);
  paths.forEach((path, i) => {
    path.forEach((tag, k) => {
      tags[i * time + steps[i]![k]!] = tag;
    });
  });
  return {
    tags: tensor(tags, { shape: [batch, time], dtype: 'i32', name: 'tags', engine }),
    scores: tensor(scores, { shape: [batch], name: 'scores', engine }),
  };
}

/**
 * The probability of each tag at each step under a linear-chain conditional random field.
 *
 * p[t, j] = P(yₜ = j | e) = ∂log Z / ∂e[t, j]
 *
 * @param emissions scores e `[B, T, K]` f32.
 * @param options as for `crfLogLikelihood`.
 * @returns `[B, T, K]` f32: each row sums to 1, or is 0 where the mask is 0; a constant of the open step.
 * @throws ArgumentError if a tensor is not f32, shapes do not fit, or an option is unknown.
 * @see Rabiner 1989, https://doi.org/10.1109/5.18626 (forward–backward)
 *
 * @example
 * crfMarginals(tensor([[[0, 0], [0, 0]]]), { transitions: tensor([[0, 0], [0, 0]]) }).toArray(); // ½ each
 */
export function crfMarginals(emissions: Weight, options: CrfOptions): Tensor {
  const chains = chainsFor('crfMarginals', emissions, options);
  const { engine, emissions: e } = chains;
  const y = empty(e.shape, { name: 'crfMarginals', timeMajor: e.timeMajor, engine });
  marginals(chains, y.ptr);
  return y;
}
