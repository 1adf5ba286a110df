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
   * What a query may look at, where it is not 0: `[B, Tk]` for all queries, or `[B, Tq, Tk]`, 1 for axes along which it
   * holds throughout. Of what `[B, Tk]` leaves out key and value may be NaN.
   */
  mask?: Tensor | undefined;
  /** Whether query t looks at keys up to t alone. Default false. */
  causal?: boolean;
  /** Drops weights while training. */
  dropout?: { rate: number; key: RandomKey } | undefined;
}

export interface AttentionOptions extends Options {
  /** What scores are multiplied by: 1/√D in transformers, or a trained scalar. Default 1. */
  scale?: number | Weight | undefined;
}

export interface AdditiveAttentionOptions extends Options {
  /** `[D]`, what the features of a score are weighed by before they are summed. Default ones. */
  scale?: Weight | undefined;
}

export interface AttentionResult {
  /** What each query found, `[B, Tq, V]`. */
  outputs: Tensor;
  /** How much it looked where, `[B, Tq, Tk]`; rows sum to 1 unless weights are dropped. */
  weights: Tensor;
}

/**
 * Query, key and value, these with nothing in them that the mask hides. Throws `ArgumentError` for what does not fit.
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

/** Ones at and below the diagonal. */
function lowerTriangle(rows: number, columns: number, like: Tensor): Tensor {
  const values = Float32Array.from({ length: rows * columns }, (_, at) =>
    at % columns <= Math.floor(at / columns) ? 1 : 0,
  );
  return tensor(values, { shape: [1, rows, columns], name: 'causal mask', engine: like.engine });
}

/** Softmax of the scores `[B, Tq, Tk]` and the values weighed by it. */
function attend(scores: Tensor, value: Tensor, { mask, causal = false, dropout: drop }: Options): AttentionResult {
  const [, queries, keys] = scores.shape as [number, number, number];
  const seen = causal ? maskScores(scores, lowerTriangle(queries, keys, scores)) : scores;
  const rows = mask?.shape.length === 2 ? expandDims(mask, 1) : mask;
  const certain = rows ? maskedSoftmax(seen, rows) : softmaxRows(seen);
  const weights = drop ? dropout(certain, drop.rate, drop.key) : certain;
  return { outputs: batchMatmul(weights, value), weights };
}

/**
 * Dot-product attention: outputs = softmax(scale · query·keyᵀ)·value
 *
 * @param query `[B, Tq, D]` f32, in either memory order, as key and value.
 * @param key `[B, Tk, D]`.
 * @param value `[B, Tk, V]`.
 * @throws ArgumentError if a shape, the scale or the mask does not fit.
 * @see keras.layers.Attention; Luong, Pham and Manning 2015, https://arxiv.org/abs/1508.04025
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
 * Additive attention: scores[b, i, j] = Σ_d scale_d·tanh(query[b, i, d] + key[b, j, d]), outputs =
 * softmax(scores)·value
 *
 * Keeps Tq·Tk·D numbers a sequence for backward.
 *
 * @param query `[B, Tq, D]` f32, in either memory order, as key and value; what Bahdanau multiplies states by stands
 *   before, in `linear`.
 * @param key `[B, Tk, D]`.
 * @param value `[B, Tk, V]`.
 * @throws ArgumentError if a shape or the mask does not fit.
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
