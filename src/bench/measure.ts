// How one workload is timed in one round: first calls, warm-up, samples between spins that tell whether the host is slow.
import type { Clock } from './clock.ts';
import type { Roof } from './kernels/roof-kernels.ts';
import { SpinTimes } from './spin-times.ts';
import { median } from './statistics.ts';

/** How long each part of a measurement may take, in ms. */
export interface Budget {
  /** Calls that are timed one by one from the first on. */
  readonly curve: number;
  readonly warmUp: number;
  /** Samples that count. */
  readonly samples: number;
  /** Single calls, for the 99.9th percentile. */
  readonly calls: number;
}

export const BUDGET: Budget = { curve: 30, warmUp: 400, samples: 60, calls: 60 };
export const QUICK_BUDGET: Budget = { curve: 10, warmUp: 60, samples: 25, calls: 25 };

/** What one round measured. Times are of one call, in ms. */
export interface Measurement {
  samples: number[];
  repeats: number;
  dropped: number;
  noisy: boolean;
  /** Whether the warm-up ended in times that no longer fell; true without a warm-up. */
  steady: boolean;
  curve: number[];
  /** Times of single calls; empty if they are not asked, or if the clock does not tell them apart. */
  calls: number[];
}

/** What is measured. */
export interface Subject {
  readonly run: () => unknown;
  readonly isAsync: boolean;
  /** Calls before anything else, whose result is verified; `verify` runs after them. */
  readonly firstCalls: number;
  readonly curveCalls: number;
  readonly timesCalls: boolean;
  readonly verify: () => void;
}

// A sample is so many times as long as what the clock tells apart, so that it adds at most 2%, and at least so long.
const TICKS = 50;
const SAMPLE_MS = 3;
const MOST_SAMPLES = 60;
const LEAST_SAMPLES = 3;
// A warm-up batch, and the windows that are compared: it ends when the fastest of the last ones is not faster than the
// fastest of those before by more than this part.
const BATCH_MS = 1.5;
const WINDOW = 5;
const GAIN = 0.02;
// About half a millisecond of multiply-adds in registers.
const SPIN_FLOPS = 2e7;
// So many times the samples of the budget may be taken, the dropped ones included.
const PATIENCE = 3;

/** Measures the current speed of the host with a loop in registers. */
export class Spin {
  readonly #roof: Roof;
  readonly #clock: Clock;
  readonly #times = new SpinTimes();

  constructor(roof: Roof, clock: Clock) {
    this.#roof = roof;
    this.#clock = clock;
  }

  /** Whether the host is calm now. A clock that cannot time a spin says yes. */
  async isCalm(): Promise<boolean> {
    if (!this.#clock.isDirect || this.#clock.resolution > 0.05) return true;
    const time = await this.#clock.time(() => this.#roof.spin(SPIN_FLOPS));
    this.#times.add(time);
    return this.#times.isCalm(time);
  }
}

/** Times a workload. `pause` lets the host do what it must between two samples. */
export async function measure(
  subject: Subject,
  { clock, spin, budget, pause }: { clock: Clock; spin: Spin; budget: Budget; pause: () => Promise<void> },
): Promise<Measurement> {
  const { run, isAsync } = subject;
  const repeat = async (count: number): Promise<void> => {
    if (isAsync) for (let i = 0; i < count; i++) await run();
    else for (let i = 0; i < count; i++) run();
  };
  const timeOf = (count: number): Promise<number> =>
    count === 1 ? clock.time(run, isAsync) : clock.time(() => repeat(count), isAsync);

  const curve: number[] = [];
  let spent = 0;
  for (let i = 0; i < subject.firstCalls; i++) curve.push(await timeOf(1));
  subject.verify();
  while (curve.length < subject.curveCalls && spent < budget.curve) {
    const time = await timeOf(1);
    curve.push(time);
    spent += time;
  }
  await pause();

  const least = Math.max(SAMPLE_MS, TICKS * clock.resolution);
  let perCall = Math.max(median(curve.slice(-WINDOW)), 1e-6);
  // The clock may be too coarse for one call.
  for (let count = 1; perCall * count < least / 4 && count <= 1e7; ) {
    count = Math.min(4 * count, Math.ceil(least / perCall));
    perCall = Math.max((await timeOf(count)) / count, 1e-6);
  }

  const batches: number[] = [];
  let steady = false;
  for (let warm = 0; warm < budget.warmUp && !steady; await pause()) {
    const count = Math.max(1, Math.ceil(Math.max(BATCH_MS, (TICKS / 5) * clock.resolution) / perCall));
    const time = await timeOf(count);
    warm += Math.max(time, 0.01);
    perCall = Math.max(time / count, 1e-6);
    batches.push(perCall);
    const [before, last] = [batches.slice(-2 * WINDOW, -WINDOW), batches.slice(-WINDOW)];
    steady = before.length === WINDOW && Math.min(...last) >= (1 - GAIN) * Math.min(...before);
  }
  // Calls that take longer than the warm-up allows have not shown otherwise.
  if (batches.length < 2 * WINDOW) steady = true;

  const repeats = Math.max(1, Math.ceil(least / Math.min(...batches, perCall)));
  const kept: number[] = [];
  const all: number[] = [];
  const wanted = Math.min(MOST_SAMPLES, Math.max(LEAST_SAMPLES, Math.ceil(budget.samples / (repeats * perCall))));
  let calm = await spin.isCalm();
  while (kept.length < wanted && all.length < PATIENCE * wanted) {
    const wasCalm = calm;
    const time = (await timeOf(repeats)) / repeats;
    calm = await spin.isCalm();
    all.push(time);
    if (wasCalm && calm) kept.push(time);
    await pause();
  }
  const noisy = kept.length < all.length / 2;
  const samples = noisy ? all : kept;

  const calls: number[] = [];
  if (subject.timesCalls && clock.isDirect && perCall >= 20 * clock.resolution) {
    for (let total = 0; total < budget.calls; ) {
      const time = await timeOf(1);
      calls.push(time);
      total += time;
    }
  }
  return { samples, repeats, dropped: noisy ? 0 : all.length - kept.length, noisy, steady, curve, calls };
}

/** A fixed number of calls without a warm-up, one by one, after the calls that are verified: for profilers. */
export async function measureIterations(subject: Subject, clock: Clock, iterations: number): Promise<Measurement> {
  const timed = async (count: number): Promise<number[]> => {
    const times: number[] = [];
    for (let i = 0; i < count; i++) times.push(await clock.time(subject.run, subject.isAsync));
    return times;
  };
  const curve = await timed(subject.firstCalls);
  subject.verify();
  const samples = await timed(iterations);
  return { samples, repeats: 1, dropped: 0, noisy: false, steady: true, curve, calls: [] };
}
