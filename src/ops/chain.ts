// Linear chains of tags: conditional random fields (src/sequences/) and hidden Markov models. assembly/chain/ has the
// equations.
import { floatsOf, type Weight } from '../autograd/parameter.ts';
import type { Tape } from '../autograd/tape.ts';
import { expectShape, type Tensor } from '../autograd/tensor.ts';
import { ArgumentError } from '../checks/argument-error.ts';
import { formatShape } from '../checks/shape.ts';
import type { Ptr } from '../engine/abi.ts';
import type { Engine } from '../engine/engine.ts';
import { extraKernels } from '../engine/extra/extra-kernels.ts';
import { inOrder } from './shapes/layout.ts';

/** Scores of transitions and of both ends of a chain. */
export interface ChainScores {
  /** `[K, K]` f32: the score of going from the tag of the row to the tag of the column. */
  transitions: Weight;
  /** `[K]` f32: the score of each tag at the first step. Default 0. */
  start?: Weight | undefined;
  /** `[K]` f32: the score of each tag at the last step. Default 0. */
  end?: Weight | undefined;
}

/** Chains as the kernels take them. Their order is by length, longest first. */
export interface Chains {
  readonly engine: Engine;
  readonly emissions: Tensor;
  readonly transitions: Tensor;
  readonly start: Tensor | undefined;
  readonly end: Tensor | undefined;
  readonly batch: number;
  /** Steps of the tensor, and of the longest chain. */
  readonly time: number;
  readonly longest: number;
  readonly tags: number;
  /** The sample of each chain. */
  readonly samples: readonly number[];
  /** The steps of each sample that count, in ascending order. */
  readonly steps: readonly (readonly number[])[];
}

/**
 * Checks scores, and finds the chains. A chain has the steps of a sample where the mask is 1: it goes on behind a gap.
 *
 * @param what the name of the caller, for errors.
 * @param emissions `[B, T, K]` f32, in either memory order.
 * @param mask `[B, T]`; default: that of the emissions, if they have one.
 * @param weights `[B]`: a sample of weight 0 gets an empty chain, so that its numbers are not read.
 * @param steps in place of a mask: the steps of each sample that count.
 */
export function chainsOf(
  what: string,
  emissions: Weight,
  scores: ChainScores,
  given: {
    mask?: Tensor | undefined;
    weights?: Tensor | undefined;
    steps?: readonly (readonly number[])[] | undefined;
  } = {},
): Chains {
  const { mask, weights } = given;
  const e = floatsOf(emissions, `${what}: emissions`);
  const [batch, time, tags] = e.shape as [number, number, number];
  if (e.shape.length !== 3 || tags === 0) {
    throw new ArgumentError(`${what}: emissions expected [B, T, K] with K ≥ 1, got ${formatShape(e.shape)}`);
  }
  const score = (name: string, weight: Weight): Tensor => {
    const own = floatsOf(weight, `${what}: ${name}`);
    expectShape(`${what}: ${name}`, own.shape, name === 'transitions' ? [tags, tags] : [tags]);
    return inOrder(own, false);
  };
  const kept = given.steps ? undefined : (mask ?? e.mask);
  if (kept) expectShape(`${what}: mask`, kept.shape, [batch, time]);
  const counts = kept?.toArray();
  const weighing = weights?.toArray();
  const counted = (i: number): number[] => {
    const own: number[] = [];
    if (weighing?.[i] !== 0) for (let t = 0; t < time; t++) if (counts?.[i * time + t] !== 0) own.push(t);
    return own;
  };
  const steps = given.steps ?? Array.from({ length: batch }, (_, i) => counted(i));
  const samples = Array.from(steps.keys()).sort((a, b) => steps[b]!.length - steps[a]!.length);
  return {
    engine: e.engine,
    emissions: e,
    transitions: score('transitions', scores.transitions),
    start: scores.start === undefined ? undefined : score('start', scores.start),
    end: scores.end === undefined ? undefined : score('end', scores.end),
    batch,
    time,
    longest: batch === 0 ? 0 : steps[samples[0]!]!.length,
    tags,
    samples,
    steps,
  };
}

const padded = (chains: number): number => Math.ceil(chains / 4) * 4;
const paddedTags = (tags: number): number => Math.ceil(tags / 6) * 6;

