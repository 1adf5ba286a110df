import { TapeloopError } from './tapeloop-error.ts';

/**
 * A worker stopped answering or failed. The step it worked on is lost; weights and optimizer state are as before it.
 */
export class WorkerError extends TapeloopError {
  override readonly name = 'WorkerError';
}
