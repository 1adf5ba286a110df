import { nearestName } from '../engine/nearest-name.ts';
import { hintBy } from '../engine/options.ts';
import { knowActivations } from '../layers/activations.ts';
import { moreActivations } from '../layers/more-activations.ts';
import { allowStepsOfOps } from '../layers/recurrent.ts';
import { walkSteps } from '../layers/recurrent-steps.ts';
import { allowWarnings } from './feeds.ts';
import { allowProgress } from './fit.ts';
import { withProgress } from './fit-progress.ts';
import { losses } from './losses/by-name.ts';
import { addMethods } from './methods.ts';
import { metrics } from './metrics/by-name.ts';
import { lossTable, metricTable, optimizerTable, scheduleTable } from './name-tables.ts';
import { optimizers } from './optimizers/by-name.ts';
import { allowStreams } from './predict-steps.ts';
import { schedules } from './schedules-by-name.ts';
import { warnOfSamples } from './warnings.ts';

const shortNames = {
  acc: 'accuracy',
  bce: 'binaryCrossentropy',
  kld: 'klDivergence',
  mae: 'meanAbsoluteError',
  mape: 'meanAbsolutePercentageError',
  mse: 'meanSquaredError',
  msle: 'meanSquaredLogarithmicError',
};

/**
 * Lets losses, metrics, optimizers, schedules and all activations be said by name, also those of recurrent layers that have no kernels, and
 * with that be read from files; has `fit` show how it goes and tell of what is seldom meant; lets models run step by step; and adds methods of
 * convenience. An app that calls it carries them all.
 */
export function knowAllNames(): void {
  hintBy(nearestName);
  knowActivations(moreActivations);
  allowStepsOfOps(walkSteps);
  allowWarnings(warnOfSamples);
  allowProgress(withProgress);
  allowStreams();
  addMethods();
  lossTable.fill(losses, shortNames);
  metricTable.fill(metrics, shortNames);
  optimizerTable.fill(optimizers);
  scheduleTable.fill(schedules);
}
