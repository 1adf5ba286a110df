import { ArgumentError, expectCount, shown } from '../../checks/argument-error.ts';
import { checkOptions, type Names } from '../../checks/options.ts';
import type { Nested } from '../../data/nested.ts';
import type { SamplesLike } from '../../data/ragged.ts';
import type { Data } from './checked-data.ts';

/** One batch, as a caller gives it. */
export type BatchData =
  | {
      readonly x: Data;
      readonly y: Data;
      readonly sampleWeight?: Nested<SamplesLike> | undefined;
      /**
       * Whether stateful layers start this batch from zeros. Default false: from the last states of the batch before.
       */
      readonly resetStates?: boolean | undefined;
      /** Where rows start anew, `[B]` or `[B, T]`. */
      readonly resetMask?: SamplesLike | undefined;
    }
  | readonly [x: Data, y: Data, sampleWeight?: Nested<SamplesLike>];

/** One batch to predict from. Of the other parts of a batch to train on nothing is read. */
export type InputBatch =
  | { readonly x: Data; readonly resetMask?: SamplesLike | undefined }
  | readonly [x: Data, ...rest: unknown[]];

type Iterated<T> = Iterable<T> | AsyncIterable<T>;

/**
 * An (async) iterable of batches, or a function that makes one. The function is called for each epoch, or, with a
 * number of steps, whenever the batches have run out. A list of `{ x, y }` is accepted as it is. A list of pairs
 * `[x, y]`, which could also be samples, is given as `() => list`.
 */
export type Batches<T = BatchData> =
  | Iterated<T>
  // TypeScript infers a list of any length for `yield [x, y]` in a generator, so an iterator may yield such lists. An
  // array of such lists could be samples, so it is not accepted as batches.
  | IterableIterator<T | readonly Data[]>
  | AsyncIterable<T | readonly Data[]>
  | (() => Iterated<T | readonly Data[]>);

type NamedBatch = Extract<BatchData, { readonly x: Data }>;

const isNamed = (data: unknown): data is NamedBatch => typeof data === 'object' && data !== null && 'x' in data;

const batchNames: Names<NamedBatch> = { x: 1, y: 1, sampleWeight: 1, resetStates: 1, resetMask: 1 };

/** The batch as `{ x, y, sampleWeight }`. Throws `ArgumentError` if it is not a batch, or has an unknown name. */
export function namedBatch(what: string, data: unknown): NamedBatch {
  if (isNamed(data)) return checkOptions(what, data, batchNames);
  if (Array.isArray(data)) return { x: data[0], y: data[1], sampleWeight: data[2] };
  throw new ArgumentError(`${what} expected { x, y } or [x, y] each, got ${data === null ? data : typeof data}`);
}

/** Whether `x` is batches and not samples. Being iterable is not enough, because arrays of samples are iterable too. */
export function isBatches<T>(x: Data | Batches<T> | undefined): x is Batches<T> {
  if (typeof x === 'function') return true;
  if (typeof x !== 'object' || x === null || ArrayBuffer.isView(x)) return false;
  if (Array.isArray(x)) return x.length > 0 && x.every(isNamed);
  return Symbol.asyncIterator in x || Symbol.iterator in x;
}

type Made<T> = Iterator<T> | AsyncIterator<T>;

/**
 * Takes items from batches, some at a time. It closes the iterators that it makes. An iterator of the caller, such as a
 * generator, continues from its current position. @internal
 */
export class BatchSource<T> {
  readonly #what: string;
  readonly #given: Batches<T>;
  #running: Made<T> | undefined;
  #isOwn = false;

  constructor(what: string, given: Batches<T>) {
    this.#what = what;
    this.#given = given;
  }

  /**
   * Yields the next `count` items, or, without `count`, all items from the first. Throws `ArgumentError` if there are
   * too few items and no more can be made.
   */
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

  /** The next item. If the items have run out and `again` is true, the first item of a new iterator. */
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
    const made = (typeof this.#given === 'function' ? this.#given() : this.#given) as Iterated<T>;
    if (Object(made) !== made) throw new ArgumentError(`${this.#what} expected data, got ${shown(made)}`);
    const iterator = Symbol.asyncIterator in made ? made[Symbol.asyncIterator]() : made[Symbol.iterator]();
    this.#isOwn = typeof this.#given === 'function' || (iterator as unknown) !== made;
    return iterator;
  }
}
