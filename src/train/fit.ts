import { ArgumentError } from '../autograd/tensor.ts';
import { type Profile, Profiler } from '../engine/profile.ts';
import { NonFiniteLossError } from './divergence.ts';
import type { Batches, Feed } from './feeds.ts';
import type { Data, Logs, Model, WeightOptions } from './model.ts';
import { NonFiniteGradientError } from './optimizers.ts';

/** What a callback is told of a run before it starts. */
export interface TrainingPlan {
  epochs: number;
  initialEpoch: number;
  /** Batches in an epoch, where that is known beforehand. */
  steps: number | undefined;
}

/** Told of a training run as it goes; every method may be async. `model.stopTraining = true` ends it after the batch in progress. */
export interface Callback {
  // biome-ignore lint/suspicious/noExplicitAny: a callback works for models of any output.
  onTrainBegin?(model: Model<any>, plan: TrainingPlan): void | Promise<void>;
  onEpochBegin?(epoch: number): void | Promise<void>;
  /** `batch` counts from 0 within the epoch. */
  onBatchBegin?(batch: number): void | Promise<void>;
  /** `logs` has the batch's `loss`, and each metric over the epoch so far. */
  onBatchEnd?(batch: number, logs: Logs): void | Promise<void>;
  /** `logs` has `loss`, the metrics, and with validation data the same again with `val_` before their names. A callback may add to it. */
  onEpochEnd?(epoch: number, logs: Logs): void | Promise<void>;
  /** Training has diverged; the weights are those before the step. `true` ends training quietly instead of throwing. */
  onDivergence?(error: NonFiniteLossError | NonFiniteGradientError): boolean | Promise<boolean>;
  /** Called however training ended, once it had begun. */
  onTrainEnd?(history: History): void | Promise<void>;
}

