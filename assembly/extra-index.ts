// The kernels of the entries that not every app imports, such as tapeloop/images, as a second module on the memory of
// the first. `ExtraKernels` of src/engine/extra/extra-kernels.ts has their types and contracts. Both
// modules have their static data at the same addresses, so here may be none but the table of math.ts, which is the
// first data of either.

export { chain_backward } from './chain/backward';
export { chain_best } from './chain/best';
export { chain_forward } from './chain/forward';
export {
  attention_additive,
  attention_additive_backward,
  attention_combine,
  attention_dots,
  attention_spread,
} from './attention';
export {
  batch_norm,
  batch_norm_backward,
  batch_norm_gradient_sums,
  batch_norm_sums,
} from './images/batch-norm';
export { depthwise, depthwise_backward_input, depthwise_backward_weights } from './images/depthwise';
export { average_pool, average_pool_backward, max_pool, max_pool_backward } from './images/pooling';
export { resize_axis, resize_axis_backward } from './images/resize';
export {
  winograd_gradients,
  winograd_outputs,
  winograd_pixels,
  winograd_tap_gradients,
  winograd_taps,
} from './images/winograd';
