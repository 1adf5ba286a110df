// The entry `tapeloop/state-space`: models with memory that are no networks.
export { type Decoded, HiddenMarkovModel, type HmmFitOptions } from './state-space/hmm/hidden-markov.ts';
export {
  type CategoricalHmmOptions,
  categoricalHmm,
  type GaussianHmmOptions,
  type GmmHmmOptions,
  gaussianHmm,
  gmmHmm,
  type HmmOptions,
  hmmFromJson,
} from './state-space/hmm/kinds.ts';
export { type HmmLogLikelihoodOptions, hmmLogLikelihood } from './state-space/hmm/log-likelihood.ts';
export type { LearnedParameters, ParameterName } from './state-space/linear/learned.ts';
export { type EmOptions, type GradientFitOptions, LinearGaussian } from './state-space/linear/linear-gaussian.ts';
export {
  type KalmanLogLikelihoodOptions,
  type KalmanParameters,
  kalmanLogLikelihood,
} from './state-space/linear/log-likelihood.ts';
export type { FilterOptions } from './state-space/linear/observations.ts';
export type { Filtered, Forecast, Smoothed } from './state-space/linear/results.ts';
export {
  type AutoregressiveOptions,
  autoregressive,
  type BasicStructuralOptions,
  basicStructural,
  type LocalLevelOptions,
  type LocalLinearTrendOptions,
  linearGaussian,
  linearGaussianFromJson,
  localLevel,
  localLinearTrend,
} from './state-space/linear/structures.ts';
export type { LinearGaussianOptions } from './state-space/linear/system.ts';
export type { SavedStateSpace } from './state-space/parameters.ts';
export type { FitHistory, OneOrEach } from './state-space/results.ts';
export type { SequencesLike } from './state-space/sequences.ts';
export type { StepOptions } from './state-space/steps.ts';
