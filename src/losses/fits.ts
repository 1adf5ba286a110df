// Checks before training: the loss fits the last activation of the model, and the targets fit the loss.

import { expectShape } from '../autograd/tensor.ts';
import { ArgumentError } from '../checks/argument-error.ts';
import { type Shape, sameShape } from '../checks/shape.ts';
import { NdArray } from '../data/array.ts';
import { RaggedArray } from '../data/ragged.ts';
import { type Loss, readsEither } from './loss.ts';

// Activations with negative outputs for some inputs. Such outputs are not probabilities.
const SIGNED: readonly string[] = [
  ...['linear', 'tanh', 'softsign', 'leakyRelu', 'elu', 'selu', 'celu', 'gelu', 'geluTanh', 'silu', 'swish', 'mish'],
  ...['hardTanh', 'hardSilu', 'hardSwish', 'hardShrink', 'softShrink', 'tanhShrink', 'logSigmoid', 'logSoftmax'],
];

// Activations whose outputs are probabilities. Such outputs are not logits.
const PROBABILITIES: readonly string[] = ['softmax', 'sigmoid', 'hardSigmoid', 'hardSigmoid2'];

/**
 * Refuses a loss that does not fit the last activation of a model.
 *
 * @param lastActivation name of the activation whose outputs are the predictions; undefined if it is not known.
 * @param outputs count of numbers in a row of predictions; undefined if it is not known.
 * @throws ArgumentError, with advice: for a loss of probabilities after an activation with negative outputs; for a loss
 *   of logits after an activation that gives probabilities; for one choice among classes, or softmax, with a single
 *   output; for independent choices of more than two outputs after softmax, which makes them one choice.
 */
export function expectLossFits(loss: Loss, lastActivation: string | undefined, outputs?: number | null): void {
  const { name, reads, classes } = loss;
  const refuse = (why: string, mend: string): never => {
    throw new ArgumentError(`${name}: ${why}; ${mend}`);
  };
  const behind = `behind activation '${lastActivation}'`;
  const fitting = classes === 'exclusive' ? 'softmax' : 'sigmoid';
  const inConfig = readsEither(loss);

  if (outputs === 1 && classes === 'exclusive' && reads !== undefined) {
    refuse('expected one output for each class, got 1', "for two classes use binaryCrossentropy and 'sigmoid'");
  }
  if (outputs === 1 && lastActivation === 'softmax') {
    refuse('expected outputs that can change, got softmax over 1 output, which is always 1', "use 'sigmoid'");
  }
  if (lastActivation === undefined) return;
  if (reads === 'probabilities' && SIGNED.includes(lastActivation)) {
    const mend = `give the last layer activation '${fitting}'${inConfig ? `, or the loss { fromLogits: true }` : ''}`;
    refuse(`expected probabilities, got outputs ${behind}`, mend);
  }
  if (reads === 'logits' && PROBABILITIES.includes(lastActivation)) {
    const mend = `take the activation away${inConfig ? ', or leave out fromLogits' : ''}`;
    refuse(`expected logits, got probabilities ${behind}`, mend);
  }
  if (reads === 'probabilities' && classes === 'independent' && lastActivation === 'softmax' && (outputs ?? 0) > 2) {
    refuse(
      `expected a yes or no for each of ${outputs} outputs, got one choice among them ${behind}`,
      "use categoricalCrossentropy for one choice, or 'sigmoid' for a yes or no",
    );
  }
}

/**
 * Refuses targets that do not fit a loss, before the first batch.
 *
 * @param ys targets of all samples, of one shape or sequences of unequal length.
 * @param predictions shape of all predictions, `[N, …]`.
 * @param what name of the targets, for errors.
 * @returns the targets in the shape that the loss expects. If only a last axis of 1 differs, it is added or removed.
 * @throws ArgumentError if the shape does not fit, or a value can only be a mistake; it names the sample.
 */
export function checkTargets<Targets extends NdArray | RaggedArray>(
  loss: Loss,
  ys: Targets,
  predictions: Shape,
  what = 'y',
): Targets {
  if (ys instanceof NdArray) return checkArray(loss, ys, predictions, what) as Targets;
  return checkRagged(loss, ys, predictions, what) as Targets;
}

function checkArray(loss: Loss, ys: NdArray, predictions: Shape, what: string): NdArray {
  const expected = targetShapeOf(loss, ys, predictions);
  const fitted = expected && differByOne(ys.shape, expected) ? new NdArray(ys.data, expected) : ys;
  if (expected) expectShape(`${loss.name}: targets`, fitted.shape, expected);
  loss.checkTargets?.(fitted, predictions, what);
  return fitted;
}

function checkRagged(loss: Loss, ys: RaggedArray, predictions: Shape, what: string): RaggedArray {
  const expected = targetShapeOf(loss, ys, predictions);
  // A loss that declares no shape pads and checks batch by batch.
  if (!expected) return ys;
  const [, steps, ...features] = predictions;
  if (steps !== ys.longest) expectShape(`${loss.name}: targets`, ys.shape, expected);
  const fitted = ys.sequences.map((sequence, i) =>
    checkArray(loss, sequence, [sequence.shape[0]!, ...features], `${what}[${i}]`),
  );
  return fitted.every((sequence, i) => sequence === ys.sequences[i]) ? ys : new RaggedArray(fitted, what);
}

/**
 * The shape that a loss expects of targets; undefined if the loss declares none. If f32 targets for such a loss differ
 * from the predictions only by a last axis of 1, they get the shape of the predictions, because `[N]` with `[N, 1]`
 * would be broadcast to `[N, N]`.
 */
function targetShapeOf(loss: Loss, { shape }: { shape: Shape }, predictions: Shape): Shape | undefined {
  if (loss.targetShape) return loss.targetShape(predictions);
  return loss.targetDtype === 'f32' && differByOne(shape, predictions) ? predictions : undefined;
}

/** Whether one of two shapes is the other with a last axis of 1 added. */
const differByOne = (a: Shape, b: Shape): boolean => sameShape(a, [...b, 1]) || sameShape([...a, 1], b);
