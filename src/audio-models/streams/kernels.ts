import type { Kernels, Ptr } from '../../engine/abi.ts';
import type { StreamEngine, StreamKernels } from '../../streaming/engine.ts';

type BatchNorm = (rows: number, columns: number, x: Ptr, mean: Ptr, factor: Ptr, beta: Ptr, y: Ptr) => void;

/** Gives the kernel of batch normalization to engines that have it in another module. */
export let batchNormOf: (engine: StreamEngine) => BatchNorm | undefined = () => undefined;

export function setBatchNormOf(find: typeof batchNormOf): void {
  batchNormOf = find;
}

/** The kernels of programs that run in blocks. */
export interface BlockKernels
  extends StreamKernels,
    Pick<Kernels, 'gemm' | 'gemm_int8' | 'binary' | 'copy_2d' | 'scale'> {
  /**
   * y = (x − mean)·factor + beta of each row. Only the build for blocks has it; elsewhere it is in a module of its own.
   */
  batch_norm?: BatchNorm;
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
