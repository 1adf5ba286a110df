import { TapeloopError } from './tapeloop-error.ts';

/**
 * A tensor, a weight, a layer, a model or a stream was used after `dispose`, or a tensor was used after the end of the
 * step that made it.
 */
export class DeadTensorError extends TapeloopError {
  override readonly name = 'DeadTensorError';
}
