import { ArgumentError, expectCount, shown } from '../engine/argument-error.ts';
import { checkOptions, type Names } from '../engine/options.ts';
import { type Profile, Profiler } from '../engine/profile.ts';
import { noted, type Transaction } from '../engine/transaction.ts';
import { yielder } from '../engine/yielder.ts';
import type { Json } from '../io/model-file.ts';
import { type WeightOptions, weightNames } from './checked-data.ts';
import { NonFiniteLossError } from './divergence.ts';
import { evaluateFeed } from './evaluate-feed.ts';
import { expectNumber } from './expect-number.ts';
import type { BatchData, Batches, Feed } from './feeds.ts';
import type { AnyModel, Logs } from './model.ts';
import { NonFiniteGradientError } from './optimizers.ts';
import type { Run } from './runs.ts';

/** What a callback is told of a run before it starts. One object for all callbacks of the run, which may keep it. */
export interface TrainingPlan {
  /** Where training ends: epochs are counted from 0, so that the last is number `epochs` − 1. */
  readonly epochs: number;
  /** Number of the first epoch, from 0. A callback that restores a run may raise it, in `onTrainBegin`; from `epochs` up none is trained. */
  initialEpoch: number;
  /** Batches in an epoch; undefined where the caller's batches tell only by running out. */
  readonly steps: number | undefined;
  /** Whether there is something to validate on, so that logs with `val_` will come. */
  readonly validates: boolean;
  /** All callbacks of the run. */
  readonly callbacks: readonly Callback[];
  /** What `fit` will return. A callback that restores a run may put in what there was of it. */
  readonly history: History;
  /** What `state` of each callback gave, in the same order. A callback that restores a run may set it, in `onTrainBegin`; `restore` of each is called then. */
  states?: readonly (Json | undefined)[];
}

/**
 * Told of a training run as it goes, in the order in which callbacks are listed; every method may be async and is waited for. What one throws
 * ends training, and `fit` rejects with it. `model.stopTraining = true` ends it after the batch in progress. A callback is a plain object, so
 * an experiment tracker plugs in by a few lines:
 *
 * @example
 * const tracker = {
 *   onTrainBegin: (model, plan) => run.config({ ...plan, parameters: model.weights.length }),
 *   onBatchEnd: (batch, { loss }) => run.log({ batch, loss }),
 *   onEpochEnd: (epoch, logs) => fetch('https://tracker.example/log', { method: 'POST', body: JSON.stringify({ epoch, ...logs }) }),
 *   onTrainEnd: () => run.finish(),
 * };
 * await model.fit(x, y, { epochs: 10, callbacks: [tracker] });
 *
 * @see keras.callbacks.Callback, keras.callbacks.RemoteMonitor
 */
export interface Callback {
  /** Before the first epoch, once options and samples have been found good; batches of the caller's own are checked as they come. `model` is the one that trains. */
  onTrainBegin?(model: AnyModel, plan: TrainingPlan): void | Promise<void>;
  /** `epoch` counts from 0. */
  onEpochBegin?(epoch: number): void | Promise<void>;
  /** `batch` counts from 0 within the epoch. */
  onBatchBegin?(batch: number): void | Promise<void>;
  /**
   * After the update. `logs`, shared by all callbacks, has the batch's losses (`loss`; of several outputs `NAME_loss` too), and each metric over
   * the epoch so far.
   */
  onBatchEnd?(batch: number, logs: Logs): void | Promise<void>;
  /**
   * `logs` has the mean losses of the epoch, the metrics over it, and after a validation the same again with `val_` before their names. It is
   * shared by all callbacks: what one adds, later ones see and the history keeps.
   */
  onEpochEnd?(epoch: number, logs: Logs): void | Promise<void>;
  /** After `onEpochEnd` of all callbacks: the place to keep the run, so that it can go on from here. */
  onEpochDone?(epoch: number): void | Promise<void>;
  /** What it must know to go on after `onEpochDone` in another process, as plain JSON; `backupAndRestore` keeps it. */
  state?(): Json | undefined;
  /** Goes on from what `state` gave. Called after `onTrainBegin` of all callbacks, if a run is restored. */
  restore?(state: Json): void;
  /** Training has diverged: a loss or a gradient is not finite. The weights are those before the step. `true` ends training quietly instead of throwing. */
  onDivergence?(error: NonFiniteLossError | NonFiniteGradientError): boolean | Promise<boolean>;
  /** Before a validation, within its epoch. */
  onTestBegin?(): void | Promise<void>;
  /** After it. `logs` has losses and metrics of the validation data, without `val_`. */
  onTestEnd?(logs: Logs): void | Promise<void>;
  /** Whether it shows how training goes, so that `fit` shows nothing beside it. */
  showsProgress?: boolean;
  /** However training ended, wherever `onTrainBegin` was called, even where it threw. `history` is what `fit` returns, if it returns. */
  onTrainEnd?(history: History): void | Promise<void>;
}