export interface FitOptions extends WeightOptions {
  /** Where training ends, counted from 0 and not from `initialEpoch`. Default 1. */
  epochs?: number | undefined;
  /** Number of the first epoch, to go on from. Default 0. */
  initialEpoch?: number | undefined;
  /** Default 32. */
  batchSize?: number | undefined;
  /** Batches in an epoch, where batches are given: the next epoch then goes on with the same iterator. */
  stepsPerEpoch?: number | undefined;
  /** Whether to permute the samples before each epoch. Default true. */
  shuffle?: boolean | undefined;
  /** Share of the samples, taken from the end before any shuffling, to validate on. Default 0. */
  validationSplit?: number | undefined;
  /** Samples `[x, y]` or `[x, y, sampleWeight]` to validate on, instead of a split, or batches of them. */
  validationData?: readonly [Data, Data] | readonly [Data, Data, Data] | Batches | undefined;
  /** Default: `batchSize`. */
  validationBatchSize?: number | undefined;
  /** Batches of `validationData` to use, where it gives batches. Default: all. */
  validationSteps?: number | undefined;
  /** Validates after every so many epochs, or after the epochs listed (counted from 1, as Keras does). Default 1. */
  validationFreq?: number | readonly number[] | undefined;
  callbacks?: readonly Callback[] | undefined;
  /** Whether to measure where the time of the training steps goes; `History.profile` tells. Default false. */
  profile?: boolean | undefined;
  /** Ends training after the batch in progress; `fit` then rejects with the signal's reason. */
  signal?: AbortSignal | undefined;
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
 * Trains on all batches `epochs` times and lets the host breathe between batches.
 *
 * @throws ArgumentError before anything changes, if data or options do not fit; NonFiniteLossError if training diverges,
 *   with the weights of the last good step kept.
 */
export async function trainEpochs(
  // biome-ignore lint/suspicious/noExplicitAny: training does not care what its model predicts.
  model: Model<any>,
  feedOf: () => Feed,
  options: FitOptions,
): Promise<History> {
  const { epochs = 1, initialEpoch = 0, callbacks = [], signal, classWeight } = options;
  checkCounts(options);
  const feed = feedOf();
  signal?.throwIfAborted();
  const history: History = { epoch: [], history: {} };
  const breathe = yielder();
  const profiler = options.profile ? new Profiler(model.engine) : undefined;
  model.stopTraining = false;
  for (const each of callbacks) await each.onTrainBegin?.(model, { epochs, initialEpoch, steps: feed.steps });
  try {
    for (let epoch = initialEpoch; epoch < epochs && !model.stopTraining; epoch++) {
      for (const each of callbacks) await each.onEpochBegin?.(epoch);
      const running = model.runningLogs();
      let batch = 0;
      for await (const { samples, rows } of feed.batches()) {
        for (const each of callbacks) await each.onBatchBegin?.(batch);
        const step = (): Logs => model.trainOnRows(samples, rows, classWeight, running.watch);
        const { gradientNorm: _, ...logs } = profiler ? profiler.measure(step) : step();
        running.add(logs, rows.to - rows.from);
        for (const each of callbacks) await each.onBatchEnd?.(batch, logs);
        await breathe();
        signal?.throwIfAborted();
        batch++;
        if (model.stopTraining) break;
      }
      const logs = running.value();
      if (feed.validation && isDue(epoch, options.validationFreq ?? 1)) {
        const measured = await validate(model, feed.validation, classWeight);
        for (const [name, value] of Object.entries(measured)) logs[`val_${name}`] = value;
      }
      for (const each of callbacks) await each.onEpochEnd?.(epoch, logs);
      history.epoch.push(epoch);
      for (const [name, value] of Object.entries(logs)) (history.history[name] ??= []).push(value);
    }
  } catch (error) {
    if (!(await isTakenCareOf(error, callbacks))) throw error;
  } finally {
    if (profiler) history.profile = profiler.profile;
    for (const each of callbacks) await each.onTrainEnd?.(history);
  }
  return history;
}

function checkCounts({ epochs = 1, initialEpoch = 0, ...options }: FitOptions): void {
  const { batchSize, stepsPerEpoch, validationBatchSize, validationSteps, validationFreq } = options;
  const freq = typeof validationFreq === 'number' ? validationFreq : undefined;
  const counts = { epochs, batchSize, stepsPerEpoch, validationBatchSize, validationSteps, validationFreq: freq };
  for (const [what, value] of Object.entries(counts)) {
    if (value === undefined || (Number.isInteger(value) && value >= 1)) continue;
    throw new ArgumentError(`fit: ${what} expected an integer ≥ 1, got ${value}`);
  }
  if (!Number.isInteger(initialEpoch) || initialEpoch < 0) {
    throw new ArgumentError(`fit: initialEpoch expected an integer ≥ 0, got ${initialEpoch}`);
  }
}

const isDue = (epoch: number, frequency: number | readonly number[]): boolean =>
  typeof frequency === 'number' ? (epoch + 1) % frequency === 0 : frequency.includes(epoch + 1);

// Stateful layers start from zeros for it, and go on where they were.
// biome-ignore lint/suspicious/noExplicitAny: as above.
async function validate(model: Model<any>, feed: Feed, classWeight: FitOptions['classWeight']): Promise<Logs> {
  const restores = model.statefulLayers.map(({ carried }) => carried.setAside());
  try {
    const logs = model.runningLogs();
    for await (const { samples, rows } of feed.batches()) model.evaluateRows(samples, rows, logs, classWeight);
    return logs.value();
  } finally {
    for (const restore of restores) restore();
  }
}

async function isTakenCareOf(error: unknown, callbacks: readonly Callback[]): Promise<boolean> {
  if (!(error instanceof NonFiniteLossError || error instanceof NonFiniteGradientError)) return false;
  let taken = false;
  for (const each of callbacks) taken = (await each.onDivergence?.(error)) || taken;
  return taken;
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
