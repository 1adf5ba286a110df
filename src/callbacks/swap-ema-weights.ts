import { checkOptions } from '../checks/options.ts';
import type { AnyModel, Callback } from '../models/model.ts';

/**
 * Validates with the moving averages of the weights, which an optimizer keeps with `useEma`.
 *
 * @param options.swapOnEpoch exchanges them from the end of each epoch to the beginning of the next, so that callbacks
 *   after this one, such as a checkpoint, see the averages as well. Default false.
 * @throws ArgumentError when training begins, if the optimizer keeps no averages.
 * @see keras.callbacks.SwapEMAWeights
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
