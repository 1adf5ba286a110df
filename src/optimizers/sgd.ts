import { expectNumber } from '../checks/number-ranges.ts';
import { checkOptions } from '../checks/options.ts';
import type { Kernels } from '../engine/abi.ts';
import { Optimizer } from './optimizer.ts';
import { type OptimizerOptions, optimizerNames } from './optimizer-options.ts';
import type { Range, Update } from './update.ts';

export interface SgdOptions extends OptimizerOptions {
  /** Default 0. */
  momentum?: number | undefined;
  /** Default false. */
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
 * p ← p − lr·g; with momentum v ← m·v − lr·g, p ← p + v; with Nesterov's p ← p + m·v − lr·g. Default lr 0.01.
 *
 * @throws ArgumentError for an option out of its range.
 * @see keras.optimizers.SGD
 */
export const sgd = (options: SgdOptions = {}): Optimizer => new Sgd(options);
