import { customObject, nameOfCustom } from '../layers/custom-objects.ts';
import { optimizerTable } from './name-tables.ts';
import type { optimizers } from './optimizers/by-name.ts';
import type { Optimizer, OptimizerConfig } from './optimizers/optimizer.ts';
import { deserialize, type ScheduleConfig } from './schedules.ts';

export * from './optimizers/makers.ts';
export {
  NonFiniteGradientError,
  Optimizer,
  type OptimizerConfig,
  type OptimizerOptions,
} from './optimizers/optimizer.ts';

/** An optimizer with its defaults. */
export type OptimizerName = keyof typeof optimizers;

/** The optimizer that a configuration describes. Throws `ArgumentError` for an unknown name or an option out of its range. */
export function optimizerOf(config: OptimizerConfig): Optimizer {
  const { name, learningRate, excludeFromWeightDecay: excluded, ...options } = config ?? {};
  const make = optimizerTable.makerOf(name);
  const rate = typeof learningRate === 'object' ? deserialize(learningRate as ScheduleConfig) : learningRate;
  const excludeFromWeightDecay =
    nameOfCustom(excluded) === undefined ? excluded : customObject('function', excluded as string);
  return make({ ...options, excludeFromWeightDecay, learningRate: rate } as never);
}
