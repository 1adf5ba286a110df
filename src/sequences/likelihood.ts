import type { Weight } from '../autograd/parameter.ts';
import { isRecording, record } from '../autograd/tape.ts';
import { empty, expectShape, expectTensor, type Tensor } from '../autograd/tensor.ts';
import { ArgumentError } from '../checks/argument-error.ts';
import { checkOptions, type Names } from '../checks/options.ts';
import { alphaSize, backward, type ChainScores, type Chains, chainsOf, giveScores, logNorms } from '../ops/chain.ts';

export interface CrfOptions extends ChainScores {
  /** `[B, T]` f32: 1 if a step counts, 0 if not. Default: the mask that the emissions carry. */
  mask?: Tensor | undefined;
}

const names: Names<CrfOptions> = { transitions: 1, start: 1, end: 1, mask: 1 };

/** The chains of a call. Samples of weight 0 count as empty. */
export function chainsFor(what: string, emissions: Weight, options: CrfOptions, weights?: Tensor): Chains {
  const { mask, ...scores } = checkOptions(what, options, names);
  if (mask !== undefined) expectTensor(`${what}: mask`, mask);
  if (scores.transitions === undefined) throw new ArgumentError(`${what}: transitions expected a tensor, got none`);
  return chainsOf(what, emissions, scores, { mask, weights });
}

/** ln P(tags) of each sample: `crfLogLikelihood`, for the function that is named `what`. */
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

/** s(tags) − log Z of each sample, or log Z without tags. */
export function logRatio(what: string, chains: Chains, tags?: ArrayLike<number>): Tensor {
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
