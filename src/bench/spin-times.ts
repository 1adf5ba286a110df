// Tells from the times of a loop in registers, called spin, whether the host is slow.
import { fastOf } from './statistics.ts';

/** A spin on a calm host takes at most this many times as long as spins of the run do. */
export const TOLERANCE = 1.15;

/** The times of the spins of a run. */
export class SpinTimes {
  /** From the shortest to the longest. */
  readonly #times: number[] = [];

  add(time: number): void {
    const longer = this.#times.findIndex((other) => other > time);
    this.#times.splice(longer < 0 ? this.#times.length : longer, 0, time);
  }

  /** Whether a spin of such a time says that the host is calm. */
  isCalm(time: number): boolean {
    // Not by the shortest: a processor is sometimes faster than it can be for long.
    return time <= TOLERANCE * fastOf(this.#times);
  }
}
