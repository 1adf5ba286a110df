import type { Parameter } from '../autograd/parameter.ts';
import type { Tensor } from '../autograd/tensor.ts';
import { ArgumentError, expectCount, shown } from '../checks/argument-error.ts';
import { formatShape, type Shape, sizeOf } from '../checks/shape.ts';
import type { BatchShape } from '../layers/base/batch-shape.ts';
import { BuiltInLayer } from '../layers/base/built-in-layer.ts';
import type { InitializerSpec } from '../layers/base/initializers.ts';
import { type CallOptions, isTraining, type Layer, type LayerOptions, type OwnNames } from '../layers/base/layer.ts';
import type { RegularizerSpec } from '../layers/base/regularizers.ts';
import type { ConstraintSpec } from '../layers/constraints/constraint.ts';
import { attention as attend } from '../ops/attention.ts';
import { expectRate } from '../ops/elementwise/dropout.ts';
import { select } from '../ops/elementwise/select.ts';
import { where } from '../ops/elementwise/where.ts';
import { linear } from '../ops/products/linear.ts';
import { broadcastTo } from '../ops/shapes/broadcast.ts';
import { expandDims, reshape, transpose } from '../ops/shapes/layout.ts';
import { AttentionAxes } from './attention-axes.ts';

export interface MultiHeadAttentionOptions extends LayerOptions {
  /** Number N of heads. */
  numHeads: number;
  /** Width K of a query and a key in a head. */
  keyDim: number;
  /** Width V of a value in a head. Default `keyDim`. */
  valueDim?: number | undefined;
  /** Probability that an attention weight is dropped while training, in [0, 1). Default 0. */
  dropout?: number | undefined;
  /** Whether the four projections have biases. Default true. */
  useBias?: boolean | undefined;
  /** Width of the output, or its shape after batch and time. Default: the width of the query. */
  outputShape?: number | readonly number[] | undefined;
  /** Axes over which a query reads: one, or a list. Default: all but the first and the last of the query. */
  attentionAxes?: number | readonly number[] | undefined;
  /** Whether a query reads only the values up to its own step. It wants one axis of attention. Default false. */
  useCausalMask?: boolean | undefined;
  /** Whether to return `[y, weights]`, with weights `[B, N, Tq, Tv]`. Default false. */
  returnAttentionScores?: boolean | undefined;
  /** Default `glorotUniform`. */
  kernelInitializer?: InitializerSpec | undefined;
  /** Default `zeros`. */
  biasInitializer?: InitializerSpec | undefined;
  kernelRegularizer?: RegularizerSpec | undefined;
  biasRegularizer?: RegularizerSpec | undefined;
  kernelConstraint?: ConstraintSpec | undefined;
  biasConstraint?: ConstraintSpec | undefined;
}

type Attended<S extends boolean> = S extends true ? [y: Tensor, weights: Tensor] : Tensor;

const own: OwnNames<MultiHeadAttentionOptions> = {
  numHeads: 1,
  keyDim: 1,
  valueDim: 1,
  dropout: 1,
  useBias: true,
  outputShape: 1,
  attentionAxes: 1,
  useCausalMask: true,
  returnAttentionScores: true,
  kernelInitializer: 1,
  biasInitializer: 1,
  kernelRegularizer: 1,
  biasRegularizer: 1,
  kernelConstraint: 1,
  biasConstraint: 1,
};

/** A projection: its kernel, and its bias if it has one. */
interface Projection {
  readonly kernel: Parameter;
  readonly bias: Parameter | undefined;
}

const INPUTS = ['query', 'value', 'key', 'attentionMask'];

class MultiHeadAttention<Output> extends BuiltInLayer<Output, readonly Tensor[]> {
  readonly className = 'MultiHeadAttention';
  readonly #options: MultiHeadAttentionOptions;
  readonly #valueDim: number;
  readonly #outputShape: readonly number[] | undefined;
  readonly #axes: readonly number[] | undefined;
  #projections: Readonly<Record<'query' | 'key' | 'value' | 'output', Projection>> | undefined;

