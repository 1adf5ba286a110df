import { floatsOf, tensorOf, type Weight } from '../autograd/parameter.ts';
import { expectShape, expectTensor, type Tensor, tensor } from '../autograd/tensor.ts';
import { ArgumentError } from '../checks/argument-error.ts';
import { checkOptions } from '../checks/options.ts';
import { formatShape } from '../checks/shape.ts';
import type { RandomKey } from '../engine/random.ts';
import { dropout } from './elementwise/dropout.ts';
import { add, mul, scale as scaleBy, tanh } from './elementwise/elementwise.ts';
import { hideMasked } from './elementwise/select.ts';
import { batchMatmul } from './products/batch-matmul.ts';
import { linear } from './products/linear.ts';
import { sum } from './reduce.ts';
import { expandDims, inOrder, reshape } from './shapes/layout.ts';
import { maskedSoftmax, maskScores, softmaxRows } from './softmax.ts';

interface Options {
  /**
   * Keys that a query may attend to are not 0: `[B, Tk]` for all queries, or `[B, Tq, Tk]`, with length 1 for axes
   * along which the mask is constant. Where `[B, Tk]` is 0, key and value may be NaN.
   */
  mask?: Tensor | undefined;
  /** Whether query t attends only to keys up to t. Default false. */
  causal?: boolean;
  /** Dropout of the attention weights, for training. */
  dropout?: { rate: number; key: RandomKey } | undefined;
}

export interface AttentionOptions extends Options {
  /** Factor of the scores: 1/√D in transformers, or a trained scalar. Default 1. */
  scale?: number | Weight | undefined;
}

export interface AdditiveAttentionOptions extends Options {
  /** `[D]`, weights of the features in the sum of a score. Default ones. */
  scale?: Weight | undefined;
}

export interface AttentionResult {
  /** Weighted mean of the values for each query, `[B, Tq, V]`. */
  outputs: Tensor;
  /** Attention weights, `[B, Tq, Tk]`. Each row sums to 1 unless weights are dropped. */
  weights: Tensor;
}

/**
 * Query, key and value, without NaN or ∞ where the mask hides key and value. Throws `ArgumentError` if a shape does not
 * fit.
 */
function operandsOf(
  what: string,
  given: Readonly<Record<string, Weight>>,
  mask: Tensor | undefined,
): [query: Tensor, key: Tensor, value: Tensor] {
  const [query, key, value] = Object.entries(given).map(([name, operand]) => {
    const x = floatsOf(operand, `${what}: ${name}`);
    if (x.shape.length === 3) return x;
    throw new ArgumentError(`${what}: ${name} expected [B, T, D], got ${formatShape(x.shape)}`);
  }) as [Tensor, Tensor, Tensor];
  if (mask !== undefined) expectTensor(`${what}: mask`, mask);
  const [batch, , width] = query.shape as [number, number, number];
  expectShape(`${what}: key`, key.shape, [batch, key.shape[1]!, width]);
  expectShape(`${what}: value`, value.shape, [batch, key.shape[1]!, value.shape[2]!]);
  const steps = mask && mask.shape.length < 3 ? mask : undefined;
  return [query, hideMasked(key, steps), hideMasked(value, steps)];
}

/** Ones at and below the diagonal, zeros above it. */
function lowerTriangle(rows: number, columns: number, like: Tensor): Tensor {
  const values = Float32Array.from({ length: rows * columns }, (_, at) =>
    at % columns <= Math.floor(at / columns) ? 1 : 0,
  );
  return tensor(values, { shape: [1, rows, columns], name: 'causal mask', engine: like.engine });
}

/** Softmax of the scores `[B, Tq, Tk]`, and the values weighted by it. */
function attend(scores: Tensor, value: Tensor, { mask, causal = false, dropout: drop }: Options): AttentionResult {
  const [, queries, keys] = scores.shape as [number, number, number];
  const seen = causal ? maskScores(scores, lowerTriangle(queries, keys, scores)) : scores;
  const rows = mask?.shape.length === 2 ? expandDims(mask, 1) : mask;
  const certain = rows ? maskedSoftmax(seen, rows) : softmaxRows(seen);
  const weights = drop ? dropout(certain, drop.rate, drop.key) : certain;
  return { outputs: batchMatmul(weights, value), weights };
}

