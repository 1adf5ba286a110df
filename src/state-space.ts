// The entry `tapeloop/state-space`: models with memory that are no networks.
export {
  type Decoded,
  type FitHistory,
  HiddenMarkovModel,
  type HmmFitOptions,
  type OneOrEach,
} from './state-space/hidden-markov.ts';
export {
  type CategoricalHmmOptions,
  categoricalHmm,
  type GaussianHmmOptions,
  type GmmHmmOptions,
  gaussianHmm,
  gmmHmm,
  type HmmOptions,
  hmmFromJson,
} from './state-space/hmm-kinds.ts';
export { type HmmLogLikelihoodOptions, hmmLogLikelihood } from './state-space/hmm-op.ts';
export type { SavedStateSpace } from './state-space/parameters.ts';
export type { SequencesLike } from './state-space/sequences.ts';
