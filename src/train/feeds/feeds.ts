import { ArgumentError } from '../../checks/argument-error.ts';
import { expectNumber } from '../../checks/number-ranges.ts';
import { partOf } from '../../data/part-of.ts';
import type { Transaction } from '../../engine/transaction.ts';
import type { FitOptionsOf } from '../fit-options.ts';
import { optionalParts } from '../optional-parts.ts';
import type { Trainer } from '../trainer.ts';
import { type BatchData, type Batches, BatchSource, isBatches, namedBatch } from './batches.ts';
import { checkData, type Data, type WeightOptions } from './checked-data.ts';
import { optionalRefusals } from './optional-refusals.ts';
import { type Rows, range, type Samples } from './samples.ts';

/** One batch of checked samples. */
export interface Batch {
  samples: Samples;
  rows: Rows;
  resetStates?: boolean | undefined;
}

/** The source of the batches of every epoch. */
export interface Feed {
  /** Number of batches in an epoch, if it is known in advance. */
  readonly steps: number | undefined;
  readonly validation: Feed | undefined;
  batches(): Iterable<Batch> | AsyncIterable<Batch>;
  /** Closes the iterators that the feed made. Called at the end of a run, also after an error. */
  close?(): Promise<void>;
}

/** Makes batches from samples. Each pass shuffles the samples that are not held back for validation. */
export function samplesFeed(
  trainer: Trainer,
  x: Data,
  y: Data,
  options: FitOptionsOf<never>,
  changes: Transaction,
): Feed {
  const { batchSize = trainer.batchSize, shuffle = true, validationSplit = 0, stepsPerEpoch } = options;
  expectNumber('fit: validationSplit', validationSplit, 'in [0, 1)');
  const samples = checkData(trainer, x, y, options);
  const all = range(samples.count);
  const kept = options.validationData ? all.length : partOf(all.length, 1 - validationSplit);
  if (kept === 0) {
    throw new ArgumentError(`fit: validationSplit ${validationSplit} leaves none of ${all.length} samples`);
  }
  const order = all.subarray(0, kept);
  const held = kept < all.length ? validationFeed(trainer, samples, all.slice(kept), options) : undefined;
  const validation = givenValidation(trainer, options, changes) ?? held;
  expectWholeBatches(trainer, kept, batchSize, 'samples');
  optionalParts.warnOfSamples?.(trainer, samples, kept, shuffle && kept > batchSize);
  const { steps, batches } = batched(samples, order, batchSize);
  const pass = (): Iterable<Batch> => {
    // Each pass shuffles the original order, not the order of the pass before. A run that is restored between epochs
    // therefore gets the same batches as one that was not interrupted.
    if (shuffle) {
      order.set(range(kept));
      trainer.random.shuffle(order);
    }
    return batches();
  };
  if (stepsPerEpoch === undefined) return { steps, validation, batches: pass };
  const source = new BatchSource('fit: batches', pass);
  return { steps: stepsPerEpoch, validation, batches: () => source.take(stepsPerEpoch) };
}

/**
 * Takes batches that the caller makes. With a number of steps, each epoch continues where the epoch before it ended.
 */
export function batchesFeed(
  trainer: Trainer,
  batches: Batches,
  options: FitOptionsOf<never>,
  changes: Transaction,
): Feed {
  const { stepsPerEpoch } = options;
  optionalRefusals.refusals?.sampleOptions({ ...options });
  const source = new BatchSource('fit: batches', batches);
  return {
    steps: stepsPerEpoch,
    validation: givenValidation(trainer, options, changes),
    batches: () => checkedBatches(trainer, 'fit: batches', source.take(stepsPerEpoch), options, changes),
    close: () => source.close(),
  };
}

/** Batches for an evaluation. Every pass starts from the first. `changes` records it if they build the model. */
export function evaluationFeed(
  trainer: Trainer,
  what: string,
  batches: Batches,
  options: WeightOptions,
  changes: Transaction,
  steps?: number,
): Feed {
  const source = new BatchSource(what, batches);
  return {
    steps,
    validation: undefined,
    async *batches() {
      await source.close();
      yield* checkedBatches(trainer, what, source.take(steps), options, changes);
    },
    close: () => source.close(),
  };
}

async function* checkedBatches(
  trainer: Trainer,
  what: string,
  batches: AsyncIterable<BatchData>,
  { classWeight }: WeightOptions,
  changes: Transaction,
): AsyncGenerator<Batch> {
  for await (const data of batches) {
    const { x, y, resetStates, ...options } = namedBatch(what, data);
    const samples = changes.part(() => named(what, () => checkData(trainer, x, y, { ...options, classWeight })));
    const rows = { order: range(samples.count), from: 0, to: samples.count };
    yield { samples, rows, resetStates };
  }
}

const named = <T>(what: string, body: () => T): T => optionalRefusals.refusals?.named(what, body) ?? body();

function givenValidation(trainer: Trainer, options: FitOptionsOf<never>, changes: Transaction): Feed | undefined {
  const { validationData, validationSteps, classWeight } = options;
  if (validationData === undefined) return undefined;
  const what = 'fit: validationData';
  const batches = validationData as Batches;
  if (isBatches(batches)) {
    return evaluationFeed(trainer, what, batches, { classWeight }, changes, validationSteps);
  }
  optionalRefusals.refusals?.validationList(what, validationData);
  const { x, y, ...own } = namedBatch(what, validationData);
  const samples = named(what, () => checkData(trainer, x, y, { ...own, classWeight }));
  return validationFeed(trainer, samples, range(samples.count), options);
}

function validationFeed(trainer: Trainer, samples: Samples, order: Uint32Array, options: FitOptionsOf<never>): Feed {
  const size = options.validationBatchSize ?? options.batchSize ?? trainer.batchSize;
  expectWholeBatches(trainer, order.length, size, 'samples to validate on');
  return batched(samples, order.subarray(0, size * (options.validationSteps ?? order.length)), size);
}

export interface BatchedFeed extends Feed {
  readonly steps: number;
  batches(): Iterable<Batch>;
}

/** Cuts samples into batches of `batchSize`. The last batch has the rest. */
export function batched(samples: Samples, order: Uint32Array, batchSize: number): BatchedFeed {
  return {
    steps: Math.ceil(order.length / batchSize),
    validation: undefined,
    *batches() {
      for (let from = 0; from < order.length; from += batchSize) {
        yield { samples, rows: { order, from, to: Math.min(from + batchSize, order.length) } };
      }
    },
  };
}

function expectWholeBatches(trainer: Trainer, count: number, batchSize: number, what: string): void {
  if (count % batchSize === 0 || trainer.statefulLayers.length === 0) return;
  throw new ArgumentError(
    `fit: a stateful model expected a number of ${what} that batchSize ${batchSize} divides, got ${count}`,
  );
}
