/**
 * The base class of every error that tapeloop throws on purpose. Any other error is a bug in tapeloop or in the
 * caller's code.
 *
 * @example
 * try {
 *   model.predict(x);
 * } catch (error) {
 *   if (error instanceof TapeloopError) console.log(`${error.name}: ${error.message}`);
 *   else throw error;
 * }
 */
export class TapeloopError extends Error {}
