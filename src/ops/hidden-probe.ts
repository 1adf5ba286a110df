import { record } from '../autograd/tape.ts';
import type { Tensor } from '../autograd/tensor.ts';
import type { Ptr } from '../engine/abi.ts';
import type { StepMask } from './recurrence/step-mask.ts';

/** Sums (∂L/∂h_t)² of one scan for each step, over the rows that the mask keeps, while its gradients flow back. */
export class HiddenProbe {
  /** The sums, by time t. */
  readonly squares: Float64Array;

  constructor(time: number) {
    this.squares = new Float64Array(time);
  }

  /** Reads ∂L/∂h of all steps at once, `[T, B, H]` as `outputs` is. Rows that the mask leaves out do not count. */
  addAll({ engine, shape }: Tensor, gradient: Ptr, mask: StepMask | undefined): void {
    const [time, batch, width] = shape as [number, number, number];
    for (let t = 0; t < time; t++) {
      for (let row = 0; row < batch; row++) {
        if (mask && mask.kept(t, row, row + 1) === 0) continue;
        this.squares[t]! += engine.kernels.sum_squares(width, gradient + 4 * (t * batch + row) * width);
      }
    }
  }

  /** h_t as another tensor, to be used instead of `h` by the ops that follow. ∂L/∂h_t is then read on its way back. */
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

/** Runs `body`, and calls `told` with the probe of each scan in it and the label that the scan runs under. */
export function withProbes<T>(told: (label: string, probe: HiddenProbe) => void, body: () => T): T {
  begin = told;
  try {
    return body();
  } finally {
    begin = undefined;
  }
}

/** Runs `body`, whose scans get the label `name`. */
export function labelled<T>(name: string, body: () => T): T {
  const outer = label;
  label = name;
  try {
    return body();
  } finally {
    label = outer;
  }
}

/** A probe for a scan that begins, if `withProbes` is running. */
export function beginProbe(time: number): HiddenProbe | undefined {
  if (!begin) return undefined;
  const probe = new HiddenProbe(time);
  begin(label, probe);
  return probe;
}
