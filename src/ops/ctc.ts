import { floatsOf, type Weight } from '../autograd/parameter.ts';
import { isRecording, record } from '../autograd/tape.ts';
import { empty, expectTensor, type Tensor } from '../autograd/tensor.ts';
import { ArgumentError, expectArray, shown } from '../checks/argument-error.ts';
import { checkOptions } from '../checks/options.ts';
import { formatShape } from '../checks/shape.ts';
import { Binary, type Ptr, Unary } from '../engine/abi.ts';
import { inOrder } from './shapes/layout.ts';

export interface CtcOptions {
  /** The class that means no label. Default 0. */
  blank?: number | undefined;
  /** Number of steps of each sequence, `[B]`, each at most T. Default: T. */
  inputLengths?: ArrayLike<number> | undefined;
}

/**
 * Connectionist temporal classification: the loss of sequences whose label is known, while the steps of the classes in
 * it are unknown.
 *
 * loss = −ln Σ over all paths π that collapse to the label of Πₜ softmax(logits)ₜ[πₜ]; a path collapses by removing
 * repeats and then blanks
 *
 * @param input logits `[B, T, V]` f32, not normalised.
 * @param labels `[B, S]` i32: in each row the classes of a label, then padding of `blank` or negative numbers.
 * @param options.blank the class that means no label; default 0.
 * @param options.inputLengths `[B]`, number of steps of each sequence; default T.
 * @returns `[B]` f32 in nats. A label needs one step for each class, and one more between two equal ones. If it does
 *   not fit its steps, the loss is ∞ with gradient 0.
 * @throws ArgumentError if `input` is not f32 or `labels` not i32, shapes do not fit, `blank` or a class is outside [0,
 *   V), padding is followed by a class, a length is not an integer in [0, T], or an option is unknown.
 * @see Graves et al. 2006, https://www.cs.toronto.edu/~graves/icml_2006.pdf; keras.ops.ctc_loss,
 *   torch.nn.functional.ctc_loss
 */
export function ctcLoss(input: Weight, labels: Tensor, options: CtcOptions = {}): Tensor {
  const { blank = 0, inputLengths } = checkOptions('ctcLoss', options, { blank: 1, inputLengths: 1 });
  input = floatsOf(input, 'ctcLoss: logits');
  const [batch, steps, classes] = input.shape as [number, number, number];
  if (input.shape.length !== 3) {
    throw new ArgumentError(`ctcLoss: logits expected [B, T, V], got ${formatShape(input.shape)}`);
  }
  expectTensor('ctcLoss: labels', labels);
  if (labels.dtype !== 'i32') throw new ArgumentError(`ctcLoss: labels expected i32, got ${labels.dtype}`);
  if (labels.shape.length !== 2 || labels.shape[0] !== batch) {
    throw new ArgumentError(`ctcLoss: labels expected [${batch}, S], got ${formatShape(labels.shape)}`);
  }
  if (!(Number.isInteger(blank) && blank >= 0 && blank < classes)) {
    throw new ArgumentError(`ctcLoss: blank expected a class in [0, ${classes}), got ${shown(blank)}`);
  }
  const logits = inOrder(input, false);
  const ids = inOrder(labels, false);
  const { engine } = logits;
  const { kernels } = engine;
  const width = ids.shape[1]!;
  const lengths = {
    labels: labelLengths(engine.i32(ids.ptr, ids.size), [batch, width], { blank, classes, what: 'ctcLoss: labels' }),
    inputs: checkedInputLengths('ctcLoss', inputLengths, [batch, steps]),
  };

  const losses = empty([batch], { name: 'ctcLoss', engine });
  const gradient = isRecording([logits]) ? empty(logits.shape, { name: 'd logits', engine }) : undefined;
  engine.scratch(() => {
    const logProbs = engine.allocateScratch(logits.size);
    const inputs = engine.allocateScratch(batch);
    const used = engine.allocateScratch(batch);
    const scratch = engine.allocateScratch(9 * steps * (2 * width + 1));
    engine.i32(inputs, batch).set(lengths.inputs);
    engine.i32(used, batch).set(lengths.labels);
    kernels.log_softmax(batch * steps, classes, logits.ptr, logProbs);
    if (gradient) kernels.unary(logits.size, Unary.Exp, logProbs, gradient.ptr);
    const to: Ptr = gradient?.ptr ?? 0;
    kernels.ctc(batch, steps, classes, logProbs, inputs, width, ids.ptr, used, blank, scratch, losses.ptr, to);
  });
  if (gradient) {
    record([logits], [losses], (tape) => {
      // Forward has already computed the gradient of each loss. Here it is multiplied in place.
      const [at, row] = [gradient.ptr, steps * classes];
      kernels.binary(Binary.Mul, batch, row, at, row, 1, tape.gradientOf(losses), 1, 0, at);
      tape.give(logits, at);
    });
  }
  return losses;
}

/**
 * Number of classes before the padding in each row of labels `[rows, width]`.
 *
 * @throws ArgumentError for padding that is followed by a class, or a class outside [0, classes). @internal
 */
export function labelLengths(
  labels: ArrayLike<number>,
  [rows, width]: readonly [number, number],
  { blank, classes, what }: { blank: number; classes: number; what: string },
): Int32Array {
  const isPadding = (label: number): boolean => label === blank || label < 0;
  return Int32Array.from({ length: rows }, (_, i) => {
    let length = width;
    while (length > 0 && isPadding(labels[i * width + length - 1]!)) length--;
    for (let j = 0; j < length; j++) {
      const label = labels[i * width + j]!;
      if (!isPadding(label) && label < classes) continue;
      const expected = isPadding(label)
        ? `padding (the blank, ${blank}, or a negative number) only after the last class of a row`
        : `classes in [0, ${classes})`;
      throw new ArgumentError(`${what} expected ${expected}, got ${label} at [${i}, ${j}]`);
    }
    return length;
  });
}

/** Lengths of sequences `[batch, steps]`, all T by default. Throws `ArgumentError` if they do not fit. @internal */
export function checkedInputLengths(
  what: string,
  given: ArrayLike<number> | undefined,
  [batch, steps]: readonly [number, number],
): Int32Array {
  if (!given) return new Int32Array(batch).fill(steps);
  expectArray(`${what}: inputLengths`, given);
  // Elements are read by index: an array whose buffer was transferred to another thread is empty and cannot be
  // iterated.
  const lengths = Array.from({ length: given.length }, (_, i) => given[i]!);
  const at = lengths.findIndex((n) => !(Number.isInteger(n) && n >= 0 && n <= steps));
  if (given.length !== batch || at >= 0) {
    const got = at >= 0 ? `${shown(given[at])} at ${at}` : `${given.length}`;
    throw new ArgumentError(`${what}: inputLengths expected ${batch} integers in [0, ${steps}], got ${got}`);
  }
  return Int32Array.from(lengths);
}
