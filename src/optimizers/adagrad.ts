import { expectNumber } from '../checks/number-ranges.ts';
import { checkOptions } from '../checks/options.ts';
import type { Kernels } from '../engine/abi.ts';
import { Optimizer } from './optimizer.ts';
import { type OptimizerOptions, optimizerNames } from './optimizer-options.ts';
import type { Range, Update } from './update.ts';

export interface AdagradOptions extends OptimizerOptions {
  /** What the sum of squares starts from. Default 0.1. */
  initialAccumulatorValue?: number | undefined;
  /** Default 1e-7. */
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
 * a ← a + g², p ← p − lr·g/√(a + ε). Default lr 0.001, a starts at 0.1, ε 1e-7.
 *
 * @throws ArgumentError for an option out of its range.
 * @see Duchi, Hazan and Singer 2011; keras.optimizers.Adagrad
 */
export const adagrad = (options: AdagradOptions = {}): Optimizer => new Adagrad(options);
