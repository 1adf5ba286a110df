import { ArgumentError, shown } from '../checks/argument-error.ts';
import type { DivergenceError } from '../checks/divergence.ts';
import type { Names } from '../checks/options.ts';
import type { Profile } from '../engine/profile.ts';
import type { Json } from '../io/model-file.ts';
import { optionalRefusals } from './feeds/optional-refusals.ts';
import type { Logs } from './logs.ts';

/**
 * The plan of a training run, which callbacks get before the first epoch. All callbacks of a run share one object, and
 * may keep it.
 */
export interface TrainingPlan {
  /** The end of training. Epochs are counted from 0, so the last is number `epochs` − 1. */
  readonly epochs: number;
  /**
   * Number of the first epoch, from 0. A callback that restores a run may raise it in `onTrainBegin`. If it is `epochs`
   * or more, no epoch is trained.
   */
  initialEpoch: number;
  /**
   * Number of batches in an epoch; undefined if the caller makes the batches and their number is not known in advance.
   */
  readonly steps: number | undefined;
  /** Whether the run has validation data, so that logs will contain `val_` entries. */
  readonly validates: boolean;
  /** All callbacks of the run. */
  readonly callbacks: readonly CallbackOf<never>[];
  /** The history that `fit` will return. A callback that restores a run may fill in its earlier epochs. */
  readonly history: History;
  /**
   * The results of `state` of each callback, in the order of `callbacks`. A callback that restores a run may set them
   * in `onTrainBegin`. `restore` of each callback is called then.
   */
  states?: readonly (Json | undefined)[];
}

/**
 * An object whose methods `fit` calls during training. Callbacks are called in the order of their list. A method may be
 * async; `fit` waits for it. An error that a method throws ends training, and `fit` rejects with it.
 * `model.stopTraining = true` ends training after the batch in progress. A callback is a plain object, so an experiment
 * tracker takes a few lines:
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
   * Called before the first epoch, after options and samples have been checked. Batches that the caller makes are
   * checked one by one as they arrive. `model` is the model in training.
   */
  onTrainBegin?(model: M, plan: TrainingPlan): void | Promise<void>;
  /** `epoch` counts from 0. */
  onEpochBegin?(epoch: number): void | Promise<void>;
  /** `batch` counts from 0 within the epoch. */
  onBatchBegin?(batch: number): void | Promise<void>;
  /**
   * Called after the update. `logs`, shared by all callbacks, has the losses of the batch (`loss`; with several outputs
   * also `NAME_loss`), and each metric over the epoch so far.
   */
  onBatchEnd?(batch: number, logs: Logs): void | Promise<void>;
  /**
   * `logs` has the mean losses of the epoch and its metrics. After a validation it also has those of the validation
   * data, with `val_` before their names. All callbacks share it: later callbacks and the history get the entries that
   * a callback adds.
   */
  onEpochEnd?(epoch: number, logs: Logs): void | Promise<void>;
  /** Called after `onEpochEnd` of all callbacks. A callback can save the run here, to continue it later. */
  onEpochDone?(epoch: number): void | Promise<void>;
  /**
   * Returns the state that the callback needs to continue after `onEpochDone` in another process, as plain JSON.
   * `backupAndRestore` saves it.
   */
  state?(): Json | undefined;
  /** Restores a result of `state`. Called after `onTrainBegin` of all callbacks, if a run is restored. */
  restore?(state: Json): void;
  /**
   * Called if training has diverged: a loss or a gradient is not finite. The weights are those before the step. If it
   * returns true, `fit` ends without an error.
   */
  onDivergence?(error: DivergenceError): boolean | Promise<boolean>;
  /** Called before a validation, within its epoch. */
  onTestBegin?(): void | Promise<void>;
  /** Called after a validation. `logs` has losses and metrics of the validation data, without `val_`. */
  onTestEnd?(logs: Logs): void | Promise<void>;
  /** Whether the callback shows progress. If so, `fit` shows none. */
  showsProgress?: boolean;
  /**
   * Called at the end of training, also after an error, if `onTrainBegin` of this callback was called, even if that
   * threw. `history` is the result of `fit`, if `fit` returns.
   */
  onTrainEnd?(history: History): void | Promise<void>;
}

/**
 * The result of `fit`, owned by the caller: one number for each epoch, for the loss and every metric.
 *
 * @see keras.callbacks.History
 */
export interface History {
  /** Numbers of the completed epochs, from `initialEpoch`, or from the first epoch of a restored run. */
  epoch: number[];
  /**
   * Losses and metrics by name. Each has one number for each entry of `epoch`; a name that starts with `val_` has one
   * for each entry of `validated`.
   */
  history: Record<string, number[]>;
  /** The epochs after which there was a validation, counted from 0. */
  validated: number[];
  /** Times of the parts of the training steps, without validation and callbacks. Present with `profile: true`. */
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
 * Returns the callbacks as a list. Throws `ArgumentError` for a callback that would never be called: one that is not an
 * object, or whose methods have other names, such as `on_epoch_end`.
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
