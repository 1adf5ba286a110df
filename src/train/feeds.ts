import { ArgumentError } from '../autograd/tensor.ts';
import type { Nested } from '../data/nested.ts';
import type { SamplesLike } from '../data/ragged.ts';
import { expectCount, shown } from '../engine/argument-error.ts';
import type { Transaction } from '../engine/transaction.ts';
import { checkData, type Data, type WeightOptions } from './checked-data.ts';
import { expectNumber } from './expect-number.ts';
import type { FitOptions } from './fit.ts';
import type { AnyModel } from './model.ts';
import { inTurn, type Rows, type Samples } from './samples.ts';
import type { warnOfSamples as warn } from './warnings.ts';

/** One batch as a caller gives it. */
export type BatchData =
  | {
      readonly x: Data;
      readonly y: Data;
      readonly sampleWeight?: Nested<SamplesLike> | undefined;
      /** Whether stateful layers start it from zeros. Default false: from what the batch before has left. */
      readonly resetStates?: boolean | undefined;
    }
  | readonly [x: Data, y: Data, sampleWeight?: Nested<SamplesLike>];

/** One batch to predict from; what else there is in it is not read. */
export type InputBatch = { readonly x: Data } | readonly [x: Data, ...rest: unknown[]];

type Iterated<T> = Iterable<T> | AsyncIterable<T>;

/**
 * Batches as they come, or a function that makes them anew: for each epoch, and wherever they have run out. A list of `{ x, y }` is taken as it
 * is; one of pairs `[x, y]`, which might be samples, is given as `() => list`.
 */
export type Batches<T = BatchData> = Iterated<T> | (() => Iterated<T>);

/** One batch of checked samples. */
export interface Batch {
  samples: Samples;
  rows: Rows;
  resetStates?: boolean | undefined;
}

/** Where the batches of every epoch come from. */
export interface Feed {
  /** Batches in an epoch, where that is known beforehand. */
  readonly steps: number | undefined;
  readonly validation: Feed | undefined;
  batches(): Iterable<Batch> | AsyncIterable<Batch>;
  /** Lets go of what it iterates over, however the run ended. */
  close?(): Promise<void>;
}

type NamedBatch = Extract<BatchData, { readonly x: Data }>;

const isNamed = (data: unknown): data is NamedBatch => typeof data === 'object' && data !== null && 'x' in data;

/** A batch as a record. Throws `ArgumentError` for what is none. */
export function namedBatch(what: string, data: unknown): NamedBatch {
  if (isNamed(data)) return data;
  if (Array.isArray(data)) return { x: data[0], y: data[1], sampleWeight: data[2] };
  throw new ArgumentError(`${what} expected { x, y } or [x, y] each, got ${data === null ? data : typeof data}`);
}

/** Whether it is batches, not samples: arrays of any kind can be iterated, too. */
export function isBatches<T>(x: Data | Batches<T> | undefined): x is Batches<T> {
  if (typeof x === 'function') return true;
  if (typeof x !== 'object' || x === null || ArrayBuffer.isView(x)) return false;
  if (Array.isArray(x)) return x.length > 0 && x.every(isNamed);
  return Symbol.asyncIterator in x || Symbol.iterator in x;
}

let warnOfSamples: typeof warn | undefined;

/** Has `fit` tell of samples that are seldom meant so. */
export function allowWarnings(given: typeof warn): void {
  warnOfSamples = given;
}

/** Batches cut from samples: each pass over them shuffles those that are not held back for validation. */
export function samplesFeed(model: AnyModel, x: Data, y: Data, options: FitOptions, changes: Transaction): Feed {
  const { batchSize = 32, shuffle = true, validationSplit = 0, stepsPerEpoch } = options;
  expectNumber('fit: validationSplit', validationSplit, 'in [0, 1)');
  const samples = checkData(model, x, y, options);
  const all = inTurn(samples.count);
  const kept = options.validationData ? all.length : Math.floor(all.length * (1 - validationSplit));
  if (kept === 0) {
    throw new ArgumentError(`fit: validationSplit ${validationSplit} leaves none of ${all.length} samples`);
  }
  const order = all.subarray(0, kept);
  const held = kept < all.length ? heldBack(model, samples, all.slice(kept), options) : undefined;
  const validation = validationFeed(model, options, changes) ?? held;
  expectWholeBatches(model, kept, batchSize, 'samples');
  warnOfSamples?.(model, samples, kept, shuffle && kept > batchSize);
  const { steps, batches } = cut(samples, order, batchSize);
  const pass = (): Iterable<Batch> => {
    // From their own order, not from that of the pass before: so a run that is restored between epochs goes on as it would have.
    if (shuffle) {
      order.set(inTurn(kept));
      model.random.shuffle(order);
    }
    return batches();
  };
  if (stepsPerEpoch === undefined) return { steps, validation, batches: pass };
  const source = new Source('fit: batches', pass);
  return { steps: stepsPerEpoch, validation, batches: () => source.take(stepsPerEpoch) };
}

