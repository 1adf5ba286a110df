import { floatsOf, type Weight } from '../autograd/parameter.ts';
import { isRecording, openTape, record } from '../autograd/tape.ts';
import { empty, expectF32, expectShape, expectTensor, type Tensor } from '../autograd/tensor.ts';
import { ArgumentError, expectNoMore } from '../checks/argument-error.ts';
import { checkOptions } from '../checks/options.ts';
import { Binary, Masked, Unary } from '../engine/abi.ts';
import { ELEMENTWISE_GRAIN } from '../engine/threads.ts';
import { select } from './elementwise/select.ts';
import { where } from './elementwise/where.ts';
import { expectIds } from './ids.ts';
import { asRows, inOrder } from './shapes/layout.ts';

/** yᵢ = exp(xᵢ) / Σⱼ exp(xⱼ) along the last axis. @internal */
export function softmaxRows(input: Weight): Tensor {
  const x = asRows(floatsOf(input, 'softmax: x'));
  const { engine } = x;
  const columns = x.shape.at(-1) ?? 1;
  const rows = x.size / Math.max(columns, 1);
  const y = empty(x.shape, { name: 'softmax', timeMajor: x.timeMajor, engine });
  engine.kernels.softmax(rows, columns, x.ptr, y.ptr);
  record([x], [y], (tape) => {
    const { ptr, accumulate } = tape.into(x)!;
    engine.kernels.softmax_backward(rows, columns, y.ptr, tape.gradientOf(y), ptr, accumulate);
  });
  return y;
}

// The least float32. Beside any other score its softmax is 0. The softmax of a row with only this number is finite.
const LEAST = -3.4028234663852886e38;

/** Scores, with the least float32 where the mask is 0. @internal */
export const maskScores = (x: Weight, mask: Tensor): Tensor => select(mask, x, LEAST);

/**
 * Softmax along the last axis over the elements that a mask keeps; the others are exactly 0.
 *
 * yᵢ = mᵢ·exp(xᵢ) / Σⱼ mⱼ·exp(xⱼ), with mᵢ = 1 where the mask is not 0; yᵢ = 1/V for a row that is masked entirely
 *
 * For a mask that is added to the scores use `softmax(add(x, mask))`.
 *
 * @param x `[…, V]` f32.
 * @param mask `[…]` f32 or i32, not 0 where an element counts; shapes are broadcast as in `where`.
 * @returns `[…, V]` f32.
 * @throws ArgumentError if `x` is not an f32 tensor, the mask does not broadcast with it, or there are more arguments.
 * @see keras.layers.Softmax
 */
export function maskedSoftmax(x: Weight, mask: Weight, ...others: never[]): Tensor {
  expectNoMore('maskedSoftmax', others);
  x = floatsOf(x, 'maskedSoftmax: x');
  return softmaxRows(where(mask, x, LEAST));
}

/** yᵢ = xᵢ − ln Σⱼ exp(xⱼ) along the last axis. @internal */
export function logSoftmaxRows(input: Weight): Tensor {
  const x = asRows(floatsOf(input, 'logSoftmax: x'));
  const { engine } = x;
  const { kernels } = engine;
  const columns = x.shape.at(-1) ?? 1;
  const rows = x.size / Math.max(columns, 1);
  const y = empty(x.shape, { name: 'logSoftmax', timeMajor: x.timeMajor, engine });
  kernels.log_softmax(rows, columns, x.ptr, y.ptr);
  record([x], [y], (tape) => {
    // dx = dy − softmax · Σ dy
    const dy = tape.gradientOf(y);
    engine.scratch(() => {
      const sums = engine.allocateScratch(rows);
      const probabilities = engine.allocateScratch(x.size);
      kernels.row_sum(rows, columns, dy, columns, sums, 0);
      kernels.unary(x.size, Unary.Exp, y.ptr, probabilities);
      kernels.binary(Binary.Mul, rows, columns, probabilities, columns, 1, sums, 1, 0, probabilities);
      kernels.axpy(x.size, -1, probabilities, dy);
    });
    tape.give(x, dy);
  });
  return y;
}

