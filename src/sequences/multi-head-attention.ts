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
  /** Whether a query reads only the values up to its own step. Default false. */
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
  }

  override describe(): string {
    return `${this.name}(numHeads=${this.#options.numHeads})`;
  }

  override outputShape([query]: readonly BatchShape[]): BatchShape {
    return [...query!.slice(0, 2), ...(this.#outputShape ?? query!.slice(2))];
  }

  protected override checkInput(shapes: readonly BatchShape[]): void {
    if (!Array.isArray(shapes[0]) || shapes.length < 2 || shapes.length > 4) {
      const got = Array.isArray(shapes[0]) ? shown(shapes) : `a tensor ${formatShape(shapes as never)}`;
      throw new ArgumentError(
        `${this.describe()}: input expected [query, value], [query, value, key] or [query, value, key, attentionMask], got ${got}`,
      );
    }
    shapes.forEach((shape, i) => {
      if (shape.length === 3 || (i === 3 && shape.length === 4)) return;
      const expected =
        i < 3 ? '[batch, time, features]' : '[batch, queries, values] or [batch, heads, queries, values]';
      throw new ArgumentError(`${this.describe()}: input ${INPUTS[i]} expected ${expected}, got ${formatShape(shape)}`);
    });
    this.#checkLengths(shapes);
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
    const { numHeads, keyDim, dropout = 0, useCausalMask = false, returnAttentionScores } = this.#options;
    const [batch, queries] = query.shape as [number, number];
    const keys = key.shape[1]!;
    const projections = this.#projections!;
    // If no input carries a mask, the mask of the call is that of the values.
    const ofValues = value.mask ?? (inputs.some((x) => x.mask) ? undefined : options.mask);
    const mask = this.#maskOf([ofValues, key.mask === ofValues ? undefined : key.mask], attentionMask);
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
    const shaped = reshape(made, this.outputShape([query.shape]) as number[]);
    const y = query.mask ? select(query.mask, shaped, 0) : shaped;
    y.mask = query.mask;
    if (!returnAttentionScores) return y as Output;
    return [y, reshape(weights, [batch, numHeads, queries, keys])] as Output;
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
 * the query. Weights, in the order and the layout of Keras: query/kernel `[D, N, K]`, query/bias `[N, K]`, key/kernel
 * `[F, N, K]`, key/bias `[N, K]`, value/kernel `[E, N, V]`, value/bias `[N, V]`, attentionOutput/kernel
 * `[N, V, …outputShape]` and attentionOutput/bias `[…outputShape]`, with K = `keyDim` and V = `valueDim`.
 *
 * @param options `numHeads` and `keyDim` are required. Attention is over the time axis.
 * @returns a layer, to be called with the list of tensors. Its output lives until the open step ends; outside a step
 *   the caller owns it and may `dispose` of it.
 * @throws ArgumentError if an option is unknown, a size is not a positive integer or `dropout` is outside [0, 1); when
 *   called, if the input is not a list of two to four tensors with the axes above, or their shapes do not fit.
 * @see keras.layers.MultiHeadAttention; Vaswani et al. 2017
 *
 * @example
 * const x = tensor([[[1, 0], [0, 1], [1, 1]]]); // [1, 3, 2]
 * multiHeadAttention({ numHeads: 2, keyDim: 4, useCausalMask: true })([x, x]).shape; // [1, 3, 2]
 */
export const multiHeadAttention = <const S extends boolean = false>(
  options: MultiHeadAttentionOptions & { returnAttentionScores?: S | undefined },
): Layer<Attended<S>, readonly Tensor[]> => new MultiHeadAttention<Attended<S>>(options);