/**
 * Dot-product attention.
 *
 * weights = softmax(scale·query·keyᵀ), outputs = weights·value
 *
 * @param query `[B, Tq, D]` f32, in either memory order.
 * @param key `[B, Tk, D]` f32, in either memory order.
 * @param value `[B, Tk, V]` f32, in either memory order.
 * @param options.mask `[B, Tk]` or `[B, Tq, Tk]`, not 0 where a query may attend to a key.
 * @param options.causal whether query t attends only to keys up to t; default false.
 * @param options.dropout rate and key for dropout of the weights; default none.
 * @param options.scale factor of the scores, a number or a tensor of one element; default 1.
 * @returns outputs `[B, Tq, V]` and weights `[B, Tq, Tk]`, tensors of the open step (outside a step: the caller's to
 *   `dispose`).
 * @throws ArgumentError if query, key or value is not an f32 tensor of three axes, shapes do not fit, `scale` has more
 *   than one element, the mask does not fit, the dropout rate is outside [0, 1), or an option is unknown.
 * @see keras.layers.Attention; Luong, Pham and Manning 2015, https://arxiv.org/abs/1508.04025
 *
 * @example
 * const states = ops.ones([1, 3, 2]); // [B, T, D]
 * ops.attention(states, states, states, { scale: 1 / Math.sqrt(2), causal: true }).weights.shape; // [1, 3, 3]
 */
export function attention(query: Weight, key: Weight, value: Weight, options: AttentionOptions = {}): AttentionResult {
  const { scale = 1 } = checkOptions('attention', options, { mask: 1, causal: 1, dropout: 1, scale: 1 });
  const [asked, seenKey, seenValue] = operandsOf('attention', { query, key, value }, options.mask);
  const products = batchMatmul(asked, seenKey, { transposeB: true });
  if (typeof scale !== 'number') {
    const { shape, size } = tensorOf(scale, 'attention: scale');
    if (size !== 1) throw new ArgumentError(`attention: scale expected one number, got ${formatShape(shape)}`);
    return attend(mul(products, scale), seenValue, options);
  }
  return attend(scale === 1 ? products : scaleBy(products, scale), seenValue, options);
}

/**
 * Additive attention.
 *
 * scores[b, i, j] = Σ_d scale_d·tanh(query[b, i, d] + key[b, j, d]), weights = softmax(scores), outputs = weights·value
 *
 * Backward keeps Tq·Tk·D numbers of each sequence. The matrices of Bahdanau's paper are not part of this op: use
 * `linear` on query and key first.
 *
 * @param query `[B, Tq, D]` f32, in either memory order.
 * @param key `[B, Tk, D]` f32, in either memory order.
 * @param value `[B, Tk, V]` f32, in either memory order.
 * @param options.mask `[B, Tk]` or `[B, Tq, Tk]`, not 0 where a query may attend to a key.
 * @param options.causal whether query t attends only to keys up to t; default false.
 * @param options.dropout rate and key for dropout of the weights; default none.
 * @param options.scale `[D]` f32, weights of the features; default ones.
 * @returns outputs `[B, Tq, V]` and weights `[B, Tq, Tk]`, tensors of the open step (outside a step: the caller's to
 *   `dispose`).
 * @throws ArgumentError if query, key or value is not an f32 tensor of three axes, a shape, `scale` or the mask does
 *   not fit, the dropout rate is outside [0, 1), or an option is unknown.
 * @see keras.layers.AdditiveAttention; Bahdanau, Cho and Bengio 2014, https://arxiv.org/abs/1409.0473
 */
export function additiveAttention(
  query: Weight,
  key: Weight,
  value: Weight,
  options: AdditiveAttentionOptions = {},
): AttentionResult {
  checkOptions('additiveAttention', options, { mask: 1, causal: 1, dropout: 1, scale: 1 });
  const [asked, seenKey, seenValue] = operandsOf('additiveAttention', { query, key, value }, options.mask);
  const [batch, queries, width] = asked.shape as [number, number, number];
  const keys = seenKey.shape[1]!;
  const features = tanh(add(expandDims(inOrder(asked, false), 2), expandDims(inOrder(seenKey, false), 1)));
  if (!options.scale) return attend(sum(features, { axis: -1 }), seenValue, options);
  const scale = tensorOf(options.scale, 'additiveAttention: scale');
  expectShape('additiveAttention: scale', scale.shape, [width]);
  const scores = linear(features, reshape(scale, [width, 1]));
  return attend(reshape(scores, [batch, queries, keys]), seenValue, options);
}
