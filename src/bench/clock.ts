import { now as hostNow } from '../host/yielder.ts';

/** How the suite reads the time. A host without the usual clock gives its own. */
export interface ClockOptions {
  /** Milliseconds since an arbitrary start. Default `performance.now()`, or `Date.now()` without it. */
  now?: (() => number) | undefined;
  /** Awaited before each reading, where the clock stands still while a program computes, as in workerd. */
  tick?: (() => Promise<void>) | undefined;
}

/** A clock, and what it can tell apart. */
export class Clock {
  readonly now: () => number;
  readonly #tick: (() => Promise<void>) | undefined;
  /** Least time that the clock tells apart, in ms. */
  readonly resolution: number;
  // What two readings with nothing between them take.
  readonly #overhead: number;

  private constructor({ now = hostNow, tick }: ClockOptions, resolution: number, overhead: number) {
    this.now = now;
    this.#tick = tick;
    this.resolution = resolution;
    this.#overhead = overhead;
  }

  static async measure(options: ClockOptions): Promise<Clock> {
    const raw = new Clock(options, 0, 0);
    const gaps: number[] = [];
    for (let i = 0; i < 9; i++) gaps.push(options.tick ? await raw.time(() => {}) : raw.#shortestGap());
    gaps.sort((a, b) => a - b);
    return new Clock(options, options.tick ? gaps.at(-1)! : gaps[0]!, options.tick ? gaps[4]! : 0);
  }

  /** Whether the time can be read between two calls without waiting. */
  get isDirect(): boolean {
    return this.#tick === undefined;
  }

  /** How long `body` takes, in ms. A promise that it returns is awaited if `isAsync`. */
  async time(body: () => unknown, isAsync = false): Promise<number> {
    if (this.#tick) await this.#tick();
    const began = this.now();
    if (isAsync) await body();
    else body();
    if (this.#tick) await this.#tick();
    return Math.max(0, this.now() - began - this.#overhead);
  }

  #shortestGap(): number {
    const began = this.now();
    let gap = 0;
    for (let i = 0; i < 1e6 && !(gap > 0); i++) gap = this.now() - began;
    return gap;
  }
}
