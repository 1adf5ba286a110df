// Optimizers of PyTorch and of this package: which is which, and how the state of one becomes that of the other.

import { ArgumentError, shown } from '../checks/argument-error.ts';
import { adagrad } from '../optimizers/adagrad.ts';
import { adam, adamw } from '../optimizers/adam.ts';
import type { Optimizer } from '../optimizers/optimizer.ts';
import { rmsprop } from '../optimizers/rmsprop.ts';
import { sgd } from '../optimizers/sgd.ts';

/** Options of a parameter group, by the names of PyTorch. */
export type Group = Readonly<Record<string, unknown>>;

/** One buffer of the state: its name in PyTorch, its name here, and the factor from PyTorch's to ours. */
export interface Slot {
  readonly torch: string;
  readonly own: string;
  readonly factor: number;
}

/** An optimizer as PyTorch has it. */
export interface TorchOptimizer {
  /** The class in `torch.optim`. */
  readonly className: string;
  readonly group: Group;
  readonly slots: readonly Slot[];
  /** Whether the state of a parameter has its number of steps. */
  readonly countsSteps: boolean;
}

export type OptimizerKind = 'adam' | 'adamw';

// Beyond this epsilon, √(v + ε) and √v + √ε differ in steps that count.
const LARGEST_INNER_EPSILON = 1e-14;

// Above it, epsilon before the correction of the moments and epsilon after it differ in steps that count.
const LARGEST_EARLY_EPSILON = 1e-6;

const adamSlots = (amsgrad: unknown): Slot[] => [
  { torch: 'exp_avg', own: 'momentum', factor: 1 },
  { torch: 'exp_avg_sq', own: 'velocity', factor: 1 },
  ...(amsgrad ? [{ torch: 'max_exp_avg_sq', own: 'velocity_hat', factor: 1 }] : []),
];

// SGD keeps v = −lr·buffer, RMSprop s = lr·buffer.
const sgdSlots = (momentum: unknown, lr: number): Slot[] =>
  momentum ? [{ torch: 'momentum_buffer', own: 'momentum', factor: -lr }] : [];
const rmspropSlots = (momentum: unknown, centered: unknown, lr: number): Slot[] => [
  { torch: 'square_avg', own: 'velocity', factor: 1 },
  ...(momentum ? [{ torch: 'momentum_buffer', own: 'momentum', factor: lr }] : []),
  ...(centered ? [{ torch: 'grad_avg', own: 'average_gradient', factor: 1 }] : []),
];
const adagradSlots: Slot[] = [{ torch: 'sum', own: 'accumulator', factor: 1 }];

type Fail = (message: string) => never;

/**
 * Makes the optimizer of a parameter group.
 *
 * @param kind tells Adam from AdamW, whose groups look the same.
 */
export function optimizerOfGroup(
  group: Group,
  kind: OptimizerKind | undefined,
  fail: Fail,
): { optimizer: Optimizer; slots: readonly Slot[] } {
  const number = (key: string): number => {
    const value = group[key];
    return typeof value === 'number' ? value : fail(`the optimizer's ${key} expected a number, got ${shown(value)}`);
  };
  const refuse = (key: string, mend = ''): void => {
    if (group[key]) fail(`the optimizer has ${key}: ${shown(group[key])}, which no optimizer here has${mend}`);
  };
  refuse('maximize');
  const learningRate = number('lr');
  if (Array.isArray(group.betas) && 'amsgrad' in group && !('momentum_decay' in group)) {
    const [beta1, beta2] = group.betas as [number, number];
    const amsgrad = group.amsgrad === true;
    const options = { learningRate, beta1, beta2, epsilon: number('eps'), scaleEpsilon: true, amsgrad };
    const weightDecay = number('weight_decay');
    const isDecoupled = group.decoupled_weight_decay === true || kind === 'adamw';
    if (weightDecay === 0) return { optimizer: adam(options), slots: adamSlots(amsgrad) };
    if (isDecoupled) return { optimizer: adamw({ ...options, weightDecay }), slots: adamSlots(amsgrad) };
    const which = "give optimizer: 'adamw' if it is AdamW";
    return fail(`the optimizer has weight_decay ${weightDecay}, which of Adam is a penalty of the loss; ${which}`);
  }
  refuse('weight_decay', ': here it is a regularizer of the layers');
  if ('alpha' in group && 'centered' in group) {
    const [momentum, centered] = [number('momentum'), group.centered === true];
    const options = { learningRate, rho: number('alpha'), momentum, centered, epsilon: number('eps') ** 2 };
    if (momentum > 0) nonZero(learningRate, fail);
    return { optimizer: rmsprop(options), slots: rmspropSlots(momentum, centered, learningRate) };
  }
  if ('lr_decay' in group) {
    refuse('lr_decay');
    const options = { learningRate, initialAccumulatorValue: number('initial_accumulator_value') };
    return { optimizer: adagrad({ ...options, epsilon: number('eps') ** 2 }), slots: adagradSlots };
  }
  if ('dampening' in group) {
    refuse('dampening');
    const momentum = number('momentum');
    if (momentum > 0) nonZero(learningRate, fail);
    const optimizer = sgd({ learningRate, momentum, nesterov: group.nesterov === true });
    return { optimizer, slots: sgdSlots(momentum, learningRate) };
  }
  const known = 'SGD, Adam, AdamW, RMSprop or Adagrad';
  return fail(`the optimizer expected to be ${known}, got one with ${Object.keys(group).slice(0, 12).join(', ')}`);
}