/** Batches that the caller makes; where there is a number of steps, an epoch goes on where the one before it ended. */
export function batchesFeed(model: AnyModel, batches: Batches, options: FitOptions, changes: Transaction): Feed {
  const { stepsPerEpoch } = options;
  const source = new Source('fit: batches', batches);
  return {
    steps: stepsPerEpoch,
    validation: validationFeed(model, options, changes),
    batches: () => checkedBatches(model, 'fit: batches', source.take(stepsPerEpoch), options, changes),
    close: () => source.close(),
  };
}

/** Batches to measure on, every time from the first. A model that they build is a change of the call. */
export function measuredFeed(
  model: AnyModel,
  what: string,
  batches: Batches,
  options: WeightOptions,
  changes: Transaction,
  steps?: number,
): Feed {
  const source = new Source(what, batches);
  return {
    steps,
    validation: undefined,
    async *batches() {
      await source.close();
      yield* checkedBatches(model, what, source.take(steps), options, changes);
    },
    close: () => source.close(),
  };
}

async function* checkedBatches(
  model: AnyModel,
  what: string,
  batches: AsyncIterable<BatchData>,
  { classWeight }: WeightOptions,
  changes: Transaction,
): AsyncGenerator<Batch> {
  for await (const data of batches) {
    const { x, y, sampleWeight, resetStates } = namedBatch(what, data);
    const samples = changes.part(() => checkData(model, x, y, { sampleWeight, classWeight }));
    const rows = { order: inTurn(samples.count), from: 0, to: samples.count };
    yield { samples, rows, resetStates };
  }
}

function validationFeed(model: AnyModel, options: FitOptions, changes: Transaction): Feed | undefined {
  const { validationData, validationSteps, classWeight } = options;
  if (validationData === undefined) return undefined;
  const what = 'fit: validationData';
  const batches = validationData as Batches;
  if (isBatches(batches)) {
    return measuredFeed(model, what, batches, { classWeight }, changes, validationSteps);
  }
  const { x, y, sampleWeight } = namedBatch(what, validationData);
  const samples = checkData(model, x, y, { sampleWeight, classWeight });
  return heldBack(model, samples, inTurn(samples.count), options);
}

function heldBack(model: AnyModel, samples: Samples, order: Uint32Array, options: FitOptions): Feed {
  const size = options.validationBatchSize ?? options.batchSize ?? 32;
  expectWholeBatches(model, order.length, size, 'samples to validate on');
  return cut(samples, order.subarray(0, size * (options.validationSteps ?? order.length)), size);
}

export interface CutFeed extends Feed {
  readonly steps: number;
  batches(): Iterable<Batch>;
}

/** Samples in batches of a size, the last with what is left. */
export function cut(samples: Samples, order: Uint32Array, batchSize: number): CutFeed {
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

type Made<T> = Iterator<T> | AsyncIterator<T>;

/**
 * Something to iterate over, from which some items are taken, then some more. Iterators that were made here are closed here; one that
 * the caller holds, as a generator is, goes on where it stands. @internal
 */
export class Source<T> {
  readonly #what: string;
  readonly #given: Batches<T>;
  #running: Made<T> | undefined;
  #isOwn = false;

  constructor(what: string, given: Batches<T>) {
    this.#what = what;
    this.#given = given;
  }

  /** The next `count` items, or all from the first on. Throws `ArgumentError` where there are fewer and no more can be made. */
  async *take(count: number | undefined): AsyncGenerator<T> {
    if (count === undefined) await this.close();
    else expectCount(`${this.#what}: steps`, count);
    for (let taken = 0; taken !== count; taken++) {
      const next = await this.#next(count !== undefined);
      if (!next.done) {
        yield next.value;
        continue;
      }
      await this.close();
      if (count === undefined && taken > 0) return;
      const expected = count === undefined ? 'one batch or more' : `${count} batches`;
      throw new ArgumentError(
        `${this.#what} expected ${expected}, got ${taken}; give a function that makes them anew each time`,
      );
    }
  }

  /** The next item; where they have run out and `again` is set, the first of those made anew. */
  async #next(again: boolean): Promise<IteratorResult<T>> {
    const isFresh = !this.#running;
    this.#running ??= this.#make();
    const next = await this.#running.next();
    if (!next.done || isFresh || !again || !this.#isOwn) return next;
    this.#running = this.#make();
    return this.#running.next();
  }

  async close(): Promise<void> {
    const running = this.#running;
    this.#running = undefined;
    if (this.#isOwn) await running?.return?.();
  }

  #make(): Made<T> {
    const made = typeof this.#given === 'function' ? this.#given() : this.#given;
    if (Object(made) !== made) throw new ArgumentError(`${this.#what} expected data, got ${shown(made)}`);
    const iterator = Symbol.asyncIterator in made ? made[Symbol.asyncIterator]() : made[Symbol.iterator]();
    this.#isOwn = typeof this.#given === 'function' || (iterator as unknown) !== made;
    return iterator;
  }
}
