/** A tensor, a weight or a stream was used after `dispose`, or a tensor after the step that made it had ended. */
export class DeadTensorError extends Error {
  override readonly name = 'DeadTensorError';
}
