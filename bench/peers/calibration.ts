// Measures the current speed of the host: a loop in registers, called spin, runs before and after every sample.
import { SpinTimes } from '../../src/bench/spin-times.ts';
import { hostHasRelaxedSimd } from '../../src/engine/loading/load.ts';
import { PEAK_FLOPS, peakOf } from '../peak.ts';

const SPIN_FLOPS = 1e8;
/** Longest wait before a sample, for a slow period of the host to end or for the last engine to become idle. */
const WAIT_MS = 300;

export class Calibration {
  readonly #spin: () => void;
  readonly #times = new SpinTimes();

  private constructor(peak: () => number) {
    const calls = Math.ceil(SPIN_FLOPS / PEAK_FLOPS);
    this.#spin = () => {
      for (let i = 0; i < calls; i++) peak();
    };
    for (let i = 0; i < 50; i++) this.spin();
  }

  static start(): Calibration {
    return new Calibration(peakOf(hostHasRelaxedSimd() ? 'relaxed' : 'simd'));
  }

  /** Runs one spin. Returns its time in milliseconds, about 2. */
  spin(): number {
    const started = performance.now();
    this.#spin();
    const elapsed = performance.now() - started;
    this.#times.add(elapsed);
    return elapsed;
  }

  /** Repeats the spin until the host has full speed or the wait is over. Returns the time of the last spin. */
  settle(): number {
    const started = performance.now();
    let elapsed = this.spin();
    while (!this.isCalm(elapsed) && performance.now() - started < WAIT_MS) elapsed = this.spin();
    return elapsed;
  }

  isCalm(spinMs: number): boolean {
    return this.#times.isCalm(spinMs);
  }
}
