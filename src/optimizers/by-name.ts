import { customObject, nameOfCustom } from '../registry/custom-objects.ts';
import { NameTable } from '../registry/name-table.ts';
import type { optimizers } from './all.ts';
import type { Optimizer, OptimizerConfig } from './optimizer.ts';
import { deserialize, type ScheduleConfig } from './schedules/schedule.ts';

/** Name of an optimizer, which is made with its default options. */
export type OptimizerName = keyof typeof optimizers;

/** Optimizers by name. */
export const optimizerTable = /* @__PURE__ */ new NameTable<Optimizer>('optimizer');

/**
 * Makes the optimizer that a configuration describes. Throws `ArgumentError` for an unknown name or an option out of
 * its range.
 */
export function optimizerOf(config: OptimizerConfig): Optimizer {
  const { name, learningRate, excludeFromWeightDecay: excluded, ...options } = config ?? {};
  const make = optimizerTable.makerOf(name);
  const rate = typeof learningRate === 'object' ? deserialize(learningRate as ScheduleConfig) : learningRate;
  const excludeFromWeightDecay =
    nameOfCustom(excluded) === undefined ? excluded : customObject('function', excluded as string);
  return make({ ...options, excludeFromWeightDecay, learningRate: rate } as never);
}
