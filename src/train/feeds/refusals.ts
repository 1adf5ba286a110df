// Checks for rare mistakes that would otherwise be ignored silently. A small app that has been tested can do without
// them.
import { ArgumentError } from '../../checks/argument-error.ts';
import { hint } from '../../checks/options.ts';
import { classOf } from '../../host/class-of.ts';
import type { BatchShape } from '../../layers/base/batch-shape.ts';
import type { Loss } from '../../losses/loss.ts';
import type { ClassWeight } from '../objective.ts';

/** The names of all properties of an object, including those of its class and base classes. */
const namesIn = (x: unknown): string[] =>
  typeof x === 'object' && x !== null ? [...Object.getOwnPropertyNames(x), ...namesIn(Object.getPrototypeOf(x))] : [];

/** Throws `ArgumentError` for a method whose name looks like a callback method but is not one. */
function callbackNames(what: string, callback: object, known: readonly string[]): void {
  const stray = namesIn(callback).find(
    (name) =>
      /^on[_A-Z]/.test(name) && !known.includes(name) && typeof callback[name as keyof typeof callback] === 'function',
  );
  if (!stray) return;
  // Keras's on_train_batch_end is onBatchEnd.
  const near = hint(stray.replace(/train_?(?=batch)/i, ''), known) || `expected ${known.join(', ')}`;
  throw new ArgumentError(`${what}: unknown method '${stray}'; ${near}`);
}

/** Throws `ArgumentError` for class weights in a `Map`, and for a class that an output of this shape does not have. */
function classes(classWeight: ClassWeight, loss: Loss, output: BatchShape): void {
  if (classOf(classWeight) === 'Map')
    throw new ArgumentError('classWeight expected an object, got a Map; Object.fromEntries(map) makes one of it');
  if (!loss.classes) return;
  // A yes-or-no choice has two classes but one output.
  const count = Math.max(output.at(-1)!, 2);
  const unknown = Object.keys(classWeight).find((id) => Number(id) >= count);
  if (unknown) throw new ArgumentError(`classWeight expected classes in [0, ${count}), got '${unknown}'`);
}

/**
 * Throws `ArgumentError` for an option of `fit` that has no meaning with batches. `validationSplit: 0` and
 * `shuffle: false` are accepted, because batches are neither split nor shuffled.
 */
function sampleOptions(options: Readonly<Record<string, unknown>>): void {
  for (const name of ['sampleWeight', 'resetMask', 'batchSize', 'validationSplit', 'shuffle']) {
    if (options[name])
      throw new ArgumentError(`fit: ${name} expected samples, got batches, each of which is taken as it comes`);
  }
}

/** Throws `ArgumentError` for a list that is neither `[x, y]` nor `[x, y, sampleWeight]`. */
function validationList(what: string, data: unknown): void {
  if (!Array.isArray(data) || data.length === 2 || data.length === 3) return;
  throw new ArgumentError(`${what} expected [x, y] or [x, y, sampleWeight], got a list of ${data.length}`);
}

/** Runs `body`, and puts `what` in front of the message of an `ArgumentError`. */
function named<T>(what: string, body: () => T): T {
  try {
    return body();
  } catch (error) {
    if (error instanceof ArgumentError) error.message = `${what}: ${error.message}`;
    throw error;
  }
}

export const refusals = { callbackNames, classes, named, sampleOptions, validationList };
