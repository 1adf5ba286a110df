import { tensor } from '../autograd/tensor.ts';
import { ArgumentError, expectList, shown } from '../checks/argument-error.ts';
import { expectNumber } from '../checks/number-ranges.ts';
import { checkOptions } from '../checks/options.ts';
import { formatShape, type Shape } from '../checks/shape.ts';
import { maximum, mul, sub } from '../ops/elementwise/elementwise.ts';
import { type Loss, type LossOptions, meanRows, rowLoss } from './loss.ts';

export interface QuantileLossOptions extends LossOptions {
  /** The quantile that the model learns to predict, from 0 to 1; 0.5 is the median. Default 0.5. */
  quantile?: number | undefined;
  /**
   * Several quantiles instead of one. The last axis of predictions has one output for each; each row has one target.
   */
  quantiles?: readonly number[] | undefined;
}

/**
 * Pinball loss, whose minimum is a quantile of the targets instead of their mean.
 *
 * ℓ = mean max(q·d, (q − 1)·d) over the last axis, with d = y − ŷ
 *
 * With `quantile`, targets have the shape of the predictions. With `quantiles`, predictions are `[B, …, Q]` with one
 * output for each quantile, targets are `[B, …, 1]` or `[B, …]`, and the loss is the mean over the quantiles.
 *
 * @param given.quantile q from 0 to 1; default 0.5, the median.
 * @param given.quantiles several q instead.
 * @param given.reduction how row losses become one number: `sumOverBatchSize` (default) divides their sum by the number
 *   of rows, `sum` does not divide it, `meanWithSampleWeight` divides it by the sum of the weights.
 * @returns the loss, for `compile`.
 * @throws ArgumentError if a quantile is outside [0, 1], `quantile` and `quantiles` are both given, `quantiles` is
 *   empty, `reduction` is not one of its values or an option is unknown; when the loss gets a batch, if the last axis
 *   of predictions does not have one output for each of several quantiles, or the targets do not have the shape above.
 * @see sklearn.metrics.mean_pinball_loss; Koenker and Bassett 1978, "Regression quantiles"
 *
 * @example
 * const model = sequential([lstm({ units: 16, inputShape: [null, 1] }), dense({ units: 3 })]);
 * model.compile({ optimizer: 'adam', loss: quantileLoss({ quantiles: [0.1, 0.5, 0.9] }) }); // median and a band of 80%
 */
export function quantileLoss(given: QuantileLossOptions = {}): Loss {
  const names = { quantile: 1, quantiles: 1, reduction: 1 };
  const { quantile, quantiles, ...options } = checkOptions('quantileLoss', given, names);
  const several = quantiles !== undefined;
  if (several && quantile !== undefined) {
    throw new ArgumentError('quantileLoss: quantile or quantiles expected, got both');
  }
  const all: readonly number[] = several
    ? [...(expectList('quantileLoss: quantiles', quantiles) as number[])]
    : [quantile ?? 0.5];
  if (all.length === 0)
    throw new ArgumentError(`quantileLoss: quantiles expected one or more, got ${shown(quantiles)}`);
  all.forEach((q, i) => expectNumber(`quantileLoss: ${several ? `quantiles[${i}]` : 'quantile'}`, q, 'in [0, 1]'));
  const expectOutputs = (predictions: Shape): void => {
    if (!several || predictions.at(-1) === all.length) return;
    throw new ArgumentError(
      `quantileLoss: predictions expected ${all.length} outputs, one for each quantile, got ${formatShape(predictions)}`,
    );
  };
  return rowLoss(
    {
      name: 'quantileLoss',
      ...(several && { targetShape: (predictions) => [...predictions.slice(0, -1), 1] }),
      values(y, p) {
        expectOutputs(p.shape);
        const { engine } = p;
        const distance = sub(y, p);
        const [over, under] = [
          tensor(all, { engine }),
          tensor(
            all.map((q) => q - 1),
            { engine },
          ),
        ];
        return meanRows(maximum(mul(distance, over), mul(distance, under)));
      },
      checkTargets: (_, predictions) => expectOutputs(predictions),
      config: several ? { quantiles: all } : { quantile: all[0] },
    },
    options,
  );
}
