import { ArgumentError } from '../autograd/tensor.ts';
import type { Nested } from '../data/nested.ts';
import type { SamplesLike } from '../data/ragged.ts';
import type { FitOptions } from './fit.ts';
import type { Data, Model } from './model.ts';
import { inTurn, type Rows, type Samples } from './samples.ts';

/** One batch as a caller gives it. */
export type BatchData =
  | { readonly x: Data; readonly y: Data; readonly sampleWeight?: Nested<SamplesLike> | undefined }
  | readonly [x: Data, y: Data, sampleWeight?: Nested<SamplesLike>];

type Iterated = Iterable<BatchData> | AsyncIterable<BatchData>;

/** Batches as they come, or a function that makes them anew for each epoch. */
export type Batches = Iterated | (() => Iterated);

/** One batch of checked samples. */
export interface Batch {
  samples: Samples;
  rows: Rows;
}

/** Where the batches of every epoch come from. */
export interface Feed {
  /** Batches in an epoch, where that is known beforehand. */
  readonly steps: number | undefined;
  readonly validation: Feed | undefined;
  batches(): Iterable<Batch> | AsyncIterable<Batch>;
}

/** Whether it is batches, not samples: arrays of any kind can be iterated, too. */
export function isBatches(x: unknown): x is Batches {
  if (typeof x === 'function') return true;
  if (typeof x !== 'object' || x === null || Array.isArray(x) || ArrayBuffer.isView(x)) return false;
  return Symbol.asyncIterator in x || Symbol.iterator in x;
}

/** Batches cut from samples: each epoch shuffles those that are not held back for validation. */
export function samplesFeed(model: AnyModel, x: Data, y: Data, options: FitOptions): Feed {
  const { batchSize = 32, shuffle = true, validationSplit = 0, sampleWeight } = options;
  const samples = model.checkData(x, y, sampleWeight);
  const all = inTurn(samples.count);
  if (!(validationSplit >= 0 && validationSplit < 1)) {
    throw new ArgumentError(`fit: validationSplit expected in [0, 1), got ${validationSplit}`);
  }
  const kept = options.validationData ? all.length : Math.floor(all.length * (1 - validationSplit));
  if (kept === 0) {
    throw new ArgumentError(`fit: validationSplit ${validationSplit} leaves none of ${all.length} samples`);
  }
  const held = kept < all.length ? cut(samples, all.slice(kept), options.validationBatchSize ?? batchSize) : undefined;
  const order = all.subarray(0, kept);
  const feed = cut(samples, order, batchSize);
  const validation = validationFeed(model, options) ?? held;
  expectWholeBatches(model, kept, batchSize, 'samples');
  if (held) expectWholeBatches(model, all.length - kept, batchSize, 'samples to validate on');
  return {
    ...feed,
    validation,
    batches() {
      if (shuffle) model.random.shuffle(order);
      return feed.batches();
    },
  };
}

/** Batches that the caller makes. */
export function batchesFeed(model: AnyModel, batches: Batches, options: FitOptions): Feed {
  const { stepsPerEpoch } = options;
  // With a number of steps an epoch goes on where the one before it ended.
  let running: Iterator<BatchData> | AsyncIterator<BatchData> | undefined;
  return {
    steps: stepsPerEpoch,
    validation: validationFeed(model, options),
    async *batches() {
      running = (stepsPerEpoch === undefined ? undefined : running) ?? iterate(batches);
      for (let step = 0; step < (stepsPerEpoch ?? Number.POSITIVE_INFINITY); step++) {
        const { done, value } = await running.next();
        if (!done) {
          yield toBatch(model, value);
          continue;
        }
        if (step === 0 || stepsPerEpoch !== undefined) {
          const expected = stepsPerEpoch === undefined ? 'one batch or more' : `${stepsPerEpoch} batches`;
          throw new ArgumentError(
            `fit: batches expected ${expected} an epoch, got ${step}; give a function that makes them anew for each epoch`,
          );
        }
        return;
      }
    },
  };
}

// biome-ignore lint/suspicious/noExplicitAny: a feed does not care what its model predicts.
type AnyModel = Model<any>;

function iterate(batches: Batches): Iterator<BatchData> | AsyncIterator<BatchData> {
  const made = typeof batches === 'function' ? batches() : batches;
  return Symbol.asyncIterator in made ? made[Symbol.asyncIterator]() : made[Symbol.iterator]();
}

function toBatch(model: AnyModel, data: BatchData): Batch {
  const { x, y, sampleWeight } = 'x' in data ? data : { x: data[0], y: data[1], sampleWeight: data[2] };
  const samples = model.checkData(x, y, sampleWeight);
  return { samples, rows: { order: inTurn(samples.count), from: 0, to: samples.count } };
}

function validationFeed(model: AnyModel, options: FitOptions): Feed | undefined {
  const { validationData, batchSize = 32 } = options;
  if (!validationData) return undefined;
  if (!Array.isArray(validationData)) {
    return batchesFeed(model, validationData as Batches, { stepsPerEpoch: options.validationSteps });
  }
  const [x, y, sampleWeight] = validationData as unknown as readonly [Data, Data, Nested<SamplesLike>?];
  const samples = model.checkData(x, y, sampleWeight);
  const size = options.validationBatchSize ?? batchSize;
  expectWholeBatches(model, samples.count, size, 'samples to validate on');
  return cut(samples, inTurn(samples.count), size);
}

function cut(samples: Samples, order: Uint32Array, batchSize: number): Feed {
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

function expectWholeBatches(model: AnyModel, count: number, batchSize: number, what: string): void {
  if (count % batchSize === 0 || model.statefulLayers.length === 0) return;
  throw new ArgumentError(
    `fit: a stateful model expected a number of ${what} that batchSize ${batchSize} divides, got ${count}`,
  );
}
