import type { RaggedArray } from '../data/ragged.ts';
import type { SequencesLike } from './sequences.ts';

/** How learning went. */
export interface FitHistory {
  /** Log-likelihood of all sequences before the first round and after each; of several starts, of the best. */
  logLikelihood: number[];
  /** Whether the last round raised it by less than the tolerance. */
  converged: boolean;
  /** Number of rounds. */
  iterations: number;
}

/**
 * The results for one sequence, or a list of them if a list of sequences was given. A list of numbers or a typed array
 * `S` is one sequence, a `RaggedArray` is a list; of other data the compiler does not know.
 */
export type OneOrEach<T, S extends SequencesLike = SequencesLike> = S extends
  | readonly number[]
  | { readonly BYTES_PER_ELEMENT: number }
  ? T
  : S extends RaggedArray
    ? T[]
    : T | T[];
