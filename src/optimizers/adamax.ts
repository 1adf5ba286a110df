import type { Kernels } from '../engine/abi.ts';
import { integerPower } from '../engine/float64.ts';
import { type Moments, type MomentsOptions, momentsOf } from './adam.ts';
import { Optimizer } from './optimizer.ts';
import type { Range, Update } from './update.ts';

class Adamax extends Optimizer {
  readonly name = 'adamax';
  protected readonly slotNames = ['momentum', 'norm'];
  readonly #moments: Moments;

  constructor(given: MomentsOptions) {
    const [moments, options] = momentsOf('adamax', given, {});
    super(options, 0.001);
    this.#moments = moments;
  }

  protected override update(kernels: Kernels, { count, p, g, slots }: Range, update: Update): void {
    const { t, learningRate, gradScale } = update;
    const { beta1, beta2, epsilon } = this.#moments;
    const alpha = learningRate / (1 - integerPower(beta1, t));
    kernels.adamax(count, p, g, slots[0]!, slots[1]!, gradScale, alpha, beta1, beta2, epsilon);
  }

  protected override ownConfig() {
    return this.#moments;
  }
}

/**
 * Adamax: Adam with a running maximum of |g| in place of the second moment.
 *
 * m ← β₁m + (1 − β₁)g, u ← max(β₂u, |g|), p ← p − lr/(1 − β₁ᵗ)·m/(u + ε)
 *
 * @param options default: learningRate 0.001, beta1 0.9, beta2 0.999, epsilon 1e-7.
 * @returns an optimizer for one model; `dispose` frees its state.
 * @throws ArgumentError if an option is unknown or out of its range.
 * @see Kingma and Ba 2014, section 7.1; keras.optimizers.Adamax
 * @example
 * model.compile({ optimizer: adamax({ learningRate: 0.002 }), loss: 'mse' });
 * await model.fit(x, y, { epochs: 2 });
 */
export const adamax = (options: MomentsOptions = {}): Optimizer => new Adamax(options);
