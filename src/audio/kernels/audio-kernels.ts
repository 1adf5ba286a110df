import type { Ptr } from '../../engine/abi.ts';
import type { Engine } from '../../engine/engine.ts';
import { secondKernels } from '../../engine/loading/second-kernels.ts';
import { compileNow } from './kernel-modules.ts';

/**
 * The exports of assembly/audio-index.ts. Arguments are as in `Kernels` of src/engine/abi.ts: byte addresses, counts
 * and strides in elements, scalars. The calling thread alone runs them.
 *
 * x is `batch` sequences of n floats, `step` floats apart, which may overlap; y `[batch, ⌊n/2⌋ + 1, 2]`; window `[n]`
 * or 0 for ones; plan is what src/audio/fft/plan.ts writes; work has 4·n floats.
 */
export interface AudioKernels {
  /** y = scale·(the transforms of window·x); bin 0, and bin n/2 of an even n, times `edges` too. */
  rfft(
    batch: number,
    n: number,
    plan: Ptr,
    x: Ptr,
    step: number,
    window: Ptr,
    y: Ptr,
    scale: number,
    edges: number,
    work: Ptr,
  ): void;
  /**
   * x (+)= window·scale·n·(the inverse transforms of y), one after the other. Bin 0, and bin n/2 of an even n, are read
   * times `edges`; their imaginary parts are not read.
   */
  irfft(
    batch: number,
    n: number,
    plan: Ptr,
    y: Ptr,
    x: Ptr,
    step: number,
    window: Ptr,
    scale: number,
    edges: number,
    accumulate: number,
    work: Ptr,
  ): void;
}

/**
 * The kernels of audio on the memory of an engine. They are compiled at the first call.
 *
 * @throws HostError if the host does not let the program compile them.
 */
export const audioKernels: (engine: Engine) => AudioKernels = /* @__PURE__ */ secondKernels<AudioKernels>(compileNow);
