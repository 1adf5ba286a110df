import { expectNumber } from '../checks/number-ranges.ts';
import { checkOptions } from '../checks/options.ts';
import type { Kernels } from '../engine/abi.ts';
import { Optimizer } from './optimizer.ts';
import { type OptimizerOptions, optimizerNames } from './optimizer-options.ts';
import type { Range, Update } from './update.ts';

export interface SgdOptions extends OptimizerOptions {
  /** Share m of the last step that each step keeps, in [0, 1]. Default 0. */
  momentum?: number | undefined;
  /** Whether to use Nesterov momentum. Default false. */
  nesterov?: boolean | undefined;
}

class Sgd extends Optimizer {
  readonly name = 'sgd';
  protected readonly slotNames: readonly string[];
  readonly #momentum: number;
  readonly #nesterov: boolean;

  constructor(given: SgdOptions) {
    const names = { momentum: 1, nesterov: true, ...optimizerNames };
    const { momentum = 0, nesterov = false, ...options } = checkOptions('sgd', given, names);
    super(options, 0.01);
    expectNumber('sgd: momentum', momentum, 'in [0, 1]');
    this.#momentum = momentum;
    this.#nesterov = nesterov;
    this.slotNames = momentum > 0 ? ['momentum'] : [];
  }

  protected override update(
    kernels: Kernels,
    { count, p, g, slots }: Range,
    { learningRate, gradScale }: Update,
  ): void {
    kernels.sgd(count, p, g, slots[0] ?? 0, gradScale, learningRate, this.#momentum, this.#nesterov ? 1 : 0);
  }

  protected override ownConfig() {
    return { momentum: this.#momentum, nesterov: this.#nesterov };
  }
}

/**
 * Stochastic gradient descent, with optional momentum.
 *
 * p ← p − lr·g; with momentum m: v ← m·v − lr·g, p ← p + v; with `nesterov`: p ← p + m·v − lr·g
 *
 * @param options default: learningRate 0.01, momentum 0, nesterov false.
 * @returns an optimizer for one model; `dispose` frees its state.
 * @throws ArgumentError if an option is unknown or out of its range.
 * @see keras.optimizers.SGD
 * @example
 * model.compile({ optimizer: sgd({ learningRate: 0.1, momentum: 0.9 }), loss: 'mse' });
 * await model.fit(x, y, { epochs: 2 });
 */
export const sgd = (options: SgdOptions = {}): Optimizer => new Sgd(options);
