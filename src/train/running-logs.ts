import type { Logs } from './model.ts';
import type { Watch } from './objective.ts';

/** Loss and metrics over batches of different size: of losses the mean over samples, of metrics what they make of everything. */
export class RunningLogs {
  readonly watch: Watch;
  readonly #sums: Logs = {};
  #weight = 0;

  constructor(watch: Watch) {
    this.watch = watch;
  }

  /** Adds the losses of a batch of `weight` samples, whose metrics the watch has seen. */
  add(losses: Logs, weight: number): void {
    for (const [name, value] of Object.entries(losses)) this.#sums[name] = (this.#sums[name] ?? 0) + value * weight;
    this.#weight += weight;
  }

  value(): Logs {
    const means = Object.entries(this.#sums).map(([name, sum]) => [name, sum / this.#weight]);
    return { ...Object.fromEntries(means), ...this.watch.logs() };
  }
}
