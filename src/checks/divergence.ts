import { TapeloopError } from './tapeloop-error.ts';

/** Training has diverged: a loss, a gradient or an update is not finite. */
export abstract class DivergenceError extends TapeloopError {}

/** The loss of a step was not finite. Weights, optimizer state and carried states are as they were before it. */
export class NonFiniteLossError extends DivergenceError {
  override readonly name = 'NonFiniteLossError';
}

/**
 * A gradient was not finite, or an update by it would not have been; parameters and optimizer state are as they were.
 */
export class NonFiniteGradientError extends DivergenceError {
  override readonly name = 'NonFiniteGradientError';
}
