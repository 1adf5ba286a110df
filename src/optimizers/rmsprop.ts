import { expectNumber } from '../checks/number-ranges.ts';
import { checkOptions, type Defined } from '../checks/options.ts';
import type { Kernels } from '../engine/abi.ts';
import { Optimizer } from './optimizer.ts';
import { type OptimizerOptions, optimizerNames } from './optimizer-options.ts';
import type { Range, Update } from './update.ts';

export interface RmspropOptions extends OptimizerOptions {
  /** Decay of the running averages, in [0, 1]. Default 0.9. */
  rho?: number | undefined;
  /** Momentum of the steps, in [0, 1]. Default 0. */
  momentum?: number | undefined;
  /** Added to the average under the root, ≥ 0. Default 1e-7. */
  epsilon?: number | undefined;
  /** Whether to divide by the standard deviation of g instead of the root of its mean square. Default false. */
  centered?: boolean | undefined;
}

class Rmsprop extends Optimizer {
  readonly name = 'rmsprop';
  protected readonly slotNames: readonly string[];
  readonly #options: Defined<Pick<RmspropOptions, 'rho' | 'momentum' | 'epsilon' | 'centered'>>;

  constructor(given: RmspropOptions) {
    const names = { rho: 1, momentum: 1, epsilon: 1, centered: true, ...optimizerNames };
    const {
      rho = 0.9,
      momentum = 0,
      epsilon = 1e-7,
      centered = false,
      ...options
    } = checkOptions('rmsprop', given, names);
    super(options, 0.001);
    expectNumber('rmsprop: rho', rho, 'in [0, 1]');
    expectNumber('rmsprop: momentum', momentum, 'in [0, 1]');
    expectNumber('rmsprop: epsilon', epsilon, '≥ 0');
    this.#options = { rho, momentum, epsilon, centered };
    this.slotNames = ['velocity', ...(momentum > 0 ? ['momentum'] : []), ...(centered ? ['average_gradient'] : [])];
  }

  protected override update(
    kernels: Kernels,
    { count, p, g, slots }: Range,
    { learningRate, gradScale }: Update,
  ): void {
    const { rho, momentum, epsilon, centered } = this.#options;
    const mom = momentum > 0 ? slots[1]! : 0;
    const average = centered ? slots.at(-1)! : 0;
    const hyper = [gradScale, learningRate, rho, momentum, epsilon] as const;
    kernels.rmsprop(count, p, g, slots[0]!, mom, average, ...hyper);
  }

  protected override ownConfig() {
    return this.#options;
  }
}

/**
 * RMSprop: steps divided by the root of a running average of squared gradients.
 *
 * v ← ρ·v + (1 − ρ)·g², p ← p − lr·g/√(v + ε)
 *
 * With momentum m: s ← m·s + lr·g/√(v + ε), p ← p − s. With `centered`: a ← ρ·a + (1 − ρ)·g, and √(v − a² + ε) replaces
 * √(v + ε).
 *
 * @param options default: learningRate 0.001, rho 0.9, momentum 0, epsilon 1e-7, centered false.
 * @returns an optimizer for one model; `dispose` frees its state.
 * @throws ArgumentError if an option is unknown or out of its range.
 * @see Tieleman and Hinton 2012; keras.optimizers.RMSprop
 * @example
 * model.compile({ optimizer: rmsprop({ learningRate: 0.01, momentum: 0.9 }), loss: 'mse' });
 * await model.fit(x, y, { epochs: 2 });
 */
export const rmsprop = (options: RmspropOptions = {}): Optimizer => new Rmsprop(options);
