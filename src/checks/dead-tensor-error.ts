import { TapeloopError } from './tapeloop-error.ts';

/**
 * A tensor, a weight, a layer, a model or a stream was used after `dispose`, or a tensor after the step that made it
 * had ended.
 */
export class DeadTensorError extends TapeloopError {
  override readonly name = 'DeadTensorError';
}
