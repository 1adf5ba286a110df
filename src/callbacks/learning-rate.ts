import { expectType } from '../checks/argument-error.ts';
import { expectNumber } from '../checks/number-ranges.ts';
import { checkOptions } from '../checks/options.ts';
import type { AnyModel, Callback } from '../models/model.ts';
import { Monitor, type MonitorOptions, monitorNames } from './monitor.ts';

/**
 * Sets the learning rate before each epoch, and logs it as `learningRate`.
 *
 * @param schedule gets the epoch's number from 0 and the current rate, and returns the rate of the epoch.
 * @returns a callback for `fit`; it serves one run at a time.
 * @throws ArgumentError if `schedule` is not a function; at an epoch, if it returns anything but a number ≥ 0, or if
 *   the optimizer has a schedule.
 * @see keras.callbacks.LearningRateScheduler
 * @example
 * const halve = learningRateScheduler((epoch, learningRate) => (epoch > 0 ? learningRate / 2 : learningRate));
 * await model.fit(x, y, { epochs: 3, callbacks: [halve] });
 */
export function learningRateScheduler(schedule: (epoch: number, learningRate: number) => number): Callback {
  expectType('learningRateScheduler: schedule', schedule, 'a function');
  let model: AnyModel;
  return {
    onTrainBegin(trained) {
      model = trained;
    },
    onEpochBegin(epoch) {
      model.optimizer.learningRate = schedule(epoch, model.optimizer.learningRate);
    },
    onEpochEnd(_, logs) {
      logs.learningRate = model.optimizer.learningRate;
    },
  };
}

/** Options of `reduceLrOnPlateau`. */
export interface ReduceLrOnPlateauOptions extends MonitorOptions {
  /** Factor of each reduction, in [0, 1). Default 0.1. */
  factor?: number | undefined;
  /** Epochs without improvement after which the rate is reduced. Default 10. */
  patience?: number | undefined;
  /** A change of at most this much does not count as improvement. Default 1e-4. */
  minDelta?: number | undefined;
  /** Epochs after a reduction that do not count against the patience. Default 0. */
  cooldown?: number | undefined;
  /** Lower limit of the rate. Default 0. */
  minLr?: number | undefined;
}

/**
 * Reduces the learning rate when the monitored value has not improved for some epochs: lr ← max(lr·factor, minLr). It
 * logs the rate of each epoch as `learningRate`.
 *
 * @param options default: monitor 'val_loss', mode 'auto', minDelta 1e-4, factor 0.1, patience 10, cooldown 0, minLr 0.
 * @returns a callback for `fit`; it serves one run at a time.
 * @throws ArgumentError for an unknown option or one out of its range; when training begins, if `monitor` begins with
 *   `val_` and there is no validation data; after the first epoch, if the logs have no value of this name; at a
 *   reduction, if the optimizer has a schedule.
 * @see keras.callbacks.ReduceLROnPlateau
 * @example
 * await model.fit(x, y, { epochs: 4, callbacks: [reduceLrOnPlateau({ monitor: 'loss', factor: 0.5, patience: 2 })] });
 */
export function reduceLrOnPlateau(options: ReduceLrOnPlateauOptions = {}): Callback {
  checkOptions('reduceLrOnPlateau', options, { factor: 1, patience: 1, cooldown: 1, minLr: 1, ...monitorNames });
  const { factor = 0.1, patience = 10, minDelta = 1e-4, cooldown = 0, minLr = 0 } = options;
  expectNumber('reduceLrOnPlateau: factor', factor, 'in [0, 1)');
  for (const [name, value] of Object.entries({ patience, cooldown })) {
    expectNumber(`reduceLrOnPlateau: ${name}`, value, 'an integer ≥ 0');
  }
  expectType('reduceLrOnPlateau: minLr', minLr, 'a number');
  const monitor = new Monitor('reduceLrOnPlateau', { ...options, minDelta });
  let model: AnyModel;
  let wait = 0;
  let cooling = 0;

  return {
    onTrainBegin(trained, plan) {
      model = trained;
      [wait, cooling] = [0, 0];
      monitor.begin(plan);
    },
    state: () => ({ best: monitor.best, wait, cooling }),
    restore(state) {
      const kept = state as { best?: number; wait: number; cooling: number };
      monitor.best = kept.best;
      ({ wait, cooling } = kept);
    },
    onEpochEnd(_, logs) {
      const { optimizer } = model;
      logs.learningRate = optimizer.learningRate;
      const value = monitor.read(logs);
      if (value === undefined) return;
      if (cooling > 0) {
        cooling--;
        wait = 0;
      }
      if (monitor.improves(value)) {
        monitor.best = value;
        wait = 0;
      } else if (cooling === 0 && ++wait >= patience && optimizer.learningRate > minLr) {
        optimizer.learningRate = Math.max(optimizer.learningRate * factor, minLr);
        cooling = cooldown;
        wait = 0;
      }
    },
  };
}
