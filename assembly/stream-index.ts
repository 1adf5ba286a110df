// The exports of index.ts that streams need, as a separate build. A page that only runs a model then loads less than
// half of the kernels. The types are `StreamKernels` of src/streaming/engine.ts.
export { fill, unary } from './elementwise';
export { gemm_scratch_size } from './gemm/gemm';
export { gemm_int8_pack, gemm_int8_packed_size } from './gemm/int8';
export { gemm_pack_b, gemm_packed_size, gemv_pack_b } from './gemm/pack';
export { all_finite } from './reduce';
export { softmax } from './softmax';
export { stream } from './stream';

/** The first byte after the memory of the kernels. TypeScript manages the memory from here on. */
export function heapBase(): usize {
  return __heap_base;
}
