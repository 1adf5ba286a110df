import { expectCount, expectSignal } from '../checks/argument-error.ts';
import { expectNumber } from '../checks/number-ranges.ts';
import { checkOptions, type Names } from '../checks/options.ts';
import type { CallbackOf } from './callback.ts';
import type { BatchData, Batches } from './feeds/batches.ts';
import { type WeightOptions, weightNames } from './feeds/checked-data.ts';

/** How much `fit` shows. */
export type Verbose = 'auto' | 0 | 1 | 2;

/** How `fit` trains a model of the class `M`. Numbers are checked before anything changes. */
export interface FitOptionsOf<M> extends WeightOptions {
  /** Where training ends, counted from 0 and not from `initialEpoch`. Default 1. */
  epochs?: number | undefined;
  /** Number of the first epoch, to go on from. Default 0. */
  initialEpoch?: number | undefined;
  /**
   * Samples in a batch; the last of an epoch may have fewer. Batches of the caller's own have the size they come in. A
   * masked loss is a mean over what counts in a batch, so that it depends on this where batches keep unequal numbers of
   * steps, as in Keras. Default: as many as `batchInputShape` declares, else 32.
   */
  batchSize?: number | undefined;
  /** Batches in an epoch; the next one then goes on where it ended. Default: all. */
  stepsPerEpoch?: number | undefined;
  /** Whether to permute the samples before each epoch. Default true. */
  shuffle?: boolean | undefined;
  /**
   * Share of the samples, taken from the end before any shuffling, to validate on, rounded up: 0.07 of 100 are 7.
   * Default 0.
   */
  validationSplit?: number | undefined;
  /**
   * Samples `[x, y]`, `[x, y, sampleWeight]` or `{ x, y, sampleWeight }` to validate on, instead of a split, or batches
   * of them.
   */
  validationData?: BatchData | Batches | undefined;
  /** Default: `batchSize`. */
  validationBatchSize?: number | undefined;
  /** Batches to validate on, from the first. Default: all. */
  validationSteps?: number | undefined;
  /** Validates after every so many epochs, or after the epochs listed (counted from 1, as Keras does). Default 1. */
  validationFreq?: number | readonly number[] | undefined;
  callbacks?: CallbackOf<M> | readonly CallbackOf<M>[] | undefined;
  /**
   * What is shown of training: `auto` one line in a terminal of Node or its like, which changes in place and stays at
   * the end of each epoch, and nothing elsewhere; 1 the same, and where there is no terminal a line of the console for
   * each epoch; 2 such a line in a terminal too; 0 nothing. A callback that shows progress itself, as `progressText`,
   * is all that is shown. `tapeloop/lean` shows nothing. Default `auto`.
   */
  verbose?: Verbose | undefined;
  /** Whether to measure where the time of the training steps goes; `History.profile` tells. Default false. */
  profile?: boolean | undefined;
  /** Ends training after the batch in progress; `fit` then rejects with the signal's reason. */
  signal?: AbortSignal | undefined;
}

const fitNames: Names<FitOptionsOf<never>> = {
  epochs: 1,
  initialEpoch: 1,
  batchSize: 1,
  stepsPerEpoch: 1,
  shuffle: true,
  validationSplit: 1,
  validationData: 1,
  validationBatchSize: 1,
  validationSteps: 1,
  validationFreq: 1,
  callbacks: 1,
  verbose: 1,
  profile: true,
  signal: 1,
  ...weightNames,
};

/** Throws `ArgumentError` for an option that there is not, or a number out of its range. */
export function checkFitOptions(options: FitOptionsOf<never>): void {
  checkOptions('fit', options, fitNames);
  expectSignal('fit', options.signal);
  const {
    epochs = 1,
    initialEpoch = 0,
    batchSize,
    stepsPerEpoch,
    validationBatchSize,
    validationSteps,
    validationFreq,
  } = options;
  const counts = { epochs, batchSize, stepsPerEpoch, validationBatchSize, validationSteps, validationFreq };
  for (const [what, value] of Object.entries(counts)) {
    for (const count of what === 'validationFreq' && Array.isArray(value) ? value : [value])
      if (count !== undefined) expectCount(`fit: ${what}`, count);
  }
  expectNumber('fit: initialEpoch', initialEpoch, 'an integer ≥ 0');
}
