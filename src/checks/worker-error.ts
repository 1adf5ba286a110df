import { TapeloopError } from './tapeloop-error.ts';

/**
 * A worker failed or stopped answering. Its step is lost. Weights and optimizer state are those from before the step.
 */
export class WorkerError extends TapeloopError {
  override readonly name = 'WorkerError';
}
