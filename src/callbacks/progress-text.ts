import { ArgumentError, expectCount, expectType, shown } from '../checks/argument-error.ts';
import { expectNumber } from '../checks/number-ranges.ts';
import { checkOptions } from '../checks/options.ts';
import type { Callback } from '../models/model.ts';
import { type ProgressTextOptions, progressLines } from '../train/progress-lines.ts';

/**
 * Reports training progress as lines of text, in the style of Keras: `Epoch 2/10 - 120/400 - 3s - 25ms/step - loss:
 * 0.6931 - accuracy: 0.5000`.
 *
 * Times are measured from the start of the epoch, in whole seconds; the time of a step is the mean. A number above 10⁻³
 * has four decimals, a smaller one an exponent.
 *
 * @param show gets a line without a line end. During an epoch each line replaces the one before it and has the mean
 *   losses of the batches so far. The last line of an epoch (`isLast`) has its logs.
 * @param options.everyMs least time between two lines, in milliseconds.
 * @param options.now the current time in milliseconds. Default: the host's clock.
 * @returns a callback for `fit`; it serves one run at a time.
 * @throws ArgumentError if `show` or `now` is not a function, everyMs is not a number ≥ 0, or an option is unknown.
 * @see keras.callbacks.ProgbarLogger
 * @example
 * await model.fit(x, y, { epochs: 2, callbacks: [progressText((line) => console.log(line))] });
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
 * Shows training progress in a page: one line for each epoch, of which the last one changes. The lines are those of
 * `progressText`.
 *
 * @param element an element such as a `<pre>`. Its text is replaced and never read.
 * @param given.lines number of lines that stay visible. Default 20.
 * @param given.everyMs least time between two lines, in milliseconds.
 * @param given.now the current time in milliseconds. Default: the host's clock.
 * @returns a callback for `fit`; it serves one run at a time.
 * @throws ArgumentError if `element` is not an object, `lines` is not an integer ≥ 1, everyMs is not a number ≥ 0,
 *   `now` is not a function, or an option is unknown.
 * @see keras.callbacks.ProgbarLogger
 * @example
 * const element = { textContent: '' }; // in a page: document.querySelector('pre')
 * await model.fit(x, y, { epochs: 2, callbacks: [progressElement(element)] });
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
