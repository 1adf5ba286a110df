import { ArgumentError, expectCount, expectType, shown } from '../../engine/argument-error.ts';
import { checkOptions } from '../../engine/options.ts';
import { expectNumber } from '../expect-number.ts';
import type { Callback, TrainingPlan } from '../fit.ts';
import type { Logs } from '../model.ts';

/** How often `progressText` tells. */
export interface ProgressTextOptions {
  /** Least milliseconds between two lines of one epoch. Default 100. */
  everyMs?: number | undefined;
  /** The time in milliseconds, from any start, never falling. Default: `performance.now`. */
  now?: (() => number) | undefined;
}

/**
 * Tells how training goes as lines of text, in the manner of Keras:
 * `Epoch 2/10 - 120/400 - 3s - 25ms/step - loss: 0.6931 - accuracy: 0.5000`.
 *
 * Times are since the start of the epoch, s whole seconds; a step's is their mean. A number above 10⁻³ has four decimals, a smaller one an
 * exponent.
 *
 * @param show gets a line, without its end, now and then during an epoch, each in the place of the one before, with means of the losses over
 *   the batches so far; and a last one (`isLast`) with the logs of the epoch.
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
 * `progressText` of options that are good.
 *
 * @param options.tellsLeft whether a line tells, while the epoch goes on, how long it will, in place of how long it has. @internal
 */
export function progressLines(
  show: (line: string, isLast: boolean) => void,
  {
    everyMs = 100,
    now = () => performance.now(),
    tellsLeft = false,
  }: ProgressTextOptions & { tellsLeft?: boolean | undefined },
): Callback {
  let plan: TrainingPlan;
  let epoch = 0;
  let batches = 0;
  let startedAt = 0;
  let shownAt = 0;
  let lossSums: Logs = {};
  const line = (logs: Logs): string => {
    const seconds = (now() - startedAt) / 1000;
    const counted = plan.steps === undefined ? `${batches}` : `${batches}/${plan.steps}`;
    const measured = Object.entries(logs).map(([name, value]) => `${name}: ${formatted(value)}`);
    const left = tellsLeft && plan.steps !== undefined ? plan.steps - batches : 0;
    const step = seconds / Math.max(batches, 1);
    const times = [left > 0 ? `${Math.round(left * step)}s left` : `${Math.round(seconds)}s`, `${duration(step)}/step`];
    return [`Epoch ${epoch + 1}/${plan.epochs}`, counted, ...times, ...measured].join(' - ');
  };
  return {
    showsProgress: true,
    onTrainBegin(_, given) {
      plan = given;
    },
    onEpochBegin(number) {
      epoch = number;
      batches = 0;
      lossSums = {};
      startedAt = now();
      shownAt = startedAt;
    },
    onBatchEnd(_, logs) {
      batches++;
      for (const [name, value] of Object.entries(logs)) {
        if (name.endsWith('loss')) lossSums[name] = (lossSums[name] ?? 0) + value;
      }
      if (now() - shownAt < everyMs) return;
      shownAt = now();
      const means = Object.entries(lossSums).map(([name, sum]) => [name, sum / batches]);
      show(line({ ...logs, ...Object.fromEntries(means) }), false);
    },
    onEpochEnd: (_, logs) => show(line(logs), true),
  };
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

const formatted = (value: number): string =>
  value === 0 || Math.abs(value) > 1e-3 ? value.toFixed(4) : value.toExponential(4);

function duration(seconds: number): string {
  if (seconds >= 1) return `${Math.round(seconds)}s`;
  return seconds >= 1e-3 ? `${Math.round(seconds * 1e3)}ms` : `${Math.round(seconds * 1e6)}us`;
}
