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
// The same for the epsilon of torch.optim, √ε.
const LARGEST_OUTER_EPSILON = 1e-7;

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
  /** Epsilon under the root, of one outside of it. */
  const innerEpsilon = (own: string): number => {
    const epsilon = number('eps');
    if (epsilon > LARGEST_OUTER_EPSILON) {
      fail(
        `the optimizer adds eps ${epsilon} outside of the root, ${own} inside of it: expected at most ${LARGEST_OUTER_EPSILON}`,
      );
    }
    return epsilon ** 2;
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
  const className = classOf(group);
  if (kind !== undefined) {
    const got = className ?? 'another';
    fail(
      `optimizer: '${kind}' expected the state of Adam or AdamW in the file, got that of ${got}; leave optimizer out`,
    );
  }
  refuse('weight_decay', ': here it is a regularizer of the layers');
  if (className === 'RMSprop') {
    const [momentum, centered] = [number('momentum'), group.centered === true];
    const options = { learningRate, rho: number('alpha'), momentum, centered, epsilon: innerEpsilon('rmsprop') };
    if (momentum > 0) nonZero(learningRate, fail);
    return { optimizer: rmsprop(options), slots: rmspropSlots(momentum, centered, learningRate) };
  }
  if (className === 'Adagrad') {
    refuse('lr_decay');
    const options = { learningRate, initialAccumulatorValue: number('initial_accumulator_value') };
    return { optimizer: adagrad({ ...options, epsilon: innerEpsilon('adagrad') }), slots: adagradSlots };
  }
  if (className === 'SGD') {
    refuse('dampening');
    const momentum = number('momentum');
    if (momentum > 0) nonZero(learningRate, fail);
    const optimizer = sgd({ learningRate, momentum, nesterov: group.nesterov === true });
    return { optimizer, slots: sgdSlots(momentum, learningRate) };
  }
  const known = 'SGD, Adam, AdamW, RMSprop or Adagrad';
  return fail(`the optimizer expected to be ${known}, got one with ${Object.keys(group).slice(0, 12).join(', ')}`);
}

/** The class of an optimizer that is not Adam, by the options that only it has. */
function classOf(group: Group): 'RMSprop' | 'Adagrad' | 'SGD' | undefined {
  if ('alpha' in group && 'centered' in group) return 'RMSprop';
  if ('lr_decay' in group) return 'Adagrad';
  return 'dampening' in group ? 'SGD' : undefined;
}

function nonZero(learningRate: number, fail: Fail): void {
  if (learningRate === 0) fail('the optimizer has momentum and lr 0, from which its momentum cannot be told');
}

const classes: Readonly<Record<string, string>> = {
  ...{ sgd: 'SGD', adam: 'Adam', adamw: 'AdamW', rmsprop: 'RMSprop', adagrad: 'Adagrad' },
};

/** The class of an optimizer in `torch.optim`; undefined if it has none. */
export function torchClassOf(optimizer: Optimizer): string | undefined {
  const { name } = optimizer;
  if (name === 'adam' && Number(optimizer.config().weightDecay ?? 0) > 0) return 'AdamW';
  return Object.hasOwn(classes, name) ? classes[name] : undefined;
}

/** The first option of an optimizer that is lines of the loop in PyTorch; undefined if there is none. */
function loopOption(config: Readonly<Record<string, unknown>>): string | undefined {
  const clip = ['clipNorm', 'globalClipNorm', 'clipValue'].find((each) => config[each] !== undefined);
  if (clip !== undefined) return `${clip}: ${config[clip]}`;
  const { gradientAccumulationSteps: steps, learningRate } = config;
  if (Number(steps ?? 1) > 1) return `gradientAccumulationSteps: ${steps}`;
  return typeof learningRate === 'number' ? undefined : 'a schedule of its learningRate';
}

/**
 * The optimizer as PyTorch has it.
 *
 * @param strict whether to refuse options that no optimizer of PyTorch has, but its loop.
 * @throws ArgumentError for one that PyTorch has not, or an option that its class has not.
 */
export function torchOptimizerOf(what: string, optimizer: Optimizer, strict: boolean): TorchOptimizer {
  const config = optimizer.config() as Readonly<Record<string, unknown>>;
  const { learningRate: lr, name } = optimizer;
  const fail = (message: string): never => {
    throw new ArgumentError(`${what}: optimizer '${name}' ${message}`);
  };
  const className = torchClassOf(optimizer) ?? fail('expected to be sgd, adam, adamw, rmsprop or adagrad');
  if (config.useEma) {
    fail('has useEma: true, and torch.optim keeps no averages; includeOptimizer: false writes the weights alone');
  }
  const option = strict ? loopOption(config) : undefined;
  if (option !== undefined) {
    fail(
      `has ${option}, which no optimizer of PyTorch has: strict: false leaves it to your loop there, includeOptimizer: false writes the weights alone`,
    );
  }
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
    return { className, group, slots: sgdSlots(momentum, lr), countsSteps: false };
  }
  if (name === 'rmsprop') {
    const centered = config.centered === true;
    const group = { ...plain, momentum, alpha: number('rho'), eps: Math.sqrt(inner), centered };
    return { className, group, slots: rmspropSlots(momentum, centered, lr), countsSteps: true };
  }
  const first = number('initialAccumulatorValue');
  const group = { ...plain, lr_decay: 0, eps: Math.sqrt(inner), initial_accumulator_value: first };
  return { className, group, slots: adagradSlots, countsSteps: true };
}
