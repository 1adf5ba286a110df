import { expectType } from '../checks/argument-error.ts';
import type { Callback } from '../models/model.ts';

/**
 * Ends training quietly when loss or gradient are no longer finite. The weights are those of the last good step;
 * without it `fit` throws.
 *
 * @param told gets the error, which names the step.
 * @see keras.callbacks.TerminateOnNaN
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
