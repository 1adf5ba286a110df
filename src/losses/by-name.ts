import { expectShape, expectTensor, type Tensor } from '../autograd/tensor.ts';
import { ArgumentError } from '../checks/argument-error.ts';
import { customName } from '../registry/custom-objects.ts';
import { NameTable } from '../registry/name-table.ts';
import type { losses, shortLossNames } from './all.ts';
import { type Loss, type LossConfig, reduceRows, withoutZeroRows } from './loss.ts';

/** Name of a loss, which is made with its default options. Keras's short names work too. */
export type LossName = keyof typeof losses | keyof typeof shortLossNames;

/** Functions that make losses, and custom losses, by name. */
export const lossTable = /* @__PURE__ */ new NameTable<Loss | LossFunction>('loss');

/**
 * A custom loss, made of ops. It maps targets and predictions to one number for each row, `[B, …]`, or to one number
 * for all rows.
 */
export type LossFunction = (yTrue: Tensor, yPred: Tensor) => Tensor;

/**
 * Makes the loss for a name with options, for a custom function, or for a function that makes a loss. A loss is
 * returned unchanged.
 *
 * @throws ArgumentError for an unknown name or an option out of range.
 */
export function lossOf(loss: LossName | LossFunction | (() => Loss) | Loss, options: LossConfig = {}): Loss {
  if (typeof loss === 'function')
    return lossTable.hasMaker(loss) ? (loss as () => Loss)() : ownLoss(loss as LossFunction);
  if (typeof loss === 'object') return loss;
  return lossOf(lossTable.makerOf(loss)(options as never));
}

function ownLoss(each: LossFunction): Loss {
  const what = `function ${each.name}`.trim();
  return {
    name: customName(each.name),
    targetDtype: 'f32',
    weightShape: (predictions) => predictions.slice(0, -1),
    leavesOut: true,
    compute(yTrue, yPred, weights) {
      const values = each(...withoutZeroRows(yTrue, yPred, weights));
      expectTensor(`loss ${what}: its value`, values);
      if (weights && values.size === 1 && weights.size !== 1) {
        throw new ArgumentError(`${what}: expected a value for each row, so that rows can be weighed, got one for all`);
      }
      if (weights) expectShape(`${what}: its values`, values.shape, weights.shape);
      return reduceRows(values, weights, 'sumOverBatchSize');
    },
  };
}