/** How much `fit` shows. */
export type Verbose = 'auto' | 0 | 1 | 2;

/** How `fit` trains. Numbers are checked before anything changes. */
export interface FitOptions extends WeightOptions {
  /** Where training ends, counted from 0 and not from `initialEpoch`. Default 1. */
  epochs?: number | undefined;
  /** Number of the first epoch, to go on from. Default 0. */
  initialEpoch?: number | undefined;
  /**
   * Samples in a batch; the last of an epoch may have fewer. Batches of the caller's own have the size they come in. A masked loss is a mean over
   * what counts in a batch, so that it depends on this where batches keep unequal numbers of steps, as in Keras. Default 32.
   */
  batchSize?: number | undefined;
  /** Batches in an epoch; the next one then goes on where it ended. Default: all. */
  stepsPerEpoch?: number | undefined;
  /** Whether to permute the samples before each epoch. Default true. */
  shuffle?: boolean | undefined;
  /** Share of the samples, taken from the end before any shuffling, to validate on. Default 0. */
  validationSplit?: number | undefined;
  /** Samples `[x, y]`, `[x, y, sampleWeight]` or `{ x, y, sampleWeight }` to validate on, instead of a split, or batches of them. */
  validationData?: BatchData | Batches | undefined;
  /** Default: `batchSize`. */
  validationBatchSize?: number | undefined;
  /** Batches to validate on, from the first. Default: all. */
  validationSteps?: number | undefined;
  /** Validates after every so many epochs, or after the epochs listed (counted from 1, as Keras does). Default 1. */
  validationFreq?: number | readonly number[] | undefined;
  /** Told of training as it goes: one, or a list, in its order. Default: none. */
  callbacks?: Callback | readonly Callback[] | undefined;
  /**
   * What is shown of training: `auto` one line in a terminal of Node or its like, which changes in place and stays at the end of each epoch, and
   * nothing elsewhere; 1 the same, and where there is no terminal a line of the console for each epoch; 2 such a line in a terminal too; 0 nothing.
   * A callback that shows progress itself, as `progressText`, is all that is shown. `tapeloop/lean` shows nothing.
   * Default `auto`.
   */
  verbose?: Verbose | undefined;
  /** Whether to measure where the time of the training steps goes; `History.profile` tells. Default false. */
  profile?: boolean | undefined;
  /** Ends training after the batch in progress; `fit` then rejects with the signal's reason. */
  signal?: AbortSignal | undefined;
}

