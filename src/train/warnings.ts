import { expectType } from '../checks/argument-error.ts';
import { argmax } from '../data/array.ts';
import { leavesOf } from '../data/nested.ts';
import { type Column, isColumn, type Samples } from './feeds/samples.ts';
import type { Trainer } from './trainer.ts';

type Listener = (message: string) => void;

const printed = new Set<string>();

// Prints each message only once, because the same call may repeat often.
const toConsole: Listener = (message) => {
  if (!printed.has(message)) console.warn(`tapeloop: ${message}`);
  printed.add(message);
};

let listener = toConsole;

/**
 * Sets the function that gets warnings. A warning is about a call that runs as written, but is probably a mistake.
 *
 * There are four warnings: `fit` shuffles the samples of a stateful model, its `validationSplit` takes the end of
 * samples that are sorted by class, no weight of the model is trainable, or an imported file has a loss or an optimizer
 * that the model cannot be compiled with. By default each warning goes to the console once; `tapeloop/lean` never warns.
 *
 * @param tell gets each message every time; undefined restores the console.
 * @throws ArgumentError if `tell` is not a function.
 *
 * @example
 * onWarning(() => {}); // silence
 */
export function onWarning(tell?: (message: string) => void): void {
  if (tell !== undefined) expectType('onWarning: tell', tell, 'a function');
  listener = tell ?? toConsole;
}

/** Warns with a message that begins with the name of the called function. */
export const warn: Listener = (message) => listener(message);

/** Warns about samples that are probably used by mistake, and of training that changes nothing. Training uses the first `kept` samples. */
export function warnOfSamples(trainer: Trainer, samples: Samples, kept: number, shuffles: boolean): void {
  if (!trainer.weights.some(({ trainable }) => trainable))
    listener('fit: no weight of the model is trainable, so it learns nothing');
  if (shuffles && trainer.statefulLayers.length > 0) {
    listener(
      'fit: a stateful model carries its states from each batch to the next, but samples are shuffled before; shuffle: false keeps their order',
    );
  }
  if (kept === samples.count) return;
  const targets = leavesOf(samples.y, isColumn);
  trainer.objective.heads.forEach(({ loss }, i) => {
    if (!/crossentropy$/i.test(loss.name) || !isSorted(targets[i]!)) return;
    listener(
      `fit: ${targets[i]!.name} is sorted by class and validationSplit takes the last samples as they stand; shuffle([x, y]) of tapeloop/data puts them in another order first`,
    );
  });
}

// Fewer samples may be sorted by chance.
const FEWEST = 10;

/** Whether each sample has one class, and the classes come one after another. */
function isSorted({ values, count }: Column): boolean {
  if (!('data' in values) || count < FEWEST) return false;
  const { data } = values;
  const width = data.length / count;
  const isOneHot = width > 1 && values.shape.length === 2;
  if (width !== 1 && !isOneHot) return false;
  const classOf = (sample: number): number => (width === 1 ? data[sample]! : argmax(data, sample * width, width));
  for (let i = 1; i < count; i++) if (classOf(i) < classOf(i - 1)) return false;
  return classOf(0) < classOf(count - 1);
}
