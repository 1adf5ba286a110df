// The exports of index.ts that a stream needs, as a build of its own: a page that only runs a model loads less than
// half of the kernels. The types are `StreamKernels` of src/streaming/engine.ts.
export { fill, unary } from './elementwise';
export { gemm_scratch_size } from './gemm/gemm';
export { gemm_int8_pack, gemm_int8_packed_size } from './gemm/int8';
export { gemm_pack_b, gemm_packed_size, gemv_pack_b } from './gemm/pack';
export { all_finite } from './reduce';
export { softmax } from './softmax';
export { stream } from './stream';

/** First byte that the kernels do not use: memory from here on belongs to TypeScript. */
export function heapBase(): usize {
  return __heap_base;
}
