import { ArgumentError, expectCount, expectType, shown } from '../checks/argument-error.ts';
import { expectNumber } from '../checks/number-ranges.ts';
import { checkOptions } from '../checks/options.ts';
import type { Callback } from '../models/model.ts';
import { type ProgressTextOptions, progressLines } from '../train/progress-lines.ts';

/**
 * Tells how training goes as lines of text, in the manner of Keras:
 * `Epoch 2/10 - 120/400 - 3s - 25ms/step - loss: 0.6931 - accuracy: 0.5000`.
 *
 * Times are since the start of the epoch, s whole seconds; a step's is their mean. A number above 10⁻³ has four
 * decimals, a smaller one an exponent.
 *
 * @param show gets a line, without its end, now and then during an epoch, each in the place of the one before, with
 *   means of the losses over the batches so far; and a last one (`isLast`) with the logs of the epoch.
 * @returns a callback for `fit`; one for each run at a time.
 * @see keras.callbacks.ProgbarLogger
 */
export function progressText(
  show: (line: string, isLast: boolean) => void,
  options: ProgressTextOptions = {},
): Callback {
  const { everyMs, now } = checkOptions('progressText', options, { everyMs: 1, now: 1 });
  expectType('progressText: show', show, 'a function');
  if (everyMs !== undefined) expectNumber('progressText: everyMs', everyMs, '≥ 0');
  if (now !== undefined) expectType('progressText: now', now, 'a function');
  return progressLines(show, { everyMs, now });
}

/**
 * The same in a page: one line an epoch, the last one changing.
 *
 * @param element a `<pre>`, for instance; its text is replaced, never read.
 * @param given.lines how many stay. Default 20.
 * @returns as `progressText`.
 */
export function progressElement(
  element: { textContent: string | null },
  given: ProgressTextOptions & { lines?: number | undefined } = {},
): Callback {
  const names = { lines: 1, everyMs: 1, now: 1 };
  const { lines = 20, ...options } = checkOptions('progressElement', given, names);
  if (typeof element !== 'object' || element === null)
    throw new ArgumentError(`progressElement: element expected an element of a page, got ${shown(element)}`);
  expectCount('progressElement: lines', lines);
  const kept: string[] = [];
  return progressText((line, isLast) => {
    element.textContent = [...kept, line].slice(-lines).join('\n');
    if (isLast) kept.push(line);
    if (kept.length > lines) kept.shift();
  }, options);
}
