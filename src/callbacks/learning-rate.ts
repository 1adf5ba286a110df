import { expectType } from '../checks/argument-error.ts';
import { expectNumber } from '../checks/number-ranges.ts';
import { checkOptions } from '../checks/options.ts';
import type { AnyModel, Callback } from '../models/model.ts';
import { Monitor, type MonitorOptions, monitorNames } from './monitor.ts';

/**
 * Sets the learning rate before each epoch, and logs it as `learningRate`.
 *
 * @param schedule from the epoch, counted from 0, and the rate so far to the rate of the epoch.
 * @throws ArgumentError, at an epoch, if that is no number from 0 up, or the optimizer follows a schedule of its own.
 * @see keras.callbacks.LearningRateScheduler
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

/** When `reduceLrOnPlateau` lowers the rate, and how far. */
export interface ReduceLrOnPlateauOptions extends MonitorOptions {
  /** What the rate is multiplied by, below 1. Default 0.1. */
  factor?: number | undefined;
  /** Epochs without improvement after which it is. Default 10. */
  patience?: number | undefined;
  /** A change by no more than this counts as none. Default 1e-4. */
  minDelta?: number | undefined;
  /** Epochs after a reduction that are not counted. Default 0. */
  cooldown?: number | undefined;
  /** Below this the rate does not go. Default 0. */
  minLr?: number | undefined;
}

/**
 * Lowers the learning rate when what is watched has not improved for some epochs; logs the rate that the epoch was
 * trained with as `learningRate`.
 *
 * @throws ArgumentError for an option out of its range, and as `earlyStopping` where nothing gives what is watched.
 * @see keras.callbacks.ReduceLROnPlateau
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
