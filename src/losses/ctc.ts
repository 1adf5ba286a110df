import { empty, expectShape, type Tensor } from '../autograd/tensor.ts';
import { ArgumentError } from '../checks/argument-error.ts';
import { expectChoice } from '../checks/choices.ts';
import { expectNumber } from '../checks/number-ranges.ts';
import { checkOptions } from '../checks/options.ts';
import { formatShape } from '../checks/shape.ts';
import { ctcLoss, labelLengths } from '../ops/ctc.ts';
import { hideMasked } from '../ops/elementwise/select.ts';
import { inOrder } from '../ops/shapes/layout.ts';
import { type Loss, type LossOptions, REDUCTIONS, reduceRows, reductionConfig, withoutZeroRows } from './loss.ts';

export interface CtcLossOptions extends LossOptions {
  /** The class that means no label. Default 0. */
  blank?: number | undefined;
}

/**
 * Connectionist temporal classification: labels are known for each sequence, but not at which steps they occur.
 *
 * ℓ = −ln P(label | sequence), summed over all ways to place the label's classes on the steps of the sequence
 *
 * Weights are one for each sequence, `[B]`. A sequence ends with its last unmasked step; without a mask it has T steps.
 *
 * @param given.blank the class that means no label; default 0.
 * @param given.reduction how the losses of sequences become one number: `sumOverBatchSize` (default) divides their sum
 *   by the number of sequences, `sum` does not divide it, `meanWithSampleWeight` divides it by the sum of the weights.
 * @returns the loss, for `compile`. Predictions are logits `[B, T, V]` f32. Targets are `[B, S]` i32: in each row the
 *   classes of a label, then padding of `blank` or negative numbers; or labels of unequal length.
 * @throws ArgumentError if `blank` is not an integer ≥ 0, `reduction` is not one of its values or an option is unknown;
 *   when the loss gets a batch, if shapes do not fit, `blank` or a class is not below V, or padding is followed by a
 *   class; when `fit` or `evaluate` gets the targets, if a label does not fit T steps: it takes one step for each
 *   class, and one more between two equal ones.
 * @see `ops.ctcLoss`, the op; keras.losses.CTC, whose blank is always 0 and whose sequences all have T steps
 *
 * @example
 * const speech = sequential([gru({ units: 4, inputShape: [20, 2], returnSequences: true }), dense({ units: 5 })]);
 * speech.compile({ optimizer: 'adam', loss: ctc() }); // 4 classes and the blank
 */
export function ctc(given: CtcLossOptions = {}): Loss {
  const { blank = 0, reduction = 'sumOverBatchSize' } = checkOptions('ctc', given, { blank: 1, reduction: 1 });
  expectNumber('ctc: blank', blank, 'an integer ≥ 0');
  expectChoice('ctc', 'reduction', reduction, REDUCTIONS);
  const values = (yTrue: Tensor, yPred: Tensor): Tensor =>
    ctcLoss(hideMasked(yPred, yPred.mask), padded(yTrue), { blank, inputLengths: yPred.mask && lengthsOf(yPred.mask) });
  return {
    name: 'ctc',
    targetDtype: 'i32',
    reads: 'logits',
    classes: 'exclusive',
    weightShape: (predictions) => predictions.slice(0, 1),
    leavesOut: true,
    values,
    compute(yTrue, yPred, weights) {
      if (weights) expectShape('ctc: weights', weights.shape, yPred.shape.slice(0, 1));
      return reduceRows(values(...withoutZeroRows(yTrue, yPred, weights, -1)), weights, reduction);
    },
    checkTargets({ data, shape }, predictions, what) {
      const [batch, steps, classes] = predictions as [number, number, number];
      if (shape.length !== 2 || shape[0] !== batch) {
        throw new ArgumentError(`ctc: targets expected [${batch}, S], got ${formatShape(shape)}`);
      }
      const width = shape[1]!;
      labelLengths(data, [batch, width], { blank, classes, what: `ctc: ${what}` }).forEach((length, i) => {
        let needed = length;
        for (let j = 1; j < length; j++) if (data[i * width + j] === data[i * width + j - 1]) needed++;
        if (needed <= steps) return;
        throw new ArgumentError(
          `ctc: ${what} expected labels that fit ${steps} steps, one a class and one more between equal ones, got ${needed} in sample ${i}`,
        );
      });
    },
    config: () => ({ blank, ...reductionConfig(reduction) }),
  };
}

/** The labels, with −1 where their mask is 0, which is after the end of a label. */
function padded(labels: Tensor): Tensor {
  if (!labels.mask) return labels;
  const { engine, shape, size, timeMajor } = labels;
  expectShape('ctc: mask of targets', labels.mask.shape, shape);
  const mask = inOrder(labels.mask, timeMajor);
  const ids = empty(shape, { dtype: 'i32', name: 'labels', timeMajor, engine });
  const kept = engine.f32(mask.ptr, size);
  engine.i32(ids.ptr, size).set(engine.i32(labels.ptr, size).map((id, i) => (kept[i] === 0 ? -1 : id)));
  return ids;
}

/** Number of steps of each sequence, up to its last step with 1 in the mask `[B, T]`. */
function lengthsOf(mask: Tensor): Int32Array {
  const { engine, shape, ptr, size } = inOrder(mask, false);
  const [batch, steps] = shape as [number, number];
  const kept = engine.f32(ptr, size);
  return Int32Array.from({ length: batch }, (_, i) => {
    let length = steps;
    while (length > 0 && kept[i * steps + length - 1] === 0) length--;
    return length;
  });
}
