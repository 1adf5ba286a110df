import { TapeloopError } from './tapeloop-error.ts';

/** Training has diverged: a loss, a gradient or an update is not finite. */
export abstract class DivergenceError extends TapeloopError {}

/** The loss of a step was not finite. Weights, optimizer state and carried states are those from before the step. */
export class NonFiniteLossError extends DivergenceError {
  override readonly name = 'NonFiniteLossError';
}

/**
 * A gradient was not finite, or its update would not have been finite. Parameters and optimizer state are unchanged.
 */
export class NonFiniteGradientError extends DivergenceError {
  override readonly name = 'NonFiniteGradientError';
}
