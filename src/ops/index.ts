export { dropout } from './dropout.ts';
export {
  abs,
  add,
  addScalar,
  clip,
  div,
  exp,
  log,
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
export { embed } from './embedding.ts';
export { concatenate, lastStep, reshape, swapTimeBatch } from './layout.ts';
export { linear, matmul } from './linear.ts';
export { type RecurrenceOptions, type RecurrenceResult, type RecurrentWeights, recurrence } from './recurrence.ts';
export { mean, sum } from './reduce.ts';
export { logSoftmax, softmax, softmaxCrossEntropy } from './softmax.ts';