function nonZero(learningRate: number, fail: Fail): void {
  if (learningRate === 0) fail('the optimizer has momentum and lr 0, from which its momentum cannot be told');
}

/**
 * The optimizer as PyTorch has it.
 *
 * @throws ArgumentError for one that PyTorch has not, or an option that its class has not.
 */
export function torchOptimizerOf(what: string, optimizer: Optimizer): TorchOptimizer {
  const config = optimizer.config() as Readonly<Record<string, unknown>>;
  const { learningRate: lr, name } = optimizer;
  const fail = (message: string): never => {
    throw new ArgumentError(`${what}: optimizer '${name}' ${message}`);
  };
  if (config.useEma) fail('has useEma: true; torch.optim keeps no averages: call finalizeVariableValues first');
  const number = (key: string): number => Number(config[key]);
  const weightDecay = Number(config.weightDecay ?? 0);
  if (config.excludeFromWeightDecay !== undefined && weightDecay > 0) {
    fail('has excludeFromWeightDecay, which needs parameter groups of its own');
  }
  const flags = { maximize: false, foreach: null, differentiable: false };
  if (name === 'adam' || name === 'adamw') {
    if (config.scaleEpsilon !== true && number('epsilon') > LARGEST_EARLY_EPSILON) {
      fail(
        `adds epsilon ${config.epsilon} before the correction, torch.optim after it: give it scaleEpsilon: true, or at most ${LARGEST_EARLY_EPSILON}`,
      );
    }
    const group = {
      ...{ lr, betas: [number('beta1'), number('beta2')], eps: number('epsilon'), weight_decay: weightDecay },
      ...{ amsgrad: config.amsgrad === true, ...flags, capturable: false, fused: false },
    };
    const className = weightDecay > 0 || name === 'adamw' ? 'AdamW' : 'Adam';
    return { className, group, slots: adamSlots(config.amsgrad), countsSteps: true };
  }
  if (weightDecay > 0) fail('has weightDecay, which in torch.optim only AdamW decouples from the gradient');
  const inner = number('epsilon');
  if ((name === 'rmsprop' || name === 'adagrad') && inner > LARGEST_INNER_EPSILON) {
    fail(`adds epsilon ${inner} inside the root, torch.optim outside of it: expected at most ${LARGEST_INNER_EPSILON}`);
  }
  const plain = { lr, weight_decay: 0, ...flags };
  const momentum = Number(config.momentum ?? 0);
  if (momentum > 0 && lr === 0) fail('has momentum and a learning rate of 0, from which its momentum cannot be told');
  if (name === 'sgd') {
    const group = { ...plain, momentum, dampening: 0, nesterov: config.nesterov === true };
    return { className: 'SGD', group, slots: sgdSlots(momentum, lr), countsSteps: false };
  }
  if (name === 'rmsprop') {
    const centered = config.centered === true;
    const group = { ...plain, momentum, alpha: number('rho'), eps: Math.sqrt(inner), centered };
    return { className: 'RMSprop', group, slots: rmspropSlots(momentum, centered, lr), countsSteps: true };
  }
  if (name === 'adagrad') {
    const first = number('initialAccumulatorValue');
    const group = { ...plain, lr_decay: 0, eps: Math.sqrt(inner), initial_accumulator_value: first };
    return { className: 'Adagrad', group, slots: adagradSlots, countsSteps: true };
  }
  return fail('expected to be sgd, adam, adamw, rmsprop or adagrad');
}
