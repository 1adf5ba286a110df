// The exports of the kernels. `Kernels` of src/engine/abi.ts has their types and contracts.
export {
  gru_after_backward,
  gru_after_forward,
  gru_before_gates,
  gru_before_gates_backward,
  gru_before_output,
  gru_before_output_backward,
} from './cell/gru';
export { lstm_backward, lstm_forward } from './cell/lstm';
export { lstm_peephole_weights } from './cell/lstm-peephole';
export { rnn_backward, rnn_forward } from './cell/rnn';
export { ctc } from './ctc';
export { axpy, binary, copy_2d, fill, scale, select, swap_axes, unary, unary_backward } from './elementwise';
export { first_invalid_id, gather, scatter_add } from './embedding';
export { gemm, gemm_scratch_size, gemv } from './gemm/gemm';
export { gemm_int8, gemm_int8_pack, gemm_int8_packed_size } from './gemm/int8';
export { set_wide } from './gemm/microkernel';
export { gemm_pack_b, gemm_packed_size, gemv_pack_b } from './gemm/pack';
export { masked_rows } from './masked';
export { layer_norm, layer_norm_backward } from './normalization';
export { adadelta, adagrad, adam, adamax, lion, nadam, rmsprop, sgd } from './optimizer';
export { dropout, hash_uniform } from './random';
export { all_finite, argmax, col_sum, col_sum_wide, dot, row_max, row_sum, sum, sum_squares } from './reduce';
export {
  log_softmax,
  softmax,
  softmax_backward,
  softmax_cross_entropy,
} from './softmax';
export { stream } from './stream';

/** The first byte after the memory of the kernels. TypeScript manages the memory from here on. */
export function heapBase(): usize {
  return __heap_base;
}
