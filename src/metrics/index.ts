// Every metric, by its name.
export {
  accuracy,
  type BinaryAccuracyOptions,
  binaryAccuracy,
  categoricalAccuracy,
  sparseCategoricalAccuracy,
  sparseTopKCategoricalAccuracy,
  type TopKOptions,
  topKCategoricalAccuracy,
} from './accuracy.ts';
export { type AucOptions, auc } from './auc.ts';
export {
  type F1Options,
  type FBetaOptions,
  f1Score,
  fBetaScore,
  type PrecisionOptions,
  precision,
  recall,
} from './confusion.ts';
export { bitsPerCharacter, type PerplexityOptions, perplexity } from './language.ts';
export {
  binaryCrossentropy,
  categoricalCrossentropy,
  categoricalHinge,
  cosineSimilarity,
  hinge,
  klDivergence,
  logCosh,
  meanAbsoluteError,
  meanAbsolutePercentageError,
  meanSquaredError,
  meanSquaredLogarithmicError,
  poisson,
  type R2Options,
  r2Score,
  rootMeanSquaredError,
  sparseCategoricalCrossentropy,
  squaredHinge,
} from './regression.ts';
