import type { Build } from '../../engine/loading/load.ts';
import { compileNow } from './kernel-modules.ts';

/** The exports of assembly/bench-index.ts. */
interface RoofKernels {
  peak(rounds: number, factor: number, term: number): number;
  copy(bytes: number): void;
}

/** Pages of 64 KiB of the memory that copies use: 64 MiB, which is more than the caches of most hosts. */
const PAGES = 1024;
const FLOPS_OF_ROUND = 12 * 4 * 2;

/** The kernels that measure the host, in one build. */
export class Roof {
  readonly #kernels: RoofKernels;
  readonly #memory: WebAssembly.Memory;

  constructor(build: Build) {
    this.#memory = new WebAssembly.Memory({ initial: 1, maximum: PAGES });
    const imports = { env: { memory: this.#memory } };
    this.#kernels = new WebAssembly.Instance(compileNow(build), imports).exports as unknown as RoofKernels;
  }

  /** Multiply-adds in registers alone. Returns how many operations these were, at least `flops`. */
  spin(flops: number): number {
    const rounds = Math.ceil(flops / FLOPS_OF_ROUND);
    this.#kernels.peak(rounds, 0.5, 0.25);
    return rounds * FLOPS_OF_ROUND;
  }

  /** Copies half of 64 MiB to the other half. Returns the bytes read and written. */
  copy(): number {
    const pages = this.#memory.buffer.byteLength / 65_536;
    if (pages < PAGES) this.#memory.grow(PAGES - pages);
    const bytes = this.#memory.buffer.byteLength;
    this.#kernels.copy(bytes / 2);
    return bytes;
  }
}