/**
 * Softmax and cross-entropy in one op.
 *
 * loss = mean over all rows of −weight·ln softmax(logits)[target]
 *
 * @param input logits `[…, V]` f32, in either memory order.
 * @param labels targets `[…]` i32, each in [0, V). In a row of weight 0 it may be any number.
 * @param weights `[…]` f32, constants; default ones. The mean is over all rows, whatever their weights. Rows of weight
 *   0 have no loss and no gradient, even if their logits are NaN.
 * @param options.isLastUse whether the logits are not read after this op. If no backward function reads them either,
 *   their gradient is stored in their memory, and reading the logits throws `DeadTensorError`. Default false.
 * @returns shape [], in nats.
 * @throws ArgumentError if `input` is not f32 or `labels` not i32, shapes do not fit, or a target is outside [0, V);
 *   nothing is recorded then.
 * @see https://keras.io/api/losses/probabilistic_losses/#sparsecategoricalcrossentropy-class (fromLogits)
 */
export function softmaxCrossEntropy(
  input: Tensor,
  labels: Tensor,
  weights?: Tensor,
  options: { isLastUse?: boolean | undefined } = {},
): Tensor {
  const { isLastUse = false } = checkOptions('softmaxCrossEntropy', options, { isLastUse: true });
  input = floatsOf(input, 'softmaxCrossEntropy: logits');
  expectTensor('softmaxCrossEntropy: labels', labels);
  const logits = asRows(input);
  const { engine } = logits;
  const { kernels } = engine;
  const classes = logits.shape.at(-1) ?? 0;
  expectShape('softmaxCrossEntropy: labels', labels.shape, logits.shape.slice(0, -1));
  if (labels.dtype !== 'i32') throw new ArgumentError(`softmaxCrossEntropy: labels expected i32, got ${labels.dtype}`);
  if (weights) {
    expectF32('softmaxCrossEntropy: weights', weights);
    expectShape('softmaxCrossEntropy: weights', weights.shape, labels.shape);
  }
  const targets = inOrder(weights ? select(weights, labels, 0) : labels, logits.timeMajor);
  const rows = targets.size;
  expectIds('softmaxCrossEntropy: labels', targets, classes);
  const weightsAt = weights ? inOrder(weights, logits.timeMajor).ptr : 0;

  const grain = ELEMENTWISE_GRAIN / Math.max(classes, 1);
  const scale = 1 / Math.max(rows, 1);
  const loss = empty([], { name: 'softmaxCrossEntropy', engine });
  const recording = isRecording([logits]);
  const logitsAt = logits.ptr;
  const spare = recording && isLastUse && logits === input && openTape()!.isUnread(input);
  // The gradient for ∂/∂loss = 1.
  const dLogits = spare ? input.take() : recording ? empty(logits.shape, { name: 'dLogits', engine }).ptr : 0;
  engine.scratch(() => {
    const each = engine.allocateScratch(rows);
    engine.parallel(rows, grain / 4, ({ kernels: own, from, to }) => {
      const at = 4 * from * classes;
      const [ids, weigh, d] = [targets.ptr + 4 * from, weightsAt && weightsAt + 4 * from, dLogits && dLogits + at];
      own.softmax_cross_entropy(to - from, classes, logitsAt + at, ids, weigh, scale, each + 4 * from, d);
      if (weigh && d) own.masked_rows(Masked.Zero, to - from, classes, weigh, 0, d);
    });
    if (weightsAt) kernels.masked_rows(Masked.Zero, rows, 1, weightsAt, 0, each);
    const sum = weightsAt ? kernels.dot(rows, each, weightsAt) : kernels.sum(rows, each);
    engine.f32(loss.ptr, 1)[0] = sum / Math.max(rows, 1);
  });
  record([logits], [loss], (tape) => {
    const dLoss = engine.f32(tape.gradientOf(loss), 1)[0]!;
    if (dLoss !== 1) {
      engine.parallel(rows, grain, ({ kernels: own, from, to }) => {
        const at = dLogits + 4 * from * classes;
        own.scale((to - from) * classes, dLoss, at, at);
      });
    }
    tape.give(logits, dLogits);
  });
  return loss;
}
