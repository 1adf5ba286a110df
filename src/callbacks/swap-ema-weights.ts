import { checkOptions } from '../checks/options.ts';
import type { AnyModel, Callback } from '../models/model.ts';

/**
 * Validates with the moving averages of the weights, which an optimizer keeps with `useEma`.
 *
 * @param options.swapOnEpoch whether the averages also replace the weights from the end of each epoch to the start of
 *   the next. Callbacks after this one, such as a checkpoint, then see the averages. Default false.
 * @returns a callback for `fit`; it serves one run at a time.
 * @throws ArgumentError for an unknown option or a swapOnEpoch that is not a boolean; when training begins, if the
 *   optimizer keeps no averages.
 * @see keras.callbacks.SwapEMAWeights
 * @example
 * model.compile({ optimizer: adam({ useEma: true }), loss: 'mse' });
 * await model.fit(x, y, { epochs: 2, validationSplit: 0.25, callbacks: [swapEmaWeights()] });
 */
export function swapEmaWeights(options: { swapOnEpoch?: boolean | undefined } = {}): Callback {
  const { swapOnEpoch = false } = checkOptions('swapEmaWeights', options, { swapOnEpoch: true });
  let model: AnyModel;
  const set = (swapped: boolean): void => {
    if (swapped !== model.optimizer.isSwapped) model.optimizer.swapEma(model.weights);
  };
  return {
    onTrainBegin(trained) {
      model = trained;
      model.withEma(() => {});
    },
    onEpochBegin: () => set(false),
    onTestBegin: () => set(true),
    onTestEnd: () => set(false),
    onEpochEnd: () => set(swapOnEpoch),
    onTrainEnd: () => set(false),
  };
}
