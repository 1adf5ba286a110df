import { ArgumentError, shown } from '../checks/argument-error.ts';
import { now as hostNow } from '../host/yielder.ts';

/** How the suite reads the time. A host without the usual clock gives its own. */
export interface ClockOptions {
  /** Milliseconds since an arbitrary start. Default `performance.now()`, or `Date.now()` without it. */
  now?: (() => number) | undefined;
  /** Awaited before each reading, where the clock stands still while a program computes, as in edge workers. */
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

  /**
   * Finds out what a clock can tell apart. A `tick` is left out if the clock goes on without it.
   *
   * @throws ArgumentError if `now` gives no numbers, or stands still and there is no `tick`.
   */
  static async measure({ now, tick }: ClockOptions): Promise<Clock> {
    const direct = new Clock({ now }, 0, 0);
    const first = direct.now();
    if (!Number.isFinite(first)) {
      throw new ArgumentError(`runBench: now expected a function that gives milliseconds, got ${shown(first)}`);
    }
    if (!tick && !direct.#goesOn()) {
      throw new ArgumentError(
        'runBench: now expected a clock that goes on while a program computes; for one that stands still give tick',
      );
    }
    const shortest = Array.from({ length: 5 }, () => direct.#shortestGap()).sort((a, b) => a - b)[0]!;
    if (shortest > 0 || !tick) return new Clock({ now }, shortest, 0);
    const waiting = new Clock({ now, tick }, 0, 0);
    const gaps: number[] = [];
    for (let i = 0; i < 9; i++) gaps.push(await waiting.time(() => {}));
    gaps.sort((a, b) => a - b);
    // What waiting takes is subtracted. What it takes more or less is not known, and such clocks count milliseconds.
    return new Clock({ now, tick }, Math.max(1, gaps[6]! - gaps[2]!), gaps[4]!);
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
    // What is shorter than the clock's resolution took at most that.
    return Math.max(this.resolution, this.now() - began - this.#overhead);
  }

  /** Whether the time changes while a program computes, if it does so as seldom as every tenth of a second. */
  #goesOn(): boolean {
    const began = this.now();
    for (let i = 0; i < 3e7; i++) if (this.now() !== began) return true;
    return false;
  }

  #shortestGap(): number {
    const began = this.now();
    let gap = 0;
    for (let i = 0; i < 1e6 && !(gap > 0); i++) gap = this.now() - began;
    return gap;
  }
}
