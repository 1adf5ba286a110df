import { expectNumber } from '../checks/number-ranges.ts';
import { checkOptions } from '../checks/options.ts';
import type { Kernels } from '../engine/abi.ts';
import { Optimizer } from './optimizer.ts';
import { type OptimizerOptions, optimizerNames } from './optimizer-options.ts';
import type { Range, Update } from './update.ts';

export interface AdagradOptions extends OptimizerOptions {
  /** Initial sum of squared gradients of each element, ≥ 0. Default 0.1. */
  initialAccumulatorValue?: number | undefined;
  /** Added to the sum under the root, ≥ 0. Default 1e-7. */
  epsilon?: number | undefined;
}

class Adagrad extends Optimizer {
  readonly name = 'adagrad';
  protected readonly slotNames = ['accumulator'];
  readonly #initial: number;
  readonly #epsilon: number;

  constructor(given: AdagradOptions) {
    const names = { initialAccumulatorValue: 1, epsilon: 1, ...optimizerNames };
    const { initialAccumulatorValue = 0.1, epsilon = 1e-7, ...options } = checkOptions('adagrad', given, names);
    super(options, 0.001);
    expectNumber('adagrad: initialAccumulatorValue', initialAccumulatorValue, '≥ 0');
    expectNumber('adagrad: epsilon', epsilon, '≥ 0');
    this.#initial = initialAccumulatorValue;
    this.#epsilon = epsilon;
  }

  protected override initialSlotValue(): number {
    return this.#initial;
  }

  protected override update(
    kernels: Kernels,
    { count, p, g, slots }: Range,
    { learningRate, gradScale }: Update,
  ): void {
    kernels.adagrad(count, p, g, slots[0]!, gradScale, learningRate, this.#epsilon);
  }

  protected override ownConfig() {
    return { initialAccumulatorValue: this.#initial, epsilon: this.#epsilon };
  }
}

/**
 * Adagrad: steps divided by the root of the sum of all squared gradients.
 *
 * a ← a + g², p ← p − lr·g/√(a + ε)
 *
 * @param options default: learningRate 0.001, initialAccumulatorValue 0.1, epsilon 1e-7.
 * @returns an optimizer for one model; `dispose` frees its state.
 * @throws ArgumentError if an option is unknown or out of its range.
 * @see Duchi, Hazan and Singer 2011; keras.optimizers.Adagrad
 * @example
 * model.compile({ optimizer: adagrad({ learningRate: 0.01 }), loss: 'mse' });
 * await model.fit(x, y, { epochs: 2 });
 */
export const adagrad = (options: AdagradOptions = {}): Optimizer => new Adagrad(options);