/** The first arguments of every kernel, in scratch. */
function argumentsOf(chains: Chains): [number, number, number, Ptr, Ptr, Ptr, Ptr] {
  const { engine, emissions, transitions, start, end, batch, time, longest, tags, samples, steps } = chains;
  const rows = engine.allocateScratch(batch * longest);
  const counts = engine.allocateScratch(batch);
  const scores = engine.zeroedScratch((tags + 2) * tags);
  const [sample, step] = emissions.timeMajor ? [1, batch] : [time, 1];
  const row = engine.i32(rows, batch * longest).fill(0);
  samples.forEach((i, chain) => {
    steps[i]!.forEach((t, k) => {
      row[chain * longest + k] = i * sample + t * step;
    });
  });
  engine.i32(counts, batch).set(samples.map((i) => steps[i]!.length));
  const to = engine.f32(scores, (tags + 2) * tags);
  to.set(transitions.dataView());
  if (start) to.set(start.dataView(), tags * tags);
  if (end) to.set(end.dataView(), (tags + 1) * tags);
  return [batch, longest, tags, emissions.ptr, rows, counts, scores];
}

/** Number of 4-byte elements of `alphas`, and of the workspace of the backward kernel. */
export const alphaSize = ({ batch, longest, tags }: Chains): number =>
  2 * padded(batch) * (2 + longest * paddedTags(tags));
const backwardSize = ({ longest, tags }: Chains): number =>
  2 * (2 * paddedTags(tags) + 7 + 4 * longest) * paddedTags(tags);

/** log Z of each sample in float64. `alphas` gets what `backward` needs; without it scratch is used. */
export function logNorms(chains: Chains, alphas?: Ptr): Float64Array {
  const { engine, batch, tags, samples } = chains;
  const kernels = extraKernels(engine);
  return engine.scratch(() => {
    const given = argumentsOf(chains);
    const workspace = engine.allocateScratch(2 * (paddedTags(tags) + 3) * paddedTags(tags));
    const to = alphas ?? engine.allocateScratch(alphaSize(chains));
    kernels.chain_forward(...given, workspace, to);
    const sorted = new Float64Array(engine.memory.buffer, to, batch);
    const logZ = new Float64Array(batch);
    samples.forEach((i, chain) => {
      logZ[i] = sorted[chain]!;
    });
    return logZ;
  });
}

/**
 * The gradients of Σ weights·log Z: in `dEmissions` [B, T, K], in the memory order of the emissions, with 0 at steps
 * that do not count, and in `dScores` [K + 2, K].
 */
export function backward(
  chains: Chains,
  alphas: Ptr,
  weights: ArrayLike<number>,
  { dEmissions, dScores }: { dEmissions: Ptr; dScores: Ptr },
): void {
  const { engine, batch, emissions, samples } = chains;
  const kernels = extraKernels(engine);
  engine.f32(dEmissions, emissions.size).fill(0);
  engine.scratch(() => {
    const given = argumentsOf(chains);
    const workspace = engine.allocateScratch(backwardSize(chains));
    const sorted = engine.allocateScratch(2 * padded(batch));
    new Float64Array(engine.memory.buffer, sorted, padded(batch)).fill(0).set(samples.map((i) => weights[i]!));
    kernels.chain_backward(...given, workspace, alphas, sorted, dEmissions, dScores);
  });
}

/** Gives the gradients in `dScores` [K + 2, K] to transitions, start and end. */
export function giveScores({ transitions, start, end, tags }: Chains, tape: Tape, dScores: Ptr): void {
  tape.give(transitions, dScores);
  if (start) tape.give(start, dScores + 4 * tags * tags);
  if (end) tape.give(end, dScores + 4 * (tags + 1) * tags);
}

/** P(tag of step t = j) for `[B, T, K]`, in the memory order of the emissions; 0 at steps that do not count. */
export function marginals(chains: Chains, to: Ptr): void {
  const { engine, batch, tags } = chains;
  engine.scratch(() => {
    const alphas = engine.allocateScratch(alphaSize(chains));
    const dScores = engine.allocateScratch((tags + 2) * tags);
    logNorms(chains, alphas);
    backward(chains, alphas, new Float64Array(batch).fill(1), { dEmissions: to, dScores });
  });
}

/** The path of greatest score of each sample, one tag for each step that counts, and its score. */
export function bestPaths(chains: Chains): { paths: Int32Array[]; scores: Float32Array } {
  const { engine, batch, longest, tags, samples, steps } = chains;
  const kernels = extraKernels(engine);
  return engine.scratch(() => {
    const given = argumentsOf(chains);
    const workspace = engine.allocateScratch(2 * (paddedTags(tags) + 2 + 4 * longest) * paddedTags(tags));
    const [at, best] = [engine.allocateScratch(batch * longest), engine.allocateScratch(batch)];
    kernels.chain_best(...given, workspace, at, best);
    const paths: Int32Array[] = [];
    const scores = new Float32Array(batch);
    samples.forEach((i, chain) => {
      const from = chain * longest;
      paths[i] = engine.i32(at, batch * longest).slice(from, from + steps[i]!.length);
      scores[i] = engine.f32(best, batch)[chain]!;
    });
    return { paths, scores };
  });
}
