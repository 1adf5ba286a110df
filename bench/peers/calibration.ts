// How fast the host is right now: a spin in registers before and after every sample.
import { hostHasRelaxedSimd } from '../../src/engine/loading/load.ts';
import { compilePeak, PEAK_FLOPS } from '../peak.ts';

const SPIN_FLOPS = 1e8;
/** A sample counts if the spins on both sides of it took at most this many times the fastest spin of all. */
export const TOLERANCE = 1.15;
/** How long to wait before a sample for the end of a slow spell, or of work of the engine before. */
const WAIT_MS = 300;

export class Calibration {
  readonly #spin: () => void;
  fastestMs = Number.POSITIVE_INFINITY;

  private constructor(peak: () => number) {
    const calls = Math.ceil(SPIN_FLOPS / PEAK_FLOPS);
    this.#spin = () => {
      for (let i = 0; i < calls; i++) peak();
    };
    for (let i = 0; i < 50; i++) this.spin();
  }

  static async start(): Promise<Calibration> {
    return new Calibration(await compilePeak(hostHasRelaxedSimd() ? 'relaxed' : 'simd'));
  }

  /** The time of the spin now, in milliseconds: about 2. */
  spin(): number {
    const started = performance.now();
    this.#spin();
    const elapsed = performance.now() - started;
    this.fastestMs = Math.min(this.fastestMs, elapsed);
    return elapsed;
  }

  /** The time of the spin when the host is at full speed, or when the wait is over. */
  settle(): number {
    const started = performance.now();
    let elapsed = this.spin();
    while (!this.isCalm(elapsed) && performance.now() - started < WAIT_MS) elapsed = this.spin();
    return elapsed;
  }

  isCalm(spinMs: number): boolean {
    return spinMs <= TOLERANCE * this.fastestMs;
  }
}
