import { ArgumentError, expectCount } from '../checks/argument-error.ts';
import { checkOptions } from '../checks/options.ts';
import { classOf } from '../host/class-of.ts';
import { type DataLike, NdArray, toNdArray } from './array.ts';

export interface StreamBatchesOptions {
  /** Number of parallel streams B. */
  batchSize: number;
  /** Steps T of a batch. Gradients reach back at most T steps. */
  steps: number;
  /** The target of each step, `[N, …]`. Default: the next id of the stream. */
  targets?: DataLike | undefined;
}

/** A batch for `fit`. */
export interface StreamBatch {
  /** `[B, T, …]` */
  readonly x: NdArray;
  readonly y: NdArray;
  /** Whether the streams begin here, so that carried states must be reset. */
  readonly resetStates: boolean;
}

/**
 * Cuts one long sequence into batches for a `stateful` model.
 *
 * The sequence is cut into B contiguous streams of equal length. A batch has the next T steps of each stream, so each
 * batch continues the one before it. States carry over, and gradients reach back T steps: truncated backpropagation
 * through time. Steps after the last whole batch are not used.
 *
 * @param sequence ids `[N]`, or features `[N, …]`, which need `targets`.
 * @param options batchSize B, steps T and targets.
 * @returns `length` batches, each `{ x: [B, T, …], y: [B, T, …], resetStates }`. Each iteration starts from the
 *   beginning.
 * @throws ArgumentError if the sequence is too short for one batch, a size is not an integer ≥ 1, targets are missing
 *   or have another length, or an option is unknown.
 * @see Williams and Peng 1990
 * @example
 * const batches = streamBatches([0, 1, 2, 3, 4, 5, 6, 7, 8], { batchSize: 2, steps: 2 });
 * batches.length; // 2
 * const [{ x: first, y: next }] = batches; // [[0, 1], [4, 5]] and [[1, 2], [5, 6]]
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
  // The target of the last id of a stream is the id after it, so one id is reserved.
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
