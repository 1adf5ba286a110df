import { now as hostNow } from '../host/yielder.ts';
import type { CallbackOf, TrainingPlan } from './callback.ts';
import type { Logs } from './logs.ts';

/** Options of `progressText`. */
export interface ProgressTextOptions {
  /** Minimum milliseconds between two lines of one epoch. Default 100. */
  everyMs?: number | undefined;
  /** Returns a time in milliseconds, from any origin, that never decreases. Default: `performance.now`. */
  now?: (() => number) | undefined;
}

/**
 * Makes the callback of `progressText`. The options are not checked again.
 *
 * @param options.tellsLeft shows, during an epoch, the time left instead of the time passed.
 */
export function progressLines(
  show: (line: string, isLast: boolean) => void,
  { everyMs = 100, now = hostNow, tellsLeft = false }: ProgressTextOptions & { tellsLeft?: boolean | undefined },
): CallbackOf<unknown> {
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

const formatted = (value: number): string =>
  value === 0 || Math.abs(value) > 1e-3 ? value.toFixed(4) : value.toExponential(4);

function duration(seconds: number): string {
  if (seconds >= 1) return `${Math.round(seconds)}s`;
  return seconds >= 1e-3 ? `${Math.round(seconds * 1e3)}ms` : `${Math.round(seconds * 1e6)}us`;
}
