// What the two ops of this room share: which steps count, and gradients in float64.
import type { Tape } from '../autograd/tape.ts';
import { expectF32, expectShape, type Tensor } from '../autograd/tensor.ts';
import { ArgumentError, expectArray, shown } from '../checks/argument-error.ts';

export interface StepOptions {
  /** Number of steps of each sequence, `[B]`. Default: all. */
  lengths?: ArrayLike<number> | undefined;
  /** `[B, T]` f32; steps where it is 0 are left out, as if the sequence did not have them. */
  mask?: Tensor | undefined;
}

export const stepNames = { lengths: 1, mask: 1 };

/** The steps of each sequence that count, in order. Throws `ArgumentError` for options that do not fit. */
export function visibleSteps(
  what: string,
  { lengths, mask: given }: StepOptions,
  x: Tensor,
  batch: number,
  steps: number,
): number[][] {
  if (lengths !== undefined && given !== undefined) {
    throw new ArgumentError(`${what}: mask expected to be given without lengths, got both`);
  }
  const all = Array.from({ length: steps }, (_, t) => t);
  if (lengths !== undefined) {
    expectArray(`${what}: lengths`, lengths);
    // Elements are read by index: holes of a list are found too.
    const list = Array.from({ length: lengths.length }, (_, i) => lengths[i]!);
    const at = list.findIndex((n) => !(Number.isInteger(n) && n >= 0 && n <= steps));
    if (list.length !== batch || at >= 0) {
      const got = at >= 0 ? `${shown(list[at])} at ${at}` : `${list.length}`;
      throw new ArgumentError(`${what}: lengths expected ${batch} integers in [0, ${steps}], got ${got}`);
    }
    return list.map((n) => all.slice(0, n));
  }
  const mask = given ?? x.mask;
  if (mask === undefined) return Array.from({ length: batch }, () => all);
  expectF32(`${what}: mask`, mask);
  expectShape(`${what}: mask`, mask.shape, [batch, steps]);
  const values = mask.toArray();
  return Array.from({ length: batch }, (_, i) => all.filter((t) => values[i * steps + t] !== 0));
}

/** Contributes a gradient, row-major in the order of the shape, to that of `t`. */
export function contribute(tape: Tape, t: Tensor, gradient: Float64Array): void {
  const to = tape.into(t);
  if (!to) return;
  const { engine, size, shape, timeMajor } = t;
  const floats = engine.f32(to.ptr, size);
  const [rows, columns] = timeMajor ? (shape as [number, number]) : [1, 1];
  const inner = size / Math.max(rows * columns, 1);
  for (let i = 0; i < size; i++) {
    let at = i;
    if (timeMajor) {
      const block = Math.floor(i / inner);
      at = ((block % columns) * rows + Math.floor(block / columns)) * inner + (i % inner);
    }
    floats[at] = gradient[i]! + (to.accumulate === 1 ? floats[at]! : 0);
  }
}