const fitNames: Names<FitOptions> = {
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

const callbackNames: Names<Omit<Callback, 'showsProgress'>> = {
  onTrainBegin: 1,
  onEpochBegin: 1,
  onBatchBegin: 1,
  onBatchEnd: 1,
  onEpochEnd: 1,
  onEpochDone: 1,
  state: 1,
  restore: 1,
  onDivergence: 1,
  onTestBegin: 1,
  onTestEnd: 1,
  onTrainEnd: 1,
};

/** Throws `ArgumentError` for what would never be told of anything: no object, or one of other names than a callback's methods have. */
function callbackList(given: FitOptions['callbacks'] = []): readonly Callback[] {
  const callbacks = Array.isArray(given) ? given : [given];
  const names = Object.keys(callbackNames) as (keyof typeof callbackNames)[];
  for (const [i, each] of callbacks.entries()) {
    const own = names.map((name) => each?.[name]).filter((method) => method != null);
    const isEmpty = typeof each === 'object' && each && Object.keys(each).length === 0;
    if ((isEmpty || own.length > 0) && own.every((method) => typeof method === 'function')) continue;
    throw new ArgumentError(
      `fit: callbacks[${i}] expected an object with some of the methods ${names.join(', ')}, got ${shown(each)}`,
    );
  }
  return callbacks;
}

let progressOf: ((verbose: Verbose | undefined, callbacks: readonly Callback[]) => readonly Callback[]) | undefined;

/** Lets `fit` show how training goes, by what is put beside the callbacks; until then it shows nothing, so that an app need not carry it. */
export function allowProgress(given: typeof progressOf): void {
  progressOf = given;
}

/**
 * What `fit` saw: one number an epoch for the loss and every metric. The caller's own.
 *
 * @see keras.callbacks.History
 */
export interface History {
  /** Numbers of the epochs that were trained to their end, from `initialEpoch`, or from the first of a run that is restored. */
  epoch: number[];
  /** By name: one number for each of `epoch`, under a name with `val_` before it one for each of `validated`. */
  history: Record<string, number[]>;
  /** The epochs after which there was a validation, counted from 0. */
  validated: number[];
  /** Where the time of the training steps went, validation and callbacks not counted; with `profile: true`. */
  profile?: Profile;
}

/**
 * Trains on all batches `epochs` times and lets the host breathe between batches.
 *
 * @throws ArgumentError before anything changes, if data or options do not fit or something else runs on the model; NonFiniteLossError if
 *   training diverges, with the weights of the last good step kept.
 */
export async function trainEpochs(
  model: AnyModel,
  feedOf: (changes: Transaction) => Feed,
  options: FitOptions,
): Promise<History> {
  model.runs.expectNone('fit');
  checkOptions('fit', options, fitNames);
  checkCounts(options);
  const callbacks = callbackList(options.callbacks);
  const all = progressOf?.(options.verbose, callbacks) ?? callbacks;
  return model.runs.during('fit', (run) => train(model, run, feedOf, { ...options, callbacks: all }, callbacks));
}

async function train(
  model: AnyModel,
  run: Run,
  feedOf: (changes: Transaction) => Feed,
  options: RunOptions,
  callbacks: readonly Callback[],
): Promise<History> {
  const { epochs = 1, initialEpoch = 0, signal } = options;
  const { changes } = run;
  const feed = changes.part(() => feedOf(changes));
  signal?.throwIfAborted();
  const history: History = { epoch: [], history: {}, validated: [] };
  const profiler = options.profile ? new Profiler(model.engine) : undefined;
  const training: Training = { model, run, feed, options, profiler, breathe: yielder() };
  const plan: TrainingPlan = {
    ...{ epochs, initialEpoch, callbacks, history },
    ...{ steps: feed.steps, validates: feed.validation !== undefined },
  };
  const begun: Callback[] = [];
  let failure: { error: unknown } | undefined;
  model.stopTraining = false;
  try {
    await tell(training, (each) => {
      begun.push(each);
      return each.onTrainBegin?.(model, plan);
    });
    plan.states?.forEach((state, i) => state != null && callbacks[i]?.restore?.(state));
    for (let epoch = plan.initialEpoch; epoch < epochs && !model.stopTraining; epoch++) {
      await tell(training, (each) => each.onEpochBegin?.(epoch));
      const logs = await trainEpoch(training);
      if (feed.validation && isDue(epoch, options.validationFreq ?? 1)) {
        const measured = await validate(training, feed.validation);
        for (const [name, value] of Object.entries(measured)) logs[`val_${name}`] = value;
        history.validated.push(epoch);
      }
      await tell(training, (each) => each.onEpochEnd?.(epoch, logs));
      history.epoch.push(epoch);
      for (const [name, value] of Object.entries(logs)) (history.history[name] ??= []).push(value);
      await tell(training, (each) => each.onEpochDone?.(epoch));
    }
    // As in Keras, what is kept of training is the averages, where the optimizer makes some.
    if (history.epoch.length > 0) model.optimizer.finalizeVariableValues(model.weights);
    changes.commit();
  } catch (error) {
    changes.undo();
    let isTakenCareOf = false;
    if (error instanceof NonFiniteLossError || error instanceof NonFiniteGradientError) {
      await tell(training, async (each) => {
        isTakenCareOf = (await each.onDivergence?.(error)) || isTakenCareOf;
      });
    }
    failure = isTakenCareOf ? undefined : { error };
  }
  if (profiler) history.profile = profiler.profile;
  run.isWaiting = true;
  // Each is told, whatever one before it throws; the first error is the one to know.
  for (const end of [...begun.map((each) => () => each.onTrainEnd?.(history)), () => feed.close?.()]) {
    try {
      await end();
    } catch (error) {
      failure ??= { error };
    }
  }
  if (failure) throw failure.error;
  return history;
}

/** With all that is told of the run; `callbacks` of the plan are those that the caller gave. */
interface RunOptions extends FitOptions {
  callbacks: readonly Callback[];
}

interface Training {
  model: AnyModel;
  run: Run;
  feed: Feed;
  options: RunOptions;
  profiler: Profiler | undefined;
  breathe: () => Promise<void>;
}

/** Calls every callback in turn, and waits for it. */
async function tell({ run, options }: Training, call: (callback: Callback) => unknown): Promise<void> {
  run.isWaiting = true;
  try {
    for (const each of options.callbacks) await call(each);
  } finally {
    run.isWaiting = false;
  }
}

/** One pass over the batches; the means of its logs. */
async function trainEpoch(training: Training): Promise<Logs> {
  const { model, run, feed, options, profiler, breathe } = training;
  const { classWeight, signal } = options;
  const { changes } = run;
  const running = model.runningLogs();
  let batch = 0;
  // If no step of the epoch succeeds, its samples are not shuffled either.
  changes.part(() => noted(model.random));
  for await (const { samples, rows, resetStates } of feed.batches()) {
    await tell(training, (each) => each.onBatchBegin?.(batch));
    const step = (): Logs => {
      if (resetStates) model.network.resetStates();
      return model.trainOnRows(samples, rows, classWeight, running.watch);
    };
    const { gradientNorm: _, ...logs } = changes.part(() => (profiler ? profiler.measure(step) : step()));
    changes.commit();
    running.add(logs, rows.to - rows.from);
    await tell(training, (each) => each.onBatchEnd?.(batch, logs));
    await breathe();
    signal?.throwIfAborted();
    batch++;
    if (model.stopTraining) break;
  }
  return running.value();
}

function checkCounts({ epochs = 1, initialEpoch = 0, ...options }: FitOptions): void {
  const { batchSize, stepsPerEpoch, validationBatchSize, validationSteps, validationFreq } = options;
  const counts = { epochs, batchSize, stepsPerEpoch, validationBatchSize, validationSteps, validationFreq };
  for (const [what, value] of Object.entries(counts)) {
    for (const count of what === 'validationFreq' && Array.isArray(value) ? value : [value])
      if (count !== undefined) expectCount(`fit: ${what}`, count);
  }
  expectNumber('fit: initialEpoch', initialEpoch, 'an integer ≥ 0');
}

const isDue = (epoch: number, frequency: number | readonly number[]): boolean =>
  typeof frequency === 'number' ? (epoch + 1) % frequency === 0 : frequency.includes(epoch + 1);

/** Stateful layers start from zeros for it, and go on where they were. */
async function validate(training: Training, feed: Feed): Promise<Logs> {
  const { model, run, options } = training;
  await tell(training, (each) => each.onTestBegin?.());
  const restores = model.statefulLayers.map(({ carried }) => carried.setAside());
  let logs: Logs;
  try {
    // As in Keras, class weights are for training alone.
    logs = await evaluateFeed(model, feed, { signal: options.signal, changes: run.changes });
  } finally {
    for (const restore of restores) restore();
  }
  await tell(training, (each) => each.onTestEnd?.(logs));
  return logs;
}
