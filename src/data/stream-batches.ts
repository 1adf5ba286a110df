import { ArgumentError, expectCount } from '../checks/argument-error.ts';
import { checkOptions } from '../checks/options.ts';
import { classOf } from '../host/class-of.ts';
import { type DataLike, NdArray, toNdArray } from './array.ts';

export interface StreamBatchesOptions {
  /** Streams B that run side by side. */
  batchSize: number;
  /** Steps T of a batch: how far gradients reach back. */
  steps: number;
  /** What each step is held to, `[N, …]`. Default: the next id of the stream. */
  targets?: DataLike | undefined;
}

/** A batch as `fit` takes it. */
export interface StreamBatch {
  /** `[B, T, …]` */
  readonly x: NdArray;
  readonly y: NdArray;
  /** Whether the streams begin here, so that what states have carried belongs to others. */
  readonly resetStates: boolean;
}

/**
 * One long sequence as batches for a `stateful` model: cut into B contiguous streams of equal length, which are walked
 * side by side T steps at a time, so that each batch goes on where the one before it ended. States carry over,
 * gradients reach back T steps: truncated backpropagation through time. What is left of a stream behind its last whole
 * batch is not visited.
 *
 * @param sequence ids `[N]`, or features `[N, …]`, which need `targets`.
 * @returns something to iterate over, every time from the beginning; `length` batches.
 * @throws ArgumentError if the sequence is too short for one batch, a size is no positive integer, or targets are
 *   missing or of another length.
 * @see Williams and Peng 1990
 *
 * @example
 * await model.fit(streamBatches(ids, { batchSize: 32, steps: 50 }), { epochs: 3 });
 */
export function streamBatches(
  sequence: DataLike,
  options: StreamBatchesOptions,
): Iterable<StreamBatch> & { length: number } {
  const { batchSize, steps } = checkOptions('streamBatches', options, { batchSize: 1, steps: 1, targets: 1 });
  for (const [name, value] of Object.entries({ batchSize, steps })) expectCount(`streamBatches: ${name}`, value);
  const shifts = options.targets === undefined;
  const x = toNdArray(sequence, shifts ? 'i32' : 'f32', 'streamBatches: sequence');
  if (shifts && x.shape.length !== 1) {
    throw new ArgumentError(`streamBatches: targets expected for a sequence of features [${x.shape}], got none`);
  }
  const y = shifts ? undefined : toNdArray(options.targets!, 'f32', 'streamBatches: targets');
  const [total] = x.shape as [number];
  if (y && y.shape[0] !== total) {
    throw new ArgumentError(`streamBatches: targets expected ${total} steps as the sequence, got ${y.shape[0]}`);
  }
  // With ids one stays back: the last stream's last target.
  const streamLength = Math.floor((total - (y ? 0 : 1)) / batchSize);
  const length = Math.floor(streamLength / steps);
  if (length < 1) {
    const needed = batchSize * steps + (y ? 0 : 1);
    throw new ArgumentError(
      `streamBatches: sequence expected ${needed} steps or more for batchSize ${batchSize} and steps ${steps}, got ${total}`,
    );
  }
  const cut = (from: NdArray, first: number): NdArray => {
    const shape = from.shape.slice(1);
    const size = shape.reduce((product, n) => product * n, 1);
    const data =
      classOf(from.data) === 'Int32Array'
        ? new Int32Array(batchSize * steps * size)
        : new Float64Array(batchSize * steps * size);
    for (let b = 0; b < batchSize; b++) {
      const start = (b * streamLength + first) * size;
      for (let i = 0; i < steps * size; i++) data[b * steps * size + i] = from.data[start + i]!;
    }
    return new NdArray(data, [batchSize, steps, ...shape]);
  };
  return {
    length,
    *[Symbol.iterator]() {
      for (let window = 0; window < length; window++) {
        const first = window * steps;
        yield { x: cut(x, first), y: y ? cut(y, first) : cut(x, first + 1), resetStates: window === 0 };
      }
    },
  };
}
