import { expectType } from '../checks/argument-error.ts';
import type { Callback } from '../models/model.ts';

/**
 * Stops training without an error when the loss or the gradient is not finite. The weights are those of the last good
 * step. Without this callback `fit` throws.
 *
 * @param told gets the error, which names the step.
 * @returns a callback for `fit`.
 * @throws ArgumentError if `told` is not a function.
 * @see keras.callbacks.TerminateOnNaN
 * @example
 * await model.fit(x, y, { epochs: 2, callbacks: [terminateOnNaN((error) => console.log(error.message))] });
 */
export function terminateOnNaN(told: (error: Error) => void = () => {}): Callback {
  expectType('terminateOnNaN: told', told, 'a function');
  return {
    onDivergence(error) {
      told(error);
      return true;
    },
  };
}
