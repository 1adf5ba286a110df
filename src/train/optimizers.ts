import { ArgumentError } from '../autograd/tensor.ts';
import { adadelta } from './optimizers/adadelta.ts';
import { adagrad } from './optimizers/adagrad.ts';
import { adam, adamw } from './optimizers/adam.ts';
import { adamax } from './optimizers/adamax.ts';
import { lion } from './optimizers/lion.ts';
import { nadam } from './optimizers/nadam.ts';
import type { Optimizer, OptimizerConfig } from './optimizers/optimizer.ts';
import { rmsprop } from './optimizers/rmsprop.ts';
import { sgd } from './optimizers/sgd.ts';
import { deserialize, type ScheduleConfig } from './schedules.ts';

export type { AdadeltaOptions } from './optimizers/adadelta.ts';
export type { AdagradOptions } from './optimizers/adagrad.ts';
export type { AdamOptions, AdamwOptions, MomentsOptions } from './optimizers/adam.ts';
export type { LionOptions } from './optimizers/lion.ts';
export {
  NonFiniteGradientError,
  Optimizer,
  type OptimizerConfig,
  type OptimizerOptions,
} from './optimizers/optimizer.ts';
export type { RmspropOptions } from './optimizers/rmsprop.ts';
export type { SgdOptions } from './optimizers/sgd.ts';
export { adadelta, adagrad, adam, adamax, adamw, lion, nadam, rmsprop, sgd };

const optimizers = { sgd, rmsprop, adam, adamw, nadam, adamax, adagrad, adadelta, lion };

/** An optimizer with its defaults. */
export type OptimizerName = keyof typeof optimizers;

/** The optimizer that a configuration describes. Throws `ArgumentError` for an unknown name or an option out of its range. */
export function optimizerOf({ name, learningRate, ...options }: OptimizerConfig): Optimizer {
  if (!Object.hasOwn(optimizers, name)) {
    throw new ArgumentError(`optimizer expected one of ${Object.keys(optimizers).join(', ')}, got '${name}'`);
  }
  const rate = typeof learningRate === 'object' ? deserialize(learningRate as ScheduleConfig) : learningRate;
  return optimizers[name as OptimizerName]({ ...options, learningRate: rate } as never);
}
