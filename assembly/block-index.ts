// The exports that streams of blocks need, as a separate build: those of stream-index.ts, and whole products, sums and
// copies. The types are `BlockKernels` of src/audio-models/streams/kernels.ts.
export { lstm_steps } from './cell/lstm-steps';
export { binary, copy_2d, fill, scale, unary } from './elementwise';
export { gemm, gemm_scratch_size } from './gemm/gemm';
export { gemm_int8, gemm_int8_pack, gemm_int8_packed_size } from './gemm/int8';
export { gemm_pack_b, gemm_packed_size, gemv_pack_b } from './gemm/pack';
export { batch_norm } from './images/batch-norm';
export { all_finite } from './reduce';
export { softmax } from './softmax';
export { stream } from './stream';

/** The first byte after the memory of the kernels. TypeScript manages the memory from here on. */
export function heapBase(): usize {
  return __heap_base;
}
