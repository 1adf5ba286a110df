import type { Parameter } from '../autograd/parameter.ts';
import type { Tensor } from '../autograd/tensor.ts';
import { ArgumentError, shown } from '../checks/argument-error.ts';
import { formatShape } from '../checks/shape.ts';
import { type AttentionResult, attention as attend, additiveAttention as attendAdditively } from '../ops/attention.ts';
import { expectRate } from '../ops/elementwise/dropout.ts';
import { mul } from '../ops/elementwise/elementwise.ts';
import { select } from '../ops/elementwise/select.ts';
import { broadcastTo } from '../ops/shapes/broadcast.ts';
import type { BatchShape } from './base/batch-shape.ts';
import { BuiltInLayer } from './base/built-in-layer.ts';
import { type CallOptions, isTraining, type Layer, type LayerOptions, type OwnNames } from './base/layer.ts';

interface AttentionLayerOptions extends LayerOptions {
  /** Probability that a weight is dropped while training, in [0, 1). Default 0. */
  dropout?: number;
  /** Whether a query reads only the values up to its own step. Default false. */
  useCausalMask?: boolean;
  /** Whether to return `[y, weights]`, with weights `[B, Tq, Tv]`. Default false. */
  returnAttentionScores?: boolean;
}

export interface AttentionOptions extends AttentionLayerOptions {
  /** Whether scores are multiplied by a trained number. Default false. */
  useScale?: boolean | undefined;
  /** `dot`: q·k; `concat`: w·Σ tanh(q + k), w trained. Default `dot`. */
  scoreMode?: 'dot' | 'concat' | undefined;
}

export interface AdditiveAttentionOptions extends AttentionLayerOptions {
  /** Whether the features of a score are weighted by a trained vector. Default true. */
  useScale?: boolean | undefined;
}

type Attended<S extends boolean> = S extends true ? [y: Tensor, weights: Tensor] : Tensor;

const shared: OwnNames<AttentionLayerOptions> = { dropout: 1, useCausalMask: true, returnAttentionScores: true };

/** A layer that reads a query, a value and, optionally, a key. Without a key the value is the key. */
abstract class AttentionLayer<Output = Tensor | Tensor[]> extends BuiltInLayer<Output, readonly Tensor[]> {
  readonly #options: AttentionLayerOptions;

  constructor(defaultName: string, options: AttentionLayerOptions, own: object) {
    super(defaultName, options, { ...shared, ...own });
    expectRate(`${defaultName}: dropout`, options.dropout ?? 0);
    this.#options = options;
  }

  override outputShape([query, value]: readonly BatchShape[]): BatchShape {
    return [...query!.slice(0, -1), value!.at(-1) ?? null];
  }

  protected override checkInput(shapes: readonly BatchShape[]): void {
    if (!Array.isArray(shapes[0]) || shapes.length < 2 || shapes.length > 3) {
      throw new ArgumentError(
        `${this.describe()}: input expected [query, value] or [query, value, key], got ${formatShape(shapes.flat())}`,
      );
    }
    shapes.forEach((shape, i) => {
      if (shape.length === 3) return;
      const what = ['query', 'value', 'key'][i];
      throw new ArgumentError(
        `${this.describe()}: ${what} expected [batch, time, features], got ${formatShape(shape)}`,
      );
    });
  }

  protected override get fixesInputWidth(): boolean {
    return false;
  }

  protected override get passesMask(): boolean {
    return false;
  }

  protected override call(inputs: readonly Tensor[], options: CallOptions): Output {
    const [query, value, key = value] = inputs as [Tensor, Tensor, Tensor?];
    const { dropout = 0, useCausalMask = false, returnAttentionScores = false } = this.#options;
    const dropped = dropout > 0 && isTraining(options);
    // If no input carries a mask, the mask of the call is that of the values.
    const mask = value.mask ?? (inputs.some((x) => x.mask) ? undefined : options.mask);
    const { outputs, weights } = this.attend(query, key, value, {
      mask,
      causal: useCausalMask,
      dropout: dropped ? { rate: dropout, key: this.random.nextKey() } : undefined,
    });
    const y = query.mask ? select(query.mask, outputs, 0) : outputs;
    y.mask = query.mask;
    return (returnAttentionScores ? [y, weights] : y) as Output;
  }

  protected abstract attend(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    options: Parameters<typeof attend>[3] & {},
  ): AttentionResult;
}

const attentionNames: OwnNames<AttentionOptions, AttentionLayerOptions> = { useScale: true, scoreMode: 1 };

class Attention<Output> extends AttentionLayer<Output> {
  readonly className = 'Attention';
  readonly #useScale: boolean;
  readonly #scoreMode: 'dot' | 'concat';
  #scale: Parameter | undefined;
  #scoreWeight: Parameter | undefined;

  constructor(options: AttentionOptions) {
    super('attention', options, attentionNames);
    this.#useScale = options.useScale ?? false;
    this.#scoreMode = options.scoreMode ?? 'dot';
    if (this.#scoreMode !== 'dot' && this.#scoreMode !== 'concat') {
      throw new ArgumentError(`attention: scoreMode expected 'dot' or 'concat', got ${shown(this.#scoreMode)}`);
    }
  }

