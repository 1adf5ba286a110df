import { expectCount, expectSignal } from '../checks/argument-error.ts';
import { expectNumber } from '../checks/number-ranges.ts';
import { checkOptions, type Names } from '../checks/options.ts';
import type { CallbackOf } from './callback.ts';
import type { BatchData, Batches } from './feeds/batches.ts';
import { type WeightOptions, weightNames } from './feeds/checked-data.ts';

/** How much progress `fit` shows. */
export type Verbose = 'auto' | 0 | 1 | 2;

/** How `fit` trains a model of the class `M`. Numbers are checked before anything changes. */
export interface FitOptionsOf<M> extends WeightOptions {
  /** The end of training: the number of epochs, counted from 0 and not from `initialEpoch`. Default 1. */
  epochs?: number | undefined;
  /** Number of the first epoch, for a run that continues an earlier one. Default 0. */
  initialEpoch?: number | undefined;
  /**
   * Samples in a batch; the last batch of an epoch may have fewer. It does not apply to batches that the caller makes.
   * A masked loss is the mean over the unmasked steps of a batch. It therefore depends on the batch size if batches
   * have different numbers of unmasked steps, as in Keras. Default: the batch size of `batchInputShape`, else 32.
   */
  batchSize?: number | undefined;
  /** Batches in an epoch. The next epoch then continues where this one ended. Default: all. */
  stepsPerEpoch?: number | undefined;
  /** Whether to permute the samples before each epoch. Default true. */
  shuffle?: boolean | undefined;
  /**
   * Share of the samples to validate on. They are taken from the end, before any shuffling, and their number is rounded
   * up: 0.07 of 100 samples is 7. Default 0.
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
  /**
   * A number n, to validate after every n-th epoch, or a list of the epochs after which to validate. Epochs count from
   * 1 here, as in Keras. Default 1.
   */
  validationFreq?: number | readonly number[] | undefined;
  callbacks?: CallbackOf<M> | readonly CallbackOf<M>[] | undefined;
  /**
   * How progress is shown. `auto`: in a terminal of Node or a similar runtime, one line that is updated in place and
   * remains at the end of each epoch; elsewhere nothing. 1: the same, but without a terminal one console line for each
   * epoch. 2: one console line for each epoch, also in a terminal. 0: nothing. If a callback shows progress itself,
   * such as `progressText`, nothing else is shown. `tapeloop/lean` shows nothing. Default `auto`.
   */
  verbose?: Verbose | undefined;
  /** Whether to measure the times of the parts of the training steps, for `History.profile`. Default false. */
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

/** Throws `ArgumentError` for an unknown option or a number out of its range. */
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
