import type { Ptr } from '../../engine/abi.ts';
import type { State } from '../../streaming/program.ts';
import type { BlockKernels } from './kernels.ts';

/**
 * The last steps of a sequence, which a convolution reads again: `[steps, rows, width]` in a buffer with room for some
 * more. New steps are written behind the old ones. Where the room ends, the last `kept` steps move to the front, so a
 * step is copied once for about `kept` steps, and all windows are without a gap in memory.
 */
export class History {
  readonly #kernels: BlockKernels;
  readonly #at: Ptr;
  readonly #kept: number;
  readonly #capacity: number;
  readonly #rows: number;
  readonly #width: number;
  #next: number;

  /** @param block the largest number of steps of a call of `push`. */
  constructor(
    kernels: BlockKernels,
    allocate: (count: number) => Ptr,
    size: { kept: number; block: number; rows: number; width: number },
  ) {
    const { kept, block, rows, width } = size;
    this.#kernels = kernels;
    this.#kept = kept;
    this.#rows = rows;
    this.#width = width;
    this.#capacity = 2 * kept + block;
    this.#at = allocate(this.#capacity * rows * width);
    this.#next = kept;
    this.reset();
  }

  /** Copies `steps` steps in. Returns the address of the step `kept` steps before the first of them. */
  push(steps: number, x: Ptr): Ptr {
    if (this.#next + steps > this.#capacity) this.#settle();
    const count = this.#rows * this.#width;
    this.#kernels.copy_2d(1, steps * count, x, 0, this.#at + 4 * this.#next * count, 0);
    const from = this.#at + 4 * (this.#next - this.#kept) * count;
    this.#next += steps;
    return from;
  }

  #settle(): void {
    const count = this.#rows * this.#width;
    const from = this.#at + 4 * (this.#next - this.#kept) * count;
    if (this.#next >= 2 * this.#kept) this.#kernels.copy_2d(1, this.#kept * count, from, 0, this.#at, 0);
    // A state that is read early overlaps its place at the front.
    for (let step = 0; this.#next < 2 * this.#kept && step < this.#kept; step++) {
      if (this.#next === this.#kept) break;
      this.#kernels.copy_2d(1, count, from + 4 * step * count, 0, this.#at + 4 * step * count, 0);
    }
    this.#next = this.#kept;
  }

  /** The steps `[kept, rows, width]`, oldest first. */
  get state(): State {
    this.#settle();
    return { ptr: this.#at, size: this.#kept * this.#rows * this.#width };
  }

  /** Zeros for all sequences, or for one. */
  reset(sequence?: number): void {
    const { ptr, size } = this.state;
    if (sequence === undefined) this.#kernels.fill(size, 0, ptr);
    for (let step = 0; sequence !== undefined && step < this.#kept; step++) {
      this.#kernels.fill(this.#width, 0, ptr + 4 * (step * this.#rows + sequence) * this.#width);
    }
  }
}