  protected override makeWeights(): void {
    if (this.#useScale) this.#scale = this.addWeight('scale', [], 'ones');
    if (this.#scoreMode === 'concat') this.#scoreWeight = this.addWeight('concatScoreWeight', [], 'ones');
  }

  protected override attend(query: Tensor, key: Tensor, value: Tensor, options: object): AttentionResult {
    const scale = this.#scale;
    if (!this.#scoreWeight) return attend(query, key, value, scale ? { ...options, scale } : options);
    const [q, k] = scale ? [mul(query, scale), mul(key, scale)] : [query, key];
    return attendAdditively(q, k, value, {
      ...options,
      scale: broadcastTo(this.#scoreWeight.tensor, [query.shape[2]!]),
    });
  }
}

/**
 * Dot-product attention.
 *
 * y = softmax(query·keyᵀ)·value
 *
 * Input: a list of f32 tensors, query `[B, Tq, D]`, value `[B, Tv, V]` and, optionally, key `[B, Tv, D]`; without it
 * the value is the key. Output `[B, Tq, V]`, or with `returnAttentionScores` `[y, weights]` with weights `[B, Tq, Tv]`.
 * Masked values get weight 0. A masked query gives zeros, and the output carries the mask of the query. With `useScale`
 * the scores are multiplied by a trained number `scale` `[]`, which is 1 at first. With `scoreMode: 'concat'` a score
 * is concatScoreWeight·Σ_d tanh(scale·query_d + scale·key_d), with a trained number `concatScoreWeight` `[]`.
 *
 * As in Keras the scores are not divided by √D. With many features they are far apart from the start, one value gets
 * all of the weight, and little is learned: then divide the key or the query, `ops.scale(key, D ** -0.5)`.
 *
 * @param options all have defaults.
 * @returns a layer, to be called with the list of tensors. Its output lives until the open step ends; outside a step
 *   the caller owns it and may `dispose` of it.
 * @throws ArgumentError if an option is unknown, `dropout` is outside [0, 1), or `scoreMode` is not one of its values;
 *   when called, if the input is not a list of two or three f32 tensors of three axes, or their shapes do not fit.
 * @see keras.layers.Attention; Luong, Pham and Manning 2015
 *
 * @example
 * const query = tensor([[[1, 0]]]); // [1, 1, 2]
 * const value = tensor([[[1, 0], [0, 1]]]); // [1, 2, 2]
 * attention()([query, value]).shape; // [1, 1, 2]
 */
export const attention = <const S extends boolean = false>(
  options: AttentionOptions & { returnAttentionScores?: S | undefined } = {},
): Layer<Attended<S>, readonly Tensor[]> => new Attention<Attended<S>>(options);

const additiveNames: OwnNames<AdditiveAttentionOptions, AttentionLayerOptions> = { useScale: true };

class AdditiveAttention<Output> extends AttentionLayer<Output> {
  readonly className = 'AdditiveAttention';
  readonly #useScale: boolean;
  #scale: Parameter | undefined;

  constructor(options: AdditiveAttentionOptions) {
    super('additive_attention', options, additiveNames);
    this.#useScale = options.useScale ?? true;
  }

  protected override makeWeights([query]: readonly BatchShape[]): void {
    if (this.#useScale) this.#scale = this.addWeight('scale', [this.inputWidth(query!)], 'glorotUniform');
  }

  protected override attend(query: Tensor, key: Tensor, value: Tensor, options: object): AttentionResult {
    return attendAdditively(query, key, value, { ...options, scale: this.#scale });
  }
}

/**
 * Additive attention.
 *
 * scores[b, i, j] = Σ_d scale_d·tanh(query[b, i, d] + key[b, j, d]), y = softmax(scores)·value
 *
 * Input: a list of f32 tensors, query `[B, Tq, D]`, value `[B, Tv, V]` and, optionally, key `[B, Tv, D]`; without it
 * the value is the key. Output `[B, Tq, V]`, or with `returnAttentionScores` `[y, weights]` with weights
 * `[B, Tq, Tv]`. Masked values get weight 0. A masked query gives zeros, and the output carries the mask of the query.
 * Weight: scale `[D]`; with `useScale: false` there is none and scale_d is 1.
 *
 * @param options all have defaults.
 * @returns a layer, to be called with the list of tensors. Its output lives until the open step ends; outside a step
 *   the caller owns it and may `dispose` of it.
 * @throws ArgumentError if an option is unknown or `dropout` is outside [0, 1); when called, if the input is not a
 *   list of two or three f32 tensors of three axes, or their shapes do not fit.
 * @see keras.layers.AdditiveAttention; Bahdanau, Cho and Bengio 2014
 *
 * @example
 * const query = tensor([[[1, 0]]]); // [1, 1, 2]
 * const value = tensor([[[1, 0], [0, 1]]]); // [1, 2, 2]
 * additiveAttention()([query, value]).shape; // [1, 1, 2]
 */
export const additiveAttention = <const S extends boolean = false>(
  options: AdditiveAttentionOptions & { returnAttentionScores?: S | undefined } = {},
): Layer<Attended<S>, readonly Tensor[]> => new AdditiveAttention<Attended<S>>(options);
