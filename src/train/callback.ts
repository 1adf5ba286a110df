import { ArgumentError, shown } from '../checks/argument-error.ts';
import type { DivergenceError } from '../checks/divergence.ts';
import type { Names } from '../checks/options.ts';
import type { Profile } from '../engine/profile.ts';
import type { Json } from '../io/model-file.ts';
import { optionalRefusals } from './feeds/optional-refusals.ts';
import type { Logs } from './logs.ts';

/** What a callback is told of a run before it starts. One object for all callbacks of the run, which may keep it. */
export interface TrainingPlan {
  /** Where training ends: epochs are counted from 0, so that the last is number `epochs` − 1. */
  readonly epochs: number;
  /**
   * Number of the first epoch, from 0. A callback that restores a run may raise it, in `onTrainBegin`; from `epochs` up
   * none is trained.
   */
  initialEpoch: number;
  /** Batches in an epoch; undefined where the caller's batches tell only by running out. */
  readonly steps: number | undefined;
  /** Whether there is something to validate on, so that logs with `val_` will come. */
  readonly validates: boolean;
  /** All callbacks of the run. */
  readonly callbacks: readonly CallbackOf<never>[];
  /** What `fit` will return. A callback that restores a run may put in what there was of it. */
  readonly history: History;
  /**
   * What `state` of each callback gave, in the same order. A callback that restores a run may set it, in
   * `onTrainBegin`; `restore` of each is called then.
   */
  states?: readonly (Json | undefined)[];
}

/**
 * Told of a training run as it goes, in the order in which callbacks are listed; every method may be async and is
 * waited for. What one throws ends training, and `fit` rejects with it. `model.stopTraining = true` ends it after the
 * batch in progress. A callback is a plain object, so an experiment tracker plugs in by a few lines:
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
 * `M` is the class of the model.
 *
 * @see keras.callbacks.Callback, keras.callbacks.RemoteMonitor
 */
export interface CallbackOf<M> {
  /**
   * Before the first epoch, once options and samples have been found good; batches of the caller's own are checked as
   * they come. `model` is the one that trains.
   */
  onTrainBegin?(model: M, plan: TrainingPlan): void | Promise<void>;
  /** `epoch` counts from 0. */
  onEpochBegin?(epoch: number): void | Promise<void>;
  /** `batch` counts from 0 within the epoch. */
  onBatchBegin?(batch: number): void | Promise<void>;
  /**
   * After the update. `logs`, shared by all callbacks, has the batch's losses (`loss`; of several outputs `NAME_loss`
   * too), and each metric over the epoch so far.
   */
  onBatchEnd?(batch: number, logs: Logs): void | Promise<void>;
  /**
   * `logs` has the mean losses of the epoch, the metrics over it, and after a validation the same again with `val_`
   * before their names. It is shared by all callbacks: what one adds, later ones see and the history keeps.
   */
  onEpochEnd?(epoch: number, logs: Logs): void | Promise<void>;
  /** After `onEpochEnd` of all callbacks: the place to keep the run, so that it can go on from here. */
  onEpochDone?(epoch: number): void | Promise<void>;
  /** What it must know to go on after `onEpochDone` in another process, as plain JSON; `backupAndRestore` keeps it. */
  state?(): Json | undefined;
  /** Goes on from what `state` gave. Called after `onTrainBegin` of all callbacks, if a run is restored. */
  restore?(state: Json): void;
  /**
   * Training has diverged: a loss or a gradient is not finite. The weights are those before the step. `true` ends
   * training quietly instead of throwing.
   */
  onDivergence?(error: DivergenceError): boolean | Promise<boolean>;
  /** Before a validation, within its epoch. */
  onTestBegin?(): void | Promise<void>;
  /** After it. `logs` has losses and metrics of the validation data, without `val_`. */
  onTestEnd?(logs: Logs): void | Promise<void>;
  /** Whether it shows how training goes, so that `fit` shows nothing beside it. */
  showsProgress?: boolean;
  /**
   * However training ended, wherever `onTrainBegin` was called, even where it threw. `history` is what `fit` returns,
   * if it returns.
   */
  onTrainEnd?(history: History): void | Promise<void>;
}

/**
 * What `fit` saw: one number an epoch for the loss and every metric. The caller's own.
 *
 * @see keras.callbacks.History
 */
export interface History {
  /**
   * Numbers of the epochs that were trained to their end, from `initialEpoch`, or from the first of a run that is
   * restored.
   */
  epoch: number[];
  /** By name: one number for each of `epoch`, under a name with `val_` before it one for each of `validated`. */
  history: Record<string, number[]>;
  /** The epochs after which there was a validation, counted from 0. */
  validated: number[];
  /** Where the time of the training steps went, validation and callbacks not counted; with `profile: true`. */
  profile?: Profile;
}

const callbackNames: Names<Omit<CallbackOf<never>, 'showsProgress'>> = {
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

const isFunction = (x: unknown): boolean => typeof x === 'function';

/**
 * Throws `ArgumentError` for what would never be told of anything: no object, or one with another name for a callback's
 * method, as `on_epoch_end`.
 */
export function callbackList<M>(given: CallbackOf<M> | readonly CallbackOf<M>[] = []): readonly CallbackOf<M>[] {
  const callbacks = Array.isArray(given) ? given : [given];
  const names = Object.keys(callbackNames) as (keyof typeof callbackNames)[];
  for (const [i, each] of callbacks.entries()) {
    const own = names.map((name) => each?.[name]).filter((method) => method != null);
    optionalRefusals.refusals?.callbackNames(`fit: callbacks[${i}]`, each, names);
    const isEmpty = typeof each === 'object' && each && Object.keys(each).length === 0;
    if ((isEmpty || own.length > 0) && own.every(isFunction)) continue;
    throw new ArgumentError(
      `fit: callbacks[${i}] expected an object with some of the methods ${names.join(', ')}, got ${shown(each)}`,
    );
  }
  return callbacks;
}
