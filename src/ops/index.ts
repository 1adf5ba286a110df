/**
 * Functions of tensors, each with its gradient.
 *
 * Unless they say otherwise they take f32 tensors or parameters of any shape, in either memory order, and return a tensor of the open step (outside a step: the
 * caller's to `dispose`) in the memory order of the first. An i32 tensor where floats are wanted, or shapes that do not fit, throw
 * `ArgumentError`; nothing is recorded then.
 *
 * @module
 */
export {
  celu,
  elu,
  gelu,
  glu,
  hardShrink,
  hardSigmoid,
  hardSilu,
  hardTanh,
  leakyRelu,
  logSigmoid,
  mish,
  relu6,
  selu,
  silu,
  softplus,
  softShrink,
  softsign,
  squareplus,
  tanhShrink,
} from './activations.ts';
export {
  type AdditiveAttentionOptions,
  type AttentionOptions,
  type AttentionResult,
  additiveAttention,
  attention,
} from './attention.ts';
export { type BatchMatmulOptions, batchMatmul } from './batch-matmul.ts';
export type { Operand } from './binary.ts';
export { broadcastTo, repeat } from './broadcast.ts';
export { argmax, oneHot } from './classes.ts';
export { equal, greater, greaterEqual, less, lessEqual, notEqual } from './compare.ts';
export { type ConstantOptions, ones, zeros } from './constants.ts';
export { type Conv1dOptions, conv1d } from './convolution.ts';
export { type CtcOptions, ctcLoss } from './ctc.ts';
export { cumsum } from './cumsum.ts';
export { type DropoutNoise, dropout } from './dropout.ts';
export {
  abs,
  add,
  addScalar,
  clip,
  div,
  exp,
  log,
  maximum,
  minimum,
  mul,
  neg,
  reciprocal,
  relu,
  scale,
  sigmoid,
  sqrt,
  square,
  sub,
  tanh,
} from './elementwise.ts';
export { embed, gather } from './embedding.ts';
export { concatenate, stack } from './joins.ts';
export { expandDims, reshape, squeeze, swapTimeBatch, transpose } from './layout.ts';
export { linear } from './linear.ts';
export { matmul } from './matmul.ts';
export { type LayerNormOptions, layerNorm } from './normalization.ts';
export { pad } from './pad.ts';
export { pickRows } from './pick.ts';
export { cos, pow, sin } from './powers.ts';
export { type RecurrenceOptions, type RecurrenceResult, type RecurrentWeights, recurrence } from './recurrence.ts';
export { logSumExp, max, mean, type ReduceOptions, sum } from './reduce.ts';
export { where } from './select.ts';
export { lastStep, reverse, type SliceOptions, slice, split, timeStep } from './slices.ts';
export { logSoftmax, maskedSoftmax, softmax, softmaxCrossEntropy } from './softmax.ts';