  constructor(options: MultiHeadAttentionOptions) {
    super('multi_head_attention', options, own);
    const { numHeads, keyDim, valueDim = keyDim, dropout = 0, outputShape } = options;
    for (const [name, count] of Object.entries({ numHeads, keyDim, valueDim })) {
      expectCount(`multiHeadAttention: ${name}`, count);
    }
    expectRate('multiHeadAttention: dropout', dropout);
    this.#options = options;
    this.#valueDim = valueDim;
    this.#outputShape = outputShape === undefined ? undefined : [outputShape].flat();
    for (const width of this.#outputShape ?? []) expectCount('multiHeadAttention: outputShape', width);
    const { attentionAxes } = options;
    const axes = attentionAxes === undefined ? undefined : [attentionAxes].flat();
    for (const axis of axes ?? []) expectCount('multiHeadAttention: attentionAxes', axis);
    if (axes && new Set(axes).size !== Math.max(axes.length, 1)) {
      throw new ArgumentError(
        `multiHeadAttention: attentionAxes expected one or more different axes, got ${formatShape(axes)}`,
      );
    }
    this.#axes = axes;
  }

  override describe(): string {
    return `${this.name}(numHeads=${this.#options.numHeads})`;
  }

  override outputShape([query]: readonly BatchShape[]): BatchShape {
    return [...query!.slice(0, -1), ...(this.#outputShape ?? query!.slice(-1))];
  }

  protected override checkInput(shapes: readonly BatchShape[]): void {
    if (!Array.isArray(shapes[0]) || shapes.length < 2 || shapes.length > 4) {
      const got = Array.isArray(shapes[0]) ? shown(shapes) : `a tensor ${formatShape(shapes as never)}`;
      throw new ArgumentError(
        `${this.describe()}: input expected [query, value], [query, value, key] or [query, value, key, attentionMask], got ${got}`,
      );
    }
    const [query] = shapes as [BatchShape];
    const rank = Math.max(query.length, 3);
    const axes = new AttentionAxes(rank, this.#axes);
    shapes.forEach((shape, i) => {
      if (i < 3 ? shape.length === rank : axes.maskRanks.includes(shape.length)) return;
      let expected = i < 3 ? `${rank} axes, as the query` : `${axes.maskRanks.join(' or ')} axes`;
      if (rank === 3) {
        expected = i < 3 ? '[batch, time, features]' : '[batch, queries, values] or [batch, heads, queries, values]';
      }
      throw new ArgumentError(`${this.describe()}: input ${INPUTS[i]} expected ${expected}, got ${formatShape(shape)}`);
    });
    if (rank === 3) this.#checkLengths(shapes);
    const far = axes.over.find((axis) => axis > rank - 2);
    if (far !== undefined) {
      throw new ArgumentError(
        `${this.describe()}: attentionAxes expected axes from 1 to ${rank - 2} for the query ${formatShape(query)}, got ${far}`,
      );
    }
    if (this.#options.useCausalMask && axes.over.length > 1) {
      throw new ArgumentError(
        `${this.describe()}: useCausalMask expected one axis of attention, got ${formatShape(axes.over)}`,
      );
    }
    shapes.slice(1, 3).forEach((shape, i) => {
      const other = axes.others.find((axis) => (shape[axis] ?? query[axis]) !== (query[axis] ?? shape[axis]));
      if (other === undefined) return;
      throw new ArgumentError(
        `${this.describe()}: input ${INPUTS[i + 1]} expected length ${query[other]} along axis ${other}, as the query, got ${formatShape(shape)}`,
      );
    });
  }

  /** Throws `ArgumentError` unless batch and steps of the inputs fit each other. Axes of a mask may have length 1. */
  #checkLengths([query, value, key, mask]: readonly BatchShape[]): void {
    const [batch, queries] = query as [number | null, number | null];
    const [, values] = value as BatchShape;
    const expected = [
      undefined,
      [batch, values!, value![2]!],
      [batch, values!, key?.[2] ?? null],
      mask?.length === 4 ? [batch, this.#options.numHeads, queries, values!] : [batch, queries, values!],
    ];
    [query, value, key, mask].forEach((shape, i) => {
      const wanted = expected[i];
      if (!shape || !wanted) return;
      const fits = shape.every((n, axis) => {
        const other = wanted[axis] ?? null;
        return n === null || other === null || n === other || (i === 3 && n === 1);
      });
      if (fits) return;
      throw new ArgumentError(
        `${this.describe()}: input ${INPUTS[i]} expected ${formatShape(wanted)}, got ${formatShape(shape)}`,
      );
    });
  }

  protected override get fixesInputWidth(): boolean {
    return false;
  }

  protected override get passesMask(): boolean {
    return false;
  }

  protected override makeWeights([query, value, key = value]: readonly BatchShape[]): void {
    const { numHeads, keyDim, useBias = true, kernelInitializer = 'glorotUniform' } = this.#options;
    const { biasInitializer = 'zeros', kernelRegularizer, biasRegularizer } = this.#options;
    const { kernelConstraint, biasConstraint } = this.#options;
    const add = (name: string, rows: Shape, columns: Shape): Projection => {
      const shape = [...rows, ...columns];
      return {
        kernel: this.addWeight(`${name}/kernel`, shape, kernelInitializer, kernelRegularizer, kernelConstraint),
        bias: useBias
          ? this.addWeight(`${name}/bias`, columns, biasInitializer, biasRegularizer, biasConstraint)
          : undefined,
      };
    };
    const width = this.inputWidth(query!);
    // In the order of Keras.
    this.#projections = {
      query: add('query', [width], [numHeads, keyDim]),
      key: add('key', [this.inputWidth(key!)], [numHeads, keyDim]),
      value: add('value', [this.inputWidth(value!)], [numHeads, this.#valueDim]),
      output: add('attentionOutput', [numHeads, this.#valueDim], this.#outputShape ?? [width]),
    };
  }

  protected override call(inputs: readonly Tensor[], options: CallOptions): Output {
    const [query, value, key = value, attentionMask] = inputs as [Tensor, Tensor, Tensor?, Tensor?];
    // If no input carries a mask, the mask of the call is that of the values.
    const ofValues = value.mask ?? (inputs.some((x) => x.mask) ? undefined : options.mask);
    const ofKeys = key.mask === ofValues ? undefined : key.mask;
    const axes = new AttentionAxes(query.shape.length, this.#axes);
    const { numHeads, returnAttentionScores } = this.#options;
    const mask = this.#maskOf(
      [axes.foldMask(ofValues, value), axes.foldMask(ofKeys, key)],
      attentionMask && axes.foldAttention(attentionMask, numHeads, query, key),
    );
    const [made, weights] = this.#attend([query, value, key].map(axes.fold) as [Tensor, Tensor, Tensor], mask, options);
    const shaped = axes.unfold(made, query);
    const y = query.mask ? select(query.mask, shaped, 0) : shaped;
    y.mask = query.mask;
    if (!returnAttentionScores) return y as Output;
    const shape = [...axes.placesOf(query), numHeads, ...axes.lengthsOf(query), ...axes.lengthsOf(key)];
    return [y, reshape(weights, shape)] as Output;
  }

  /** Output `[B, Tq, …]` and weights `[B, N, Tq, Tv]` of query, value and key `[B, T, …]`. */
  #attend(
    [query, value, key]: readonly [Tensor, Tensor, Tensor],
    mask: Tensor | undefined,
    options: CallOptions,
  ): Attended<true> {
    const { numHeads, keyDim, dropout = 0, useCausalMask = false } = this.#options;
    const [batch, queries] = query.shape as [number, number];
    const keys = key.shape[1]!;
    const projections = this.#projections!;
    const { outputs, weights } = attend(
      heads(query, projections.query),
      heads(key, projections.key),
      heads(value, projections.value),
      {
        mask: mask && this.#foldHeads(mask, batch),
        causal: useCausalMask,
        scale: 1 / Math.sqrt(keyDim),
        dropout: dropout > 0 && isTraining(options) ? { rate: dropout, key: this.random.nextKey() } : undefined,
      },
    );
    const width = this.#valueDim;
    const joined = reshape(transpose(reshape(outputs, [batch, numHeads, queries, width]), [0, 2, 1, 3]), [
      batch,
      queries,
      numHeads * width,
    ]);
    const made = project(joined, projections.output, 2);
    const y = reshape(made, this.outputShape([query.shape]) as number[]);
    return [y, reshape(weights, [batch, numHeads, queries, keys])];
  }

  /** Where a query may read a key, `[B, 1 or Tq, Tv]` or `[B, N, Tq, Tv]`; undefined if nothing is hidden. */
  #maskOf(ofKeys: readonly (Tensor | undefined)[], attentionMask: Tensor | undefined): Tensor | undefined {
    let all = attentionMask;
    for (const mask of ofKeys) {
      if (!mask) continue;
      const row = expandDims(mask, 1);
      const fitted = all && all.shape.length === 4 ? expandDims(row, 1) : row;
      all = all ? where(fitted, all, 0) : fitted;
    }
    return all;
  }

  /** The mask with one part for each head, `[B·N, …, Tv]`. */
  #foldHeads(mask: Tensor, batch: number): Tensor {
    const { numHeads } = this.#options;
    const [queries, keys] = mask.shape.slice(-2) as [number, number];
    const each = mask.shape.length === 4 ? mask : expandDims(mask, 1);
    return reshape(broadcastTo(each, [batch, numHeads, queries, keys]), [batch * numHeads, queries, keys]);
  }
}

/** x·W + b, where the last `inputs` axes of W's left side are joined to one: `[…, units]`. */
function project(x: Tensor, { kernel, bias }: Projection, inputs: number): Tensor {
  const { shape } = kernel;
  const rows = sizeOf(shape.slice(0, inputs));
  return linear(x, reshape(kernel, [rows, kernel.size / rows]), bias && reshape(bias, [bias.size]));
}

/** A projection of x `[B, T, D]`, one matrix a head: `[B·N, T, K]`. */
function heads(x: Tensor, projection: Projection): Tensor {
  const [batch, time] = x.shape as [number, number];
  const [, count, width] = projection.kernel.shape as [number, number, number];
  const split = transpose(reshape(project(x, projection, 1), [batch, time, count, width]), [0, 2, 1, 3]);
  return reshape(split, [batch * count, time, width]);
}

/**
 * Attention with several heads, each with its own projections of query, key and value.
 *
 * y = Σ_n softmax((query·Q_n + q_n)·(key·K_n + k_n)ᵀ/√keyDim)·(value·V_n + v_n)·O_n + o
 *
 * Input: a list of f32 tensors, query `[B, Tq, D]`, value `[B, Tv, E]` and, optionally, key `[B, Tv, F]` (without it
 * the value is the key) and attentionMask `[B, Tq, Tv]` or `[B, N, Tq, Tv]`, not 0 where a query may read a value.
 * Output `[B, Tq, D]`, or `[B, Tq, …outputShape]`; with `returnAttentionScores` `[y, weights]` with weights
 * `[B, N, Tq, Tv]`. Masked values and keys get weight 0. A masked query gives zeros, and the output carries the mask of
 * the query.
 *
 * Query, value and key may have more axes before the features, `[B, …, D]`. Attention is over all of them, or over
 * `attentionAxes`: of a video `[B, T, H, W, D]`, 1 reads over time, each pixel by itself, and `[2, 3]` over the pixels
 * of each frame. The output is `[B, …, D]`, weights are `[B, …others, N, …queries, …values]`. An attentionMask is
 * `[B, …queries, …values]` or has all axes of the weights.
 *
 * Weights, in the order and the layout of Keras: query/kernel `[D, N, K]`, query/bias `[N, K]`, key/kernel
 * `[F, N, K]`, key/bias `[N, K]`, value/kernel `[E, N, V]`, value/bias `[N, V]`, attentionOutput/kernel
 * `[N, V, …outputShape]` and attentionOutput/bias `[…outputShape]`, with K = `keyDim` and V = `valueDim`.
 *
 * @param options `numHeads` and `keyDim` are required.
 * @returns a layer, to be called with the list of tensors. Its output lives until the open step ends; outside a step
 *   the caller owns it and may `dispose` of it.
 * @throws ArgumentError if an option is unknown, a size is not a positive integer, `attentionAxes` has
 *   an axis twice or none, or `dropout` is outside [0, 1); when called, if the input is not a list of two to four
 *   tensors with the axes above, their shapes do not fit, the query does not have `attentionAxes` before its features,
 *   or they are several with `useCausalMask`.
 * @see keras.layers.MultiHeadAttention; Vaswani et al. 2017
 *
 * @example
 * const x = tensor([[[1, 0], [0, 1], [1, 1]]]); // [1, 3, 2]
 * multiHeadAttention({ numHeads: 2, keyDim: 4, useCausalMask: true })([x, x]).shape; // [1, 3, 2]
 */
export const multiHeadAttention = <const S extends boolean = false>(
  options: MultiHeadAttentionOptions & { returnAttentionScores?: S | undefined },
): Layer<Attended<S>, readonly Tensor[]> => new MultiHeadAttention<Attended<S>>(options);
