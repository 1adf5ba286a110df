import type { Logs } from './logs.ts';
import type { MetricTracker } from './objective.ts';

/**
 * Accumulates losses and metrics over batches of different sizes. A loss becomes its mean over samples; a metric is
 * computed over all batches.
 */
export class RunningLogs {
  readonly tracker: MetricTracker;
  readonly #sums: Logs = {};
  #weight = 0;

  constructor(tracker: MetricTracker) {
    this.tracker = tracker;
  }

  /** Adds the losses of a batch of `weight` samples. The caller has already updated the tracker with the batch. */
  add(losses: Logs, weight: number): void {
    for (const [name, value] of Object.entries(losses)) this.#sums[name] = (this.#sums[name] ?? 0) + value * weight;
    this.#weight += weight;
  }

  value(): Logs {
    const means = Object.entries(this.#sums).map(([name, sum]) => [name, sum / this.#weight]);
    return { ...Object.fromEntries(means), ...this.tracker.logs() };
  }
}
