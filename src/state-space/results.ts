/** How learning went. */
export interface FitHistory {
  /** Log-likelihood of all sequences before the first round and after each; of several starts, of the best. */
  logLikelihood: number[];
  /** Whether the last round raised it by less than the tolerance. */
  converged: boolean;
  /** Number of rounds. */
  iterations: number;
}

/** The results for one sequence, or a list of them if a list of sequences was given. */
export type OneOrEach<T> = T | T[];
