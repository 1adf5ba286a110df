import { expectType } from '../checks/argument-error.ts';
import { expectNumber } from '../checks/number-ranges.ts';
import { checkOptions } from '../checks/options.ts';
import { decodeBase64, encodeBase64 } from '../host/base64.ts';
import type { AnyModel, Callback } from '../models/model.ts';
import { Monitor, type MonitorOptions, monitorNames } from './monitor.ts';

/** Options of `earlyStopping`. */
export interface EarlyStoppingOptions extends MonitorOptions {
  /** Epochs without improvement after which training stops. Default 0. */
  patience?: number | undefined;
  /** A value to beat: an epoch that is the best so far but does not beat it still counts against the patience. */
  baseline?: number | undefined;
  /**
   * Whether the model ends with the weights of its best epoch, however training ends. Default false: it ends with those
   * of the last step.
   */
  restoreBestWeights?: boolean | undefined;
  /** Epochs before this one are ignored. Default 0. */
  startFromEpoch?: number | undefined;
}

/** The callback that `earlyStopping` makes, with its results. They are reset when a run begins. */
export interface EarlyStopping extends Callback {
  /** The best value of the run; undefined before the first one. */
  readonly best: number | undefined;
  /** Number of the epoch with the best value, from 0. */
  readonly bestEpoch: number | undefined;
  /** Number of the epoch after which it stopped training, from 0; undefined if it did not. */
  readonly stoppedEpoch: number | undefined;
}

/**
 * Stops training when the monitored value has not improved for some epochs.
 *
 * With `restoreBestWeights` it keeps a copy of all weights during training. It does not restore the optimizer's state.
 *
 * @param options default: monitor 'val_loss', mode 'auto', minDelta 0, patience 0, startFromEpoch 0.
 * @returns a callback for `fit`, with `best`, `bestEpoch` and `stoppedEpoch`; it serves one run at a time.
 * @throws ArgumentError for an unknown option or one out of its range; when training begins, if `monitor` begins with
 *   `val_` and there is no validation data; after the first epoch, if the logs have no value of this name.
 * @see keras.callbacks.EarlyStopping
 * @example
 * const stopping = earlyStopping({ patience: 3, restoreBestWeights: true });
 * await model.fit(x, y, { epochs: 5, validationSplit: 0.25, callbacks: [stopping] });
 * console.log(stopping.bestEpoch);
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
    state: () => ({
      best: monitor.best,
      wait,
      bestEpoch,
      bestWeights: bestWeights?.map(({ buffer }) => encodeBase64(new Uint8Array(buffer))),
    }),
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
