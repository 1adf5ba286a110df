import { ArgumentError } from '../checks/argument-error.ts';
import { checkOptions } from '../checks/options.ts';
import { exp2 } from '../engine/float64.ts';
import { categoricalCrossentropy } from '../losses/categorical.ts';
import type { Loss } from '../losses/loss.ts';
import { sparseCategoricalCrossentropy } from '../losses/sparse.ts';
import { type Metric, type MetricOptions, makeMetric, meanState } from './metric.ts';

export interface PerplexityOptions extends MetricOptions {
  /** Whether predictions are logits. Default: whether the loss reads logits. */
  fromLogits?: boolean | undefined;
  /** A class id whose rows do not count. Default: that of the loss. */
  ignoreClass?: number | undefined;
}

function crossEntropyMetric(maker: string, given: PerplexityOptions, finish: (mean: number) => number): Metric {
  const { fromLogits, ignoreClass, ...options } = checkOptions(maker, given, {
    name: 1,
    fromLogits: 1,
    ignoreClass: 1,
  });
  return makeMetric(maker, { ...options, fromLogits, ignoreClass }, (loss) => {
    if (loss && (loss.classes !== 'exclusive' || !loss.weightShape)) {
      throw new ArgumentError(`${maker}: expected a loss of one choice among classes, got ${loss.name}`);
    }
    const given = loss?.config?.() ?? {};
    const own = {
      fromLogits: fromLogits ?? loss?.reads === 'logits',
      ignoreClass: ignoreClass ?? (given.ignoreClass as number | undefined),
    };
    const sparse = sparseCategoricalCrossentropy(own);
    const dense = categoricalCrossentropy({ fromLogits: own.fromLogits });
    const of = (dtype: string): Loss => (dtype === 'i32' ? sparse : dense);
    return meanState((yTrue, yPred) => of(yTrue.dtype).values!(yTrue, yPred).toArray(), {
      ...(sparse.counted && { counted: sparse.counted }),
      finish,
    });
  });
}

/**
 * Perplexity: the number of equally likely choices that would be equally hard to predict.
 *
 * e^H, where H is the mean of −ln p[y] over all rows, in nats; label smoothing has no influence
 *
 * @param options.fromLogits whether predictions are logits; default whether the loss reads logits.
 * @param options.ignoreClass a class id whose rows do not count; default that of the loss.
 * @param options.name its key in the history; default the name of the maker.
 * @returns the metric, for `compile`. Targets y are class ids `[B, …]` i32 or one-hot `[B, …, C]` f32; predictions are
 *   `[B, …, C]` f32.
 * @throws ArgumentError if an option is unknown; in `compile`, if the loss is not a loss of one choice among classes;
 *   when a batch is measured, if targets do not have the stated shape.
 *
 * @example
 * const loss = sparseCategoricalCrossentropy({ fromLogits: true });
 * languageModel.compile({ optimizer: 'adam', loss, metrics: ['perplexity'] });
 */
export const perplexity = (options: PerplexityOptions = {}): Metric =>
  crossEntropyMetric('perplexity', options, (mean) => exp2(mean / Math.LN2));

/**
 * Mean number of bits for each character or other symbol.
 *
 * H / ln 2, where H is the mean of −ln p[y] over all rows, in nats; label smoothing has no influence
 *
 * @param options.fromLogits whether predictions are logits; default whether the loss reads logits.
 * @param options.ignoreClass a class id whose rows do not count; default that of the loss.
 * @param options.name its key in the history; default the name of the maker.
 * @returns the metric, for `compile`. Targets y are class ids `[B, …]` i32 or one-hot `[B, …, C]` f32; predictions are
 *   `[B, …, C]` f32.
 * @throws ArgumentError if an option is unknown; in `compile`, if the loss is not a loss of one choice among classes;
 *   when a batch is measured, if targets do not have the stated shape.
 */
export const bitsPerCharacter = (options: PerplexityOptions = {}): Metric =>
  crossEntropyMetric('bitsPerCharacter', options, (mean) => mean / Math.LN2);
