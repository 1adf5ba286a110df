import type { Kernels, Ptr } from '../../engine/abi.ts';
import type { StreamKernels } from '../../streaming/engine.ts';

/** The kernels of programs that run in blocks. */
export interface BlockKernels
  extends StreamKernels,
    Pick<Kernels, 'gemm' | 'gemm_int8' | 'binary' | 'copy_2d' | 'scale'> {
  /**
   * `steps` steps of an LSTM, whose gates `[steps, rows, 4H]` hold x·W + b. u is U as the `stream` kernel takes it. h and
   * c `[rows, H]` are read and replaced; y `[steps, rows, H]`. Only the build for blocks has it.
   */
  lstm_steps?(
    steps: number,
    rows: number,
    units: number,
    gates: Ptr,
    u: Ptr,
    h: Ptr,
    c: Ptr,
    y: Ptr,
    scratch: Ptr,
  ): void;
}
