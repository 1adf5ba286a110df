import { expectShape, type Tensor } from '../autograd/tensor.ts';
import { ArgumentError } from '../checks/argument-error.ts';
import { expectChoice } from '../checks/choices.ts';
import { checkOptions } from '../checks/options.ts';
import { expectIdsBelow } from '../data/array.ts';
import { type Loss, type LossOptions, REDUCTIONS, reduceRows, reductionConfig } from '../losses/loss.ts';
import { neg } from '../ops/elementwise/elementwise.ts';
import { type Decoded, decodedFrom } from './crf.ts';
import { logLikelihood } from './likelihood.ts';

/**
 * The negative log-likelihood of tags, for a model that ends with `crf`.
 *
 * ℓ = −ln P(y | x) = log Z − s(y) for each sequence, in nats
 *
 * The loss reads the scores from which the layer decoded its output. Weights are one for each sequence, `[B]`. Masked
 * steps are no part of the sequence; their targets may be any ids in [0, K).
 *
 * @param given.reduction how the losses of sequences become one number: `sumOverBatchSize` (default) divides their sum
 *   by the number of sequences, `sum` does not divide it, `meanWithSampleWeight` divides it by the sum of the weights.
 * @returns the loss, for `compile`. Targets are tag ids `[B, T]` i32; predictions are the output `[B, T, K]` of a `crf`
 *   layer.
 * @throws ArgumentError if `reduction` is not one of its values or an option is unknown; when the loss gets a batch, if
 *   predictions are not the output of a `crf` layer, shapes do not fit, a target is outside [0, K), or the layer does
 *   not allow the targets.
 * @see tfa.text.crf_log_likelihood; keras_contrib.losses.crf_loss
 *
 * @example
 * const tagger = sequential([gru({ units: 4, inputShape: [6, 2], returnSequences: true }), dense({ units: 3 }), crf()]);
 * tagger.compile({ optimizer: 'adam', loss: crfLoss(), metrics: ['accuracy'] });
 */
export function crfLoss(given: LossOptions = {}): Loss {
  const { reduction = 'sumOverBatchSize' } = checkOptions('crfLoss', given, { reduction: 1 });
  expectChoice('crfLoss', 'reduction', reduction, REDUCTIONS);
  const values = (yTrue: Tensor, yPred: Tensor, weights?: Tensor): Tensor => {
    const from = decodedFrom(yPred);
    if (!from) throw new ArgumentError('crfLoss: predictions expected the output of a crf layer, got another tensor');
    const { emissions, scores, allowed } = from;
    const mask = yPred.mask ?? yTrue.mask;
    const likelihood = logLikelihood('crfLoss', emissions, yTrue, { ...scores, mask }, weights);
    if (allowed) expectAllowed(from, yTrue, likelihood, mask);
    return neg(likelihood);
  };
  return {
    name: 'crfLoss',
    targetDtype: 'i32',
    classes: 'exclusive',
    targetShape: (predictions) => predictions.slice(0, -1),
    weightShape: (predictions) => predictions.slice(0, 1),
    leavesOut: true,
    values: (yTrue, yPred) => values(yTrue, yPred),
    compute(yTrue, yPred, weights) {
      if (weights) expectShape('crfLoss: weights', weights.shape, yPred.shape.slice(0, 1));
      return reduceRows(values(yTrue, yPred, weights), weights, reduction);
    },
    checkTargets(ys, predictions, what) {
      expectIdsBelow(ys, predictions.at(-1)!, what);
    },
    config: () => reductionConfig(reduction),
  };
}

/** Throws `ArgumentError` for the first targets that the layer does not allow. */
function expectAllowed({ allowed }: Decoded, yTrue: Tensor, likelihood: Tensor, mask: Tensor | undefined): void {
  const { transitions, start, end } = allowed!;
  const sample = likelihood.toArray().indexOf(Number.NEGATIVE_INFINITY);
  if (sample < 0) return;
  const time = yTrue.shape[1]!;
  const own = (x: Tensor | undefined): number[] =>
    Array.from(x?.toArray() ?? []).slice(sample * time, (sample + 1) * time);
  const kept = own(mask);
  const steps = Array.from(own(yTrue).keys()).filter((t) => kept[t] !== 0);
  const tags = steps.map((t) => own(yTrue)[t]!);
  const refuse = (what: string, at: number): never => {
    throw new ArgumentError(
      `crfLoss: targets expected tags that the layer allows, got ${what} at step ${steps[at]} of sample ${sample}`,
    );
  };
  tags.forEach((tag, k) => {
    if (k > 0 && transitions[tags[k - 1]!]![tag] === 0) refuse(`${tag} behind ${tags[k - 1]}`, k);
    if (k === 0 && start?.[tag] === 0) refuse(`${tag} first`, k);
    if (k === tags.length - 1 && end?.[tag] === 0) refuse(`${tag} last`, k);
  });
}
