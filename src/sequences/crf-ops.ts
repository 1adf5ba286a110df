import type { Weight } from '../autograd/parameter.ts';
import { empty, type Tensor, tensor } from '../autograd/tensor.ts';
import { ArgumentError } from '../checks/argument-error.ts';
import { formatShape } from '../checks/shape.ts';
import { bestPaths, type Chains, marginals } from '../ops/chain.ts';
import { type CrfOptions, chainsFor, logLikelihood, logRatio } from './likelihood.ts';

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
 * @returns `[B]` f32 in nats, at most 0; 0 for a sample without steps, −∞ if the tags are forbidden. Its gradient goes
 *   to `emissions`, `transitions`, `start` and `end`.
 * @throws ArgumentError if a tensor is not f32 or `tags` not i32, shapes do not fit, a tag that counts is outside [0,
 *   K), or an option is unknown.
 * @see tfa.text.crf_log_likelihood; Lafferty et al. 2001, https://repository.upenn.edu/cis_papers/159
 *
 * @example
 * const emissions = tensor([[[1, 0], [0, 2]]]); // one sequence of two steps, two tags
 * crfLogLikelihood(emissions, tensor(Int32Array.of(0, 1), [1, 2]), { transitions: tensor([[0, 1], [0, 0]]) }).item();
 */
export function crfLogLikelihood(emissions: Weight, tags: Tensor, options: CrfOptions): Tensor {
  return logLikelihood('crfLogLikelihood', emissions, tags, options);
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
 * @throws ArgumentError if a tensor is not f32, shapes do not fit, a score that counts is NaN, or an option is unknown.
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
  refuseNaN(chains);
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

/** Throws `ArgumentError` for a score that is NaN and counts. The search compares scores and would pass over it. */
function refuseNaN({ emissions, transitions, start, end, steps, time, tags }: Chains): void {
  const refuse = (what: string, at: number[]): never => {
    throw new ArgumentError(`crfDecode: ${what} expected numbers, got NaN at ${formatShape(at)}`);
  };
  for (const [what, scores] of Object.entries({ transitions, start, end })) {
    const at = scores?.toArray().findIndex(Number.isNaN) ?? -1;
    if (at >= 0) refuse(what, what === 'transitions' ? [Math.floor(at / tags), at % tags] : [at]);
  }
  const values = emissions.toArray();
  steps.forEach((counted, i) => {
    for (const t of counted) {
      const row = values.subarray((i * time + t) * tags, (i * time + t + 1) * tags);
      const at = row.findIndex(Number.isNaN);
      if (at >= 0) refuse('emissions', [i, t, at]);
    }
  });
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
