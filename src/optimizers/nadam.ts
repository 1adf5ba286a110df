import type { Kernels } from '../engine/abi.ts';
import { integerPower } from '../engine/float64.ts';
import { type Moments, type MomentsOptions, momentsOf } from './adam.ts';
import { Optimizer } from './optimizer.ts';
import type { Range, Update } from './update.ts';

class Nadam extends Optimizer {
  readonly name = 'nadam';
  protected readonly slotNames = ['momentum', 'velocity'];
  readonly #moments: Moments;
  // Cached product u₁·u₂·…·uₜ. It is a function of t alone, so it is not saved with the state.
  #product = { t: 0, value: 1 };

  constructor(given: MomentsOptions) {
    const [moments, options] = momentsOf('nadam', given, {});
    super(options, 0.001);
    this.#moments = moments;
  }

  protected override update(kernels: Kernels, { count, p, g, slots }: Range, update: Update): void {
    const { t, learningRate, gradScale } = update;
    const { beta1, beta2, epsilon } = this.#moments;
    const product = this.#productUpTo(t);
    const next = this.#momentumAt(t + 1);
    // Numerator and denominator are both multiplied by √(1 − β₂ᵗ), so that the kernel divides by √v itself.
    const root = Math.sqrt(1 - integerPower(beta2, t));
    const alpha = (learningRate * root * next) / (1 - product * next);
    const alphaG = (learningRate * root * (1 - this.#momentumAt(t))) / (1 - product);
    const hyper = [gradScale, alpha, alphaG, beta1, beta2, epsilon * root] as const;
    kernels.nadam(count, p, g, slots[0]!, slots[1]!, ...hyper);
  }

  protected override ownConfig() {
    return this.#moments;
  }

  #momentumAt(t: number): number {
    return this.#moments.beta1 * (1 - 0.5 * integerPower(0.96, t));
  }

  #productUpTo(t: number): number {
    if (t < this.#product.t) this.#product = { t: 0, value: 1 };
    // The product underflows to 0 after some thousands of steps. After that the loop does nothing.
    while (this.#product.t < t && this.#product.value > 0) this.#product.value *= this.#momentumAt(++this.#product.t);
    return this.#product.value;
  }
}

/**
 * Nadam: Adam with Nesterov momentum.
 *
 * m ← β₁m + (1 − β₁)g, v ← β₂v + (1 − β₂)g², uₜ = β₁(1 − ½·0.96ᵗ), Uₜ = u₁·u₂·…·uₜ, p ← p − lr·(uₜ₊₁·m/(1 − Uₜ₊₁) + (1
 * − uₜ)·g/(1 − Uₜ))/(√(v/(1 − β₂ᵗ)) + ε)
 *
 * @param options default: learningRate 0.001, beta1 0.9, beta2 0.999, epsilon 1e-7.
 * @returns an optimizer for one model; `dispose` frees its state.
 * @throws ArgumentError if an option is unknown or out of its range.
 * @see Dozat 2016; keras.optimizers.Nadam
 * @example
 * model.compile({ optimizer: nadam({ learningRate: 0.002 }), loss: 'mse' });
 * await model.fit(x, y, { epochs: 2 });
 */
export const nadam = (options: MomentsOptions = {}): Optimizer => new Nadam(options);
