import { floatsOf, type Weight } from '../../autograd/parameter.ts';
import { isRecording, record } from '../../autograd/tape.ts';
import { empty, expectShape, type Tensor } from '../../autograd/tensor.ts';
import { ArgumentError } from '../../checks/argument-error.ts';
import { checkOptions } from '../../checks/options.ts';
import { formatShape } from '../../checks/shape.ts';
import { alphaSize, backward, chainsOf, giveScores, logNorms } from '../../ops/chain.ts';
import { type StepOptions, stepNames, visibleSteps } from '../steps.ts';

/** Options of {@link hmmLogLikelihood}. */
export type HmmLogLikelihoodOptions = StepOptions;

/**
 * Log-likelihood of hidden Markov chains, differentiable, so that a network can give emissions.
 *
 * y = ln Σ over all paths s of π(s₁) b₁(s₁) Πₜ A(sₜ₋₁, sₜ) bₜ(sₜ)
 *
 * The gradient of the emissions is the posterior P(state k at step t | all observations), that of the transitions the
 * expected number of each. All are potentials: rows need not sum to 1. `ops.logSoftmax` of a parameter makes rows that
 * do.
 *
 * @param emissions ln bₜ(k), `[B, T, K]` f32. −∞ stands for probability 0.
 * @param transitions ln A(i, j), from i to j, `[K, K]` f32.
 * @param initial ln π(k), `[K]` f32.
 * @param options.lengths number of steps of each sequence, `[B]`; default T.
 * @param options.mask `[B, T]` f32, 0 for steps that the chain leaves out; default the mask of `emissions`.
 * @returns `[B]` f32 in nats; 0 for a sequence without steps. Where no path is possible it is −∞ with gradient 0.
 * @throws ArgumentError if an operand is not f32, shapes do not fit, a length is not an integer in [0, T], both
 *   `lengths` and `mask` are given, or an option is unknown.
 * @see Rabiner 1989, "A tutorial on hidden Markov models"; the gradient is Fisher's identity
 *
 * @example
 * const emissions = tensor([[[-1, -2], [-3, -0.5]]]);
 * const half = tensor([[Math.log(0.5), Math.log(0.5)], [Math.log(0.5), Math.log(0.5)]]);
 * hmmLogLikelihood(emissions, half, tensor([0, -Infinity])).item(); // -2.1142
 */
export function hmmLogLikelihood(
  emissions: Weight,
  transitions: Weight,
  initial: Weight,
  options: HmmLogLikelihoodOptions = {},
): Tensor {
  const what = 'hmmLogLikelihood';
  checkOptions(what, options, stepNames);
  const b = floatsOf(emissions, `${what}: emissions`);
  if (b.shape.length !== 3) {
    throw new ArgumentError(`${what}: emissions expected [B, T, K], got ${formatShape(b.shape)}`);
  }
  const steps = visibleSteps(what, options, b, b.shape[0]!, b.shape[1]!);
  const tags = b.shape[2]!;
  expectShape(`${what}: transitions`, floatsOf(transitions, `${what}: transitions`).shape, [tags, tags]);
  const start = floatsOf(initial, `${what}: initial`);
  expectShape(`${what}: initial`, start.shape, [tags]);
  const chains = chainsOf(what, b, { transitions, start }, { steps });
  const { engine, batch } = chains;
  const operands = [chains.emissions, chains.transitions, chains.start];
  const y = empty([batch], { name: what, engine });
  const isRecorded = isRecording(operands);
  const alphas = isRecorded ? empty([alphaSize(chains)], { name: 'alphas', engine }).ptr : undefined;
  // It may grow the memory, so the view of y is made afterwards.
  const values = logNorms(chains, alphas);
  engine.f32(y.ptr, batch).set(values);
  if (alphas === undefined) return y;
  record(operands, [y], (tape) => {
    const dy = engine.f32(tape.gradientOf(y), batch);
    const weights = Float64Array.from(dy, (d, i) => (values[i] === Number.NEGATIVE_INFINITY ? 0 : d));
    const dEmissions = engine.allocateScratch(chains.emissions.size);
    const dScores = engine.allocateScratch((tags + 2) * tags);
    backward(chains, alphas, weights, { dEmissions, dScores });
    tape.give(chains.emissions, dEmissions);
    giveScores(chains, tape, dScores);
  });
  return y;
}
