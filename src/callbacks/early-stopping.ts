import { expectType } from '../checks/argument-error.ts';
import { expectNumber } from '../checks/number-ranges.ts';
import { checkOptions } from '../checks/options.ts';
import { decodeBase64 } from '../host/base64.ts';
import type { AnyModel, Callback } from '../models/model.ts';
import { Monitor, type MonitorOptions, monitorNames } from './monitor.ts';

/** When `earlyStopping` ends training. */
export interface EarlyStoppingOptions extends MonitorOptions {
  /** Epochs without improvement that are borne. Default 0. */
  patience?: number | undefined;
  /** What must be beaten: an epoch that is the best so far and does not beat it still counts against the patience. */
  baseline?: number | undefined;
  /**
   * Whether the model ends with the weights of its best epoch, however training ended. Default false: those of the last
   * step.
   */
  restoreBestWeights?: boolean | undefined;
  /** Epochs before this one are not looked at. Default 0. */
  startFromEpoch?: number | undefined;
}

/** The callback that `earlyStopping` makes, with what it found; a new run begins it anew. */
export interface EarlyStopping extends Callback {
  /** The best value of the run; undefined before there is one. */
  readonly best: number | undefined;
  /** Number of its epoch, from 0. */
  readonly bestEpoch: number | undefined;
  /** Number of the epoch after which it stopped training; undefined where it did not. */
  readonly stoppedEpoch: number | undefined;
}

/**
 * Ends training when what is watched has not improved for some epochs.
 *
 * With `restoreBestWeights` a copy of all weights is held while training runs. Optimizer state is not turned back.
 *
 * @throws ArgumentError for an option out of its range, when training begins if no validation gives what is watched,
 *   and after the first epoch if nothing else does.
 * @see keras.callbacks.EarlyStopping
 */
export function earlyStopping(options: EarlyStoppingOptions = {}): EarlyStopping {
  checkOptions('earlyStopping', options, {
    patience: 1,
    baseline: 1,
    restoreBestWeights: true,
    startFromEpoch: 1,
    ...monitorNames,
  });
  const { patience = 0, baseline, restoreBestWeights = false, startFromEpoch = 0 } = options;
  for (const [name, value] of Object.entries({ patience, startFromEpoch })) {
    expectNumber(`earlyStopping: ${name}`, value, 'an integer ≥ 0');
  }
  if (baseline !== undefined) expectType('earlyStopping: baseline', baseline, 'a number');
  const monitor = new Monitor('earlyStopping', options);
  let model: AnyModel;
  let wait = 0;
  let bestEpoch: number | undefined;
  let stoppedEpoch: number | undefined;
  let bestWeights: Float32Array[] | undefined;
  const keepWeights = (): void => {
    if (restoreBestWeights) bestWeights = model.weights.map((weight) => weight.toArray());
  };

  return {
    get best() {
      return monitor.best;
    },
    get bestEpoch() {
      return bestEpoch;
    },
    get stoppedEpoch() {
      return stoppedEpoch;
    },
    onTrainBegin(trained, plan) {
      model = trained;
      [wait, bestEpoch, stoppedEpoch, bestWeights] = [0, undefined, undefined, undefined];
      monitor.begin(plan);
    },
    onEpochEnd(epoch, logs) {
      const value = monitor.read(logs);
      if (value === undefined || epoch < startFromEpoch) return;
      wait++;
      if (monitor.improves(value)) {
        monitor.best = value;
        bestEpoch = epoch;
        keepWeights();
        if (baseline === undefined || monitor.improves(value, baseline)) wait = 0;
        return;
      }
      if (wait >= patience && epoch > 0) {
        stoppedEpoch = epoch;
        model.stopTraining = true;
      }
    },
    state: () => ({ best: monitor.best, wait, bestEpoch, bestWeights: bestWeights?.map(encodeWeights) }),
    restore(state) {
      const kept = state as { best?: number; wait: number; bestEpoch?: number; bestWeights?: string[] };
      monitor.best = kept.best;
      ({ wait, bestEpoch } = kept);
      bestWeights = kept.bestWeights?.map((text) => new Float32Array(decodeBase64(text).buffer));
    },
    onTrainEnd() {
      model.weights.forEach((weight, i) => bestWeights && weight.assign(bestWeights[i]!));
      bestWeights = undefined;
    },
  };
}

/** The bytes of an array as base64. */
function encodeWeights({ buffer }: Float32Array): string {
  let characters = '';
  for (const byte of new Uint8Array(buffer)) characters += String.fromCharCode(byte);
  return btoa(characters);
}
