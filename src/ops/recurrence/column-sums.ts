import type { Destination } from '../../autograd/tape.ts';
import type { Ptr } from '../../engine/abi.ts';
import type { Engine } from '../../engine/engine.ts';

// Rows summed at a time. The kernel goes down the rows for 16 columns after 16: of 3,200 rows of 1,024 it would touch
// too many pages on each way, and take twice as long.
const BLOCK = 128;

/**
 * Sums over rows that come in several parts: float64 in scratch until the end, rounded once, so that the parts leave no
 * trace. They are added to what stands at the destination, or replace it.
 */
export class ColumnSums {
  readonly #engine: Engine;
  readonly #to: Ptr;
  readonly #count: number;
  readonly #sums: Ptr;

  constructor(engine: Engine, to: Destination, offset: number, count: number) {
    this.#engine = engine;
    this.#to = to.ptr + 4 * offset;
    this.#count = count;
    this.#sums = engine.allocateScratch(2 * count);
    if (to.accumulate) this.#view().set(engine.f32(this.#to, count));
    else this.#view().fill(0);
  }

  /**
   * Adds rows of `columns`, with row stride `ld`, from the last to the first if `backwards`, to the sums from `offset`
   * on.
   */
  add(rows: number, columns: number, x: Ptr, ld: number, offset: number, backwards: boolean): void {
    const [at, step] = backwards ? [x + 4 * (rows - 1) * ld, -ld] : [x, ld];
    for (let row = 0; row < rows; row += BLOCK) {
      const count = Math.min(BLOCK, rows - row);
      this.#engine.kernels.col_sum_wide(count, columns, at + 4 * row * step, step, this.#sums + 8 * offset);
    }
  }

  end(): void {
    this.#engine.f32(this.#to, this.#count).set(this.#view());
  }

  #view(): Float64Array {
    return new Float64Array(this.#engine.memory.buffer, this.#sums, this.#count);
  }
}
