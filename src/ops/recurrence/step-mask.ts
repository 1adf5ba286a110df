import type { Tensor } from '../../autograd/tensor.ts';
import type { Ptr } from '../../engine/abi.ts';

/** The masked rows of each step of a scan: those where a mask `[T, B]` is 0. */
export class StepMask {
  readonly #mask: Tensor;
  readonly #kept: Uint8Array;
  /** Outside of steps [low, high) every row is masked. */
  readonly low: number;
  readonly high: number;

  constructor(mask: Tensor) {
    const values = mask.dataView();
    const batch = mask.shape[1]!;
    this.#mask = mask;
    this.#kept = new Uint8Array(values.length);
    let [first, last] = [values.length, -1];
    for (let i = 0; i < values.length; i++) {
      if (values[i] === 0) continue;
      this.#kept[i] = 1;
      first = Math.min(first, i);
      last = i;
    }
    this.low = last < 0 ? 0 : Math.floor(first / batch);
    this.high = last < 0 ? 0 : Math.floor(last / batch) + 1;
  }

  /** Number of unmasked rows among the rows [from, to) of step t. */
  kept(t: number, from: number, to: number): number {
    const start = t * this.#mask.shape[1]!;
    let sum = 0;
    for (let row = from; row < to; row++) sum += this.#kept[start + row]!;
    return sum;
  }

  /** Address of the mask of step t, from row `from` on. */
  at(t: number, from: number): Ptr {
    return this.#mask.ptr + 4 * (t * this.#mask.shape[1]! + from);
  }
}
