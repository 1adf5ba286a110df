import { ArgumentError } from '../autograd/tensor.ts';
import type { DataLike, NdArray } from '../data/array.ts';
import { type Profile, Profiler } from '../engine/profile.ts';
import { inTurn } from './batches.ts';
import type { Logs, Model } from './model.ts';

/** Told of a training run as it goes; every method may be async. */
export interface Callback {
  onEpochBegin?(epoch: number): void | Promise<void>;
  /** `batch` counts from 0 within the epoch. */
  onBatchEnd?(batch: number, logs: Logs): void | Promise<void>;
  /** `logs` has `loss`, the metrics, and with validation data the same again with `val_` before their names. */
  onEpochEnd?(epoch: number, logs: Logs): void | Promise<void>;
}

export interface FitOptions {
  /** Default 1. */
  epochs?: number;
  /** Default 32. */
  batchSize?: number;
  /** Whether to permute the samples before each epoch. Default true. */
  shuffle?: boolean;
  /** Share of the samples, taken from the end before any shuffling, to validate on. Default 0. */
  validationSplit?: number;
  /** Samples to validate on, instead of a split. */
  validationData?: readonly [DataLike, DataLike];
  callbacks?: readonly Callback[];
  /** Whether to measure where the time of the training steps goes; `History.profile` tells. Default false. */
  profile?: boolean;
  /** Ends training after the batch in progress; `fit` then rejects with the signal's reason. */
  signal?: AbortSignal;
}

/** What `fit` saw: one number an epoch for the loss and every metric. */
export interface History {
  epoch: number[];
  history: Record<string, number[]>;
  /** Of the training steps alone, where it was asked for. */
  profile?: Profile;
}

// At most this long without letting the host handle events, in milliseconds: one frame at 60 a second is 16.
const YIELD_EVERY = 8;

/**
 * Trains on all samples `epochs` times and lets the host breathe between batches.
 *
 * @throws ArgumentError before anything changes, if data or options do not fit; NonFiniteLossError if training diverges,
 *   with the weights of the last good step kept.
 */
export async function trainEpochs(model: Model, x: DataLike, y: DataLike, options: FitOptions): Promise<History> {
  const { epochs = 1, batchSize = 32, shuffle = true, callbacks = [], signal } = options;
  for (const [what, value] of Object.entries({ epochs, batchSize })) {
    if (!Number.isInteger(value) || value < 1)
      throw new ArgumentError(`fit: ${what} expected an integer ≥ 1, got ${value}`);
  }
  const { train, validation } = split(model, x, y, options);
  const { order } = train;
  const count = order.length;
  if (model.statefulLayers.length > 0) {
    for (const [what, length] of [
      ['samples', count],
      ['samples to validate on', validation?.order.length ?? 0],
    ] as const) {
      if (length % batchSize === 0) continue;
      throw new ArgumentError(
        `fit: a stateful model expected a number of ${what} that batchSize ${batchSize} divides, got ${length}`,
      );
    }
  }
  signal?.throwIfAborted();
  const history: History = { epoch: [], history: {} };
  const breathe = yielder();
  const profiler = options.profile ? new Profiler(model.engine) : undefined;
  for (let epoch = 0; epoch < epochs; epoch++) {
    for (const callback of callbacks) await callback.onEpochBegin?.(epoch);
    if (shuffle) model.random.shuffle(order);
    const mean = new RunningMean();
    for (let from = 0, batch = 0; from < count; from += batchSize, batch++) {
      const to = Math.min(from + batchSize, count);
      const step = (): Logs => model.trainOnRows(train.xs, train.ys, order, from, to);
      const { gradientNorm: _, ...logs } = profiler ? profiler.measure(step) : step();
      mean.add(logs, to - from);
      for (const callback of callbacks) await callback.onBatchEnd?.(batch, logs);
      await breathe();
      signal?.throwIfAborted();
    }
    const logs = mean.value();
    if (validation) {
      const { xs, ys, order: held } = validation;
      const measured = model.withFreshStates(() => model.evaluateRows(xs, ys, held, batchSize));
      for (const [name, value] of Object.entries(measured)) logs[`val_${name}`] = value;
    }
    history.epoch.push(epoch);
    for (const [name, value] of Object.entries(logs)) (history.history[name] ??= []).push(value);
    for (const callback of callbacks) await callback.onEpochEnd?.(epoch, logs);
  }
  if (profiler) history.profile = profiler.profile;
  return history;
}

interface Part {
  xs: NdArray;
  ys: NdArray;
  /** Which samples belong to the part. */
  order: Uint32Array;
}

function split(
  model: Model,
  x: DataLike,
  y: DataLike,
  { validationSplit = 0, validationData }: FitOptions,
): { train: Part; validation: Part | undefined } {
  const data = model.checkData(x, y);
  const all = inTurn(data.xs.shape[0]!);
  if (validationData) {
    const other = model.checkData(validationData[0], validationData[1]);
    return { train: { ...data, order: all }, validation: { ...other, order: inTurn(other.xs.shape[0]!) } };
  }
  if (!(validationSplit >= 0 && validationSplit < 1)) {
    throw new ArgumentError(`fit: validationSplit expected in [0, 1), got ${validationSplit}`);
  }
  const kept = Math.floor(all.length * (1 - validationSplit));
  if (kept === 0)
    throw new ArgumentError(`fit: validationSplit ${validationSplit} leaves none of ${all.length} samples`);
  return {
    train: { ...data, order: all.subarray(0, kept) },
    validation: kept < all.length ? { ...data, order: all.slice(kept) } : undefined,
  };
}

class RunningMean {
  #sums: Logs = {};
  #weight = 0;

  add(logs: Logs, weight: number): void {
    for (const [name, value] of Object.entries(logs)) this.#sums[name] = (this.#sums[name] ?? 0) + value * weight;
    this.#weight += weight;
  }

  value(): Logs {
    return Object.fromEntries(Object.entries(this.#sums).map(([name, sum]) => [name, sum / this.#weight]));
  }
}

/** A function that lets pending events run when the last time was long enough ago. */
export function yielder(): () => Promise<void> {
  let last = performance.now();
  return async () => {
    if (performance.now() - last < YIELD_EVERY) return;
    await nextTask();
    last = performance.now();
  };
}

/** Resolves in a task of its own. A message is not slowed down to 4 ms as a nested timer is. */
function nextTask(): Promise<void> {
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(null);
  });
}
