// What is seldom written, and would be passed over in silence. A small app, which has been tried, does without these
// checks.
import { ArgumentError } from '../../checks/argument-error.ts';
import { hint } from '../../checks/options.ts';
import { classOf } from '../../host/class-of.ts';
import type { BatchShape } from '../../layers/base/batch-shape.ts';
import type { Loss } from '../../losses/loss.ts';
import type { ClassWeight } from '../objective.ts';

/** The names of all properties, those of an object's class and of the classes above it included. */
const namesIn = (x: unknown): string[] =>
  typeof x === 'object' && x !== null ? [...Object.getOwnPropertyNames(x), ...namesIn(Object.getPrototypeOf(x))] : [];

/** Throws `ArgumentError` for a method that has a name like those of a callback, and is none of them. */
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
  // A yes or no has two classes and one output.
  const count = Math.max(output.at(-1)!, 2);
  const unknown = Object.keys(classWeight).find((id) => Number(id) >= count);
  if (unknown) throw new ArgumentError(`classWeight expected classes in [0, ${count}), got '${unknown}'`);
}

/**
 * Throws `ArgumentError` for an option of `fit` that has no meaning beside batches. To say that these are not split or
 * shuffled is true.
 */
function sampleOptions({ sampleWeight, batchSize, validationSplit, shuffle }: Readonly<Record<string, unknown>>): void {
  for (const [name, value] of Object.entries({ sampleWeight, batchSize, validationSplit, shuffle })) {
    if (value)
      throw new ArgumentError(`fit: ${name} expected samples, got batches, each of which is taken as it comes`);
  }
}

/** Throws `ArgumentError` for a list that is neither `[x, y]` nor `[x, y, sampleWeight]`. */
function validationList(what: string, data: unknown): void {
  if (!Array.isArray(data) || data.length === 2 || data.length === 3) return;
  throw new ArgumentError(`${what} expected [x, y] or [x, y, sampleWeight], got a list of ${data.length}`);
}

/** Has errors of `body` say whose data they are of. */
function named<T>(what: string, body: () => T): T {
  try {
    return body();
  } catch (error) {
    if (error instanceof ArgumentError) error.message = `${what}: ${error.message}`;
    throw error;
  }
}

export const refusals = { callbackNames, classes, named, sampleOptions, validationList };
