import { ArgumentError, expectType, shown } from '../checks/argument-error.ts';
import { checkOptions } from '../checks/options.ts';
import type { ModelExtras } from '../io/model-file.ts';
import type { AnyModel, Callback } from '../models/model.ts';
import { encodeModel } from '../saving/saved-model.ts';
import type { Logs } from '../train/logs.ts';
import { Monitor, type MonitorOptions } from './monitor.ts';

/** When a checkpoint was taken. */
export interface CheckpointMoment {
  /** Number of the epoch, from 0. */
  epoch: number;
  /** Number of the batch in its epoch, from 0; undefined for one that was taken at the end of an epoch. */
  batch: number | undefined;
  /** Of the epoch, or of the batch, as callbacks get them. */
  logs: Logs;
}

/**
 * What is done with the bytes of a model file, which `decodeModel` and `restoreModel` read. They are the function's
 * own. Training waits for what it returns; what it throws ends training.
 */
export type CheckpointSink = (bytes: Uint8Array<ArrayBuffer>, moment: CheckpointMoment) => unknown;

/** When `modelCheckpoint` saves, and what; of `monitor` and `mode` only with `saveBestOnly`. */
export interface ModelCheckpointOptions extends Omit<MonitorOptions, 'minDelta'> {
  /** Whether to save only what is better than anything before. Default false. */
  saveBestOnly?: boolean | undefined;
  /** After every epoch, or after every so many batches, counted on through the epochs. Default `epoch`. */
  saveFreq?: 'epoch' | number | undefined;
  /** What the first one must be better than, with `saveBestOnly`. Default: anything is. */
  initialValueThreshold?: number | undefined;
  /** What the file holds besides the model. */
  extras?: ModelExtras | undefined;
}

/**
 * Saves the model as it trains, whole: weights, optimizer state and random numbers, so that training goes on from a
 * checkpoint bit for bit.
 *
 * @param save gets the bytes of a model file, as `encodeModel` makes them; training waits for it. `checkpointFile` of
 *   `tapeloop/node` writes them to a path.
 * @throws ArgumentError for an option out of its range, and as `earlyStopping` where nothing gives what is watched.
 * @see keras.callbacks.ModelCheckpoint
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
