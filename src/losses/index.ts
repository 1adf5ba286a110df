// Every loss, by its name.
export { type BinaryFocalOptions, binaryCrossentropy, binaryFocalCrossentropy } from './binary.ts';
export {
  type CategoricalFocalOptions,
  categoricalCrossentropy,
  categoricalFocalCrossentropy,
  klDivergence,
} from './categorical.ts';
export { type CtcLossOptions, ctc } from './ctc.ts';
export { categoricalHinge, hinge, squaredHinge } from './hinge.ts';
export type { CrossentropyOptions } from './probabilities.ts';
export { type QuantileLossOptions, quantileLoss } from './quantile.ts';
export {
  cosineSimilarity,
  type HuberOptions,
  huber,
  logCosh,
  meanAbsoluteError,
  meanAbsolutePercentageError,
  meanSquaredError,
  meanSquaredLogarithmicError,
  poisson,
} from './regression.ts';
export { type SparseCrossentropyOptions, sparseCategoricalCrossentropy } from './sparse.ts';
