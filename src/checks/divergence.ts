/** The loss of a step was not finite. Weights, optimizer state and carried states are as they were before it. */
export class NonFiniteLossError extends Error {
  override readonly name = 'NonFiniteLossError';
}
