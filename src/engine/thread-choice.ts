// Chooses how many threads share a job. A thread that gets no core of its own holds the others up: a host takes turns of
// some milliseconds, and a job cannot end before all its parts do.

// Weight of the last job in a mean. Excesses rise faster than they fall: of three jobs beside a busy core one is not held up.
const WEIGHT = 1 / 8;
const WEIGHT_OF_RISE = 1 / 2;
// After a loss the next trial waits for this many times the loss. It doubles with each loss and halves with each gain.
const [SHORTEST_WAIT, LONGEST_WAIT] = [16, 150];
// Parts that run at the same time may be so much slower than the same work on one thread: they share caches.
const ALLOWANCE = 1.25;
// A job counts as late by at most so many ms: the whole process may have been stopped.
const MOST_LATE = 50;
// Jobs whose times are remembered.
const MOST_JOBS = 1_000;

/**
 * Chooses the number of threads by expected time: the time of the job on one thread, divided by the number of threads,
 * plus the excess of this number, which is the mean of what its last jobs took beyond that. All times are in ms.
 */
export class ThreadChoice {
  readonly #cores: number;
  /** Times on one thread, by the work of a job. */
  readonly #alone = new Map<number, number>();
  /** Time of a unit of work on one thread in the last job. */
  #rate = 0;
  /** By number of threads: the excess, the wait after a loss, and the time of the next trial. */
  readonly #excess: number[] = [];
  readonly #wait: number[] = [];
  readonly #nextTrial: number[] = [];
  /** The job has a loss if it takes longer than this. */
  #expected = 0;

  /** @param cores the number of cores that the host has: more threads only wait for each other. */
  constructor(cores: number) {
    this.#cores = cores;
  }

  /**
   * The number of threads for a job.
   *
   * @param work a measure of its size. Jobs of the same work are taken for the same.
   * @param most the largest number of threads.
   */
  threadsFor(work: number, most: number, now: number): number {
    const alone = this.#alone.get(work) ?? work * this.#rate;
    most = Math.min(most, this.#cores);
    if (alone === 0) {
      this.#expected = Number.POSITIVE_INFINITY;
      return most;
    }
    let [best, least, trial] = [1, alone, 0];
    for (let threads = most; threads > 1; threads >>= 1) {
      const expected = alone / threads + (this.#excess[threads] ?? 0);
      if (expected < least) [best, least] = [threads, expected];
      if (now >= (this.#nextTrial[threads] ?? 0) && alone / threads < least) trial = threads;
    }
    // The same number again may take somewhat longer than expected. Another one must be faster.
    this.#expected = trial && trial !== best ? least : ALLOWANCE * least;
    return trial || best;
  }

  /**
   * Notes a job.
   *
   * @param own the time that the calling thread took for its own part.
   * @param whole the time of the whole job.
   */
  record(work: number, threads: number, own: number, whole: number, now: number): void {
    const measured = own * threads;
    const before = this.#alone.get(work) ?? measured;
    // A part can be held up, so a longer time changes little. That of a job on one thread is exact.
    const alone = Math.min(measured, before + (threads > 1 ? 1 / 64 : WEIGHT) * (measured - before));
    if (this.#alone.size >= MOST_JOBS) this.#alone.clear();
    this.#alone.set(work, alone);
    this.#rate = alone / work;
    if (threads < 2) return;
    whole = Math.min(whole, alone + MOST_LATE);
    const excess = this.#excess[threads] ?? 0;
    const change = Math.max(whole - (ALLOWANCE * alone) / threads, 0) - excess;
    this.#excess[threads] = excess + change * (change > 0 ? WEIGHT_OF_RISE : WEIGHT);
    const loss = Math.max(whole - this.#expected, 0);
    const wait = this.#wait[threads] ?? SHORTEST_WAIT;
    this.#wait[threads] = loss > 0 ? Math.min(2 * wait, LONGEST_WAIT) : Math.max(wait / 2, SHORTEST_WAIT);
    this.#nextTrial[threads] = now + loss * wait;
  }
}
