import { ArgumentError, expectType, shown } from '../checks/argument-error.ts';
import { checkOptions } from '../checks/options.ts';
import type { ModelExtras } from '../io/model-file.ts';
import type { AnyModel, Callback } from '../models/model.ts';
import { encodeModel } from '../saving/saved-model.ts';
import type { Logs } from '../train/logs.ts';
import { Monitor, type MonitorOptions } from './monitor.ts';

/** When a checkpoint was saved. */
export interface CheckpointMoment {
  /** Number of the epoch, from 0. */
  epoch: number;
  /** Number of the batch in its epoch, from 0; undefined for a checkpoint at the end of an epoch. */
  batch: number | undefined;
  /** Logs of the epoch or of the batch, as callbacks get them. */
  logs: Logs;
}

/**
 * Gets the bytes of a model file, which `decodeModel` and `restoreModel` read. The function owns the bytes. Training
 * waits for the promise that it returns; an error that it throws ends training.
 */
export type CheckpointSink = (bytes: Uint8Array<ArrayBuffer>, moment: CheckpointMoment) => unknown;

/** Options of `modelCheckpoint`. `monitor` and `mode` matter only with `saveBestOnly`. */
export interface ModelCheckpointOptions extends Omit<MonitorOptions, 'minDelta'> {
  /** Whether to save only models that are better than all before. Default false. */
  saveBestOnly?: boolean | undefined;
  /**
   * `epoch` saves after every epoch. A number n saves after every n batches, counted across epochs. Default `epoch`.
   */
  saveFreq?: 'epoch' | number | undefined;
  /** With `saveBestOnly`: the value that the first checkpoint must beat. Default: none. */
  initialValueThreshold?: number | undefined;
  /** Contents of the file beside the model. */
  extras?: ModelExtras | undefined;
}

/**
 * Saves the model during training: weights, optimizer state and random state, so that training continues from a
 * checkpoint bit for bit.
 *
 * @param save gets the bytes of a model file, as `encodeModel` makes them, and owns them. Training waits for the
 *   promise that it returns. `checkpointFile` of `tapeloop/node` writes them to a path.
 * @param options default: monitor 'val_loss', mode 'auto', saveBestOnly false, saveFreq 'epoch'.
 * @returns a callback for `fit`; it serves one run at a time.
 * @throws ArgumentError if `save` is not a function, for an unknown option or one out of its range, or if `monitor`
 *   begins with `val_` while checkpoints are saved by batches. With `saveBestOnly` also: when training begins, if
 *   `monitor` begins with `val_` and there is no validation data; at a checkpoint, if the logs have no value of this
 *   name.
 * @see keras.callbacks.ModelCheckpoint
 * @example
 * let best;
 * const keep = modelCheckpoint((bytes) => { best = bytes; }, { saveBestOnly: true, monitor: 'loss' });
 * await model.fit(x, y, { epochs: 3, callbacks: [keep] });
 * const bestModel = decodeModel(best);
 */
export function modelCheckpoint(save: CheckpointSink, options: ModelCheckpointOptions = {}): Callback {
  expectType('modelCheckpoint: save', save, 'a function');
  checkOptions('modelCheckpoint', options, {
    monitor: 1,
    mode: 1,
    saveBestOnly: true,
    saveFreq: 1,
    initialValueThreshold: 1,
    extras: 1,
  });
  const { saveBestOnly = false, saveFreq = 'epoch', initialValueThreshold, extras } = options;
  if (saveFreq !== 'epoch' && !(Number.isInteger(saveFreq) && saveFreq >= 1)) {
    throw new ArgumentError(`modelCheckpoint: saveFreq expected 'epoch' or an integer ≥ 1, got ${shown(saveFreq)}`);
  }
  const monitor = saveBestOnly ? new Monitor('modelCheckpoint', options) : undefined;
  if (monitor?.name.startsWith('val_') && saveFreq !== 'epoch') {
    throw new ArgumentError(
      `modelCheckpoint: monitor expected what a batch has with saveFreq ${saveFreq}, such as 'loss', got '${monitor.name}'`,
    );
  }
  if (initialValueThreshold !== undefined)
    expectType('modelCheckpoint: initialValueThreshold', initialValueThreshold, 'a number');
  let model: AnyModel;
  let epoch = 0;
  let batches = 0;

  async function saveNow(batch: number | undefined, logs: Logs): Promise<void> {
    if (monitor) {
      const value = monitor.read(logs);
      if (value === undefined || !monitor.improves(value)) return;
      monitor.best = value;
    }
    await save(encodeModel(model, extras), { epoch, batch, logs });
  }

  return {
    onTrainBegin(trained, plan) {
      model = trained;
      batches = 0;
      monitor?.begin(plan, initialValueThreshold);
    },
    state: () => ({ best: monitor?.best, batches }),
    restore(state) {
      const kept = state as { best?: number; batches: number };
      if (monitor) monitor.best = kept.best;
      ({ batches } = kept);
    },
    onEpochBegin(number) {
      epoch = number;
    },
    async onBatchEnd(batch, logs) {
      if (saveFreq !== 'epoch' && ++batches % saveFreq === 0) await saveNow(batch, logs);
    },
    async onEpochEnd(_, logs) {
      if (saveFreq === 'epoch') await saveNow(undefined, logs);
    },
  };
}
