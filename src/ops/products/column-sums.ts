import type { Destination } from '../../autograd/tape.ts';
import type { Ptr } from '../../engine/abi.ts';
import type { Engine } from '../../engine/engine.ts';

// Number of rows that are summed at a time. The kernel runs down all rows for 16 columns at a time. With many rows each
// run touches too many pages: 700 rows of 10,000 columns take 2.8 ms by 128 rows, 1.4 by 16.
const BLOCK = 16;

/**
 * Sums over rows that arrive in several parts. They stay float64 in scratch and are rounded once, at the end, so that
 * the result does not depend on the parts. They are added to the destination or replace it.
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
   * Adds rows of `columns` elements, with row stride `ld`, to the sums from `offset` on; from the last row to the first
   * if `backwards`.
   */
  add(rows: number, columns: number, x: Ptr, ld: number, offset: number, backwards: boolean): void {
    const [at, step] = backwards ? [x + 4 * (rows - 1) * ld, -ld] : [x, ld];
    for (let row = 0; row < rows; row += BLOCK) {
      const count = Math.min(BLOCK, rows - row);
      this.#engine.kernels.col_sum_wide(count, columns, at + 4 * row * step, step, this.#sums + 8 * offset);
    }
  }

  /** Writes the sums to the destination. */
  end(): void {
    this.#engine.f32(this.#to, this.#count).set(this.#view());
  }

  #view(): Float64Array {
    return new Float64Array(this.#engine.memory.buffer, this.#sums, this.#count);
  }
}
