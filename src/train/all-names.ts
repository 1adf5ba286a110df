import { losses } from './losses/by-name.ts';
import { metrics } from './metrics/by-name.ts';
import { lossTable, metricTable, optimizerTable, scheduleTable } from './name-tables.ts';
import { optimizers } from './optimizers/by-name.ts';
import { schedules } from './schedules-by-name.ts';

const shortNames = {
  acc: 'accuracy',
  bce: 'binaryCrossentropy',
  kld: 'klDivergence',
  mae: 'meanAbsoluteError',
  mape: 'meanAbsolutePercentageError',
  mse: 'meanSquaredError',
  msle: 'meanSquaredLogarithmicError',
};

/** Lets losses, metrics, optimizers and schedules be said by name, and with that be read from files. An app that calls it carries them all. */
export function knowAllNames(): void {
  lossTable.fill(losses, shortNames);
  metricTable.fill(metrics, shortNames);
  optimizerTable.fill(optimizers);
  scheduleTable.fill(schedules);
}
