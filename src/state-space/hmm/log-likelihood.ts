import { floatsOf, type Weight } from '../../autograd/parameter.ts';
import { isRecording, record } from '../../autograd/tape.ts';
import { empty, expectShape, type Tensor } from '../../autograd/tensor.ts';
import { ArgumentError } from '../../checks/argument-error.ts';
import { checkOptions } from '../../checks/options.ts';
import { formatShape } from '../../checks/shape.ts';
import { contribute, type StepOptions, stepNames, visibleSteps } from '../steps.ts';
import { forward, forwardBackward, Transitions } from './chain.ts';

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
 * @throws ArgumentError if an operand is not f32, shapes do not fit, a length is not an integer in [0, T], both `lengths`
 *   and `mask` are given, or an option is unknown.
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
  const a = floatsOf(transitions, `${what}: transitions`);
  const pi = floatsOf(initial, `${what}: initial`);
  if (b.shape.length !== 3)
    throw new ArgumentError(`${what}: emissions expected [B, T, K], got ${formatShape(b.shape)}`);
  const [batch, steps, states] = b.shape as [number, number, number];
  expectShape(`${what}: transitions`, a.shape, [states, states]);
  expectShape(`${what}: initial`, pi.shape, [states]);
  const visible = visibleSteps(what, options, b, batch, steps);
  const isNeeded = isRecording([b, a, pi]);

  const chain = new Transitions(Float64Array.from(pi.toArray()), Float64Array.from(a.toArray()));
  const values = b.toArray();
  const results = visible.map((at, i) => {
    const logB = new Float64Array(at.length * states);
    at.forEach((t, n) => {
      const from = (i * steps + t) * states;
      logB.set(values.subarray(from, from + states), n * states);
    });
    if (!isNeeded) return { logLikelihood: forward(chain, logB, at.length, new Float64Array(logB.length)) };
    const counts = new Float64Array(states * states);
    return { ...forwardBackward(chain, logB, at.length, counts), counts };
  });
  const { engine } = b;
  const y = empty([batch], { name: what, engine });
  y.set(results.map(({ logLikelihood }) => logLikelihood));
  if (isNeeded) {
    record([b, a, pi], [y], (tape) => {
      const dy = Float64Array.from(engine.f32(tape.gradientOf(y), batch));
      const dEmissions = new Float64Array(batch * steps * states);
      const dTransitions = new Float64Array(states * states);
      const dInitial = new Float64Array(states);
      results.forEach((result, i) => {
        const { gamma, counts } = result as { gamma: Float64Array; counts: Float64Array };
        visible[i]!.forEach((t, n) => {
          for (let k = 0; k < states; k++) {
            const part = dy[i]! * gamma[n * states + k]!;
            dEmissions[(i * steps + t) * states + k] = part;
            if (n === 0) dInitial[k]! += part;
          }
        });
        for (let j = 0; j < counts.length; j++) dTransitions[j]! += dy[i]! * counts[j]!;
      });
      contribute(tape, b, dEmissions);
      contribute(tape, a, dTransitions);
      contribute(tape, pi, dInitial);
    });
  }
  return y;
}
