/**
 * Functions of tensors, each with its gradient.
 *
 * Unless they say otherwise they take f32 tensors or parameters of any shape, in either memory order. They return a
 * tensor of the open step (outside a step: the caller's to `dispose`) in the memory order of the first argument. They
 * throw `ArgumentError` for an i32 tensor where f32 is expected, for shapes that do not fit, and for tensors of
 * different engines; nothing is recorded then. They throw `DeadTensorError` for a tensor whose step has ended or that
 * was disposed of.
 *
 * @module
 */

export {
  type AdditiveAttentionOptions,
  type AttentionOptions,
  type AttentionResult,
  additiveAttention,
  attention,
} from './attention.ts';
export { argmax, oneHot } from './classes.ts';
export { type ConstantOptions, ones, zeros } from './constants.ts';
export { type CtcOptions, ctcLoss } from './ctc.ts';
export { cumsum } from './cumsum.ts';
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
} from './elementwise/activations.ts';
export type { Operand } from './elementwise/binary.ts';
export { equal, greater, greaterEqual, less, lessEqual, notEqual } from './elementwise/compare.ts';
export { type DropoutNoise, dropout } from './elementwise/dropout.ts';
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
} from './elementwise/elementwise.ts';
export { cos, pow, sin } from './elementwise/powers.ts';
export { where } from './elementwise/where.ts';
export { embed, gather } from './embedding.ts';
export { type LayerNormOptions, layerNorm } from './normalization.ts';
export { type BatchMatmulOptions, batchMatmul } from './products/batch-matmul.ts';
export { type Conv1dOptions, conv1d } from './products/convolution.ts';
export { linear } from './products/linear.ts';
export { matmul } from './products/matmul.ts';
export { type RecurrenceOptions, type RecurrenceResult, type RecurrentWeights, recurrence } from './recurrence.ts';
export { logSumExp, max, mean, type ReduceOptions, sum } from './reduce.ts';
export { broadcastTo, repeat } from './shapes/broadcast.ts';
export { concatenate, stack } from './shapes/joins.ts';
export { expandDims, reshape, squeeze, swapTimeBatch, transpose } from './shapes/layout.ts';
export { pad } from './shapes/pad.ts';
export { pickRows } from './shapes/pick.ts';
export { lastStep, reverse, type SliceOptions, type SplitParts, slice, split, timeStep } from './shapes/slices.ts';
export { maskedSoftmax, softmaxCrossEntropy } from './softmax.ts';
export { logSoftmax, type SoftmaxOptions, softmax } from './softmax-axis.ts';
