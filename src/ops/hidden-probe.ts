import { record } from '../autograd/tape.ts';
import type { Tensor } from '../autograd/tensor.ts';
import type { Ptr } from '../engine/abi.ts';
import type { StepMask } from './recurrence/step-mask.ts';

/** Sums (∂L/∂h_t)² for each step of one scan during backward, over the unmasked rows. */
export class HiddenProbe {
  /** The sum of each time step t. */
  readonly squares: Float64Array;

  constructor(time: number) {
    this.squares = new Float64Array(time);
  }

  /** Adds ∂L/∂h of all steps at once, `[T, B, H]` like `outputs`. Masked rows do not count. */
  addAll({ engine, shape }: Tensor, gradient: Ptr, mask: StepMask | undefined): void {
    const [time, batch, width] = shape as [number, number, number];
    for (let t = 0; t < time; t++) {
      for (let row = 0; row < batch; row++) {
        if (mask && mask.kept(t, row, row + 1) === 0) continue;
        this.squares[t]! += engine.kernels.sum_squares(width, gradient + 4 * (t * batch + row) * width);
      }
    }
  }

  /** Returns a view of h_t for the ops that follow. They must read it in place of `h`. Backward adds ∂L/∂h_t. */
  watch(h: Tensor, t: number): Tensor {
    const { engine, size } = h;
    const watched = h.view(h.shape, h.timeMajor, h.name);
    record([h], [watched], (tape) => {
      const gradient = tape.gradientOf(watched);
      this.squares[t]! += engine.kernels.sum_squares(size, gradient);
      tape.give(h, gradient);
    });
    return watched;
  }
}

let begin: ((label: string, probe: HiddenProbe) => void) | undefined;
let label = '';

/** Runs `body`. Calls `onProbe` for each scan in it, with the label of the scan and its probe. */
export function withProbes<T>(onProbe: (label: string, probe: HiddenProbe) => void, body: () => T): T {
  begin = onProbe;
  try {
    return body();
  } finally {
    begin = undefined;
  }
}

/** Runs `body`. Scans in it get the label `name`. */
export function labelled<T>(name: string, body: () => T): T {
  const outer = label;
  label = name;
  try {
    return body();
  } finally {
    label = outer;
  }
}

/** A probe for a new scan; undefined outside of `withProbes`. */
export function beginProbe(time: number): HiddenProbe | undefined {
  if (!begin) return undefined;
  const probe = new HiddenProbe(time);
  begin(label, probe);
  return probe;
}
