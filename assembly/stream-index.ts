// What index.ts exports and a stream needs, in a build of its own: inference alone is a fifth of the kernels. The types
// are `StreamKernels` in src/streaming/engine.ts.
export { fill, unary } from './elementwise';
export { gemm_scratch_size } from './gemm/gemm';
export { gemm_int8_pack, gemm_int8_packed_size } from './gemm/int8';
export { gemm_pack_b, gemm_packed_size, gemv_pack_b } from './gemm/pack';
export { all_finite } from './reduce';
export { softmax } from './softmax';
export { stream } from './stream';

export function heapBase(): usize {
  return __heap_base;
}
